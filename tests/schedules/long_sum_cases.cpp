#include "layer/shape.h"
#include "layer/sums.h"
#include "tests/schedules/kernel_cases.h"

namespace sepconv::testing {
namespace {

void add(std::vector<KernelCase> *cases, const std::string &name, const Kernel &kernel) {
    cases->push_back({name, kernel, {}, {}});
}

/// The last case once more, with equal terms: what one accumulator adds is outside its bound.
void again_with_equal_terms(std::vector<KernelCase> *cases) {
    KernelCase equal = cases->back();
    equal.name += "_equal";
    equal.equal_terms = true;
    cases->push_back(equal);
}

Window window_of(int kernel_h, int kernel_w, int stride = 1) {
    Window window;
    window.kernel_h = kernel_h, window.kernel_w = kernel_w;
    window.stride_h = window.stride_w = stride;
    return window;
}

Pool mean_over(const Window &window, int channels, int width, int height, EdgeLayout layout,
               PoolKind kind = PoolKind::kAverage) {
    Pool pool;
    pool.kind = kind;
    pool.window = window;
    pool.input = input_image(layout, channels, width, height);
    const auto out_width = output_extent(width, window.kernel_w, window.stride_w, window.dilation_w,
                                         window.pad_left, window.pad_right);
    const auto out_height = output_extent(height, window.kernel_h, window.stride_h,
                                          window.dilation_h, window.pad_top, window.pad_bottom);
    pool.output =
        output_image(layout, channels, static_cast<int>(out_width), static_cast<int>(out_height));
    return pool;
}

void add_means(std::vector<KernelCase> *cases) {
    const auto add_whole = [&](const std::string &name, int channels, int width, int height,
                               EdgeLayout layout) {
        add(cases, "long_mean_" + name,
            mean_over(window_of(height, width), channels, width, height, layout));
    };
    add_whole("64x48_19", 19, 64, 48, EdgeLayout::kExact);
    again_with_equal_terms(cases);
    add_whole("61x37_33_padded", 33, 61, 37, EdgeLayout::kPadded);
    add_whole("40x30_5_planar_in", 5, 40, 30, EdgeLayout::kPlanarInput);
    add_whole("13x5_18_planar_out", 18, 13, 5, EdgeLayout::kPlanarOutput);
    add_whole("3x700_17_sliced", 17, 3, 700, EdgeLayout::kSliced);
    again_with_equal_terms(cases);
    add_whole("row_5003_1", 1, 5003, 1, EdgeLayout::kExact);
    again_with_equal_terms(cases);
    add_whole("column_1021_4", 4, 1, 1021, EdgeLayout::kExact);
    for (const PoolKind kind : {PoolKind::kAverage, PoolKind::kAverageIncludingPad}) {
        Window window = window_of(12, 11, 5);
        window.pad_top = window.pad_left = 4;
        window.pad_bottom = 3, window.pad_right = 10;
        window.dilation_w = 2;
        const bool with_pad = kind == PoolKind::kAverageIncludingPad;
        add(cases, std::string("long_mean_border") + (with_pad ? "_with_pad" : ""),
            mean_over(window, 21, 31, 26, EdgeLayout::kExact, kind));
    }
}

/// A convolution alone.
Block convolution(int width, int height, int in, int out, const Window &window, EdgeLayout layout) {
    Block block;
    block.input = input_image(layout, in, width, height);
    block.project = Convolution{in, out, window, {unary_step(Op::kRelu)}};
    const auto extent = [](int size, int kernel, int stride, int dilation, int pads) {
        return static_cast<int>(output_extent(size, kernel, stride, dilation, pads, 0));
    };
    block.output = output_image(layout, out,
                                extent(width, window.kernel_w, window.stride_w, window.dilation_w,
                                       window.pad_left + window.pad_right),
                                extent(height, window.kernel_h, window.stride_h, window.dilation_h,
                                       window.pad_top + window.pad_bottom));
    return block;
}

void add_convolutions(std::vector<KernelCase> *cases) {
    // Equal chunks of channels, the last one shorter (2053 is prime), and chunks of taps.
    add(cases, "long_pointwise_2304_18", convolution(5, 3, 2304, 18, {}, EdgeLayout::kExact));
    add(cases, "long_pointwise_2053_37_padded",
        convolution(7, 1, 2053, 37, {}, EdgeLayout::kPadded));
    add(cases, "long_pointwise_2056_16_planar_in",
        convolution(4, 2, 2056, 16, {}, EdgeLayout::kPlanarInput));
    add(cases, "long_vector_8192_20", convolution(1, 1, 8192, 20, {}, EdgeLayout::kExact));
    again_with_equal_terms(cases);
    add(cases, "long_dense_k3_288_21_sliced",
        convolution(6, 5, 288, 21, with_padding(window_of(3, 3), PaddingMode::kSameUpper, 5, 6),
                    EdgeLayout::kSliced));
    add(cases, "long_dense_k5_100_9_s2",
        convolution(9, 8, 100, 9, with_padding(window_of(5, 5, 2), PaddingMode::kSameUpper, 8, 9),
                    EdgeLayout::kExact));
    add(cases, "long_dense_k11_17_33",
        convolution(14, 12, 17, 33, window_of(11, 11), EdgeLayout::kExact));
    add(cases, "long_dense_1x1021_3_5",
        convolution(1025, 1, 3, 5, window_of(1, 1021), EdgeLayout::kPlanarInput));
}

Squeeze squeeze_of(int channels, int reduced) {
    Squeeze squeeze;
    squeeze.reduce = {channels, reduced, {}, {unary_step(Op::kRelu)}};
    squeeze.excite = {reduced, channels, {}, {unary_step(Op::kHardSigmoid, 1.0F / 6, 0.5F)}};
    return squeeze;
}

/// Where the layer before a project, or what it reads, is long.
void add_blocks(std::vector<KernelCase> *cases) {
    const Window k3 = with_padding(window_of(3, 3), PaddingMode::kSameUpper, 5, 6);
    Block separable = convolution(6, 5, 1037, 19, {}, EdgeLayout::kExact);
    separable.depthwise = Depthwise{1037, 2, k3, {unary_step(Op::kRelu)}};
    separable.project->in_channels = 2074;
    add(cases, "long_separable_1037x2", separable);
    Block inverted = convolution(6, 5, 2080, 7, {}, EdgeLayout::kExact);
    inverted.expand = Convolution{2080, 40, {}, {unary_step(Op::kRelu)}};
    inverted.depthwise = Depthwise{40, 1, k3, {}};
    inverted.project->in_channels = 40;
    add(cases, "long_expand_2080", inverted);
    Block ghost = convolution(6, 5, 2064, 10, {}, EdgeLayout::kExact);
    ghost.output = dense_image(20, 6, 5, false);
    ghost.cheap = Depthwise{10, 1, k3, {}};
    add(cases, "long_ghost_2064", ghost);
}

void add_squeezes(std::vector<KernelCase> *cases) {
    const struct {
        const char *name;
        int width, height, channels;
        bool depthwise, ghost;
    } sizes[] = {{"67x9_20", 67, 9, 20, false, false},
                 {"5x70_7", 5, 70, 7, false, false},
                 {"80x66_16_depthwise", 80, 66, 16, true, false},
                 {"72x65_19_ghost", 72, 65, 19, false, true},
                 {"2x2_2100", 2, 2, 2100, false, false}};
    for (const auto &[name, width, height, channels, depthwise, ghost] : sizes) {
        Block block = convolution(width, height, channels, 18, {}, EdgeLayout::kExact);
        const Window k3 = with_padding(window_of(3, 3), PaddingMode::kSameUpper, height, width);
        if (depthwise) block.depthwise = Depthwise{channels, 1, k3, {unary_step(Op::kRelu)}};
        block.squeeze = squeeze_of(channels, 6);
        if (ghost) {
            block.cheap = Depthwise{18, 1, k3, {}};
            block.output = dense_image(36, width, height, false);
        }
        add(cases, std::string("long_squeeze_") + name, block);
    }
}

void add_softmaxes(std::vector<KernelCase> *cases) {
    const struct {
        const char *name;
        int64_t outer, extent, inner;
    } sizes[] = {{"1x4099", 1, 4099, 1},
                 {"3x1032", 3, 1032, 1},
                 {"2x1100x3", 2, 1100, 3},
                 {"1x1201x37", 1, 1201, 37}};
    for (const auto &[name, outer, extent, inner] : sizes) {
        Softmax softmax;
        softmax.outer = outer, softmax.extent = extent, softmax.inner = inner;
        softmax.input = softmax.output = {extent * inner, inner, 1};
        add(cases, std::string("long_softmax_") + name, softmax);
    }
}

}  // namespace

std::vector<KernelCase> long_sum_cases() {
    std::vector<KernelCase> cases;
    add_means(&cases);
    add_convolutions(&cases);
    add_blocks(&cases);
    add_squeezes(&cases);
    add_softmaxes(&cases);
    return cases;
}

}  // namespace sepconv::testing
