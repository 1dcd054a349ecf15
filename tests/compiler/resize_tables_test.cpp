#include "compiler/resize_tables.h"

#include <gmock/gmock.h>

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

/// Start and end overflow when they are subtracted, or no index holds them: neither may be
/// converted.
TEST_P(CropOutside, IsTheExtrapolationValue) {
    const int taps = resize_taps(GetParam());
    for (const auto &[start, end] : {std::pair(3e38F, -3e38F), std::pair(-3e38F, 3e38F),
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

INSTANTIATE_TEST_SUITE_P(Modes, CropOutside, testing::Values("nearest", "linear", "cubic"),
                         [](const auto &test) { return test.param; });

}  // namespace
}  // namespace sepconv
