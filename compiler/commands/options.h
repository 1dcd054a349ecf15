#ifndef SEPCONV_COMPILER_COMMANDS_OPTIONS_H_
#define SEPCONV_COMPILER_COMMANDS_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "compiler/autoscheduler.h"
#include "compiler/emit.h"
#include "compiler/graph.h"
#include "compiler/plan.h"
#include "compiler/plan_model.h"
#include "compiler/targets.h"
#include "layer/status.h"

namespace sepconv {

// The groups of options that several commands share, and what follows from them.

struct ModelOptions {
    std::string model;
    std::vector<std::string> input_shapes;  ///< NAME=1x3x512x512
};

struct BuildOptions {
    TargetOptions target;
    std::string layout = "nchw";
    std::string cc;  ///< Empty: the target's usual one.
    std::vector<std::string> cc_flags;
    std::string cache;
    int jobs = 0;
    bool quiet = false;
    std::vector<std::string> tuning;  ///< Files of tables.
    bool no_tuning = false;           ///< Without those beside the tool.
    SchedulerOptions scheduler;
};

struct OutputOptions {
    std::string folder;
    std::string name;
    bool shared = false;
    std::string form = "library";  ///< Or "sources".
};

void add_model_options(CLI::App *command, ModelOptions *options);
void add_layout_option(CLI::App *command, std::string *layout);
void add_build_options(CLI::App *command, BuildOptions *options);
void add_scheduler_options(CLI::App *command, SchedulerOptions *options);
void add_output_options(CLI::App *command, OutputOptions *options);

/// Extents with an 'x' between them, each at least 1.
Result<Shape> parse_extents(const std::string &text, const std::string &what);

/// The layout that --layout names.
Layout layout_of(const std::string &text);

/// plan_model_file() of the options.
Result<PlannedModel> load_model(const ModelOptions &options, const std::string &layout);

/// The name of a library: `wanted`, which must be a C identifier, or else made of `otherwise`.
Result<std::string> library_name(const std::string &wanted, const std::string &otherwise);

// Of commands that run what they compile; `command` is for messages.

/// The target must be this machine.
Status check_target_is_here(const std::string &command, const TargetOptions &target);
/// Leaves the target, which must be this machine, one variant of its CPU: the one asked for, or the
/// best that it has.
Status choose_variant(const std::string &command, TargetOptions *target);

/// Kernels, then library. `source` is what the report calls the model.
Result<Emitted> compile_plan(const Plan &plan, const BuildOptions &build,
                             const OutputOptions &output, const std::string &source);

/// One line on stdout: what was written.
void print_emitted(const Emitted &emitted);

/// "model.onnx" of "/a/b/model.onnx".
std::string file_name_of(const std::string &path);
std::string stem_of(const std::string &path);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_COMMANDS_OPTIONS_H_
