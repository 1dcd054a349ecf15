#include "algorithms/elementwise.h"
#include "algorithms/stages.h"

namespace sepconv {
namespace {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::RDom;

/// What stages read: a Func of (c, x, y), or a buffer.
using Source = std::function<Expr(Expr c, Expr x, Expr y)>;

Image one_row(Image image) {
    image.width *= image.height;
    image.height = 1;
    image.stride_y = image.stride_x * image.width;
    return image;
}

/// `in` with zeros around its `width` x `height` pixels.
Func zero_border(const Func &in, const std::string &name, int width, int height) {
    Func padded(name);
    std::vector<Halide::Var> args = in.args();
    Func bounded = Halide::BoundaryConditions::constant_exterior(
        in, 0.0F, {{Expr(), Expr()}, {0, width}, {0, height}});
    padded(args) = bounded(std::vector<Expr>(args.begin(), args.end()));
    return padded;
}

/// The rows of a window over an output of `out` pixels that lie outside an input of `in` pixels.
bool reads_outside(int in, int out, int kernel, int stride, int dilation, int before) {
    return before > 0 || (out - 1) * stride + (kernel - 1) * dilation - before >= in;
}

bool reads_outside(const Window &w, const Image &in, const Image &out) {
    return reads_outside(in.width, out.width, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left) ||
           reads_outside(in.height, out.height, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top);
}

/// Operands of a stage's epilogue at (c, x, y, m), channel `c * multiplier + m` of a tensor.
OperandAt operands_at(Parameters &parameters, const std::string &stage, const Epilogue &epilogue,
                      const Expr &c, const Expr &x, const Expr &y, const Expr &m = 0,
                      int multiplier = 1) {
    return [=, &parameters, &epilogue](int step) -> Expr {
        const std::string suffix = std::to_string(step);
        switch (epilogue[step].operand) {
            case Operand::kScalar:
                return parameters[stage + "_scalar_" + suffix](0);
            case Operand::kTensor:
                return parameters[stage + "_tensor_" + suffix](c * multiplier + m, x, y);
            default: {
                ImageParam &channel = parameters[stage + "_channel_" + suffix];
                return channel.dimensions() == 2 ? channel(c, m) : channel(c);
            }
        }
    };
}

ConvolutionStage define_convolution(const Axes &axes, const std::string &name, const Func &in,
                                    const Window &w, int in_channels, int multiplier,
                                    Parameters &parameters) {
    ConvolutionStage stage;
    ImageParam &weights = parameters[name + "_weights"];
    ImageParam &bias = parameters[name + "_bias"];
    stage.accumulator = Func(name);
    const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y;
    RDom r({{0, in_channels}, {0, w.kernel_w}, {0, w.kernel_h}, {0, multiplier}}, name + "_k");
    stage.kc = r.x, stage.kx = r.y, stage.ky = r.z, stage.km = r.w;
    Expr kc = stage.kc, kx = stage.kx, ky = stage.ky, km = stage.km;
    Expr in_x = x * w.stride_w + kx * w.dilation_w - w.pad_left;
    Expr in_y = y * w.stride_h + ky * w.dilation_h - w.pad_top;
    stage.accumulator(c, x, y) = bias(c);
    std::vector<Expr> at = {kc, in_x, in_y};
    if (in.dimensions() == 4) at.push_back(km);
    stage.accumulator(c, x, y) +=
        in(at)*weights(c % kPanel, km * in_channels + kc, kx, ky, c / kPanel);
    return stage;
}

/// `pixel_x`, `pixel_y`: the output pixel of (x, y), which differ when the rows are flattened.
DepthwiseStage define_depthwise(const Axes &axes, const Func &in, const Depthwise &layer,
                                const Expr &pixel_x, const Expr &pixel_y, Parameters &parameters) {
    DepthwiseStage stage;
    const Window &w = layer.window;
    ImageParam &weights = parameters["depthwise_weights"];
    ImageParam &bias = parameters["depthwise_bias"];
    const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y, &m = axes.m;
    auto term = [&](const Expr &kx, const Expr &ky) {
        return in(c, pixel_x * w.stride_w + kx * w.dilation_w - w.pad_left,
                  pixel_y * w.stride_h + ky * w.dilation_h - w.pad_top) *
               weights(c, kx, ky, m);
    };
    Expr sum;
    if (w.taps() < kManyTaps) {
        sum = bias(c, m);
        for (int ky = 0; ky < w.kernel_h; ky++) {
            for (int kx = 0; kx < w.kernel_w; kx++) sum += term(kx, ky);
        }
    } else {
        RDom r(0, w.kernel_w, 0, w.kernel_h, "depthwise_k");
        stage.kx = r.x, stage.ky = r.y;
        stage.accumulator = Func("depthwise_sum");
        stage.accumulator(c, x, y, m) = bias(c, m);
        stage.accumulator(c, x, y, m) += term(stage.kx, stage.ky);
        sum = stage.accumulator(c, x, y, m);
    }
    stage.result = Func("depthwise");
    stage.result(c, x, y, m) =
        apply(layer.epilogue, sum,
              operands_at(parameters, "depthwise", layer.epilogue, c, x, y, m, layer.multiplier));
    return stage;
}

Func as_func(const ImageParam &buffer, const Axes &axes, const std::string &name) {
    Func in(name);
    in(axes.c, axes.x, axes.y) = buffer(axes.c, axes.x, axes.y);
    return in;
}

}  // namespace

bool has_dense_rows(const Image &image) {
    return image.height == 1 || image.stride_y == image.stride_x * image.width;
}

Block flattened(const Block &block) {
    if (!block.project || !block.project->window.is_pointwise()) return block;
    bool dense = has_dense_rows(block.output) && (block.depthwise || has_dense_rows(block.input));
    for (const Image &operand : block.operands) dense = dense && has_dense_rows(operand);
    if (!dense) return block;
    Block flat = block;
    flat.output = one_row(block.output);
    for (Image &operand : flat.operands) operand = one_row(operand);
    if (!block.depthwise) flat.input = one_row(block.input);
    return flat;
}

BlockStages define_block(const Block &natural, Parameters &parameters) {
    const Block block = flattened(natural);
    BlockStages stages;
    const Axes &axes = stages.axes;
    stages.pixels = block.output;
    Func source = as_func(parameters["input"], axes, "source");
    if (block.expand) {
        const Convolution &layer = *block.expand;
        stages.expand = define_convolution(axes, "expand", source, layer.window, layer.in_channels,
                                           1, parameters);
        stages.expanded = Func("expanded");
        stages.expanded(axes.c, axes.x, axes.y) =
            apply(layer.epilogue, stages.expand->accumulator(axes.c, axes.x, axes.y),
                  operands_at(parameters, "expand", layer.epilogue, axes.c, axes.x, axes.y));
        source = stages.expanded;
    }
    if (block.depthwise) {
        const Depthwise &layer = *block.depthwise;
        if (reads_outside(layer.window, natural.input, natural.output)) {
            source = zero_border(source, "padded", natural.input.width, natural.input.height);
        }
        const bool flat = block.output.height != natural.output.height;
        const int width = natural.output.width;
        Expr x = flat ? Expr(axes.x % width) : Expr(axes.x);
        Expr y = flat ? Expr(axes.x / width) : Expr(axes.y);
        stages.depthwise = define_depthwise(axes, source, layer, x, y, parameters);
        source = stages.depthwise->result;
    }
    const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y;
    stages.output = Func("output");
    if (!block.project) {
        const int multiplier = block.depthwise->multiplier;
        stages.output(c, x, y) = stages.depthwise->result(c / multiplier, x, y, c % multiplier);
        return stages;
    }
    const Convolution &layer = *block.project;
    Func padded;
    if (!block.depthwise && reads_outside(layer.window, block.input, block.output)) {
        padded = zero_border(source, "padded", block.input.width, block.input.height);
        source = padded;
    }
    const int multiplier = block.depthwise ? block.depthwise->multiplier : 1;
    stages.project = define_convolution(axes, "project", source, layer.window,
                                        layer.in_channels / multiplier, multiplier, parameters);
    stages.project->padded = padded;
    stages.output(c, x, y) = apply(layer.epilogue, stages.project->accumulator(c, x, y),
                                   operands_at(parameters, "project", layer.epilogue, c, x, y));
    return stages;
}

}  // namespace sepconv
