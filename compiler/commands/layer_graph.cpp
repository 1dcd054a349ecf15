#include "compiler/commands/layer_graph.h"

#include <fmt/format.h>

#include <charconv>
#include <tuple>
#include <utility>

#include "compiler/commands/layer_builder.h"
#include "compiler/commands/layer_operators.h"
#include "compiler/commands/options.h"
#include "compiler/diagnostic.h"
#include "layer/shape.h"

namespace sepconv {
namespace {

Status invalid(const std::string &text) {
    return Status(StatusCode::kInvalidArgument, text);
}

/// Which of the options that not every operator has are given.
std::map<std::string, bool> given_options(const LayerSpec &spec) {
    return {
        {"--out-channels", spec.out_channels != 0},
        {"--expand", spec.expand != 0},
        {"--kernel", !spec.kernel.empty()},
        {"--stride", !spec.stride.empty()},
        {"--dilation", !spec.dilation.empty()},
        {"--padding", !spec.padding.empty()},
        {"--multiplier", spec.multiplier != 1},
        {"--squeeze", spec.squeeze != 0},
        {"--squeeze-activation", !spec.squeeze_activation.empty()},
        {"--gate", !spec.gate.empty()},
        {"--expand-activation", !spec.expand_activation.empty()},
        {"--depthwise-activation", !spec.depthwise_activation.empty()},
        {"--residual", spec.residual},
    };
}

Status check_options(const LayerSpec &spec, const LayerOperator &op) {
    const std::map<std::string, bool> given = given_options(spec);
    for (const auto &[option, is_given] : given) {
        const bool needed = op.needs.count(option) != 0;
        if (needed && !is_given) return invalid(fmt::format("{}: {} needs it", option, op.name));
        if (is_given && !needed && op.takes.count(option) == 0) {
            return invalid(fmt::format("{}: {} does not take it", option, op.name));
        }
    }
    for (const auto &[option, needed] : {std::pair("--squeeze-activation", "--squeeze"),
                                         {"--gate", "--squeeze"},
                                         {"--expand-activation", "--expand"}}) {
        if (!given.at(option) || given.at(needed)) continue;
        return invalid(fmt::format("{}: only together with {}", option, needed));
    }
    return Status();
}

/// K or HxW; `otherwise` where the text is empty.
Status parse_pair(const std::string &text, const std::string &otherwise, const std::string &what,
                  int *h, int *w) {
    const Result<Shape> extents = parse_extents(text.empty() ? otherwise : text, what);
    if (!extents.ok()) return extents.status();
    const Shape &shape = extents.value();
    if (shape.size() > 2) {
        return invalid(fmt::format("{}: expected K or HxW, got {}", what, quote(text)));
    }
    *h = static_cast<int>(shape.front());
    *w = static_cast<int>(shape.back());
    return Status();
}

/// "T,L,B,R" into the window's pads.
Status parse_pads(const std::string &text, Window *window) {
    int *const pads[] = {&window->pad_top, &window->pad_left, &window->pad_bottom,
                         &window->pad_right};
    const char *at = text.data();
    const char *const end = at + text.size();
    for (int i = 0; i < 4; ++i) {
        const auto [next, error] = std::from_chars(at, end, *pads[i]);
        const bool ends_well = i == 3 ? next == end : next != end && *next == ',';
        if (error != std::errc() || *pads[i] < 0 || !ends_well) {
            return invalid(
                fmt::format("--padding: expected same_upper, same_lower, valid, half or "
                            "TOP,LEFT,BOTTOM,RIGHT, got {}",
                            quote(text)));
        }
        at = next + 1;
    }
    return Status();
}

/// The images' shape: N, C, H, W.
Result<Shape> parse_input(const LayerSpec &spec) {
    const Result<Shape> input = parse_extents(spec.input, "--input");
    if (!input.ok()) return input.status();
    if (input.value().size() != 3) {
        return invalid(fmt::format("--input: expected HxWxC, got {}", quote(spec.input)));
    }
    const Shape shape = {spec.batch, input.value()[2], input.value()[0], input.value()[1]};
    SEPCONV_RETURN_IF_ERROR(check_shape("--input", shape));
    return shape;
}

Result<Window> parse_window(const LayerSpec &spec, const LayerOperator &op, const Shape &input) {
    static const std::map<std::string, PaddingMode> modes = {
        {"same_upper", PaddingMode::kSameUpper},
        {"same_lower", PaddingMode::kSameLower},
        {"valid", PaddingMode::kValid},
        {"half", PaddingMode::kHalf},
    };
    Window window;
    SEPCONV_RETURN_IF_ERROR(parse_pair(spec.kernel, op.otherwise.kernel, "--kernel",
                                       &window.kernel_h, &window.kernel_w));
    SEPCONV_RETURN_IF_ERROR(parse_pair(spec.stride, op.otherwise.stride, "--stride",
                                       &window.stride_h, &window.stride_w));
    SEPCONV_RETURN_IF_ERROR(
        parse_pair(spec.dilation, "1", "--dilation", &window.dilation_h, &window.dilation_w));
    const std::string &padding = spec.padding.empty() ? op.otherwise.padding : spec.padding;
    const auto mode = modes.find(padding);
    if (mode != modes.end()) {
        return with_padding(window, mode->second, static_cast<int>(input[2]),
                            static_cast<int>(input[3]));
    }
    SEPCONV_RETURN_IF_ERROR(parse_pads(padding, &window));
    return window;
}

}  // namespace

Result<Graph> layer_graph(const LayerSpec &spec) {
    const LayerOperator *op = find_layer_operator(spec.op);
    if (op == nullptr) return invalid(fmt::format("OPERATOR: there is no {}", quote(spec.op)));
    SEPCONV_RETURN_IF_ERROR(check_options(spec, *op));
    const Result<Shape> input = parse_input(spec);
    if (!input.ok()) return input.status();
    const Result<Window> window = parse_window(spec, *op, input.value());
    if (!window.ok()) return window.status();
    LayerBuilder builder(spec, input.value());
    op->build(spec, window.value(), &builder);
    return builder.finish();
}

}  // namespace sepconv
