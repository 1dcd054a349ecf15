#include "compiler/fold_constants.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "compiler/diagnostic.h"
#include "compiler/fold_elementwise.h"
#include "compiler/infer_rules.h"
#include "compiler/infer_shapes.h"
#include "compiler/limits.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;

/// Elements [first, first + count) of `from`.
void append(const Constant &from, int64_t first, int64_t count, Constant &to) {
    const auto add = [&](const auto &values, auto &list) {
        list.insert(list.end(), values.begin() + first, values.begin() + first + count);
    };
    from.is_float() ? add(from.floats, to.floats) : add(from.ints, to.ints);
}

Constant empty_like(const Constant &from, Shape shape) {
    Constant result;
    result.type = from.type;
    result.shape = std::move(shape);
    const auto count = static_cast<size_t>(element_count(result.shape));
    from.is_float() ? result.floats.reserve(count) : result.ints.reserve(count);
    return result;
}

Constant int_list(const Ints &values) {
    Constant result;
    result.type = ElementType::kInt64;
    result.shape = {static_cast<int64_t>(values.size())};
    result.ints = values;
    return result;
}

Ints row_major(const Shape &shape) {
    Ints strides(shape.size(), 1);
    for (size_t i = shape.size(); i-- > 1;) {
        strides[i - 1] = strides[i] * shape[i];
    }
    return strides;
}

/// The same elements in as few axes as there can be, and at least one: long runs are fast.
void join_axes(Shape &shape, Ints &strides) {
    Shape joined{1};
    Ints steps{0};
    for (size_t axis = shape.size(); axis-- > 0;) {
        if (shape[axis] == 1) continue;
        if (joined[0] == 1) {
            joined[0] = shape[axis];
            steps[0] = strides[axis];
        } else if (strides[axis] == joined[0] * steps[0]) {
            joined[0] *= shape[axis];
        } else {
            joined.insert(joined.begin(), shape[axis]);
            steps.insert(steps.begin(), strides[axis]);
        }
    }
    shape = std::move(joined);
    strides = std::move(steps);
}

/// What move_strided makes of values of one type; `strides` is not empty.
template<typename T>
void move_values(const std::vector<T> &from, const Shape &shape, int64_t offset,
                 const Ints &strides, std::vector<T> &to) {
    const size_t last = shape.size() - 1;
    Ints index(shape.size(), 0);
    for (size_t filled = 0; filled < to.size();) {
        if (strides[last] == 1) {
            std::copy_n(from.begin() + offset, shape[last],
                        to.begin() + static_cast<std::ptrdiff_t>(filled));
            filled += static_cast<size_t>(shape[last]);
        } else {
            for (int64_t i = 0; i < shape[last]; ++i) {
                to[filled++] = from[static_cast<size_t>(offset + i * strides[last])];
            }
        }
        for (size_t axis = last; axis-- > 0;) {
            offset += strides[axis];
            if (++index[axis] < shape[axis]) {
                break;
            }
            offset -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
}

/// Elements of `from` at offset + sum of index * strides, over all indices into `shape`.
Constant move_strided(const Constant &from, Shape shape, int64_t offset, Ints strides) {
    Constant result;
    result.type = from.type;
    result.shape = shape;
    join_axes(shape, strides);
    const auto count = static_cast<size_t>(element_count(shape));
    if (from.is_float()) {
        result.floats.resize(count);
        move_values(from.floats, shape, offset, strides, result.floats);
    } else {
        result.ints.resize(count);
        move_values(from.ints, shape, offset, strides, result.ints);
    }
    return result;
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
        SEPCONV_RETURN_IF_ERROR(check_node(c_.node));
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
            result = int_list({*number});
            result.shape.clear();
        } else if (const auto *numbers = std::get_if<Ints>(&value)) {
            result = int_list(*numbers);
        } else if (const auto *real = std::get_if<float>(&value)) {
            result.floats = {*real};
        } else if (const auto *reals = std::get_if<std::vector<float>>(&value)) {
            result.floats = *reals;
            result.shape = {static_cast<int64_t>(reals->size())};
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
        Constant value;
        value.floats = {0.0F};
        if (c_.node.has("value")) {
            const auto *given = std::get_if<Constant>(&c_.node.attributes["value"]);
            if (given == nullptr || element_count(given->shape) != 1) {
                return c_.invalid("value is no tensor with one element");
            }
            value = *given;
        }
        return one(move_strided(value, shape.value(), 0, Ints(shape.value().size(), 0)));
    }

    Result<std::vector<Constant>> fold_range() {
        for (const size_t i : {size_t{0}, size_t{1}, size_t{2}}) {
            if (!c_.has_input(i) || element_count(input(i).shape) != 1 ||
                input(i).type != input(0).type) {
                return c_.invalid("expected three numbers of one type");
            }
        }
        if (input(0).is_float()) {
            return c_.unsupported("ranges of floats are not supported");
        }
        const int64_t start = input(0).ints[0];
        const int64_t step = input(2).ints[0];
        const double count =
            step == 0
                ? -1.0
                : std::ceil((static_cast<double>(input(1).ints[0]) - static_cast<double>(start)) /
                            static_cast<double>(step));
        if (step == 0 || count > static_cast<double>(kMaxElements)) {
            return c_.invalid("the range has no valid length");
        }
        const Shape shape{static_cast<int64_t>(std::max(0.0, count))};
        SEPCONV_RETURN_IF_ERROR(claim(shape));
        Constant result = empty_like(input(0), shape);
        for (int64_t i = 0; i < shape[0]; ++i) {
            result.ints.push_back(
                static_cast<int64_t>(static_cast<uint64_t>(start) +
                                     static_cast<uint64_t>(i) * static_cast<uint64_t>(step)));
        }
        return one(std::move(result));
    }

    Result<std::vector<Constant>> fold_gather() {
        if (!c_.has_input(1) || input(1).is_float()) {
            return c_.invalid("input 1 (indices) is no list of integers");
        }
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
        Constant result = empty_like(input(0), shape);
        const int64_t extent = data[static_cast<size_t>(along)];
        for (const int64_t index : input(1).ints) {
            if (index < -extent || index >= extent) {
                return c_.invalid("index " + std::to_string(index) + " is outside extent " +
                                  std::to_string(extent));
            }
        }
        for (int64_t i = 0; i < outer && inner != 0; ++i) {
            for (int64_t index : input(1).ints) {
                index += index < 0 ? extent : 0;
                append(input(0), (i * extent + index) * inner, inner, result);
            }
        }
        return one(std::move(result));
    }

    Result<std::vector<Constant>> fold_cast() {
        // TensorProto::DataType.
        ElementType to = ElementType::kFloat;
        switch (c_.node.attribute("to", int64_t{0})) {
            case 1:
                break;
            case 6:
                to = ElementType::kInt32;
                break;
            case 7:
                to = ElementType::kInt64;
                break;
            case 9:
                to = ElementType::kBool;
                break;
            case 11:
                to = ElementType::kDouble;
                break;
            default:
                return c_.unsupported("cast to element type " +
                                      std::to_string(c_.node.attribute("to", int64_t{0})) +
                                      " is not supported");
        }
        SEPCONV_RETURN_IF_ERROR(claim(input(0).shape));
        return one(cast_constant(input(0), to));
    }

    Result<std::vector<Constant>> fold_where() {
        if (!c_.has_input(1) || !c_.has_input(2)) {
            return c_.invalid("has less than three inputs");
        }
        Shape shape;
        Shape values;
        if (input(0).type != ElementType::kBool || input(1).type != input(2).type ||
            !broadcast_shapes(input(1).shape, input(2).shape, values) ||
            !broadcast_shapes(values, input(0).shape, shape)) {
            return c_.invalid("inputs do not fit each other");
        }
        SEPCONV_RETURN_IF_ERROR(claim(shape, 0, 3));
        const Ints condition = broadcast_index(input(0).shape, shape);
        const Ints yes = broadcast_index(input(1).shape, shape);
        const Ints no = broadcast_index(input(2).shape, shape);
        Constant result = empty_like(input(1), shape);
        for (size_t i = 0; i < condition.size(); ++i) {
            const bool chosen = input(0).ints[static_cast<size_t>(condition[i])] != 0;
            append(input(chosen ? 1 : 2), chosen ? yes[i] : no[i], 1, result);
        }
        return one(std::move(result));
    }

    /// Sum, product, maximum, minimum and mean over listed axes.
    Result<std::vector<Constant>> fold_reduce() {
        const std::string op = c_.node.op.substr(6);
        const char *step = op == "Prod"                  ? "Mul"
                           : op == "Sum" || op == "Mean" ? "Add"
                           : op == "Max" || op == "Min"  ? op.c_str()
                                                         : nullptr;
        if (step == nullptr || (op == "Mean" && !input(0).is_float())) {
            return c_.unsupported("the operator is not supported on constants");
        }
        Node shaped = c_.node;
        shaped.op = "ReduceMax";
        // ReduceSum took its axes as an input five operator sets before the others.
        if (op == "Sum" && c_.opset() >= 13 && c_.opset() < 18 && c_.has_input(1)) {
            const Result<Ints> axes = c_.constant_ints(1, "axes");
            if (!axes.ok()) {
                return axes.status();
            }
            shaped.attributes["axes"] = axes.value();
            shaped.inputs.resize(1);
        }
        const Result<std::vector<Shape>> shapes = infer_node(c_.graph, shaped);
        if (!shapes.ok()) {
            return node_error(shapes.status().code(), c_.node, shapes.status().message());
        }
        SEPCONV_RETURN_IF_ERROR(claim(shapes.value()[0], element_count(input(0).shape)));
        if (element_count(input(0).shape) == 0) {
            return c_.unsupported("reduction of an empty tensor");
        }
        if (shaped.op == "Identity") {
            return one(input(0));
        }
        return one(reduce(step, op == "Mean", shaped.attribute("axes", Ints()), shapes.value()[0]));
    }

    Constant reduce(const std::string &step, bool mean, const Ints &axes, Shape shape) const {
        const Shape &in = input(0).shape;
        Shape kept = in;
        Ints order;
        for (size_t i = 0; i < in.size(); ++i) {
            if (std::count(axes.begin(), axes.end(), static_cast<int64_t>(i)) == 0) {
                order.push_back(static_cast<int64_t>(i));
            } else {
                kept[i] = 1;
            }
        }
        order.insert(order.end(), axes.begin(), axes.end());
        const int64_t terms = element_count(in) / element_count(kept);
        const Ints from = row_major(in);
        Shape turned;
        Ints strides;
        for (const int64_t axis : order) {
            turned.push_back(in[static_cast<size_t>(axis)]);
            strides.push_back(from[static_cast<size_t>(axis)]);
        }
        return reduce_rows(step, mean, move_strided(input(0), turned, 0, strides), terms,
                           std::move(shape));
    }

    Result<std::vector<Constant>> fold_movement() {
        const Result<std::vector<Shape>> shapes = infer_node(c_.graph, c_.node);
        if (!shapes.ok()) {
            return shapes.status();
        }
        for (const Shape &shape : shapes.value()) {
            SEPCONV_RETURN_IF_ERROR(claim(shape, 0, c_.node.op == "Expand" ? 1 : 0));
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
            Constant result = empty_like(input(0), shape);
            for (const int64_t index : broadcast_index(input(0).shape, shape)) {
                append(input(0), index, 1, result);
            }
            return one(std::move(result));
        }
        if (op == "Transpose") {
            Ints turned;
            for (const int64_t axis : c_.node.attribute("perm", Ints())) {
                turned.push_back(strides[static_cast<size_t>(axis)]);
            }
            return one(move_strided(input(0), shape, 0, turned));
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
        Constant result = empty_like(input(0), shape);
        for (int64_t i = 0; i < outer; ++i) {
            for (size_t k = 0; k < c_.node.inputs.size(); ++k) {
                if (input(k).type != input(0).type) {
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

    Result<std::vector<Constant>> fold_elementwise() {
        if (c_.node.attribute("fmod", int64_t{0}) != 0) {
            return c_.unsupported("fmod is not supported");
        }
        Constant result = input(0);
        SEPCONV_RETURN_IF_ERROR(claim(result.shape));
        const Status unknown = c_.unsupported(
            "the operator is not supported on these constants alone, or they do not broadcast");
        if (c_.node.inputs.size() == 1 && c_.node.op != "Sum" && c_.node.op != "Min" &&
            c_.node.op != "Max") {
            std::optional<Constant> value = fold_unary(c_.node.op, result);
            return value ? one(std::move(*value)) : unknown;
        }
        for (size_t i = 1; i < c_.node.inputs.size(); ++i) {
            Shape shape;
            if (!c_.has_input(i) || !broadcast_shapes(result.shape, input(i).shape, shape)) {
                return unknown;
            }
            SEPCONV_RETURN_IF_ERROR(claim(shape, 0, 2));
            // Pow alone allows its operands to differ.
            std::optional<Constant> value =
                c_.node.op == "Pow" && input(i).is_float() != result.is_float()
                    ? std::nullopt
                    : fold_binary(c_.node.op, result, input(i), shape);
            if (!value) {
                return unknown;
            }
            result = std::move(*value);
        }
        return one(std::move(result));
    }

    NodeContext c_;
    std::vector<const Constant *> inputs_;  ///< Of the node; null where it is no constant.
    int64_t &budget_;
};

}  // namespace

bool is_foldable(const Graph &graph, const Node &node) {
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
