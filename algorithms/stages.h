#ifndef SEPCONV_ALGORITHMS_STAGES_H_
#define SEPCONV_ALGORITHMS_STAGES_H_

#include <Halide.h>

#include <optional>

#include "algorithms/parameters.h"
#include "layer/layer.h"

namespace sepconv {

/// Index order everywhere: c channel, x column, y row; innermost first. Where a block's rows are
/// dense, its last stage runs over one long row: x is the pixel x + width * y, and y is 0.
struct Axes {
    Halide::Var c{"c"}, x{"x"}, y{"y"}, m{"m"}, half{"half"};
};

/// Dense convolution: `accumulator(c, x, y)` over packed panels, updated over (kc, kx, ky);
/// `result(c, x, y)` is its epilogue. `km` is the multiplier axis where the input is a depthwise.
struct ConvolutionStage {
    Halide::Func accumulator;
    Halide::Func result;
    Halide::RVar kc, kx, ky, km;
    /// Long sums: `total(c, x, y)` adds up, over `chunks`, what `accumulator` sums of each; else
    /// undefined and empty.
    Halide::Func total;
    std::vector<Halide::RVar> chunks;
    Halide::Func padded;  ///< The input with its zero border; undefined without padding.
    Halide::Func input;   ///< What the accumulators read: (kc, x, y).
    /// Values of neighbouring kc lie beside each other wherever the input is stored.
    bool channels_innermost = true;
    int in_channels = 0;       ///< Extent of kc.
    bool equal_chunks = true;  ///< Else the last of kc's is shorter.
};

/// Depthwise convolution: `result(c, x, y, m)`. From kManyTaps taps the sum is a reduction in
/// `accumulator`; below it is one expression.
struct DepthwiseStage {
    Halide::Func result;
    Halide::Func accumulator;  ///< Undefined below kManyTaps.
    Halide::Func padded;       ///< The input with its zero border; undefined without padding.
    Halide::RVar kx, ky;
};
constexpr int kManyTaps = 25;

/// Squeeze-excite: `row_sums(c, y)`, `total(c)`, then two pointwise stages at pixel (0, 0), of
/// which the second's result is the gate.
struct SqueezeStages {
    Halide::Func row_sums, total;
    Halide::RVar column, row;
    /// Long sums: `chunk(c, chunk of columns, y)`, which `row_sums` adds up; else undefined.
    Halide::Func chunk;
    Halide::RVar in_chunk;
    ConvolutionStage reduce, excite;
    /// What the project reads in place of its weights (lane, kc, kx, ky, panel), or else in place
    /// of its input (c, x, y): whichever has fewer values. The other one is undefined.
    Halide::Func gated_weights, gated_input;
};

/// All Funcs of one block, unscheduled. `output(c, x, y)` is the pipeline's only output; that of a
/// Ghost module is (c, x, y, half).
struct BlockStages {
    Axes axes;
    std::optional<ConvolutionStage> expand;
    std::optional<DepthwiseStage> depthwise;
    std::optional<SqueezeStages> squeeze;
    std::optional<ConvolutionStage> project;
    std::optional<DepthwiseStage> cheap;
    Halide::Func output;
    Image pixels;  ///< Of the last stage: the output image, flattened if its rows are dense.
};

/// The block with one long row where windows, images and operands allow it, else unchanged.
Block flattened(const Block &block);
bool has_dense_rows(const Image &image);

/// The project reads a copy of its input that has a border.
bool pads_project(const Block &block);

/// Defines the block; schedules nothing. `block` must have passed validate(). `run` divides the
/// output's width: a step of a flattened depthwise computes so many pixels, and its columns are
/// written so that Halide sees them as one row's. The values do not depend on it.
BlockStages define_block(const Block &block, Parameters &parameters, Rows rows, int run = 1);

/// Funcs of the other kernels: `output` over the kernel's own axes, innermost first.
struct SimpleStages {
    Halide::Func output;
    std::vector<Halide::Var> axes;
    Halide::Func reduction;             ///< Pool's or Softmax's accumulation, if any.
    std::vector<Halide::RVar> reduced;  ///< Its domain.
    Halide::Func maximum;               ///< Softmax.
    std::vector<Halide::RVar> scanned;  ///< Domain of `maximum`.
    /// Long sums: what `reduction` adds up, the sum of a chunk of terms; else undefined.
    Halide::Func chunk;
    std::vector<Halide::RVar> in_chunk;  ///< Its domain.
};
SimpleStages define_pool(const Pool &pool, Parameters &parameters);
SimpleStages define_resize(const Resize &resize, Parameters &parameters);
SimpleStages define_map(const Map &map, Parameters &parameters);
SimpleStages define_softmax(const Softmax &softmax, Parameters &parameters);

}  // namespace sepconv

#endif  // SEPCONV_ALGORITHMS_STAGES_H_
