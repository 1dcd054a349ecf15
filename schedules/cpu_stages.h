#ifndef SEPCONV_SCHEDULES_CPU_STAGES_H_
#define SEPCONV_SCHEDULES_CPU_STAGES_H_

#include "algorithms/stages.h"
#include "schedules/target_facts.h"
#include "schedules/tile.h"
#include "schedules/tuning.h"

namespace sepconv {

/// The loops of a consumer that walk down the rows: what a sliding producer keeps lives as long as
/// `task`, and is computed a strip at a time.
struct RowLoops {
    Halide::Func func;
    Halide::Var task, strip;
};

/// Strips of a stage's rows, and the parallel tasks that they make.
struct Partition {
    int64_t rows = 1;          ///< Of a strip; divides the height.
    int64_t strips = 1;        ///< In all.
    int64_t tasks = 1;         ///< Divides `strips`.
    bool by_channels = false;  ///< Tasks are tiles of channels instead; one strip.
};

/// Which pixels a depthwise stage computes.
struct DepthwiseRows {
    int width = 0;
    bool flat = false;               ///< x runs over all rows, y is 0.
    bool loads_may_overrun = false;  ///< A whole vector may be read behind the last channel.
    int channel_unit = 1;            ///< Channels are rounded up to it, where loads may overrun.
    bool in_channel_tasks = false;   ///< Tasks divide the channels.
};

/// Unrolls the tiles that fill a panel together, so that their weights have constant offsets in it:
/// splits the loop `cb` over tiles of a `func` and returns the new inner loop (else `cb`).
Halide::Var unroll_parts(Halide::Func func, const Halide::Var &cb, const Tile &tile);

/// Vectors may overrun the channels of the image.
bool vectors_may_overrun(const Image &image);

int round_up(int value, int unit);

/// Pixels that one step of a depthwise computes. With many taps so many that their accumulators and
/// the input vectors that they share (stride_w a pixel) fill the registers; if possible a divisor
/// of the row, so that no pixel is computed twice and only its first and last step meet the border.
int depthwise_run(const Window &window, int width, bool many_taps, const TargetFacts &facts,
                  const Tuning &tuning, int few_taps_run);

/// The same inside a block where taps are few: divides the row.
int few_taps_run(int width, const TargetFacts &facts);

/// Rows that a window reads for `rows` of its output.
int window_rows(const Window &window, int64_t rows);

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
                              const TargetFacts &facts, const Tuning &tuning);

/// The same, stored whole; a task is `tile` channels of as many strips as the partition gives it.
RowLoops schedule_depthwise_channels(DepthwiseStage &stage, const Axes &axes,
                                     const Depthwise &layer, const DepthwiseRows &rows, int tile,
                                     const Partition &partition, const TargetFacts &facts,
                                     const Tuning &tuning);

/// A pointwise stage of `width` pixels a row that slides down the rows of its consumer: each strip
/// computes only the rows that the strip before it did not, into a ring of `ring_rows`. The
/// consumer reads `channels_read` channels at a time: all, or those of one tile.
void schedule_pointwise_sliding(ConvolutionStage &stage, const Axes &axes, const Tile &tile,
                                int channels_read, int width, int ring_rows, const RowLoops &at,
                                const TargetFacts &facts);

/// A pointwise stage of one pixel, in tasks of one tile each.
void schedule_pointwise_pixel(ConvolutionStage &stage, const Axes &axes, int channels,
                              const TargetFacts &facts);

/// The tile of a pointwise stage with `width` pixels a row whose tasks are tiles: at least two of
/// them, if there are two panels.
Tile choose_task_tile(int channels, int width, const TargetFacts &facts);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_CPU_STAGES_H_
