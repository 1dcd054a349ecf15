#ifndef SEPCONV_TESTS_SCHEDULES_GPU_TRAFFIC_H_
#define SEPCONV_TESTS_SCHEDULES_GPU_TRAFFIC_H_

#include <cstdint>

#include "layer/layer.h"

namespace sepconv::testing {

/// What the launches of a block do, by the tiles of schedules/gpu.cpp.
struct GpuTraffic {
    int64_t output_blocks = 0;  ///< Blocks of threads of the launch that writes the output.
    /// Multiply-accumulates, with those that neighbouring blocks repeat: the expand under the halo
    /// and for each tile of output channels, the depthwise for each tile of output channels.
    int64_t macs = 0;
    /// Asked of the L2 cache. The sum over all blocks of threads of
    ///   4 bytes * (input under the tile's windows, all channels that it needs
    ///              + weights and biases of the channels that it computes
    ///              + the tile of the output, and of each residual),
    /// each once a block: what a block reads again it finds in its L1 cache. A squeeze adds what
    /// its small launches read and write of its whole intermediate image.
    int64_t l2_bytes = 0;
};
GpuTraffic gpu_traffic(const Block &block);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SCHEDULES_GPU_TRAFFIC_H_
