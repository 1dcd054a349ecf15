#include "tests/schedules/kernel_cases.h"

#include "layer/shape.h"

namespace sepconv::testing {
namespace {

/// Channels last, with `extra` channels of another tensor behind each pixel's.
Image sliced_image(int channels, int width, int height, int extra) {
    Image image = dense_image(channels, width, height, false);
    image.stride_x = channels + extra;
    image.stride_y = image.stride_x * width;
    return image;
}

}  // namespace

Image planar_image(int channels, int width, int height) {
    Image image = dense_image(channels, width, height, false);
    image.stride_c = int64_t{width} * height;
    image.stride_x = 1;
    image.stride_y = width;
    return image;
}

Image input_image(EdgeLayout layout, int channels, int width, int height) {
    switch (layout) {
        case EdgeLayout::kPlanarInput:
            return planar_image(channels, width, height);
        case EdgeLayout::kSliced:
            return sliced_image(channels, width, height, 5);
        default:
            return dense_image(channels, width, height, layout == EdgeLayout::kPadded);
    }
}

Image output_image(EdgeLayout layout, int channels, int width, int height) {
    switch (layout) {
        case EdgeLayout::kPlanarOutput:
            return planar_image(channels, width, height);
        case EdgeLayout::kSliced:
            return sliced_image(channels, width, height, 3);
        default:
            return dense_image(channels, width, height, layout == EdgeLayout::kPadded);
    }
}

Elementwise unary_step(Op op, float alpha, float beta) {
    return {op, Operand::kNone, false, alpha, beta};
}

Elementwise binary_step(Op op, Operand operand, bool reversed) {
    return {op, operand, reversed, 0.0F, 0.0F};
}

std::vector<KernelCase> all_cases() {
    std::vector<KernelCase> all;
    for (const auto &list :
         {pairwise_cases(), block_cases(), image_cases(), map_cases(), long_sum_cases()}) {
        all.insert(all.end(), list.begin(), list.end());
    }
    return all;
}

}  // namespace sepconv::testing
