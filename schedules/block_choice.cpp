#include "schedules/block_choice.h"

#include <algorithm>
#include <tuple>

#include "algorithms/stages.h"
#include "layer/shape.h"

namespace sepconv {
namespace {

/// Tasks of rows behind a sliding producer compute at most one row in so many twice.
constexpr int kRowsForOneAgain = 12;

/// Each strip reads all packed weights once, so what it holds of the input (or of the depthwise)
/// should be about as large as they are: smaller strips wait for weights, larger ones push their
/// own rows out of the cache. Half of either level is the limit; behind a depthwise, which counts
/// with what it reads, no less than four times the first level, because every strip begins and ends
/// with rows at a border. Weights that stay in the first level are waited for by none: a strip of a
/// window is one row then, which leaves that level to the rows that the window shares. (First
/// layers with AVX-512: 0.85 to 0.90 of the time on Intel family 6 model 207, 0.97 to 0.99 on Zen
/// 5; with AVX2 and SSE4.1 the same time.) Behind a depthwise, where its row stays there instead,
/// that pays for few output channels. (To 16 of them at 112x112 on that Intel: 0.91 of the time
/// from 16 channels with AVX-512; from 32 channels 0.95, with AVX2 1.00, with SSE4.1 0.96.)
int64_t strip_rows(const Convolution &layer, const Image &pixels, const Window *depthwise,
                   const TargetFacts &facts, const Tuning &tuning) {
    if (tuning.strip_rows > 0) return divisor_at_most(pixels.height, tuning.strip_rows);
    const bool shared = depthwise != nullptr || layer.window.taps() > 1;
    if (shared && weight_bytes(layer) <= facts.l1_bytes / (depthwise != nullptr ? 8 : 2)) return 1;
    int64_t row_bytes = 4LL * pixels.width * layer.in_channels * layer.window.stride_h;
    if (depthwise != nullptr) row_bytes *= depthwise->stride_w * depthwise->stride_h;
    const int64_t least = depthwise != nullptr ? 4 * facts.l1_bytes : facts.l1_bytes / 2;
    const int64_t most = std::max(least, facts.l2_bytes / 2);
    const int64_t bytes = std::clamp(weight_bytes(layer), least, most);
    return divisor_at_most(pixels.height, std::max<int64_t>(1, bytes / row_bytes));
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

/// Strips of `pixels` (natural, not flattened) whose rows come from `layer`, which is behind a
/// `depthwise` if that is not stored whole, in front of `window` if it slides.
Partition row_partition(const Convolution &layer, const Image &pixels, const Window *depthwise,
                        const Window *window, const TargetFacts &facts, const Tuning &tuning) {
    Partition partition;
    partition.rows = strip_rows(layer, pixels, depthwise, facts, tuning);
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

/// Pixels that one step of a depthwise computes. With many taps so many that their accumulators and
/// the input vectors that they share (stride_w a pixel) fill the registers; if possible a divisor
/// of the row, so that no pixel is computed twice and only its first and last step meet the border.
int depthwise_run(const Window &window, int width, int few_taps_run, const TargetFacts &facts,
                  const Tuning &tuning) {
    if (tuning.depthwise_pixels > 0) return std::min(tuning.depthwise_pixels, width);
    if (window.taps() < kManyTaps) return std::min(few_taps_run, width);
    const int products = facts.fused_multiply ? 0 : 4;
    const int most = (facts.registers - products) / (1 + window.stride_w);
    const int run = static_cast<int>(divisor_at_most(width, most));
    return 2 * run > most ? run : std::min(most, width);
}

/// What a tile may use of them in a reduction of so few steps that it ends soon: the stores of a
/// small tile run beside the multiply-adds of the next one. (Measured with AVX-512 on Zen 5: 7 x 2
/// instead of 14 x 2 takes 0.94 to 0.95 of the time at 27 steps, 16 x 1 instead of 28 x 1 0.88 at
/// 16; from 64 steps on nothing is gained.)
TargetFacts facts_for(int64_t steps, const TargetFacts &facts) {
    constexpr int64_t kFewSteps = 32;
    constexpr int kRegisters = 18;
    TargetFacts few = facts;
    if (steps < kFewSteps && facts.multiply_lanes == 1) {
        few.registers = std::min(facts.registers, kRegisters);
    }
    return few;
}

int64_t steps_of(const Convolution &layer) {
    return int64_t{layer.in_channels} * layer.window.taps();
}

/// Pixels of one step of few taps: a short row as a whole, else a divisor of it.
int divisor_run(const Window &window, int width, int most, const TargetFacts &facts) {
    constexpr int kShortWithStride = 7;  // Pixels share less of the input then.
    const int stridden = std::min(facts.short_row, kShortWithStride);
    if (width <= (window.stride_w == 1 ? facts.short_row : stridden)) return width;
    return static_cast<int>(divisor_at_most(width, most));
}

/// The same where a pixel may be computed twice, which costs less than short steps.
int free_run(const Window &window, int width, int most, const TargetFacts &facts) {
    const int run = divisor_run(window, width, most, facts);
    return 2 * run > most ? run : std::min(most, width);
}

/// Makes the choices of one block, one after the other.
class Chooser {
public:
    Chooser(const Block &block, const TargetFacts &facts, const Tuning &tuning)
        : block_(block), facts_(facts), tuning_(tuning) {}

    BlockChoice run() {
        const Block flat = flattened(block_);
        choice_.flat = flat.output.height != block_.output.height;
        const int width = block_.output.width;
        if (block_.depthwise) {
            choice_.depthwise_pixels = depthwise_run(
                block_.depthwise->window, width,
                few_taps_run(block_.depthwise->window, width, facts_), facts_, tuning_);
        }
        if (!block_.project) {
            choice_.output.strips = block_.output.height;
            choice_.output.tasks = task_count(block_.output.height, 1, nullptr);
            const int few = facts_.registers > 16
                                ? free_run(block_.depthwise->window, width,
                                           std::max(4, facts_.strip_pixels), facts_)
                                : 1;
            choice_.output_pixels =
                depthwise_run(block_.depthwise->window, width, few, facts_, tuning_);
        } else if (block_.cheap) {
            ghost();
        } else {
            project(flat);
        }
        if (block_.depthwise) {
            // Behind a ring, or over all rows, only whole rows are computed at once.
            const bool strips =
                block_.project && !block_.expand && choice_.order == Order::kSliding;
            const int few =
                strips ? divisor_run(block_.depthwise->window, width, facts_.strip_pixels, facts_)
                       : few_taps_run(block_.depthwise->window, width, facts_);
            choice_.depthwise_pixels =
                depthwise_run(block_.depthwise->window, width, few, facts_, tuning_);
        }
        return choice_;
    }

private:
    void project(const Block &flat);
    void ghost();
    void front();
    Order order() const;
    Order ghost_order() const;
    int64_t input_bytes() const;  ///< Of what the project reads.

    const Block &block_;
    const TargetFacts &facts_;
    const Tuning &tuning_;
    BlockChoice choice_;
};

int64_t bytes_of(const Image &image) {
    return 4LL * image.width * image.height * image.channels;
}

int64_t Chooser::input_bytes() const {
    return 4LL * block_.output.width * block_.output.height * block_.project->in_channels;
}

/// What the tuning asks for where the block allows both orders, else the faster one.
Order Chooser::order() const {
    if (block_.squeeze) return Order::kChannels;  // It needs all of the depthwise first.
    if (pads_project(block_)) return Order::kSliding;
    if (tuning_.order != Order::kAuto) return tuning_.order;
    if (block_.expand) return Order::kChannels;
    // A whole depthwise is faster, but must not be what the arena is sized by, and it reads its
    // input a vector of channels at a time, which a smaller cache than the input fetches again and
    // again, as the project does what the depthwise wrote. (Intel family 6 model 207, AVX-512:
    // strips of rows take 0.76 of the time at 112x112x64 with stride 2, 0.87 at 56x56x128; without
    // a stride 0.70 at 56x56x64, 0.90 at 28x28x256; with AVX2 0.78 and 1.01, with SSE4.1 0.87 and
    // 0.96.)
    constexpr int64_t kMostBytes = 1 << 20;
    if (block_.depthwise) {
        const bool tasks = block_.depthwise->channels > facts_.lanes;  // Of one vector each.
        const bool small = bytes_of(block_.input) + input_bytes() <= kMostBytes;
        return tasks && small ? Order::kChannels : Order::kSliding;
    }
    const Partition strips =
        row_partition(*block_.project, block_.output, nullptr, nullptr, facts_, tuning_);
    return strips.tasks < 4 ? Order::kChannels : Order::kSliding;
}

void Chooser::project(const Block &flat) {
    choice_.order = order();
    const bool whole = choice_.order == Order::kChannels;
    const Window *window = block_.expand && !whole ? &block_.depthwise->window : nullptr;
    choice_.output =
        whole && weight_bytes(*block_.project) > input_bytes()
            ? by_channels(block_.output)
            : row_partition(*block_.project, block_.output,
                            block_.depthwise && !whole ? &block_.depthwise->window : nullptr,
                            window, facts_, tuning_);
    const int64_t row =
        choice_.flat ? choice_.output.rows * block_.output.width : flat.output.width;
    const bool tuned = tuning_.tile_pixels > 0;
    choice_.tile =
        choose_tile(row, flat.output.channels,
                    tuned ? facts_ : facts_for(steps_of(*block_.project), facts_), tuning_);
    if (whole) {
        front();
    } else if (block_.expand) {
        choice_.front_tile = choose_tile(block_.input.width, block_.expand->out_channels,
                                         facts_for(steps_of(*block_.expand), facts_), Tuning{});
    }
}

/// The depthwise stored whole, a tile of channels at a time: a squeeze needs all of it first, and
/// tasks of rows would compute too many rows of the expand twice.
void Chooser::front() {
    if (!block_.depthwise) return;
    const Depthwise &layer = *block_.depthwise;
    const int height = block_.output.height;
    if (!block_.expand) {
        choice_.front = tile_partition(height, height, layer.channels, facts_.lanes);
        return;
    }
    const int channels = block_.expand->out_channels;
    choice_.front_tile =
        choose_task_tile(channels, block_.input.width, facts_for(steps_of(*block_.expand), facts_));
    const int at_once = choice_.front_tile.channels_of_parts();
    const int64_t rows = ring_strip_rows(block_.input, height, layer.window, at_once, facts_);
    choice_.front = tile_partition(height, rows, channels, at_once);
}

Order Chooser::ghost_order() const {
    const int channels = block_.cheap->channels, width = block_.output.width;
    const int tile = choose_task_tile(channels, width, facts_).channels_of_parts();
    // Whole tiles, so that every one has the same bounds; many taps need the first half stored.
    const bool tiled = tile < channels && round_up(channels, facts_.lanes) % tile == 0;
    if (!tiled || block_.cheap->window.taps() >= kManyTaps) return Order::kSliding;
    if (tuning_.order != Order::kAuto) return tuning_.order;
    // Tasks of rows compute too many of them twice where there are few.
    const bool few_rows = block_.output.height < 48;
    const bool one = choose_tile(width, channels, facts_, Tuning{}).channels() >= channels;
    return few_rows || !one ? Order::kChannels : Order::kSliding;
}

void Chooser::ghost() {
    const Image &image = block_.output;
    const Depthwise &cheap = *block_.cheap;
    choice_.order = ghost_order();
    const bool by_tiles = choice_.order == Order::kChannels;
    const int channels = block_.project->out_channels;
    choice_.tile = choice_.front_tile = by_tiles
                                            ? choose_task_tile(channels, image.width, facts_)
                                            : choose_tile(image.width, channels, facts_, Tuning{});
    const int at_once =
        by_tiles ? choice_.tile.channels_of_parts() : round_up(channels, choice_.tile.channels());
    Partition &output = choice_.output;
    output.rows = ring_strip_rows(image, image.height, cheap.window, at_once, facts_);
    output.strips = image.height / output.rows;
    if (!by_tiles) output.tasks = task_count(output.strips, output.rows, &cheap.window);
    choice_.output_pixels =
        depthwise_run(cheap.window, image.width,
                      free_run(cheap.window, image.width, std::max(4, facts_.strip_pixels), facts_),
                      facts_, tuning_);
    if (block_.squeeze) front();
}

auto fields(const Partition &partition) {
    return std::tie(partition.rows, partition.strips, partition.tasks, partition.by_channels);
}

auto fields(const Tile &tile) {
    return std::tie(tile.pixels, tile.vectors, tile.lanes, tile.k_steps, tile.parts);
}

auto fields(const BlockChoice &choice) {
    return std::tuple_cat(
        std::tie(choice.order, choice.flat, choice.depthwise_pixels, choice.output_pixels),
        fields(choice.output), fields(choice.front), fields(choice.tile),
        fields(choice.front_tile));
}

}  // namespace

bool operator==(const BlockChoice &left, const BlockChoice &right) {
    return fields(left) == fields(right);
}

BlockChoice choose(const Block &block, const TargetFacts &facts, const Tuning &tuning) {
    return Chooser(block, facts, tuning).run();
}

int few_taps_run(const Window &window, int width, const TargetFacts &facts) {
    return divisor_run(window, width, facts.depthwise_pixels, facts);
}

int window_rows(const Window &window, int64_t rows) {
    return static_cast<int>((rows - 1) * window.stride_h +
                            dilated_extent(window.kernel_h, window.dilation_h));
}

int64_t weight_bytes(const Convolution &layer) {
    return 4LL * layer.in_channels * layer.window.taps() * round_up_to_panel(layer.out_channels);
}

bool shares_badly(int64_t tasks) {
    constexpr int64_t kFew = 8;
    return tasks < kFew && tasks % 2 == 1;
}

int round_up(int value, int unit) {
    return (value + unit - 1) / unit * unit;
}

Tile choose_task_tile(int channels, int width, const TargetFacts &facts) {
    const Tile tile = choose_tile(width, channels, facts, Tuning{});
    if (tile.channels_of_parts() < channels || channels <= kPanel) return tile;
    Tuning half;
    half.tile_vectors = std::max(1, tile.vectors / 2);
    return choose_tile(width, channels, facts, half);
}

}  // namespace sepconv
