#ifndef SEPCONV_TESTS_SUPPORT_PACK_H_
#define SEPCONV_TESTS_SUPPORT_PACK_H_

#include <vector>

#include "layer/layer.h"

namespace sepconv::testing {

/// From ONNX's [out][in][kernel_h][kernel_w] to the panels of Convolution in layer/layer.h, element
/// by element; shares no code with the compiler's own packing.
std::vector<float> pack_convolution(const Convolution &layer, const std::vector<float> &oihw);

/// From ONNX's [channels * multiplier][1][kernel_h][kernel_w] to the order of Depthwise.
std::vector<float> pack_depthwise(const Depthwise &layer, const std::vector<float> &oihw);

/// Zeros behind the last channel, to whole panels.
std::vector<float> pack_bias(const std::vector<float> &bias);

/// From one value per channel * multiplier + m to [multiplier][round_up_to_panel(channels)].
std::vector<float> pack_depthwise_channels(const Depthwise &layer,
                                           const std::vector<float> &values);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_PACK_H_
