#ifndef SEPCONV_ALGORITHMS_ELEMENTWISE_H_
#define SEPCONV_ALGORITHMS_ELEMENTWISE_H_

#include <Halide.h>

#include <functional>

#include "layer/elementwise.h"

namespace sepconv {

/// The operand of epilogue step i at the point that is being computed.
using OperandAt = std::function<Halide::Expr(int step)>;

/// Applies the steps in order to `value`.
Halide::Expr apply(const Epilogue &epilogue, Halide::Expr value, const OperandAt &operand);

}  // namespace sepconv

#endif  // SEPCONV_ALGORITHMS_ELEMENTWISE_H_
