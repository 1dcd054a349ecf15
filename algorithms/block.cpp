#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "algorithms/elementwise.h"
#include "algorithms/stages.h"
#include "algorithms/sums.h"
#include "layer/sums.h"

namespace sepconv {
namespace {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::RDom;

Image one_row(Image image) {
    image.width *= image.height;
    image.height = 1;
    image.stride_y = image.stride_x * image.width;
    return image;
}

/// `in` with zeros around its `width` columns, and its `height` rows unless that is 0.
Func zero_border(const Func &in, const std::string &name, int width, int height) {
    Func padded(name);
    std::vector<Halide::Var> args = in.args();
    Halide::Region inside = {{Expr(), Expr()}, {0, width}};
    if (height > 0) inside.emplace_back(0, height);
    Func bounded = Halide::BoundaryConditions::constant_exterior(in, 0.0F, inside);
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

/// The product at (kc, kx, ky, km) of an output (c, x, y).
using ProductAt =
    std::function<Expr(const Expr &kc, const Expr &kx, const Expr &ky, const Expr &km)>;

/// The sum of all products in one accumulator.
Expr define_sum(ConvolutionStage &stage, const Axes &axes, const Window &w, int multiplier,
                const Expr &bias, const ProductAt &product) {
    const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y;
    RDom r({{0, stage.in_channels}, {0, w.kernel_w}, {0, w.kernel_h}, {0, multiplier}},
           stage.result.name() + "_k");
    stage.kc = r.x, stage.kx = r.y, stage.ky = r.z, stage.km = r.w;
    stage.accumulator(c, x, y) = bias;
    stage.accumulator(c, x, y) += product(r.x, r.y, r.z, r.w);
    return stage.accumulator(c, x, y);
}

/// How a long sum over a window is cut: taps join a chunk where the channels are few, along a row
/// first. Equal chunks, unless those would be too short.
struct ProductChunks {
    ProductChunks(int in_channels, const Window &w)
        : channels(in_channels, kChunkProducts),
          columns(taps(w.kernel_w, in_channels)),
          rows(taps(w.kernel_h, columns.count() > 1 ? kChunkProducts : in_channels * w.kernel_w)) {}

    static Chunks taps(int extent, int products) {
        const int most = kChunkProducts / products;
        for (int equal = std::min(extent, most); equal * products >= kFewestProducts; equal--) {
            if (extent % equal == 0) return {extent, equal};
        }
        return {extent, most};
    }

    Chunks channels, columns, rows;
};

/// The same in chunks.
Expr define_long_sum(ConvolutionStage &stage, const Axes &axes, const Window &w, int multiplier,
                     const Expr &bias, const ProductAt &product) {
    const std::string name = stage.result.name();
    const ProductChunks chunks(stage.in_channels, w);
    RDom r({{0, chunks.channels.length()},
            {0, chunks.columns.length()},
            {0, chunks.rows.length()},
            {0, 1}},
           name + "_k");
    RDom all({{0, chunks.channels.count()},
              {0, chunks.columns.count()},
              {0, chunks.rows.count()},
              {0, multiplier}},
             name + "_chunks");
    stage.kc = r.x, stage.kx = r.y, stage.ky = r.z, stage.km = r.w;
    stage.chunks = {all.x, all.y, all.z, all.w};
    const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y;
    Halide::Var i("chunk_c"), j("chunk_x"), k("chunk_y"), m("chunk_m");
    const Expr kc = chunks.channels.at(i, r.x, r), kx = chunks.columns.at(j, r.y, r),
               ky = chunks.rows.at(k, r.z, r);
    stage.accumulator(c, x, y, i, j, k, m) = 0.0F;
    stage.accumulator(c, x, y, i, j, k, m) += product(kc, kx, ky, m + r.w);
    stage.total = Func(name + "_total");
    stage.total(c, x, y) = bias;
    stage.total(c, x, y) += stage.accumulator(c, x, y, all.x, all.y, all.z, all.w);
    stage.equal_chunks = chunks.channels.equal();
    stage.in_channels = chunks.channels.length();
    return stage.total(c, x, y);
}

/// A convolution of `in` with its epilogue. `weights` are (lane, kc, kx, ky, panel).
ConvolutionStage define_convolution(const Axes &axes, const StageRef &layer, const Func &in,
                                    const Func &weights, int multiplier, Parameters &parameters) {
    ConvolutionStage stage;
    const std::string name = layer.name;
    const Window &w = layer.convolution->window;
    const int in_channels = layer.convolution->in_channels / multiplier;
    const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y;
    stage.input = in, stage.in_channels = in_channels;
    const ProductAt product = [&](const Expr &kc, const Expr &kx, const Expr &ky, const Expr &km) {
        std::vector<Expr> at = {kc, x * w.stride_w + kx * w.dilation_w - w.pad_left,
                                y * w.stride_h + ky * w.dilation_h - w.pad_top};
        if (in.dimensions() == 4) at.push_back(km);
        return in(at)*weights(c % kPanel, km * in_channels + kc, kx, ky, c / kPanel);
    };
    stage.accumulator = Func(name + "_sum");
    stage.result = Func(name);
    const int64_t products = int64_t{layer.convolution->in_channels} * w.kernel_w * w.kernel_h;
    const Expr sum = (products > kProducts ? define_long_sum : define_sum)(
        stage, axes, w, multiplier, parameters[name + "_bias"](c), product);
    stage.result(c, x, y) =
        apply(*layer.epilogue, sum, operands_at(parameters, name, *layer.epilogue, c, x, y));
    return stage;
}

/// What a depthwise reads: `width` x `height` pixels, and zeros around them if it `has_border`.
struct DepthwiseInput {
    Func values;
    int width = 0, height = 0;
    bool has_border = false;
    Rows rows = Rows::kFlattened;
};

/// The sum over many taps as a reduction. Of a flattened consumer's step Halide would take the
/// columns, (row * width + column) % width, for a whole row: only short rows may be. There rows
/// outside the input are no terms, so that ky needs no test; columns outside it are zeros.
Expr define_taps(DepthwiseStage &stage, const Axes &axes, const StageRef &ref,
                 const DepthwiseInput &in, const Expr &pixel_x, const Expr &pixel_y,
                 Parameters &parameters) {
    const std::string name = ref.name;
    const Window &w = ref.depthwise->window;
    const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y, &m = axes.m;
    RDom r(0, w.kernel_w, 0, w.kernel_h, name + "_k");
    stage.kx = r.x, stage.ky = r.y;
    Func values = in.values;
    Expr row = y * w.stride_h + r.y * w.dilation_h - w.pad_top;
    const bool drops_rows = in.rows == Rows::kFlattened;
    if (in.has_border) {
        values = zero_border(values, name + "_padded", in.width, drops_rows ? 0 : in.height);
        stage.padded = values;
    }
    if (in.has_border && drops_rows) {
        r.where(row >= 0 && row < in.height);
        row = Halide::clamp(row, 0, in.height - 1);
    }
    stage.accumulator = Func(name + "_sum");
    stage.accumulator(c, x, y, m) = parameters[name + "_bias"](c, m);
    stage.accumulator(c, x, y, m) +=
        values(c, x * w.stride_w + r.x * w.dilation_w - w.pad_left, row) *
        parameters[name + "_weights"](c, r.x, r.y, m);
    return stage.accumulator(c, pixel_x, pixel_y, m);
}

/// The sum over few taps as one expression.
Expr sum_of_taps(DepthwiseStage &stage, const Axes &axes, const StageRef &ref,
                 const DepthwiseInput &in, const Expr &pixel_x, const Expr &pixel_y,
                 Parameters &parameters) {
    const std::string name = ref.name;
    const Window &w = ref.depthwise->window;
    const Halide::Var &c = axes.c, &m = axes.m;
    Func values = in.values;
    if (in.has_border) {
        values = zero_border(values, name + "_padded", in.width, in.height);
        stage.padded = values;
    }
    Expr sum = parameters[name + "_bias"](c, m);
    for (int ky = 0; ky < w.kernel_h; ky++) {
        for (int kx = 0; kx < w.kernel_w; kx++) {
            sum += values(c, pixel_x * w.stride_w + kx * w.dilation_w - w.pad_left,
                          pixel_y * w.stride_h + ky * w.dilation_h - w.pad_top) *
                   parameters[name + "_weights"](c, kx, ky, m);
        }
    }
    return sum;
}

/// `pixel_x`, `pixel_y`: the output pixel of (x, y), which differ when the rows are flattened.
DepthwiseStage define_depthwise(const Axes &axes, const StageRef &ref, const DepthwiseInput &in,
                                const Expr &pixel_x, const Expr &pixel_y, Parameters &parameters) {
    DepthwiseStage stage;
    const Depthwise &layer = *ref.depthwise;
    const bool many = layer.window.taps() >= kManyTaps;
    Expr sum = many ? define_taps(stage, axes, ref, in, pixel_x, pixel_y, parameters)
                    : sum_of_taps(stage, axes, ref, in, pixel_x, pixel_y, parameters);
    stage.result = Func(ref.name);
    const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y, &m = axes.m;
    stage.result(c, x, y, m) =
        apply(layer.epilogue, sum,
              operands_at(parameters, ref.name, layer.epilogue, c, x, y, m, layer.multiplier));
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
    if (!block.project || !block.project->window.is_pointwise() || block.cheap) return block;
    // define_taps() could not be a part of a flattened row.
    constexpr int kShortRow = 7;
    if (block.depthwise && block.depthwise->window.taps() >= kManyTaps &&
        block.output.width > kShortRow) {
        return block;
    }
    // A transposed convolution of one tap may crop its rows.
    const bool whole_rows = has_dense_rows(block.input) && block.input.width == block.output.width;
    bool dense = has_dense_rows(block.output) && (block.depthwise || whole_rows);
    for (const Image &operand : block.operands) dense = dense && has_dense_rows(operand);
    if (!dense) return block;
    Block flat = block;
    flat.output = one_row(block.output);
    for (Image &operand : flat.operands) operand = one_row(operand);
    if (!block.depthwise) flat.input = one_row(block.input);
    return flat;
}

bool pads_project(const Block &block) {
    return !block.depthwise && reads_outside(block.project->window, block.input, block.output);
}

namespace {

/// Builds the stages one behind the other: `source_` is what the next one reads.
class BlockBuilder {
public:
    BlockBuilder(const Block &natural, Parameters &parameters, Rows rows, int run)
        : natural_(natural),
          block_(rows == Rows::kFlattened ? flattened(natural) : natural),
          rows_(rows),
          run_(run),
          parameters_(parameters) {
        flat_ = block_.output.height != natural.output.height;
        stages_.pixels = block_.output;
        source_ = as_func(parameters["input"], stages_.axes, "source");
    }

    BlockStages build() {
        if (block_.expand) add_expand();
        if (block_.depthwise) add_depthwise();
        if (block_.squeeze) add_squeeze();
        if (block_.project) add_project();
        if (block_.cheap) {
            add_cheap();
        } else {
            stages_.output = block_.project ? stages_.project->result : interleaved();
        }
        return stages_;
    }

private:
    Func weights_of(const std::string &name) {
        Halide::Var lane("lane"), kc("kc"), kx("kx"), ky("ky"), panel("panel");
        Func weights(name + "_packed");
        weights(lane, kc, kx, ky, panel) = parameters_[name + "_weights"](lane, kc, kx, ky, panel);
        return weights;
    }

    /// x % width; of runs as a difference of runs, which Halide reduces to a loop of runs in a row.
    /// (Of the remainder it learns the bounds too late, and compares it with == at the border.)
    Expr column(int width) const {
        const Expr x = stages_.axes.x;
        if (run_ == 1) return x % width;
        const Expr row = Halide::unsafe_promise_clamped(x / width, 0, natural_.output.height - 1);
        const Expr run = x / run_ - row * (width / run_);
        return Halide::unsafe_promise_clamped(run * run_ + x % run_, 0, width - 1);
    }

    void add_expand() {
        stages_.expand = define_convolution(stages_.axes, stage_of(block_, StageId::kExpand),
                                            source_, weights_of("expand"), 1, parameters_);
        stages_.expand->channels_innermost = natural_.input.stride_c == 1;
        source_ = stages_.expand->result;
    }

    void add_depthwise() {
        const Image &read = natural_.input;
        const DepthwiseInput in = {source_, read.width, read.height,
                                   reads_outside(block_.depthwise->window, read, natural_.output),
                                   rows_};
        const Axes &axes = stages_.axes;
        const int width = natural_.output.width;
        stages_.depthwise = define_depthwise(
            axes, stage_of(block_, StageId::kDepthwise), in, flat_ ? column(width) : Expr(axes.x),
            flat_ ? Expr(axes.x / width) : Expr(axes.y), parameters_);
        source_ = stages_.depthwise->result;
    }

    /// The depthwise's channels as the output's: channel c * multiplier + m.
    Func interleaved() {
        const Axes &axes = stages_.axes;
        const int multiplier = block_.depthwise->multiplier;
        Func output("output");
        output(axes.c, axes.x, axes.y) =
            stages_.depthwise->result(axes.c / multiplier, axes.x, axes.y, axes.c % multiplier);
        return output;
    }

    /// total(c), each row and the rows' sums in one accumulator.
    Expr define_sums(SqueezeStages &squeeze, const Image &pixels, const TapAt &value) const {
        const Halide::Var &c = stages_.axes.c, &y = stages_.axes.y;
        RDom columns(0, pixels.width, "squeeze_x"), rows(0, pixels.height, "squeeze_y");
        squeeze.column = columns.x, squeeze.row = rows.x;
        squeeze.row_sums = Func("row_sums"), squeeze.total = Func("total");
        squeeze.row_sums(c, y) = 0.0F;
        squeeze.row_sums(c, y) += value(columns.x, y);
        squeeze.total(c) = 0.0F;
        squeeze.total(c) += squeeze.row_sums(c, rows.x);
        return squeeze.total(c);
    }

    /// The same of many terms: rows in chunks, and no rounding error of their sums is lost.
    Expr define_long_sums(SqueezeStages &squeeze, const Image &pixels, const TapAt &value) const {
        const Halide::Var &c = stages_.axes.c, &y = stages_.axes.y;
        const Chunks chunks(pixels.width, kChunkTerms);
        Halide::Var i("chunk_x");
        RDom terms(0, chunks.length(), "in_chunk");
        RDom columns(0, chunks.count(), "squeeze_x"), rows(0, pixels.height, "squeeze_y");
        squeeze.in_chunk = terms.x, squeeze.column = columns.x, squeeze.row = rows.x;
        squeeze.chunk = Func("chunk");
        squeeze.row_sums = Func("row_sums"), squeeze.total = Func("total");
        squeeze.chunk(c, i, y) = 0.0F;
        squeeze.chunk(c, i, y) += value(chunks.at(i, terms.x, terms), y);
        squeeze.row_sums(c, y) = no_terms();
        squeeze.row_sums(c, y) = plus(squeeze.row_sums(c, y), squeeze.chunk(c, columns.x, y));
        squeeze.total(c) = no_terms();
        squeeze.total(c) = plus(squeeze.total(c), value_of(squeeze.row_sums(c, rows.x)));
        return value_of(squeeze.total(c));
    }

    void add_squeeze() {
        const Axes &axes = stages_.axes;
        const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y;
        const Image &pixels = natural_.output;  // The project is pointwise.
        SqueezeStages squeeze;
        Func in("squeezed");
        in(c, x, y) = block_.depthwise ? source_(c, x, y, 0) : source_(c, x, y);
        const TapAt value = [&](const Expr &column, const Expr &row) -> Expr {
            return flat_ ? in(c, row * pixels.width + column, 0) : in(c, column, row);
        };
        const Expr sum = std::max(pixels.width, pixels.height) > kMeanTerms
                             ? define_long_sums(squeeze, pixels, value)
                             : define_sums(squeeze, pixels, value);
        Func mean("mean");
        mean(c, x, y) = sum * (1.0F / (static_cast<float>(pixels.width) * pixels.height));
        squeeze.reduce = define_convolution(axes, stage_of(block_, StageId::kReduce), mean,
                                            weights_of("reduce"), 1, parameters_);
        squeeze.excite =
            define_convolution(axes, stage_of(block_, StageId::kExcite), squeeze.reduce.result,
                               weights_of("excite"), 1, parameters_);
        const Func &gate = squeeze.excite.result;
        if (block_.project->out_channels < pixels.width * pixels.height) {
            Halide::Var lane("lane"), kc("kc"), kx("kx"), ky("ky"), panel("panel");
            squeeze.gated_weights = Func("gated_weights");
            squeeze.gated_weights(lane, kc, kx, ky, panel) =
                parameters_["project_weights"](lane, kc, kx, ky, panel) * gate(kc, 0, 0);
            source_ = in;
        } else {
            squeeze.gated_input = Func("gated_input");
            squeeze.gated_input(c, x, y) = in(c, x, y) * gate(c, 0, 0);
            source_ = squeeze.gated_input;
        }
        stages_.squeeze = squeeze;
    }

    void add_project() {
        Func padded;
        if (pads_project(block_)) {
            padded = zero_border(source_, "padded", block_.input.width, block_.input.height);
            source_ = padded;
        }
        const bool gated = stages_.squeeze && stages_.squeeze->gated_weights.defined();
        const Func weights = gated ? stages_.squeeze->gated_weights : weights_of("project");
        stages_.project =
            define_convolution(stages_.axes, stage_of(block_, StageId::kProject), source_, weights,
                               block_.depthwise ? block_.depthwise->multiplier : 1, parameters_);
        stages_.project->padded = padded;
        stages_.project->channels_innermost = block_.depthwise || block_.input.stride_c == 1;
        source_ = stages_.project->result;
    }

    /// output(c, x, y, half): the project's channels, then those of the cheap depthwise on them.
    void add_cheap() {
        const Axes &axes = stages_.axes;
        const Halide::Var &c = axes.c, &x = axes.x, &y = axes.y, &half = axes.half;
        const Image &pixels = block_.output;
        const Func primary = source_;
        const DepthwiseInput in = {primary, pixels.width, pixels.height,
                                   reads_outside(block_.cheap->window, pixels, pixels), rows_};
        stages_.cheap =
            define_depthwise(axes, stage_of(block_, StageId::kCheap), in, x, y, parameters_);
        // Of natural rows the padded primary is what is stored: both halves read it.
        const bool stored = rows_ == Rows::kNatural && stages_.cheap->padded.defined();
        const Func &first = stored ? stages_.cheap->padded : primary;
        Expr value = Halide::select(half == 0, first(c, x, y), stages_.cheap->result(c, x, y, 0));
        stages_.output = Func("output");
        stages_.output(c, x, y, half) = apply(block_.epilogue, value,
                                              operands_at(parameters_, "output", block_.epilogue,
                                                          c + half * block_.cheap->channels, x, y));
    }

    const Block &natural_;
    const Block block_;
    const Rows rows_;
    const int run_;
    Parameters &parameters_;
    BlockStages stages_;
    Func source_;
    bool flat_ = false;
};

}  // namespace

BlockStages define_block(const Block &natural, Parameters &parameters, Rows rows, int run) {
    return BlockBuilder(natural, parameters, rows, run).build();
}

}  // namespace sepconv
