#include "compiler/resize_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <string_view>
#include <utility>

namespace sepconv {
namespace {

// Tables have millions of positions: what a name means is looked up once (lookup), not for each.

/// Terms of a position: extents and x are below 2^31, those of a scale below 2^63.
__extension__ using Wide = __int128;

/// Position in the input: whole + part / unit, 0 <= part < unit.
struct Position {
    int64_t whole = 0;
    Wide part = 0, unit = 1;

    double fraction() const { return static_cast<double>(part) / static_cast<double>(unit); }
};

/// numerator / denominator, which is positive.
Position quotient(Wide numerator, Wide denominator) {
    Wide whole = numerator / denominator, part = numerator % denominator;
    if (part < 0) whole -= 1, part += denominator;
    return {static_cast<int64_t>(whole), part, denominator};
}

/// Position in the input of output position `x`, by the formulas of ONNX's Resize.
using InputPosition = Position (*)(const ResizeAxis &axis, int64_t x);

/// (x + 1/2) / scale - 1/2
Position half_pixel(const ResizeAxis &axis, int64_t x) {
    const Wide scale = axis.scale.numerator;
    return quotient((2 * x + 1) * Wide{axis.scale.denominator} - scale, 2 * scale);
}

Position pytorch_half_pixel(const ResizeAxis &axis, int64_t x) {
    return axis.out > 1 ? half_pixel(axis, x) : Position();
}

/// x * (in - 1) / (out - 1)
Position align_corners(const ResizeAxis &axis, int64_t x) {
    return axis.out > 1 ? quotient(Wide{x} * (axis.in - 1), axis.out - 1) : Position();
}

/// x / scale
Position asymmetric(const ResizeAxis &axis, int64_t x) {
    return quotient(Wide{x} * axis.scale.denominator, axis.scale.numerator);
}

/// (x + 1/2) / scale
Position tf_half_pixel_for_nn(const ResizeAxis &axis, int64_t x) {
    return quotient((2 * x + 1) * Wide{axis.scale.denominator}, 2 * Wide{axis.scale.numerator});
}

/// in / 2 * (1 - out / (scale * in)) + (x + 1/2) / scale - 1/2 = (in - 1 + (2 x + 1 - out) / scale)
/// / 2
Position half_pixel_symmetric(const ResizeAxis &axis, int64_t x) {
    const Wide scale = axis.scale.numerator;
    return quotient((axis.in - 1) * scale + (2 * x + 1 - axis.out) * Wide{axis.scale.denominator},
                    2 * scale);
}

/// start * (in - 1) + x * (end - start) * (in - 1) / (out - 1), with one division: no other
/// operation rounds where extents and roi have few digits.
Position tf_crop_and_resize(const ResizeAxis &axis, int64_t x) {
    const auto last = static_cast<double>(axis.in - 1);
    const double start = axis.roi_start, end = axis.roi_end;
    double position = 0.5 * (start + end) * last;
    if (axis.out > 1) {
        const auto intervals = static_cast<double>(axis.out - 1);
        const auto index = static_cast<double>(x);
        position = (start * (intervals - index) + end * index) * last / intervals;
    }
    // Outside it does not matter how far.
    position = std::clamp(position, -1.0, last + 1);
    constexpr int kDigits = 53;
    const double whole = std::floor(position);
    const double part = std::ceil(std::ldexp(position - whole, kDigits));
    return {static_cast<int64_t>(whole), static_cast<Wide>(part), Wide{1} << kDigits};
}

constexpr std::pair<std::string_view, InputPosition> kInputPositions[] = {
    {"half_pixel", half_pixel},
    {"pytorch_half_pixel", pytorch_half_pixel},
    {"align_corners", align_corners},
    {"asymmetric", asymmetric},
    {"tf_half_pixel_for_nn", tf_half_pixel_for_nn},
    {"half_pixel_symmetric", half_pixel_symmetric},
    {"tf_crop_and_resize", tf_crop_and_resize},
};

using Rounding = int64_t (*)(const Position &position);

constexpr std::pair<std::string_view, Rounding> kRoundings[] = {
    {"round_prefer_floor", [](const Position &p) { return p.whole + (2 * p.part > p.unit); }},
    {"round_prefer_ceil", [](const Position &p) { return p.whole + (2 * p.part >= p.unit); }},
    {"floor", [](const Position &p) { return p.whole; }},
    {"ceil", [](const Position &p) { return p.whole + (p.part > 0); }},
};

template<typename Function, size_t n>
Result<Function> lookup(const std::pair<std::string_view, Function> (&functions)[n],
                        std::string_view attribute, const std::string &name) {
    for (const auto &[known, function] : functions) {
        if (known == name) return function;
    }
    return Status(StatusCode::kUnsupported,
                  fmt::format("{} '{}' is not supported", attribute, name));
}

/// Weights of the four neighbours of a position that is t after the second (Keys 1981, parameter
/// a).
void cubic_weights(double t, double a, double *weights) {
    const double u = 1 - t;
    weights[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    weights[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    weights[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
    weights[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
}

/// First input position and the weights from there on.
struct Neighbours {
    int64_t first = 0;
    double weights[4] = {1, 0, 0, 0};
};

/// The neighbours of a position; those outside the input are for the caller.
using NeighboursOf = Neighbours (*)(const ResizeAxis &axis, Rounding rounding,
                                    const Position &position);

Neighbours nearest_neighbour(const ResizeAxis & /*axis*/, Rounding rounding,
                             const Position &position) {
    return {rounding(position), {1, 0, 0, 0}};
}

Neighbours linear_neighbours(const ResizeAxis &axis, Rounding /*rounding*/,
                             const Position &position) {
    if (position.whole < 0) return {0, {1, 0, 0, 0}};
    if (position.whole >= axis.in - 1) return {axis.in - 1, {1, 0, 0, 0}};
    const double t = position.fraction();
    return {position.whole, {1 - t, t, 0, 0}};
}

Neighbours cubic_neighbours(const ResizeAxis &axis, Rounding /*rounding*/,
                            const Position &position) {
    Neighbours near;
    near.first = position.whole - 1;
    cubic_weights(position.fraction(), axis.cubic_a, near.weights);
    return near;
}

NeighboursOf neighbours_of(const std::string &mode) {
    if (mode == "nearest") return nearest_neighbour;
    return mode == "linear" ? linear_neighbours : cubic_neighbours;
}

void drop_outside(const ResizeAxis &axis, int taps, Neighbours &near) {
    double sum = 0;
    for (int t = 0; t < taps; t++) {
        const int64_t position = near.first + t;
        if (position < 0 || position >= axis.in) near.weights[t] = 0;
        sum += near.weights[t];
    }
    for (int t = 0; t < taps && sum != 0; t++) near.weights[t] /= sum;
}

int64_t reflected(int64_t position, int64_t in) {
    if (in == 1) return 0;
    const int64_t period = 2 * (in - 1);
    const int64_t phase = ((position % period) + period) % period;
    return phase < in ? phase : period - phase;
}

}  // namespace

Ratio ratio_of(float value) {
    int exponent = 0;
    auto digits = static_cast<int64_t>(std::ldexp(std::frexp(value, &exponent), FLT_MANT_DIG));
    exponent -= FLT_MANT_DIG;
    for (; digits % 2 == 0; exponent++) digits /= 2;
    return {digits << std::max(0, exponent), int64_t{1} << std::max(0, -exponent)};
}

int resize_taps(const std::string &mode) {
    if (mode == "nearest") return 1;
    return mode == "linear" ? 2 : 4;
}

Result<AxisTable> resize_table(const ResizeAxis &axis, int taps) {
    const Result<InputPosition> input_position =
        lookup(kInputPositions, "coordinate_transformation_mode", axis.coordinates);
    SEPCONV_RETURN_IF_ERROR(input_position.status());
    Result<Rounding> rounding = kRoundings[0].second;
    if (axis.mode == "nearest") rounding = lookup(kRoundings, "nearest_mode", axis.nearest);
    SEPCONV_RETURN_IF_ERROR(rounding.status());
    const NeighboursOf neighbours = neighbours_of(axis.mode);
    const bool crops = axis.coordinates == "tf_crop_and_resize";
    AxisTable table;
    table.index.resize(taps * axis.out);
    table.weight.resize(taps * axis.out);
    for (int64_t x = 0; x < axis.out; x++) {
        const Position position = input_position.value()(axis, x);
        const int64_t last = position.whole + (position.part > 0);
        const bool inside = position.whole >= 0 && last < axis.in;
        Neighbours near{0, {0, 0, 0, 0}};  // The extrapolation value is 0.
        if (inside || !crops) near = neighbours(axis, rounding.value(), position);
        if (axis.exclude_outside) drop_outside(axis, taps, near);
        for (int t = 0; t < taps; t++) {
            const int64_t position = std::clamp<int64_t>(near.first + t, 0, axis.in - 1);
            table.index[t * axis.out + x] = static_cast<int32_t>(position);
            table.weight[t * axis.out + x] = static_cast<float>(near.weights[t]);
        }
    }
    return table;
}

AxisTable pad_table(int64_t in, int64_t out, int64_t before, const std::string &mode) {
    const bool reflects = mode == "reflect", wraps = mode == "wrap";
    AxisTable table;
    table.index.reserve(out);
    table.weight.assign(out, 1.0F);
    for (int64_t x = 0; x < out; x++) {
        const int64_t position = x - before;
        int64_t source = std::clamp<int64_t>(position, 0, in - 1);
        if (reflects) source = reflected(position, in);
        if (wraps) source = ((position % in) + in) % in;
        table.index.push_back(static_cast<int32_t>(source));
    }
    return table;
}

}  // namespace sepconv
