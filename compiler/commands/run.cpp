// sepconv run: compiles (cached), loads and runs a model on .npy files.
#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <set>

#include "compiler/commands/commands.h"
#include "compiler/commands/loaded_library.h"
#include "compiler/commands/options.h"
#include "compiler/diagnostic.h"
#include "compiler/files.h"
#include "compiler/npy.h"
#include "compiler/process.h"

namespace sepconv {
namespace {

struct RunOptions {
    ModelOptions model;
    BuildOptions build;
    std::vector<std::string> inputs;  ///< NAME=FILE.npy
    std::string output_folder;
    int threads = 1;
    int repeat = 0;
    bool profile = false;
};

Status invalid(const std::string &text) {
    return Status(StatusCode::kInvalidArgument, text);
}

std::string names_of(const std::vector<PlanTensor> &tensors) {
    std::string text;
    for (const PlanTensor &tensor : tensors)
        text += (text.empty() ? "" : ", ") + quote(tensor.name);
    return text;
}

/// Which input an argument NAME=FILE is for; the longest name wins, as names may hold '='.
Result<size_t> input_of(const std::string &argument, const std::vector<PlanTensor> &inputs) {
    size_t best = inputs.size();
    for (size_t i = 0; i < inputs.size(); ++i) {
        const std::string prefix = inputs[i].name + "=";
        const bool longer = best == inputs.size() || prefix.size() > inputs[best].name.size() + 1;
        if (argument.compare(0, prefix.size(), prefix) == 0 && longer) best = i;
    }
    if (best == inputs.size()) {
        return invalid(fmt::format("--input: expected NAME=FILE.npy with one of {}, got {}",
                                   names_of(inputs), quote(argument)));
    }
    return best;
}

Result<std::vector<Array>> read_inputs(const std::vector<std::string> &arguments,
                                       const std::vector<PlanTensor> &inputs) {
    std::vector<Array> arrays(inputs.size());
    std::vector<bool> given(inputs.size(), false);
    for (const std::string &argument : arguments) {
        const Result<size_t> index = input_of(argument, inputs);
        if (!index.ok()) return index.status();
        const PlanTensor &tensor = inputs[index.value()];
        if (given[index.value()]) {
            return invalid(fmt::format("--input: {} is given twice", quote(tensor.name)));
        }
        Result<Array> array = read_npy(argument.substr(tensor.name.size() + 1));
        if (!array.ok()) return array.status();
        if (array.value().shape != tensor.shape) {
            return invalid(fmt::format("--input: {} has shape {}, expected {} {}",
                                       quote(tensor.name), shape_text(array.value().shape),
                                       shape_text(tensor.shape), tensor.layout));
        }
        arrays[index.value()] = std::move(array).value();
        given[index.value()] = true;
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
        if (!given[i]) return invalid(fmt::format("--input: {} is missing", quote(inputs[i].name)));
    }
    return arrays;
}

/// OpenCL on the CPU (PoCL) keeps the private values of a whole work group in the frame of one
/// thread: more than the 8 MB that a thread has by default.
void enlarge_stacks_of_threads() {
    constexpr size_t kBytes = 256U << 20;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kBytes);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}

/// The one variant to compile, and its name in *isa: the device asked for, or as forced, or the
/// best of this CPU.
Status choose_isa(TargetOptions *target, std::string *isa) {
    if (target->devices.size() > 1) return invalid("--device: run takes one");
    if (!target->devices.empty() && target->devices.front() != "cpu") {
        SEPCONV_RETURN_IF_ERROR(check_target_is_here("run", *target));
        // Whether the device is there, the context says.
        enlarge_stacks_of_threads();
        *isa = target->devices.front();
        return Status();
    }
    const char *forced = std::getenv("SEPCONV_ISA");
    if (target->isas.empty() && forced != nullptr && *forced != '\0') target->isas = {forced};
    SEPCONV_RETURN_IF_ERROR(choose_variant("run", target));
    *isa = target->isas.front();
    return Status();
}

/// "conv/out:0" as a file name; made unique in `taken`.
std::string output_file(const std::string &tensor, std::set<std::string> *taken) {
    std::string name;
    for (const char c : tensor) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
        name += plain ? c : '_';
    }
    constexpr size_t kMaxName = 200;
    name = name.substr(0, kMaxName);
    if (name.empty() || name[0] == '.') name = "_" + name;
    const std::string base = name;
    for (int i = 2; !taken->insert(name).second; ++i) name = fmt::format("{}_{}", base, i);
    return name + ".npy";
}

Status write_outputs(const std::string &folder, const std::vector<PlanTensor> &tensors,
                     const std::vector<Array> &arrays) {
    SEPCONV_RETURN_IF_ERROR(make_folder(folder));
    std::set<std::string> taken;
    for (size_t i = 0; i < tensors.size(); ++i) {
        const std::string path = folder + "/" + output_file(tensors[i].name, &taken);
        SEPCONV_RETURN_IF_ERROR(replace_file(path, npy_bytes(arrays[i])));
        fmt::print("{}\n", path);
    }
    return Status();
}

void print_times(std::vector<double> milliseconds) {
    std::sort(milliseconds.begin(), milliseconds.end());
    const auto at = [&](double quantile) {
        const double index = quantile * static_cast<double>(milliseconds.size() - 1);
        return milliseconds[static_cast<size_t>(std::lround(index))];
    };
    fmt::print("median {:.3f} ms, p10 {:.3f} ms, p90 {:.3f} ms of {} runs\n", at(0.5), at(0.1),
               at(0.9), milliseconds.size());
}

/// Kernels come from the cache; the rest takes a moment and is gone when it is loaded, before
/// signals end the run.
Result<std::unique_ptr<LoadedLibrary>> compile_and_load(const RunOptions &options,
                                                        const Plan &plan) {
    const HeldSignals held;
    const Result<std::string> cache = cache_folder(options.build.cache);
    if (!cache.ok()) return cache.status();
    const Result<TemporaryFolder> folder = TemporaryFolder::create(cache.value());
    if (!folder.ok()) return folder.status();
    // Not in the locked folder itself, which publications lock too.
    const OutputOptions output{folder.value().file("library"), "model", true};
    const Result<Emitted> emitted =
        compile_plan(plan, options.build, output, file_name_of(options.model.model));
    if (!emitted.ok()) return emitted.status();
    return LoadedLibrary::open(emitted.value().shared, output.name);
}

Status run_library(const RunOptions &options, const Plan &plan, LoadedLibrary &model,
                   const std::vector<Array> &inputs) {
    sepconv_options_t context = {};
    context.num_threads = options.threads;
    context.profile = options.profile ? 1 : 0;
    SEPCONV_RETURN_IF_ERROR(model.start(context));
    std::vector<Array> outputs;
    std::vector<const void *> in;
    std::vector<void *> out;
    for (const PlanTensor &tensor : plan.outputs) {
        outputs.push_back(
            {tensor.shape, std::vector<float>(static_cast<size_t>(element_count(tensor.shape)))});
    }
    for (const Array &array : inputs) in.push_back(array.values.data());
    for (Array &array : outputs) out.push_back(array.values.data());
    SEPCONV_RETURN_IF_ERROR(model.run(in.data(), out.data()));
    std::vector<double> milliseconds;
    for (int i = 0; i < options.repeat; ++i) {
        const auto start = std::chrono::steady_clock::now();
        SEPCONV_RETURN_IF_ERROR(model.run(in.data(), out.data()));
        const std::chrono::duration<double, std::milli> time =
            std::chrono::steady_clock::now() - start;
        milliseconds.push_back(time.count());
    }
    SEPCONV_RETURN_IF_ERROR(write_outputs(options.output_folder, plan.outputs, outputs));
    fmt::print("{}, {} thread{}\n", model.isa(), options.threads, options.threads == 1 ? "" : "s");
    if (!milliseconds.empty()) print_times(milliseconds);
    for (size_t i = 0; options.profile && i < plan.blocks.size(); ++i) {
        const PlanBlock &block = plan.blocks[i];
        fmt::print("{:9.1f} us  {} {}\n", model.block_microseconds(static_cast<int>(i)), block.kind,
                   block.shape);
    }
    return Status();
}

Status run(RunOptions options) {
    std::string isa;
    SEPCONV_RETURN_IF_ERROR(choose_isa(&options.build.target, &isa));
    const Result<PlannedModel> model = load_model(options.model, options.build.layout);
    if (!model.ok()) return model.status();
    const Plan &plan = model.value().plan;
    const Result<std::vector<Array>> inputs = read_inputs(options.inputs, plan.inputs);
    if (!inputs.ok()) return inputs.status();
    const Result<std::unique_ptr<LoadedLibrary>> library = compile_and_load(options, plan);
    if (!library.ok()) return library.status();
    setenv("SEPCONV_ISA", isa.c_str(), 1);
    return run_library(options, plan, *library.value(), inputs.value());
}

}  // namespace

void add_run_command(CLI::App *app, Status *status) {
    CLI::App *command = app->add_subcommand("run", "Compiles an ONNX model and runs it");
    auto options = std::make_shared<RunOptions>();
    add_model_options(command, &options->model);
    command->add_option("--input,-i", options->inputs, "NAME=FILE.npy, for every input")
        ->allow_extra_args(false);
    command->add_option("--output-dir", options->output_folder, "Folder for one .npy an output")
        ->required();
    command->add_option("--threads", options->threads, "Threads")
        ->check(CLI::Range(1, SEPCONV_MAX_THREADS))
        ->capture_default_str();
    command->add_option("--repeat", options->repeat, "Timed runs after the first")
        ->check(CLI::Range(0, 1000000));
    command->add_flag("--profile", options->profile, "Prints the time of every block");
    add_build_options(command, &options->build);
    command->callback([=] { *status = run(*options); });
}

}  // namespace sepconv
