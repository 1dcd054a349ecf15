#include "schedules/gpu.h"

#include <algorithm>

#include "layer/shape.h"
#include "schedules/cpu_stages.h"

namespace sepconv {
namespace {

using Halide::Func;
using Halide::MemoryType;
using Halide::RVar;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

constexpr int kMostThreadsC = 32;  ///< A warp: neighbouring channels lie side by side in memory.
constexpr int kMostThreadsX = 4, kMostThreadsY = 4;
constexpr int kEnoughBlocks = 54;  ///< For half of the multiprocessors of an A100.
constexpr int kFewestPanels = 2;   ///< Eight threads read 32 bytes: what the L2 cache hands out.
constexpr int kChunk = 32;         ///< Channels that a project reads between two barriers, at most.

void share(int extent, int most_threads, int most_values, int *threads, int *values) {
    *values = std::min(most_values, extent >= 2 * most_threads ? most_values : 1);
    *threads = std::min(most_threads, extent / *values);
}

/// A tile inside an image of `width` x `height`: one that would hang over its edge is moved back
/// (and its pixels computed twice, equal), so that all blocks have the same bounds.
BlockTile pixel_tile(int width, int height) {
    BlockTile tile;
    if (height == 1) {
        share(width, kMostThreadsX * kMostThreadsY, 4, &tile.threads_x, &tile.values_x);
        return tile;
    }
    share(width, kMostThreadsX, 2, &tile.threads_x, &tile.values_x);
    share(height, kMostThreadsY, 2, &tile.threads_y, &tile.values_y);
    return tile;
}

/// Each value by itself.
BlockTile plain_tile(const Image &image) {
    BlockTile tile = pixel_tile(image.width, image.height);
    tile.threads_c = static_cast<int>(divisor_at_most(image.channels, kMostThreadsC));
    return tile;
}

int64_t tiles_of(const Image &image, const BlockTile &tile) {
    const auto count = [](int extent, int part) { return (extent + part - 1) / part; };
    return int64_t{count(image.width, tile.width())} * count(image.height, tile.height());
}

/// Of a project that writes `pixels`: a thread has four neighbouring channels. As many channels as
/// fill a warp, or fewer where most multiprocessors would have no block; but not where every block
/// computes an expand, which it would repeat.
BlockTile project_tile(const Block &block, const Image &pixels) {
    const int panels = round_up_to_panel(block.project->out_channels) / kPanel;
    BlockTile tile = pixel_tile(pixels.width, pixels.height);
    int64_t panels_of_tile = divisor_at_most(panels, kMostThreadsC / 4);
    const bool repeats_expand = block.expand && !block.squeeze;
    while (!repeats_expand && panels_of_tile > kFewestPanels &&
           tiles_of(pixels, tile) * (panels / panels_of_tile) < kEnoughBlocks) {
        const int64_t fewer = divisor_at_most(panels, panels_of_tile / 2);
        if (fewer < kFewestPanels) break;
        panels_of_tile = fewer;
    }
    tile.values_c = 4;
    tile.threads_c = static_cast<int>(panels_of_tile) * 4;
    return tile;
}

/// Of a Ghost module, for the channels of one half.
BlockTile ghost_tile(const Block &block) {
    BlockTile tile = pixel_tile(block.output.width, block.output.height);
    tile.threads_c = std::min(kPanel, block.cheap->channels);
    return tile;
}

/// The depthwise's output where a squeeze wants it whole.
Image depthwise_image(const Block &block) {
    Image image = block.output;
    image.channels = block.depthwise->channels;
    return image;
}

/// The names of a Func's loops inside a block of threads.
struct ThreadLoops {
    explicit ThreadLoops(const std::string &name)
        : tc(name + "_tc"),
          tx(name + "_tx"),
          ty(name + "_ty"),
          vc(name + "_vc"),
          vx(name + "_vx"),
          vy(name + "_vy") {}
    Var tc, tx, ty;  ///< Threads.
    Var vc, vx, vy;  ///< Values of a thread.
};

/// Splits c, x, y, of which a block holds exactly `tile`, into threads and values.
template<typename Stage>
void split_tile(Stage stage, const Axes &axes, const BlockTile &tile, const ThreadLoops &loops) {
    stage.split(axes.c, loops.tc, loops.vc, tile.values_c, TailStrategy::RoundUp)
        .split(axes.x, loops.tx, loops.vx, tile.values_x, TailStrategy::RoundUp)
        .split(axes.y, loops.ty, loops.vy, tile.values_y, TailStrategy::RoundUp)
        .unroll(loops.vc)
        .unroll(loops.vx)
        .unroll(loops.vy)
        .gpu_threads(loops.tc, loops.tx, loops.ty);
}

/// The loops of a kernel's output around its tiles.
struct BlockLoops {
    Var c{"block_c"}, x{"block_x"}, y{"block_y"};
};

/// Splits an output into blocks of threads. The last channels of a tile are masked where the image
/// has fewer.
void split_blocks(Func out, const Axes &axes, const Image &image, const BlockTile &tile,
                  const BlockLoops &blocks, const ThreadLoops &loops) {
    const bool whole = image.channels % tile.channels() == 0;
    out.bound(axes.c, 0, image.channels).bound(axes.x, 0, image.width);
    out.bound(axes.y, 0, image.height);
    Var c("in_block_c"), x("in_block_x"), y("in_block_y");
    out.split(axes.c, blocks.c, c, tile.channels(),
              whole ? TailStrategy::RoundUp : TailStrategy::GuardWithIf)
        .split(axes.x, blocks.x, x, tile.width(), TailStrategy::ShiftInwards)
        .split(axes.y, blocks.y, y, tile.height(), TailStrategy::ShiftInwards);
    Axes inner = axes;
    inner.c = c, inner.x = x, inner.y = y;
    split_tile(out, inner, tile, loops);
    out.reorder({loops.vc, loops.vx, loops.vy, loops.tc, loops.tx, loops.ty, blocks.c, blocks.x,
                 blocks.y})
        .gpu_blocks(blocks.c, blocks.x, blocks.y)
        .never_partition_all();
}

/// A Func over (c, x, y, ...) in shared memory, computed by the threads of a block of `tile`.
/// Returns its innermost loop.
Var compute_shared(Func func, const BlockTile &tile, int channels, int width, int height) {
    const std::vector<Var> args = func.args();
    ThreadLoops loops(func.name());
    auto each = [](int extent, int threads) { return (extent + threads - 1) / threads; };
    func.store_in(MemoryType::GPUShared)
        .never_partition_all()  // Threads of a warp take one way.
        .split(args[0], loops.vc, loops.tc, std::min(channels, tile.threads_c),
               TailStrategy::GuardWithIf)
        .split(args[1], loops.tx, loops.vx, each(width, tile.threads_x), TailStrategy::GuardWithIf)
        .split(args[2], loops.ty, loops.vy, each(height, tile.threads_y), TailStrategy::GuardWithIf)
        .reorder({loops.vc, loops.vx, loops.vy, loops.tc, loops.tx, loops.ty})
        .gpu_threads(loops.tc, loops.tx, loops.ty);
    return loops.vc;
}

/// A thread for each value of a Func. Returns the loop of threads.
Var one_thread_a_value(Func func) {
    constexpr int kThreads = 64;
    const std::vector<Var> args = func.args();
    const Var &all = args.front();
    Var block(func.name() + "_block"), thread(func.name() + "_thread");
    for (size_t d = 1; d < args.size(); d++) func.fuse(all, args[d], all);
    func.split(all, block, thread, kThreads, TailStrategy::GuardWithIf)
        .gpu_blocks(block)
        .gpu_threads(thread);
    return thread;
}

/// A launch of its own for a Func; its sums, if it is one, stay in the threads.
void launch_before(Func func) {
    if (func.has_update_definition()) {
        Func stored = func.in();
        stored.compute_root();
        func.compute_at(stored, one_thread_a_value(stored));
    } else {
        func.compute_root();
        one_thread_a_value(func);
    }
}

/// Sums of one thread, in registers, wherever its consumer's thread stands.
void sums_in_thread(ConvolutionStage &stage, const Axes &axes, Func consumer, const Var &at) {
    if (stage.total.defined()) {
        stage.total.compute_at(consumer, at);
        stage.total.update().reorder(axes.c, axes.x, axes.y, stage.chunks[0], stage.chunks[1],
                                     stage.chunks[2], stage.chunks[3]);
        stage.accumulator.compute_at(stage.total, stage.chunks[0]);
    } else {
        stage.accumulator.compute_at(consumer, at);
    }
    stage.accumulator.update().reorder(axes.c, axes.x, axes.y, stage.kc, stage.kx, stage.ky,
                                       stage.km);
}

int columns_read(const Window &window, int width) {
    return (width - 1) * window.stride_w + dilated_extent(window.kernel_w, window.dilation_w);
}

/// Tiles of an image as a kernel of its own, each value by itself.
BlockTile schedule_plain(Func out, const Axes &axes, const Image &image, Var *block, Var *thread) {
    const BlockTile tile = plain_tile(image);
    BlockLoops blocks;
    ThreadLoops loops("out");
    split_blocks(out, axes, image, tile, blocks, loops);
    *block = blocks.c, *thread = loops.tc;
    return tile;
}

class GpuBlockScheduler {
public:
    GpuBlockScheduler(BlockStages &stages, const Block &block)
        : stages_(stages), block_(block), axes_(stages.axes) {}

    void run() {
        if (block_.squeeze) squeeze();
        if (!block_.project) {
            depthwise_output();
        } else if (block_.cheap) {
            ghost_output();
        } else {
            project_output();
        }
    }

private:
    void depthwise_output();
    void project_output();
    void ghost_output();
    void squeeze();
    void in_registers(Func sums, const BlockTile &tile, const std::string &name);
    void stage_source(const BlockTile &tile, const RVar &chunk, int chunk_channels);
    void front(Func consumer, const VarOrRVar &at, const BlockTile &tile, int channels);
    void expand(Func consumer, const VarOrRVar &at, const BlockTile &tile, int channels);

    BlockStages &stages_;
    const Block &block_;
    const Axes &axes_;
};

void GpuBlockScheduler::depthwise_output() {
    Var block, thread;
    schedule_plain(stages_.output, axes_, stages_.pixels, &block, &thread);
    DepthwiseStage &stage = *stages_.depthwise;
    if (stage.accumulator.defined()) stage.accumulator.compute_at(stages_.output, thread);
}

/// Expand and depthwise of `channels` channels, for a tile of the depthwise's pixels.
void GpuBlockScheduler::front(Func consumer, const VarOrRVar &at, const BlockTile &tile,
                              int channels) {
    DepthwiseStage &stage = *stages_.depthwise;
    stage.result.compute_at(Halide::LoopLevel(consumer, at));
    const Var value = compute_shared(stage.result, tile, channels, tile.width(), tile.height());
    if (stage.accumulator.defined()) stage.accumulator.compute_at(stage.result, value);
    if (stages_.expand) expand(consumer, at, tile, channels);
}

void GpuBlockScheduler::expand(Func consumer, const VarOrRVar &at, const BlockTile &tile,
                               int channels) {
    const Window &window = block_.depthwise->window;
    // With its border, where it has one: then every block has the same bounds.
    Func rows =
        stages_.depthwise->padded.defined() ? stages_.depthwise->padded : stages_.expand->result;
    rows.compute_at(Halide::LoopLevel(consumer, at));
    const Var value = compute_shared(rows, tile, channels, columns_read(window, tile.width()),
                                     window_rows(window, tile.height()));
    sums_in_thread(*stages_.expand, axes_, rows, value);
}

/// What the project reads, a chunk of channels at a time.
void GpuBlockScheduler::stage_source(const BlockTile &tile, const RVar &chunk, int chunk_channels) {
    Func sums = stages_.project->accumulator;
    if (block_.depthwise && !block_.squeeze) {
        front(sums, chunk, tile, chunk_channels);
        return;
    }
    const Window &window = block_.project->window;
    Func source = stages_.project->padded.defined() ? stages_.project->padded
                                                    : stages_.project->input.in(sums);
    source.compute_at(sums, chunk);
    compute_shared(source, tile, chunk_channels, columns_read(window, tile.width()),
                   window_rows(window, tile.height()));
}

/// Each thread of a block keeps the sums of its values.
void GpuBlockScheduler::in_registers(Func sums, const BlockTile &tile, const std::string &name) {
    ThreadLoops loops(name);
    sums.store_in(MemoryType::Register).bound_extent(axes_.c, tile.channels());
    split_tile(sums, axes_, tile, loops);
    sums.reorder({loops.vc, loops.vx, loops.vy, loops.tc, loops.tx, loops.ty});
}

void GpuBlockScheduler::project_output() {
    const BlockTile tile = project_tile(block_, stages_.pixels);
    BlockLoops blocks;
    ThreadLoops loops("out"), update_loops("update");
    split_blocks(stages_.output, axes_, stages_.pixels, tile, blocks, loops);
    ConvolutionStage &project = *stages_.project;
    Func sums = project.accumulator;
    if (project.total.defined()) {
        ThreadLoops total_loops("total_update");
        in_registers(project.total, tile, "total");
        project.total.compute_at(stages_.output, blocks.c);
        split_tile(project.total.update(), axes_, tile, total_loops);
        project.total.update()
            .reorder({total_loops.vc, total_loops.vx, total_loops.vy, total_loops.tc,
                      total_loops.tx, total_loops.ty, project.chunks[0], project.chunks[1],
                      project.chunks[2], project.chunks[3]})
            .never_partition_all();  // All threads must meet the same barriers.
        sums.compute_at(project.total, project.chunks[0]);
    } else {
        sums.compute_at(stages_.output, blocks.c);
    }
    in_registers(sums, tile, "sum");
    const int chunk = static_cast<int>(divisor_at_most(project.in_channels, kChunk));
    RVar ko("ko"), ki("ki");
    split_tile(sums.update(), axes_, tile, update_loops);
    sums.update()
        .split(project.kc, ko, ki, chunk)
        .reorder({update_loops.vc, update_loops.vx, update_loops.vy, ki, project.kx, project.ky,
                  update_loops.tc, update_loops.tx, update_loops.ty, ko, project.km});
    stage_source(tile, ko, chunk);
}

void GpuBlockScheduler::ghost_output() {
    const Depthwise &cheap = *block_.cheap;
    Image half = block_.output;
    half.channels = cheap.channels;
    const BlockTile tile = ghost_tile(block_);
    BlockLoops blocks;
    ThreadLoops loops("out");
    split_blocks(stages_.output, axes_, half, tile, blocks, loops);
    stages_.output.bound(axes_.half, 0, 2)
        .reorder({loops.vc, loops.vx, loops.vy, axes_.half, loops.tc, loops.tx, loops.ty, blocks.c,
                  blocks.x, blocks.y});
    stages_.output.unroll(axes_.half);
    ConvolutionStage &primary = *stages_.project;
    Func rows = stages_.cheap->padded.defined() ? stages_.cheap->padded : primary.result;
    rows.compute_at(stages_.output, blocks.c);
    const Var value =
        compute_shared(rows, tile, tile.channels(), columns_read(cheap.window, tile.width()),
                       window_rows(cheap.window, tile.height()));
    sums_in_thread(primary, axes_, rows, value);
    if (stages_.cheap->accumulator.defined()) {
        stages_.cheap->accumulator.compute_at(stages_.output, loops.tc);
    }
}

/// Launches before the project's: the depthwise whole, its sums, and the two small layers.
void GpuBlockScheduler::squeeze() {
    SqueezeStages &squeeze = *stages_.squeeze;
    if (block_.depthwise) {
        DepthwiseStage &stage = *stages_.depthwise;
        stage.result.compute_root();
        Var block, thread;
        const BlockTile tile =
            schedule_plain(stage.result, axes_, depthwise_image(block_), &block, &thread);
        if (stage.accumulator.defined()) stage.accumulator.compute_at(stage.result, thread);
        if (stages_.expand) expand(stage.result, block, tile, tile.channels());
    }
    launch_before(squeeze.row_sums);
    if (squeeze.chunk.defined()) squeeze.chunk.compute_at(squeeze.row_sums, squeeze.column);
    launch_before(squeeze.total);
    for (ConvolutionStage *layer : {&squeeze.reduce, &squeeze.excite}) {
        layer->result.compute_root();
        const Var thread = one_thread_a_value(layer->result);
        if (layer->total.defined()) {
            layer->total.compute_at(layer->result, thread);
            layer->accumulator.compute_at(layer->total, layer->chunks[0]);
        } else {
            layer->accumulator.compute_at(layer->result, thread);
        }
    }
    launch_before(squeeze.gated_weights.defined() ? squeeze.gated_weights : squeeze.gated_input);
}

}  // namespace

BlockTile output_tile_on_gpu(const Block &block) {
    if (!block.project) return plain_tile(block.output);
    if (block.cheap) return ghost_tile(block);
    const bool flat = rows_on_gpu(block) == Rows::kFlattened;
    return project_tile(block, (flat ? flattened(block) : block).output);
}

BlockTile squeezed_tile_on_gpu(const Block &block) {
    return plain_tile(depthwise_image(block));
}

Rows rows_on_gpu(const Kernel &kernel) {
    const Block *block = std::get_if<Block>(&kernel);
    return block != nullptr && (block->depthwise || block->cheap) ? Rows::kNatural
                                                                  : Rows::kFlattened;
}

void schedule_block_on_gpu(BlockStages &stages, const Block &block) {
    GpuBlockScheduler(stages, block).run();
}

void schedule_pool_on_gpu(SimpleStages &stages, const Pool &pool) {
    Axes axes;
    axes.c = stages.axes[0], axes.x = stages.axes[1], axes.y = stages.axes[2];
    Var block, thread;
    schedule_plain(stages.output, axes, pool.output, &block, &thread);
    stages.reduction.compute_at(stages.output, thread);
    if (stages.chunk.defined()) stages.chunk.compute_at(stages.reduction, stages.reduced[0]);
}

void schedule_resize_on_gpu(SimpleStages &stages, const Resize &resize) {
    Axes axes;
    axes.c = stages.axes[0], axes.x = stages.axes[1], axes.y = stages.axes[2];
    Var block, thread;
    schedule_plain(stages.output, axes, resize.output, &block, &thread);
}

void schedule_map_on_gpu(SimpleStages &stages, const Map &map) {
    for (int d = 0; d < kMapRank; d++) {
        stages.output.bound(stages.axes[d], 0, static_cast<int>(map.extent[kMapRank - 1 - d]));
    }
    one_thread_a_value(stages.output);
}

void schedule_softmax_on_gpu(SimpleStages &stages, const Softmax &softmax) {
    const int64_t extents[] = {softmax.inner, softmax.extent, softmax.outer};
    for (int d = 0; d < 3; d++) {
        stages.output.bound(stages.axes[d], 0, static_cast<int>(extents[d]));
    }
    launch_before(stages.maximum);
    launch_before(stages.reduction);
    if (stages.chunk.defined()) stages.chunk.compute_at(stages.reduction, stages.reduced[0]);
    one_thread_a_value(stages.output);
}

}  // namespace sepconv
