#ifndef SEPCONV_SCHEDULES_BLOCK_CHOICE_H_
#define SEPCONV_SCHEDULES_BLOCK_CHOICE_H_

#include "layer/layer.h"
#include "schedules/target_facts.h"
#include "schedules/tile.h"
#include "schedules/tuning.h"

namespace sepconv {

/// Strips of a stage's rows, and the parallel tasks that they make.
struct Partition {
    int64_t rows = 1;          ///< Of a strip; divides the height.
    int64_t strips = 1;        ///< In all.
    int64_t tasks = 1;         ///< Divides `strips`.
    bool by_channels = false;  ///< Tasks are tiles of channels instead; one strip.
};

/// Every number that a CPU loop nest of a block is built with: what is measured, in the Tuning, and
/// for the rest what the target's facts suggest. Blocks of equal choices have equal loop nests;
/// fields of stages that a block lacks stay as they are here.
struct BlockChoice {
    Order order = Order::kSliding;
    bool flat = false;         ///< The rows are one, and x runs over all pixels.
    Partition output;          ///< Of the output's rows.
    Tile tile;                 ///< Of the project, unless a Ghost module's.
    Partition front;           ///< Of the depthwise, where it is stored whole.
    Tile front_tile;           ///< Of the expand, or of a Ghost module's project.
    int depthwise_pixels = 1;  ///< What one step of a depthwise in front of others computes.
    int output_pixels = 1;     ///< The same of one that is the output, or half of it.
};

bool operator==(const BlockChoice &left, const BlockChoice &right);

BlockChoice choose(const Block &block, const TargetFacts &facts, const Tuning &tuning);

/// Pixels that one step of a depthwise with few taps computes inside a block, unless it is tuned:
/// divides the row.
int few_taps_run(const Window &window, int width, const TargetFacts &facts);

/// Rows that a window reads for `rows` of its output.
int window_rows(const Window &window, int64_t rows);

/// Of all weights of a convolution, packed.
int64_t weight_bytes(const Convolution &layer);

/// A few tasks, and odd: one thread of two waits for the last one.
bool shares_badly(int64_t tasks);

int round_up(int value, int unit);

/// The tile of a pointwise stage with `width` pixels a row whose tasks are tiles: at least two of
/// them, if there are two panels.
Tile choose_task_tile(int channels, int width, const TargetFacts &facts);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_BLOCK_CHOICE_H_
