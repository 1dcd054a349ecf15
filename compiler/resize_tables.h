#ifndef SEPCONV_COMPILER_RESIZE_TABLES_H_
#define SEPCONV_COMPILER_RESIZE_TABLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "layer/status.h"

namespace sepconv {

/// Which input positions make each output position along one axis: [taps][extent].
struct AxisTable {
    std::vector<int32_t> index;
    std::vector<float> weight;
};

/// A positive number, exactly.
struct Ratio {
    int64_t numerator = 1, denominator = 1;
};

/// The value of a float in [2^-32, 2^31), in lowest terms.
Ratio ratio_of(float value);

/// ONNX Resize along one axis.
struct ResizeAxis {
    int64_t in = 1, out = 1;
    Ratio scale;  ///< Both below 2^63; not read by align_corners and tf_crop_and_resize.
    float roi_start = 0.0F, roi_end = 1.0F;  ///< tf_crop_and_resize
    std::string mode;                        ///< nearest, linear, cubic
    std::string coordinates;                 ///< coordinate_transformation_mode
    std::string nearest;                     ///< nearest_mode
    float cubic_a = -0.75F;
    bool exclude_outside = false;
};

/// 1, 2 or 4.
int resize_taps(const std::string &mode);
/// `taps` at least resize_taps(axis.mode); more are filled with weight 0. Positions are rational
/// numbers and are computed exactly, so that ties and whole numbers round as ONNX's formulas say;
/// those of tf_crop_and_resize in double. Weights are computed in double and rounded once.
Result<AxisTable> resize_table(const ResizeAxis &axis, int taps);

/// Padding along one axis by `before` with mode "reflect", "edge" or "wrap".
AxisTable pad_table(int64_t in, int64_t out, int64_t before, const std::string &mode);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_RESIZE_TABLES_H_
