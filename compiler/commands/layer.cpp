// sepconv layer: one layer or block to a library, without a model.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiler/commands/commands.h"
#include "compiler/commands/layer_graph.h"
#include "compiler/commands/layer_operators.h"
#include "compiler/commands/options.h"

namespace sepconv {
namespace {

struct LayerOptions {
    LayerSpec spec;
    std::vector<std::string> weights, bias;  ///< [STAGE=]FILE
    BuildOptions build;
    OutputOptions output;
};

/// Reads each [STAGE=]FILE.
Status load_arrays(const std::vector<std::string> &files, StageArrays *arrays) {
    for (const std::string &file : files) {
        const size_t equals = file.find('=');
        const std::string stage = equals == std::string::npos ? "" : file.substr(0, equals);
        Result<Array> loaded =
            read_npy(equals == std::string::npos ? file : file.substr(equals + 1));
        if (!loaded.ok()) return loaded.status();
        (*arrays)[stage] = std::move(loaded).value();
    }
    return Status();
}

Status compile_layer(LayerOptions options) {
    const Result<std::string> name = library_name(options.output.name, options.spec.op);
    if (!name.ok()) return name.status();
    options.output.name = name.value();
    LayerSpec &spec = options.spec;
    SEPCONV_RETURN_IF_ERROR(load_arrays(options.weights, &spec.weights));
    SEPCONV_RETURN_IF_ERROR(load_arrays(options.bias, &spec.bias));
    Result<Graph> graph = layer_graph(spec);
    if (!graph.ok()) return graph.status();
    const Result<PlannedModel> model =
        plan_graph(std::move(graph).value(), layout_of(options.build.layout));
    if (!model.ok()) return model.status();
    const Result<Emitted> emitted =
        compile_plan(model.value().plan, options.build, options.output, "a " + spec.op + " layer");
    if (!emitted.ok()) return emitted.status();
    print_emitted(emitted.value());
    return Status();
}

/// What each operator computes and takes, with an example.
std::string operators_help() {
    std::string text = "OPERATORS:\n";
    for (const LayerOperator &op : layer_operators()) {
        text += fmt::format("  {}: {}\n", op.name, op.stages);
        if (!op.needs.empty()) text += fmt::format("      needs {}\n", fmt::join(op.needs, ", "));
        text += fmt::format("      takes {}\n", fmt::join(op.takes, ", "));
        std::string defaults;
        for (const auto &[option, value] : {std::pair("--kernel", &op.otherwise.kernel),
                                            {"--stride", &op.otherwise.stride},
                                            {"--padding", &op.otherwise.padding}}) {
            if (op.takes.count(option) != 0) defaults += fmt::format(" {} {}", option, *value);
        }
        if (!defaults.empty()) text += fmt::format("      defaults:{}\n", defaults);
        text += fmt::format("      sepconv layer {} {} --output DIR\n", op.name, op.example);
    }
    return text;
}

void add_shape_options(CLI::App *command, LayerSpec *spec) {
    const CLI::Range channels(1, 1 << 20);
    command->add_option("--input", spec->input, "HxWxC")->required();
    command->add_option("--batch", spec->batch, "Images")
        ->check(CLI::Range(1, 65536))
        ->capture_default_str();
    command->add_option("--out-channels", spec->out_channels, "Output channels")->check(channels);
    command->add_option("--expand", spec->expand, "Channels behind the expanding stage")
        ->check(channels);
    command->add_option("--squeeze", spec->squeeze, "Squeeze-excite with so many channels between")
        ->check(channels);
    command->add_option("--multiplier", spec->multiplier, "Depthwise outputs a channel")
        ->check(CLI::Range(1, 1 << 16))
        ->capture_default_str();
    command->add_option("--kernel", spec->kernel, "K or HxW");
    command->add_option("--stride", spec->stride, "S or HxW");
    command->add_option("--dilation", spec->dilation, "D or HxW");
    command->add_option("--padding", spec->padding,
                        "same_upper, same_lower, valid, half or TOP,LEFT,BOTTOM,RIGHT");
    command->add_flag("--residual", spec->residual, "Adds the input behind everything");
}

void add_activation_options(CLI::App *command, LayerSpec *spec) {
    command->add_option("--activation", spec->activation,
                        "Behind the last stage: relu, relu6, leaky_relu, hard_sigmoid, hard_swish, "
                        "sigmoid, tanh, silu, gelu");
    command->add_option("--expand-activation", spec->expand_activation,
                        "The same, behind the expanding stage");
    command->add_option("--depthwise-activation", spec->depthwise_activation,
                        "The same, behind the depthwise stage");
    command->add_option("--squeeze-activation", spec->squeeze_activation,
                        "The same, between the two layers of the squeeze-excite (default: relu)");
    command->add_option("--gate", spec->gate, "Behind them: hard_sigmoid (default) or sigmoid")
        ->check(CLI::IsMember({"hard_sigmoid", "sigmoid"}));
}

void add_values_options(CLI::App *command, LayerOptions *options) {
    const std::string stages =
        "; with STAGE=, and repeated, for a block of several stages (a wrong STAGE lists them)";
    command
        ->add_option("--weights", options->weights,
                     "[STAGE=]FILE.npy of [out, in / group, kernel, kernel]" + stages)
        ->allow_extra_args(false);
    command->add_option("--bias", options->bias, "[STAGE=]FILE.npy of [out]" + stages)
        ->allow_extra_args(false);
    command->add_option("--seed", options->spec.seed, "Of random weights")->capture_default_str();
}

}  // namespace

void add_layer_command(CLI::App *app, Status *status) {
    CLI::App *command =
        app->add_subcommand("layer", "Compiles one layer or block, with given or random weights");
    auto options = std::make_shared<LayerOptions>();
    std::vector<std::string> names;
    for (const LayerOperator &op : layer_operators()) names.push_back(op.name);
    command->add_option("OPERATOR", options->spec.op, "See below")
        ->required()
        ->check(CLI::IsMember(names));
    add_shape_options(command, &options->spec);
    add_activation_options(command, &options->spec);
    add_values_options(command, options.get());
    add_output_options(command, &options->output);
    add_build_options(command, &options->build);
    add_scheduler_options(command, &options->build.scheduler);
    command->footer(operators_help);
    command->callback([=] { *status = compile_layer(*options); });
}

}  // namespace sepconv
