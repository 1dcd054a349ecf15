#ifndef SEPCONV_LAYER_SHAPE_H_
#define SEPCONV_LAYER_SHAPE_H_

#include <cstdint>

#include "layer/layer.h"
#include "layer/status.h"

namespace sepconv {

enum class PaddingMode {
    kExplicit,   ///< The window's own four numbers.
    kSameUpper,  ///< out = ceil(in / stride), the odd pixel at the end.
    kSameLower,  ///< out = ceil(in / stride), the odd pixel at the start.
    kValid,      ///< No padding.
    kHalf,       ///< (kernel - stride + 1) / 2 on every side.
};

/// Taps of a dilated kernel, first to last: (kernel - 1) * dilation + 1.
int64_t dilated_extent(int64_t kernel, int64_t dilation);

/// floor((in + before + after - dilated) / stride) + 1, with `ceil` the rounding up of ONNX's
/// ceil_mode (whose last window must start inside the image or its leading padding). At most 0 when
/// the kernel is larger than the padded input.
int64_t output_extent(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
                      int64_t after, bool ceil = false);

/// Resolves `mode` for an input of `height` x `width` into the window's four pads.
Window with_padding(Window window, PaddingMode mode, int height, int width);

/// A dense channels-last image: stride_c 1, stride_x channels, stride_y channels * width.
Image dense_image(int channels, int width, int height, bool padded);

/// round_up(channels, kPanel)
int round_up_to_panel(int channels);

/// Every rejection of a kernel description, naming the field. Kernels passed on are valid.
Status validate(const Kernel &kernel);

/// What a kernel costs, for reports and rooflines.
struct Cost {
    int64_t macs = 0;           ///< Multiply-accumulates.
    int64_t parameters = 0;     ///< Weights and biases, unpadded.
    int64_t bytes_read = 0;     ///< Input, operands and parameters, each once.
    int64_t bytes_written = 0;  ///< Output, once.
    /// MACs if each depthwise + pointwise pair were one standard convolution k x k of the same
    /// outer shape; equal to `macs` where there is no such pair.
    int64_t standard_macs = 0;
};
Cost cost_of(const Kernel &kernel);

}  // namespace sepconv

#endif  // SEPCONV_LAYER_SHAPE_H_
