#include "compiler/pack.h"

#include "layer/layer.h"

namespace sepconv {
int64_t whole_panels(int64_t channels) {
    return (channels + kPanel - 1) / kPanel * kPanel;
}

std::vector<float> pack_convolution(int64_t out, int64_t in, int64_t kernel_h, int64_t kernel_w,
                                    const WeightAt &weight) {
    std::vector<float> packed;
    packed.reserve(whole_panels(out) * kernel_h * kernel_w * in);
    for (int64_t first = 0; first < out; first += kPanel) {
        for (int64_t ky = 0; ky < kernel_h; ky++) {
            for (int64_t kx = 0; kx < kernel_w; kx++) {
                for (int64_t ci = 0; ci < in; ci++) {
                    for (int64_t co = first; co < first + kPanel; co++) {
                        packed.push_back(co < out ? weight(co, ci, ky, kx) : 0.0F);
                    }
                }
            }
        }
    }
    return packed;
}

std::vector<float> pack_depthwise(int64_t channels, int64_t multiplier, int64_t kernel_h,
                                  int64_t kernel_w, const WeightAt &weight) {
    std::vector<float> packed;
    packed.reserve(multiplier * kernel_h * kernel_w * whole_panels(channels));
    for (int64_t m = 0; m < multiplier; m++) {
        for (int64_t ky = 0; ky < kernel_h; ky++) {
            for (int64_t kx = 0; kx < kernel_w; kx++) {
                for (int64_t c = 0; c < whole_panels(channels); c++) {
                    packed.push_back(c < channels ? weight(c * multiplier + m, 0, ky, kx) : 0.0F);
                }
            }
        }
    }
    return packed;
}

std::vector<float> pack_channels(int64_t channels, int64_t multiplier,
                                 const std::function<float(int64_t channel)> &value) {
    std::vector<float> packed;
    packed.reserve(multiplier * whole_panels(channels));
    for (int64_t m = 0; m < multiplier; m++) {
        for (int64_t c = 0; c < whole_panels(channels); c++) {
            packed.push_back(c < channels ? value(c * multiplier + m) : 0.0F);
        }
    }
    return packed;
}

}  // namespace sepconv
