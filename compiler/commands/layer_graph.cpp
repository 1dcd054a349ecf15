#include "compiler/commands/layer_graph.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>

#include "compiler/commands/options.h"
#include "compiler/diagnostic.h"
#include "layer/shape.h"

namespace sepconv {
namespace {

Status invalid(const std::string &text) {
    return Status(StatusCode::kInvalidArgument, text);
}

/// splitmix64: the same weights on every machine and with every standard library.
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}

    /// Uniform in [-bound, bound).
    float next(double bound) {
        state_ += 0x9e3779b97f4a7c15U;
        uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        z ^= z >> 31;
        const double unit = static_cast<double>(z >> 11) * 0x1.0p-53;
        return static_cast<float>((2 * unit - 1) * bound);
    }

private:
    uint64_t state_;
};

/// K or HxW.
Result<std::pair<int, int>> parse_pair(const std::string &text, const std::string &what) {
    const Result<Shape> extents = parse_extents(text, what);
    if (!extents.ok()) return extents.status();
    const Shape &shape = extents.value();
    if (shape.size() > 2) {
        return invalid(fmt::format("{}: expected K or HxW, got {}", what, quote(text)));
    }
    return std::make_pair(static_cast<int>(shape.front()), static_cast<int>(shape.back()));
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

class LayerBuilder {
public:
    explicit LayerBuilder(const LayerSpec &spec) : spec_(spec), random_(spec.seed) {}

    Result<Graph> build() {
        SEPCONV_RETURN_IF_ERROR(parse());
        graph_.name = spec_.op;
        graph_.opset = 20;
        graph_.inputs = {"input"};
        value_ = "input";
        graph_.values[value_] = {ElementType::kFloat, {spec_.batch, channels_, height_, width_}};
        SEPCONV_RETURN_IF_ERROR(add_stages());
        // The last node's value is the output.
        graph_.nodes.back().outputs[0] = "output";
        graph_.values["output"] = graph_.values[value_];
        graph_.values.erase(value_);
        graph_.outputs = {"output"};
        return std::move(graph_);
    }

private:
    Status parse() {
        const Result<Shape> input = parse_extents(spec_.input, "--input");
        if (!input.ok()) return input.status();
        if (input.value().size() != 3) {
            return invalid(fmt::format("--input: expected HxWxC, got {}", quote(spec_.input)));
        }
        height_ = input.value()[0];
        width_ = input.value()[1];
        channels_ = input.value()[2];
        SEPCONV_RETURN_IF_ERROR(check_shape("--input", {spec_.batch, channels_, height_, width_}));
        SEPCONV_RETURN_IF_ERROR(
            set_pair(spec_.kernel, "--kernel", &window_.kernel_h, &window_.kernel_w));
        SEPCONV_RETURN_IF_ERROR(
            set_pair(spec_.stride, "--stride", &window_.stride_h, &window_.stride_w));
        SEPCONV_RETURN_IF_ERROR(
            set_pair(spec_.dilation, "--dilation", &window_.dilation_h, &window_.dilation_w));
        return parse_padding();
    }

    static Status set_pair(const std::string &text, const std::string &what, int *h, int *w) {
        const Result<std::pair<int, int>> pair = parse_pair(text, what);
        if (!pair.ok()) return pair.status();
        std::tie(*h, *w) = pair.value();
        return Status();
    }

    Status parse_padding() {
        static const std::map<std::string, PaddingMode> modes = {
            {"same_upper", PaddingMode::kSameUpper},
            {"same_lower", PaddingMode::kSameLower},
            {"valid", PaddingMode::kValid},
            {"half", PaddingMode::kHalf},
        };
        const auto mode = modes.find(spec_.padding);
        if (mode == modes.end()) return parse_pads(spec_.padding, &window_);
        window_ = with_padding(window_, mode->second, static_cast<int>(height_),
                               static_cast<int>(width_));
        return Status();
    }

    Status add_stages() {
        if (spec_.op == "pointwise" && window_.taps() != 1) {
            return invalid(fmt::format("--kernel: pointwise is 1x1, got {}", spec_.kernel));
        }
        const bool depthwise = spec_.op == "depthwise" || spec_.op == "separable";
        const int64_t widened = channels_ * spec_.multiplier;
        if (!depthwise && spec_.multiplier != 1) {
            return invalid("--multiplier: only depthwise and separable have one");
        }
        if (spec_.op == "depthwise" && spec_.out_channels != 0 && spec_.out_channels != widened) {
            return invalid(fmt::format("--out-channels: a depthwise layer has {} x {} = {}, got {}",
                                       channels_, spec_.multiplier, widened, spec_.out_channels));
        }
        if (spec_.op != "depthwise" && spec_.out_channels == 0) {
            return invalid(fmt::format("--out-channels: {} needs it", spec_.op));
        }
        if (!depthwise) {
            SEPCONV_RETURN_IF_ERROR(
                convolution(spec_.op, spec_.out_channels, 1, window_, spec_.weights, spec_.bias));
            return activation(spec_.activation);
        }
        SEPCONV_RETURN_IF_ERROR(
            convolution("depthwise", widened, channels_, window_, spec_.weights, spec_.bias));
        if (spec_.op == "depthwise") return activation(spec_.activation);
        SEPCONV_RETURN_IF_ERROR(activation(spec_.depthwise_activation));
        SEPCONV_RETURN_IF_ERROR(convolution("pointwise", spec_.out_channels, 1, Window(),
                                            spec_.pointwise_weights, spec_.pointwise_bias));
        return activation(spec_.activation);
    }

    /// The given array, checked, or random values in [-bound, bound).
    Status constant(const std::string &name, const Shape &shape, const std::optional<Array> &given,
                    double bound) {
        SEPCONV_RETURN_IF_ERROR(check_shape(name, shape));
        Constant value;
        value.shape = shape;
        if (given) {
            // A pointwise layer's weights may come without their two extents of 1.
            Shape came = given->shape;
            while (came.size() < shape.size()) came.push_back(1);
            if (came != shape) {
                return invalid(fmt::format("{}: shape {}, expected {}", name,
                                           shape_text(given->shape), shape_text(shape)));
            }
            value.floats = given->values;
        } else {
            value.floats.resize(static_cast<size_t>(element_count(shape)));
            for (float &element : value.floats) element = random_.next(bound);
        }
        graph_.constants[name] = std::move(value);
        return Status();
    }

    Status convolution(const std::string &name, int64_t out_channels, int64_t group,
                       const Window &window, const std::optional<Array> &weights,
                       const std::optional<Array> &bias) {
        const Shape in = graph_.values[value_].shape;
        const int64_t out_h = output_extent(in[2], window.kernel_h, window.stride_h,
                                            window.dilation_h, window.pad_top, window.pad_bottom);
        const int64_t out_w = output_extent(in[3], window.kernel_w, window.stride_w,
                                            window.dilation_w, window.pad_left, window.pad_right);
        if (out_h < 1 || out_w < 1) {
            return invalid(fmt::format("--kernel: {} does not fit into the padded input {}x{}",
                                       spec_.kernel, in[2], in[3]));
        }
        const Shape shape = {in[0], out_channels, out_h, out_w};
        SEPCONV_RETURN_IF_ERROR(check_shape("the output of " + name, shape));
        const int64_t fan_in = in[1] / group * window.taps();
        SEPCONV_RETURN_IF_ERROR(constant(
            name + "_weights", {out_channels, in[1] / group, window.kernel_h, window.kernel_w},
            weights, std::sqrt(3.0 / static_cast<double>(fan_in))));
        constexpr double kBiasBound = 0.1;
        SEPCONV_RETURN_IF_ERROR(
            constant(name + "_bias", {out_channels}, bias, weights ? 0.0 : kBiasBound));
        Node node;
        node.op = "Conv";
        node.name = name;
        node.inputs = {value_, name + "_weights", name + "_bias"};
        node.attributes = {
            {"kernel_shape", std::vector<int64_t>{window.kernel_h, window.kernel_w}},
            {"strides", std::vector<int64_t>{window.stride_h, window.stride_w}},
            {"dilations", std::vector<int64_t>{window.dilation_h, window.dilation_w}},
            {"pads", std::vector<int64_t>{window.pad_top, window.pad_left, window.pad_bottom,
                                          window.pad_right}},
            {"group", group}};
        append(std::move(node), shape);
        return Status();
    }

    Status activation(const std::string &name) {
        if (name.empty() || name == "none") return Status();
        using Attributes = std::map<std::string, Attribute>;
        static const std::map<std::string, std::pair<std::string, Attributes>> known = {
            {"relu", {"Relu", {}}},
            {"relu6", {"Clip", {{"min", 0.0F}, {"max", 6.0F}}}},
            {"leaky_relu", {"LeakyRelu", {{"alpha", 0.01F}}}},
            {"hard_sigmoid", {"HardSigmoid", {{"alpha", 1.0F / 6.0F}, {"beta", 0.5F}}}},
            {"hard_swish", {"HardSwish", {}}},
            {"sigmoid", {"Sigmoid", {}}},
            {"tanh", {"Tanh", {}}},
            {"silu", {"Silu", {}}},
            {"gelu", {"Gelu", {{"approximate", std::string("none")}}}},
        };
        const auto found = known.find(name);
        if (found == known.end()) {
            std::string names = "none";
            for (const auto &[key, node] : known) names += ", " + key;
            return invalid(fmt::format("--activation: expected {}, got {}", names, quote(name)));
        }
        Node node;
        node.op = found->second.first;
        node.name = fmt::format("{}_{}", name, graph_.nodes.size());
        node.inputs = {value_};
        node.attributes = found->second.second;
        append(std::move(node), Shape(graph_.values[value_].shape));
        return Status();
    }

    void append(Node node, const Shape &shape) {
        value_ = node.name + "_value";
        node.outputs = {value_};
        graph_.values[value_] = {ElementType::kFloat, shape};
        graph_.nodes.push_back(std::move(node));
    }

    const LayerSpec &spec_;
    Random random_;
    Graph graph_;
    std::string value_;  ///< Produced last.
    Window window_;
    int64_t height_ = 0, width_ = 0, channels_ = 0;
};

}  // namespace

Result<Graph> layer_graph(const LayerSpec &spec) {
    return LayerBuilder(spec).build();
}

}  // namespace sepconv
