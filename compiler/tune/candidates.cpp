#include "compiler/tune/candidates.h"

#include <algorithm>
#include <map>

#include "schedules/cost_model.h"

namespace sepconv {
namespace {

constexpr int kMostVectors = 16;
constexpr int kMostPixels = 32;

/// The tunings with one more field set, each value that is legal, beside those without it.
template<typename Values, typename Set>
void extend(const Kernel &kernel, const std::string &target, const Values &values, const Set &set,
            std::vector<Tuning> *tunings) {
    const size_t before = tunings->size();
    for (const auto &value : values) {
        Tuning alone;
        set(value, &alone);
        if (!check_tuning(kernel, alone, target).ok()) continue;
        for (size_t i = 0; i < before; ++i) {
            Tuning tuning = (*tunings)[i];
            set(value, &tuning);
            tunings->push_back(tuning);
        }
    }
}

std::vector<std::pair<int, int>> all_tiles() {
    std::vector<std::pair<int, int>> tiles;
    for (int vectors = 1; vectors <= kMostVectors; ++vectors) {
        // Fewer accumulators than hide the latency of the multiply-adds never win.
        for (int pixels = 1; pixels <= kMostPixels; ++pixels) {
            if (pixels * vectors >= 8) tiles.emplace_back(pixels, vectors);
        }
    }
    return tiles;
}

std::vector<int> divisors_of(int value) {
    std::vector<int> divisors;
    for (int i = 1; i <= value; ++i) {
        if (value % i == 0) divisors.push_back(i);
    }
    return divisors;
}

}  // namespace

std::vector<Tuning> candidates_of(const Kernel &kernel, const std::string &halide_target,
                                  size_t most) {
    const auto *block = std::get_if<Block>(&kernel);
    if (block == nullptr) return {};
    const auto extend_by = [&](const auto &values, const auto &set, std::vector<Tuning> *tunings) {
        extend(kernel, halide_target, values, set, tunings);
    };
    std::vector<Tuning> tunings(1);
    extend_by(
        all_tiles(),
        [](const std::pair<int, int> &tile, Tuning *tuning) {
            tuning->tile_pixels = tile.first;
            tuning->tile_vectors = tile.second;
        },
        &tunings);
    extend_by(
        divisors_of(block->output.height),
        [](int rows, Tuning *tuning) { tuning->strip_rows = rows; }, &tunings);
    extend_by(
        std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 14},
        [](int pixels, Tuning *tuning) { tuning->depthwise_pixels = pixels; }, &tunings);
    extend_by(
        std::vector<Order>{Order::kSliding, Order::kChannels},
        [](Order order, Tuning *tuning) { tuning->order = order; }, &tunings);
    std::vector<std::pair<double, Tuning>> rated;
    for (const Tuning &tuning : tunings) {
        if (tuning == Tuning{}) continue;
        rated.emplace_back(estimated_cycles(*block, tuning, halide_target), tuning);
    }
    std::stable_sort(rated.begin(), rated.end(),
                     [](const auto &a, const auto &b) { return a.first < b.first; });
    std::vector<Tuning> best;
    for (size_t i = 0; i < std::min(most, rated.size()); ++i) best.push_back(rated[i].second);
    return best;
}

}  // namespace sepconv
