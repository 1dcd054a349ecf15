#ifndef SEPCONV_SCHEDULES_GPU_H_
#define SEPCONV_SCHEDULES_GPU_H_

#include "algorithms/stages.h"

namespace sepconv {

/// The one GPU loop nest, for CUDA and OpenCL alike. A fused block is one launch: what one stage
/// hands to the next lies in shared memory, a chunk of channels at a time. Only a squeeze, which
/// needs a whole image before the next stage begins, splits its block into launches.
void schedule_block_on_gpu(BlockStages &stages, const Block &block);
/// How schedule_block_on_gpu() wants its stages defined: tiles of fused stages are rectangles.
Rows rows_on_gpu(const Kernel &kernel);

/// What one block of threads computes of (c, x, y): `threads_*` threads, each of them `values_*`
/// values, which it keeps in registers.
struct BlockTile {
    int threads_c = 1, threads_x = 1, threads_y = 1;
    int values_c = 1, values_x = 1, values_y = 1;

    int channels() const { return threads_c * values_c; }
    int width() const { return threads_x * values_x; }
    int height() const { return threads_y * values_y; }
};
/// Of the launch that writes the output (of a Ghost module: the channels of one half), and of the
/// one that computes a whole depthwise for a squeeze.
BlockTile output_tile_on_gpu(const Block &block);
BlockTile squeezed_tile_on_gpu(const Block &block);

void schedule_pool_on_gpu(SimpleStages &stages, const Pool &pool);
void schedule_resize_on_gpu(SimpleStages &stages, const Resize &resize);
void schedule_map_on_gpu(SimpleStages &stages, const Map &map);
void schedule_softmax_on_gpu(SimpleStages &stages, const Softmax &softmax);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_GPU_H_
