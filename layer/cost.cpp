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

int64_t weights_of(const Convolution &layer) {
    return int64_t{layer.in_channels} * layer.out_channels * layer.window.taps();
}

/// Pixels at which a stage is computed.
int64_t pixels_of(const Block &block, StageId id) {
    if (id == StageId::kReduce || id == StageId::kExcite) return 1;
    const Image &image = id == StageId::kExpand ? block.input : block.output;
    return int64_t{image.width} * image.height;
}

Cost cost_of_kind(const Block &block) {
    Cost cost;
    int64_t values = values_of(block.input);
    for (const StageRef &stage : stages_of(block)) {
        const int64_t pixels = pixels_of(block, stage.id);
        int64_t channels = stage.channels;
        int64_t weights = 0;
        if (stage.convolution != nullptr) weights = weights_of(*stage.convolution);
        if (stage.depthwise != nullptr) {
            channels *= stage.depthwise->multiplier;
            weights = channels * stage.depthwise->window.taps();
        }
        cost.macs += weights * pixels;
        cost.parameters += stage.id == StageId::kOutput ? 0 : weights + channels;
        values += channel_and_scalar_values(*stage.epilogue, channels);
    }
    cost.standard_macs = cost.macs;
    if (block.depthwise && block.project) {
        const Depthwise &depthwise = *block.depthwise;
        const int64_t taps = depthwise.window.taps();
        const int64_t pair =
            int64_t{depthwise.channels} * depthwise.multiplier * taps + weights_of(*block.project);
        const int64_t standard = int64_t{depthwise.channels} * block.project->out_channels * taps;
        cost.standard_macs += (standard - pair) * pixels_of(block, StageId::kProject);
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
