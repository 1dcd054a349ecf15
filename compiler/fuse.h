#ifndef SEPCONV_COMPILER_FUSE_H_
#define SEPCONV_COMPILER_FUSE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/graph.h"
#include "layer/elementwise.h"

namespace sepconv {

/// One elementwise step and the name of its operand (constant or value; "" when unary).
struct FusedStep {
    Elementwise step;
    std::string operand;
};
using FusedSteps = std::vector<FusedStep>;

/// Nodes that become one kernel call (or one view). `anchor` and what follows it are indices into
/// Graph::nodes; the group runs when its last node would, so that every operand exists.
struct Group {
    int anchor = 0;
    int expand = -1;              ///< A pointwise Conv in front of a depthwise anchor, or -1.
    FusedSteps expand_epilogue;   ///< Between the two.
    FusedSteps epilogue;          ///< Behind the anchor.
    int project = -1;             ///< A pointwise Conv behind a depthwise anchor, or -1.
    FusedSteps project_epilogue;  ///< Behind the project.
    std::vector<int> nodes;       ///< All, in order.
    std::string output;           ///< The value that the group makes.
};

/// A Conv with one input channel a group and more than one group.
bool is_depthwise(const Graph &graph, const Node &node);
/// A Conv 1x1 with stride 1, no padding and one group.
bool is_pointwise(const Graph &graph, const Node &node);

/// The node as steps on its input `running`, whose shape is `shape` with the channels at
/// `channel_axis`; nothing if it is no elementwise operator or does not keep the shape. Operands
/// are classified; kTensor ones only if `tensors`.
std::optional<FusedSteps> as_steps(const Graph &graph, const Node &node, const std::string &running,
                                   const Shape &shape, int channel_axis, bool tensors);

/// Every node of the graph in exactly one group, in order of execution.
std::vector<Group> fuse(const Graph &graph);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_FUSE_H_
