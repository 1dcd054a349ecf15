#ifndef SEPCONV_LAYER_LAYER_H_
#define SEPCONV_LAYER_LAYER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "layer/elementwise.h"

namespace sepconv {

/// Output channels that one packed weight panel holds, the same for every CPU target.
constexpr int kPanel = 16;

/// Where the values of one image (c, x, y) lie in memory. Strides are in elements.
struct Image {
    int channels = 0;
    int width = 0;
    int height = 0;
    int64_t stride_c = 1;
    int64_t stride_x = 0;
    int64_t stride_y = 0;
    /// The buffer is ours: at least kPanel elements after the last one may be read (never written).
    /// False for the caller's buffers, whose bounds are exact.
    bool padded = false;
};

/// A sliding window. Padding is in pixels of zeros; dilation 1 is dense.
struct Window {
    int kernel_h = 1, kernel_w = 1;
    int stride_h = 1, stride_w = 1;
    int dilation_h = 1, dilation_w = 1;
    int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;

    int taps() const { return kernel_h * kernel_w; }
    bool is_pointwise() const;  ///< 1x1, stride 1, no padding.
};

/// Dense convolution (pointwise when its window is 1x1):
/// out(c, x, y) = bias(c) + sum over kc, kx, ky of weights(c, kc, kx, ky) *
///                in(kc, x * stride_w + kx * dilation_w - pad_left, y * stride_h + ...).
/// Weights are packed [ceil(out_channels / 16)][kernel_h][kernel_w][in_channels][16], bias
/// [ceil(out_channels / 16) * 16], both zero behind the last channel.
struct Convolution {
    int in_channels = 0;
    int out_channels = 0;
    Window window;
    Epilogue epilogue;
};

/// Depthwise convolution: out(c * multiplier + m, x, y) = bias(m, c) +
///   sum over kx, ky of weights(m, ky, kx, c) * in(c, ...).
/// Weights are packed [multiplier][kernel_h][kernel_w][ceil(channels / 16) * 16], bias
/// [multiplier][ceil(channels / 16) * 16].
struct Depthwise {
    int channels = 0;
    int multiplier = 1;
    Window window;
    Epilogue epilogue;
};

/// Squeeze-excite in front of a project, which then reads in(c, x, y) * gate(c):
/// gate = excite(reduce(mean over x and y of in(., x, y))), both pointwise on one pixel.
struct Squeeze {
    Convolution reduce;
    Convolution excite;
};

/// One kernel made of convolutions in this order, of which each may be missing. Pointwise and dense
/// convolutions fill `project` alone; a separable block `depthwise` and `project`; an inverted
/// residual `expand`, `depthwise`, `project`; a Ghost module `project` (its primary) and `cheap`,
/// whose outputs lie one behind the other in the output's channels.
/// A project behind or in front of another stage must be pointwise, and so must an expand. An
/// expand needs depthwise and project, a squeeze and a cheap need a project; between expand or
/// depthwise and cheap stands a squeeze, whose channels come from a depthwise without multiplier.
/// Between depthwise and project the channels are ordered [multiplier][channels], as the weights.
struct Block {
    Image input;
    std::optional<Convolution> expand;
    std::optional<Depthwise> depthwise;
    std::optional<Squeeze> squeeze;
    std::optional<Convolution> project;
    std::optional<Depthwise> cheap;
    Epilogue epilogue;  ///< Behind the two halves of a Ghost module; else empty.
    Image output;
    /// Layouts of the kTensor operands of the last epilogue, in its order (channels, width and
    /// height as `output`).
    std::vector<Image> operands;
};

/// Where an epilogue of a block stands: behind one of its convolutions, or behind them all.
enum class StageId { kExpand, kDepthwise, kReduce, kExcite, kProject, kCheap, kOutput };

/// One stage of a block. Neither pointer is set for kOutput, which computes its epilogue alone.
struct StageRef {
    StageId id = StageId::kOutput;
    const char *name = "";  ///< What its arguments' names begin with: "expand".
    const Convolution *convolution = nullptr;
    const Depthwise *depthwise = nullptr;
    const Epilogue *epilogue = nullptr;
    int channels = 0;  ///< That it computes; of a depthwise without its multiplier.
};

/// The stages of a block in the order in which they are computed: the one list of them. It points
/// into `block`. kOutput is there only where its epilogue is not empty.
std::vector<StageRef> stages_of(const Block &block);

/// The stage `id` of the block; empty where it has none. It points into `block`.
StageRef stage_of(const Block &block, StageId id);

/// The epilogue that `operands` belong to.
const Epilogue &last_epilogue(const Block &block);

enum class PoolKind { kMax, kAverage, kAverageIncludingPad };

/// Pooling over a window; taps outside the image never win a maximum and count in an average only
/// with kAverageIncludingPad (and then only inside the padded image).
struct Pool {
    Image input;
    PoolKind kind = PoolKind::kMax;
    Window window;
    Epilogue epilogue;
    Image output;
};

/// out(c, x, y) = sum over j, i < taps of wy(j, y) * wx(i, x) * in(c, ix(i, x), iy(j, y)).
/// The index tables (int32, [taps][extent]) and weight tables (float, same shape) are arguments, so
/// every coordinate mode is one kernel. With one tap the weights are taken as 1.
struct Resize {
    Image input;
    int taps = 1;
    Epilogue epilogue;
    Image output;
};

/// Rank of the index space of Map: outermost first.
constexpr int kMapRank = 6;
using MapIndex = std::array<int64_t, kMapRank>;

/// out(i) = epilogue(in(i)) over an index space, each buffer with its own strides. What is read may
/// have strides of 0, which broadcast, and negative ones, which read an axis from its last element;
/// the argument points to the lowest address either way.
/// Copies, transposes, slices, padding interiors and all elementwise operators with general
/// broadcasting. Every binary step's operand is kTensor, with its strides in `operands`.
struct Map {
    MapIndex extent{1, 1, 1, 1, 1, 1};
    MapIndex input{};
    MapIndex output{};
    Epilogue epilogue;
    std::vector<MapIndex> operands;
};

/// out = exp(in - max) / sum(exp(in - max)) over `extent` values, for every (outer, inner).
/// Index order of strides: {outer, extent, inner}.
struct Softmax {
    int64_t outer = 1, extent = 1, inner = 1;
    std::array<int64_t, 3> input{};
    std::array<int64_t, 3> output{};
};

/// What one compiled function computes.
using Kernel = std::variant<Block, Pool, Resize, Map, Softmax>;

}  // namespace sepconv

#endif  // SEPCONV_LAYER_LAYER_H_
