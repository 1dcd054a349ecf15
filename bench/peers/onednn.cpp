// oneDNN: of the ways to make a block of its primitives, the fastest for this block.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>

#include "bench/peers/onednn_chain.h"

// Of libgomp, on which Debian's oneDNN runs; the header belongs to one compiler.
extern "C" void omp_set_num_threads(int threads);

namespace sepconv::bench {
namespace {

/// Seconds of the best of a few runs; endless where one fails.
double seconds_of(PreparedBlock *block) {
    using Clock = std::chrono::steady_clock;
    constexpr int kRuns = 20;
    constexpr double kEnough = 0.1;
    double best = std::numeric_limits<double>::infinity();
    double sum = 0;
    for (int run = 0; run < kRuns && sum < kEnough; ++run) {
        const Clock::time_point start = Clock::now();
        if (!block->run()) return std::numeric_limits<double>::infinity();
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        best = std::min(best, seconds);
        sum += seconds;
    }
    return best;
}

class Onednn : public Peer {
public:
    explicit Onednn(std::string isa) : isa_(std::move(isa)), engine_(dnnl::engine::kind::cpu, 0) {}
    std::string name() const override { return "oneDNN"; }
    std::string facts() const override {
        const dnnl_version_t *version = dnnl_version();
        return fmt::format(
            "{}.{}.{}, at most {}, per block the fastest of NHWC, NHWC at the ends and its own "
            "layout (at the ends too)",
            version->major, version->minor, version->patch, isa_);
    }
    Result<std::vector<std::unique_ptr<PreparedBlock>>> prepare(const BlockData &data) override;

private:
    std::string isa_;
    dnnl::engine engine_;
};

Result<std::vector<std::unique_ptr<PreparedBlock>>> Onednn::prepare(const BlockData &data) {
    std::multimap<double, std::unique_ptr<PreparedBlock>> by_time;
    std::string reason;
    for (const OnednnVariant &variant : onednn_variants(data.block)) {
        try {
            auto chain = std::make_unique<OnednnChain>(engine_, variant, data);
            const double seconds = seconds_of(chain.get());
            by_time.emplace(seconds, std::move(chain));
        } catch (const std::exception &error) {
            reason = error.what();
        }
    }
    if (by_time.empty()) return Status(StatusCode::kUnsupported, reason);
    std::vector<std::unique_ptr<PreparedBlock>> blocks;
    for (auto &[seconds, block] : by_time) blocks.push_back(std::move(block));
    return blocks;
}

}  // namespace

Result<std::unique_ptr<Peer>> make_onednn(const PeerOptions &options) {
    const std::map<std::string, dnnl::cpu_isa> known = {{"sse41", dnnl::cpu_isa::sse41},
                                                        {"avx2", dnnl::cpu_isa::avx2},
                                                        {"avx512", dnnl::cpu_isa::all}};
    if (dnnl::set_max_cpu_isa(known.at(options.isa)) != dnnl::status::success) {
        return Status(StatusCode::kUnsupported, fmt::format("cannot be held to {}", options.isa));
    }
    omp_set_num_threads(options.threads);
    try {
        return {std::make_unique<Onednn>(options.isa)};
    } catch (const std::exception &error) {
        return Status(StatusCode::kUnsupported, error.what());
    }
}

}  // namespace sepconv::bench
