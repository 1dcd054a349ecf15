#include "compiler/commands/options.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "compiler/diagnostic.h"
#include "compiler/files.h"
#include "compiler/limits.h"
#include "compiler/object_cache.h"
#include "compiler/process.h"
#include "compiler/publish.h"
#include "compiler/source.h"
#include "compiler/toolchain.h"
#include "sepconv/sepconv.h"

namespace sepconv {
namespace {

Status invalid(const std::string &text) {
    return Status(StatusCode::kInvalidArgument, text);
}

/// Adds NAME=EXTENTS to the shapes. A name may hold '=', a shape may not.
Status parse_input_shape(const std::string &text, std::map<std::string, Shape> *shapes) {
    const size_t at = text.rfind('=');
    if (at == std::string::npos || at == 0) {
        return invalid(
            fmt::format("--input-shape: expected NAME=1x3x512x512, got {}", quote(text)));
    }
    Result<Shape> shape = parse_extents(text.substr(at + 1), "--input-shape");
    if (!shape.ok()) return shape.status();
    if (!shapes->emplace(text.substr(0, at), shape.value()).second) {
        return invalid(fmt::format("--input-shape: {} is given twice", quote(text.substr(0, at))));
    }
    return Status();
}

}  // namespace

void add_model_options(CLI::App *command, ModelOptions *options) {
    command->add_option("MODEL", options->model, "The .onnx file")->required();
    command
        ->add_option("--input-shape", options->input_shapes,
                     "NAME=1x3x512x512: replaces the shape of an input; may be repeated")
        ->allow_extra_args(false);
}

void add_layout_option(CLI::App *command, std::string *layout) {
    command->add_option("--layout", *layout, "Layout of the 4-D inputs and outputs: nchw or nhwc")
        ->check(CLI::IsMember({"nchw", "nhwc"}))
        ->capture_default_str();
}

void add_build_options(CLI::App *command, BuildOptions *options) {
    add_layout_option(command, &options->layout);
    command
        ->add_option("--target", options->target.triple,
                     "Machine that runs the library: " + known_triples() +
                         ", or another CPU target of Halide's")
        ->capture_default_str();
    command
        ->add_option(
            "--isa", options->target.isas,
            "Variants, comma-separated: sse41,avx2,avx512 (x86-64), neon,dotprod (arm-64), "
            "rvv128,rvv256 (riscv-64); default: all but dotprod")
        ->delimiter(',')
        ->allow_extra_args(false);
    command
        ->add_option("--device", options->target.devices,
                     "Where it can run, comma-separated: cpu, cuda, opencl (default: cpu); with "
                     "several, a context takes a GPU if there is one")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::IsMember({"cpu", "cuda", "opencl"}));
    command
        ->add_option("--cuda-capability", options->target.cuda_capability,
                     "The oldest GPU's compute capability, 80 for 8.0; newer ones run it too")
        ->capture_default_str();
    command->add_option("--cc", options->cc,
                        "C compiler for the target (default: cc, or Debian's cross compiler)");
    command
        ->add_option("--cc-flag", options->cc_flags,
                     "Flag of every compile and link, as in --cc-flag=--sysroot=DIR; may be "
                     "repeated")
        ->allow_extra_args(false);
    command->add_option("--jobs,-j", options->jobs, "Kernels compiled at once (default: all cores)")
        ->check(CLI::Range(1, 1024));
    command->add_option("--cache-dir", options->cache,
                        "Compiled kernels (default: $SEPCONV_CACHE_DIR, or ~/.cache/sepconv)");
    command
        ->add_option("--tuning", options->tuning,
                     "Table that sepconv tune wrote; for another CPU than this it is ignored with "
                     "a warning; may be repeated")
        ->allow_extra_args(false);
    command->add_flag("--no-tuning", options->no_tuning, "Without the tables beside the tool");
    command->add_flag("--quiet,-q", options->quiet, "No progress on stderr");
}

void add_scheduler_options(CLI::App *command, SchedulerOptions *options) {
    command
        ->add_option("--scheduler", options->name,
                     "Who orders the loops: hand, the project's own schedules, or one of Halide's "
                     "autoschedulers (anderson2021 for cuda, li2018 also for devices)")
        ->check(CLI::IsMember(scheduler_names()))
        ->capture_default_str();
    command
        ->add_option("--scheduler-threads", options->threads,
                     "Threads that an autoscheduler plans for")
        ->check(CLI::Range(1, SEPCONV_MAX_THREADS))
        ->capture_default_str();
    command
        ->add_option("--scheduler-limit", options->seconds,
                     "Seconds that an autoscheduler has for one kernel")
        ->check(CLI::Range(1, 86400))
        ->capture_default_str();
}

void add_output_options(CLI::App *command, OutputOptions *options) {
    command->add_option("--output,-o", options->folder, "Folder for the library")->required();
    command->add_option("--name", options->name,
                        "Prefix of files and functions: a C identifier (default: from the model)");
    command
        ->add_option("--emit", options->form,
                     "library, or sources: kernels as objects, all else as C for any compiler")
        ->check(CLI::IsMember({"library", "sources"}))
        ->capture_default_str();
    command->add_flag("--shared", options->shared, "Also a shared library");
}

Result<Shape> parse_extents(const std::string &text, const std::string &what) {
    Shape shape;
    const char *at = text.data();
    const char *const end = at + text.size();
    for (;;) {
        int64_t extent = 0;
        const auto [next, error] = std::from_chars(at, end, extent);
        if (error != std::errc() || extent < 1 || extent > kMaxExtent ||
            (next != end && *next != 'x')) {
            return invalid(
                fmt::format("{}: expected extents from 1 to 2^31 - 1 as in 1x3x512x512, got {}",
                            what, quote(text)));
        }
        shape.push_back(extent);
        if (next == end) return shape;
        at = next + 1;
    }
}

Layout layout_of(const std::string &text) {
    return text == "nhwc" ? Layout::kNhwc : Layout::kNchw;
}

Result<PlannedModel> load_model(const ModelOptions &options, const std::string &layout) {
    ReadOptions read;
    for (const std::string &text : options.input_shapes) {
        SEPCONV_RETURN_IF_ERROR(parse_input_shape(text, &read.input_shapes));
    }
    return plan_model_file(options.model, read, layout_of(layout));
}

Result<std::string> library_name(const std::string &wanted, const std::string &otherwise) {
    // Part of file names and symbols, and of "lib" + name + ".a".
    constexpr size_t kMaxName = 200;
    if (wanted.empty()) return identifier_of(otherwise).substr(0, kMaxName);
    if (identifier_of(wanted) != wanted || wanted.size() > kMaxName) {
        return invalid(fmt::format("--name: expected a C identifier of at most {} bytes, got {}",
                                   kMaxName, quote(wanted)));
    }
    return wanted;
}

Status check_target_is_here(const std::string &command, const TargetOptions &target) {
    if (target.triple == host_triple()) return Status();
    return invalid(fmt::format("--target: {} is for this machine, {}; got {}", command,
                               host_triple(), quote(target.triple)));
}

Status choose_variant(const std::string &command, TargetOptions *target) {
    SEPCONV_RETURN_IF_ERROR(check_target_is_here(command, *target));
    if (target->isas.size() > 1)
        return invalid(fmt::format("--isa: {} takes one variant", command));
    const Result<std::vector<IsaTarget>> variants = resolve_targets(*target);
    if (!variants.ok()) return variants.status();
    for (const IsaTarget &variant : variants.value()) {
        if (sepconv_isa_available(variant.isa.c_str()) == 0) continue;
        target->isas = {variant.isa};
        return Status();
    }
    return Status(StatusCode::kUnsupported, "this CPU runs none of the variants asked for");
}

namespace {

/// The tools, after a try: what does not work is an error before the kernels' time is spent.
Result<Tools> find_tools_of(const BuildOptions &build, const OutputOptions &output,
                            const std::string &cache) {
    const Result<Platform> platform = platform_of(build.target.triple);
    if (!platform.ok()) return platform.status();
    const bool compiles = output.form != "sources";
    if (output.shared && (!compiles || platform.value().format != ObjectFormat::kElf)) {
        return invalid(
            fmt::format("--shared: expected --emit library and a target with ELF, got "
                        "--emit {} for {}",
                        output.form, build.target.triple));
    }
    std::string cc = build.cc;
    // Commands run in another folder, so a relative path to the compiler must not stay one.
    if (cc.find('/') != std::string::npos) cc = std::filesystem::absolute(cc).string();
    const Result<TemporaryFolder> folder = TemporaryFolder::create(cache);
    if (!folder.ok()) return folder.status();
    Result<Tools> tools =
        find_tools(platform.value(), cc, build.cc_flags, compiles, folder.value().path());
    if (!tools.ok() || !compiles) return tools;
    const Result<RuntimeSources> runtime = find_runtime();
    if (!runtime.ok()) return runtime.status();
    const Result<std::vector<std::string>> objects =
        runtime_objects(runtime.value(), tools.value(), cache);
    if (!objects.ok()) return objects.status();
    return tools;
}

/// Who schedules the kernels.
Result<KernelBuildOptions> choose_schedules(const BuildOptions &build, const std::string &cache,
                                            const std::vector<IsaTarget> &targets) {
    KernelBuildOptions options;
    options.cache = cache;
    options.jobs = build.jobs;
    options.quiet = build.quiet;
    Result<std::optional<Autoscheduler>> autoscheduler =
        find_autoscheduler(build.scheduler, targets);
    if (!autoscheduler.ok()) return autoscheduler.status();
    options.autoscheduler = std::move(autoscheduler).value();
    if (options.autoscheduler) {
        options.seconds = build.scheduler.seconds;
        if (build.tuning.empty()) return options;
        return invalid(fmt::format("--tuning: expected --scheduler hand, got {}",
                                   options.autoscheduler->name));
    }
    Result<Tunings> tunings = load_tunings({build.tuning, !build.no_tuning}, this_cpu());
    if (!tunings.ok()) return tunings.status();
    for (const std::string &warning : tunings.value().warnings) {
        show(fmt::format("warning: {}\n", warning));
    }
    options.tunings = std::move(tunings).value();
    return options;
}

}  // namespace

Result<Emitted> compile_plan(const Plan &plan, const BuildOptions &build,
                             const OutputOptions &output, const std::string &source) {
    const HeldSignals held;
    // Before anything can fail.
    repair_published(output.folder);
    const Result<std::vector<IsaTarget>> targets = resolve_targets(build.target);
    if (!targets.ok()) return targets.status();
    const Result<std::string> cache = cache_folder(build.cache);
    if (!cache.ok()) return cache.status();
    trim_cache(cache.value());
    const Result<Tools> tools = find_tools_of(build, output, cache.value());
    if (!tools.ok()) return tools.status();
    const Result<KernelBuildOptions> schedules =
        choose_schedules(build, cache.value(), targets.value());
    if (!schedules.ok()) return schedules.status();
    const Result<std::vector<Variant>> variants =
        build_kernels(plan, targets.value(), schedules.value());
    if (!variants.ok()) return variants.status();
    EmitOptions emit;
    emit.name = output.name;
    emit.folder = output.folder;
    emit.tools = tools.value();
    emit.form = output.form == "sources" ? Form::kSources : Form::kLibrary;
    emit.cache = cache.value();
    emit.shared = output.shared;
    emit.source = source;
    return emit_library(plan, variants.value(), emit);
}

void print_emitted(const Emitted &emitted) {
    fmt::print("{} ({} bytes)\n", emitted.archive, emitted.archive_bytes);
    if (!emitted.shared.empty()) fmt::print("{}\n", emitted.shared);
    fmt::print("{}\n", emitted.header);
    if (!emitted.finish.empty()) {
        fmt::print("to finish it there, with the target's compiler:\n{}\n", emitted.finish);
    }
}

std::string file_name_of(const std::string &path) {
    return std::filesystem::path(path).filename().string();
}

std::string stem_of(const std::string &path) {
    return std::filesystem::path(path).stem().string();
}

}  // namespace sepconv
