// Shape rules of operators with a sliding window.
#include <algorithm>

#include "compiler/infer_rules.h"
#include "compiler/limits.h"
#include "layer/shape.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;

/// An attribute with one number per spatial axis (`count` of them), each in [low, 2^31).
Result<Ints> window_numbers(const NodeContext &c, const std::string &key, size_t count, int64_t low,
                            int64_t otherwise) {
    const Ints values = c.node.attribute(key, Ints(count, otherwise));
    if (values.size() != count) {
        return c.invalid(key + " has " + std::to_string(values.size()) + " numbers, expected " +
                         std::to_string(count));
    }
    for (size_t i = 0; i < count; ++i) {
        if (values[i] < low || values[i] > kMaxExtent) {
            return c.invalid(key + "[" + std::to_string(i) + "] is " + std::to_string(values[i]) +
                             ", expected at least " + std::to_string(low) + " and below 2^31");
        }
    }
    return values;
}

struct WindowNumbers {
    Ints kernel, strides, dilations;
    Ints pads;  ///< Begins, then ends.
    std::string auto_pad;

    int64_t extent(size_t axis) const { return dilated_extent(kernel[axis], dilations[axis]); }
};

/// Reads and checks everything but the resolution of auto_pad.
Result<WindowNumbers> window_numbers(const NodeContext &c, size_t spatial,
                                     const Ints *weight_kernel) {
    if (weight_kernel == nullptr && !c.node.has("kernel_shape")) {
        return c.invalid("kernel_shape is missing");
    }
    WindowNumbers window;
    const auto read = [&](const std::string &key, size_t count, int64_t low, int64_t otherwise,
                          Ints &into) -> Status {
        Result<Ints> values = window_numbers(c, key, count, low, otherwise);
        if (!values.ok()) {
            return values.status();
        }
        into = std::move(values).value();
        return Status();
    };
    SEPCONV_RETURN_IF_ERROR(read("strides", spatial, 1, 1, window.strides));
    SEPCONV_RETURN_IF_ERROR(read("dilations", spatial, 1, 1, window.dilations));
    SEPCONV_RETURN_IF_ERROR(read("pads", 2 * spatial, 0, 0, window.pads));
    if (weight_kernel == nullptr || c.node.has("kernel_shape")) {
        SEPCONV_RETURN_IF_ERROR(read("kernel_shape", spatial, 1, 1, window.kernel));
    } else {
        window.kernel = *weight_kernel;
    }
    if (weight_kernel != nullptr && window.kernel != *weight_kernel) {
        return c.invalid("kernel_shape is " + shape_text(window.kernel) + ", the weights have " +
                         shape_text(*weight_kernel));
    }
    window.auto_pad = c.node.attribute("auto_pad", std::string("NOTSET"));
    const bool given =
        std::any_of(window.pads.begin(), window.pads.end(), [](int64_t pad) { return pad != 0; });
    if (window.auto_pad != "NOTSET" && given && weight_kernel != nullptr) {
        return c.invalid("has auto_pad " + quote(window.auto_pad) + " and pads");
    }
    if (window.auto_pad != "NOTSET") {
        window.pads.assign(2 * spatial, 0);
    }
    return window;
}

void distribute(WindowNumbers &window, size_t axis, int64_t total, bool upper) {
    const size_t spatial = window.kernel.size();
    const int64_t less = total / 2;
    window.pads[axis] = upper ? less : total - less;
    window.pads[axis + spatial] = upper ? total - less : less;
}

void resolve_same(WindowNumbers &window, const Shape &input) {
    if (window.auto_pad != "SAME_UPPER" && window.auto_pad != "SAME_LOWER") {
        return;
    }
    for (size_t i = 0; i < window.kernel.size(); ++i) {
        const int64_t in = input[i + 2];
        const int64_t out = (in + window.strides[i] - 1) / window.strides[i];
        distribute(window, i,
                   std::max<int64_t>(0, (out - 1) * window.strides[i] + window.extent(i) - in),
                   window.auto_pad == "SAME_UPPER");
    }
}

/// The output's spatial extents behind {N, channels}.
Result<Shape> window_output(const NodeContext &c, const WindowNumbers &window, int64_t channels,
                            bool ceil) {
    const Shape &input = c.shape(0);
    const size_t spatial = window.kernel.size();
    Shape output{input[0], channels};
    for (size_t i = 0; i < spatial; ++i) {
        const int64_t before = window.pads[i];
        const int64_t after = window.pads[i + spatial];
        const int64_t padded = input[i + 2] + before + after;
        if (window.extent(i) > padded) {
            return c.invalid("the kernel's extent " + std::to_string(window.extent(i)) +
                             " is larger than the padded input's " + std::to_string(padded) +
                             " on axis " + std::to_string(i + 2));
        }
        output.push_back(output_extent(input[i + 2], window.kernel[i], window.strides[i],
                                       window.dilations[i], before, after, ceil));
    }
    return output;
}

Status check_image(const NodeContext &c) {
    if (c.rank(0) < 3) {
        return c.invalid("the input has shape " + shape_text(c.shape(0)) +
                         ", expected N x C x spatial axes");
    }
    if (c.rank(0) > 4) {
        return c.unsupported("the input has " + std::to_string(c.rank(0) - 2) +
                             " spatial axes, at most 2 are supported");
    }
    return Status();
}

void set_window(NodeContext &c, const WindowNumbers &window) {
    c.node.attributes["kernel_shape"] = window.kernel;
    c.node.attributes["strides"] = window.strides;
    c.node.attributes["dilations"] = window.dilations;
    c.node.attributes["pads"] = window.pads;
}

/// Weights (and bias) constant and of the input's rank; group at least 1.
Result<int64_t> check_weights(const NodeContext &c) {
    SEPCONV_RETURN_IF_ERROR(check_image(c));
    if (c.constant(1) == nullptr || (c.has_input(2) && c.constant(2) == nullptr)) {
        return c.unsupported("weights and bias must be constants");
    }
    if (c.rank(1) != c.rank(0)) {
        return c.invalid("the weights have shape " + shape_text(c.shape(1)) + ", expected rank " +
                         std::to_string(c.rank(0)));
    }
    for (const int64_t extent : c.shape(1)) {
        if (extent < 1) {
            return c.invalid("the weights have shape " + shape_text(c.shape(1)) +
                             ", expected no empty axis");
        }
    }
    const int64_t group = c.node.attribute("group", int64_t{1});
    if (group < 1 || group > kMaxExtent) {
        return c.invalid("group is " + std::to_string(group) + ", expected at least 1");
    }
    return group;
}

Status check_bias(const NodeContext &c, int64_t channels) {
    if (c.has_input(2) && c.shape(2) != Shape{channels}) {
        return c.invalid("the bias has shape " + shape_text(c.shape(2)) + ", expected " +
                         std::to_string(channels));
    }
    return Status();
}

}  // namespace

Status infer_conv(NodeContext &c) {
    const Result<int64_t> group = check_weights(c);
    if (!group.ok()) {
        return group.status();
    }
    const Shape &input = c.shape(0);
    const Shape &weights = c.shape(1);
    if (weights[1] * group.value() != input[1]) {
        return c.invalid("the input has " + std::to_string(input[1]) + " channels, the weights " +
                         shape_text(weights) + " with group " + std::to_string(group.value()) +
                         " need " + std::to_string(weights[1] * group.value()));
    }
    if (weights[0] % group.value() != 0) {
        return c.invalid(std::to_string(weights[0]) +
                         " output channels are not divisible by group " +
                         std::to_string(group.value()));
    }
    SEPCONV_RETURN_IF_ERROR(check_bias(c, weights[0]));
    const Ints kernel(weights.begin() + 2, weights.end());
    Result<WindowNumbers> window = window_numbers(c, kernel.size(), &kernel);
    if (!window.ok()) {
        return window.status();
    }
    resolve_same(window.value(), input);
    Result<Shape> output = window_output(c, window.value(), weights[0], false);
    if (!output.ok()) {
        return output.status();
    }
    c.outputs = {std::move(output).value()};
    c.node.attributes.clear();
    c.node.attributes["group"] = group.value();
    set_window(c, window.value());
    return Status();
}

namespace {

/// Resolves auto_pad and output_shape into pads and output_padding; returns the output's extents.
Result<Shape> resolve_transpose(const NodeContext &c, WindowNumbers &window, Ints &extra,
                                int64_t channels) {
    const Shape &input = c.shape(0);
    const size_t spatial = window.kernel.size();
    Shape output{input[0], channels};
    Ints wanted = c.node.attribute("output_shape", Ints());
    // Some exporters give the whole shape.
    if (wanted.size() == spatial + 2) {
        wanted.erase(wanted.begin(), wanted.begin() + 2);
    }
    if (!wanted.empty() && wanted.size() != spatial) {
        return c.invalid("output_shape has " + std::to_string(wanted.size()) +
                         " numbers, expected " + std::to_string(spatial));
    }
    const bool same = window.auto_pad == "SAME_UPPER" || window.auto_pad == "SAME_LOWER";
    for (size_t i = 0; i < spatial; ++i) {
        const int64_t full = window.strides[i] * (input[i + 2] - 1) + extra[i] + window.extent(i);
        if (same || !wanted.empty()) {
            // SAME pads to in * stride and never the other way, as ONNX Runtime has it.
            const int64_t out =
                wanted.empty() ? std::min(full, input[i + 2] * window.strides[i]) : wanted[i];
            if (out < 1 || out > kMaxExtent) {
                return c.invalid("output extent " + std::to_string(out) + ", expected at least 1");
            }
            // Where more is asked for than there is, zeros follow at the end.
            extra[i] += std::max<int64_t>(0, out - full);
            // An odd pixel goes to the start unless SAME_UPPER (ONNX, ConvTranspose).
            distribute(window, i, std::max<int64_t>(0, full - out),
                       window.auto_pad == "SAME_UPPER");
            output.push_back(out);
        } else {
            output.push_back(full - window.pads[i] - window.pads[i + spatial]);
        }
        if (output.back() < 1) {
            return c.invalid("the padding leaves no output on axis " + std::to_string(i + 2));
        }
    }
    return output;
}

}  // namespace

Status infer_conv_transpose(NodeContext &c) {
    const Result<int64_t> group = check_weights(c);
    if (!group.ok()) {
        return group.status();
    }
    const Shape &input = c.shape(0);
    const Shape &weights = c.shape(1);
    if (weights[0] != input[1] || input[1] % group.value() != 0) {
        return c.invalid("the input has " + std::to_string(input[1]) + " channels, the weights " +
                         shape_text(weights) + " with group " + std::to_string(group.value()) +
                         " need " + std::to_string(weights[0]) + ", divisible by group");
    }
    const int64_t channels = weights[1] * group.value();
    SEPCONV_RETURN_IF_ERROR(check_bias(c, channels));
    const Ints kernel(weights.begin() + 2, weights.end());
    Result<WindowNumbers> window = window_numbers(c, kernel.size(), &kernel);
    if (!window.ok()) {
        return window.status();
    }
    Result<Ints> extra = window_numbers(c, "output_padding", kernel.size(), 0, 0);
    if (!extra.ok()) {
        return extra.status();
    }
    Result<Shape> output = resolve_transpose(c, window.value(), extra.value(), channels);
    if (!output.ok()) {
        return output.status();
    }
    c.outputs = {std::move(output).value()};
    c.node.attributes.clear();
    c.node.attributes["group"] = group.value();
    c.node.attributes["output_padding"] = std::move(extra).value();
    set_window(c, window.value());
    return Status();
}

Status infer_pool(NodeContext &c) {
    SEPCONV_RETURN_IF_ERROR(check_image(c));
    const Shape &input = c.shape(0);
    Result<WindowNumbers> window = window_numbers(c, input.size() - 2, nullptr);
    if (!window.ok()) {
        return window.status();
    }
    resolve_same(window.value(), input);
    const size_t spatial = input.size() - 2;
    for (size_t i = 0; i < 2 * spatial; ++i) {
        // Otherwise a window could lie in the padding alone, where neither maximum nor mean exist.
        if (window.value().pads[i] >= window.value().extent(i % spatial)) {
            return c.invalid("pads[" + std::to_string(i) + "] is " +
                             std::to_string(window.value().pads[i]) +
                             ", expected less than the kernel's extent " +
                             std::to_string(window.value().extent(i % spatial)));
        }
    }
    const int64_t ceil = c.node.attribute("ceil_mode", int64_t{0});
    const int64_t include = c.node.attribute("count_include_pad", int64_t{0});
    Result<Shape> output = window_output(c, window.value(), input[1], ceil != 0);
    if (!output.ok()) {
        return output.status();
    }
    c.outputs = {std::move(output).value()};
    c.node.attributes.clear();
    c.node.attributes["ceil_mode"] = ceil;
    c.node.attributes["count_include_pad"] = include;
    set_window(c, window.value());
    return Status();
}

Status infer_global_pool(NodeContext &c) {
    SEPCONV_RETURN_IF_ERROR(check_image(c));
    Shape output(c.shape(0).size(), 1);
    output[0] = c.shape(0)[0];
    output[1] = c.shape(0)[1];
    c.outputs = {output};
    return Status();
}

}  // namespace sepconv
