#include "compiler/commands/layer_operators.h"

#include <fmt/format.h>

#include "layer/shape.h"

namespace sepconv {
namespace {

void convolution(const LayerSpec &spec, const Window &window, LayerBuilder *to) {
    to->convolution("convolution", spec.out_channels, window);
    to->activation("--activation", spec.activation);
}

void pointwise(const LayerSpec &spec, const Window &window, LayerBuilder *to) {
    if (window.taps() != 1) to->fail("--kernel: pointwise is 1x1, got " + spec.kernel);
    to->convolution("pointwise", spec.out_channels, window);
    to->activation("--activation", spec.activation);
}

void depthwise(const LayerSpec &spec, const Window &window, LayerBuilder *to) {
    const int64_t channels = to->shape()[1], widened = channels * spec.multiplier;
    if (spec.out_channels != 0 && spec.out_channels != widened) {
        to->fail(fmt::format("--out-channels: a depthwise layer has {} x {} = {}, got {}", channels,
                             spec.multiplier, widened, spec.out_channels));
    }
    to->depthwise("depthwise", window, spec.multiplier);
    to->activation("--activation", spec.activation);
}

void squeeze(const LayerSpec &spec, LayerBuilder *to) {
    if (spec.squeeze == 0) return;
    to->squeeze(spec.squeeze, spec.squeeze_activation.empty() ? "relu" : spec.squeeze_activation,
                spec.gate.empty() ? "hard_sigmoid" : spec.gate);
}

void separable(const LayerSpec &spec, const Window &window, LayerBuilder *to) {
    const std::string input = to->value();
    to->depthwise("depthwise", window, spec.multiplier);
    to->activation("--depthwise-activation", spec.depthwise_activation);
    squeeze(spec, to);
    to->convolution("project", spec.out_channels);
    to->activation("--activation", spec.activation);
    if (spec.residual) to->add("--residual", input);
}

void inverted_residual(const LayerSpec &spec, const Window &window, LayerBuilder *to) {
    const std::string input = to->value();
    to->convolution("expand", spec.expand);
    to->activation("--expand-activation", spec.expand_activation);
    to->depthwise("depthwise", window);
    to->activation("--depthwise-activation", spec.depthwise_activation);
    squeeze(spec, to);
    to->convolution("project", spec.out_channels);
    to->activation("--activation", spec.activation);
    if (spec.residual) to->add("--residual", input);
}

struct Activation {
    std::string option, name;
};

/// Both halves of `channels`; `option` is where they come from.
void ghost_module(const std::string &prefix, const std::string &option, int64_t channels,
                  const Window &window, const Activation &activation, LayerBuilder *to) {
    if (channels % 2 != 0) {
        to->fail(fmt::format("{}: a Ghost module has two equal halves, got {}", option, channels));
    }
    to->convolution(prefix + "primary", channels / 2);
    to->activation(activation.option, activation.name);
    const std::string primary = to->value();
    const Shape half = to->shape();
    to->depthwise(prefix + "cheap", window);
    to->activation(activation.option, activation.name);
    if (to->shape() != half) to->fail("--padding: a Ghost module must keep its image's size");
    to->concat(primary);
}

void ghost(const LayerSpec &spec, const Window &window, LayerBuilder *to) {
    const std::string input = to->value();
    squeeze(spec, to);
    ghost_module("", "--out-channels", spec.out_channels, window, {"--activation", spec.activation},
                 to);
    if (spec.residual) to->add("--residual", input);
}

void ghost_bottleneck(const LayerSpec &spec, const Window &window, LayerBuilder *to) {
    Window cheap;
    cheap.kernel_h = cheap.kernel_w = 3;
    cheap = with_padding(cheap, PaddingMode::kHalf, 1, 1);
    const std::string input = to->value();
    const Shape in = to->shape();
    ghost_module("expand_", "--expand", spec.expand, cheap,
                 {"--expand-activation", spec.expand_activation}, to);
    if (window.stride_h != 1 || window.stride_w != 1) to->depthwise("depthwise", window);
    squeeze(spec, to);
    ghost_module("project_", "--out-channels", spec.out_channels, cheap,
                 {"--activation", spec.activation}, to);
    const std::string output = to->value();
    if (to->shape() == in) return to->add("--padding", input);
    to->resume(input);
    to->depthwise("shortcut_depthwise", window);
    to->convolution("shortcut_project", spec.out_channels);
    to->add("--padding", output);
}

void head(const LayerSpec &spec, const Window &, LayerBuilder *to) {
    to->global_average_pool();
    if (spec.expand != 0) to->convolution("expand", spec.expand);
    to->activation("--expand-activation", spec.expand_activation);
    to->convolution("classify", spec.out_channels);
    to->activation("--activation", spec.activation);
}

using Options = std::set<std::string>;

/// Those of a window that moves over the input, and more.
Options window_options(const Options &more = {}) {
    Options options = {"--kernel", "--stride", "--dilation", "--padding"};
    options.insert(more.begin(), more.end());
    return options;
}

Options squeeze_options(Options more) {
    more.insert({"--squeeze", "--squeeze-activation", "--gate"});
    return more;
}

/// Of one convolution.
std::vector<LayerOperator> layers() {
    return {
        {"convolution",
         "dense convolution",
         "--input 28x28x24 --out-channels 48 --kernel 3 --padding half --activation relu",
         {"--out-channels"},
         window_options(),
         {"1", "1", "valid"},
         convolution},
        {"depthwise",
         "depthwise convolution",
         "--input 14x14x320 --kernel 7 --padding half",
         {},
         window_options({"--out-channels", "--multiplier"}),
         {"1", "1", "valid"},
         depthwise},
        {"pointwise",
         "1x1 convolution",
         "--input 7x7x160 --out-channels 960 --activation hard_swish",
         {"--out-channels"},
         window_options(),
         {"1", "1", "valid"},
         pointwise},
        {"stem",
         "dense convolution, as a network begins",
         "--input 224x224x3 --out-channels 32 --activation relu6",
         {"--out-channels"},
         window_options(),
         {"3", "2", "half"},
         convolution},
    };
}

/// Of several.
std::vector<LayerOperator> blocks() {
    return {
        {"separable",
         "depthwise > [squeeze-excite] > project [+ input]",
         "--input 56x56x128 --out-channels 128 --kernel 3 --padding half "
         "--depthwise-activation relu6 --activation relu6",
         {"--out-channels"},
         squeeze_options(window_options({"--multiplier", "--depthwise-activation", "--residual"})),
         {"1", "1", "valid"},
         separable},
        {"inverted_residual",
         "expand > depthwise > [squeeze-excite] > project [+ input]",
         "--input 28x28x40 --expand 120 --squeeze 32 --out-channels 40 --kernel 5 "
         "--expand-activation relu --depthwise-activation relu --residual",
         {"--out-channels", "--expand"},
         squeeze_options(
             window_options({"--expand-activation", "--depthwise-activation", "--residual"})),
         {"3", "1", "half"},
         inverted_residual},
        {"ghost",
         "[squeeze-excite] > primary (pointwise) > cheap (depthwise), both as the output's halves "
         "[+ input]",
         "--input 14x14x80 --out-channels 200 --activation relu",
         {"--out-channels"},
         squeeze_options({"--kernel", "--padding", "--residual"}),
         {"3", "1", "half"},
         ghost},
        {"ghost_bottleneck",
         "ghost > [depthwise, with a stride] > [squeeze-excite] > ghost + the input, or its "
         "depthwise > project where shapes differ",
         "--input 28x28x40 --expand 240 --out-channels 80 --stride 2 --expand-activation relu",
         {"--out-channels", "--expand"},
         squeeze_options({"--kernel", "--stride", "--padding", "--expand-activation"}),
         {"3", "1", "half"},
         ghost_bottleneck},
        {"head",
         "global average pool > [fully connected (expand)] > fully connected (classify)",
         "--input 7x7x960 --expand 1280 --expand-activation hard_swish --out-channels 1000",
         {"--out-channels"},
         {"--expand", "--expand-activation"},
         {"1", "1", "valid"},
         head},
    };
}

}  // namespace

const std::vector<LayerOperator> &layer_operators() {
    static const std::vector<LayerOperator> operators = [] {
        std::vector<LayerOperator> all = layers();
        for (const LayerOperator &block : blocks()) all.push_back(block);
        return all;
    }();
    return operators;
}

const LayerOperator *find_layer_operator(const std::string &name) {
    for (const LayerOperator &candidate : layer_operators()) {
        if (candidate.name == name) return &candidate;
    }
    return nullptr;
}

}  // namespace sepconv
