#include "tests/schedules/gpu_traffic.h"

#include <algorithm>

#include "layer/shape.h"
#include "schedules/gpu.h"

namespace sepconv::testing {
namespace {

constexpr int64_t kFloatBytes = 4;

int64_t tiles(int extent, int tile) {
    return (extent + tile - 1) / tile;
}

int64_t blocks_of(const Image &image, int channels, const BlockTile &tile) {
    return tiles(channels, tile.channels()) * tiles(image.width, tile.width()) *
           tiles(image.height, tile.height());
}

/// Input pixels under the windows of a tile.
struct Halo {
    int64_t all = 0;     ///< With those in the padding, which are computed too.
    int64_t inside = 0;  ///< Of the image, at most.
};

Halo halo_of(const Window &window, const BlockTile &tile, const Image &input) {
    const int64_t width =
        (tile.width() - 1) * window.stride_w + dilated_extent(window.kernel_w, window.dilation_w);
    const int64_t height =
        (tile.height() - 1) * window.stride_h + dilated_extent(window.kernel_h, window.dilation_h);
    return {width * height,
            std::min<int64_t>(width, input.width) * std::min<int64_t>(height, input.height)};
}

/// One block of threads.
struct OneBlock {
    int64_t values = 0, macs = 0;

    /// `channels` of a layer at `pixels`, each the sum of `products`.
    void compute(int64_t pixels, int64_t channels, int64_t products) {
        values += channels * (products + 1);  // Weights and a bias.
        macs += pixels * channels * products;
    }
};

/// Expand and depthwise of `channels`, for a tile of the depthwise's pixels.
void add_front(const Block &block, const BlockTile &tile, int64_t channels, OneBlock *one) {
    const Depthwise &depthwise = *block.depthwise;
    const Halo halo = halo_of(depthwise.window, tile, block.input);
    one->values += halo.inside * (block.expand ? block.input.channels : channels);
    if (block.expand) one->compute(halo.all, channels, block.input.channels);
    one->compute(int64_t{tile.width()} * tile.height(), channels, depthwise.window.taps());
}

/// What a squeeze gates: the depthwise, or the input where there is none.
Image squeezed_image(const Block &block) {
    if (!block.depthwise) return block.input;
    Image image = block.output;
    image.channels = block.depthwise->channels;
    return image;
}

OneBlock output_block(const Block &block, const BlockTile &tile) {
    OneBlock one;
    const int64_t pixels = int64_t{tile.width()} * tile.height();
    const int64_t channels = std::min(tile.channels(), block.output.channels);
    one.values = pixels * channels * static_cast<int64_t>(1 + block.operands.size());
    if (!block.project) {
        add_front(block, tile, channels, &one);
        return one;
    }
    const Convolution &project = *block.project;
    const int64_t products = int64_t{project.in_channels} * project.window.taps();
    if (block.cheap) {
        const Halo halo = halo_of(block.cheap->window, tile, block.input);
        one.values += pixels * channels + halo.inside * project.in_channels;  // The other half.
        one.compute(halo.all, channels, products);
        one.compute(pixels, channels, block.cheap->window.taps());
        return one;
    }
    if (block.depthwise && !block.squeeze) {
        add_front(block, tile, project.in_channels, &one);
    } else {
        const Image source = block.squeeze ? squeezed_image(block) : block.input;
        one.values += halo_of(project.window, tile, source).inside * project.in_channels;
    }
    one.compute(pixels, channels, products);
    return one;
}

/// Launches before the output's: the depthwise, its sums, the two small layers, the gate.
void add_squeeze(const Block &block, GpuTraffic *traffic) {
    const Image image = squeezed_image(block);
    const int64_t channels = image.channels;
    if (block.depthwise) {
        const BlockTile tile = squeezed_tile_on_gpu(block);
        OneBlock one;
        one.values = int64_t{tile.width()} * tile.height() * tile.channels();
        add_front(block, tile, tile.channels(), &one);
        const int64_t count = blocks_of(image, image.channels, tile);
        traffic->macs += count * one.macs;
        traffic->l2_bytes += kFloatBytes * count * one.values;
    }
    const int64_t small_layers = 2 * channels * block.squeeze->reduce.out_channels;
    const int64_t row_sums = image.height * channels;
    const int64_t values = image.width * row_sums;
    // Of the project's weights or of its input, whichever are fewer.
    const int64_t gated = std::min(channels * block.project->out_channels, values);
    traffic->macs += small_layers;
    traffic->l2_bytes +=
        kFloatBytes * (values + 2 * row_sums + small_layers + 2 * gated + channels);
}

}  // namespace

GpuTraffic gpu_traffic(const Block &block) {
    const BlockTile tile = output_tile_on_gpu(block);
    const bool flat = rows_on_gpu(block) == Rows::kFlattened;
    const Block seen = flat ? flattened(block) : block;
    const int channels = block.cheap ? block.cheap->channels : block.output.channels;
    GpuTraffic traffic;
    traffic.output_blocks = blocks_of(seen.output, channels, tile);
    const OneBlock one = output_block(seen, tile);
    traffic.macs = traffic.output_blocks * one.macs;
    traffic.l2_bytes = traffic.output_blocks * one.values * kFloatBytes;
    if (block.squeeze) add_squeeze(block, &traffic);
    return traffic;
}

}  // namespace sepconv::testing
