#ifndef SEPCONV_COMPILER_FUSE_H_
#define SEPCONV_COMPILER_FUSE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/graph.h"
#include "layer/layer.h"

namespace sepconv {

/// One elementwise step and the name of its operand (constant or value; "" when unary).
struct FusedStep {
    Elementwise step;
    std::string operand;
};
using FusedSteps = std::vector<FusedStep>;

/// One stage of a block: its Conv and what follows it. kOutput has no node: its steps follow a
/// Ghost module's Concat.
struct FusedStage {
    StageId id = StageId::kProject;
    int node = -1;
    FusedSteps epilogue;
};

/// Nodes that become one kernel call (or one view). Numbers are indices into Graph::nodes; the
/// group runs when its last node would, so that every operand exists.
struct Group {
    int anchor = 0;                  ///< What the group is about; in a block its last Conv.
    FusedSteps epilogue;             ///< Behind the anchor; of a block, see `stages`.
    std::vector<FusedStage> stages;  ///< Of a layer::Block with a depthwise or several stages.
    std::vector<int> nodes;          ///< All, in order.
    std::string input;               ///< What the first stage of a block reads.
    std::string output;              ///< The value that the group makes.

    const FusedStage *stage(StageId id) const;  ///< Null where there is none.
};

/// A Conv with one input channel a group and more than one group.
bool is_depthwise(const Graph &graph, const Node &node);
/// A Conv 1x1 with stride 1, no padding and one group.
bool is_pointwise(const Graph &graph, const Node &node);

/// A pool or Resize, whose kernel may end in an epilogue.
bool is_image_operator(const Node &node);
/// Relu, Add, ...: an operator that as_steps() may take.
bool is_elementwise(const Node &node);

/// The node as steps on its input `running`, whose shape is `shape` with the channels at
/// `channel_axis`; nothing if it is no elementwise operator or does not keep the shape. Operands
/// are classified; kTensor ones only if `tensors`.
std::optional<FusedSteps> as_steps(const Graph &graph, const Node &node, const std::string &running,
                                   const Shape &shape, int channel_axis, bool tensors);

/// How many arguments the group's kernel has (layer/arguments.h).
size_t argument_count(const Graph &graph, const Group &group);

/// Every node of the graph in exactly one group, in order of execution.
std::vector<Group> fuse(const Graph &graph);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_FUSE_H_
