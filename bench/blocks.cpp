#include "bench/blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>
#include <utility>

#include "bench/peak.h"
#include "bench/values.h"

namespace sepconv::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// Threads of a pool spin before they sleep, oneDNN's and XNNPACK's for some milliseconds: who is
/// measured next must not share the processors with them.
constexpr auto kRest = std::chrono::milliseconds(20);

Status failed(const BlockShape &shape, const std::string &message) {
    return Status(StatusCode::kInternal,
                  fmt::format("{} ({}): {}", shape.name, describe(shape), message));
}

/// At least a line behind the values may be read; null where there is no memory.
Buffer buffer_of(const std::vector<float> &values) {
    constexpr size_t kLine = 64;
    const size_t bytes = values.size() * sizeof(float);
    Buffer buffer(static_cast<float *>(std::aligned_alloc(kLine, (bytes / kLine + 2) * kLine)));
    if (buffer != nullptr) std::memcpy(buffer.get(), values.data(), bytes);
    return buffer;
}

/// The largest error of the block's values.
Result<double> run_and_check(PreparedBlock *block, const BlockData &data) {
    const Image &image = data.block.output;
    const size_t elements = static_cast<size_t>(image.channels) * image.width * image.height;
    std::fill_n(data.output, elements, std::numeric_limits<float>::quiet_NaN());
    if (!block->restore() || !block->run() || !block->fetch())
        return failed(data.shape, "the run failed");
    return check(data.block, data.values, data.output);
}

/// The first of the peer's ways to compute the block whose values are right.
Contender contend(Peer *peer, const BlockData &data) {
    Contender contender;
    Result<std::vector<std::unique_ptr<PreparedBlock>>> blocks = peer->prepare(data);
    if (!blocks.ok()) {
        contender.note = blocks.status().message();
        return contender;
    }
    std::string wrong;
    for (std::unique_ptr<PreparedBlock> &block : blocks.value()) {
        const Result<double> error = run_and_check(block.get(), data);
        if (error.ok()) {
            contender.note = block->setting() + wrong;
            contender.error = error.value();
            contender.block = std::move(block);
            return contender;
        }
        wrong += fmt::format("; not {}: {}", block->setting(), error.status().message());
    }
    contender.note = wrong.substr(2);
    return contender;
}

/// Microseconds of a call; negative where one failed.
double time_calls(PreparedBlock *block, int calls) {
    bool ok = true;
    const Clock::time_point start = Clock::now();
    for (int call = 0; call < calls; ++call) ok = block->run() && ok;
    const std::chrono::duration<double, std::micro> elapsed = Clock::now() - start;
    return ok ? elapsed.count() / calls : -1;
}

/// As many calls as the wanted time takes.
void choose_calls(double wanted, Contender *contender) {
    constexpr int kTries = 5;
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < kTries; ++i) best = std::min(best, time_calls(contender->block.get(), 1));
    contender->calls = std::max(1, static_cast<int>(std::ceil(wanted / std::max(best, 0.1))));
}

}  // namespace

Result<CheckedBlock> prepare(const std::string &table, const BlockShape &shape,
                             const std::vector<std::unique_ptr<Peer>> &peers) {
    const Result<Block> block = block_of(shape);
    if (!block.ok()) return failed(shape, block.status().message());
    const Values values = random_values(shape.name, block.value());
    const Image &image = block.value().output;
    const size_t elements = static_cast<size_t>(image.channels) * image.width * image.height;

    CheckedBlock checked;
    checked.table = table;
    checked.shape = shape;
    checked.cost = cost_of(block.value());
    checked.input = buffer_of(values.input);
    checked.output = buffer_of(std::vector<float>(elements));
    if (checked.input == nullptr || checked.output == nullptr) {
        return failed(shape, "out of memory");
    }
    const BlockData data = {
        table, shape, block.value(), values, checked.input.get(), checked.output.get()};
    for (const std::unique_ptr<Peer> &peer : peers) {
        checked.contenders.push_back(contend(peer.get(), data));
    }
    const Contender &ours = checked.contenders.front();
    if (ours.block == nullptr) return failed(shape, ours.note);
    return checked;
}

Result<std::vector<double>> measure(const MeasureOptions &options,
                                    std::vector<CheckedBlock> *blocks) {
    std::vector<double> peaks;
    for (CheckedBlock &block : *blocks) {
        for (Contender &contender : block.contenders) {
            if (contender.block == nullptr) continue;
            choose_calls(options.sample_microseconds, &contender);
        }
    }
    for (int round = 0; round < options.rounds; ++round) {
        for (CheckedBlock &block : *blocks) {
            if (options.cores.size() > 1) std::this_thread::sleep_for(kRest);
            peaks.push_back(measure_peak(options.isa, options.cores));
            const size_t count = block.contenders.size();
            for (size_t i = 0; i < count; ++i) {
                Contender &contender = block.contenders[(i + round) % count];
                if (contender.block == nullptr) continue;
                if (options.cores.size() > 1) std::this_thread::sleep_for(kRest);
                const double warm = time_calls(contender.block.get(), 1);
                const double time = time_calls(contender.block.get(), contender.calls);
                if (warm < 0 || time < 0) return failed(block.shape, "a run failed");
                contender.microseconds.push_back(time);
            }
        }
    }
    return peaks;
}

}  // namespace sepconv::bench
