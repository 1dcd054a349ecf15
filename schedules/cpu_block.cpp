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

int64_t weight_bytes(const Convolution &layer) {
    return 4LL * layer.in_channels * layer.window.taps() * round_up_to_panel(layer.out_channels);
}

/// Each strip reads all packed weights once, so what it holds of the input (or of the depthwise)
/// should be about as large as they are: smaller strips wait for weights, larger ones push their
/// own rows out of the cache. Half of either level is the limit; behind a depthwise no less than
/// four times the first level, because every strip begins and ends with rows at a border.
int64_t strip_rows(const Convolution &layer, const Image &pixels, bool behind_depthwise,
                   const TargetFacts &facts, const Tuning &tuning) {
    if (tuning.strip_rows > 0) return divisor_at_most(pixels.height, tuning.strip_rows);
    const int64_t row_bytes = 4LL * pixels.width * layer.in_channels * layer.window.stride_h;
    const int64_t least = behind_depthwise ? 4 * facts.l1_bytes : facts.l1_bytes / 2;
    const int64_t most = std::max(least, facts.l2_bytes / 2);
    const int64_t bytes = std::clamp(weight_bytes(layer), least, most);
    return divisor_at_most(pixels.height, std::max<int64_t>(1, bytes / row_bytes));
}

/// A few tasks, and odd: one thread of two waits for the last one.
bool shares_badly(int64_t tasks) {
    constexpr int64_t kFew = 8;
    return tasks < kFew && tasks % 2 == 1;
}

/// Every task of a sliding producer computes the rows between it and the task before again. Without
/// `window` nothing slides.
int64_t task_count(int64_t strips, int64_t rows, const Window *window) {
    constexpr int64_t kMostTasks = 14;  // Enough for four threads to even out, few for one to pay.
    if (window == nullptr) {  // An even number, if there is one: odd ones leave a thread idle.
        return strips % 2 == 0 ? 2 * divisor_at_most(strips / 2, kMostTasks / 2)
                               : divisor_at_most(strips, kMostTasks);
    }
    const int64_t again =
        std::max(0, window_rows(*window, 1) - window->stride_h) / std::max(1, window->stride_h);
    const int64_t most = strips * rows / std::max<int64_t>(1, kRowsForOneAgain * again);
    return divisor_at_most(strips, std::clamp<int64_t>(most, 1, kMostTasks));
}

/// Rows of a strip for which the ring of one tile of expanded channels stays in the first-level
/// cache. A ring costs (its borders are tested strip by strip), so a small image is one strip.
int64_t ring_strip_rows(const Image &read, int height, const Window &window, int tile,
                        const TargetFacts &facts) {
    const int64_t row_bytes = 4LL * read.width * tile;
    int64_t rows = height;
    if (read.height * row_bytes <= facts.l2_bytes / 8) return rows;
    while (rows > 1 && window_rows(window, rows) * row_bytes > facts.l1_bytes) {
        rows = divisor_at_most(height, rows - 1);
    }
    return rows;
}

/// Tasks of tiles of channels. Those that do not share well walk down one half of the rows each
/// (and compute those between the halves twice).
Partition tile_partition(int height, int64_t rows, int channels, int tile) {
    constexpr int kManyRows = 28;
    const int tiles = (channels + tile - 1) / tile;
    Partition partition;
    partition.rows = rows;
    partition.strips = height / rows;
    const bool halves = shares_badly(tiles) && height >= kManyRows;
    if (halves && partition.strips % 2 == 0) partition.tasks = 2;
    return partition;
}

/// Strips of `pixels` (natural, not flattened) whose rows come from `layer`, in front of `window`
/// if it slides.
Partition choose_partition(const Convolution &layer, const Image &pixels, bool behind_depthwise,
                           const Window *window, const TargetFacts &facts, const Tuning &tuning) {
    Partition partition;
    partition.rows = strip_rows(layer, pixels, behind_depthwise, facts, tuning);
    partition.strips = pixels.height / partition.rows;
    const bool free = window == nullptr && tuning.strip_rows == 0;
    if (free && shares_badly(partition.strips) && partition.rows % 2 == 0) {
        partition.rows /= 2;
        partition.strips *= 2;
    }
    partition.tasks = task_count(partition.strips, partition.rows, window);
    return partition;
}

Partition by_channels(const Image &pixels) {
    Partition partition;
    partition.rows = pixels.height;
    partition.by_channels = true;
    return partition;
}

/// Schedules the stages of one block; a block is what it composes.
class BlockScheduler {
public:
    BlockScheduler(BlockStages &stages, const Block &natural, const TargetFacts &facts,
                   const Tuning &tuning)
        : stages_(stages),
          natural_(natural),
          block_(flattened(natural)),
          axes_(stages.axes),
          facts_(facts),
          tuning_(tuning),
          flat_(block_.output.height != natural.output.height) {}

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
    Order order() const;
    Order ghost_order() const;
    int64_t input_bytes() const;  ///< Of what the project reads.
    void front_channels();
    void front_sliding(const Partition &partition, const RowLoops &loops);
    void expand_sliding(const Tile &tile, int channels_read, int64_t rows, const RowLoops &at);
    void squeeze();
    void input_border(const RowLoops &loops);
    OutputLoops output_loops(const Partition &partition, const Tile &tile);
    DepthwiseRows depthwise_rows() const;

    BlockStages &stages_;
    const Block &natural_;
    const Block block_;
    const Axes &axes_;
    const TargetFacts &facts_;
    const Tuning &tuning_;
    const bool flat_;
};

OutputLoops BlockScheduler::output_loops(const Partition &partition, const Tile &tile) {
    OutputLoops loops;
    const Image &image = stages_.pixels;
    Func &out = stages_.output;
    const TailStrategy tail =
        channel_tail(image.channels, tile.lanes, operands_may_overrun(block_));
    const int vectors = (image.channels + tile.lanes - 1) / tile.lanes;
    out.bound(axes_.c, 0, image.channels).bound(axes_.x, 0, image.width);
    out.bound(axes_.y, 0, image.height);
    const int64_t strip = flat_ ? partition.rows * natural_.output.width : partition.rows;
    Var inner("inner"), all("all_strips");
    out.split(flat_ ? axes_.x : axes_.y, all, inner, static_cast<int>(strip),
              TailStrategy::RoundUp);
    out.split(all, loops.task, loops.strip, static_cast<int>(partition.strips / partition.tasks),
              TailStrategy::RoundUp);
    const Var column = flat_ ? inner : axes_.x;
    const Var row = flat_ ? axes_.y : inner;
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
        const int64_t width = flat_ ? strip : image.width;
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
    return {natural_.output.width, flat_,
            natural_.expand.has_value() || vectors_may_overrun(natural_.input)};
}

/// The expand in front of strips of `rows` depthwise rows, `channels_read` of it at a time.
void BlockScheduler::expand_sliding(const Tile &tile, int channels_read, int64_t rows,
                                    const RowLoops &at) {
    schedule_pointwise_sliding(*stages_.expand, axes_, tile, channels_read, natural_.input.width,
                               window_rows(natural_.depthwise->window, rows), at, facts_);
}

/// Expand and depthwise in front of a project, strip by strip.
void BlockScheduler::front_sliding(const Partition &partition, const RowLoops &loops) {
    if (!natural_.depthwise) return;
    schedule_depthwise_strip(*stages_.depthwise, axes_, *natural_.depthwise, depthwise_rows(),
                             loops, facts_, tuning_);
    if (!natural_.expand) return;
    const int channels = natural_.expand->out_channels;
    expand_sliding(choose_tile(natural_.input.width, channels, facts_, Tuning{}), channels,
                   partition.rows, loops);
    // One strip a task is not folded, and its rows at the image's end are fewer.
    stages_.expand->result.bound_storage(axes_.y,
                                         window_rows(natural_.depthwise->window, partition.rows));
}

/// The depthwise stored whole, a tile of channels at a time: a squeeze needs all of it first, and
/// tasks of rows would compute too many rows of the expand twice.
void BlockScheduler::front_channels() {
    if (!natural_.depthwise) return;
    const Depthwise &layer = *natural_.depthwise;
    const int height = natural_.output.height;
    if (!natural_.expand) {
        schedule_depthwise_channels(
            *stages_.depthwise, axes_, layer, depthwise_rows(), facts_.lanes,
            tile_partition(height, height, layer.channels, facts_.lanes), facts_, tuning_);
        return;
    }
    const int channels = natural_.expand->out_channels;
    const Tile tile = choose_task_tile(channels, natural_.input.width, facts_);
    const int at_once = tile.channels_of_parts();
    const int64_t rows = ring_strip_rows(natural_.input, height, layer.window, at_once, facts_);
    const RowLoops loops = schedule_depthwise_channels(
        *stages_.depthwise, axes_, layer, depthwise_rows(), at_once,
        tile_partition(height, rows, channels, at_once), facts_, tuning_);
    expand_sliding(tile, at_once, rows, loops);
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

int64_t BlockScheduler::input_bytes() const {
    return 4LL * natural_.output.width * natural_.output.height * natural_.project->in_channels;
}

Order BlockScheduler::ghost_order() const {
    const int channels = natural_.cheap->channels, width = natural_.output.width;
    const int tile = choose_task_tile(channels, width, facts_).channels_of_parts();
    // Whole tiles, so that every one has the same bounds; and see ghost_output() for many taps.
    const bool tiled = tile < channels && round_up(channels, facts_.lanes) % tile == 0;
    if (!tiled || stages_.cheap->accumulator.defined()) return Order::kSliding;
    if (tuning_.order != Order::kAuto) return tuning_.order;
    // Tasks of rows compute too many of them twice where there are few.
    const bool few_rows = natural_.output.height < 48;
    const bool one = choose_tile(width, channels, facts_, Tuning{}).channels() >= channels;
    return few_rows || !one ? Order::kChannels : Order::kSliding;
}

/// What the tuning asks for where the block allows both orders, else the faster one.
Order BlockScheduler::order() const {
    if (natural_.cheap) return ghost_order();
    if (natural_.squeeze) return Order::kChannels;  // It needs all of the depthwise first.
    if (stages_.project->padded.defined()) return Order::kSliding;
    if (tuning_.order != Order::kAuto) return tuning_.order;
    if (natural_.expand) return Order::kChannels;
    // A whole depthwise is faster, but must not be what the arena is sized by.
    constexpr int64_t kMostBytes = 1 << 20;
    if (natural_.depthwise) {
        return input_bytes() <= kMostBytes ? Order::kChannels : Order::kSliding;
    }
    const Partition strips =
        choose_partition(*natural_.project, natural_.output, false, nullptr, facts_, tuning_);
    return strips.tasks < 4 ? Order::kChannels : Order::kSliding;
}

void BlockScheduler::project_output() {
    const bool whole = order() == Order::kChannels;
    const Window *window = natural_.expand && !whole ? &natural_.depthwise->window : nullptr;
    const Partition partition =
        whole && weight_bytes(*natural_.project) > input_bytes()
            ? by_channels(natural_.output)
            : choose_partition(*natural_.project, natural_.output,
                               natural_.depthwise.has_value() && !whole, window, facts_, tuning_);
    const int64_t tile_row = flat_ ? partition.rows * natural_.output.width : block_.output.width;
    const Tile tile = choose_tile(tile_row, block_.output.channels, facts_, tuning_);
    const OutputLoops loops = output_loops(partition, tile);
    schedule_accumulators(*stages_.project, axes_, stages_.output, loops.tile, tile, facts_);
    const RowLoops rows{stages_.output, loops.task, loops.strip};
    if (natural_.squeeze) squeeze();
    if (whole) {
        front_channels();
    } else {
        front_sliding(partition, rows);
    }
    input_border(rows);
}

/// Primary rows slide in a ring; a strip of them becomes a strip of both halves.
void BlockScheduler::ghost_output() {
    const Image &image = natural_.output;
    const Depthwise &cheap = *natural_.cheap;
    Func &out = stages_.output;
    const bool by_tiles = order() == Order::kChannels;
    const int channels = natural_.project->out_channels;
    const Tile tile = by_tiles ? choose_task_tile(channels, image.width, facts_)
                               : choose_tile(image.width, channels, facts_, Tuning{});
    const int at_once = by_tiles ? tile.channels_of_parts() : round_up(channels, tile.channels());
    const int at_once_vectors =
        std::max(1, std::min(at_once, round_up(channels, facts_.lanes)) / facts_.lanes);
    Partition partition;
    partition.rows = ring_strip_rows(image, image.height, cheap.window, at_once, facts_);
    partition.strips = image.height / partition.rows;
    if (!by_tiles) partition.tasks = task_count(partition.strips, partition.rows, &cheap.window);
    out.bound(axes_.c, 0, cheap.channels).bound(axes_.x, 0, image.width);
    out.bound(axes_.y, 0, image.height).bound(axes_.half, 0, 2);
    Var task("task"), strip("strip"), row("row"), xo("xo"), xi("xi"), cb("cb"), cv("cv"),
        tiles("tiles");
    const bool many = stages_.cheap->accumulator.defined();
    const int run = depthwise_run(cheap.window, image.width, false, facts_, tuning_, 4);
    const TailStrategy tail =
        channel_tail(cheap.channels, facts_.lanes, operands_may_overrun(block_));
    out.split(axes_.y, strip, row, static_cast<int>(partition.rows), TailStrategy::RoundUp)
        .split(strip, task, strip, static_cast<int>(partition.strips / partition.tasks),
               TailStrategy::RoundUp)
        .split(axes_.x, xo, xi, run, TailStrategy::ShiftInwards)
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
        schedule_depthwise_strip(*stages_.cheap, axes_, cheap, {image.width, false, true}, rows,
                                 facts_, tuning_);
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
    const int64_t tasks = task_count(image.height, 1, nullptr);
    const bool many = stage.accumulator.defined();
    const int run = depthwise_run(layer.window, image.width, many, facts_, tuning_,
                                  facts_.registers > 16 ? 4 : 1);
    const bool dense = layer.multiplier == 1;
    out.split(axes_.y, task, row, static_cast<int>(image.height / tasks), TailStrategy::RoundUp)
        .split(axes_.x, xo, xi, run, TailStrategy::ShiftInwards)
        .split(axes_.c, cb, cv, facts_.lanes, vector_tail(image.channels, facts_.lanes))
        .reorder(cv, xi, xo, cb, row, task)
        .vectorize(cv)
        .unroll(xi);
    if (tasks > 1) out.parallel(task);
    if (!dense) {
        schedule_depthwise_strip(stage, axes_, layer,
                                 {image.width, false, vectors_may_overrun(natural_.input)},
                                 {out, task, row}, facts_, tuning_);
    } else if (many) {
        schedule_taps(stage, axes_, out, xo, image.channels < facts_.lanes, facts_);
    }
}

}  // namespace

int flattened_run(const Block &block, const TargetFacts &facts, const Tuning &tuning) {
    if (!block.depthwise || block.depthwise->window.taps() >= kManyTaps) return 1;
    // A ring whose strips this would keep Halide from knowing the size of.
    if (block.expand && tuning.order == Order::kSliding) return 1;
    const int width = block.output.width;
    const int run = depthwise_run(block.depthwise->window, width, false, facts, tuning,
                                  few_taps_run(width, facts));
    return width % run == 0 ? run : 1;
}

void schedule_block(BlockStages &stages, const Block &natural, const TargetFacts &facts,
                    const Tuning &tuning) {
    BlockScheduler(stages, natural, facts, tuning).run();
}

}  // namespace sepconv
