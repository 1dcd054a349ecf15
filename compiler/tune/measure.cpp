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

using Library = std::unique_ptr<LoadedLibrary>;

/// Two libraries of one kernel. They share inputs, output and arena: where a buffer lies against
/// another one can be worth a third of the time.
class Pair {
public:
    static Result<Pair> open(const Plan &plan, const std::string &reference,
                             const std::string &contender, int threads) {
        Pair pair;
        size_t bytes = 0;
        for (const std::string &path : {reference, contender}) {
            Result<Library> library = LoadedLibrary::open(path, "kernel");
            if (!library.ok()) return library.status();
            bytes = std::max(bytes, library.value()->arena_bytes(threads));
            pair.libraries_.push_back(std::move(library).value());
        }
        pair.arena_ = aligned(bytes / sizeof(float) + 1);
        for (const std::vector<float> &values : random_inputs(plan)) {
            pair.inputs_.push_back(aligned(values.size()));
            std::copy(values.begin(), values.end(), pair.inputs_.back()[0].values);
        }
        pair.elements_ = static_cast<size_t>(plan.outputs[0].shape[0]);
        pair.output_ = aligned(pair.elements_);
        sepconv_options_t options = {};
        options.num_threads = threads;
        options.arena = pair.arena_.data();
        options.arena_bytes = bytes;
        for (const Library &library : pair.libraries_) {
            SEPCONV_RETURN_IF_ERROR(library->start(options));
        }
        return pair;
    }

    Status run(int which) {
        std::vector<const void *> in;
        for (const Aligned &input : inputs_) in.push_back(input.data());
        void *out = output_.data();
        return libraries_[static_cast<size_t>(which)]->run(in.data(), &out);
    }

    /// Microseconds a run, of `repeat` in a row.
    double time(int which, int repeat) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < repeat; ++i) {
            if (!run(which).ok()) return std::nan("");
        }
        const std::chrono::duration<double, std::micro> spent =
            std::chrono::steady_clock::now() - start;
        return spent.count() / repeat;
    }

    std::vector<float> output() const {
        const float *values = output_[0].values;
        return std::vector<float>(values, values + elements_);
    }

private:
    /// As the arena of a model has its tensors.
    struct alignas(64) Line {
        float values[16];
    };
    using Aligned = std::vector<Line>;

    static Aligned aligned(size_t elements) {
        return Aligned(elements / std::size(Line{}.values) + 1);
    }

    std::vector<Library> libraries_;
    Aligned arena_, output_;
    std::vector<Aligned> inputs_;
    size_t elements_ = 0;
};

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
    Result<Pair> opened = Pair::open(plan, reference_path, contender_path, threads);
    if (!opened.ok()) return opened.status();
    Pair &pair = opened.value();
    SEPCONV_RETURN_IF_ERROR(pair.run(0));
    const std::vector<float> expected = pair.output();
    SEPCONV_RETURN_IF_ERROR(pair.run(1));
    SEPCONV_RETURN_IF_ERROR(check_values(expected, pair.output()));
    const double once = std::max(0.1, pair.time(0, 3));
    const int repeat = std::clamp(static_cast<int>(kRoundMicroseconds / once), 1, 1000);
    std::vector<double> ratios, times;
    Measurement found;
    for (int round = 0; round < kMostRounds; ++round) {
        // In turn: who runs first changes.
        double before = 0, after = 0;
        if (round % 2 == 0) before = pair.time(0, repeat);
        after = pair.time(1, repeat);
        if (round % 2 != 0) before = pair.time(0, repeat);
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

Result<Measurement> confirm(const Plan &plan, const std::string &reference,
                            const std::string &contender, const MeasureOptions &options) {
    constexpr int kTimes = 3;
    std::vector<Measurement> all;
    for (int i = 0; i < kTimes; ++i) {
        const std::string copies[] = {options.folder + "/reference.so",
                                      options.folder + "/contender.so"};
        const std::string *from[] = {&reference, &contender};
        for (int c = 0; c < 2; ++c) {
            const Result<std::string> bytes = read_file(*from[c]);
            if (!bytes.ok()) return bytes.status();
            SEPCONV_RETURN_IF_ERROR(write_file(copies[c], bytes.value()));
        }
        const Result<Measurement> one = compare(plan, copies[0], copies[1], options);
        if (!one.ok()) return one.status();
        all.push_back(one.value());
    }
    std::sort(all.begin(), all.end(),
              [](const Measurement &a, const Measurement &b) { return a.ratio < b.ratio; });
    Measurement result = all[kTimes / 2];
    for (const Measurement &one : all) {
        result.low = std::min(result.low, one.low);
        result.high = std::max(result.high, one.high);
    }
    return result;
}

}  // namespace sepconv
