#ifndef SEPCONV_LAYER_ELEMENTWISE_H_
#define SEPCONV_LAYER_ELEMENTWISE_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace sepconv {

/// Exact definitions, x the running value, v the operand, a = alpha, b = beta:
enum class Op {
    // Unary.
    kRelu,         ///< max(x, 0)
    kClip,         ///< min(max(x, a), b)
    kLeakyRelu,    ///< x < 0 ? a * x : x
    kHardSigmoid,  ///< min(max(a * x + b, 0), 1)
    kHardSwish,    ///< x * min(max(x / 6 + 0.5, 0), 1)
    kSigmoid,      ///< 1 / (1 + exp(-x))
    kTanh,         ///< tanh(x)
    kSilu,         ///< x / (1 + exp(-x))
    kGelu,         ///< 0.5 * x * (1 + erf(x / sqrt(2)))
    kGeluTanh,     ///< 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
    kErf,          ///< erf(x)
    kExp,          ///< exp(x)
    kSqrt,         ///< sqrt(x)
    kAbs,          ///< |x|
    kNegate,       ///< -x
    // Binary.
    kAdd,       ///< x + v
    kSubtract,  ///< x - v, reversed: v - x
    kMultiply,  ///< x * v
    kDivide,    ///< x / v, reversed: v / x
    kMinimum,   ///< min(x, v)
    kMaximum,   ///< max(x, v)
    kPRelu,     ///< x < 0 ? v * x : x
};

/// Where the second operand of a binary operator comes from.
enum class Operand {
    kNone,     ///< Unary operator.
    kScalar,   ///< One value, a one-element buffer.
    kChannel,  ///< One value a channel: constants, or a gate of shape [1, C, 1, 1].
    kTensor,   ///< A tensor with the running value's shape.
};

/// One elementwise operator on the running value.
struct Elementwise {
    Op op = Op::kRelu;
    Operand operand = Operand::kNone;
    bool reversed = false;  ///< The operand stands on the left (kSubtract, kDivide only).
    float alpha = 0.0F;
    float beta = 0.0F;
};

/// Applied in order to a stage's accumulated value, before any zero padding of a later stage.
using Epilogue = std::vector<Elementwise>;

constexpr bool is_binary(Op op) {
    return op >= Op::kAdd;
}

/// Which of the epilogue's tensor operands step `step` reads: they are listed in its order.
int tensor_ordinal(const Epilogue &epilogue, int step);

/// snake_case name, as in reports and generator parameters: "hard_swish".
std::string_view name_of(Op op);

}  // namespace sepconv

#endif  // SEPCONV_LAYER_ELEMENTWISE_H_
