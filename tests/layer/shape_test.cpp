#include "layer/shape.h"

#include <gtest/gtest.h>

#include <set>

namespace sepconv {
namespace {

TEST(Shape, OutputExtentRoundsDown) {
    EXPECT_EQ(output_extent(7, 3, 2, 1, 0, 0), 3);
    EXPECT_EQ(output_extent(8, 3, 2, 1, 0, 0), 3);
    EXPECT_EQ(output_extent(8, 3, 2, 1, 1, 1), 4);
    EXPECT_EQ(output_extent(7, 3, 1, 2, 0, 0), 3);
    EXPECT_EQ(output_extent(1, 1, 1, 1, 0, 0), 1);
}

TEST(Shape, OutputExtentWithNegativePaddingCrops) {
    EXPECT_EQ(output_extent(8, 3, 1, 1, -1, -2), 3);
}

TEST(Shape, OutputExtentIsZeroWhenTheKernelIsLarger) {
    EXPECT_LE(output_extent(2, 3, 1, 1, 0, 0), 0);
    EXPECT_LE(output_extent(2, 3, 2, 1, 0, 0), 0);
    EXPECT_LE(output_extent(4, 3, 1, 2, 0, 0), 0);
}

TEST(Shape, OutputExtentRoundsUpInCeilMode) {
    EXPECT_EQ(output_extent(8, 3, 2, 1, 0, 0, true), 4);
    EXPECT_EQ(output_extent(7, 3, 2, 1, 0, 0, true), 3);
}

TEST(Shape, CeilModeDropsAWindowThatStartsInTrailingPadding) {
    // ONNX's test_maxpool_2d_ceil_output_size_reduce_by_one: 2x2 input, kernel 1, stride 2.
    EXPECT_EQ(output_extent(2, 1, 2, 1, 0, 0, true), 1);
    EXPECT_EQ(output_extent(4, 2, 3, 1, 0, 1, true), 2);
    EXPECT_EQ(output_extent(3, 2, 3, 1, 0, 1, true), 1);
}

Window window(int kernel, int stride, int dilation) {
    Window w;
    w.kernel_h = w.kernel_w = kernel;
    w.stride_h = w.stride_w = stride;
    w.dilation_h = w.dilation_w = dilation;
    return w;
}

TEST(Shape, SamePaddingKeepsInDividedByStride) {
    for (const int size : {1, 2, 7, 14, 15, 33}) {
        for (const int kernel : {1, 2, 3, 4, 5, 7}) {
            for (const int stride : {1, 2, 3}) {
                for (const int dilation : {1, 2}) {
                    for (const auto mode : {PaddingMode::kSameUpper, PaddingMode::kSameLower}) {
                        const Window w =
                            with_padding(window(kernel, stride, dilation), mode, size, size);
                        EXPECT_EQ(
                            output_extent(size, kernel, stride, dilation, w.pad_top, w.pad_bottom),
                            (size + stride - 1) / stride);
                        const int odd = w.pad_bottom - w.pad_top;
                        EXPECT_TRUE(odd == 0 || odd == (mode == PaddingMode::kSameUpper ? 1 : -1));
                        EXPECT_EQ(w.pad_top, w.pad_left);
                        EXPECT_EQ(w.pad_bottom, w.pad_right);
                    }
                }
            }
        }
    }
}

TEST(Shape, PaddingModesOfOneAxisEach) {
    Window w = window(3, 2, 1);
    w.kernel_w = 6;
    const Window half = with_padding(w, PaddingMode::kHalf, 10, 10);
    EXPECT_EQ(half.pad_top, 1);
    EXPECT_EQ(half.pad_bottom, 1);
    EXPECT_EQ(half.pad_left, 2);
    EXPECT_EQ(half.pad_right, 2);
    w.pad_left = 4;
    EXPECT_EQ(with_padding(w, PaddingMode::kExplicit, 10, 10).pad_left, 4);
    EXPECT_EQ(with_padding(w, PaddingMode::kValid, 10, 10).pad_left, 0);
}

TEST(Shape, DenseImageAndPanels) {
    const Image image = dense_image(3, 5, 7, true);
    EXPECT_EQ(image.stride_c, 1);
    EXPECT_EQ(image.stride_x, 3);
    EXPECT_EQ(image.stride_y, 15);
    EXPECT_TRUE(image.padded);
    EXPECT_EQ(round_up_to_panel(1), 16);
    EXPECT_EQ(round_up_to_panel(16), 16);
    EXPECT_EQ(round_up_to_panel(17), 32);
}

TEST(Shape, PointwiseIsOneByOneWithoutStrideOrPadding) {
    EXPECT_TRUE(Window{}.is_pointwise());
    EXPECT_FALSE(window(1, 2, 1).is_pointwise());
    Window padded;
    padded.pad_right = 1;
    EXPECT_FALSE(padded.is_pointwise());
}

TEST(Elementwise, EveryOperatorHasItsOwnName) {
    std::set<std::string_view> names;
    for (int op = 0; op <= static_cast<int>(Op::kPRelu); ++op) {
        names.insert(name_of(static_cast<Op>(op)));
    }
    EXPECT_EQ(names.size(), static_cast<size_t>(Op::kPRelu) + 1);
    EXPECT_EQ(names.count("unknown"), 0U);
    EXPECT_EQ(name_of(Op::kHardSwish), "hard_swish");
}

}  // namespace
}  // namespace sepconv
