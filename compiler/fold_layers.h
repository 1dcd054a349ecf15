#ifndef SEPCONV_COMPILER_FOLD_LAYERS_H_
#define SEPCONV_COMPILER_FOLD_LAYERS_H_

#include <functional>
#include <string>
#include <vector>

#include "compiler/constant.h"
#include "compiler/infer_rules.h"

namespace sepconv {

/// A node whose inputs are constants, to be computed.
struct LayerFold {
    NodeContext &c;
    const std::vector<const Constant *> &inputs;  ///< Null: absent.
    /// Takes a result of this shape, and more elements read, from the budget.
    const std::function<Status(const Shape &, int64_t)> &claim;
};

using LayerRule = Result<std::vector<Constant>> (*)(const LayerFold &);

/// How a layer of floating constants is computed (in double, rounded to the type once), or null:
/// Softmax, BatchNormalization (training too), Gemm, MatMul, global pools, DequantizeLinear.
LayerRule layer_rule(const std::string &op);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_FOLD_LAYERS_H_
