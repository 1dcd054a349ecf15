#include "compiler/fold_elementwise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>

namespace sepconv {
namespace {

int64_t to_int(float value, int64_t low, int64_t high) {
    if (std::isnan(value)) {
        return 0;
    }
    // 2^63 and 2^31 are floats, their predecessors in int64_t are not.
    if (value >= static_cast<float>(high)) {
        return high;
    }
    return value <= static_cast<float>(low) ? low : static_cast<int64_t>(value);
}

int64_t wrap(int64_t value, ElementType type) {
    if (type == ElementType::kInt32) {
        const auto low = static_cast<uint32_t>(static_cast<uint64_t>(value));
        return low < 0x80000000U ? int64_t{low} : int64_t{low} - (int64_t{1} << 32);
    }
    return type == ElementType::kBool ? int64_t{value != 0} : value;
}

using FloatUnary = float (*)(float);
using FloatBinary = float (*)(float, float);
using FloatTest = bool (*)(float, float);
using IntBinary = int64_t (*)(int64_t, int64_t);
using IntTest = bool (*)(int64_t, int64_t);

const std::unordered_map<std::string_view, FloatUnary> &float_unary() {
    static const std::unordered_map<std::string_view, FloatUnary> table{
        {"Floor", [](float x) { return std::floor(x); }},
        {"Ceil", [](float x) { return std::ceil(x); }},
        {"Round", [](float x) { return std::nearbyint(x); }},
        {"Sqrt", [](float x) { return std::sqrt(x); }},
        {"Exp", [](float x) { return std::exp(x); }},
        {"Log", [](float x) { return std::log(x); }},
        {"Neg", [](float x) { return -x; }},
        {"Abs", [](float x) { return std::fabs(x); }},
        {"Reciprocal", [](float x) { return 1.0F / x; }},
        {"Relu", [](float x) { return std::max(x, 0.0F); }},
        {"Sigmoid", [](float x) { return 1.0F / (1.0F + std::exp(-x)); }},
        {"Tanh", [](float x) { return std::tanh(x); }},
        {"Erf", [](float x) { return std::erf(x); }},
    };
    return table;
}

const std::unordered_map<std::string_view, FloatBinary> &float_binary() {
    static const std::unordered_map<std::string_view, FloatBinary> table{
        {"Add", [](float x, float y) { return x + y; }},
        {"Sub", [](float x, float y) { return x - y; }},
        {"Mul", [](float x, float y) { return x * y; }},
        {"Div", [](float x, float y) { return x / y; }},
        {"Min", [](float x, float y) { return std::min(x, y); }},
        {"Max", [](float x, float y) { return std::max(x, y); }},
        {"Sum", [](float x, float y) { return x + y; }},
        {"Pow", [](float x, float y) { return std::pow(x, y); }},
    };
    return table;
}

const std::unordered_map<std::string_view, FloatTest> &float_tests() {
    static const std::unordered_map<std::string_view, FloatTest> table{
        {"Equal", [](float x, float y) { return x == y; }},
        {"Less", [](float x, float y) { return x < y; }},
        {"LessOrEqual", [](float x, float y) { return x <= y; }},
        {"Greater", [](float x, float y) { return x > y; }},
        {"GreaterOrEqual", [](float x, float y) { return x >= y; }},
    };
    return table;
}

int64_t unsigned_of(uint64_t value) {
    return static_cast<int64_t>(value);
}

/// Wrapping, as the machine does; signed overflow is undefined in C++.
const std::unordered_map<std::string_view, IntBinary> &int_binary() {
    using U = uint64_t;
    static const std::unordered_map<std::string_view, IntBinary> table{
        {"Add", [](int64_t x, int64_t y) { return unsigned_of(U(x) + U(y)); }},
        {"Sum", [](int64_t x, int64_t y) { return unsigned_of(U(x) + U(y)); }},
        {"Sub", [](int64_t x, int64_t y) { return unsigned_of(U(x) - U(y)); }},
        {"Mul", [](int64_t x, int64_t y) { return unsigned_of(U(x) * U(y)); }},
        {"Div", [](int64_t x, int64_t y) { return y == -1 ? unsigned_of(-U(x)) : x / y; }},
        {"Mod",
         [](int64_t x, int64_t y) {
             const int64_t rest = y == -1 ? 0 : x % y;
             return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
         }},
        {"Min", [](int64_t x, int64_t y) { return std::min(x, y); }},
        {"Max", [](int64_t x, int64_t y) { return std::max(x, y); }},
        {"And", [](int64_t x, int64_t y) { return int64_t{x != 0 && y != 0}; }},
        {"Or", [](int64_t x, int64_t y) { return int64_t{x != 0 || y != 0}; }},
    };
    return table;
}

const std::unordered_map<std::string_view, IntTest> &int_tests() {
    static const std::unordered_map<std::string_view, IntTest> table{
        {"Equal", [](int64_t x, int64_t y) { return x == y; }},
        {"Less", [](int64_t x, int64_t y) { return x < y; }},
        {"LessOrEqual", [](int64_t x, int64_t y) { return x <= y; }},
        {"Greater", [](int64_t x, int64_t y) { return x > y; }},
        {"GreaterOrEqual", [](int64_t x, int64_t y) { return x >= y; }},
    };
    return table;
}

std::optional<Constant> fold_float(const std::string &op, const Constant &x, const Constant &y,
                                   const std::vector<int64_t> &ix, const std::vector<int64_t> &iy,
                                   Constant result) {
    const auto arithmetic = float_binary().find(op);
    const auto test = float_tests().find(op);
    const auto fx = [&](size_t i) { return x.floats[static_cast<size_t>(ix[i])]; };
    const auto fy = [&](size_t i) { return y.floats[static_cast<size_t>(iy[i])]; };
    if (arithmetic != float_binary().end()) {
        result.type = x.type;
        result.floats.resize(ix.size());
        for (size_t i = 0; i < ix.size(); ++i) {
            result.floats[i] = arithmetic->second(fx(i), fy(i));
        }
    } else if (test != float_tests().end()) {
        result.type = ElementType::kBool;
        result.ints.resize(ix.size());
        for (size_t i = 0; i < ix.size(); ++i) {
            result.ints[i] = test->second(fx(i), fy(i)) ? 1 : 0;
        }
    } else {
        return std::nullopt;
    }
    return result;
}

std::optional<Constant> fold_int(const std::string &op, const Constant &x, const Constant &y,
                                 const std::vector<int64_t> &ix, const std::vector<int64_t> &iy,
                                 Constant result) {
    const auto arithmetic = int_binary().find(op);
    const auto test = int_tests().find(op);
    const bool tests = test != int_tests().end();
    const bool divides = op == "Div" || op == "Mod";
    if (!tests && arithmetic == int_binary().end()) return std::nullopt;
    result.type = tests ? ElementType::kBool : x.type;
    result.ints.resize(ix.size());
    for (size_t i = 0; i < ix.size(); ++i) {
        const int64_t a = x.ints[static_cast<size_t>(ix[i])];
        const int64_t b = y.ints[static_cast<size_t>(iy[i])];
        if (divides && b == 0) return std::nullopt;
        result.ints[i] =
            tests ? (test->second(a, b) ? 1 : 0) : wrap(arithmetic->second(a, b), x.type);
    }
    return result;
}

}  // namespace

Constant cast_constant(const Constant &value, ElementType to) {
    Constant result;
    result.type = to;
    result.shape = value.shape;
    if (value.is_float() && result.is_float()) {
        result.floats = value.floats;
    } else if (result.is_float()) {
        result.floats.assign(value.ints.begin(), value.ints.end());
    } else if (value.is_float()) {
        const bool narrow = to == ElementType::kInt32;
        const int64_t low = narrow ? INT32_MIN : INT64_MIN;
        const int64_t high = narrow ? INT32_MAX : INT64_MAX;
        for (const float x : value.floats) {
            // NaN differs from 0 and is true.
            result.ints.push_back(to == ElementType::kBool ? int64_t{x != 0.0F}
                                                           : to_int(x, low, high));
        }
    } else {
        for (const int64_t x : value.ints) {
            result.ints.push_back(wrap(x, to));
        }
    }
    return result;
}

std::vector<int64_t> broadcast_index(const Shape &shape, const Shape &into) {
    const size_t rank = into.size();
    std::vector<int64_t> strides(rank, 0);
    int64_t stride = 1;
    for (size_t i = 0; i < shape.size(); ++i) {
        const int64_t extent = shape[shape.size() - 1 - i];
        strides[rank - 1 - i] = extent == 1 ? 0 : stride;
        stride *= extent;
    }
    std::vector<int64_t> result(static_cast<size_t>(element_count(into)));
    std::vector<int64_t> index(rank, 0);
    int64_t offset = 0;
    for (int64_t &element : result) {
        element = offset;
        for (size_t axis = rank; axis-- > 0;) {
            offset += strides[axis];
            if (++index[axis] < into[axis]) {
                break;
            }
            offset -= strides[axis] * into[axis];
            index[axis] = 0;
        }
    }
    return result;
}

std::optional<Constant> fold_unary(const std::string &op, const Constant &x) {
    Constant result = x;
    if (x.is_float()) {
        const auto found = float_unary().find(op);
        if (found == float_unary().end()) {
            return std::nullopt;
        }
        std::transform(x.floats.begin(), x.floats.end(), result.floats.begin(), found->second);
        return result;
    }
    const bool inverts = op == "Not" && x.type == ElementType::kBool;
    const bool negates = op == "Neg";
    if (!inverts && !negates && op != "Abs") return std::nullopt;
    for (int64_t &value : result.ints) {
        if (inverts) {
            value = value == 0 ? 1 : 0;
        } else if (negates || value < 0) {
            value = wrap(unsigned_of(-static_cast<uint64_t>(value)), x.type);
        }
    }
    return result;
}

std::optional<Constant> fold_binary(const std::string &op, const Constant &x, const Constant &y,
                                    const Shape &shape) {
    if (x.type != y.type) {
        return std::nullopt;
    }
    const std::vector<int64_t> ix = broadcast_index(x.shape, shape);
    const std::vector<int64_t> iy = broadcast_index(y.shape, shape);
    Constant result;
    result.shape = shape;
    return x.is_float() ? fold_float(op, x, y, ix, iy, std::move(result))
                        : fold_int(op, x, y, ix, iy, std::move(result));
}

namespace {

template<typename T, typename Step>
std::vector<T> reduced(const std::vector<T> &rows, size_t terms, Step step) {
    std::vector<T> result;
    result.reserve(rows.size() / terms);
    for (size_t first = 0; first < rows.size(); first += terms) {
        T value = rows[first];
        for (size_t i = 1; i < terms; ++i) value = step(value, rows[first + i]);
        result.push_back(value);
    }
    return result;
}

}  // namespace

Constant reduce_rows(const std::string &op, bool mean, const Constant &rows, int64_t terms,
                     Shape shape) {
    Constant result;
    result.type = rows.type;
    result.shape = std::move(shape);
    const auto count = static_cast<size_t>(terms);
    if (rows.is_float()) {
        result.floats = reduced(rows.floats, count, float_binary().at(op));
        for (float &value : result.floats) value /= mean ? static_cast<float>(terms) : 1.0F;
    } else {
        const IntBinary step = int_binary().at(op);
        result.ints = reduced(rows.ints, count,
                              [&](int64_t x, int64_t y) { return wrap(step(x, y), rows.type); });
    }
    return result;
}

}  // namespace sepconv
