#ifndef SEPCONV_SCHEDULES_TILE_H_
#define SEPCONV_SCHEDULES_TILE_H_

#include <cstdint>

#include "schedules/target_facts.h"
#include "schedules/tuning.h"

namespace sepconv {

/// The register tile of a convolution over packed panels: `pixels` x `vectors` accumulators of
/// `lanes` values each. One step of the reduction reads `vectors` weight vectors and broadcasts
/// one input value a pixel.
struct Tile {
    int pixels = 1;
    int vectors = 1;
    int lanes = 4;

    int channels() const { return vectors * lanes; }
};

/// Vector registers that the inner loop holds: accumulators, the weight vectors of one step, one
/// broadcast, and without fused multiply-add the product.
int registers_of(const Tile &tile, const TargetFacts &facts);

/// The tile with the least time, by the model in tile.cpp, for `pixels` outputs in a row of a
/// convolution to `out_channels`; never more registers than the target has. Whole panels, or all
/// channels in one tile, so that weight vectors never straddle two panels.
Tile choose_tile(int64_t pixels, int out_channels, const TargetFacts &facts, const Tuning &tuning);

/// How a loop over `extent` values in vectors of `lanes` ends without leaving its bounds: the last
/// vector is moved back over values that are computed twice, equal; masks only where there is less
/// than one vector (Halide makes scalar code of masked loads behind a border's select).
Halide::TailStrategy vector_tail(int64_t extent, int lanes);

/// The largest divisor of `extent` that is at most `limit` (and at least 1).
int64_t divisor_at_most(int64_t extent, int64_t limit);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_TILE_H_
