#ifndef SEPCONV_SCHEDULES_TILE_H_
#define SEPCONV_SCHEDULES_TILE_H_

#include <cstdint>

#include "schedules/target_facts.h"
#include "schedules/tuning.h"

namespace sepconv {

/// The register tile of a convolution over packed panels: `pixels` x `vectors` accumulators of
/// `lanes` values each. One step of the reduction reads `vectors` weight vectors and broadcasts
/// one input value a pixel, or multiplies by a lane of the pixel's last `k_steps` values.
struct Tile {
    int pixels = 1;
    int vectors = 1;
    int lanes = 4;
    int k_steps = 1;  ///< Steps of the reduction whose input values are loaded as one vector.
    int parts = 1;    ///< Tiles that fill a panel one after the other, if they are narrower.

    int channels() const { return vectors * lanes; }
    int channels_of_parts() const { return parts * channels(); }
};

/// Vector registers that the inner loop holds: accumulators, the weight vectors of one step, one
/// broadcast, and without fused multiply-add the product; by lane a vector of inputs a pixel and a
/// pair of weight vectors.
int registers_of(const Tile &tile, const TargetFacts &facts);

/// Whether the inputs of 2 * k_steps steps can be in registers at once.
bool has_registers_for_two_turns(const Tile &tile, const TargetFacts &facts);

/// Cycles for one reduction step over all tiles of the row, in a machine with two FMA units of four
/// cycles' latency (so that fewer than eight accumulators leave them idle) and two loads a cycle.
/// Where the tile multiplies by lanes, in one that issues two instructions a cycle: cores in order
/// do not hide loads behind multiply-adds.
double tile_cycles(const Tile &tile, int64_t pixels, int out_channels, const TargetFacts &facts);

/// The tile with the least tile_cycles() for `pixels` outputs in a row of a
/// convolution to `out_channels`; never more registers than the target has. Whole panels, all
/// channels in one tile, or a whole part of a panel, so that a tile's weights never begin or end
/// inside another's panel.
Tile choose_tile(int64_t pixels, int out_channels, const TargetFacts &facts, const Tuning &tuning);

/// The largest divisor of `extent` that is at most `limit` (and at least 1).
int64_t divisor_at_most(int64_t extent, int64_t limit);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_TILE_H_
