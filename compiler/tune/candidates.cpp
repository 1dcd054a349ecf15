#include "compiler/tune/candidates.h"

#include <Halide.h>

#include <algorithm>
#include <functional>

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
    return distinct(tunings, most);
}

std::vector<Tuning> Candidates::neighbours(const Tuning &tuning) const {
    std::vector<Tuning> tunings;
    for (const std::vector<Change> &changes : changes_of(*block_)) {
        for (const Change &change : changes) {
            Tuning changed = tuning;
            change(&changed);
            if (changed == tuning || !check_tuning(*block_, changed, target_).ok()) continue;
            tunings.push_back(changed);
        }
    }
    return distinct(tunings, tunings.size());
}

CostTerms Candidates::terms(const Tuning &tuning) const {
    return cost_terms(*block_, choose(*block_, facts_, tuning), facts_);
}

double Candidates::estimate(const Tuning &tuning) const {
    return estimated_cycles(*block_, choose(*block_, facts_, tuning), facts_);
}

std::vector<Tuning> Candidates::distinct(const std::vector<Tuning> &tunings, size_t most) const {
    struct Rated {
        double cycles;
        Tuning tuning;
        BlockChoice choice;
    };
    std::vector<Rated> rated;
    for (const Tuning &tuning : tunings) {
        const BlockChoice choice = choose(*block_, facts_, tuning);
        rated.push_back({estimated_cycles(*block_, choice, facts_), tuning, choice});
    }
    std::stable_sort(rated.begin(), rated.end(),
                     [](const Rated &a, const Rated &b) { return a.cycles < b.cycles; });
    std::vector<Rated> kept{{0, Tuning{}, choose(*block_, facts_, Tuning{})}};
    for (const Rated &one : rated) {
        if (kept.size() > most) break;
        const bool known = std::any_of(kept.begin(), kept.end(), [&one](const Rated &other) {
            return other.choice == one.choice;
        });
        if (!known) kept.push_back(one);
    }
    std::vector<Tuning> result;
    for (size_t i = 1; i < kept.size(); ++i) result.push_back(kept[i].tuning);
    return result;
}

}  // namespace sepconv
