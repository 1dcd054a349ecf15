#ifndef SEPCONV_COMPILER_FOLD_ELEMENTWISE_H_
#define SEPCONV_COMPILER_FOLD_ELEMENTWISE_H_

#include <optional>
#include <string>

#include "compiler/graph.h"

namespace sepconv {

// Elementwise operators by their ONNX names. Each type computes in its own arithmetic: FLOAT in
// float, DOUBLE in double, FLOAT16 in float with every result rounded, integers modulo 2^bits.
// "Fmod" is Mod with fmod 1.

/// f(x); nothing if the operator is unknown or not for x's type.
std::optional<Constant> fold_unary(const std::string &op, const Constant &x);

/// LeakyRelu, HardSigmoid, HardSwish, Gelu and Swish, with the node's attributes, of floats.
std::optional<Constant> fold_activation(const Node &node, const Constant &x);

/// Whether x / y of integers would divide by a zero in `y`.
bool divides_by_zero(const std::string &op, const Constant &y);

/// f(x, y) for operands of one type that broadcast to `shape`, and no division by zero; comparisons
/// give BOOL. Nothing if the operator is unknown or not for that type.
std::optional<Constant> fold_binary(const std::string &op, const Constant &x, const Constant &y,
                                    const Shape &shape);

/// x to the power of y, in x's type; y may have another one. Powers of integers are exact modulo
/// 2^bits. Nothing for BOOL.
std::optional<Constant> fold_power(const Constant &x, const Constant &y, const Shape &shape);

/// Where: `yes` where `condition` (BOOL) is true, else `no`, which has the same type.
Constant fold_where(const Constant &condition, const Constant &yes, const Constant &no,
                    const Shape &shape);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_FOLD_ELEMENTWISE_H_
