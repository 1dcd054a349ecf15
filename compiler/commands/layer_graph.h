#ifndef SEPCONV_COMPILER_COMMANDS_LAYER_GRAPH_H_
#define SEPCONV_COMPILER_COMMANDS_LAYER_GRAPH_H_

#include <cstdint>
#include <map>
#include <string>

#include "compiler/graph.h"
#include "compiler/npy.h"
#include "layer/status.h"

namespace sepconv {

/// Arrays by stage; "" names the only stage of a block that has one.
using StageArrays = std::map<std::string, Array>;

/// One layer or block, as `sepconv layer` takes it. Empty strings and zeros: not given.
struct LayerSpec {
    std::string op;     ///< A name in layer_operators().
    std::string input;  ///< HxWxC
    int64_t batch = 1;
    int64_t out_channels = 0;
    int64_t expand = 0;                    ///< Channels between expand and project.
    std::string kernel, stride, dilation;  ///< K or HxW
    std::string padding;                   ///< same_upper, same_lower, valid, half or T,L,B,R
    int64_t multiplier = 1;                ///< Depthwise outputs a channel.
    int64_t squeeze = 0;                   ///< Channels between the layers of a squeeze-excite.
    std::string squeeze_activation, gate;  ///< Behind the two; relu and hard_sigmoid.
    std::string expand_activation, depthwise_activation, activation;
    bool residual = false;  ///< Adds the input behind everything.
    uint64_t seed = 1;
    /// As ONNX has them: [out, in / group, kh, kw] and [out]. Random where absent; a bias is zero
    /// where only its weights are given.
    StageArrays weights, bias;
};

/// A graph of ordinary ONNX operators, from "input" to "output". Its Conv nodes are named by their
/// stages: "expand", "depthwise", "project".
Result<Graph> layer_graph(const LayerSpec &spec);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_COMMANDS_LAYER_GRAPH_H_
