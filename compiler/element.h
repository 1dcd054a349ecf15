#ifndef SEPCONV_COMPILER_ELEMENT_H_
#define SEPCONV_COMPILER_ELEMENT_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace sepconv {

/// ONNX's element types that a constant can have. Constant::Storage lists their C++ types in the
/// same order.
enum class ElementType { kFloat, kDouble, kFloat16, kInt8, kUint8, kInt32, kInt64, kBool };

/// ONNX's name: "FLOAT16".
const char *name_of(ElementType type);

/// Bytes of one element, in memory and in a file.
size_t element_bytes(ElementType type);

/// A FLOAT16 element, as IEEE 754 binary16 bits. Arithmetic converts to float and rounds back.
struct Half {
    uint16_t bits = 0;

    Half() = default;
    /// Rounds to nearest, ties to even; beyond 65504 to infinity.
    explicit Half(float value);
    explicit operator float() const;
};

/// A BOOL element. std::vector<bool> would hold bits without an address.
struct Bool {
    bool value = false;

    Bool() = default;
    explicit Bool(bool is_true) : value(is_true) {}
};

template<typename T>
constexpr bool kIsFloating = std::is_floating_point_v<T> || std::is_same_v<T, Half>;

/// The type in which operators on T compute.
template<typename T>
using Arithmetic = std::conditional_t<std::is_same_v<T, Half>, float,
                                      std::conditional_t<std::is_same_v<T, Bool>, bool, T>>;

/// `value` rounded towards zero, as ONNX Runtime casts on x86-64: what int32 (for 64-bit integers:
/// int64) cannot hold becomes its minimum, and narrower integers keep the low bits.
template<typename To, typename From>
To truncated(From value) {
    using Wide = std::conditional_t<sizeof(To) == sizeof(int64_t), int64_t, int32_t>;
    constexpr From kEnd = -static_cast<From>(std::numeric_limits<Wide>::min());
    const From whole = std::trunc(value);
    const bool fits = whole >= -kEnd && whole < kEnd;
    return static_cast<To>(fits ? static_cast<Wide>(whole) : std::numeric_limits<Wide>::min());
}

/// Cast of one element, defined for every value: integers wrap, floats round to nearest (out of
/// range to infinity), and everything but zero is true, NaN too.
template<typename To, typename From>
To convert(From value) {
    if constexpr (std::is_same_v<To, From>) {
        return value;
    } else if constexpr (std::is_same_v<From, Half>) {
        return convert<To>(static_cast<float>(value));
    } else if constexpr (std::is_same_v<From, Bool>) {
        return convert<To>(value.value);
    } else if constexpr (std::is_same_v<To, Half>) {
        return Half(convert<float>(value));
    } else if constexpr (std::is_same_v<To, Bool>) {
        return Bool(convert<bool>(value));
    } else if constexpr (std::is_same_v<To, bool>) {
        return value != From{0};
    } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
        return truncated<To>(value);
    } else if constexpr (std::is_same_v<From, double> && std::is_same_v<To, float>) {
        // Beyond float's range C++ leaves the conversion undefined; IEEE's answer is infinity.
        constexpr double kEnd = 3.4028235677973366e38;
        const bool fits = std::isnan(value) || std::fabs(value) < kEnd;
        return fits ? static_cast<float>(value) : value > 0 ? HUGE_VALF : -HUGE_VALF;
    } else {
        return static_cast<To>(value);
    }
}

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_ELEMENT_H_
