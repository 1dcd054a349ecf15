#include "bench/blocks.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <limits>
#include <utility>

#include "bench/peak.h"
#include "bench/values.h"
#include "layer/shape.h"

namespace sepconv::bench {
namespace {

Status failed(const BlockShape &shape, const std::string &message) {
    return Status(StatusCode::kInternal,
                  fmt::format("{} ({}): {}", shape.name, describe(shape), message));
}

/// `values`, and room up to a whole number of lines; null where there is no memory.
Buffer buffer_of(const std::vector<float> &values) {
    constexpr size_t kLine = 64;
    const size_t bytes = values.size() * sizeof(float);
    Buffer buffer(static_cast<float *>(std::aligned_alloc(kLine, (bytes / kLine + 1) * kLine)));
    if (buffer != nullptr) std::memcpy(buffer.get(), values.data(), bytes);
    return buffer;
}

}  // namespace

Result<CheckedBlock> prepare(const std::string &tool, const BlockShape &shape,
                             const std::string &isa, const std::string &folder) {
    const Result<Block> block = block_of(shape);
    if (!block.ok()) return failed(shape, block.status().message());
    const Values values = random_values(shape.name, block.value());
    const Result<std::string> path = compile(tool, shape, values, isa, folder);
    if (!path.ok()) return failed(shape, path.status().message());
    Result<std::unique_ptr<Library>> library = Library::open(path.value(), shape.name, isa);
    if (!library.ok()) return failed(shape, library.status().message());

    CheckedBlock checked;
    checked.shape = shape;
    checked.macs = cost_of(block.value()).macs;
    checked.library = std::move(library).value();
    const Image &image = block.value().output;
    const size_t elements = static_cast<size_t>(image.channels) * image.width * image.height;
    checked.input = buffer_of(values.input);
    checked.output =
        buffer_of(std::vector<float>(elements, std::numeric_limits<float>::quiet_NaN()));
    if (checked.input == nullptr || checked.output == nullptr) {
        return failed(shape, "out of memory");
    }
    if (!checked.library->run(checked.input.get(), checked.output.get())) {
        return failed(shape, "the run failed");
    }
    const Result<double> error = check(block.value(), values, checked.output.get());
    if (!error.ok()) return failed(shape, error.status().message());
    checked.error = error.value();
    return checked;
}

Result<Samples> measure(std::vector<CheckedBlock> *blocks, const std::string &isa, int rounds,
                        int calls) {
    using Clock = std::chrono::steady_clock;
    Samples samples;
    samples.microseconds.resize(blocks->size());
    for (int round = 0; round < rounds; ++round) {
        samples.peaks.push_back(measure_peak(isa));
        for (size_t i = 0; i < blocks->size(); ++i) {
            CheckedBlock &block = (*blocks)[i];
            bool ok = block.library->run(block.input.get(), block.output.get());
            const Clock::time_point start = Clock::now();
            for (int call = 0; call < calls; ++call) {
                ok = block.library->run(block.input.get(), block.output.get()) && ok;
            }
            const std::chrono::duration<double, std::micro> elapsed = Clock::now() - start;
            if (!ok) return failed(block.shape, "a run failed");
            samples.microseconds[i].push_back(elapsed.count() / calls);
        }
    }
    samples.peaks.push_back(measure_peak(isa));
    return samples;
}

}  // namespace sepconv::bench
