#ifndef SEPCONV_COMPILER_LOWER_H_
#define SEPCONV_COMPILER_LOWER_H_

#include "compiler/graph.h"
#include "compiler/plan.h"
#include "layer/status.h"

namespace sepconv {

enum class Layout { kNchw, kNhwc };

/// From a simplified graph to a plan: fuses nodes into kernels, decides where every tensor lies,
/// packs the weights. `edges` is the layout of the caller's 4-D tensors. An operator or attribute
/// that no kernel computes is an error naming the node.
Result<Plan> lower(const Graph &graph, Layout edges);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_LOWER_H_
