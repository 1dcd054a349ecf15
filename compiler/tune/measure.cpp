#include "compiler/tune/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "compiler/commands/loaded_library.h"
#include "compiler/files.h"
#include "compiler/process.h"
#include "compiler/tune/kernel_plan.h"

namespace sepconv {
namespace {

constexpr int kMostRounds = 60, kFirstLook = 10, kLookEvery = 5;
constexpr double kClearlySlower = 1.02;
/// Of a round of one library: far above what the clock resolves.
constexpr double kRoundMicroseconds = 500;

/// A library with buffers of its own.
struct Contender {
    std::unique_ptr<LoadedLibrary> library;
    std::vector<std::vector<float>> inputs;
    std::vector<float> output;

    Status run() {
        std::vector<const void *> in;
        for (const std::vector<float> &input : inputs) in.push_back(input.data());
        void *out = output.data();
        return library->run(in.data(), &out);
    }
    /// Microseconds a run, of `repeat` in a row.
    double time(int repeat) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < repeat; ++i) {
            if (!run().ok()) return std::nan("");
        }
        const std::chrono::duration<double, std::micro> spent =
            std::chrono::steady_clock::now() - start;
        return spent.count() / repeat;
    }
};

Result<Contender> load(const Plan &plan, const std::string &path, int threads) {
    Contender contender;
    Result<std::unique_ptr<LoadedLibrary>> library =
        LoadedLibrary::open(path, "kernel", threads, false);
    if (!library.ok()) return library.status();
    contender.library = std::move(library).value();
    contender.inputs = random_inputs(plan);
    contender.output.resize(static_cast<size_t>(plan.outputs[0].shape[0]));
    SEPCONV_RETURN_IF_ERROR(contender.run());
    return contender;
}

/// Both sum the same products in another order: far closer than what a wrong one would do.
Status check_values(const std::vector<float> &expected, const std::vector<float> &got) {
    constexpr float kBound = 1e-4F;
    float most = 1;
    for (const float value : expected) most = std::max(most, std::fabs(value));
    for (size_t i = 0; i < expected.size(); ++i) {
        if (std::fabs(got[i] - expected[i]) <= kBound * most) continue;  // Not so with NaN.
        return Status(StatusCode::kInternal,
                      fmt::format("wrong: value {} is {}, expected {}", i, got[i], expected[i]));
    }
    return Status();
}

Status measure(const Plan &plan, const std::string &reference_path,
               const std::string &contender_path, int threads, const std::string &result) {
    Result<Contender> reference = load(plan, reference_path, threads);
    if (!reference.ok()) return reference.status();
    Result<Contender> contender = load(plan, contender_path, threads);
    if (!contender.ok()) return contender.status();
    SEPCONV_RETURN_IF_ERROR(check_values(reference.value().output, contender.value().output));
    const double once = std::max(0.1, reference.value().time(3));
    const int repeat = std::clamp(static_cast<int>(kRoundMicroseconds / once), 1, 1000);
    std::vector<double> ratios, times;
    Measurement found;
    for (int round = 0; round < kMostRounds; ++round) {
        // In turn: who runs first changes.
        double before = 0, after = 0;
        if (round % 2 == 0) before = reference.value().time(repeat);
        after = contender.value().time(repeat);
        if (round % 2 != 0) before = reference.value().time(repeat);
        if (!std::isfinite(after / before)) {
            return Status(StatusCode::kInternal, "a run has failed");
        }
        ratios.push_back(after / before);
        times.push_back(after);
        const int rounds = round + 1;
        if (rounds < kFirstLook || rounds % kLookEvery != 0) continue;
        found = interval_of(ratios);
        if (found.low > kClearlySlower) break;
    }
    std::sort(times.begin(), times.end());
    return write_file(result, fmt::format("{} {} {} {}\n", times[times.size() / 2], found.ratio,
                                          found.low, found.high));
}

}  // namespace

Measurement interval_of(std::vector<double> ratios) {
    std::sort(ratios.begin(), ratios.end());
    // Normal approximation of the binomial ranks: n / 2 -+ 1.96 * sqrt(n) / 2.
    const auto n = static_cast<double>(ratios.size());
    const double half = 0.98 * std::sqrt(n);
    const auto last = static_cast<double>(ratios.size() - 1);
    const auto at = [&](double rank) {
        return ratios[static_cast<size_t>(std::clamp(rank, 0.0, last))];
    };
    Measurement result;
    result.ratio = (at(std::floor((n - 1) / 2)) + at(std::ceil((n - 1) / 2))) / 2;
    result.low = at(std::floor(n / 2 - half) - 1);
    result.high = at(std::ceil(n / 2 + half));
    return result;
}

Result<Measurement> compare(const Plan &plan, const std::string &reference,
                            const std::string &contender, const MeasureOptions &options) {
    const std::string result = options.folder + "/measurement";
    Child child;
    child.what = "candidate";
    child.seconds = options.seconds;
    child.work = [&] { return measure(plan, reference, contender, options.threads, result); };
    Measurement found;
    SEPCONV_RETURN_IF_ERROR(run_children({child}, 1, [&](size_t) -> Status {
        const Result<std::string> text = read_file(result);
        if (!text.ok()) return text.status();
        if (std::sscanf(text.value().c_str(), "%lf %lf %lf %lf", &found.microseconds, &found.ratio,
                        &found.low, &found.high) != 4) {
            return Status(StatusCode::kInternal, "a measurement is not readable");
        }
        return Status();
    }));
    return found;
}

}  // namespace sepconv
