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
    std::string op;      ///< An operator of `sepconv layer` that is one kernel.
    int height = 0, width = 0, in_channels = 0, out_channels = 0;
    int expanded = 0;  ///< Channels of an inverted residual's depthwise; 0 for others.
    int kernel = 1, stride = 1;
    int squeeze = 0;        ///< Channels between the layers of a squeeze-excite; 0: has none.
    bool residual = false;  ///< Adds the input behind everything.
    /// none, relu, relu6 or hard_swish; squeeze-excites have relu and hard_sigmoid.
    std::string expand_activation = "none", depthwise_activation = "none", activation = "none";
    int count = 1;  ///< How often the network has the block.
};

/// The first line names the columns, in any order; those with a default above may be missing. The
/// fields have neither quotes nor commas.
Result<std::vector<BlockShape>> read_shapes(const std::string &path);

/// The block that the row describes, with dense channels-last images.
Result<Block> block_of(const BlockShape &shape);

/// "inverted_residual 14x14x96 > 576 > 160 k3 s2"
std::string describe(const BlockShape &shape);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_SHAPES_H_
