#ifndef SEPCONV_COMPILER_FOLD_REDUCE_H_
#define SEPCONV_COMPILER_FOLD_REDUCE_H_

#include <optional>
#include <string>
#include <vector>

#include "compiler/constant.h"

namespace sepconv {

/// ONNX's reductions by the name of the operator, "ReduceSum", over `axes` of `x`; `shape` is the
/// result's. FLOAT and FLOAT16 accumulate in double and round once, integers wrap. Nothing if the
/// operator is unknown or not for x's type.
std::optional<Constant> reduce(const std::string &op, const Constant &x,
                               const std::vector<int64_t> &axes, const Shape &shape);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_FOLD_REDUCE_H_
