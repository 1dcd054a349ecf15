#include "compiler/fold_elementwise.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "compiler/fold_movement.h"

namespace sepconv {
namespace {

template<typename A>
using Unary = A (*)(A);
template<typename A>
using Binary = A (*)(A, A);
template<typename A>
using Test = bool (*)(A, A);
template<typename Function>
using Table = std::unordered_map<std::string_view, Function>;

template<typename F>
const Table<Unary<F>> &floating_unary() {
    static const Table<Unary<F>> table{
        {"Floor", [](F x) { return std::floor(x); }},
        {"Ceil", [](F x) { return std::ceil(x); }},
        {"Round", [](F x) { return std::nearbyint(x); }},
        {"Sqrt", [](F x) { return std::sqrt(x); }},
        {"Exp", [](F x) { return std::exp(x); }},
        {"Log", [](F x) { return std::log(x); }},
        {"Sin", [](F x) { return std::sin(x); }},
        {"Cos", [](F x) { return std::cos(x); }},
        {"Neg", [](F x) { return -x; }},
        {"Abs", [](F x) { return std::fabs(x); }},
        {"Sign", [](F x) { return std::isnan(x) ? x : F((x > 0) - (x < 0)); }},
        {"Reciprocal", [](F x) { return 1 / x; }},
        {"Relu", [](F x) { return std::max(x, F(0)); }},
        {"Sigmoid", [](F x) { return 1 / (1 + std::exp(-x)); }},
        {"Tanh", [](F x) { return std::tanh(x); }},
        {"Erf", [](F x) { return std::erf(x); }},
    };
    return table;
}

template<typename F>
const Table<Binary<F>> &floating_binary() {
    // NaN if any operand is.
    static const Table<Binary<F>> table{
        {"Add", [](F x, F y) { return x + y; }},
        {"Sum", [](F x, F y) { return x + y; }},
        {"Sub", [](F x, F y) { return x - y; }},
        {"Mul", [](F x, F y) { return x * y; }},
        {"Div", [](F x, F y) { return x / y; }},
        {"Fmod", [](F x, F y) { return std::fmod(x, y); }},
        {"PRelu", [](F x, F y) { return x < 0 ? y * x : x; }},
        {"Min", [](F x, F y) { return x < y || std::isnan(x) ? x : y; }},
        {"Max", [](F x, F y) { return x > y || std::isnan(x) ? x : y; }},
    };
    return table;
}

/// With attributes alpha and beta, and what they are by default.
template<typename F>
struct Activation {
    F (*function)(F x, F alpha, F beta);
    float alpha = 1.0F;
    float beta = 0.0F;
};

template<typename F>
F hard_sigmoid(F x, F alpha, F beta) {
    return std::min(std::max(alpha * x + beta, F(0)), F(1));
}

/// As layer/elementwise.h defines them.
template<typename F>
const Table<Activation<F>> &activations() {
    static const Table<Activation<F>> table{
        {"LeakyRelu", {[](F x, F a, F) { return x < 0 ? a * x : x; }, 0.01F}},
        {"HardSigmoid", {hard_sigmoid<F>, 0.2F, 0.5F}},
        {"HardSwish", {[](F x, F, F) { return x * hard_sigmoid(x, F(1) / 6, F(0.5)); }}},
        {"Swish", {[](F x, F a, F) { return x / (1 + std::exp(-a * x)); }}},
        {"Gelu", {[](F x, F, F) { return x / 2 * (1 + std::erf(x / std::sqrt(F(2)))); }}},
        {"GeluTanh", {[](F x, F, F) {
             const F inner = F(0.79788456080286535588) * (x + F(0.044715) * x * x * x);
             return x / 2 * (1 + std::tanh(inner));
         }}},
    };
    return table;
}

template<typename I>
I low_bits(uint64_t value) {
    return static_cast<I>(value);
}

/// The divisor whose quotient may overflow, which is undefined in C++.
template<typename I>
bool is_minus_one(I value) {
    return std::is_signed_v<I> && value == static_cast<I>(-1);
}

template<typename I>
const Table<Unary<I>> &integer_unary() {
    static const Table<Unary<I>> table{
        {"Neg", [](I x) { return low_bits<I>(0 - static_cast<uint64_t>(x)); }},
        {"Abs", [](I x) { return low_bits<I>(static_cast<uint64_t>(x) * (x < 0 ? -1 : 1)); }},
        {"Sign", [](I x) { return static_cast<I>((x > 0) - (x < 0)); }},
        {"Relu", [](I x) { return std::max(x, I{0}); }},
    };
    return table;
}

/// In uint64_t, since signed overflow is undefined in C++. No y of Div, Mod and Fmod is 0.
template<typename I>
const Table<Binary<I>> &integer_binary() {
    using U = uint64_t;
    static const Table<Binary<I>> table{
        {"Add", [](I x, I y) { return low_bits<I>(U(x) + U(y)); }},
        {"Sum", [](I x, I y) { return low_bits<I>(U(x) + U(y)); }},
        {"Sub", [](I x, I y) { return low_bits<I>(U(x) - U(y)); }},
        {"Mul", [](I x, I y) { return low_bits<I>(U(x) * U(y)); }},
        {"Div", [](I x, I y) { return is_minus_one(y) ? low_bits<I>(0 - U(x)) : I(x / y); }},
        {"Fmod", [](I x, I y) { return is_minus_one(y) ? I{0} : I(x % y); }},
        {"Mod",
         [](I x, I y) {
             const I rest = is_minus_one(y) ? I{0} : I(x % y);
             return rest != 0 && (rest < 0) != (y < 0) ? I(rest + y) : rest;
         }},
        {"Min", [](I x, I y) { return std::min(x, y); }},
        {"Max", [](I x, I y) { return std::max(x, y); }},
        {"ShiftLeft", [](I x, I y) { return low_bits<I>(U(y) < 64 ? U(x) << U(y) : 0); }},
        {"ShiftRight", [](I x, I y) { return low_bits<I>(U(y) < 64 ? U(x) >> U(y) : 0); }},
        {"BitwiseAnd", [](I x, I y) { return I(x & y); }},
        {"BitwiseOr", [](I x, I y) { return I(x | y); }},
        {"BitwiseXor", [](I x, I y) { return I(x ^ y); }},
    };
    return table;
}

const Table<Binary<bool>> &logical_binary() {
    static const Table<Binary<bool>> table{
        {"And", [](bool x, bool y) { return x && y; }},
        {"Or", [](bool x, bool y) { return x || y; }},
        {"Xor", [](bool x, bool y) { return x != y; }},
    };
    return table;
}

const Table<Unary<bool>> &logical_unary() {
    static const Table<Unary<bool>> table{{"Not", [](bool x) { return !x; }}};
    return table;
}

template<typename A>
const Table<Unary<A>> &unary_table() {
    if constexpr (std::is_same_v<A, bool>) {
        return logical_unary();
    } else if constexpr (std::is_integral_v<A>) {
        return integer_unary<A>();
    } else {
        return floating_unary<A>();
    }
}

template<typename A>
const Table<Binary<A>> &binary_table() {
    if constexpr (std::is_same_v<A, bool>) {
        return logical_binary();
    } else if constexpr (std::is_integral_v<A>) {
        return integer_binary<A>();
    } else {
        return floating_binary<A>();
    }
}

template<typename A>
const Table<Test<A>> &test_table() {
    static const Table<Test<A>> table{
        {"Equal", [](A x, A y) { return x == y; }},
        {"Less", [](A x, A y) { return x < y; }},
        {"LessOrEqual", [](A x, A y) { return x <= y; }},
        {"Greater", [](A x, A y) { return x > y; }},
        {"GreaterOrEqual", [](A x, A y) { return x >= y; }},
    };
    return table;
}

template<typename Function>
Function find(const Table<Function> &table, const std::string &op) {
    const auto found = table.find(op);
    return found == table.end() ? nullptr : found->second;
}

/// `given` with a shape that it broadcasts to, copied only if it differs.
class Expanded {
public:
    Expanded(const Constant &given, const Shape &shape) : given_(given) {
        if (given.shape != shape) made_ = expand(given, shape);
    }
    template<typename T>
    const std::vector<T> &values() const {
        return (made_ ? *made_ : given_).values<T>();
    }

private:
    const Constant &given_;
    std::optional<Constant> made_;
};

/// R(fn(x, y)) of every pair.
template<typename R, typename X, typename Y, typename Function>
Constant zip(const Shape &shape, const std::vector<X> &x, const std::vector<Y> &y, Function fn) {
    std::vector<R> result(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        result[i] = convert<R>(fn(convert<Arithmetic<X>>(x[i]), convert<Arithmetic<Y>>(y[i])));
    }
    return Constant(shape, std::move(result));
}

/// By squaring. A negative exponent leaves a fraction, which is dropped, of all but 0, 1 and -1.
template<typename I>
I integer_power(I x, int64_t y) {
    if (y < 0 && x == 0) return truncated<I>(HUGE_VAL);
    if (y < 0 && x != 1 && !is_minus_one(x)) return 0;
    auto square = static_cast<uint64_t>(int64_t{x});
    uint64_t result = 1;
    for (uint64_t rest = y < 0 ? y % 2 != 0 : y; rest != 0; rest /= 2) {
        result *= rest % 2 == 0 ? 1 : square;
        square *= square;
    }
    return low_bits<I>(result);
}

template<typename X, typename Y>
Arithmetic<X> power(X x, Y y) {
    if constexpr (std::is_integral_v<X> && std::is_integral_v<Y>) {
        return integer_power(x, static_cast<int64_t>(y));
    } else {
        // float to a float in float, anything else in double.
        return convert<Arithmetic<X>>(std::pow(x, y));
    }
}

}  // namespace

bool divides_by_zero(const std::string &op, const Constant &y) {
    if (y.is_floating() || (op != "Div" && op != "Mod" && op != "Fmod")) return false;
    return y.visit([](const auto &list) {
        return std::any_of(list.begin(), list.end(),
                           [](auto element) { return !convert<bool>(element); });
    });
}

std::optional<Constant> fold_unary(const std::string &op, const Constant &x) {
    return x.visit([&](const auto &elements) -> std::optional<Constant> {
        using T = ElementOf<decltype(elements)>;
        const auto function = find(unary_table<Arithmetic<T>>(), op);
        if (function == nullptr) return std::nullopt;
        std::vector<T> result;
        result.reserve(elements.size());
        for (const T element : elements) {
            result.push_back(convert<T>(function(convert<Arithmetic<T>>(element))));
        }
        return Constant(x.shape, std::move(result));
    });
}

std::optional<Constant> fold_activation(const Node &node, const Constant &x) {
    const bool tanh = node.attribute("approximate", std::string()) == "tanh";
    return x.visit([&](const auto &elements) -> std::optional<Constant> {
        using T = ElementOf<decltype(elements)>;
        using A = Arithmetic<T>;
        if constexpr (kIsFloating<T>) {
            const auto found = activations<A>().find(node.op + (tanh ? "Tanh" : ""));
            if (found == activations<A>().end()) return std::nullopt;
            const Activation<A> &activation = found->second;
            const A alpha = node.attribute("alpha", activation.alpha);
            const A beta = node.attribute("beta", activation.beta);
            std::vector<T> result;
            result.reserve(elements.size());
            for (const T element : elements) {
                result.push_back(convert<T>(activation.function(convert<A>(element), alpha, beta)));
            }
            return Constant(x.shape, std::move(result));
        } else {
            return std::nullopt;
        }
    });
}

std::optional<Constant> fold_binary(const std::string &op, const Constant &x, const Constant &y,
                                    const Shape &shape) {
    if (x.type() != y.type()) return std::nullopt;
    const Expanded left(x, shape);
    const Expanded right(y, shape);
    return x.visit([&](const auto &elements) -> std::optional<Constant> {
        using T = ElementOf<decltype(elements)>;
        const auto &xs = left.values<T>();
        const auto &ys = right.values<T>();
        if (const auto function = find(binary_table<Arithmetic<T>>(), op)) {
            return zip<T>(shape, xs, ys, function);
        }
        if (const auto test = find(test_table<Arithmetic<T>>(), op)) {
            return zip<Bool>(shape, xs, ys, test);
        }
        return std::nullopt;
    });
}

std::optional<Constant> fold_power(const Constant &x, const Constant &y, const Shape &shape) {
    const Expanded left(x, shape);
    const Expanded right(y, shape);
    return x.visit([&](const auto &bases) {
        return y.visit([&](const auto &exponents) -> std::optional<Constant> {
            using X = ElementOf<decltype(bases)>;
            using Y = ElementOf<decltype(exponents)>;
            if constexpr (std::is_same_v<X, Bool> || std::is_same_v<Y, Bool>) {
                return std::nullopt;
            } else {
                return zip<X>(shape, left.values<X>(), right.values<Y>(),
                              power<Arithmetic<X>, Arithmetic<Y>>);
            }
        });
    });
}

Constant fold_where(const Constant &condition, const Constant &yes, const Constant &no,
                    const Shape &shape) {
    const Expanded chosen(condition, shape);
    const Expanded left(yes, shape);
    const Expanded right(no, shape);
    return yes.visit([&](const auto &elements) {
        using T = ElementOf<decltype(elements)>;
        std::vector<T> result = right.values<T>();
        const auto &choices = chosen.values<Bool>();
        for (size_t i = 0; i < result.size(); ++i) {
            if (choices[i].value) result[i] = left.values<T>()[i];
        }
        return Constant(shape, std::move(result));
    });
}

}  // namespace sepconv
