#ifndef SEPCONV_COMPILER_PACK_H_
#define SEPCONV_COMPILER_PACK_H_

#include <cstdint>
#include <functional>
#include <vector>

namespace sepconv {

/// The next multiple of 16.
int64_t whole_panels(int64_t channels);

/// weight(out_channel, in_channel, ky, kx) of a convolution that is being packed.
using WeightAt = std::function<float(int64_t co, int64_t ci, int64_t ky, int64_t kx)>;

/// [ceil(out / 16)][kernel_h][kernel_w][in][16], zero behind the last channel.
std::vector<float> pack_convolution(int64_t out, int64_t in, int64_t kernel_h, int64_t kernel_w,
                                    const WeightAt &weight);

/// [multiplier][kernel_h][kernel_w][round_up(channels, 16)]; `weight` is asked for output channel
/// c * multiplier + m and input channel 0.
std::vector<float> pack_depthwise(int64_t channels, int64_t multiplier, int64_t kernel_h,
                                  int64_t kernel_w, const WeightAt &weight);

/// value(output channel) for a bias or per-channel operand: [round_up(channels, 16)], or with a
/// multiplier [multiplier][round_up(channels, 16)] asked for c * multiplier + m.
std::vector<float> pack_channels(int64_t channels, int64_t multiplier,
                                 const std::function<float(int64_t channel)> &value);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_PACK_H_
