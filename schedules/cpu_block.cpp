#include <algorithm>

#include "layer/shape.h"
#include "schedules/cpu.h"
#include "schedules/tile.h"

namespace sepconv {
namespace {

using Halide::Func;
using Halide::TailStrategy;
using Halide::Var;

/// Loops of a block's output around the register tile, outermost first:
/// task (parallel), strip, cb (channel tile), y, xo (pixel tile), xi, ci (vector of the tile), cv.
struct OutputLoops {
    Var task{"task"}, strip{"strip"}, cb{"cb"}, ci{"ci"}, cv{"cv"}, xo{"xo"}, xi{"xi"};
    Var tile;  ///< The loop that one register tile fills.
};

bool vectors_may_overrun(const Image &image) {
    return image.padded && image.stride_c == 1;
}

/// How a vector loop over `channels` ends. Overrunning stores are always masked; loads only where
/// a buffer's bounds are exact.
TailStrategy channel_tail(int channels, int vector, bool loads_may_overrun) {
    if (channels % vector == 0) return TailStrategy::RoundUp;
    return loads_may_overrun ? TailStrategy::PredicateStores : TailStrategy::Predicate;
}

bool operands_may_overrun(const Block &block) {
    return std::all_of(block.operands.begin(), block.operands.end(), vectors_may_overrun);
}

int round_up(int value, int unit) {
    return (value + unit - 1) / unit * unit;
}

/// The register tile at `at` of `consumer`: accumulators never leave registers, one step of kc
/// reads `tile.vectors` weight vectors and broadcasts one input value a pixel.
void schedule_accumulators(ConvolutionStage &stage, const Axes &axes, Func consumer, const Var &at,
                           const Tile &tile) {
    stage.accumulator.compute_at(consumer, at)
        .bound_extent(axes.c, tile.channels())
        .vectorize(axes.c, tile.lanes)
        .unroll(axes.c)
        .unroll(axes.x);
    stage.accumulator.update()
        .reorder(axes.c, axes.x, stage.kc, stage.kx, stage.ky, stage.km)
        .vectorize(axes.c, tile.lanes)
        .unroll(axes.c)
        .unroll(axes.x);
}

/// Accumulators of a depthwise with many taps over a run of pixels at `at` of `consumer`, so that
/// every loaded weight serves them all; ky is a loop, kx unrolled. `masked`: the input's bounds are
/// exact and its channels no multiple of the lanes.
void schedule_taps(DepthwiseStage &stage, const Axes &axes, Func consumer, const Var &at,
                   bool masked, const TargetFacts &facts) {
    const TailStrategy tail = masked ? TailStrategy::PredicateLoads : TailStrategy::RoundUp;
    stage.accumulator.compute_at(consumer, at);
    if (!masked) stage.accumulator.bound_extent(axes.c, facts.lanes);
    stage.accumulator.vectorize(axes.c, facts.lanes, tail).unroll(axes.x);
    stage.accumulator.update()
        .reorder(axes.c, axes.x, stage.kx, stage.ky)
        .vectorize(axes.c, facts.lanes, tail)
        .unroll(axes.x)
        .unroll(stage.kx);
}

/// Depthwise rows at `at` of `consumer`, where `width` pixels make a row (0: rows are the y axis).
/// Few taps: one vector at a time, all taps in flight. Many: schedule_taps.
void schedule_depthwise(DepthwiseStage &stage, const Axes &axes, const Depthwise &layer,
                        Func consumer, const Var &at, int width, bool flat, bool loads_may_overrun,
                        const TargetFacts &facts, const Tuning &tuning) {
    const bool many = stage.accumulator.defined();
    const int wanted = tuning.depthwise_pixels > 0 ? tuning.depthwise_pixels : (many ? 8 : 1);
    const int run = std::min(wanted, width);
    Var row("row"), column("column"), xo("dxo"), xi("dxi"), cb("dcb"), cv("dcv");
    Func &rows = stage.result;
    const bool shifted = !loads_may_overrun && layer.channels > facts.lanes;
    const bool masked = !loads_may_overrun && layer.channels < facts.lanes;
    rows.compute_at(consumer, at);
    // A bound would also widen what the mask protects.
    if (shifted) rows.bound_extent(axes.c, layer.channels);
    if (!shifted && !masked) rows.bound_extent(axes.c, round_up(layer.channels, facts.lanes));
    if (flat) {
        rows.split(axes.x, row, column, width, TailStrategy::RoundUp);
    } else {
        rows.rename(axes.x, column).rename(axes.y, row);
    }
    // Accumulators are asked for what is stored: with them the stores are masked too.
    const TailStrategy masks = many ? TailStrategy::Predicate : TailStrategy::PredicateLoads;
    const TailStrategy tail = masked    ? masks
                              : shifted ? vector_tail(layer.channels, facts.lanes)
                                        : TailStrategy::RoundUp;
    rows.split(column, xo, xi, run, TailStrategy::ShiftInwards)
        .split(axes.c, cb, cv, facts.lanes, tail)
        .reorder(cv, xi, xo, cb, row, axes.m)
        .vectorize(cv)
        .unroll(xi);
    if (!many) return;
    schedule_taps(stage, axes, rows, xo, masked, facts);
}

/// Rows that the depthwise reads for `rows` of its output.
int window_rows(const Window &window, int64_t rows) {
    return static_cast<int>((rows - 1) * window.stride_h +
                            dilated_extent(window.kernel_h, window.dilation_h));
}

/// The expand of an inverted residual slides down the rows: each strip computes only the rows that
/// the strip before it did not, into a ring of as many rows as one strip's depthwise reads.
void schedule_expand(BlockStages &stages, const Block &block, const OutputLoops &loops,
                     int64_t strip_rows, const TargetFacts &facts) {
    const Axes &axes = stages.axes;
    const Convolution &layer = *block.expand;
    // The tile of this stage is not the one that `tuning` speaks of.
    const Tile tile = choose_tile(block.input.width, layer.out_channels, facts, Tuning{});
    Func &rows = stages.expanded;
    Var cb("ecb"), ci("eci"), cv("ecv"), xo("exo"), xi("exi");
    rows.store_at(stages.output, loops.task)
        .compute_at(stages.output, loops.strip)
        .fold_storage(axes.y, window_rows(block.depthwise->window, strip_rows))
        .bound_extent(axes.c, round_up(layer.out_channels, tile.channels()))
        .bound_extent(axes.x, block.input.width)
        .split(axes.c, cb, cv, tile.lanes, TailStrategy::RoundUp)
        .split(cb, cb, ci, tile.vectors, TailStrategy::RoundUp)
        .split(axes.x, xo, xi, tile.pixels, TailStrategy::ShiftInwards)
        .reorder(cv, ci, xi, xo, cb, axes.y)
        .vectorize(cv)
        .unroll(ci)
        .unroll(xi);
    schedule_accumulators(*stages.expand, axes, rows, xo, tile);
}

/// Sizes of the loops around the register tile.
struct Partition {
    int64_t rows = 1;   ///< Of a strip.
    int64_t strip = 1;  ///< The same, or pixels of the one long row.
    int64_t tasks = 1;  ///< Over strips; 1 when channels are split instead.
    bool pixels_outer = false;
};

/// Each strip reads all packed weights once, so what it holds of the input (or of the depthwise)
/// should be about as large as they are: smaller strips wait for weights, larger ones push their
/// own rows out of the first-level cache. Half of either cache level is the limit.
int64_t strip_rows(const Block &natural, int64_t weight_bytes, const TargetFacts &facts,
                   const Tuning &tuning) {
    const int height = natural.output.height;
    if (tuning.strip_rows > 0) return divisor_at_most(height, tuning.strip_rows);
    const int64_t row_bytes = 4LL * natural.output.width * natural.project->in_channels *
                              natural.project->window.stride_h;
    const int64_t bytes = std::clamp(weight_bytes, facts.l1_bytes / 2, facts.l2_bytes / 2);
    return divisor_at_most(height, std::max<int64_t>(1, bytes / row_bytes));
}

int64_t task_count(int64_t strips) {
    constexpr int64_t kMostTasks = 8;  // Enough for four threads to even out, few for one to pay.
    return divisor_at_most(strips, kMostTasks);
}

/// Every task of a sliding expand computes the rows between it and the task before again: at most
/// one row in twelve.
int64_t sliding_task_count(int64_t strips, int64_t rows, const Window &window) {
    const int64_t again =
        std::max(0, window_rows(window, 1) - window.stride_h) / std::max(1, window.stride_h);
    const int64_t most = strips * rows / std::max<int64_t>(1, 12 * again);
    return divisor_at_most(strips, std::clamp<int64_t>(most, 1, 8));
}

Partition choose_partition(const Block &natural, bool flat, const TargetFacts &facts,
                           const Tuning &tuning) {
    Partition partition;
    const Convolution &layer = *natural.project;
    const int64_t weight_bytes =
        4LL * layer.in_channels * layer.window.taps() * round_up_to_panel(layer.out_channels);
    const int64_t rows = strip_rows(natural, weight_bytes, facts, tuning);
    partition.pixels_outer = weight_bytes <= facts.l1_bytes / 2;
    const int64_t strips = natural.output.height / rows;
    partition.rows = rows;
    partition.strip = flat ? rows * natural.output.width : rows;
    partition.tasks = natural.expand ? sliding_task_count(strips, rows, natural.depthwise->window)
                                     : task_count(strips);
    return partition;
}

OutputLoops schedule_output(BlockStages &stages, const Block &block, const Partition &partition,
                            bool flat, const Tile &tile) {
    OutputLoops loops;
    const Axes &axes = stages.axes;
    const Image &image = stages.pixels;
    Func &out = stages.output;
    const TailStrategy tail = channel_tail(image.channels, tile.lanes, operands_may_overrun(block));
    const int vectors = (image.channels + tile.lanes - 1) / tile.lanes;
    out.bound(axes.c, 0, image.channels).bound(axes.x, 0, image.width);
    out.bound(axes.y, 0, image.height);
    const int64_t long_axis = flat ? image.width : image.height;
    const int strips = static_cast<int>(long_axis / partition.strip);
    Var inner("inner"), all("all_strips");
    out.split(flat ? axes.x : axes.y, all, inner, static_cast<int>(partition.strip),
              TailStrategy::RoundUp);
    out.split(all, loops.task, loops.strip, strips / static_cast<int>(partition.tasks),
              TailStrategy::RoundUp);
    const Var column = flat ? inner : axes.x;
    const Var row = flat ? axes.y : inner;
    out.split(column, loops.xo, loops.xi, tile.pixels, TailStrategy::ShiftInwards)
        .split(axes.c, loops.cb, loops.cv, tile.lanes, tail)
        .split(loops.cb, loops.cb, loops.ci, tile.vectors,
               vectors % tile.vectors == 0 ? TailStrategy::RoundUp : TailStrategy::GuardWithIf);
    if (partition.pixels_outer) {
        out.reorder(loops.cv, loops.ci, loops.xi, loops.cb, loops.xo, row, loops.strip, loops.task);
        loops.tile = loops.cb;
    } else {
        out.reorder(loops.cv, loops.ci, loops.xi, loops.xo, row, loops.cb, loops.strip, loops.task);
        loops.tile = loops.xo;
    }
    out.vectorize(loops.cv).unroll(loops.ci).unroll(loops.xi);
    if (partition.tasks > 1) out.parallel(loops.task);
    return loops;
}

/// A block without a project: the depthwise writes the output itself.
void schedule_depthwise_output(BlockStages &stages, const Block &block, const TargetFacts &facts,
                               const Tuning &tuning) {
    const Axes &axes = stages.axes;
    const Image &image = block.output;
    const Depthwise &layer = *block.depthwise;
    DepthwiseStage &stage = *stages.depthwise;
    Func &out = stages.output;
    out.bound(axes.c, 0, image.channels).bound(axes.x, 0, image.width);
    out.bound(axes.y, 0, image.height);
    Var task("task"), row("row"), xo("xo"), xi("xi"), cb("cb"), cv("cv");
    const int64_t tasks = task_count(image.height);
    const bool many = stage.accumulator.defined();
    const int wanted = tuning.depthwise_pixels > 0 ? tuning.depthwise_pixels : (many ? 8 : 4);
    const bool dense = layer.multiplier == 1;
    out.split(axes.y, task, row, static_cast<int>(image.height / tasks), TailStrategy::RoundUp)
        .split(axes.x, xo, xi, std::min(wanted, image.width), TailStrategy::ShiftInwards)
        .split(axes.c, cb, cv, facts.lanes, vector_tail(image.channels, facts.lanes))
        .reorder(cv, xi, xo, cb, row, task)
        .vectorize(cv)
        .unroll(xi);
    if (tasks > 1) out.parallel(task);
    if (!dense) {
        schedule_depthwise(stage, axes, layer, out, row, image.width, false,
                           vectors_may_overrun(block.input), facts, tuning);
        return;
    }
    if (!many) return;
    const bool masked = image.channels < facts.lanes;
    schedule_taps(stage, axes, out, xo, masked, facts);
}

}  // namespace

void schedule_block(BlockStages &stages, const Block &natural, const TargetFacts &facts,
                    const Tuning &tuning) {
    if (!natural.project) {
        schedule_depthwise_output(stages, natural, facts, tuning);
        return;
    }
    const Block block = flattened(natural);
    const bool flat = block.output.height != natural.output.height;
    const Partition partition = choose_partition(natural, flat, facts, tuning);
    const int64_t tile_row = flat ? partition.strip : block.output.width;
    const Tile tile = choose_tile(tile_row, block.output.channels, facts, tuning);
    OutputLoops loops = schedule_output(stages, block, partition, flat, tile);
    schedule_accumulators(*stages.project, stages.axes, stages.output, loops.tile, tile);
    if (stages.depthwise) {
        const bool scratch = block.expand.has_value();
        schedule_depthwise(*stages.depthwise, stages.axes, *block.depthwise, stages.output,
                           loops.strip, natural.output.width, flat,
                           scratch || vectors_may_overrun(block.input), facts, tuning);
    }
    if (block.expand) schedule_expand(stages, natural, loops, partition.rows, facts);
    if (stages.project->padded.defined()) {
        // A border inside the reduction would test every broadcast; a copied strip costs
        // 1 / (taps * out_channels) of the multiply-accumulates.
        Func padded = stages.project->padded;
        padded.compute_at(stages.output, loops.strip);
        if (block.input.stride_c == 1 && block.input.channels % facts.lanes == 0) {
            padded.vectorize(stages.axes.c, facts.lanes);
        } else {
            padded.vectorize(stages.axes.x, facts.lanes, TailStrategy::GuardWithIf);
        }
    }
}

}  // namespace sepconv
