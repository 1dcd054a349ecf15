#include "schedules/cpu_stages.h"

#include <algorithm>

#include "layer/shape.h"

namespace sepconv {
namespace {

using Halide::Func;
using Halide::RVar;
using Halide::TailStrategy;
using Halide::Var;

/// Loops of depthwise rows, innermost first: cv, xi, xo, cb, row, m.
struct DepthwiseLoops {
    Var cv{"cv"}, xi{"dxi"}, xo{"dxo"}, cb{"dcb"}, row{"row"}, column{"column"};
};

DepthwiseLoops schedule_depthwise_rows(DepthwiseStage &stage, const Axes &axes,
                                       const Depthwise &layer, const DepthwiseRows &shape,
                                       const TargetFacts &facts) {
    DepthwiseLoops loops;
    Func &rows = stage.result;
    const bool many = stage.accumulator.defined();
    // A last vector that is shifted inwards writes channels of the one before it once more, which
    // may be another task's.
    const bool ragged = layer.channels % facts.lanes != 0;
    const bool masked = !shape.loads_may_overrun && ragged &&
                        (shape.in_channel_tasks || layer.channels < facts.lanes);
    const bool shifted = !shape.loads_may_overrun && !masked && layer.channels > facts.lanes;
    // A bound would also widen what the mask protects.
    if (shifted) rows.bound_extent(axes.c, layer.channels);
    if (!shifted && !masked) {
        rows.bound_extent(axes.c,
                          round_up(layer.channels, std::max(facts.lanes, shape.channel_unit)));
    }
    if (shape.flat) {
        rows.split(axes.x, loops.row, loops.column, shape.width, TailStrategy::RoundUp);
    } else {
        rows.rename(axes.x, loops.column).rename(axes.y, loops.row);
    }
    // Accumulators are asked for what is stored: with them the stores are masked too.
    const TailStrategy masks = many ? TailStrategy::Predicate : TailStrategy::PredicateLoads;
    const TailStrategy tail = masked    ? masks
                              : shifted ? vector_tail(layer.channels, facts.lanes)
                                        : TailStrategy::RoundUp;
    rows.split(loops.column, loops.xo, loops.xi, shape.run, TailStrategy::ShiftInwards)
        .split(axes.c, loops.cb, loops.cv, facts.lanes, tail)
        .reorder(loops.cv, loops.xi, loops.xo, loops.row, loops.cb, axes.m)
        .vectorize(loops.cv)
        .unroll(loops.xi);
    if (many) schedule_taps(stage, axes, rows, loops.xo, masked, facts);
    return loops;
}

/// Loops of pointwise rows, innermost first: cv, ci, xi, xo, y, cb. Returns cb.
Var schedule_pointwise_rows(ConvolutionStage &stage, const Axes &axes, const Tile &tile, int width,
                            const TargetFacts &facts) {
    Func &rows = stage.result;
    Var cb("ecb"), ci("eci"), cv("ecv"), xo("exo"), xi("exi");
    rows.bound_extent(axes.x, width)
        .split(axes.c, cb, cv, tile.lanes, TailStrategy::RoundUp)
        .split(cb, cb, ci, tile.vectors, TailStrategy::RoundUp)
        .split(axes.x, xo, xi, tile.pixels, TailStrategy::ShiftInwards)
        .reorder(cv, ci, xi, xo, axes.y, cb)
        .vectorize(cv)
        .unroll(ci)
        .unroll(xi);
    unroll_parts(rows, cb, tile);
    schedule_accumulators(stage, axes, rows, xo, tile, facts);
    return cb;
}

/// Each loaded weight vector serves all pixels before the next, and inputs come as one vector of
/// `tile.k_steps` values a pixel, where the channels are whole vectors.
void multiply_by_lanes(ConvolutionStage &stage, const Axes &axes, const Tile &tile,
                       const TargetFacts &facts) {
    stage.accumulator.update().reorder(axes.x, axes.c);
    if (!stage.channels_innermost || !stage.equal_chunks) return;
    if (stage.in_channels % tile.k_steps != 0) return;
    RVar ko("ko"), turn("turn"), ki("ki");
    // Two turns at once where they are even and LLVM may load the inputs of both beforehand.
    const bool even = stage.in_channels % (2 * tile.k_steps) == 0;
    const int turns = even && has_registers_for_two_turns(tile, facts) ? 2 : 1;
    stage.accumulator.update()
        .split(stage.kc, ko, ki, tile.k_steps)
        .split(ko, ko, turn, turns)
        .reorder(axes.x, axes.c, ki, turn, ko)
        .unroll(ki)
        .unroll(turn);
    Func values = stage.input.in(stage.accumulator);
    const std::vector<Var> dims = values.args();
    values.compute_at(stage.accumulator, turn)
        .store_in(Halide::MemoryType::Register)
        .bound_extent(dims[0], tile.k_steps)
        .vectorize(dims[0])
        .unroll(dims[1]);
}

/// Whether a step of a depthwise takes two rows, where its run is short of what shares registers.
bool pairs_rows(const Window &window, int width, int64_t rows, const TargetFacts &facts) {
    return window.taps() < kManyTaps && rows % 2 == 0 &&
           2 * few_taps_run(window, width, facts) <= facts.depthwise_pixels;
}

}  // namespace

Var unroll_parts(Func func, const Var &cb, const Tile &tile) {
    if (tile.parts == 1) return cb;
    Var part("part");
    func.split(cb, cb, part, tile.parts, TailStrategy::GuardWithIf).unroll(part);
    return part;
}

TailStrategy vector_tail(int64_t extent, int lanes) {
    if (extent % lanes == 0) return TailStrategy::RoundUp;
    return extent > lanes ? TailStrategy::ShiftInwards : TailStrategy::Predicate;
}

bool vectors_may_overrun(const Image &image) {
    return image.padded && image.stride_c == 1;
}

void schedule_accumulators(ConvolutionStage &stage, const Axes &axes, Func consumer, const Var &at,
                           const Tile &tile, const TargetFacts &facts) {
    const bool chunks = stage.total.defined();
    if (chunks) {
        stage.total.compute_at(consumer, at)
            .bound_extent(axes.c, tile.channels())
            .vectorize(axes.c, tile.lanes)
            .unroll(axes.c)
            .unroll(axes.x);
        stage.total.update()
            .reorder(axes.c, axes.x, stage.chunks[0], stage.chunks[1], stage.chunks[2],
                     stage.chunks[3])
            .vectorize(axes.c, tile.lanes)
            .unroll(axes.c)
            .unroll(axes.x);
        stage.accumulator.compute_at(stage.total, stage.chunks[0]);
    } else {
        stage.accumulator.compute_at(consumer, at);
    }
    stage.accumulator.bound_extent(axes.c, tile.channels())
        .vectorize(axes.c, tile.lanes)
        .unroll(axes.c)
        .unroll(axes.x);
    stage.accumulator.update()
        .reorder(axes.c, axes.x, stage.kc, stage.kx, stage.ky, stage.km)
        .vectorize(axes.c, tile.lanes)
        .unroll(axes.c)
        .unroll(axes.x);
    if (tile.k_steps > 1) multiply_by_lanes(stage, axes, tile, facts);
}

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

void schedule_depthwise_strip(DepthwiseStage &stage, const Axes &axes, const Depthwise &layer,
                              const DepthwiseRows &rows, const RowLoops &at,
                              const TargetFacts &facts) {
    stage.result.compute_at(at.func, at.strip);
    schedule_depthwise_rows(stage, axes, layer, rows, facts);
}

RowLoops schedule_depthwise_channels(DepthwiseStage &stage, const Axes &axes,
                                     const Depthwise &layer, const DepthwiseRows &rows, int tile,
                                     const Partition &partition, const TargetFacts &facts) {
    stage.result.compute_root();
    DepthwiseRows in_tiles = rows;
    in_tiles.channel_unit = tile;
    in_tiles.in_channel_tasks = true;
    const DepthwiseLoops loops = schedule_depthwise_rows(stage, axes, layer, in_tiles, facts);
    Var task("dtask"), group("dgroup"), strip("dstrip"), row("drow"), cb("dci");
    const int64_t strips = partition.strips / partition.tasks;
    stage.result.split(loops.cb, task, cb, std::max(1, tile / facts.lanes), TailStrategy::RoundUp)
        .split(loops.row, strip, row, static_cast<int>(partition.rows), TailStrategy::RoundUp)
        .split(strip, group, strip, static_cast<int>(strips), TailStrategy::RoundUp)
        .reorder(cb, row, strip, group, task)
        .fuse(group, task, task)
        .parallel(task);
    if (pairs_rows(layer.window, rows.width, partition.rows, facts)) {
        Var pair("dpair");
        stage.result.split(row, row, pair, 2, TailStrategy::RoundUp)
            .reorder(loops.cv, loops.xi, pair, loops.xo, cb, row)
            .unroll(pair);
    }
    return {stage.result, task, strip};
}

void schedule_pointwise_sliding(ConvolutionStage &stage, const Axes &axes, const Tile &tile,
                                int channels_read, int width, int ring_rows, const RowLoops &at,
                                const TargetFacts &facts) {
    stage.result.store_at(at.func, at.task)
        .compute_at(at.func, at.strip)
        .fold_storage(axes.y, ring_rows)
        .bound_extent(axes.c, round_up(channels_read, tile.channels()));
    schedule_pointwise_rows(stage, axes, tile, width, facts);
}

void schedule_pointwise_pixel(ConvolutionStage &stage, const Axes &axes, int channels,
                              const TargetFacts &facts) {
    const Tile tile = choose_task_tile(channels, 1, facts);
    stage.result.compute_root().bound_extent(axes.c, round_up(channels, tile.channels()));
    const Var task = schedule_pointwise_rows(stage, axes, tile, 1, facts);
    stage.result.parallel(task);
}

}  // namespace sepconv
