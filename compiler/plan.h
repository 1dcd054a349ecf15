#ifndef SEPCONV_COMPILER_PLAN_H_
#define SEPCONV_COMPILER_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "layer/layer.h"
#include "layer/shape.h"

namespace sepconv {

enum class Space { kWeights, kArena, kInput, kOutput };  ///< As sepconv_space_t.

/// Where a kernel argument lies.
struct Location {
    Space space = Space::kArena;
    int index = 0;        ///< Of the input, of the output or in Plan::tensors; else 0.
    int64_t offset = 0;   ///< Bytes from the start of the weights or of that tensor.
    int64_t advance = 0;  ///< Bytes for each repetition.
};

/// One kernel call, repeated for every image of a batch.
struct PlanStep {
    int kernel = 0;  ///< Index into Plan::kernels.
    int block = 0;   ///< Index into Plan::blocks.
    int64_t repeat = 1;
    std::vector<Location> args;  ///< In the order of arguments_of(kernel).
};

/// What a user calls one fused block: the nodes that became one kernel (or, for phases and groups,
/// several calls of it).
struct PlanBlock {
    std::string name;                    ///< Unique: name of the first node.
    std::string kind;                    ///< "separable", "pointwise", "map", ...
    std::vector<std::string> operators;  ///< "Conv", "Relu", ... in order.
    std::vector<std::string> nodes;      ///< Their node names.
    std::string shape;                   ///< "56x56x64 > 28x28x128 k3 s2"
    int kernel = 0;                      ///< Its kernel (the first, when several).
    Cost cost;                           ///< Of all its steps together.
    int out_channels = 0, taps = 0;      ///< Of a separable pair, for 1/out_channels + 1/taps.
};

/// A tensor at the library's edge, dense in the order of `shape`.
struct PlanTensor {
    std::string name;
    std::string layout;  ///< "nchw", "nhwc" or "".
    std::vector<int64_t> shape;
    int64_t bytes = 0;
};

/// Bytes that are in use from one step to another, both included.
struct Lifetime {
    int64_t bytes = 0;
    int first_step = 0;
    int last_step = 0;
};

/// A whole model, lowered: distinct kernels, the calls in order, packed weights. Where in the arena
/// its tensors lie is for plan_memory(), once the kernels and so their scratch are known.
struct Plan {
    std::vector<PlanTensor> inputs, outputs;
    std::vector<Kernel> kernels;
    std::vector<PlanStep> steps;
    std::vector<PlanBlock> blocks;
    std::vector<Lifetime> tensors;  ///< Of the arena, each from its first writer to last reader.
    std::vector<uint8_t> weights;   ///< Buffers start on 64 bytes; 64 readable bytes at the end.
};

/// One line that says all of a kernel: equal kernels, equal text. Cache key and comment.
std::string describe(const Kernel &kernel);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_PLAN_H_
