// resize_tables: writes the tables of many Resizes to its standard output, for resize_positions.py,
// which has the same loops: of every table the indices and then the weights, as int32 and float.
#include <cstdio>
#include <string>
#include <vector>

#include "compiler/resize_tables.h"

namespace sepconv {
namespace {

constexpr int64_t kLimit = 72;

struct Coordinates {
    const char *mode;
    float start, end;
};

constexpr Coordinates kCoordinates[] = {
    {"half_pixel", 0, 1},
    {"half_pixel_symmetric", 0, 1},
    {"pytorch_half_pixel", 0, 1},
    {"align_corners", 0, 1},
    {"asymmetric", 0, 1},
    {"tf_half_pixel_for_nn", 0, 1},
    {"tf_crop_and_resize", 0, 1},
    {"tf_crop_and_resize", 0.25F, 0.75F},
    {"tf_crop_and_resize", 0.1F, 0.8F},
};
/// Roundings of "nearest", then the other modes.
constexpr const char *kMethods[] = {
    "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "linear", "cubic"};
constexpr float kScales[] = {0.1F, 0.29F, 0.3F, 0.5F, 0.6F, 0.7F,  0.75F, 0.9F, 1.0F,
                             1.1F, 1.25F, 1.3F, 1.5F, 1.6F, 1.75F, 2.0F,  2.3F, 3.0F};

bool write(const ResizeAxis &axis) {
    const Result<AxisTable> table = resize_table(axis, resize_taps(axis.mode));
    if (!table.ok()) return false;
    const std::vector<int32_t> &index = table.value().index;
    const std::vector<float> &weight = table.value().weight;
    return std::fwrite(index.data(), sizeof(int32_t), index.size(), stdout) == index.size() &&
           std::fwrite(weight.data(), sizeof(float), weight.size(), stdout) == weight.size();
}

/// All pairs of extents below kLimit, as with sizes; then all extents by all scales.
bool write_all(ResizeAxis axis) {
    for (axis.in = 1; axis.in < kLimit; axis.in++) {
        for (axis.out = 1; axis.out < kLimit; axis.out++) {
            axis.scale = {axis.out, axis.in};
            if (!write(axis)) return false;
        }
    }
    for (const float scale : kScales) {
        axis.scale = ratio_of(scale);
        for (axis.in = 1; axis.in < kLimit; axis.in++) {
            axis.out = static_cast<int64_t>(static_cast<float>(axis.in) * scale);
            if (axis.out > 0 && !write(axis)) return false;
        }
    }
    return true;
}

bool run() {
    for (const Coordinates &coordinates : kCoordinates) {
        for (const std::string method : kMethods) {
            ResizeAxis axis;
            axis.coordinates = coordinates.mode;
            axis.roi_start = coordinates.start, axis.roi_end = coordinates.end;
            axis.mode = method == "linear" || method == "cubic" ? method : "nearest";
            axis.nearest = method;
            if (!write_all(axis)) return false;
        }
    }
    return true;
}

}  // namespace
}  // namespace sepconv

int main() {
    return sepconv::run() ? 0 : 1;
}
