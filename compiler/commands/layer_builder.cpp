#include "compiler/commands/layer_builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "compiler/diagnostic.h"
#include "layer/shape.h"

namespace sepconv {
namespace {

using Attributes = std::map<std::string, Attribute>;

/// The operator and attributes of each activation.
const std::map<std::string, std::pair<std::string, Attributes>> &activations() {
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
    return known;
}

/// The stage's array, or that of the only stage; null if none is given.
const Array *find_array(const StageArrays &arrays, const std::string &stage) {
    auto found = arrays.find(stage);
    if (found == arrays.end()) found = arrays.find("");
    return found == arrays.end() ? nullptr : &found->second;
}

Status invalid(const std::string &text) {
    return Status(StatusCode::kInvalidArgument, text);
}

}  // namespace

float Random::next(double bound) {
    state_ += 0x9e3779b97f4a7c15U;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    const double unit = static_cast<double>(z >> 11) * 0x1.0p-53;
    return static_cast<float>((2 * unit - 1) * bound);
}

LayerBuilder::LayerBuilder(const LayerSpec &spec, const Shape &input)
    : spec_(spec), random_(spec.seed) {
    graph_.name = spec.op;
    graph_.opset = 20;
    graph_.inputs = {value_};
    graph_.values[value_] = {ElementType::kFloat, input};
}

void LayerBuilder::note(const Status &status) {
    if (status_.ok()) status_ = status;
}

void LayerBuilder::fail(const std::string &message) {
    note(invalid(message));
}

void LayerBuilder::append(const std::string &op, const std::string &name,
                          std::vector<std::string> inputs, Attributes attributes,
                          const Shape &shape) {
    note(check_shape("the output of " + name, shape));
    if (!status_.ok()) return;
    value_ = name + "_value";
    graph_.values[value_] = {ElementType::kFloat, shape};
    graph_.nodes.push_back({op, name, std::move(inputs), {value_}, std::move(attributes)});
}

void LayerBuilder::convolution(const std::string &stage, int64_t out_channels,
                               const Window &window) {
    convolve(stage, out_channels, 1, window);
}

void LayerBuilder::depthwise(const std::string &stage, const Window &window, int64_t multiplier) {
    const int64_t channels = shape()[1];
    convolve(stage, channels * multiplier, channels, window);
}

void LayerBuilder::convolve(const std::string &stage, int64_t out_channels, int64_t group,
                            const Window &window) {
    const Shape in = shape();
    const int64_t out_h = output_extent(in[2], window.kernel_h, window.stride_h, window.dilation_h,
                                        window.pad_top, window.pad_bottom);
    const int64_t out_w = output_extent(in[3], window.kernel_w, window.stride_w, window.dilation_w,
                                        window.pad_left, window.pad_right);
    if (out_h < 1 || out_w < 1) {
        return fail(fmt::format("--kernel: {}x{} does not fit into the padded input {}x{}",
                                window.kernel_h, window.kernel_w, in[2], in[3]));
    }
    const Shape out = {in[0], out_channels, out_h, out_w};
    const Shape weights = {out_channels, in[1] / group, window.kernel_h, window.kernel_w};
    const int64_t fan_in = in[1] / group * window.taps();
    constexpr double kBiasBound = 0.1;
    const bool given = find_array(spec_.weights, stage) != nullptr;
    stages_.push_back(stage);
    constant("--weights", spec_.weights, stage, stage + "_weights", weights,
             std::sqrt(3 / static_cast<double>(fan_in)));
    constant("--bias", spec_.bias, stage, stage + "_bias", {out_channels}, given ? 0 : kBiasBound);
    using Ints = std::vector<int64_t>;
    append("Conv", stage, {value_, stage + "_weights", stage + "_bias"},
           {{"kernel_shape", Ints{window.kernel_h, window.kernel_w}},
            {"strides", Ints{window.stride_h, window.stride_w}},
            {"dilations", Ints{window.dilation_h, window.dilation_w}},
            {"pads", Ints{window.pad_top, window.pad_left, window.pad_bottom, window.pad_right}},
            {"group", group}},
           out);
}

void LayerBuilder::constant(const std::string &option, const StageArrays &given,
                            const std::string &stage, const std::string &name, const Shape &shape,
                            double bound) {
    note(check_shape(name, shape));
    if (!status_.ok()) return;
    Constant value;
    value.shape = shape;
    if (const Array *array = find_array(given, stage)) {
        // A pointwise layer's weights may come without their two extents of 1.
        Shape came = array->shape;
        while (came.size() < shape.size()) came.push_back(1);
        if (came != shape) {
            return fail(fmt::format("{}: stage {} is {}, got {}", option, stage, shape_text(shape),
                                    shape_text(array->shape)));
        }
        value.floats() = array->values;
    } else {
        value.floats().resize(static_cast<size_t>(element_count(shape)));
        for (float &element : value.floats()) element = random_.next(bound);
    }
    graph_.constants[name] = std::move(value);
}

void LayerBuilder::activation(const std::string &option, const std::string &name) {
    if (name.empty() || name == "none") return;
    const auto found = activations().find(name);
    if (found == activations().end()) {
        std::string names = "none";
        for (const auto &[known, node] : activations()) names += ", " + known;
        return fail(fmt::format("{}: expected one of {}, got {}", option, names, quote(name)));
    }
    const auto &[op, attributes] = found->second;
    append(op, fmt::format("{}_{}", name, graph_.nodes.size()), {value_}, attributes,
           Shape(shape()));
}

void LayerBuilder::squeeze(int64_t channels, const std::string &activation_name,
                           const std::string &gate) {
    const std::string gated = value_;
    const Shape full = shape();
    global_average_pool();
    convolution("reduce", channels);
    activation("--squeeze-activation", activation_name);
    convolution("excite", full[1]);
    activation("--gate", gate);
    append("Mul", "gate", {gated, value_}, {}, full);
}

void LayerBuilder::global_average_pool() {
    append("GlobalAveragePool", "pool", {value_}, {}, {shape()[0], shape()[1], 1, 1});
}

void LayerBuilder::add(const std::string &option, const std::string &other) {
    const Shape in = graph_.shape_of(other);
    if (shape() != in) {
        return fail(fmt::format("{}: only equal shapes can be added, got {} and {} (NxCxHxW)",
                                option, shape_text(in), shape_text(shape())));
    }
    append("Add", "add", {value_, other}, {}, in);
}

void LayerBuilder::concat(const std::string &first) {
    const Shape &before = graph_.shape_of(first);
    Shape joined = shape();
    joined[1] += before[1];
    append("Concat", fmt::format("concat_{}", graph_.nodes.size()), {first, value_},
           {{"axis", int64_t{1}}}, joined);
}

Status LayerBuilder::check_arrays(const std::string &option, const StageArrays &arrays) const {
    for (const auto &[stage, array] : arrays) {
        const bool known = std::find(stages_.begin(), stages_.end(), stage) != stages_.end();
        if (known || (stage.empty() && stages_.size() == 1)) continue;
        return invalid(fmt::format("{}: expected STAGE=FILE with a stage of {}, got {}", option,
                                   fmt::join(stages_, ", "),
                                   stage.empty() ? "no stage" : quote(stage)));
    }
    return Status();
}

Result<Graph> LayerBuilder::finish() {
    if (!status_.ok()) return status_;
    SEPCONV_RETURN_IF_ERROR(check_arrays("--weights", spec_.weights));
    SEPCONV_RETURN_IF_ERROR(check_arrays("--bias", spec_.bias));
    graph_.nodes.back().outputs[0] = "output";
    graph_.values["output"] = graph_.values[value_];
    graph_.values.erase(value_);
    graph_.outputs = {"output"};
    return std::move(graph_);
}

}  // namespace sepconv
