#include "tests/support/pack.h"

namespace sepconv::testing {
namespace {

size_t whole_panels(size_t channels) {
    return (channels + kPanel - 1) / kPanel;
}

}  // namespace

std::vector<float> pack_convolution(const Convolution &layer, const std::vector<float> &oihw) {
    const size_t taps = layer.window.taps();
    const size_t in_channels = layer.in_channels;
    std::vector<float> packed(whole_panels(layer.out_channels) * taps * in_channels * kPanel);
    for (size_t natural = 0; natural < oihw.size(); ++natural) {
        const size_t tap = natural % taps;
        const size_t in = natural / taps % in_channels;
        const size_t out = natural / taps / in_channels;
        const size_t panel = out / kPanel;
        packed[((panel * taps + tap) * in_channels + in) * kPanel + out % kPanel] = oihw[natural];
    }
    return packed;
}

std::vector<float> pack_depthwise(const Depthwise &layer, const std::vector<float> &oihw) {
    const size_t taps = layer.window.taps();
    const size_t multiplier = layer.multiplier;
    const size_t row = whole_panels(layer.channels) * kPanel;
    std::vector<float> packed(multiplier * taps * row);
    for (size_t natural = 0; natural < oihw.size(); ++natural) {
        const size_t tap = natural % taps;
        const size_t out = natural / taps;
        packed[(out % multiplier * taps + tap) * row + out / multiplier] = oihw[natural];
    }
    return packed;
}

std::vector<float> pack_bias(const std::vector<float> &bias) {
    std::vector<float> packed(bias);
    packed.resize(whole_panels(bias.size()) * kPanel);
    return packed;
}

std::vector<float> pack_depthwise_channels(const Depthwise &layer,
                                           const std::vector<float> &values) {
    const size_t multiplier = layer.multiplier;
    const size_t row = whole_panels(layer.channels) * kPanel;
    std::vector<float> packed(multiplier * row);
    for (size_t out = 0; out < values.size(); ++out) {
        packed[out % multiplier * row + out / multiplier] = values[out];
    }
    return packed;
}

}  // namespace sepconv::testing
