#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "layer/shape.h"

namespace sepconv {
namespace {

/// Kernels index with 32-bit arithmetic: no buffer may span more elements than that.
constexpr int64_t kMaxElements = std::numeric_limits<int32_t>::max();

Status invalid(const std::string &message) {
    return Status(StatusCode::kInvalidArgument, message);
}

Status expect(bool condition, const std::string &field, const std::string &expected, int64_t came) {
    if (condition) {
        return {};
    }
    return invalid(field + ": expected " + expected + ", got " + std::to_string(came));
}

Status expect_positive(const std::string &field, int64_t value) {
    SEPCONV_RETURN_IF_ERROR(expect(value >= 1, field, "a positive number", value));
    return expect(value <= kMaxElements, field, "at most 2147483647", value);
}

Status too_large(const std::string &field) {
    return Status(StatusCode::kResourceExhausted,
                  field + ": expected at most 2147483647 elements, got more");
}

/// Fails unless the product of non-negative factors is at most kMaxElements.
Status expect_product(const std::string &field, std::initializer_list<int64_t> factors) {
    int64_t product = 1;
    for (const int64_t factor : factors) {
        if (__builtin_mul_overflow(product, factor, &product) || product > kMaxElements) {
            return too_large(field);
        }
    }
    return {};
}

/// Extents and strides of one buffer, and what may be done with it.
struct Layout {
    std::string field;
    std::vector<std::pair<int64_t, int64_t>> dimensions;  ///< (extent, stride)
    bool written = false;
};

/// Strides are not negative, the span fits 32 bits, and no two written elements coincide (each
/// stride, in ascending order, must step over all the dimensions below it).
Status check_layout(const Layout &layout) {
    int64_t last = 0;
    for (const auto &[extent, stride] : layout.dimensions) {
        SEPCONV_RETURN_IF_ERROR(
            expect(stride >= 0, layout.field + ".stride", "no negative number", stride));
        int64_t reach = 0;
        if (__builtin_mul_overflow(extent - 1, stride, &reach) || reach >= kMaxElements ||
            (last += reach) >= kMaxElements || (extent > 1 && stride > kMaxElements)) {
            return too_large(layout.field);
        }
    }
    if (!layout.written) {
        return {};
    }
    auto sorted = layout.dimensions;
    std::sort(sorted.begin(), sorted.end(),
              [](const auto &a, const auto &b) { return a.second < b.second; });
    int64_t below = 0;
    for (const auto &[extent, stride] : sorted) {
        if (extent > 1) {
            SEPCONV_RETURN_IF_ERROR(expect(
                stride > below, layout.field + ".stride",
                "more than " + std::to_string(below) + " (elements of an output must not coincide)",
                stride));
            below += (extent - 1) * stride;
        }
    }
    return {};
}

Status check_image(const std::string &field, const Image &image, bool written) {
    SEPCONV_RETURN_IF_ERROR(expect_positive(field + ".channels", image.channels));
    SEPCONV_RETURN_IF_ERROR(expect_positive(field + ".width", image.width));
    SEPCONV_RETURN_IF_ERROR(expect_positive(field + ".height", image.height));
    SEPCONV_RETURN_IF_ERROR(expect_product(field, {image.channels, image.width, image.height}));
    return check_layout({field,
                         {{image.channels, image.stride_c},
                          {image.width, image.stride_x},
                          {image.height, image.stride_y}},
                         written});
}

Status check_same_shape(const std::string &field, const Image &image, const std::string &other,
                        const Image &expected) {
    SEPCONV_RETURN_IF_ERROR(expect(image.channels == expected.channels, field + ".channels",
                                   std::to_string(expected.channels) + " as " + other,
                                   image.channels));
    SEPCONV_RETURN_IF_ERROR(expect(image.width == expected.width, field + ".width",
                                   std::to_string(expected.width) + " as " + other, image.width));
    return expect(image.height == expected.height, field + ".height",
                  std::to_string(expected.height) + " as " + other, image.height);
}

/// Which operands the epilogue's place allows.
struct Allowed {
    bool scalar_and_channel = true;
    bool tensor = false;
};

Status check_step(const std::string &field, const Elementwise &step, const Allowed &allowed) {
    const std::string name(name_of(step.op));
    if (name == "unknown") {
        return expect(false, field + ".op", "an operator", static_cast<int64_t>(step.op));
    }
    const std::string named = field + " (" + name + ")";
    if (is_binary(step.op) != (step.operand != Operand::kNone)) {
        return invalid(named + ".operand: expected " +
                       (is_binary(step.op) ? "an operand of the binary operator, got none"
                                           : "none for a unary operator, got one"));
    }
    if (step.operand == Operand::kTensor && !allowed.tensor) {
        return invalid(named + ".operand: expected a scalar or channel operand here, got a tensor");
    }
    if ((step.operand == Operand::kScalar || step.operand == Operand::kChannel) &&
        !allowed.scalar_and_channel) {
        return invalid(named + ".operand: expected a tensor operand, got a scalar or channel one");
    }
    if (step.reversed && step.op != Op::kSubtract && step.op != Op::kDivide) {
        return invalid(named + ".reversed: expected false but for subtract and divide, got true");
    }
    if (std::isnan(step.alpha) || std::isnan(step.beta)) {
        return invalid(named + ": expected numbers as alpha and beta, got NaN");
    }
    return {};
}

Status check_epilogue(const std::string &field, const Epilogue &epilogue, const Allowed &allowed) {
    for (size_t i = 0; i < epilogue.size(); ++i) {
        SEPCONV_RETURN_IF_ERROR(
            check_step(field + ".epilogue[" + std::to_string(i) + "]", epilogue[i], allowed));
    }
    return {};
}

Status check_operand_count(const Epilogue &epilogue, size_t count) {
    const auto tensors =
        std::count_if(epilogue.begin(), epilogue.end(),
                      [](const Elementwise &step) { return step.operand == Operand::kTensor; });
    return expect(static_cast<size_t>(tensors) == count, "operands",
                  std::to_string(tensors) + " layouts, one a tensor operand of the last epilogue",
                  static_cast<int64_t>(count));
}

/// One axis of a window over an image.
struct Axis {
    std::string name;  ///< "h" or "w", as in the fields of Window.
    int64_t in = 0, out = 0;
    int64_t kernel = 1, stride = 1, dilation = 1, before = 0, after = 0;
};

std::pair<Axis, Axis> axes_of(const Window &w, const Image &input, const Image &output) {
    return {{"h", input.height, output.height, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top,
             w.pad_bottom},
            {"w", input.width, output.width, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left,
             w.pad_right}};
}

/// Field by field, and that the output is no longer than what the window gives. It may be shorter:
/// then the window's last positions are not computed.
Status check_axis(const std::string &field, const Axis &axis, bool ceil) {
    const std::string window = field + ".window.";
    SEPCONV_RETURN_IF_ERROR(expect_positive(window + "kernel_" + axis.name, axis.kernel));
    SEPCONV_RETURN_IF_ERROR(expect_positive(window + "stride_" + axis.name, axis.stride));
    SEPCONV_RETURN_IF_ERROR(expect_positive(window + "dilation_" + axis.name, axis.dilation));
    for (const int64_t pad : {axis.before, axis.after}) {
        SEPCONV_RETURN_IF_ERROR(expect(std::abs(pad) <= kMaxElements / 4,
                                       window + "pad (" + axis.name + ")", "at most 2^29 pixels",
                                       pad));
    }
    SEPCONV_RETURN_IF_ERROR(
        expect_product(window + "dilation_" + axis.name, {axis.kernel, axis.dilation, 2}));
    SEPCONV_RETURN_IF_ERROR(
        expect_product(window + "stride_" + axis.name, {axis.out, axis.stride, 2}));
    const int64_t limit = output_extent(axis.in, axis.kernel, axis.stride, axis.dilation,
                                        axis.before, axis.after, ceil);
    return expect(axis.out <= limit, axis.name == "h" ? "output.height" : "output.width",
                  "at most " + std::to_string(limit) + ", what the window gives", axis.out);
}

Status check_window(const std::string &field, const Window &window, const Image &input,
                    const Image &output, bool ceil) {
    const auto [rows, columns] = axes_of(window, input, output);
    SEPCONV_RETURN_IF_ERROR(check_axis(field, rows, ceil));
    SEPCONV_RETURN_IF_ERROR(check_axis(field, columns, ceil));
    return expect_product(field + ".window", {window.kernel_h, window.kernel_w});
}

Status check_pointwise(const std::string &field, const Window &window, const std::string &reason) {
    return window.is_pointwise()
               ? Status()
               : invalid(field + ".window: expected 1x1, stride 1, no padding (" + reason +
                         "), got " + std::to_string(window.kernel_h) + "x" +
                         std::to_string(window.kernel_w) + ", stride " +
                         std::to_string(window.stride_h) + "x" + std::to_string(window.stride_w));
}

Status check_convolution(const std::string &field, const Convolution &convolution, int64_t channels,
                         const Allowed &allowed) {
    SEPCONV_RETURN_IF_ERROR(expect_positive(field + ".in_channels", convolution.in_channels));
    SEPCONV_RETURN_IF_ERROR(expect_positive(field + ".out_channels", convolution.out_channels));
    SEPCONV_RETURN_IF_ERROR(expect(convolution.in_channels == channels, field + ".in_channels",
                                   std::to_string(channels) + " as it is given",
                                   convolution.in_channels));
    SEPCONV_RETURN_IF_ERROR(expect(convolution.out_channels <= kMaxElements - kPanel,
                                   field + ".out_channels", "at most 2147483631",
                                   convolution.out_channels));
    SEPCONV_RETURN_IF_ERROR(
        expect_product(field + " weights",
                       {round_up_to_panel(convolution.out_channels), convolution.window.kernel_h,
                        convolution.window.kernel_w, convolution.in_channels}));
    return check_epilogue(field, convolution.epilogue, allowed);
}

Status check_depthwise(const std::string &field, const Depthwise &depthwise, int64_t channels,
                       const Allowed &allowed) {
    SEPCONV_RETURN_IF_ERROR(expect_positive(field + ".channels", depthwise.channels));
    SEPCONV_RETURN_IF_ERROR(expect_positive(field + ".multiplier", depthwise.multiplier));
    SEPCONV_RETURN_IF_ERROR(expect(depthwise.channels == channels, field + ".channels",
                                   std::to_string(channels) + " as it is given",
                                   depthwise.channels));
    SEPCONV_RETURN_IF_ERROR(expect(depthwise.channels <= kMaxElements - kPanel, field + ".channels",
                                   "at most 2147483631", depthwise.channels));
    SEPCONV_RETURN_IF_ERROR(expect_product(
        field + " weights", {round_up_to_panel(depthwise.channels), depthwise.multiplier,
                             depthwise.window.kernel_h, depthwise.window.kernel_w}));
    return check_epilogue(field, depthwise.epilogue, allowed);
}

Status check_block_images(const Block &block) {
    SEPCONV_RETURN_IF_ERROR(check_image("input", block.input, false));
    SEPCONV_RETURN_IF_ERROR(check_image("output", block.output, true));
    for (size_t i = 0; i < block.operands.size(); ++i) {
        const std::string field = "operands[" + std::to_string(i) + "]";
        SEPCONV_RETURN_IF_ERROR(
            check_same_shape(field, block.operands[i], "the output", block.output));
        SEPCONV_RETURN_IF_ERROR(check_image(field, block.operands[i], false));
    }
    return {};
}

/// What a stage may stand in front of and behind, as layer.h says.
Status check_composition(const Block &block) {
    if (!block.depthwise && !block.project) {
        return invalid("block: expected a depthwise, a project or both, got no stage");
    }
    if (block.expand && (!block.depthwise || !block.project)) {
        return invalid("expand: expected a depthwise and a project behind it, got none");
    }
    if (block.squeeze && !block.project) {
        return invalid("squeeze: expected a project behind it, got none");
    }
    if (block.squeeze && block.depthwise) {
        SEPCONV_RETURN_IF_ERROR(expect(block.depthwise->multiplier == 1, "depthwise.multiplier",
                                       "1 in front of a squeeze", block.depthwise->multiplier));
    }
    if (!block.cheap) {
        return block.epilogue.empty() ? Status()
                                      : invalid("epilogue: expected none without a cheap stage");
    }
    if (!block.project || (block.depthwise && !block.squeeze)) {
        return invalid(
            "cheap: expected a project in front of it, and a squeeze behind a depthwise");
    }
    return expect(block.cheap->multiplier == 1, "cheap.multiplier", "1", block.cheap->multiplier);
}

Status check_squeeze(const Squeeze &squeeze, int64_t channels) {
    for (const auto &[field, layer] :
         {std::make_pair("reduce", &squeeze.reduce), std::make_pair("excite", &squeeze.excite)}) {
        SEPCONV_RETURN_IF_ERROR(
            check_pointwise(field, layer->window, "it sees one pixel, the mean"));
    }
    SEPCONV_RETURN_IF_ERROR(check_convolution("reduce", squeeze.reduce, channels, {}));
    SEPCONV_RETURN_IF_ERROR(
        check_convolution("excite", squeeze.excite, squeeze.reduce.out_channels, {}));
    return expect(squeeze.excite.out_channels == channels, "excite.out_channels",
                  std::to_string(channels) + ", one gate a channel", squeeze.excite.out_channels);
}

Status check_project(const Block &block, int64_t channels) {
    const Convolution &project = *block.project;
    if (block.depthwise || block.squeeze || block.cheap) {
        SEPCONV_RETURN_IF_ERROR(
            check_pointwise("project", project.window, "it is one of several stages"));
    }
    if (!block.depthwise) {
        SEPCONV_RETURN_IF_ERROR(
            check_window("project", project.window, block.input, block.output, false));
    }
    return check_convolution("project", project, channels, {true, !block.cheap});
}

/// The stages in order; returns through `channels` what the last one gives.
Status check_block_stages(const Block &block, int64_t *channels) {
    if (block.expand) {
        SEPCONV_RETURN_IF_ERROR(
            check_pointwise("expand", block.expand->window, "an expand is pointwise"));
        SEPCONV_RETURN_IF_ERROR(check_convolution("expand", *block.expand, *channels, {}));
        *channels = block.expand->out_channels;
    }
    if (block.depthwise) {
        SEPCONV_RETURN_IF_ERROR(
            check_depthwise("depthwise", *block.depthwise, *channels, {true, !block.project}));
        SEPCONV_RETURN_IF_ERROR(
            check_window("depthwise", block.depthwise->window, block.input, block.output, false));
        *channels *= block.depthwise->multiplier;
    }
    if (block.squeeze) SEPCONV_RETURN_IF_ERROR(check_squeeze(*block.squeeze, *channels));
    if (block.project) {
        SEPCONV_RETURN_IF_ERROR(check_project(block, *channels));
        *channels = block.project->out_channels;
    }
    if (block.cheap) {
        SEPCONV_RETURN_IF_ERROR(check_depthwise("cheap", *block.cheap, *channels, {}));
        SEPCONV_RETURN_IF_ERROR(
            check_window("cheap", block.cheap->window, block.output, block.output, false));
        SEPCONV_RETURN_IF_ERROR(check_epilogue("output", block.epilogue, {true, true}));
        *channels *= 2;
    }
    return {};
}

Status validate_kind(const Block &block) {
    SEPCONV_RETURN_IF_ERROR(check_composition(block));
    SEPCONV_RETURN_IF_ERROR(check_block_images(block));
    int64_t channels = block.input.channels;
    SEPCONV_RETURN_IF_ERROR(check_block_stages(block, &channels));
    SEPCONV_RETURN_IF_ERROR(expect(block.output.channels == channels, "output.channels",
                                   std::to_string(channels) + ", what the last stage gives",
                                   block.output.channels));
    return check_operand_count(last_epilogue(block), block.operands.size());
}

/// Whether every window of the axis holds a tap at a position in [0, in).
bool every_window_has_a_tap(const Axis &axis) {
    if ((axis.out - 1) * axis.stride - axis.before >= axis.in) {
        return false;
    }
    for (int64_t i = 0; i < axis.out; ++i) {
        const int64_t start = i * axis.stride - axis.before;
        if (start >= 0) {
            break;
        }
        const int64_t tap = (-start + axis.dilation - 1) / axis.dilation;
        if (tap >= axis.kernel || start + tap * axis.dilation >= axis.in) {
            return false;
        }
    }
    return true;
}

Status validate_kind(const Pool &pool) {
    SEPCONV_RETURN_IF_ERROR(check_image("input", pool.input, false));
    SEPCONV_RETURN_IF_ERROR(check_image("output", pool.output, true));
    SEPCONV_RETURN_IF_ERROR(expect(pool.output.channels == pool.input.channels, "output.channels",
                                   std::to_string(pool.input.channels) + " as the input",
                                   pool.output.channels));
    SEPCONV_RETURN_IF_ERROR(check_window("pool", pool.window, pool.input, pool.output, true));
    const auto [rows, columns] = axes_of(pool.window, pool.input, pool.output);
    for (Axis axis : {rows, columns}) {
        if (pool.kind == PoolKind::kAverageIncludingPad) {
            axis.in += axis.before + axis.after;
            axis.before = 0;
        }
        if (!every_window_has_a_tap(axis)) {
            return invalid("pool.window (" + axis.name +
                           "): expected a pixel of the image in every window, got one in padding");
        }
    }
    return check_epilogue("pool", pool.epilogue, {});
}

Status validate_kind(const Resize &resize) {
    SEPCONV_RETURN_IF_ERROR(check_image("input", resize.input, false));
    SEPCONV_RETURN_IF_ERROR(check_image("output", resize.output, true));
    SEPCONV_RETURN_IF_ERROR(
        expect(resize.output.channels == resize.input.channels, "output.channels",
               std::to_string(resize.input.channels) + " as the input", resize.output.channels));
    SEPCONV_RETURN_IF_ERROR(expect(resize.taps == 1 || resize.taps == 2 || resize.taps == 4, "taps",
                                   "1, 2 or 4", resize.taps));
    SEPCONV_RETURN_IF_ERROR(expect_product("resize tables", {resize.taps, resize.output.height}));
    SEPCONV_RETURN_IF_ERROR(expect_product("resize tables", {resize.taps, resize.output.width}));
    return check_epilogue("resize", resize.epilogue, {});
}

/// A negative stride spans the elements that a positive one does, but is for reading alone.
Status check_map_layout(const std::string &field, const MapIndex &extent, const MapIndex &stride,
                        bool written) {
    Layout layout{field, {}, written};
    for (size_t i = 0; i < extent.size(); ++i) {
        const int64_t span = std::abs(std::max(stride[i], -kMaxElements - 1));
        layout.dimensions.emplace_back(extent[i], written ? stride[i] : span);
    }
    return check_layout(layout);
}

Status validate_kind(const Map &map) {
    for (size_t i = 0; i < map.extent.size(); ++i) {
        SEPCONV_RETURN_IF_ERROR(
            expect_positive("extent[" + std::to_string(i) + "]", map.extent[i]));
    }
    SEPCONV_RETURN_IF_ERROR(
        expect_product("extent", {map.extent[0], map.extent[1], map.extent[2], map.extent[3],
                                  map.extent[4], map.extent[5]}));
    SEPCONV_RETURN_IF_ERROR(check_map_layout("input", map.extent, map.input, false));
    SEPCONV_RETURN_IF_ERROR(check_map_layout("output", map.extent, map.output, true));
    for (size_t i = 0; i < map.operands.size(); ++i) {
        SEPCONV_RETURN_IF_ERROR(check_map_layout("operands[" + std::to_string(i) + "]", map.extent,
                                                 map.operands[i], false));
    }
    SEPCONV_RETURN_IF_ERROR(check_epilogue("map", map.epilogue, {false, true}));
    return check_operand_count(map.epilogue, map.operands.size());
}

Status validate_kind(const Softmax &softmax) {
    SEPCONV_RETURN_IF_ERROR(expect_positive("outer", softmax.outer));
    SEPCONV_RETURN_IF_ERROR(expect_positive("extent", softmax.extent));
    SEPCONV_RETURN_IF_ERROR(expect_positive("inner", softmax.inner));
    SEPCONV_RETURN_IF_ERROR(
        expect_product("softmax", {softmax.outer, softmax.extent, softmax.inner}));
    const auto layout = [&softmax](const std::string &field, const std::array<int64_t, 3> &stride,
                                   bool written) {
        return check_layout(
            {field,
             {{softmax.outer, stride[0]}, {softmax.extent, stride[1]}, {softmax.inner, stride[2]}},
             written});
    };
    SEPCONV_RETURN_IF_ERROR(layout("input", softmax.input, false));
    return layout("output", softmax.output, true);
}

}  // namespace

Status validate(const Kernel &kernel) {
    return std::visit([](const auto &kind) { return validate_kind(kind); }, kernel);
}

}  // namespace sepconv
