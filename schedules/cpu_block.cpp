#include <algorithm>

#include "layer/shape.h"
#include "schedules/cpu.h"
#include "schedules/cpu_stages.h"

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

/// How a vector loop over `channels` ends. Overrunning stores are always masked; loads only where
/// a buffer's bounds are exact.
TailStrategy channel_tail(int channels, int vector, bool loads_may_overrun) {
    if (channels % vector == 0) return TailStrategy::RoundUp;
    return loads_may_overrun ? TailStrategy::PredicateStores : TailStrategy::Predicate;
}

bool operands_may_overrun(const Block &block) {
    return std::all_of(block.operands.begin(), block.operands.end(), vectors_may_overrun);
}

/// Schedules the stages of one block; a block is what it composes.
class BlockScheduler {
public:
    BlockScheduler(BlockStages &stages, const Block &natural, const TargetFacts &facts,
                   const BlockChoice &choice)
        : stages_(stages),
          natural_(natural),
          block_(flattened(natural)),
          axes_(stages.axes),
          facts_(facts),
          choice_(choice) {}

    void run() {
        if (!natural_.project) {
            depthwise_output();
        } else if (natural_.cheap) {
            ghost_output();
        } else {
            project_output();
        }
    }

private:
    void depthwise_output();
    void project_output();
    void ghost_output();
    void front_channels();
    void front_sliding(const RowLoops &loops);
    void expand_sliding(int channels_read, int64_t rows, const RowLoops &at);
    void squeeze();
    void input_border(const RowLoops &loops);
    OutputLoops output_loops();
    DepthwiseRows depthwise_rows() const;

    BlockStages &stages_;
    const Block &natural_;
    const Block block_;
    const Axes &axes_;
    const TargetFacts &facts_;
    const BlockChoice &choice_;
};

OutputLoops BlockScheduler::output_loops() {
    OutputLoops loops;
    const Partition &partition = choice_.output;
    const Tile &tile = choice_.tile;
    const Image &image = stages_.pixels;
    Func &out = stages_.output;
    const TailStrategy tail =
        channel_tail(image.channels, tile.lanes, operands_may_overrun(block_));
    const int vectors = (image.channels + tile.lanes - 1) / tile.lanes;
    out.bound(axes_.c, 0, image.channels).bound(axes_.x, 0, image.width);
    out.bound(axes_.y, 0, image.height);
    const int64_t strip = choice_.flat ? partition.rows * natural_.output.width : partition.rows;
    Var inner("inner"), all("all_strips");
    out.split(choice_.flat ? axes_.x : axes_.y, all, inner, static_cast<int>(strip),
              TailStrategy::RoundUp);
    out.split(all, loops.task, loops.strip, static_cast<int>(partition.strips / partition.tasks),
              TailStrategy::RoundUp);
    const Var column = choice_.flat ? inner : axes_.x;
    const Var row = choice_.flat ? axes_.y : inner;
    out.split(column, loops.xo, loops.xi, tile.pixels, TailStrategy::ShiftInwards)
        .split(axes_.c, loops.cb, loops.cv, tile.lanes, tail)
        .split(loops.cb, loops.cb, loops.ci, tile.vectors,
               vectors % tile.vectors == 0 ? TailStrategy::RoundUp : TailStrategy::GuardWithIf);
    if (weight_bytes(*natural_.project) <= facts_.l1_bytes / 2 && !partition.by_channels) {
        out.reorder(loops.cv, loops.ci, loops.xi, loops.cb, loops.xo, row, loops.strip, loops.task);
        loops.tile = unroll_parts(out, loops.cb, tile);
    } else {
        out.reorder(loops.cv, loops.ci, loops.xi, loops.xo, row, loops.cb, loops.strip, loops.task);
        loops.tile = loops.xo;
        unroll_parts(out, loops.cb, tile);
    }
    out.vectorize(loops.cv).unroll(loops.ci).unroll(loops.xi);
    // Else all rows of the first and last strip would be computed as rows at a border are.
    out.never_partition(loops.strip, loops.task);
    if (partition.by_channels) {
        out.reorder(loops.strip, loops.task, loops.cb);
        const int64_t width = choice_.flat ? strip : image.width;
        const int tiles = static_cast<int>((width + tile.pixels - 1) / tile.pixels);
        // The last two tiles may share pixels: they must be of one task.
        const bool divides = tiles > 3 || (tiles > 1 && width % tile.pixels == 0);
        if (shares_badly((vectors + tile.vectors - 1) / tile.vectors) && divides) {
            Var half("half");
            out.split(loops.xo, half, loops.xo, (tiles + 1) / 2, TailStrategy::GuardWithIf)
                .reorder(loops.xo, row, loops.strip, loops.task, half)
                .fuse(half, loops.cb, loops.cb);
        }
        out.parallel(loops.cb);
    } else if (partition.tasks > 1) {
        out.parallel(loops.task);
    }
    return loops;
}

DepthwiseRows BlockScheduler::depthwise_rows() const {
    return {natural_.output.width, choice_.depthwise_pixels, choice_.flat,
            natural_.expand.has_value() || vectors_may_overrun(natural_.input)};
}

/// The expand in front of strips of `rows` depthwise rows, `channels_read` of it at a time.
void BlockScheduler::expand_sliding(int channels_read, int64_t rows, const RowLoops &at) {
    schedule_pointwise_sliding(*stages_.expand, axes_, choice_.front_tile, channels_read,
                               natural_.input.width, window_rows(natural_.depthwise->window, rows),
                               at, facts_);
}

/// Expand and depthwise in front of a project, strip by strip.
void BlockScheduler::front_sliding(const RowLoops &loops) {
    if (!natural_.depthwise) return;
    schedule_depthwise_strip(*stages_.depthwise, axes_, *natural_.depthwise, depthwise_rows(),
                             loops, facts_);
    if (!natural_.expand) return;
    const int64_t rows = choice_.output.rows;
    expand_sliding(natural_.expand->out_channels, rows, loops);
    // One strip a task is not folded, and its rows at the image's end are fewer.
    stages_.expand->result.bound_storage(axes_.y, window_rows(natural_.depthwise->window, rows));
}

/// The depthwise stored whole, a tile of channels at a time.
void BlockScheduler::front_channels() {
    if (!natural_.depthwise) return;
    const int at_once = natural_.expand ? choice_.front_tile.channels_of_parts() : facts_.lanes;
    const RowLoops loops =
        schedule_depthwise_channels(*stages_.depthwise, axes_, *natural_.depthwise,
                                    depthwise_rows(), at_once, choice_.front, facts_);
    if (natural_.expand) expand_sliding(at_once, choice_.front.rows, loops);
}

/// All of it is a small part of the block's work: plain vector loops.
void BlockScheduler::squeeze() {
    SqueezeStages &squeeze = *stages_.squeeze;
    const Squeeze &layer = *natural_.squeeze;
    const int channels = layer.reduce.in_channels;
    // Where the squeezed values must not be read behind the last channel, sums are masked.
    const bool exact = !depthwise_rows().loads_may_overrun && channels % facts_.lanes != 0;
    const TailStrategy tail = exact ? TailStrategy::Predicate : TailStrategy::RoundUp;
    Var cb("sum_cb"), cv("sum_cv");
    squeeze.total.compute_root().vectorize(axes_.c, facts_.lanes, tail);
    squeeze.total.update().reorder(axes_.c, squeeze.row).vectorize(axes_.c, facts_.lanes, tail);
    squeeze.row_sums.compute_root().vectorize(axes_.c, facts_.lanes, tail);
    Var task("sum_task");
    const int height = natural_.output.height;
    squeeze.row_sums.update()
        .split(axes_.c, cb, cv, facts_.lanes, tail)
        .reorder(cv, squeeze.column, cb, axes_.y)
        .vectorize(cv)
        .split(axes_.y, task, axes_.y, height % 2 == 0 ? height / 2 : height)
        .parallel(task);
    if (squeeze.chunk.defined()) {
        squeeze.chunk.compute_at(squeeze.row_sums, squeeze.column)
            .vectorize(axes_.c, facts_.lanes, tail);
        squeeze.chunk.update()
            .reorder(axes_.c, squeeze.in_chunk)
            .vectorize(axes_.c, facts_.lanes, tail);
    }
    schedule_pointwise_pixel(squeeze.reduce, axes_, layer.reduce.out_channels, facts_);
    schedule_pointwise_pixel(squeeze.excite, axes_, layer.excite.out_channels, facts_);
    if (squeeze.gated_weights.defined()) {
        const std::vector<Var> axes = squeeze.gated_weights.args();
        squeeze.gated_weights.compute_root().vectorize(axes.front(), kPanel).parallel(axes.back());
    } else {
        squeeze.gated_input.compute_root().vectorize(axes_.c, facts_.lanes, tail);
    }
}

/// A border inside the reduction would test every broadcast; a copied strip costs
/// 1 / (taps * out_channels) of the multiply-accumulates.
void BlockScheduler::input_border(const RowLoops &loops) {
    Func padded = stages_.project->padded;
    if (!padded.defined()) return;
    padded.compute_at(loops.func, loops.strip);
    if (block_.input.stride_c == 1 && block_.input.channels % facts_.lanes == 0) {
        padded.vectorize(axes_.c, facts_.lanes);
    } else {  // The few channels of a picture, or planes.
        padded.reorder_storage(axes_.x, axes_.y, axes_.c)
            .vectorize(axes_.x, facts_.lanes, TailStrategy::GuardWithIf);
    }
}

void BlockScheduler::project_output() {
    const OutputLoops loops = output_loops();
    schedule_accumulators(*stages_.project, axes_, stages_.output, loops.tile, choice_.tile,
                          facts_);
    const RowLoops rows{stages_.output, loops.task, loops.strip};
    if (natural_.squeeze) squeeze();
    if (choice_.order == Order::kChannels) {
        front_channels();
    } else {
        front_sliding(rows);
    }
    input_border(rows);
}

/// Primary rows slide in a ring; a strip of them becomes a strip of both halves.
void BlockScheduler::ghost_output() {
    const Image &image = natural_.output;
    const Depthwise &cheap = *natural_.cheap;
    Func &out = stages_.output;
    const bool by_tiles = choice_.order == Order::kChannels;
    const int channels = natural_.project->out_channels;
    const Tile &tile = choice_.tile;
    const Partition &partition = choice_.output;
    const int at_once = by_tiles ? tile.channels_of_parts() : round_up(channels, tile.channels());
    const int at_once_vectors =
        std::max(1, std::min(at_once, round_up(channels, facts_.lanes)) / facts_.lanes);
    out.bound(axes_.c, 0, cheap.channels).bound(axes_.x, 0, image.width);
    out.bound(axes_.y, 0, image.height).bound(axes_.half, 0, 2);
    Var task("task"), strip("strip"), row("row"), xo("xo"), xi("xi"), cb("cb"), cv("cv"),
        tiles("tiles");
    const bool many = stages_.cheap->accumulator.defined();
    const TailStrategy tail =
        channel_tail(cheap.channels, facts_.lanes, operands_may_overrun(block_));
    out.split(axes_.y, strip, row, static_cast<int>(partition.rows), TailStrategy::RoundUp)
        .split(strip, task, strip, static_cast<int>(partition.strips / partition.tasks),
               TailStrategy::RoundUp)
        .split(axes_.x, xo, xi, choice_.output_pixels, TailStrategy::ShiftInwards)
        .split(axes_.c, cb, cv, facts_.lanes, tail)
        .split(cb, tiles, cb, at_once_vectors, TailStrategy::RoundUp)
        .reorder(cv, xi, xo, cb, row, axes_.half, strip, task, tiles)
        .vectorize(cv)
        .unroll(xi)
        .unroll(axes_.half);
    if (by_tiles) {
        out.parallel(tiles);
    } else if (partition.tasks > 1) {
        out.parallel(task);
    }
    const RowLoops rows{out, task, strip};
    // As accumulators at the tile, the first half would compute them too.
    if (many) {
        schedule_depthwise_strip(*stages_.cheap, axes_, cheap,
                                 {image.width, choice_.output_pixels, false, true}, rows, facts_);
    }
    schedule_pointwise_sliding(*stages_.project, axes_, tile, at_once, image.width,
                               window_rows(cheap.window, partition.rows), rows, facts_);
    if (natural_.squeeze) {
        squeeze();
        front_channels();
    }
}

/// A block without a project: the depthwise writes the output itself.
void BlockScheduler::depthwise_output() {
    const Image &image = natural_.output;
    const Depthwise &layer = *natural_.depthwise;
    DepthwiseStage &stage = *stages_.depthwise;
    Func &out = stages_.output;
    out.bound(axes_.c, 0, image.channels).bound(axes_.x, 0, image.width);
    out.bound(axes_.y, 0, image.height);
    Var task("task"), row("row"), xo("xo"), xi("xi"), cb("cb"), cv("cv");
    const int64_t tasks = choice_.output.tasks;
    const bool many = stage.accumulator.defined();
    const bool dense = layer.multiplier == 1;
    out.split(axes_.y, task, row, static_cast<int>(image.height / tasks), TailStrategy::RoundUp)
        .split(axes_.x, xo, xi, choice_.output_pixels, TailStrategy::ShiftInwards)
        .split(axes_.c, cb, cv, facts_.lanes, vector_tail(image.channels, facts_.lanes))
        .reorder(cv, xi, xo, cb, row, task)
        .vectorize(cv)
        .unroll(xi);
    if (tasks > 1) out.parallel(task);
    if (!dense) {
        schedule_depthwise_strip(
            stage, axes_, layer,
            {image.width, choice_.depthwise_pixels, false, vectors_may_overrun(natural_.input)},
            {out, task, row}, facts_);
    } else if (many) {
        schedule_taps(stage, axes_, out, xo, image.channels < facts_.lanes, facts_);
    }
}

}  // namespace

int flattened_run(const Block &block, const BlockChoice &choice) {
    if (!choice.flat || !block.depthwise || block.depthwise->window.taps() >= kManyTaps) return 1;
    // A ring whose strips this would keep Halide from knowing the size of.
    if (block.expand && choice.order == Order::kSliding) return 1;
    const int run = choice.depthwise_pixels;
    return block.output.width % run == 0 ? run : 1;
}

void schedule_block(BlockStages &stages, const Block &natural, const TargetFacts &facts,
                    const BlockChoice &choice) {
    BlockScheduler(stages, natural, facts, choice).run();
}

}  // namespace sepconv
