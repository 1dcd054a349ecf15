#include "tests/reference/bounded.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "layer/sums.h"

namespace sepconv::reference {
namespace {

/// Absolute error allowed to float approximations of erf: four units in the last place of 1.
constexpr double kErfError = 8 * kRounding;

/// `value` where the argument's error may grow by `slope`, and the operator itself adds `own`.
Bounded through(double value, double slope, const Bounded &x, double own) {
    return {value, slope * x.error + own, slope * x.deviation + own};
}

double sigmoid(double x) {
    return 1.0 / (1.0 + std::exp(-x));
}

Bounded unary(const Elementwise &step, const Bounded &x) {
    const double a = step.alpha;
    const double b = step.beta;
    const double v = x.value;
    const double u = kRounding;
    switch (step.op) {
        case Op::kRelu:
            return through(std::max(v, 0.0), 1, x, 0);
        case Op::kClip:
            return through(std::min(std::max(v, a), b), 1, x, 0);
        case Op::kLeakyRelu: {
            const double value = v < 0 ? a * v : v;
            return through(value, std::max(1.0, std::abs(a)), x, u * std::abs(value));
        }
        case Op::kHardSigmoid:
            return through(std::min(std::max(a * v + b, 0.0), 1.0), std::abs(a), x,
                           3 * u * (std::abs(a * v) + std::abs(b)));
        case Op::kHardSwish:
            return through(v * std::min(std::max(v / 6 + 0.5, 0.0), 1.0), 1.5, x,
                           4 * u * std::abs(v));
        case Op::kSigmoid:
            return through(sigmoid(v), 0.25, x, 16 * u * sigmoid(v));
        case Op::kTanh:
            return through(std::tanh(v), 1, x, 16 * u * std::abs(std::tanh(v)));
        case Op::kSilu:
            return through(v * sigmoid(v), 1.1, x, 16 * u * std::abs(v * sigmoid(v)));
        case Op::kGelu:
            return through(0.5 * v * (1 + std::erf(v * std::sqrt(0.5))), 1.13, x,
                           std::abs(v) * kErfError);
        case Op::kGeluTanh: {
            const double inner = std::sqrt(2.0 / M_PI) * (v + 0.044715 * v * v * v);
            return through(0.5 * v * (1 + std::tanh(inner)), 1.13, x, 16 * u * std::abs(v));
        }
        case Op::kErf:
            return through(std::erf(v), 1.13, x, kErfError);
        case Op::kExp: {
            const double value = std::exp(v);
            return through(value, std::exp(v + x.error), x, (8 + 2 * std::abs(v)) * u * value);
        }
        case Op::kSqrt: {
            const double value = std::sqrt(v);
            const double reach = value - std::sqrt(std::max(v - x.error, 0.0));
            return {value, reach + 2 * u * value};
        }
        case Op::kAbs:
            return through(std::abs(v), 1, x, 0);
        case Op::kNegate:
            return through(-v, 1, x, 0);
        default:
            return {std::numeric_limits<double>::quiet_NaN(), 0};
    }
}

Bounded divide(const Bounded &x, const Bounded &y) {
    const double value = x.value / y.value;
    const double nearest = std::abs(y.value) - y.error;
    if (nearest <= 0) {
        return {value, std::numeric_limits<double>::infinity()};
    }
    const double own = 3 * kRounding * std::abs(value);
    return {value, (x.error + std::abs(value) * y.error) / nearest + own,
            (x.deviation + std::abs(value) * y.deviation) / nearest + own};
}

/// x and y with these slopes, and one rounding.
Bounded rounded(double value, double slope_x, const Bounded &x, double slope_y, const Bounded &y) {
    const double own = kRounding * std::abs(value);
    return {value, slope_x * x.error + slope_y * y.error + own,
            slope_x * x.deviation + slope_y * y.deviation + own};
}

/// One of the two, or between them.
Bounded either(double value, const Bounded &x, const Bounded &y) {
    return {value, std::max(x.error, y.error), x.deviation + y.deviation};
}

Bounded binary(const Elementwise &step, const Bounded &x, const Bounded &y) {
    const Bounded &left = step.reversed ? y : x;
    const Bounded &right = step.reversed ? x : y;
    switch (step.op) {
        case Op::kAdd:
            return rounded(x.value + y.value, 1, x, 1, y);
        case Op::kSubtract:
            return rounded(left.value - right.value, 1, x, 1, y);
        case Op::kMultiply:
            return product(x, y);
        case Op::kDivide:
            return divide(left, right);
        case Op::kMinimum:
            return either(std::min(x.value, y.value), x, y);
        case Op::kMaximum:
            return either(std::max(x.value, y.value), x, y);
        case Op::kPRelu:
            return rounded(x.value < 0 ? x.value * y.value : x.value,
                           std::max(1.0, std::abs(y.value)), x, std::abs(x.value), y);
        default:
            return {std::numeric_limits<double>::quiet_NaN(), 0};
    }
}

}  // namespace

double tolerance(const Bounded &x) {
    return std::min(x.error, 6 * x.deviation);
}

Bounded product(const Bounded &x, const Bounded &y) {
    Bounded result = rounded(x.value * y.value, std::abs(y.value), x, std::abs(x.value), y);
    result.error += x.error * y.error;
    return result;
}

double roundings_of_sum(double terms) {
    return std::min(terms, 6 * std::sqrt(terms)) + 2;
}

double roundings_of_long_mean() {
    return kChunkTerms + 2;
}

double roundings_of_long_products(double products) {
    return kChunkProducts + products / kFewestProducts + 3;
}

Bounded apply(const Epilogue &epilogue, Bounded x, const OperandAt &operand) {
    for (size_t i = 0; i < epilogue.size(); ++i) {
        x = is_binary(epilogue[i].op) ? binary(epilogue[i], x, operand(static_cast<int>(i)))
                                      : unary(epilogue[i], x);
        x.error += std::numeric_limits<float>::min();  // Denormals may be flushed.
        x.deviation += std::numeric_limits<float>::min();
    }
    return x;
}

}  // namespace sepconv::reference
