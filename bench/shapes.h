#ifndef SEPCONV_BENCH_SHAPES_H_
#define SEPCONV_BENCH_SHAPES_H_

#include <string>
#include <vector>

#include "layer/layer.h"
#include "layer/status.h"

namespace sepconv::bench {

/// A row of bench/shapes/*.csv: one layer or block with padding same_upper.
struct BlockShape {
    std::string name;    ///< A C identifier.
    std::string source;  ///< Where the shape comes from.
    std::string op;      ///< depthwise, pointwise or separable
    int height = 0, width = 0, in_channels = 0, out_channels = 0;
    int kernel = 1, stride = 1;
    std::string depthwise_activation;  ///< Between the stages of a separable block.
    std::string activation;            ///< none, relu, relu6 or hard_swish, as the other.
};

/// The first line names the columns, in any order; the fields have neither quotes nor commas.
Result<std::vector<BlockShape>> read_shapes(const std::string &path);

/// The block that the row describes, with dense channels-last images.
Result<Block> block_of(const BlockShape &shape);

/// "separable 14x14x512 > 1024 k3 s2"
std::string describe(const BlockShape &shape);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_SHAPES_H_
