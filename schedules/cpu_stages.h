#ifndef SEPCONV_SCHEDULES_CPU_STAGES_H_
#define SEPCONV_SCHEDULES_CPU_STAGES_H_

#include "algorithms/stages.h"
#include "schedules/block_choice.h"
#include "schedules/target_facts.h"
#include "schedules/tile.h"

namespace sepconv {

/// The loops of a consumer that walk down the rows: what a sliding producer keeps lives as long as
/// `task`, and is computed a strip at a time.
struct RowLoops {
    Halide::Func func;
    Halide::Var task, strip;
};

/// Which pixels a depthwise stage computes.
struct DepthwiseRows {
    int width = 0;
    int run = 1;                     ///< Pixels of one step.
    bool flat = false;               ///< x runs over all rows, y is 0.
    bool loads_may_overrun = false;  ///< A whole vector may be read behind the last channel.
    int channel_unit = 1;            ///< Channels are rounded up to it, where loads may overrun.
    bool in_channel_tasks = false;   ///< Tasks divide the channels.
};

/// Unrolls the tiles that fill a panel together, so that their weights have constant offsets in it:
/// splits the loop `cb` over tiles of a `func` and returns the new inner loop (else `cb`).
Halide::Var unroll_parts(Halide::Func func, const Halide::Var &cb, const Tile &tile);

/// How a loop over `extent` values in vectors of `lanes` ends without leaving its bounds: the last
/// vector is moved back over values that are computed twice, equal; masks only where there is less
/// than one vector (Halide makes scalar code of masked loads behind a border's select).
Halide::TailStrategy vector_tail(int64_t extent, int lanes);

/// Vectors may overrun the channels of the image.
bool vectors_may_overrun(const Image &image);

/// The register tile at `at` of `consumer`: accumulators never leave registers, one step of kc
/// reads `tile.vectors` weight vectors and broadcasts one input value a pixel, or takes it as a
/// lane of a vector that `tile.k_steps` steps share.
void schedule_accumulators(ConvolutionStage &stage, const Axes &axes, Halide::Func consumer,
                           const Halide::Var &at, const Tile &tile, const TargetFacts &facts);

/// Accumulators of a depthwise with many taps over a run of pixels at `at` of `consumer`, so that
/// every loaded weight serves them all; ky is a loop, kx unrolled. `masked`: the input's bounds are
/// exact and its channels no multiple of the lanes.
void schedule_taps(DepthwiseStage &stage, const Axes &axes, Halide::Func consumer,
                   const Halide::Var &at, bool masked, const TargetFacts &facts);

/// Depthwise rows inside a strip of their consumer. Few taps: one vector at a time, all taps in
/// flight. Many: schedule_taps.
void schedule_depthwise_strip(DepthwiseStage &stage, const Axes &axes, const Depthwise &layer,
                              const DepthwiseRows &rows, const RowLoops &at,
                              const TargetFacts &facts);

/// The same, stored whole; a task is `tile` channels of as many strips as the partition gives it.
RowLoops schedule_depthwise_channels(DepthwiseStage &stage, const Axes &axes,
                                     const Depthwise &layer, const DepthwiseRows &rows, int tile,
                                     const Partition &partition, const TargetFacts &facts);

/// A pointwise stage of `width` pixels a row that slides down the rows of its consumer: each strip
/// computes only the rows that the strip before it did not, into a ring of `ring_rows`. The
/// consumer reads `channels_read` channels at a time: all, or those of one tile.
void schedule_pointwise_sliding(ConvolutionStage &stage, const Axes &axes, const Tile &tile,
                                int channels_read, int width, int ring_rows, const RowLoops &at,
                                const TargetFacts &facts);

/// A pointwise stage of one pixel, in tasks of one tile each.
void schedule_pointwise_pixel(ConvolutionStage &stage, const Axes &axes, int channels,
                              const TargetFacts &facts);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_CPU_STAGES_H_
