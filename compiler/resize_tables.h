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

/// ONNX Resize along one axis. Coordinates are computed in float, as ONNX Runtime does, so that
/// ties of `nearest` fall the same way.
struct ResizeAxis {
    int64_t in = 1, out = 1;
    float scale = 1.0F;
    float roi_start = 0.0F, roi_end = 1.0F;  ///< tf_crop_and_resize
    std::string mode;                        ///< nearest, linear, cubic
    std::string coordinates;                 ///< coordinate_transformation_mode
    std::string nearest;                     ///< nearest_mode
    float cubic_a = -0.75F;
    bool exclude_outside = false;
};

/// 1, 2 or 4.
int resize_taps(const std::string &mode);
/// `taps` at least resize_taps(axis.mode); more are filled with weight 0.
Result<AxisTable> resize_table(const ResizeAxis &axis, int taps);

/// Padding along one axis by `before` with mode "reflect", "edge" or "wrap".
AxisTable pad_table(int64_t in, int64_t out, int64_t before, const std::string &mode);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_RESIZE_TABLES_H_
