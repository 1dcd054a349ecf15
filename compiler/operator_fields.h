#ifndef SEPCONV_COMPILER_OPERATOR_FIELDS_H_
#define SEPCONV_COMPILER_OPERATOR_FIELDS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/graph.h"
#include "layer/status.h"

namespace sepconv {

/// An attribute or an optional input of an operator.
struct OperatorField {
    std::string name;  ///< ONNX's.
    char kind = 'i';   ///< i, f, s, I (integers), F (floats), T (tensor): attributes; x: an input.
    std::vector<std::string> values;  ///< Of a string: those that are computed.
    int64_t since = 1, until = 0;     ///< Operator sets that have it; until 0: all from `since` on.

    bool exists(int64_t opset) const { return opset >= since && (until == 0 || opset <= until); }
};

/// Fields from words such as "axis:i", "mode:s=DCR|CRD", "axes:I@-12" (up to operator set 12),
/// "axes:x@13-" (from 13 on) and "scales:x@10" (in 10 alone), separated by blanks.
std::vector<OperatorField> operator_fields(std::string_view words);

/// Refuses an attribute of the node that no field names in this operator set, of another kind or
/// with another string.
Status check_attributes(const Node &node, const std::vector<OperatorField> &fields, int64_t opset);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_OPERATOR_FIELDS_H_
