#include "compiler/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace sepconv {
namespace {

/// Longest comment that a line of the plan gets.
constexpr size_t kCommentBytes = 100;

bool is_plain(unsigned char c) {
    return c >= 0x20 && c < 0x7f;
}

std::string upper(std::string text) {
    for (char &c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

std::string argument_text(const Location &location, const MemoryPlan &memory) {
    switch (location.space) {
        case Space::kWeights:
            return fmt::format("WEIGHTS({}, {})", location.offset, location.advance);
        case Space::kArena:
            return fmt::format("ARENA({}, {})", arena_offset(memory, location), location.advance);
        case Space::kInput:
            return fmt::format("INPUT({}, {}, {})", location.index, location.offset,
                               location.advance);
        case Space::kOutput:
            return fmt::format("OUTPUT({}, {}, {})", location.index, location.offset,
                               location.advance);
    }
    return "";
}

void append_tensors(std::string *text, const std::string &kind,
                    const std::vector<PlanTensor> &tensors) {
    for (size_t i = 0; i < tensors.size(); ++i) {
        if (tensors[i].shape.empty()) continue;
        *text += fmt::format("static const int64_t {}_{}_shape[] = {{{}}};\n", kind, i,
                             fmt::join(tensors[i].shape, ", "));
    }
    *text += fmt::format("static const sepconv_tensor_t {}s[] = {{\n", kind);
    for (size_t i = 0; i < tensors.size(); ++i) {
        const PlanTensor &tensor = tensors[i];
        const std::string shape = tensor.shape.empty() ? "0" : fmt::format("{}_{}_shape", kind, i);
        *text += fmt::format("    {{{}, {}, {}, {}, {}}},\n", c_string(tensor.name),
                             c_string(tensor.layout), tensor.shape.size(), shape, tensor.bytes);
    }
    *text += "};\n\n";
}

void append_variants(std::string *text, const std::vector<Variant> &variants,
                     const std::string &name) {
    for (const Variant &variant : variants) {
        std::set<std::string> declared;
        for (const KernelObject &kernel : variant.kernels) {
            if (!declared.insert(kernel.symbol).second) continue;
            *text += fmt::format("SEPCONV_HIDDEN int {}(void **);\n", kernel_name(name, kernel));
        }
        *text += fmt::format("static const sepconv_kernel_t kernels_{}[] = {{\n", variant.isa);
        for (const KernelObject &kernel : variant.kernels) {
            *text += fmt::format("    {},\n", kernel_name(name, kernel));
        }
        *text += "};\n\n";
    }
    *text += "static const sepconv_variant_t variants[] = {\n";
    for (const Variant &variant : variants) {
        *text += fmt::format("    {{.isa = \"{0}\", .kernels = kernels_{0}, .worker_bytes = {1}",
                             variant.isa, variant.worker_bytes());
        if (!variant.device.empty()) {
            *text += fmt::format(", .device = &sepconv_{}_device, .device_capability = {}",
                                 variant.device, variant.capability);
        }
        *text += "},\n";
    }
    *text += "};\n\n";
}

void append_steps(std::string *text, const Plan &plan, const MemoryPlan &memory) {
    *text +=
        "/* STEP(kernel, block, repetitions, offset and bytes of scratch, arguments...) */\n"
        "static const sepconv_step_t steps[] = {\n";
    for (size_t i = 0; i < plan.steps.size(); ++i) {
        const PlanStep &step = plan.steps[i];
        const PlanBlock &block = plan.blocks[static_cast<size_t>(step.block)];
        const std::string comment = fmt::format("{} {}: {}", block.kind, block.shape, block.name);
        std::string arguments;
        for (const Location &location : step.args) {
            arguments += ", " + argument_text(location, memory);
        }
        *text += fmt::format("    STEP({}, {}, {}, {}, {}{}), /* {} */\n", step.kernel, step.block,
                             step.repeat, memory.scratch[i], memory.scratch_bytes[i], arguments,
                             c_comment(comment));
    }
    *text += "};\n\n";
    *text += "static const char *const block_names[] = {\n";
    for (const PlanBlock &block : plan.blocks) {
        *text += fmt::format("    {},\n", c_string(block.name));
    }
    *text += "};\n\n";
}

constexpr const char *kPlanHead = R"(#include "sepconv/plan.h"

#define WEIGHTS(offset, advance) {{SEPCONV_WEIGHTS, 0, offset, advance}}
#define ARENA(offset, advance) {{SEPCONV_ARENA, 0, offset, advance}}
#define INPUT(index, offset, advance) {{SEPCONV_INPUT, index, offset, advance}}
#define OUTPUT(index, offset, advance) {{SEPCONV_OUTPUT, index, offset, advance}}
#define ARGUMENTS(...) (const sepconv_arg_t[]){{__VA_ARGS__}}
#define STEP(kernel, block, repeat, scratch_offset, scratch_bytes, ...) \
    {{kernel, block, repeat, sizeof(ARGUMENTS(__VA_ARGS__)) / sizeof(sepconv_arg_t), \
     ARGUMENTS(__VA_ARGS__), scratch_offset, scratch_bytes}}

SEPCONV_HIDDEN extern const uint8_t {0}_weights[];

)";

constexpr const char *kPlanTail = R"(static const sepconv_model_t model = {{
    .abi_version = SEPCONV_ABI_VERSION,
    .name = {1},
    .input_count = {2},
    .output_count = {3},
    .inputs = inputs,
    .outputs = outputs,
    .arena_bytes = {4},
    .weights = {0}_weights,
    .weight_bytes = {10},
    .variant_count = {5},
    .variants = variants,
    .step_count = {6},
    .steps = {7},
    .block_count = {8},
    .block_names = {9},
}};

SEPCONV_EXPORTED const sepconv_model_t *{0}_model(void);
const sepconv_model_t *{0}_model(void) {{ return &model; }}
)";

// C rather than assembler, so that every flag of a project's C compiler goes for it too.
constexpr const char *kWeights =
    R"(/* The packed weights of {0}: {1}, found in the folders of -I. Link-time optimisation does not see a
 * symbol that assembler defines: compile this file with -fno-lto. */
__asm__(
#if defined(__APPLE__)
    ".section __TEXT,__const\n"
    ".p2align 6\n"
    ".globl _{0}_weights\n"
    ".private_extern _{0}_weights\n"
    "_{0}_weights:\n"
#elif defined(_WIN32)
    ".section .rdata,\"dr\"\n"
    ".p2align 6\n"
    ".globl {0}_weights\n"
    "{0}_weights:\n"
#else
    ".section .rodata,\"a\",%progbits\n"
    ".p2align 6\n"
    ".globl {0}_weights\n"
    ".hidden {0}_weights\n"
    ".type {0}_weights, %object\n"
    "{0}_weights:\n"
#endif
    ".incbin \"{1}\"\n"
#if defined(__ELF__)
    ".size {0}_weights, .-{0}_weights\n"
#endif
    ".text\n");
)";

constexpr const char *kHeader =
    R"(/* {0}: a neural network compiled by sepconv. Link lib{0}.a with -lpthread -lm.
 *
 *     static float input[{1}_INPUT_0_BYTES / sizeof(float)];
 *     static float output[{1}_OUTPUT_0_BYTES / sizeof(float)];
 *     const void *const inputs[] = {{input}};
 *     void *const outputs[] = {{output}};
 *     sepconv_context_t *context;
 *     sepconv_status_t status = sepconv_context_create({0}_model(), NULL, &context);
 *     if (status == SEPCONV_OK) status = sepconv_run(context, inputs, outputs);
 *     if (status != SEPCONV_OK) puts(sepconv_status_message(status));
 *     sepconv_context_destroy(context);
 */
#ifndef SEPCONV_MODEL_{1}_H_
#define SEPCONV_MODEL_{1}_H_

#include "sepconv/sepconv.h"

/* Bytes of options.arena for one thread; sepconv_model_arena_bytes() for more. */
#define {1}_ARENA_BYTES {2}
/* What each thread adds to the arena where there are several. */
#define {1}_WORKER_BYTES {3}
#define {1}_INPUT_COUNT {4}
#define {1}_OUTPUT_COUNT {5}
{6}
#ifdef __cplusplus
extern "C" {{
#endif

/* The model: shared, read-only, there as long as the program. */
const sepconv_model_t *{0}_model(void);

#ifdef __cplusplus
}}
#endif

#endif /* SEPCONV_MODEL_{1}_H_ */
)";

std::string tensor_macros(const std::string &prefix, const std::vector<PlanTensor> &tensors) {
    std::string text;
    for (size_t i = 0; i < tensors.size(); ++i) {
        const PlanTensor &tensor = tensors[i];
        text += fmt::format(
            "\n/* {2}{3}{4} */\n"
            "#define {0}_{1}_NAME {5}\n"
            "#define {0}_{1}_RANK {6}\n"
            "#define {0}_{1}_SHAPE {{{7}}}\n"
            "#define {0}_{1}_BYTES {8}\n",
            prefix, i, c_comment(tensor.name), tensor.layout.empty() ? "" : ": ", tensor.layout,
            c_string(tensor.name), tensor.shape.size(), fmt::join(tensor.shape, ", "),
            tensor.bytes);
    }
    return text;
}

}  // namespace

std::string identifier_of(std::string_view text) {
    std::string name;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        name += byte < 0x80 && std::isalnum(byte) != 0 ? c : '_';
    }
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) name = "_" + name;
    return name;
}

std::string c_string(std::string_view text) {
    std::string literal = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        // Octal escapes end after three digits; '?' might begin a trigraph.
        const bool plain = is_plain(byte) && c != '"' && c != '\\' && c != '?';
        literal += plain ? std::string(1, c) : fmt::format("\\{:03o}", byte);
    }
    return literal + "\"";
}

std::string c_comment(std::string_view text) {
    std::string comment;
    for (const char c : text.substr(0, kCommentBytes)) {
        // Neither an end nor a beginning of a comment, nor a line continuation or trigraph.
        const bool joins =
            (c == '/' || c == '*') && !comment.empty() && comment.back() == (c == '/' ? '*' : '/');
        const bool plain = is_plain(static_cast<unsigned char>(c)) && c != '\\' && c != '?';
        comment += plain && !joins ? c : '_';
    }
    if (!comment.empty() && comment.back() == '*') comment.back() = '_';
    return text.size() > kCommentBytes ? comment + "..." : comment;
}

int64_t worker_bytes(const std::vector<Variant> &variants) {
    int64_t bytes = 0;
    for (const Variant &variant : variants) bytes = std::max(bytes, variant.worker_bytes());
    return bytes;
}

int64_t serial_arena_bytes(const MemoryPlan &memory) {
    return memory.bytes + 64;  // SEPCONV_TOTAL_ARENA_BYTES of sepconv/plan.h, without a slice.
}

std::string plan_source(const Plan &plan, const MemoryPlan &memory,
                        const std::vector<Variant> &variants, const std::string &name) {
    std::string text = fmt::format("/* The plan of {}, made by sepconv. */\n", name);
    text += fmt::format(kPlanHead, name);
    append_tensors(&text, "input", plan.inputs);
    append_tensors(&text, "output", plan.outputs);
    append_variants(&text, variants, name);
    if (!plan.steps.empty()) append_steps(&text, plan, memory);
    text +=
        fmt::format(kPlanTail, name, c_string(name), plan.inputs.size(), plan.outputs.size(),
                    memory.bytes, variants.size(), plan.steps.size(),
                    plan.steps.empty() ? "0" : "steps", plan.steps.empty() ? 0 : plan.blocks.size(),
                    plan.steps.empty() ? "0" : "block_names", plan.weights.size());
    return text;
}

std::string kernel_name(const std::string &name, const KernelObject &kernel) {
    return fmt::format("{}_{}_argv", name, kernel.symbol);
}

std::string weights_source(const std::string &name, const std::string &file) {
    return fmt::format(kWeights, name, file);
}

std::string header_source(const Plan &plan, const MemoryPlan &memory,
                          const std::vector<Variant> &variants, const std::string &name) {
    const std::string macro = upper(name);
    return fmt::format(kHeader, name, macro, serial_arena_bytes(memory), worker_bytes(variants),
                       plan.inputs.size(), plan.outputs.size(),
                       tensor_macros(macro + "_INPUT", plan.inputs) +
                           tensor_macros(macro + "_OUTPUT", plan.outputs));
}

}  // namespace sepconv
