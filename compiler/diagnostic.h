#ifndef SEPCONV_COMPILER_DIAGNOSTIC_H_
#define SEPCONV_COMPILER_DIAGNOSTIC_H_

#include <string>
#include <string_view>

#include "compiler/graph.h"
#include "layer/status.h"

namespace sepconv {

/// 'name' for a message: control characters, quotes and backslashes escaped, long names shortened.
std::string quote(std::string_view name);

/// "1x3x224x224", "scalar" for rank 0; of a rank above kMaxRank the first extents and the rank.
std::string shape_text(const Shape &shape);

/// "node 'name' (Op)", both escaped as by quote().
std::string node_text(const Node &node);

/// "node 'name' (Op): text".
Status node_error(StatusCode code, const Node &node, const std::string &text);

/// Whether the extents are non-negative and within the limits of rank, extent and element count;
/// `what` names the tensor in the message.
Status check_shape(const std::string &what, const Shape &shape);

/// `what` would exceed Graph::budget.
Status over_budget(const std::string &what);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_DIAGNOSTIC_H_
