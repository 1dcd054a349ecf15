#include "layer/shape.h"

namespace sepconv {
namespace {

constexpr int64_t kFloatBytes = 4;

int64_t values_of(const Image &image) {
    return int64_t{image.channels} * image.width * image.height;
}

int64_t channel_and_scalar_values(const Epilogue &epilogue, int64_t channels) {
    int64_t values = 0;
    for (const Elementwise &step : epilogue) {
        values += step.operand == Operand::kChannel ? channels : 0;
        values += step.operand == Operand::kScalar ? 1 : 0;
    }
    return values;
}

Cost cost_of_kind(const Block &block) {
    Cost cost;
    const int64_t in_pixels = int64_t{block.input.width} * block.input.height;
    const int64_t out_pixels = int64_t{block.output.width} * block.output.height;
    int64_t values = values_of(block.input);
    if (block.expand) {
        const int64_t weights = int64_t{block.expand->in_channels} * block.expand->out_channels;
        cost.macs += weights * in_pixels;
        cost.parameters += weights + block.expand->out_channels;
        values += channel_and_scalar_values(block.expand->epilogue, block.expand->out_channels);
    }
    cost.standard_macs = cost.macs;
    if (block.depthwise) {
        const int64_t channels = int64_t{block.depthwise->channels} * block.depthwise->multiplier;
        const int64_t taps = block.depthwise->window.taps();
        cost.macs += channels * taps * out_pixels;
        cost.parameters += channels * taps + channels;
        values += channel_and_scalar_values(block.depthwise->epilogue, channels);
        const int64_t standard_channels =
            block.project ? int64_t{block.depthwise->channels} * block.project->out_channels
                          : channels;
        cost.standard_macs += standard_channels * taps * out_pixels;
    }
    if (block.project) {
        const Convolution &project = *block.project;
        const int64_t weights =
            int64_t{project.in_channels} * project.out_channels * project.window.taps();
        cost.macs += weights * out_pixels;
        cost.parameters += weights + project.out_channels;
        cost.standard_macs += block.depthwise ? 0 : weights * out_pixels;
        values += channel_and_scalar_values(project.epilogue, project.out_channels);
    }
    for (const Image &operand : block.operands) {
        values += values_of(operand);
    }
    cost.bytes_read = (values + cost.parameters) * kFloatBytes;
    cost.bytes_written = values_of(block.output) * kFloatBytes;
    return cost;
}

Cost cost_of_kind(const Pool &pool) {
    Cost cost;
    cost.bytes_read =
        (values_of(pool.input) + channel_and_scalar_values(pool.epilogue, pool.output.channels)) *
        kFloatBytes;
    cost.bytes_written = values_of(pool.output) * kFloatBytes;
    return cost;
}

Cost cost_of_kind(const Resize &resize) {
    Cost cost;
    const int64_t taps = resize.taps;
    cost.macs = taps == 1 ? 0 : taps * taps * values_of(resize.output);
    cost.standard_macs = cost.macs;
    const int64_t tables = 2 * taps * (int64_t{resize.output.height} + resize.output.width);
    cost.bytes_read = (values_of(resize.input) + tables +
                       channel_and_scalar_values(resize.epilogue, resize.output.channels)) *
                      kFloatBytes;
    cost.bytes_written = values_of(resize.output) * kFloatBytes;
    return cost;
}

/// Distinct elements: broadcast dimensions (stride 0) are read once.
int64_t distinct_values(const MapIndex &extent, const MapIndex &stride) {
    int64_t values = 1;
    for (size_t i = 0; i < extent.size(); ++i) {
        values *= stride[i] == 0 ? 1 : extent[i];
    }
    return values;
}

Cost cost_of_kind(const Map &map) {
    Cost cost;
    int64_t values = distinct_values(map.extent, map.input);
    for (const MapIndex &operand : map.operands) {
        values += distinct_values(map.extent, operand);
    }
    cost.bytes_read = values * kFloatBytes;
    cost.bytes_written = distinct_values(map.extent, map.output) * kFloatBytes;
    return cost;
}

Cost cost_of_kind(const Softmax &softmax) {
    Cost cost;
    cost.bytes_read = softmax.outer * softmax.extent * softmax.inner * kFloatBytes;
    cost.bytes_written = cost.bytes_read;
    return cost;
}

}  // namespace

Cost cost_of(const Kernel &kernel) {
    return std::visit([](const auto &kind) { return cost_of_kind(kind); }, kernel);
}

}  // namespace sepconv
