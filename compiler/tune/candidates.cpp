#include "compiler/tune/candidates.h"

#include <Halide.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "schedules/block_choice.h"

namespace sepconv {
namespace {

constexpr int kMostVectors = 16;
constexpr int kMostPixels = 32;
constexpr int kRuns[] = {1, 2, 3, 4, 5, 6, 7, 8, 14};

using Change = std::function<void(Tuning *)>;

/// The values of one field, legal or not, the one that sets nothing first.
std::vector<Change> tile_changes() {
    std::vector<Change> changes;
    const auto add = [&changes](int pixels, int vectors) {
        changes.emplace_back([=](Tuning *tuning) {
            tuning->tile_pixels = pixels;
            tuning->tile_vectors = vectors;
        });
    };
    add(0, 0);
    for (int vectors = 1; vectors <= kMostVectors; ++vectors) {
        // Fewer accumulators than hide the latency of the multiply-adds never win.
        for (int pixels = 1; pixels <= kMostPixels; ++pixels) {
            if (pixels * vectors >= 8) add(pixels, vectors);
        }
    }
    return changes;
}

std::vector<Change> strip_changes(int height) {
    std::vector<Change> changes;
    for (int rows = 0; rows <= height; ++rows) {
        if (rows > 0 && height % rows != 0) continue;
        changes.emplace_back([rows](Tuning *tuning) { tuning->strip_rows = rows; });
    }
    return changes;
}

std::vector<Change> depthwise_changes() {
    std::vector<Change> changes{[](Tuning *tuning) { tuning->depthwise_pixels = 0; }};
    for (const int pixels : kRuns) {
        changes.emplace_back([pixels](Tuning *tuning) { tuning->depthwise_pixels = pixels; });
    }
    return changes;
}

std::vector<Change> order_changes() {
    std::vector<Change> changes;
    for (const Order order : {Order::kAuto, Order::kSliding, Order::kChannels}) {
        changes.emplace_back([order](Tuning *tuning) { tuning->order = order; });
    }
    return changes;
}

std::vector<std::vector<Change>> changes_of(const Block &block) {
    return {tile_changes(), strip_changes(block.output.height), depthwise_changes(),
            order_changes()};
}

}  // namespace

Candidates::Candidates(const Block &block, const std::string &halide_target)
    : block_(&block), facts_(facts_of(Halide::Target(halide_target))), target_(halide_target) {}

std::vector<Tuning> Candidates::all(size_t most) const {
    std::vector<Tuning> tunings(1);
    for (const std::vector<Change> &changes : changes_of(*block_)) {
        std::vector<Tuning> extended;
        for (const Change &change : changes) {
            Tuning alone;
            change(&alone);
            // Fields are legal or not one by one.
            if (!check_tuning(*block_, alone, target_).ok()) continue;
            for (Tuning tuning : tunings) {
                change(&tuning);
                extended.push_back(tuning);
            }
        }
        tunings = std::move(extended);
    }
    return distinct(by_estimate(tunings), {Tuning{}}, most);
}

std::vector<Tuning> Candidates::neighbours(const Tuning &tuning, std::vector<Tuning> tried,
                                           size_t most) const {
    tried.emplace_back();
    std::vector<std::vector<Tuning>> fields;
    size_t longest = 0;
    for (const std::vector<Change> &changes : changes_of(*block_)) {
        std::vector<Tuning> changed;
        for (const Change &change : changes) {
            Tuning other = tuning;
            change(&other);
            if (other == tuning || !check_tuning(*block_, other, target_).ok()) continue;
            changed.push_back(other);
        }
        fields.push_back(distinct(by_estimate(changed), tried, changed.size()));
        longest = std::max(longest, fields.back().size());
    }
    std::vector<Tuning> dealt;
    for (size_t i = 0; i < longest; ++i) {
        for (const std::vector<Tuning> &field : fields) {
            if (i < field.size()) dealt.push_back(field[i]);
        }
    }
    return distinct(dealt, tried, most);
}

CostTerms Candidates::terms(const Tuning &tuning) const {
    return cost_terms(*block_, choose(*block_, facts_, tuning), facts_);
}

double Candidates::estimate(const Tuning &tuning) const {
    return estimated_cycles(*block_, choose(*block_, facts_, tuning), facts_);
}

std::vector<Tuning> Candidates::by_estimate(const std::vector<Tuning> &tunings) const {
    std::vector<std::pair<double, Tuning>> rated;
    for (const Tuning &tuning : tunings) rated.emplace_back(estimate(tuning), tuning);
    std::stable_sort(rated.begin(), rated.end(),
                     [](const auto &a, const auto &b) { return a.first < b.first; });
    std::vector<Tuning> sorted;
    for (const auto &[cycles, tuning] : rated) sorted.push_back(tuning);
    return sorted;
}

std::vector<Tuning> Candidates::distinct(const std::vector<Tuning> &tunings,
                                         const std::vector<Tuning> &tried, size_t most) const {
    std::vector<BlockChoice> known;
    for (const Tuning &tuning : tried) known.push_back(choose(*block_, facts_, tuning));
    std::vector<Tuning> kept;
    for (const Tuning &tuning : tunings) {
        if (kept.size() == most) break;
        const BlockChoice choice = choose(*block_, facts_, tuning);
        if (std::find(known.begin(), known.end(), choice) != known.end()) continue;
        known.push_back(choice);
        kept.push_back(tuning);
    }
    return kept;
}

}  // namespace sepconv
