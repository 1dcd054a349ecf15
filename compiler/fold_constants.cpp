#include "compiler/fold_constants.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "compiler/diagnostic.h"
#include "compiler/fold_elementwise.h"
#include "compiler/fold_layers.h"
#include "compiler/fold_movement.h"
#include "compiler/fold_reduce.h"
#include "compiler/infer_rules.h"
#include "compiler/infer_shapes.h"
#include "compiler/limits.h"
#include "compiler/onnx_tensor.h"
#include "compiler/view.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

Constant int_list(Ints values) {
    const auto count = static_cast<int64_t>(values.size());
    return Constant({count}, std::move(values));
}

/// max(ceil((limit - start) / delta), 0); NaN or infinite if there is none.
template<typename T>
double range_count(T start, T limit, T delta) {
    if constexpr (std::is_integral_v<T>) {
        if (delta == 0) return HUGE_VAL;
        if (delta > 0 ? limit <= start : limit >= start) return 0.0;
        // The distance of two int64 fits uint64_t.
        const auto from = static_cast<uint64_t>(int64_t{delta > 0 ? start : limit});
        const auto to = static_cast<uint64_t>(int64_t{delta > 0 ? limit : start});
        const auto step = static_cast<uint64_t>(int64_t{delta});
        const uint64_t steps = (to - from - 1) / (delta > 0 ? step : 0 - step);
        return static_cast<double>(steps + 1);
    } else {
        return std::max(0.0, std::ceil(static_cast<double>(limit - start) / delta));
    }
}

/// start + i * delta for i below `count`, in T's own arithmetic.
template<typename T>
std::vector<T> range_values(T start, T delta, size_t count) {
    std::vector<T> values(count);
    for (size_t i = 0; i < count; ++i) {
        if constexpr (std::is_integral_v<T>) {
            // Modulo 2^bits: signed overflow is undefined in C++.
            values[i] =
                static_cast<T>(static_cast<uint64_t>(start) + i * static_cast<uint64_t>(delta));
        } else {
            values[i] = start + static_cast<T>(i) * delta;
        }
    }
    return values;
}

/// One fold: the node, its constants and the budget.
class Folder {
public:
    Folder(const Graph &graph, Node &node, int64_t &budget) : c_{graph, node, {}}, budget_(budget) {
        for (size_t i = 0; i < node.inputs.size(); ++i) {
            inputs_.push_back(c_.has_input(i) ? c_.constant(i) : nullptr);
        }
    }

    Result<std::vector<Constant>> fold() {
        SEPCONV_RETURN_IF_ERROR(check_node(c_.graph, c_.node));
        const std::string &op = c_.node.op;
        if (op == "Shape" || op == "Size") {
            return fold_shape();
        }
        if (op == "Constant") {
            return fold_constant();
        }
        if (op == "ConstantOfShape") {
            return fold_constant_of_shape();
        }
        if (op == "Range") {
            return fold_range();
        }
        if (op == "Gather") {
            return fold_gather();
        }
        if (op == "Cast") {
            return fold_cast();
        }
        if (op == "Where") {
            return fold_where();
        }
        if (op.rfind("Reduce", 0) == 0) {
            return fold_reduce();
        }
        if (op == "Clip") {
            return fold_clip();
        }
        if (op == "Pad") {
            return fold_pad();
        }
        if (const LayerRule rule = layer_rule(op)) {
            const std::function<Status(const Shape &, int64_t)> claims =
                [this](const Shape &shape, int64_t read) { return claim(shape, read); };
            return rule({c_, inputs_, claims});
        }
        // Pow has rules for values that are not constant only.
        if (op != "Pow" && is_movement(op)) {
            return fold_movement();
        }
        return fold_elementwise();
    }

private:
    static bool is_movement(const std::string &op) {
        constexpr const char *kMovements[] = {"Reshape",   "Flatten", "Squeeze",  "Unsqueeze",
                                              "Transpose", "Concat",  "Split",    "Slice",
                                              "Expand",    "Tile",    "Identity", "Dropout"};
        return std::find(std::begin(kMovements), std::end(kMovements), op) != std::end(kMovements);
    }

    /// Of every element that is made: no look-up by name.
    const Constant &input(size_t i) const { return *inputs_[i]; }

    /// Claims room for a result, `lists` of as many indices, and what else is read to make it.
    Status claim(const Shape &shape, int64_t elements_read = 0, int64_t lists = 0) {
        SEPCONV_RETURN_IF_ERROR(check_shape("the output of " + node_text(c_.node), shape));
        const int64_t elements = element_count(shape) * (lists + 1) + elements_read + 1;
        budget_ -= elements * static_cast<int64_t>(sizeof(int64_t));
        if (budget_ < 0) return over_budget(node_text(c_.node));
        return Status();
    }

    static Result<std::vector<Constant>> one(Constant value) {
        std::vector<Constant> values;
        values.push_back(std::move(value));
        return values;
    }

    Result<std::vector<Constant>> fold_shape() {
        const Shape &shape = c_.shape(0);
        if (c_.node.op == "Size") {
            Constant size = int_list({element_count(shape)});
            size.shape.clear();
            return one(std::move(size));
        }
        const int64_t rank = c_.rank(0);
        const auto place = [&](const char *key, int64_t otherwise) {
            const int64_t at = c_.node.attribute(key, otherwise);
            return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
        };
        const int64_t start = place("start", 0);
        const int64_t end = std::max(start, place("end", rank));
        return one(int_list(Ints(shape.begin() + start, shape.begin() + end)));
    }

    Result<std::vector<Constant>> fold_constant() {
        if (c_.node.attributes.size() != 1) {
            return c_.invalid("expected one attribute with the value");
        }
        Attribute &value = c_.node.attributes.begin()->second;
        if (auto *constant = std::get_if<Constant>(&value)) {
            return one(std::move(*constant));
        }
        Constant result;
        if (const auto *number = std::get_if<int64_t>(&value)) {
            result.storage = Ints{*number};
        } else if (const auto *numbers = std::get_if<Ints>(&value)) {
            result = int_list(*numbers);
        } else if (const auto *real = std::get_if<float>(&value)) {
            result.storage = Floats{*real};
        } else if (const auto *reals = std::get_if<Floats>(&value)) {
            result = Constant({static_cast<int64_t>(reals->size())}, *reals);
        } else {
            return c_.unsupported("constants of strings are not supported");
        }
        SEPCONV_RETURN_IF_ERROR(claim(result.shape));
        return one(std::move(result));
    }

    Result<std::vector<Constant>> fold_constant_of_shape() {
        const Result<Ints> shape = c_.constant_ints(0, "shape");
        if (!shape.ok()) {
            return shape.status();
        }
        SEPCONV_RETURN_IF_ERROR(claim(shape.value()));
        Constant value({}, Floats{0.0F});
        if (c_.node.has("value")) {
            const auto *given = std::get_if<Constant>(&c_.node.attributes["value"]);
            if (given == nullptr || element_count(given->shape) != 1) {
                return c_.invalid("value is no tensor with one element");
            }
            value = *given;
        }
        value.shape.clear();
        return one(expand(value, shape.value()));
    }

    Result<std::vector<Constant>> fold_range() {
        for (const size_t i : {size_t{0}, size_t{1}, size_t{2}}) {
            if (!c_.has_input(i) || element_count(input(i).shape) != 1 ||
                input(i).type() != input(0).type()) {
                return c_.invalid("expected three numbers of one type");
            }
        }
        return input(0).visit([&](const auto &first) -> Result<std::vector<Constant>> {
            using T = ElementOf<decltype(first)>;
            if constexpr (std::is_arithmetic_v<T>) {
                const T start = first[0];
                const T delta = input(2).values<T>()[0];
                const double count = range_count(start, input(1).values<T>()[0], delta);
                if (!(count <= static_cast<double>(kMaxElements))) {
                    return c_.invalid("the range has no valid length");
                }
                const Shape shape{static_cast<int64_t>(count)};
                SEPCONV_RETURN_IF_ERROR(claim(shape));
                return one(Constant(shape, range_values(start, delta, static_cast<size_t>(count))));
            } else {
                return c_.unsupported("ranges of " + std::string(name_of(input(0).type())) +
                                      " are not supported");
            }
        });
    }

    Result<std::vector<Constant>> fold_gather() {
        if (!c_.has_input(1) || !input(1).is_integer()) {
            return c_.invalid("input 1 (indices) is no list of integers");
        }
        const Ints indices = input(1).converted<int64_t>();
        const Result<int64_t> axis =
            c_.resolve_axis(c_.node.attribute("axis", int64_t{0}), c_.rank(0));
        if (!axis.ok()) {
            return axis.status();
        }
        const Shape &data = input(0).shape;
        const auto along = static_cast<std::ptrdiff_t>(axis.value());
        Shape shape(data.begin(), data.begin() + along);
        const int64_t outer = element_count(shape);
        const Shape behind(data.begin() + along + 1, data.end());
        const int64_t inner = element_count(behind);
        shape.insert(shape.end(), input(1).shape.begin(), input(1).shape.end());
        shape.insert(shape.end(), behind.begin(), behind.end());
        SEPCONV_RETURN_IF_ERROR(claim(shape, element_count(input(1).shape)));
        Constant result = reserved(input(0), shape);
        const int64_t extent = data[static_cast<size_t>(along)];
        for (const int64_t index : indices) {
            if (index < -extent || index >= extent) {
                return c_.invalid("index " + std::to_string(index) + " is outside extent " +
                                  std::to_string(extent));
            }
        }
        for (int64_t i = 0; i < outer && inner != 0; ++i) {
            for (int64_t index : indices) {
                index += index < 0 ? extent : 0;
                append(input(0), (i * extent + index) * inner, inner, result);
            }
        }
        return one(std::move(result));
    }

    Result<std::vector<Constant>> fold_cast() {
        const auto to = static_cast<int>(c_.node.attribute("to", int64_t{0}));
        const std::optional<ElementType> type = element_type(to);
        if (!type) {
            return c_.unsupported("cast to element type " + data_type_name(to) +
                                  " is not supported");
        }
        SEPCONV_RETURN_IF_ERROR(claim(input(0).shape));
        return one(cast_constant(input(0), *type));
    }

    Result<std::vector<Constant>> fold_where() {
        if (!c_.has_input(1) || !c_.has_input(2)) {
            return c_.invalid("has less than three inputs");
        }
        Shape shape;
        Shape values;
        if (input(0).type() != ElementType::kBool || input(1).type() != input(2).type() ||
            !broadcast_shapes(input(1).shape, input(2).shape, values) ||
            !broadcast_shapes(values, input(0).shape, shape)) {
            return c_.invalid("inputs do not fit each other");
        }
        SEPCONV_RETURN_IF_ERROR(claim(shape, 0, 3));
        return one(sepconv::fold_where(input(0), input(1), input(2), shape));
    }

    Result<std::vector<Constant>> fold_reduce() {
        const std::string op = c_.node.op;
        SEPCONV_RETURN_IF_ERROR(infer_reduce(c_));
        const Shape &shape = c_.outputs[0];
        SEPCONV_RETURN_IF_ERROR(claim(shape, element_count(input(0).shape)));
        // With noop_with_empty_axes each element is reduced by itself: ReduceSumSquare squares it.
        std::optional<Constant> value =
            reduce(op, input(0), c_.node.attribute("axes", Ints()), shape);
        return value ? one(std::move(*value)) : not_for_type();
    }

    /// Min and Max with the bounds: inputs, or before operator set 11 attributes.
    Result<std::vector<Constant>> fold_clip() {
        Constant result = input(0);
        SEPCONV_RETURN_IF_ERROR(claim(result.shape, 0, 2));
        for (const size_t i : {size_t{1}, size_t{2}}) {
            const char *key = i == 1 ? "min" : "max";
            Constant bound({}, Floats{c_.node.attribute(key, 0.0F)});
            if (c_.opset() >= 11 && c_.has_input(i)) {
                bound = input(i);
            } else if (c_.opset() < 11 && c_.node.has(key)) {
                bound = cast_constant(bound, result.type());
            } else {
                continue;
            }
            std::optional<Constant> value;
            if (bound.type() == result.type() && element_count(bound.shape) == 1) {
                bound.shape.clear();
                value = fold_binary(i == 1 ? "Max" : "Min", result, bound, result.shape);
            }
            if (!value) {
                return c_.invalid(std::string(key) + " is no number of the type " +
                                  name_of(result.type()));
            }
            result = std::move(*value);
        }
        return one(std::move(result));
    }

    /// Mode constant; what crops too.
    Result<std::vector<Constant>> fold_pad() {
        Constant fill({}, Floats{c_.node.attribute("value", 0.0F)});
        if (c_.opset() >= 11) {
            fill = c_.has_input(2) ? input(2) : Constant::zeros(input(0).type(), {});
        }
        if (fill.type() != input(0).type() || element_count(fill.shape) != 1) {
            return c_.invalid("input 2 (constant_value) is no number of the type " +
                              std::string(name_of(input(0).type())));
        }
        fill.shape.clear();
        Node shaped = c_.node;
        if (shaped.inputs.size() > 2) shaped.inputs[2].clear();
        const Result<std::vector<Shape>> shapes = infer_node(c_.graph, shaped);
        if (!shapes.ok()) {
            return shapes.status();
        }
        const Shape &shape = shapes.value()[0];
        SEPCONV_RETURN_IF_ERROR(claim(shape));
        return one(pad(input(0), fill, shape, shaped.attribute("pads", Ints())));
    }

    Result<std::vector<Constant>> fold_movement() {
        const Result<std::vector<Shape>> shapes = infer_node(c_.graph, c_.node);
        if (!shapes.ok()) {
            return shapes.status();
        }
        for (const Shape &shape : shapes.value()) {
            SEPCONV_RETURN_IF_ERROR(claim(shape));
        }
        const Shape &shape = shapes.value()[0];
        const std::string &op = c_.node.op;
        const Ints strides = row_major(input(0).shape);
        if (op == "Concat") {
            return fold_concat(shape);
        }
        if (op == "Split") {
            return fold_split(shapes.value(), strides);
        }
        if (op == "Tile") {
            return fold_tile(shape, strides);
        }
        if (op == "Expand") {
            return one(expand(input(0), shape));
        }
        if (op == "Transpose") {
            return one(transpose(input(0), c_.node.attribute("perm", Ints())));
        }
        if (op == "Slice") {
            const Ints starts = c_.node.attribute("starts", Ints());
            Ints steps = c_.node.attribute("steps", Ints());
            for (size_t i = 0; i < steps.size(); ++i) {
                steps[i] *= strides[i];
            }
            const int64_t offset =
                std::inner_product(starts.begin(), starts.end(), strides.begin(), int64_t{0});
            return one(move_strided(input(0), shape, offset, steps));
        }
        Constant result = input(0);
        result.shape = shape;
        return one(std::move(result));
    }

    Result<std::vector<Constant>> fold_concat(const Shape &shape) {
        const auto axis = static_cast<std::ptrdiff_t>(c_.node.attribute("axis", int64_t{0}));
        const int64_t outer = element_count(Shape(shape.begin(), shape.begin() + axis));
        Constant result = reserved(input(0), shape);
        for (int64_t i = 0; i < outer; ++i) {
            for (size_t k = 0; k < c_.node.inputs.size(); ++k) {
                if (input(k).type() != input(0).type()) {
                    return c_.invalid("inputs have different types");
                }
                const int64_t run = element_count(input(k).shape) / outer;
                append(input(k), i * run, run, result);
            }
        }
        return one(std::move(result));
    }

    Result<std::vector<Constant>> fold_split(const std::vector<Shape> &shapes,
                                             const Ints &strides) {
        const auto axis = static_cast<size_t>(c_.node.attribute("axis", int64_t{0}));
        std::vector<Constant> parts;
        int64_t offset = 0;
        for (const Shape &shape : shapes) {
            parts.push_back(move_strided(input(0), shape, offset, strides));
            offset += shape[axis] * strides[axis];
        }
        return parts;
    }

    /// Every axis as two: its repetitions, which do not move, and the input's own.
    Result<std::vector<Constant>> fold_tile(const Shape &shape, const Ints &strides) {
        Shape split;
        Ints steps;
        for (size_t axis = 0; axis < shape.size(); ++axis) {
            const int64_t extent = input(0).shape[axis];
            split.insert(split.end(), {extent == 0 ? 0 : shape[axis] / extent, extent});
            steps.insert(steps.end(), {0, strides[axis]});
        }
        Constant result = move_strided(input(0), split, 0, steps);
        result.shape = shape;
        return one(std::move(result));
    }

    /// Every operand in turn; Pow alone allows them to differ in type.
    Result<std::vector<Constant>> fold_elementwise() {
        const std::string op = operator_name();
        const bool variadic = op == "Sum" || op == "Mean" || op == "Min" || op == "Max";
        SEPCONV_RETURN_IF_ERROR(claim(input(0).shape));
        if (c_.node.inputs.size() == 1 && !variadic) {
            std::optional<Constant> value = fold_unary(op, input(0));
            if (!value) value = fold_activation(c_.node, input(0));
            return value ? one(std::move(*value)) : not_for_type();
        }
        Constant result = input(0);
        for (size_t i = 1; i < c_.node.inputs.size(); ++i) {
            Shape shape;
            if (!c_.has_input(i)) {
                return c_.invalid("input " + std::to_string(i) + " is missing");
            }
            if (!broadcast_shapes(result.shape, input(i).shape, shape)) {
                return c_.invalid("shapes " + shape_text(result.shape) + " and " +
                                  shape_text(input(i).shape) + " do not broadcast");
            }
            if (op != "Pow" && input(i).type() != result.type()) {
                return c_.invalid("inputs have the types " + std::string(name_of(result.type())) +
                                  " and " + name_of(input(i).type()));
            }
            if (divides_by_zero(op, input(i))) {
                return c_.invalid("divides an integer by zero");
            }
            SEPCONV_RETURN_IF_ERROR(claim(shape, 0, 2));
            std::optional<Constant> value =
                op == "Pow" ? fold_power(result, input(i), shape)
                            : fold_binary(op == "Mean" ? "Sum" : op, result, input(i), shape);
            if (!value) {
                return not_for_type();
            }
            result = std::move(*value);
        }
        if (op == "Mean") {
            const Constant count({}, Floats{static_cast<float>(c_.node.inputs.size())});
            std::optional<Constant> mean =
                fold_binary("Div", result, cast_constant(count, result.type()), result.shape);
            return mean ? one(std::move(*mean)) : not_for_type();
        }
        return one(std::move(result));
    }

    /// As fold_binary knows it.
    std::string operator_name() const {
        const std::string &op = c_.node.op;
        if (op == "Mod" && c_.node.attribute("fmod", int64_t{0}) != 0) return "Fmod";
        if (op == "BitShift" && input(0).type() == ElementType::kUint8) {
            return c_.node.attribute("direction", std::string()) == "LEFT" ? "ShiftLeft"
                                                                           : "ShiftRight";
        }
        return op;
    }

    Status not_for_type() const {
        return c_.unsupported("the operator is not supported on constants of type " +
                              std::string(name_of(input(0).type())) + " alone");
    }

    NodeContext c_;
    std::vector<const Constant *> inputs_;  ///< Of the node; null where it is no constant.
    int64_t &budget_;
};

}  // namespace

bool is_foldable(const Graph &graph, const Node &node) {
    // Their kernels compute them on constants too.
    constexpr const char *kKernels[] = {"Conv",   "ConvTranspose", "MaxPool",      "AveragePool",
                                        "Resize", "Upsample",      "DepthToSpace", "SpaceToDepth"};
    if (std::find(std::begin(kKernels), std::end(kKernels), node.op) != std::end(kKernels) ||
        (node.op == "Pad" && node.attribute("mode", std::string("constant")) != "constant")) {
        return false;
    }
    if (node.op == "Shape" || node.op == "Size" || node.op == "Constant") {
        return true;
    }
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string &input) {
        return input.empty() || graph.is_constant(input);
    });
}

Result<std::vector<Constant>> fold_node(const Graph &graph, Node &node, int64_t &budget) {
    return Folder(graph, node, budget).fold();
}

}  // namespace sepconv
