#include "schedules/tile.h"

#include <algorithm>

#include "layer/layer.h"

namespace sepconv {
namespace {

/// Instructions of one reduction step that multiplies by lanes. Weights are loaded in pairs within
/// one panel; of several each vector has an address of its own.
double instructions(const Tile &tile, const TargetFacts &facts) {
    constexpr double kLoop = 4;  // Two addresses, counter and branch.
    const double inputs = tile.pixels;
    const double weights = tile.vectors / (tile.channels() <= kPanel ? 2.0 : 1.0);
    const int turns = has_registers_for_two_turns(tile, facts) ? 2 : 1;
    return tile.pixels * tile.vectors + weights + (inputs + kLoop / turns) / tile.k_steps;
}

bool legal(const Tile &tile, int out_channels, const TargetFacts &facts) {
    if (registers_of(tile, facts) > facts.registers) return false;
    const int padded = (out_channels + kPanel - 1) / kPanel * kPanel;
    const bool one_tile = tile.channels() >= out_channels && tile.channels() <= padded;
    if (one_tile) return true;
    // Narrow tiles have the registers for many pixels only where these share a vector of inputs.
    if (facts.multiply_lanes > 1 && kPanel % tile.channels() == 0) return true;
    return tile.channels() % kPanel == 0 && padded % tile.channels() == 0;
}

}  // namespace

int registers_of(const Tile &tile, const TargetFacts &facts) {
    // By lane: one vector of inputs a pixel, a pair of weight vectors.
    if (facts.multiply_lanes > 1) return tile.pixels * tile.vectors + tile.pixels + 2;
    const int product = facts.fused_multiply ? 0 : 1;
    return tile.pixels * tile.vectors + tile.vectors + 1 + product;
}

bool has_registers_for_two_turns(const Tile &tile, const TargetFacts &facts) {
    return registers_of(tile, facts) + tile.pixels <= facts.registers;
}

double tile_cycles(const Tile &tile, int64_t pixels, int out_channels, const TargetFacts &facts) {
    const int64_t tiles_x = (pixels + tile.pixels - 1) / tile.pixels;
    const int64_t tiles_c = (out_channels + tile.channels() - 1) / tile.channels();
    const auto tiles = static_cast<double>(tiles_x * tiles_c);
    if (tile.k_steps > 1) return tiles * std::max(instructions(tile, facts) / 2, 4.0);
    const double fma = std::max(tile.pixels * tile.vectors / 2.0, 4.0);
    const double loads = (tile.pixels + tile.vectors) / 2.0;
    const double loop = 0.25;  // Counter and branch, mostly hidden.
    return tiles * (std::max(fma, loads) + loop);
}

Tile choose_tile(int64_t pixels, int out_channels, const TargetFacts &facts, const Tuning &tuning) {
    Tile best{1, std::max(1, kPanel / facts.lanes), facts.lanes, facts.multiply_lanes};
    double best_cycles = tile_cycles(best, pixels, out_channels, facts);
    for (int lanes = facts.lanes; lanes >= std::min(facts.lanes, 8); lanes /= 2) {
        for (int vectors = 1; vectors * lanes <= 4 * kPanel; vectors++) {
            for (int64_t columns = std::min<int64_t>(pixels, facts.registers); columns >= 1;
                 columns--) {
                Tile tile{static_cast<int>(columns), vectors, lanes, facts.multiply_lanes};
                const int64_t wanted = tuning.tile_pixels > 0
                                           ? std::min<int64_t>(tuning.tile_pixels, pixels)
                                           : columns;
                if (columns != wanted) continue;
                if (tuning.tile_vectors > 0 && vectors != tuning.tile_vectors) continue;
                if (!legal(tile, out_channels, facts)) continue;
                if (tile.channels() < out_channels && tile.channels() < kPanel) {
                    tile.parts = kPanel / tile.channels();
                }
                const double cost = tile_cycles(tile, pixels, out_channels, facts);
                if (cost < best_cycles * 0.999) best = tile, best_cycles = cost;
            }
        }
    }
    return best;
}

int64_t divisor_at_most(int64_t extent, int64_t limit) {
    for (int64_t candidate = std::min(extent, limit); candidate > 1; candidate--) {
        if (extent % candidate == 0) return candidate;
    }
    return 1;
}

}  // namespace sepconv
