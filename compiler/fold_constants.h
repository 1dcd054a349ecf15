#ifndef SEPCONV_COMPILER_FOLD_CONSTANTS_H_
#define SEPCONV_COMPILER_FOLD_CONSTANTS_H_

#include <cstdint>
#include <vector>

#include "compiler/graph.h"
#include "layer/status.h"

namespace sepconv {

/// Whether fold_node computes the node: every operand is a constant of `graph`, or (Shape, Size,
/// Constant, ConstantOfShape) its value follows from shapes alone. Convolutions, pools with a
/// window, resizes and the like are left to their kernels.
bool is_foldable(const Graph &graph, const Node &node);

/// Computes a foldable node's outputs. Meant for shape arithmetic and prepared weights. `budget` is
/// reduced by the bytes that it reads and writes; an operator that would exceed it is an error.
/// `node` may be rewritten.
Result<std::vector<Constant>> fold_node(const Graph &graph, Node &node, int64_t &budget);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_FOLD_CONSTANTS_H_
