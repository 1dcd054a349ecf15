#include "compiler/resize_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sepconv {
namespace {

/// Position in the input of output position `x`, by the formulas of ONNX's Resize.
Result<float> input_position(const ResizeAxis &axis, int64_t x) {
    const auto at = static_cast<float>(x);
    const auto in = static_cast<float>(axis.in), out = static_cast<float>(axis.out);
    const std::string &mode = axis.coordinates;
    if (mode == "half_pixel") return (at + 0.5F) / axis.scale - 0.5F;
    if (mode == "pytorch_half_pixel") {
        return axis.out > 1 ? (at + 0.5F) / axis.scale - 0.5F : 0.0F;
    }
    if (mode == "align_corners") return axis.out > 1 ? at * (in - 1) / (out - 1) : 0.0F;
    if (mode == "asymmetric") return at / axis.scale;
    if (mode == "tf_half_pixel_for_nn") return (at + 0.5F) / axis.scale;
    if (mode == "half_pixel_symmetric") {
        const float adjustment = out / (axis.scale * in);
        return in / 2 * (1 - adjustment) + (at + 0.5F) / axis.scale - 0.5F;
    }
    if (mode == "tf_crop_and_resize") {
        const float start = axis.roi_start, end = axis.roi_end;
        if (axis.out == 1) return 0.5F * (start + end) * (in - 1);
        return start * (in - 1) + at * (end - start) * (in - 1) / (out - 1);
    }
    return Status(StatusCode::kUnsupported,
                  fmt::format("coordinate_transformation_mode '{}' is not supported", mode));
}

Result<int64_t> nearest_position(const ResizeAxis &axis, float position) {
    if (axis.nearest == "round_prefer_floor") {
        return static_cast<int64_t>(std::ceil(position - 0.5F));
    }
    if (axis.nearest == "round_prefer_ceil") {
        return static_cast<int64_t>(std::floor(position + 0.5F));
    }
    if (axis.nearest == "floor") return static_cast<int64_t>(std::floor(position));
    if (axis.nearest == "ceil") return static_cast<int64_t>(std::ceil(position));
    return Status(StatusCode::kUnsupported,
                  fmt::format("nearest_mode '{}' is not supported", axis.nearest));
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

Result<Neighbours> neighbours_of(const ResizeAxis &axis, int64_t x) {
    Result<float> found = input_position(axis, x);
    SEPCONV_RETURN_IF_ERROR(found.status());
    const float position = found.value();
    Neighbours near;
    if (axis.mode == "nearest") {
        Result<int64_t> first = nearest_position(axis, position);
        SEPCONV_RETURN_IF_ERROR(first.status());
        near.first = first.value();
    } else if (axis.mode == "linear") {
        const float inside = std::clamp(position, 0.0F, static_cast<float>(axis.in - 1));
        near.first = static_cast<int64_t>(std::floor(inside));
        near.weights[1] = inside - static_cast<float>(near.first);
        near.weights[0] = 1 - near.weights[1];
    } else {
        near.first = static_cast<int64_t>(std::floor(position)) - 1;
        cubic_weights(position - std::floor(position), axis.cubic_a, near.weights);
    }
    const bool outside = position < 0 || position > static_cast<float>(axis.in - 1);
    if (axis.coordinates == "tf_crop_and_resize" && outside) {
        std::fill(near.weights, near.weights + 4, 0.0F);  // The extrapolation value is 0.
    }
    return near;
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
    AxisTable table;
    table.index.resize(taps * axis.out);
    table.weight.resize(taps * axis.out);
    for (int64_t x = 0; x < axis.out; x++) {
        Result<Neighbours> found = neighbours_of(axis, x);
        SEPCONV_RETURN_IF_ERROR(found.status());
        Neighbours near = found.value();
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
    AxisTable table;
    for (int64_t x = 0; x < out; x++) {
        const int64_t position = x - before;
        int64_t source = std::clamp<int64_t>(position, 0, in - 1);
        if (mode == "reflect") source = reflected(position, in);
        if (mode == "wrap") source = ((position % in) + in) % in;
        table.index.push_back(static_cast<int32_t>(source));
        table.weight.push_back(1.0F);
    }
    return table;
}

}  // namespace sepconv
