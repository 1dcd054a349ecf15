#include "compiler/infer_shapes.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "compiler/infer_rules.h"
#include "compiler/limits.h"
#include "compiler/operator_fields.h"

namespace sepconv {

Status NodeContext::invalid(const std::string &text) const {
    return node_error(StatusCode::kInvalidModel, node, text);
}

Status NodeContext::unsupported(const std::string &text) const {
    return node_error(StatusCode::kUnsupported, node, text);
}

Result<std::vector<int64_t>> NodeContext::constant_ints(size_t input,
                                                        const std::string &what) const {
    if (!has_input(input)) {
        return invalid("input " + std::to_string(input) + " (" + what + ") is missing");
    }
    const Constant *given = constant(input);
    if (given == nullptr) {
        return unsupported("input " + std::to_string(input) + " (" + what +
                           ") is not constant at the given input shapes");
    }
    if (given->is_floating() || given->shape.size() > 1) {
        return invalid("input " + std::to_string(input) + " (" + what + ") is no list of integers");
    }
    return given->converted<int64_t>();
}

Result<std::vector<float>> NodeContext::constant_floats(size_t input,
                                                        const std::string &what) const {
    if (!has_input(input)) {
        return invalid("input " + std::to_string(input) + " (" + what + ") is missing");
    }
    const Constant *given = constant(input);
    if (given == nullptr) {
        return unsupported("input " + std::to_string(input) + " (" + what +
                           ") is not constant at the given input shapes");
    }
    if (!given->is_floating() || given->shape.size() > 1) {
        return invalid("input " + std::to_string(input) + " (" + what + ") is no list of floats");
    }
    return given->converted<float>();
}

Result<int64_t> NodeContext::resolve_axis(int64_t axis, int64_t rank) const {
    if (axis < -rank || axis >= rank) {
        return invalid("axis " + std::to_string(axis) + " does not exist in rank " +
                       std::to_string(rank));
    }
    return axis < 0 ? axis + rank : axis;
}

Result<std::vector<int64_t>> NodeContext::resolve_axes(const std::vector<int64_t> &axes,
                                                       int64_t rank) const {
    std::vector<bool> seen(static_cast<size_t>(rank), false);
    std::vector<int64_t> resolved;
    for (const int64_t axis : axes) {
        const Result<int64_t> one = resolve_axis(axis, rank);
        if (!one.ok()) {
            return one.status();
        }
        if (seen[static_cast<size_t>(one.value())]) {
            return invalid("axis " + std::to_string(axis) + " occurs twice");
        }
        seen[static_cast<size_t>(one.value())] = true;
        resolved.push_back(one.value());
    }
    return resolved;
}

void NodeContext::become_unary(const std::string &op) {
    node.op = op;
    node.inputs.resize(1);
    node.attributes.clear();
}

bool broadcast_shapes(const Shape &a, const Shape &b, Shape &result) {
    const size_t rank = std::max(a.size(), b.size());
    result.assign(rank, 1);
    for (size_t i = 0; i < rank; ++i) {
        const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
        const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (x != y && x != 1 && y != 1) {
            return false;
        }
        result[rank - 1 - i] = x == 1 ? y : x;
    }
    return true;
}

namespace {

using Ints = std::vector<int64_t>;

Status infer_unary(NodeContext &c) {
    c.outputs = {c.shape(0)};
    return Status();
}

/// An attribute that must be finite, made explicit.
Status explicit_float(NodeContext &c, const std::string &key, float otherwise) {
    const float value = c.node.attribute(key, otherwise);
    if (!std::isfinite(value)) {
        return c.invalid(key + " is not finite");
    }
    c.node.attributes[key] = value;
    return Status();
}

Status infer_leaky_relu(NodeContext &c) {
    SEPCONV_RETURN_IF_ERROR(explicit_float(c, "alpha", 0.01F));
    return infer_unary(c);
}

Status infer_hard_sigmoid(NodeContext &c) {
    SEPCONV_RETURN_IF_ERROR(explicit_float(c, "alpha", 0.2F));
    SEPCONV_RETURN_IF_ERROR(explicit_float(c, "beta", 0.5F));
    return infer_unary(c);
}

Status infer_gelu(NodeContext &c) {
    c.node.attributes["approximate"] = c.node.attribute("approximate", std::string("none"));
    return infer_unary(c);
}

Status infer_swish(NodeContext &c) {
    if (c.node.attribute("alpha", 1.0F) != 1.0F) {
        return c.unsupported("alpha other than 1 is not supported");
    }
    c.become_unary("Silu");
    return infer_unary(c);
}

Status infer_dropout(NodeContext &c) {
    if (c.has_input(2)) {
        const Constant *training = c.constant(2);
        const bool off = training != nullptr && training->converted<int64_t>() == Ints{0};
        if (!off) {
            return c.unsupported("training_mode (input 2) is not constant and false");
        }
    }
    c.become_unary("Identity");
    return infer_unary(c);
}

Status infer_cast(NodeContext &c) {
    // Everything that is not constant is float.
    const int64_t to = c.node.attribute("to", int64_t{0});
    constexpr int64_t kFloat = 1;
    if (to != kFloat && c.constant(0) == nullptr) {
        return c.unsupported("only constants can be cast to another type than float");
    }
    if (c.constant(0) == nullptr) {
        c.become_unary("Identity");
    }
    return infer_unary(c);
}

Status infer_broadcast(NodeContext &c) {
    Shape output = c.shape(0);
    for (size_t i = 1; i < c.node.inputs.size(); ++i) {
        const Shape left = output;
        if (!broadcast_shapes(left, c.shape(i), output)) {
            return c.invalid("shapes " + shape_text(left) + " and " + shape_text(c.shape(i)) +
                             " do not broadcast");
        }
    }
    c.outputs = {output};
    return Status();
}

Status infer_variadic(NodeContext &c) {
    if (c.node.inputs.size() == 1) {
        c.become_unary("Identity");
    }
    return infer_broadcast(c);
}

Status infer_prelu(NodeContext &c) {
    SEPCONV_RETURN_IF_ERROR(infer_broadcast(c));
    if (c.outputs[0] != c.shape(0)) {
        return c.invalid("the slope " + shape_text(c.shape(1)) + " does not broadcast to " +
                         shape_text(c.shape(0)));
    }
    return Status();
}

Status infer_batch_normalization(NodeContext &c) {
    if (c.rank(0) < 2) {
        return c.invalid("the input has shape " + shape_text(c.shape(0)));
    }
    if (c.opset() < 14 && c.node.outputs.size() > 1) {
        return c.unsupported("declares " + std::to_string(c.node.outputs.size()) +
                             " outputs, which is training mode before operator set 14; only "
                             "inference, with one output, is supported");
    }
    if (c.node.attribute("training_mode", int64_t{0}) != 0) {
        return c.unsupported("training_mode 1 is not supported");
    }
    // Without `spatial` every value of an image has its own parameters.
    const bool spatial = c.opset() >= 9 || c.node.attribute("spatial", int64_t{1}) != 0;
    const Shape expected(c.shape(0).begin() + 1,
                         spatial ? c.shape(0).begin() + 2 : c.shape(0).end());
    for (size_t i = 1; i < 5; ++i) {
        if (c.constant(i) == nullptr) {
            return c.unsupported("input " + std::to_string(i) + " must be a constant");
        }
        if (c.shape(i) != expected) {
            return c.invalid("input " + std::to_string(i) + " has shape " + shape_text(c.shape(i)) +
                             ", expected " + shape_text(expected));
        }
    }
    const float epsilon = c.node.attribute("epsilon", 1e-5F);
    if (!std::isfinite(epsilon)) {
        return c.invalid("epsilon is not finite");
    }
    c.node.attributes.clear();
    c.node.attributes["epsilon"] = epsilon;
    return infer_unary(c);
}

Status infer_gemm(NodeContext &c) {
    if (c.rank(0) != 2 || c.rank(1) != 2) {
        return c.invalid("inputs have shapes " + shape_text(c.shape(0)) + " and " +
                         shape_text(c.shape(1)) + ", expected matrices");
    }
    if (c.constant(1) == nullptr) {
        return c.unsupported("the second input must be a constant");
    }
    const int64_t trans_a = c.node.attribute("transA", int64_t{0}) != 0;
    const int64_t trans_b = c.node.attribute("transB", int64_t{0}) != 0;
    const int64_t m = c.shape(0)[trans_a ? 1 : 0];
    const int64_t k = c.shape(0)[trans_a ? 0 : 1];
    const int64_t n = c.shape(1)[trans_b ? 0 : 1];
    if (c.shape(1)[trans_b ? 1 : 0] != k) {
        return c.invalid("cannot multiply " + shape_text(c.shape(0)) + " by " +
                         shape_text(c.shape(1)));
    }
    if (c.has_input(2)) {
        Shape sum;
        if (!broadcast_shapes(c.shape(2), {m, n}, sum) || sum != Shape{m, n}) {
            return c.invalid("the third input has shape " + shape_text(c.shape(2)) +
                             ", expected to broadcast to " + shape_text({m, n}));
        }
    }
    SEPCONV_RETURN_IF_ERROR(explicit_float(c, "alpha", 1.0F));
    SEPCONV_RETURN_IF_ERROR(explicit_float(c, "beta", 1.0F));
    c.node.attributes["transA"] = trans_a;
    c.node.attributes["transB"] = trans_b;
    c.outputs = {{m, n}};
    return Status();
}

Status infer_matmul(NodeContext &c) {
    if (c.constant(1) == nullptr) {
        return c.unsupported("the second input must be a constant");
    }
    Shape a = c.shape(0);
    Shape b = c.shape(1);
    if (a.empty() || b.empty()) {
        return c.invalid("an input is a scalar");
    }
    const bool row = a.size() == 1;
    const bool column = b.size() == 1;
    if (row) {
        a.insert(a.begin(), 1);
    }
    if (column) {
        b.push_back(1);
    }
    const int64_t m = a[a.size() - 2];
    const int64_t n = b.back();
    Shape output;
    const bool batches =
        broadcast_shapes(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2), output);
    if (!batches || a.back() != b[b.size() - 2]) {
        return c.invalid("cannot multiply " + shape_text(c.shape(0)) + " by " +
                         shape_text(c.shape(1)));
    }
    if (!row) {
        output.push_back(m);
    }
    if (!column) {
        output.push_back(n);
    }
    c.outputs = {output};
    return Status();
}

Status infer_softmax(NodeContext &c) {
    const bool old = c.opset() < 13;
    const Result<int64_t> axis =
        c.resolve_axis(c.node.attribute("axis", old ? int64_t{1} : int64_t{-1}), c.rank(0));
    if (!axis.ok()) {
        return axis.status();
    }
    // Up to operator set 12 all axes from `axis` on are one; the same where those behind are 1.
    int64_t behind = 1;
    for (int64_t i = axis.value() + 1; i < c.rank(0); ++i) {
        behind *= c.shape(0)[static_cast<size_t>(i)];
    }
    c.node.attributes["axis"] = axis.value();
    c.node.attributes["coerced"] = int64_t{old && behind != 1};
    return infer_unary(c);
}

}  // namespace

Status infer_reduce(NodeContext &c) {
    Ints given = c.node.attribute("axes", Ints());
    if (c.has_input(1)) {
        Result<Ints> axes = c.constant_ints(1, "axes");
        if (!axes.ok()) {
            return axes.status();
        }
        given = std::move(axes).value();
    }
    if (given.empty() && c.node.attribute("noop_with_empty_axes", int64_t{0}) != 0) {
        c.become_unary("Identity");
        return infer_unary(c);
    }
    if (given.empty()) {
        given.resize(c.shape(0).size());
        std::iota(given.begin(), given.end(), 0);
    }
    Result<Ints> axes = c.resolve_axes(given, c.rank(0));
    if (!axes.ok()) {
        return axes.status();
    }
    std::sort(axes.value().begin(), axes.value().end());
    const int64_t keep = c.node.attribute("keepdims", int64_t{1}) != 0;
    Shape output;
    for (int64_t i = 0; i < c.rank(0); ++i) {
        const bool reduced = std::binary_search(axes.value().begin(), axes.value().end(), i);
        if (!reduced || keep != 0) {
            output.push_back(reduced ? 1 : c.shape(0)[static_cast<size_t>(i)]);
        }
    }
    c.outputs = {output};
    c.become_unary(c.node.op);
    c.node.attributes["axes"] = axes.value();
    c.node.attributes["keepdims"] = keep;
    return Status();
}

namespace {

/// Of operators that are computed by fold_node alone.
Status infer_constant_only(NodeContext &c) {
    return c.unsupported(
        "is computed only where its inputs are constant at the given input shapes");
}

constexpr size_t kAny = kMaxNodeValues;

struct Rule {
    Status (*infer)(NodeContext &);
    size_t inputs;  ///< That must be there; optional ones are fields. kAny: at least one.
    std::vector<OperatorField> fields;

    Rule(Status (*infer)(NodeContext &), size_t inputs, const std::string &words = "")
        : infer(infer), inputs(inputs), fields(operator_fields(words)) {}

    size_t most_inputs(int64_t opset) const {
        return inputs + static_cast<size_t>(std::count_if(
                            fields.begin(), fields.end(), [&](const OperatorField &field) {
                                return field.kind == 'x' && field.exists(opset);
                            }));
    }
};

Rule constant_only(size_t inputs, const std::string &words = "") {
    return {infer_constant_only, inputs, words};
}

// NOLINTNEXTLINE(readability-function-size): a table, one operator a line.
const std::unordered_map<std::string_view, Rule> &rules() {
    static const std::string window =
        "auto_pad:s=NOTSET|SAME_UPPER|SAME_LOWER|VALID kernel_shape:I pads:I strides:I ";
    static const std::string reduce = "axes:I@-17 keepdims:i noop_with_empty_axes:i@18- axes:x@18-";
    static const std::string block = "blocksize:i mode:s=DCR|CRD";
    static const std::unordered_map<std::string_view, Rule> table{
        {"Conv", {infer_conv, 2, window + "dilations:I group:i B:x"}},
        {"ConvTranspose",
         {infer_conv_transpose, 2,
          window + "dilations:I group:i output_padding:I output_shape:I B:x"}},
        {"MaxPool", {infer_pool, 1, window + "ceil_mode:i@10- dilations:I@10- storage_order:i@8-"}},
        {"AveragePool",
         {infer_pool, 1, window + "ceil_mode:i@10- count_include_pad:i dilations:I@19-"}},
        {"GlobalAveragePool", {infer_global_pool, 1}},
        {"GlobalMaxPool", {infer_global_pool, 1}},
        {"BatchNormalization",
         {infer_batch_normalization, 5, "epsilon:f momentum:f spatial:i@-8 training_mode:i@14-"}},
        {"Gemm", {infer_gemm, 2, "alpha:f beta:f transA:i transB:i C:x"}},
        {"MatMul", {infer_matmul, 2}},
        {"Softmax", {infer_softmax, 1, "axis:i"}},
        {"ReduceMean", {infer_reduce, 1, reduce}},
        {"ReduceMax", {infer_reduce, 1, reduce}},
        {"Relu", {infer_unary, 1}},
        {"LeakyRelu", {infer_leaky_relu, 1, "alpha:f"}},
        {"HardSigmoid", {infer_hard_sigmoid, 1, "alpha:f beta:f"}},
        {"HardSwish", {infer_unary, 1}},
        {"Sigmoid", {infer_unary, 1}},
        {"Tanh", {infer_unary, 1}},
        {"Gelu", {infer_gelu, 1, "approximate:s=none|tanh"}},
        {"Swish", {infer_swish, 1, "alpha:f"}},
        {"Erf", {infer_unary, 1}},
        {"Exp", {infer_unary, 1}},
        {"Sqrt", {infer_unary, 1}},
        {"Abs", {infer_unary, 1}},
        {"Neg", {infer_unary, 1}},
        {"Identity", {infer_unary, 1}},
        {"Dropout", {infer_dropout, 1, "ratio:f@-11 seed:i@12- ratio:x@12- training_mode:x@12-"}},
        {"Cast", {infer_cast, 1, "to:i saturate:i@19- round_mode:s=up|down|nearest@24-"}},
        {"Clip", {infer_clip, 1, "min:f@-10 max:f@-10 min:x@11- max:x@11-"}},
        {"PRelu", {infer_prelu, 2}},
        {"Add", {infer_broadcast, 2}},
        {"Sub", {infer_broadcast, 2}},
        {"Mul", {infer_broadcast, 2}},
        {"Div", {infer_broadcast, 2}},
        {"Min", {infer_variadic, kAny}},
        {"Max", {infer_variadic, kAny}},
        {"Sum", {infer_variadic, kAny}},
        {"Mean", {infer_variadic, kAny}},
        {"Reciprocal", {infer_unary, 1}},
        {"Pow", {infer_pow, 2}},
        {"Reshape", {infer_reshape, 2, "allowzero:i@14-"}},
        {"Flatten", {infer_flatten, 1, "axis:i"}},
        {"Squeeze", {infer_squeeze, 1, "axes:I@-12 axes:x@13-"}},
        {"Unsqueeze", {infer_unsqueeze, 1, "axes:I@-12 axes:x@13-"}},
        {"Transpose", {infer_transpose, 1, "perm:I"}},
        {"Concat", {infer_concat, kAny, "axis:i"}},
        {"Split", {infer_split, 1, "axis:i split:I@-12 num_outputs:i@18- split:x@13-"}},
        {"Slice",
         {infer_slice, 1,
          "starts:I@-9 ends:I@-9 axes:I@-9 starts:x@10- ends:x@10- axes:x@10- steps:x@10-"}},
        {"Expand", {infer_expand, 2}},
        {"Tile", {infer_tile, 2}},
        {"Gather", {infer_gather, 2, "axis:i"}},
        {"DepthToSpace", {infer_depth_to_space, 1, block + "@11-"}},
        {"SpaceToDepth", {infer_space_to_depth, 1, block + "@28-"}},
        {"Resize",
         {infer_resize, 1,
          "antialias:i@18- axes:I@18- "
          "coordinate_transformation_mode:s=half_pixel|half_pixel_symmetric|pytorch_half_pixel|"
          "align_corners|asymmetric|tf_half_pixel_for_nn|tf_crop_and_resize@11- "
          "cubic_coeff_a:f@11- exclude_outside:i@11- extrapolation_value:f@11- "
          "keep_aspect_ratio_policy:s=stretch|not_larger|not_smaller@18- "
          "mode:s=nearest|linear|cubic "
          "nearest_mode:s=round_prefer_floor|round_prefer_ceil|floor|ceil@11- "
          "scales:x@10 roi:x@11- scales:x@11- sizes:x@11-"}},
        {"Upsample", {infer_upsample, 1, "mode:s=nearest|linear scales:F@-8 scales:x@9-"}},
        {"Pad",
         {infer_pad, 1,
          "mode:s=constant|reflect|edge pads:I@-10 value:f@-10 "
          "pads:x@11- constant_value:x@11- axes:x@18-"}},
        {"Constant",
         constant_only(
             0, "value:T value_float:f@12- value_floats:F@12- value_int:i@12- value_ints:I@12-")},
        {"ConstantOfShape", constant_only(1, "value:T")},
        {"Shape", constant_only(1, "start:i@15- end:i@15-")},
        {"Size", constant_only(1)},
        {"Range", constant_only(3, "stash_type:i@27-")},
        {"Where", constant_only(3)},
        {"Equal", constant_only(2)},
        {"Less", constant_only(2)},
        {"LessOrEqual", constant_only(2)},
        {"Greater", constant_only(2)},
        {"GreaterOrEqual", constant_only(2)},
        {"And", constant_only(2)},
        {"Or", constant_only(2)},
        {"Xor", constant_only(2)},
        {"Not", constant_only(1)},
        {"BitShift", constant_only(2, "direction:s=LEFT|RIGHT")},
        {"BitwiseAnd", constant_only(2)},
        {"BitwiseOr", constant_only(2)},
        {"BitwiseXor", constant_only(2)},
        {"Mod", constant_only(2, "fmod:i")},
        {"Floor", constant_only(1)},
        {"Ceil", constant_only(1)},
        {"Round", constant_only(1)},
        {"Log", constant_only(1)},
        {"Sin", constant_only(1)},
        {"Cos", constant_only(1)},
        {"Sign", constant_only(1)},
        {"DequantizeLinear",
         constant_only(2, "axis:i@13- block_size:i@21- output_dtype:i@23- x_zero_point:x")},
        {"ReduceSum",
         constant_only(1, "axes:I@-12 keepdims:i noop_with_empty_axes:i@13- axes:x@13-")},
        {"ReduceProd", constant_only(1, reduce)},
        {"ReduceMin", constant_only(1, reduce)},
        {"ReduceL1", constant_only(1, reduce)},
        {"ReduceL2", constant_only(1, reduce)},
        {"ReduceSumSquare", constant_only(1, reduce)},
        {"ReduceLogSum", constant_only(1, reduce)},
        {"ReduceLogSumExp", constant_only(1, reduce)},
    };
    return table;
}

}  // namespace

Status check_node(const Graph &graph, const Node &node) {
    const auto found = rules().find(node.op);
    if (found == rules().end()) {
        return node_error(StatusCode::kUnsupported, node, "the operator is not supported");
    }
    const Rule &rule = found->second;
    const bool any = rule.inputs == kAny;
    const size_t least = any ? 1 : rule.inputs;
    const size_t most = any ? kAny : rule.most_inputs(graph.opset);
    const size_t count = node.inputs.size();
    if (count < least || count > most) {
        return node_error(StatusCode::kInvalidModel, node,
                          "has " + std::to_string(count) + " inputs, expected " +
                              std::to_string(least) + " to " + std::to_string(most) +
                              " in operator set " + std::to_string(graph.opset));
    }
    for (size_t i = 0; i < count; ++i) {
        if (node.inputs[i].empty() && (any || i < least)) {
            return node_error(StatusCode::kInvalidModel, node,
                              "input " + std::to_string(i) + " is missing");
        }
    }
    return check_attributes(node, rule.fields, graph.opset);
}

const std::map<std::string, std::vector<OperatorField>> &shape_rules() {
    static const std::map<std::string, std::vector<OperatorField>> fields = [] {
        std::map<std::string, std::vector<OperatorField>> result;
        for (const auto &[op, rule] : rules()) result.emplace(op, rule.fields);
        return result;
    }();
    return fields;
}

Status limit_outputs(Node &node, size_t count) {
    for (size_t i = count; i < node.outputs.size(); ++i) {
        if (!node.outputs[i].empty()) {
            return node_error(StatusCode::kUnsupported, node,
                              "output " + std::to_string(i) + " is not supported");
        }
    }
    node.outputs.resize(std::min(count, node.outputs.size()));
    return Status();
}

Result<std::vector<Shape>> infer_node(const Graph &graph, Node &node) {
    SEPCONV_RETURN_IF_ERROR(check_node(graph, node));
    NodeContext c{graph, node, {}};
    const std::string declared = node.op;
    SEPCONV_RETURN_IF_ERROR(rules().at(declared).infer(c));
    if (const Status status = limit_outputs(node, c.outputs.size()); !status.ok()) {
        node.op = declared;  // For the message: the rule may have rewritten it.
        return limit_outputs(node, c.outputs.size());
    }
    return std::move(c.outputs);
}

}  // namespace sepconv
