#include "compiler/resize_tables.h"

#include <gmock/gmock.h>

#include <cmath>
#include <string>
#include <utility>

namespace sepconv {
namespace {

using testing::AllOf;
using testing::Each;
using testing::Ge;
using testing::Lt;

/// A crop from `start` to `end` of the input, both as parts of its extent.
ResizeAxis crop(const std::string &mode, float start, float end) {
    ResizeAxis axis;
    axis.in = 4;
    axis.out = 3;
    axis.roi_start = start;
    axis.roi_end = end;
    axis.mode = mode;
    axis.coordinates = "tf_crop_and_resize";
    axis.nearest = "floor";
    return axis;
}

class CropOutside : public testing::TestWithParam<std::string> {};

/// No index holds positions so far outside, nor a float the difference of start and end.
TEST_P(CropOutside, IsTheExtrapolationValue) {
    const int taps = resize_taps(GetParam());
    for (const auto &[start, end] : {std::pair(3e38F, -2e38F), std::pair(-3e38F, 2e38F),
                                     std::pair(3e30F, 3e30F), std::pair(-3e30F, -1e30F)}) {
        SCOPED_TRACE(start);
        const AxisTable table = resize_table(crop(GetParam(), start, end), taps).value();
        EXPECT_THAT(table.weight, Each(0.0F));
        EXPECT_THAT(table.index, Each(AllOf(Ge(0), Lt(4))));
    }
}

TEST_P(CropOutside, IsNotWhatLiesInside) {
    const AxisTable table =
        resize_table(crop(GetParam(), 0.0F, 2.0F), resize_taps(GetParam())).value();
    EXPECT_EQ(table.weight[GetParam() == "cubic" ? 3 : 0], 1.0F);  // At the first position.
    EXPECT_EQ(table.weight[2], 0.0F);                              // Position 6 of 4.
}

TEST(ResizeRatio, IsTheFloatsValue) {
    const auto is = [](float value, int64_t numerator, int64_t denominator) {
        const Ratio ratio = ratio_of(value);
        EXPECT_EQ(ratio.numerator, numerator) << value;
        EXPECT_EQ(ratio.denominator, denominator) << value;
    };
    is(1.0F, 1, 1);
    is(2.5F, 5, 2);
    is(0.75F, 3, 4);
    is(0.1F, 13421773, 1 << 27);
    is(2147483520.0F, 2147483520, 1);
    is(std::ldexp(16777215.0F, -56), 16777215, int64_t{1} << 56);
}

constexpr int64_t kLongest = (int64_t{1} << 31) - 1;

/// The nearest pixel of the longest input for one position.
int32_t pixel_of_longest(const std::string &coordinates, const std::string &nearest, int64_t out,
                         Ratio scale, size_t x) {
    ResizeAxis axis;
    axis.mode = "nearest";
    axis.coordinates = coordinates, axis.nearest = nearest;
    axis.in = kLongest, axis.out = out, axis.scale = scale;
    return resize_table(axis, 1).value().index[x];
}

/// The terms fill 64 bits and more. Expected are Python's integers.
TEST(ResizePositions, AreExactForTheLongestAxis) {
    const auto pixel = [](const std::string &coordinates, const std::string &nearest) {
        return pixel_of_longest(coordinates, nearest, 1000003, {1000003, kLongest}, 999999);
    };
    EXPECT_EQ(pixel("half_pixel", "floor"), 2147476130);
    EXPECT_EQ(pixel("half_pixel", "ceil"), 2147476131);
    EXPECT_EQ(pixel("half_pixel_symmetric", "floor"), 2147476130);
    EXPECT_EQ(pixel("asymmetric", "floor"), 2147475057);
    EXPECT_EQ(pixel("align_corners", "floor"), 2147477203);
    EXPECT_EQ(pixel("tf_half_pixel_for_nn", "floor"), 2147476130);
    // (2 + 1/2) * 2^29 - 1/2 is a tie.
    const Ratio scale = ratio_of(0x1p-29F);
    EXPECT_EQ(pixel_of_longest("half_pixel", "round_prefer_ceil", 3, scale, 2), 1342177280);
    EXPECT_EQ(pixel_of_longest("half_pixel", "round_prefer_floor", 3, scale, 2), 1342177279);
}

INSTANTIATE_TEST_SUITE_P(Modes, CropOutside, testing::Values("nearest", "linear", "cubic"),
                         [](const auto &test) { return test.param; });

}  // namespace
}  // namespace sepconv
