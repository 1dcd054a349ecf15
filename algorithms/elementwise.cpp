#include "algorithms/elementwise.h"

#include <cmath>

namespace sepconv {
namespace {

using Halide::clamp;
using Halide::Expr;
using Halide::max;
using Halide::min;
using Halide::select;

// Halide 21's exp is 0, not infinite, where the exponent of two overflows an int (x > 1.4e9);
// exp(89) is infinite already.
Expr exponential(const Expr &x) {
    return Halide::exp(min(x, 89.0F));
}

Expr sigmoid(const Expr &x) {
    return 1.0F / (1.0F + exponential(-x));
}

// 1 - 2 / (exp(2x) + 1) loses all digits near 0, where the odd Taylor series to x^7 takes over:
// its next term, 62/2835 x^9, is below 2^-24 |x| for |x| < 0.25.
Expr hyperbolic_tangent(const Expr &x) {
    Expr s = x * x;
    Expr near =
        x * (1.0F + s * (-1.0F / 3 + s * (2.0F / 15 + s * (-17.0F / 315 + s * (62.0F / 2835)))));
    Expr far = 1.0F - 2.0F / (exponential(2.0F * x) + 1.0F);
    return select(Halide::abs(x) < 0.25F, near, far);
}

// Abramowitz and Stegun 7.1.26 is good to 1.5e-7 absolute, no better near 0; there the Maclaurin
// series to x^9 is used, whose next term is below 1e-8 for |x| < 0.35.
Expr error_function(const Expr &x) {
    Expr magnitude = Halide::abs(x);
    Expr t = 1.0F / (1.0F + 0.3275911F * magnitude);
    Expr polynomial =
        t * (0.254829592F +
             t * (-0.284496736F + t * (1.421413741F + t * (-1.453152027F + t * 1.061405429F))));
    Expr far = 1.0F - polynomial * exponential(-magnitude * magnitude);
    Expr s = x * x;
    const auto two_over_root_pi = static_cast<float>(2.0 / std::sqrt(M_PI));
    Expr near = two_over_root_pi * x *
                (1.0F + s * (-1.0F / 3 + s * (1.0F / 10 + s * (-1.0F / 42 + s * (1.0F / 216)))));
    return select(magnitude < 0.35F, near, select(x < 0.0F, -far, far));
}

Expr gelu_tanh(const Expr &x) {
    const auto scale = static_cast<float>(std::sqrt(2.0 / M_PI));
    return 0.5F * x * (1.0F + hyperbolic_tangent(scale * (x + 0.044715F * x * x * x)));
}

Expr unary(const Elementwise &step, const Expr &x) {
    const float a = step.alpha, b = step.beta;
    switch (step.op) {
        case Op::kRelu:
            return max(x, 0.0F);
        case Op::kClip:
            return min(max(x, a), b);
        case Op::kLeakyRelu:
            return select(x < 0.0F, a * x, x);
        case Op::kHardSigmoid:
            return clamp(a * x + b, 0.0F, 1.0F);
        case Op::kHardSwish:
            return x * clamp(x * (1.0F / 6) + 0.5F, 0.0F, 1.0F);
        case Op::kSigmoid:
            return sigmoid(x);
        case Op::kTanh:
            return hyperbolic_tangent(x);
        case Op::kSilu:
            return x * sigmoid(x);
        case Op::kGelu:
            return 0.5F * x * (1.0F + error_function(x * static_cast<float>(M_SQRT1_2)));
        case Op::kGeluTanh:
            return gelu_tanh(x);
        case Op::kErf:
            return error_function(x);
        case Op::kExp:
            return exponential(x);
        case Op::kSqrt:
            return Halide::sqrt(x);
        case Op::kAbs:
            return Halide::abs(x);
        case Op::kNegate:
            return -x;
        default:
            return Expr();
    }
}

Expr binary(const Elementwise &step, const Expr &x, const Expr &v) {
    const Expr &left = step.reversed ? v : x;
    const Expr &right = step.reversed ? x : v;
    switch (step.op) {
        case Op::kAdd:
            return x + v;
        case Op::kSubtract:
            return left - right;
        case Op::kMultiply:
            return x * v;
        case Op::kDivide:
            return left / right;
        case Op::kMinimum:
            return min(x, v);
        case Op::kMaximum:
            return max(x, v);
        case Op::kPRelu:
            return select(x < 0.0F, v * x, x);
        default:
            return Expr();
    }
}

}  // namespace

Expr apply(const Epilogue &epilogue, Expr value, const OperandAt &operand) {
    for (int i = 0; i < static_cast<int>(epilogue.size()); i++) {
        const Elementwise &step = epilogue[i];
        value = is_binary(step.op) ? binary(step, value, operand(i)) : unary(step, value);
    }
    return value;
}

}  // namespace sepconv
