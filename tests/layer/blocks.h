#ifndef SEPCONV_TESTS_LAYER_BLOCKS_H_
#define SEPCONV_TESTS_LAYER_BLOCKS_H_

#include "layer/layer.h"
#include "layer/shape.h"

namespace sepconv::testing {

/// 3x3 depthwise over 8 channels of 6 x 5 pixels, padded by one, then pointwise to 20.
inline Block separable_block() {
    Block block;
    block.input = dense_image(8, 6, 5, false);
    Window window;
    window.kernel_h = window.kernel_w = 3;
    window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = 1;
    block.depthwise = Depthwise{8, 1, window, {}};
    block.project = Convolution{8, 20, {}, {}};
    block.output = dense_image(20, 6, 5, false);
    return block;
}

/// separable_block() with a squeeze-excite to 3 channels and back in front of its project.
inline Block squeezed_block() {
    Block block = separable_block();
    block.squeeze = Squeeze{Convolution{8, 3, {}, {}}, Convolution{3, 8, {}, {}}};
    return block;
}

/// Pointwise from 8 to 10 channels of 6 x 5 pixels, then the cheap 3x3 depthwise on them.
inline Block ghost_block() {
    Block block = separable_block();
    block.cheap = Depthwise{10, 1, block.depthwise->window, {}};
    block.depthwise.reset();
    block.project = Convolution{8, 10, {}, {}};
    return block;
}

inline Elementwise step(Op op, Operand operand = Operand::kNone) {
    return {op, operand, false, 0.0F, 0.0F};
}

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_LAYER_BLOCKS_H_
