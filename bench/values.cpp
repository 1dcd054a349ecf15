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

/// Weights of variance 1 / fan_in, and a bias.
void append_stage(testing::Random *random, const std::string &prefix, std::vector<int> shape,
                  std::vector<Parameter> *parameters) {
    const int fan_in = shape[1] * shape[2] * shape[3];
    const float bound = std::sqrt(3.0F / static_cast<float>(fan_in));
    const int channels = shape[0];
    const size_t count = static_cast<size_t>(channels) * fan_in;
    parameters->push_back(
        {prefix + "weights", std::move(shape), random->uniform(count, -bound, bound)});
    parameters->push_back(
        {prefix + "bias", {channels}, random->uniform(static_cast<size_t>(channels), -1, 1)});
}

/// The kernel's arguments before the output, as the reference takes them.
reference::Arguments arguments(const Block &block, const Values &values) {
    const auto doubles = [](const std::vector<float> &from) {
        return std::vector<double>(from.begin(), from.end());
    };
    reference::Arguments list{doubles(values.input)};
    auto next = values.parameters.begin();
    const auto append = [&](const std::vector<float> &packed_weights) {
        list.push_back(doubles(packed_weights));
        list.push_back(doubles(testing::pack_bias(next[1].values)));
        next += 2;
    };
    if (block.depthwise) append(testing::pack_depthwise(*block.depthwise, next->values));
    if (block.project) append(testing::pack_convolution(*block.project, next->values));
    return list;
}

}  // namespace

Values random_values(const std::string &name, const Block &block) {
    testing::Random random("bench " + name);
    Values values;
    values.input = random.uniform(elements_of(block.input), -2, 2);
    if (block.depthwise) {
        const Window &window = block.depthwise->window;
        append_stage(&random, "--",
                     {block.depthwise->channels, 1, window.kernel_h, window.kernel_w},
                     &values.parameters);
    }
    if (block.project) {
        append_stage(&random, block.depthwise ? "--pointwise-" : "--",
                     {block.project->out_channels, block.project->in_channels, 1, 1},
                     &values.parameters);
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
