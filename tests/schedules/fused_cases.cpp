#include "layer/shape.h"
#include "tests/schedules/kernel_cases.h"

namespace sepconv::testing {
namespace {

Window square_window(int kernel, int stride, int height, int width) {
    Window window;
    window.kernel_w = window.kernel_h = kernel;
    window.stride_w = window.stride_h = stride;
    return with_padding(window, PaddingMode::kSameUpper, height, width);
}

/// Sizes of an inverted residual: its expand slides down the rows in a ring.
struct InvertedSize {
    const char *name;
    int width, height, in, expanded, out, kernel, stride;
    bool residual;
};

void add_inverted_residuals(std::vector<KernelCase> *cases) {
    const InvertedSize sizes[] = {
        {"v2_14x14_96", 14, 14, 96, 576, 96, 3, 1, true},
        {"v2_56x56_24", 56, 56, 24, 144, 24, 3, 1, true},
        {"v2_112x112_16_s2", 112, 112, 16, 96, 24, 3, 2, false},
        {"v2_7x7_160", 7, 7, 160, 960, 160, 3, 1, true},
        {"v3_28x28_40_k5", 28, 28, 40, 120, 40, 5, 1, true},
        {"k7_s2_odd", 25, 33, 5, 30, 7, 7, 2, false},
        {"narrow_18x17", 18, 17, 3, 13, 20, 3, 1, false},
        {"one_channel", 15, 7, 1, 1, 1, 3, 1, true},
        {"rows_prime", 9, 37, 8, 24, 8, 5, 2, false},
    };
    for (const InvertedSize &size : sizes) {
        const Window window = square_window(size.kernel, size.stride, size.height, size.width);
        Block block;
        block.input = dense_image(size.in, size.width, size.height, false);
        block.output = dense_image(size.out, (size.width + size.stride - 1) / size.stride,
                                   (size.height + size.stride - 1) / size.stride, false);
        const Epilogue relu6 = {unary_step(Op::kClip, 0.0F, 6.0F)};
        const Epilogue affine = {binary_step(Op::kMultiply, Operand::kChannel),
                                 unary_step(Op::kHardSwish)};
        block.expand = Convolution{size.in, size.expanded, {}, affine};
        block.depthwise = Depthwise{size.expanded, 1, window, relu6};
        block.project = Convolution{size.expanded, size.out, {}, {}};
        if (size.residual) {
            block.project->epilogue = {binary_step(Op::kAdd, Operand::kTensor)};
            block.operands = {block.output};
        }
        cases->push_back({std::string("inverted_") + size.name, block, {}, {}});
    }
}

/// Sizes of squeeze-excite blocks. `kernel` 0: no depthwise, the input itself is squeezed.
struct SqueezeSize {
    const char *name;
    int width, height, in, expanded, reduced, out, kernel, stride;
    bool residual;
};

Squeeze squeeze_of(int channels, int reduced) {
    Squeeze squeeze;
    squeeze.reduce = {channels, reduced, {}, {unary_step(Op::kRelu)}};
    squeeze.excite = {reduced, channels, {}, {unary_step(Op::kHardSigmoid, 1.0F / 6, 0.5F)}};
    return squeeze;
}

void add_squeezes(std::vector<KernelCase> *cases) {
    const SqueezeSize sizes[] = {
        // V3's: the weights are gated (28x28), or the pixels (7x7).
        {"v3_28x28_k5", 28, 28, 40, 120, 32, 40, 5, 1, true},
        {"v3_7x7_k5", 7, 7, 160, 320, 40, 160, 5, 1, true},
        {"v3_56x56_k5_s2", 56, 56, 24, 72, 24, 40, 5, 2, false},
        {"separable_14x14_k3", 14, 14, 0, 33, 7, 24, 3, 1, false},
        {"separable_5x5_k5", 5, 5, 0, 40, 9, 50, 5, 1, false},
        {"odd_13x11_k3_s2", 13, 11, 5, 19, 3, 21, 3, 2, false},
        {"pointwise_14x14", 14, 14, 0, 72, 20, 40, 0, 1, true},
        {"pointwise_3x3", 3, 3, 0, 21, 4, 13, 0, 1, false},
        {"pointwise_few", 4, 6, 0, 5, 2, 3, 0, 1, false},
    };
    for (const SqueezeSize &size : sizes) {
        Block block;
        const int in = size.in > 0 ? size.in : size.expanded;
        block.input = dense_image(in, size.width, size.height, false);
        block.output = dense_image(size.out, (size.width + size.stride - 1) / size.stride,
                                   (size.height + size.stride - 1) / size.stride, false);
        if (size.in > 0) {
            block.expand = Convolution{in, size.expanded, {}, {unary_step(Op::kHardSwish)}};
        }
        if (size.kernel > 0) {
            block.depthwise =
                Depthwise{size.expanded,
                          1,
                          square_window(size.kernel, size.stride, size.height, size.width),
                          {unary_step(Op::kHardSwish)}};
        }
        block.squeeze = squeeze_of(size.expanded, size.reduced);
        block.project = Convolution{size.expanded, size.out, {}, {}};
        if (size.residual) {
            block.project->epilogue = {binary_step(Op::kAdd, Operand::kTensor)};
            block.operands = {block.output};
        }
        cases->push_back({std::string("squeeze_") + size.name, block, {}, {}});
    }
}

/// Sizes of Ghost modules; `out` is one half.
struct GhostSize {
    const char *name;
    int width, height, in, half, kernel, reduced;
    bool residual;
};

void add_ghosts(std::vector<KernelCase> *cases) {
    const GhostSize sizes[] = {
        {"56x56_24_36", 56, 56, 24, 36, 3, 0, false},
        {"56x56_72_12", 56, 56, 72, 12, 3, 0, true},
        {"112x112_16_8", 112, 112, 16, 8, 3, 0, true},
        {"28x28_40_60", 28, 28, 40, 60, 3, 0, false},
        {"14x14_80_100", 14, 14, 80, 100, 3, 0, false},
        {"7x7_160_480", 7, 7, 160, 480, 3, 0, false},
        {"7x7_squeezed", 7, 7, 96, 80, 3, 24, true},
        {"14x14_squeezed", 14, 14, 72, 20, 3, 20, false},
        {"odd_k5", 13, 17, 7, 21, 5, 0, true},
        {"one_channel", 9, 5, 1, 1, 3, 0, false},
    };
    for (const GhostSize &size : sizes) {
        Block block;
        block.input = dense_image(size.in, size.width, size.height, false);
        block.output = dense_image(2 * size.half, size.width, size.height, false);
        block.project = Convolution{size.in, size.half, {}, {unary_step(Op::kRelu)}};
        block.cheap = Depthwise{size.half,
                                1,
                                square_window(size.kernel, 1, size.height, size.width),
                                {unary_step(Op::kRelu)}};
        if (size.reduced > 0) block.squeeze = squeeze_of(size.in, size.reduced);
        if (size.residual) {
            block.epilogue = {binary_step(Op::kAdd, Operand::kTensor),
                              unary_step(Op::kClip, -2, 2)};
            block.operands = {block.output};
        }
        cases->push_back({std::string("ghost_") + size.name, block, {}, {}});
    }
    // A stride-2 depthwise and squeeze-excite in front, as in a Ghost bottleneck.
    Block block;
    block.input = dense_image(72, 28, 28, false);
    block.output = dense_image(40, 14, 14, false);
    block.depthwise = Depthwise{72, 1, square_window(5, 2, 28, 28), {}};
    block.squeeze = squeeze_of(72, 20);
    block.project = Convolution{72, 20, {}, {}};
    block.cheap = Depthwise{20, 1, square_window(3, 1, 14, 14), {}};
    block.epilogue = {binary_step(Op::kAdd, Operand::kTensor)};
    block.operands = {block.output};
    cases->push_back({"ghost_bottleneck_s2", block, {}, {}});
}

}  // namespace

std::vector<KernelCase> fused_cases() {
    std::vector<KernelCase> cases;
    add_inverted_residuals(&cases);
    add_squeezes(&cases);
    add_ghosts(&cases);
    return cases;
}

}  // namespace sepconv::testing
