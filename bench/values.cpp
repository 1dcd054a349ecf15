#include "bench/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "layer/arguments.h"
#include "tests/reference/reference.h"
#include "tests/support/pack.h"
#include "tests/support/random.h"

namespace sepconv::bench {
namespace {

size_t elements_of(const Image &image) {
    return static_cast<size_t>(image.channels) * image.width * image.height;
}

/// [out, in / group, kernel, kernel]
std::vector<int> weights_shape(const StageRef &stage) {
    if (const Depthwise *layer = stage.depthwise) {
        return {layer->channels * layer->multiplier, 1, layer->window.kernel_h,
                layer->window.kernel_w};
    }
    const Convolution &layer = *stage.convolution;
    return {layer.out_channels, layer.in_channels, layer.window.kernel_h, layer.window.kernel_w};
}

/// Stages with weights.
std::vector<StageRef> weighted_stages(const Block &block) {
    std::vector<StageRef> stages = stages_of(block);
    if (stages.back().id == StageId::kOutput) stages.pop_back();
    return stages;
}

/// The kernel's arguments before the output, as the reference takes them.
reference::Arguments arguments(const Block &block, const Values &values) {
    const std::vector<StageRef> stages = weighted_stages(block);
    const auto packed = [&](const KernelArgument &argument) {
        size_t at = 0;
        while (stages[at].id != argument.stage) ++at;
        const std::vector<float> &weights = values.parameters[2 * at].values;
        if (argument.role == Role::kBias) {
            return testing::pack_bias(values.parameters[2 * at + 1].values);
        }
        return stages[at].depthwise != nullptr
                   ? testing::pack_depthwise(*stages[at].depthwise, weights)
                   : testing::pack_convolution(*stages[at].convolution, weights);
    };
    reference::Arguments list;
    for (const KernelArgument &argument : arguments_of(block)) {
        if (argument.role == Role::kOutput) break;
        const bool tensor = argument.role == Role::kInput || argument.role == Role::kTensor;
        const std::vector<float> floats = tensor ? values.input : packed(argument);
        list.emplace_back(floats.begin(), floats.end());
    }
    return list;
}

}  // namespace

Values random_values(const std::string &name, const Block &block) {
    testing::Random random("bench " + name);
    Values values;
    values.input = random.uniform(elements_of(block.input), -2, 2);
    const std::vector<StageRef> stages = weighted_stages(block);
    for (const StageRef &stage : stages) {
        const bool primary = stage.id == StageId::kProject && block.cheap;
        const std::string named = primary ? "primary" : stage.name;
        const std::string only = stages.size() == 1 ? "" : named;
        const std::vector<int> shape = weights_shape(stage);
        const auto channels = static_cast<size_t>(shape[0]);
        const int fan_in = shape[1] * shape[2] * shape[3];
        const float bound = std::sqrt(3.0F / static_cast<float>(fan_in));  // Variance 1 / fan_in.
        values.parameters.push_back(
            {"--weights", only, shape, random.uniform(channels * fan_in, -bound, bound)});
        values.parameters.push_back({"--bias", only, {shape[0]}, random.uniform(channels, -1, 1)});
    }
    return values;
}

Status write_npy(const std::string &path, const Parameter &parameter) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    for (const int extent : parameter.shape) header += fmt::format("{},", extent);
    header += "), }";
    constexpr size_t kHeaderBytes = 118;  // With the 10 bytes before it a multiple of 64.
    header.resize(kHeaderBytes - 1, ' ');
    header += '\n';
    std::ofstream file(path, std::ios::binary);
    file.write("\x93NUMPY\x01\x00", 8).put(static_cast<char>(header.size())).put('\0') << header;
    file.write(reinterpret_cast<const char *>(parameter.values.data()),
               static_cast<std::streamsize>(parameter.values.size() * sizeof(float)));
    file.close();
    if (file) return Status();
    return Status(StatusCode::kIo, fmt::format("'{}': cannot be written", path));
}

Result<double> check(const Block &block, const Values &values, const float *output) {
    const std::vector<reference::OutputElement> expected =
        reference::compute(block, arguments(block, values));
    double largest = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        const double error = std::abs(output[i] - expected[i].bounded.value);
        if (!(error <= expected[i].bounded.error)) {  // NaN is further off.
            return Status(
                StatusCode::kInternal,
                fmt::format("wrong output at {}: expected {:.9g} +- {:.2g}, got {:.9g}",
                            reference::locate(block, static_cast<int64_t>(i)),
                            expected[i].bounded.value, expected[i].bounded.error, output[i]));
        }
        largest = std::max(largest, error);
    }
    return largest;
}

}  // namespace sepconv::bench
