// Shape rules of Resize, Upsample and Pad.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "compiler/infer_rules.h"
#include "compiler/limits.h"
#include "compiler/resize_tables.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

/// The extent of an axis resized by a scale, as ONNX's shape inference computes it: in single
/// precision, rounded down.
Result<int64_t> scaled_extent(const NodeContext &c, int64_t extent, float scale) {
    const float scaled = static_cast<float>(extent) * scale;
    // Written so that NaN fails too.
    if (!(scaled >= 1.0F && scaled < 2147483648.0F)) {
        return c.invalid("a scale of " + std::to_string(scale) + " on extent " +
                         std::to_string(extent) + " leaves no valid extent");
    }
    return static_cast<int64_t>(scaled);
}

struct ResizeRequest {
    Ints axes;
    Floats scales;
    Ints sizes;
    Floats roi;  ///< Starts, then ends, as `axes`.
};

Result<ResizeRequest> resize_request(const NodeContext &c) {
    ResizeRequest request;
    const bool old = c.opset() < 11;
    request.axes.resize(c.shape(0).size());
    std::iota(request.axes.begin(), request.axes.end(), 0);
    if (c.node.has("axes")) {
        const Result<Ints> axes = c.resolve_axes(c.node.attribute("axes", Ints()), c.rank(0));
        if (!axes.ok()) {
            return axes.status();
        }
        request.axes = axes.value();
    }
    const size_t scales_at = old ? 1 : 2;
    if (c.has_input(scales_at)) {
        Result<Floats> scales = c.constant_floats(scales_at, "scales");
        if (!scales.ok()) {
            return scales.status();
        }
        request.scales = std::move(scales).value();
    }
    if (!old && c.has_input(3)) {
        Result<Ints> sizes = c.constant_ints(3, "sizes");
        if (!sizes.ok()) {
            return sizes.status();
        }
        request.sizes = std::move(sizes).value();
    }
    if (!old && c.has_input(1) && c.constant(1) != nullptr) {
        Result<Floats> roi = c.constant_floats(1, "roi");
        if (!roi.ok()) {
            return roi.status();
        }
        request.roi = std::move(roi).value();
    }
    if (request.scales.empty() == request.sizes.empty()) {
        return c.invalid("expected either scales or sizes");
    }
    const size_t given = std::max(request.scales.size(), request.sizes.size());
    if (given != request.axes.size()) {
        return c.invalid("expected " + std::to_string(request.axes.size()) +
                         " scales or sizes, one an axis; there are " + std::to_string(given));
    }
    return request;
}

struct ResizeResult {
    Shape output;
    std::vector<Ratio> scales;  ///< Per axis of the input.
    Floats roi;                 ///< Starts, then ends.
};

/// a < b; all terms are below 2^31.
bool less(const Ratio &a, const Ratio &b) {
    return a.numerator * b.denominator < b.numerator * a.denominator;
}

/// Each axis is scaled by size / extent, or all by the smallest or largest of these.
Status apply_sizes(const NodeContext &c, const ResizeRequest &request, ResizeResult &result) {
    const std::string policy = c.node.attribute("keep_aspect_ratio_policy", std::string("stretch"));
    Ratio common;
    for (size_t i = 0; i < request.axes.size(); ++i) {
        const auto axis = static_cast<size_t>(request.axes[i]);
        const int64_t size = request.sizes[i];
        if (size < 1 || size > kMaxExtent) {
            return c.invalid("sizes[" + std::to_string(i) + "] is " + std::to_string(size));
        }
        const Ratio scale{size, c.shape(0)[axis]};
        result.scales[axis] = scale;
        result.output[axis] = size;
        const bool replaces = policy == "not_larger" ? less(scale, common) : less(common, scale);
        if (i == 0 || replaces) common = scale;
    }
    if (policy == "stretch") return Status();
    for (const int64_t resized : request.axes) {
        const auto axis = static_cast<size_t>(resized);
        const int64_t in = c.shape(0)[axis];
        // round(common * in), halves upwards
        const int64_t extent =
            (2 * common.numerator * in + common.denominator) / (2 * common.denominator);
        if (extent < 1 || extent > kMaxExtent) {
            return c.invalid("the " + policy + " scale " + std::to_string(common.numerator) + "/" +
                             std::to_string(common.denominator) + " on extent " +
                             std::to_string(in) + " leaves no valid extent");
        }
        result.scales[axis] = common;
        result.output[axis] = extent;
    }
    return Status();
}

Status apply_scales(const NodeContext &c, const ResizeRequest &request, bool crop,
                    ResizeResult &result) {
    for (size_t i = 0; i < request.axes.size(); ++i) {
        const auto axis = static_cast<size_t>(request.axes[i]);
        const float scale = request.scales[i];
        if (!(scale > 0.0F) || !std::isfinite(scale)) {
            return c.invalid("scales[" + std::to_string(i) + "] is " + std::to_string(scale) +
                             ", expected a positive number");
        }
        // A crop's too: as ONNX infers shapes and computes, not as its text has it.
        const Result<int64_t> extent = scaled_extent(c, c.shape(0)[axis], scale);
        if (!extent.ok()) {
            return extent.status();
        }
        // A crop's positions do not depend on it, and it may be any number.
        result.scales[axis] = crop ? Ratio() : ratio_of(scale);
        result.output[axis] = extent.value();
    }
    return Status();
}

Result<ResizeResult> resolve_resize(const NodeContext &c, const ResizeRequest &request, bool crop) {
    if (element_count(c.shape(0)) == 0) {
        return c.invalid("the input has shape " + shape_text(c.shape(0)) + ", which is empty");
    }
    const size_t rank = c.shape(0).size();
    ResizeResult result{c.shape(0), std::vector<Ratio>(rank), Floats(2 * rank, 0.0F)};
    std::fill(result.roi.begin() + static_cast<std::ptrdiff_t>(rank), result.roi.end(), 1.0F);
    if (crop) {
        const size_t count = request.axes.size();
        if (request.roi.size() != 2 * count) {
            return c.invalid("roi has " + std::to_string(request.roi.size()) +
                             " constant numbers, expected " + std::to_string(2 * count));
        }
        for (size_t i = 0; i < count; ++i) {
            const auto axis = static_cast<size_t>(request.axes[i]);
            result.roi[axis] = request.roi[i];
            result.roi[axis + rank] = request.roi[i + count];
            if (!std::isfinite(request.roi[i]) || !std::isfinite(request.roi[i + count])) {
                return c.invalid("roi is not finite");
            }
        }
    }
    SEPCONV_RETURN_IF_ERROR(request.scales.empty() ? apply_sizes(c, request, result)
                                                   : apply_scales(c, request, crop, result));
    for (const size_t axis : {size_t{0}, size_t{1}}) {
        // A scale may keep the extent and yet move every position; one pixel stays where it is.
        const int64_t extent = c.shape(0)[axis];
        const Ratio &scale = result.scales[axis];
        const bool moved = extent > 1 && scale.numerator != scale.denominator;
        if (result.output[axis] != extent || moved || result.roi[axis] != 0.0F ||
            result.roi[axis + rank] != 1.0F) {
            return c.unsupported("only the two image axes can be resized, not axis " +
                                 std::to_string(axis));
        }
    }
    return result;
}

/// The sampling attributes, the same for all operator sets.
struct Sampling {
    std::string mode, coordinates, nearest;
};

Sampling sampling_of(const NodeContext &c) {
    return {c.node.attribute("mode", std::string("nearest")),
            c.node.attribute("coordinate_transformation_mode", std::string("half_pixel")),
            c.node.attribute("nearest_mode", std::string("round_prefer_floor"))};
}

/// Before operator set 11: asymmetric coordinates; nearest takes the pixel before when an axis
/// grows and the one behind when it shrinks.
Status old_nearest(const NodeContext &c, const std::vector<Ratio> &scales, Sampling &sampling) {
    if (sampling.mode == "cubic") return c.unsupported("mode 'cubic' needs operator set 11");
    sampling.coordinates = "asymmetric";
    bool grows = false;
    bool shrinks = false;
    for (const Ratio &scale : scales) {
        grows = grows || scale.numerator > scale.denominator;
        shrinks = shrinks || scale.numerator < scale.denominator;
    }
    if (grows && shrinks && sampling.mode == "nearest") {
        return c.unsupported("one axis grows and one shrinks, which needs operator set 11");
    }
    sampling.nearest = shrinks ? "ceil" : "floor";
    return Status();
}

Status finish_resize(NodeContext &c, const ResizeResult &result, const Sampling &sampling) {
    const auto cubic = c.node.attribute("cubic_coeff_a", -0.75F);
    const auto outside = c.node.attribute("exclude_outside", int64_t{0});
    const auto extrapolation = c.node.attribute("extrapolation_value", 0.0F);
    const auto antialias = c.node.attribute("antialias", int64_t{0});
    if (!std::isfinite(cubic)) {
        return c.invalid("cubic_coeff_a is not finite");
    }
    c.outputs = {result.output};
    c.become_unary("Resize");
    c.node.attributes["mode"] = sampling.mode;
    c.node.attributes["coordinate_transformation_mode"] = sampling.coordinates;
    c.node.attributes["nearest_mode"] = sampling.nearest;
    c.node.attributes["cubic_coeff_a"] = cubic;
    Ints numerators, denominators;
    for (const Ratio &scale : result.scales) {
        numerators.push_back(scale.numerator);
        denominators.push_back(scale.denominator);
    }
    c.node.attributes["scale_numerators"] = numerators;
    c.node.attributes["scale_denominators"] = denominators;
    c.node.attributes["roi"] = result.roi;
    c.node.attributes["extrapolation_value"] = extrapolation;
    c.node.attributes["exclude_outside"] = outside;
    c.node.attributes["antialias"] = antialias;
    return Status();
}

}  // namespace

Status infer_resize(NodeContext &c) {
    if (c.rank(0) != 4) {
        return c.unsupported("the input has shape " + shape_text(c.shape(0)) +
                             ", only rank 4 is supported");
    }
    Sampling sampling = sampling_of(c);
    const Result<ResizeRequest> request = resize_request(c);
    if (!request.ok()) {
        return request.status();
    }
    const bool crop = sampling.coordinates == "tf_crop_and_resize";
    const Result<ResizeResult> result = resolve_resize(c, request.value(), crop);
    if (!result.ok()) {
        return result.status();
    }
    if (c.opset() < 11) {
        SEPCONV_RETURN_IF_ERROR(old_nearest(c, result.value().scales, sampling));
    }
    return finish_resize(c, result.value(), sampling);
}

Status infer_upsample(NodeContext &c) {
    if (c.opset() >= 10) {
        return c.invalid("Upsample does not exist in operator set " + std::to_string(c.opset()));
    }
    if (c.rank(0) != 4) {
        return c.unsupported("the input has shape " + shape_text(c.shape(0)) +
                             ", only rank 4 is supported");
    }
    Sampling sampling = sampling_of(c);
    ResizeRequest request;
    request.axes = {0, 1, 2, 3};
    if (c.opset() >= 9) {
        Result<Floats> scales = c.constant_floats(1, "scales");
        if (!scales.ok()) {
            return scales.status();
        }
        request.scales = std::move(scales).value();
    } else {
        request.scales = c.node.attribute("scales", Floats());
    }
    if (request.scales.size() != 4) {
        return c.invalid("scales has " + std::to_string(request.scales.size()) +
                         " numbers, expected 4");
    }
    const Result<ResizeResult> result = resolve_resize(c, request, false);
    if (!result.ok()) {
        return result.status();
    }
    SEPCONV_RETURN_IF_ERROR(old_nearest(c, result.value().scales, sampling));
    return finish_resize(c, result.value(), sampling);
}

namespace {

/// Begins, then ends, for every axis of the input.
Result<Ints> resolve_pads(const NodeContext &c) {
    const size_t rank = c.shape(0).size();
    Ints axes(rank);
    std::iota(axes.begin(), axes.end(), 0);
    Ints given = c.node.attribute("pads", Ints());
    if (c.opset() >= 11) {
        Result<Ints> pads = c.constant_ints(1, "pads");
        if (!pads.ok()) {
            return pads.status();
        }
        given = std::move(pads).value();
        if (c.has_input(3)) {
            const Result<Ints> listed = c.constant_ints(3, "axes");
            if (!listed.ok()) {
                return listed.status();
            }
            const Result<Ints> resolved = c.resolve_axes(listed.value(), c.rank(0));
            if (!resolved.ok()) {
                return resolved.status();
            }
            axes = resolved.value();
        }
    }
    const size_t count = axes.size();
    if (given.size() != 2 * count) {
        return c.invalid("pads has " + std::to_string(given.size()) + " numbers, expected " +
                         std::to_string(2 * count));
    }
    Ints pads(2 * rank, 0);
    for (size_t i = 0; i < 2 * count; ++i) {
        if (given[i] < -kMaxExtent || given[i] > kMaxExtent) {
            return c.invalid("pads[" + std::to_string(i) + "] is " + std::to_string(given[i]));
        }
        const size_t axis = i < count ? i : i - count;
        pads[static_cast<size_t>(axes[axis]) + (i < count ? 0 : rank)] = given[i];
    }
    return pads;
}

}  // namespace

Status infer_pad(NodeContext &c) {
    const Result<Ints> pads = resolve_pads(c);
    if (!pads.ok()) {
        return pads.status();
    }
    const std::string mode = c.node.attribute("mode", std::string("constant"));
    float value = c.node.attribute("value", 0.0F);
    if (c.opset() >= 11 && c.has_input(2)) {
        const Result<Floats> given = c.constant_floats(2, "constant_value");
        if (!given.ok()) {
            return given.status();
        }
        if (given.value().size() != 1) {
            return c.invalid("constant_value is no scalar");
        }
        value = given.value()[0];
    }
    const size_t rank = c.shape(0).size();
    Shape output = c.shape(0);
    for (size_t i = 0; i < rank; ++i) {
        const int64_t before = pads.value()[i];
        const int64_t after = pads.value()[i + rank];
        if (mode == "reflect" && std::max(before, after) >= output[i]) {
            return c.invalid("reflection by " + std::to_string(std::max(before, after)) +
                             " needs a larger extent than " + std::to_string(output[i]));
        }
        output[i] += before + after;
        if (output[i] < 1) {
            return c.invalid("pads leave nothing of axis " + std::to_string(i));
        }
    }
    c.outputs = {output};
    c.become_unary("Pad");
    c.node.attributes["pads"] = pads.value();
    c.node.attributes["value"] = value;
    c.node.attributes["mode"] = mode;
    return Status();
}

}  // namespace sepconv
