// sepconv layer: one layer or block to a library, without a model.
#include <memory>

#include "compiler/commands/commands.h"
#include "compiler/commands/layer_graph.h"
#include "compiler/commands/options.h"
#include "compiler/passes/passes.h"

namespace sepconv {
namespace {

struct LayerOptions {
    LayerSpec spec;
    std::string weights, bias, pointwise_weights, pointwise_bias;  ///< Files.
    BuildOptions build;
    OutputOptions output;
};

Status load_array(const std::string &path, std::optional<Array> *array) {
    if (path.empty()) return Status();
    Result<Array> loaded = read_npy(path);
    if (!loaded.ok()) return loaded.status();
    *array = std::move(loaded).value();
    return Status();
}

Status compile_layer(LayerOptions options) {
    const Result<std::string> name = library_name(options.output.name, options.spec.op);
    if (!name.ok()) return name.status();
    options.output.name = name.value();
    LayerSpec &spec = options.spec;
    SEPCONV_RETURN_IF_ERROR(load_array(options.weights, &spec.weights));
    SEPCONV_RETURN_IF_ERROR(load_array(options.bias, &spec.bias));
    SEPCONV_RETURN_IF_ERROR(load_array(options.pointwise_weights, &spec.pointwise_weights));
    SEPCONV_RETURN_IF_ERROR(load_array(options.pointwise_bias, &spec.pointwise_bias));
    Result<Graph> graph = layer_graph(spec);
    if (!graph.ok()) return graph.status();
    const Result<Plan> plan = lower_graph(simplify(std::move(graph).value()), options.build.layout);
    if (!plan.ok()) return plan.status();
    const Result<Emitted> emitted =
        compile_plan(plan.value(), options.build, options.output, "a " + spec.op + " layer");
    if (!emitted.ok()) return emitted.status();
    print_emitted(emitted.value());
    return Status();
}

void add_spec_options(CLI::App *command, LayerSpec *spec) {
    command->add_option("OPERATOR", spec->op, "convolution, depthwise, pointwise or separable")
        ->required()
        ->check(CLI::IsMember({"convolution", "depthwise", "pointwise", "separable"}));
    command->add_option("--input", spec->input, "HxWxC")->required();
    command->add_option("--batch", spec->batch, "Images")
        ->check(CLI::Range(1, 65536))
        ->capture_default_str();
    command->add_option("--out-channels", spec->out_channels, "Output channels")
        ->check(CLI::Range(1, 1 << 20));
    command->add_option("--kernel", spec->kernel, "K or HxW")->capture_default_str();
    command->add_option("--stride", spec->stride, "S or HxW")->capture_default_str();
    command->add_option("--dilation", spec->dilation, "D or HxW")->capture_default_str();
    command->add_option("--multiplier", spec->multiplier, "Depthwise outputs a channel")
        ->check(CLI::Range(1, 1 << 16))
        ->capture_default_str();
    command
        ->add_option("--padding", spec->padding,
                     "same_upper, same_lower, valid, half or TOP,LEFT,BOTTOM,RIGHT")
        ->capture_default_str();
    command->add_option("--activation", spec->activation,
                        "relu, relu6, leaky_relu, hard_sigmoid, hard_swish, sigmoid, tanh, silu, "
                        "gelu");
    command->add_option("--depthwise-activation", spec->depthwise_activation,
                        "The same, between the two stages of a separable block");
    command->add_option("--seed", spec->seed, "Of random weights")->capture_default_str();
}

}  // namespace

void add_layer_command(CLI::App *app, Status *status) {
    CLI::App *command =
        app->add_subcommand("layer", "Compiles one layer or block, with given or random weights");
    auto options = std::make_shared<LayerOptions>();
    add_spec_options(command, &options->spec);
    command->add_option("--weights", options->weights,
                        ".npy [out, in / group, kernel, kernel]; of the depthwise stage of a "
                        "separable block");
    command->add_option("--bias", options->bias, ".npy [out]");
    command->add_option("--pointwise-weights", options->pointwise_weights,
                        ".npy [out, in], of a separable block");
    command->add_option("--pointwise-bias", options->pointwise_bias, ".npy [out]");
    add_output_options(command, &options->output);
    add_build_options(command, &options->build);
    command->callback([=] { *status = compile_layer(*options); });
}

}  // namespace sepconv
