#include "compiler/resize_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

namespace sepconv {
namespace {

// Tables have millions of positions: what a name means is looked up once (lookup), not for each.

/// Position in the input of output position `x`, by the formulas of ONNX's Resize.
using InputPosition = float (*)(const ResizeAxis &axis, float x);

float half_pixel(const ResizeAxis &axis, float x) {
    return (x + 0.5F) / axis.scale - 0.5F;
}

float pytorch_half_pixel(const ResizeAxis &axis, float x) {
    return axis.out > 1 ? half_pixel(axis, x) : 0.0F;
}

float align_corners(const ResizeAxis &axis, float x) {
    const auto in = static_cast<float>(axis.in), out = static_cast<float>(axis.out);
    return axis.out > 1 ? x * (in - 1) / (out - 1) : 0.0F;
}

float asymmetric(const ResizeAxis &axis, float x) {
    return x / axis.scale;
}

float tf_half_pixel_for_nn(const ResizeAxis &axis, float x) {
    return (x + 0.5F) / axis.scale;
}

float half_pixel_symmetric(const ResizeAxis &axis, float x) {
    const auto in = static_cast<float>(axis.in), out = static_cast<float>(axis.out);
    const float adjustment = out / (axis.scale * in);
    return in / 2 * (1 - adjustment) + (x + 0.5F) / axis.scale - 0.5F;
}

float tf_crop_and_resize(const ResizeAxis &axis, float x) {
    const auto in = static_cast<float>(axis.in), out = static_cast<float>(axis.out);
    const float start = axis.roi_start, end = axis.roi_end;
    if (axis.out == 1) return 0.5F * (start + end) * (in - 1);
    return start * (in - 1) + x * (end - start) * (in - 1) / (out - 1);
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

using Rounding = float (*)(float position);

constexpr std::pair<std::string_view, Rounding> kRoundings[] = {
    {"round_prefer_floor", [](float position) { return std::ceil(position - 0.5F); }},
    {"round_prefer_ceil", [](float position) { return std::floor(position + 0.5F); }},
    {"floor", [](float position) { return std::floor(position); }},
    {"ceil", [](float position) { return std::ceil(position); }},
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

/// Weights of four neighbours at fraction t behind the second (Keys 1981, parameter a).
void cubic_weights(float t, float a, float *weights) {
    const float u = 1 - t;
    weights[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    weights[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    weights[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
    weights[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
}

/// First input position and the weights from there on.
struct Neighbours {
    int64_t first = 0;
    float weights[4] = {1, 0, 0, 0};
};

/// Of a position of the input, without what a mode of coordinates adds.
using NeighboursOf = Neighbours (*)(const ResizeAxis &axis, Rounding rounding, float position);

Neighbours nearest_neighbour(const ResizeAxis & /*axis*/, Rounding rounding, float position) {
    return {static_cast<int64_t>(rounding(position)), {1, 0, 0, 0}};
}

Neighbours linear_neighbours(const ResizeAxis &axis, Rounding /*rounding*/, float position) {
    const float inside = std::clamp(position, 0.0F, static_cast<float>(axis.in - 1));
    const float behind = inside - std::floor(inside);
    return {static_cast<int64_t>(std::floor(inside)), {1 - behind, behind, 0, 0}};
}

Neighbours cubic_neighbours(const ResizeAxis &axis, Rounding /*rounding*/, float position) {
    Neighbours near;
    near.first = static_cast<int64_t>(std::floor(position)) - 1;
    cubic_weights(position - std::floor(position), axis.cubic_a, near.weights);
    return near;
}

NeighboursOf neighbours_of(const std::string &mode) {
    if (mode == "nearest") return nearest_neighbour;
    return mode == "linear" ? linear_neighbours : cubic_neighbours;
}

void drop_outside(const ResizeAxis &axis, int taps, Neighbours &near) {
    float sum = 0;
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
        const float position = input_position.value()(axis, static_cast<float>(x));
        // Of a crop only: it may be so far outside that no index holds it, or overflow to NaN.
        const bool inside = position >= 0 && position <= static_cast<float>(axis.in - 1);
        Neighbours near{0, {0, 0, 0, 0}};  // The extrapolation value is 0.
        if (inside || !crops) near = neighbours(axis, rounding.value(), position);
        if (axis.exclude_outside) drop_outside(axis, taps, near);
        for (int t = 0; t < taps; t++) {
            const int64_t position = std::clamp<int64_t>(near.first + t, 0, axis.in - 1);
            table.index[t * axis.out + x] = static_cast<int32_t>(position);
            table.weight[t * axis.out + x] = near.weights[t];
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
