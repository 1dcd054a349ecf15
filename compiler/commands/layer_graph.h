#ifndef SEPCONV_COMPILER_COMMANDS_LAYER_GRAPH_H_
#define SEPCONV_COMPILER_COMMANDS_LAYER_GRAPH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/graph.h"
#include "compiler/npy.h"
#include "layer/status.h"

namespace sepconv {

/// One layer or block, as `sepconv layer` takes it.
struct LayerSpec {
    std::string op;     ///< convolution, depthwise, pointwise, separable
    std::string input;  ///< HxWxC
    int64_t batch = 1;
    int64_t out_channels = 0;                                ///< 0: not given.
    std::string kernel = "1", stride = "1", dilation = "1";  ///< K or HxW
    int64_t multiplier = 1;
    std::string padding = "valid";  ///< same_upper, same_lower, valid, half or T,L,B,R
    std::string activation, depthwise_activation;
    uint64_t seed = 1;
    /// As ONNX has them: [out, in / group, kh, kw] and [out]. Random where absent; a bias is zero
    /// where only its weights are given. The first pair is that of the depthwise stage of a
    /// separable block, or of the only stage; the second that of its pointwise stage.
    std::optional<Array> weights, bias, pointwise_weights, pointwise_bias;
};

/// A graph of one or two Conv nodes and their activations, from "input" to "output".
Result<Graph> layer_graph(const LayerSpec &spec);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_COMMANDS_LAYER_GRAPH_H_
