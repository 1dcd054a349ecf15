// Shape rules of operators that repeat or pick values.
#include <algorithm>

#include "compiler/infer_rules.h"
#include "compiler/infer_shapes.h"
#include "compiler/limits.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;

}  // namespace

Status infer_expand(NodeContext &c) {
    const Result<Ints> target = c.constant_ints(1, "shape");
    if (!target.ok()) {
        return target.status();
    }
    Shape output;
    if (!broadcast_shapes(c.shape(0), target.value(), output)) {
        return c.invalid("cannot expand " + shape_text(c.shape(0)) + " to " +
                         shape_text(target.value()));
    }
    if (output == c.shape(0)) {
        c.become_unary("Identity");
    } else if (c.constant(0) == nullptr) {
        c.become_unary("Expand");
    }
    c.outputs = {output};
    return Status();
}

Status infer_tile(NodeContext &c) {
    const Result<Ints> repeats = c.constant_ints(1, "repeats");
    if (!repeats.ok()) {
        return repeats.status();
    }
    if (repeats.value().size() != c.shape(0).size()) {
        return c.invalid("repeats has " + std::to_string(repeats.value().size()) +
                         " numbers, expected " + std::to_string(c.rank(0)));
    }
    Shape output = c.shape(0);
    bool broadcasts = true;
    for (size_t i = 0; i < output.size(); ++i) {
        if (repeats.value()[i] < 0 || repeats.value()[i] > kMaxExtent) {
            return c.invalid("repeats[" + std::to_string(i) + "] is " +
                             std::to_string(repeats.value()[i]));
        }
        broadcasts = broadcasts && (output[i] == 1 || repeats.value()[i] == 1);
        output[i] *= repeats.value()[i];
    }
    if (output == c.shape(0)) {
        c.become_unary("Identity");
    } else if (c.constant(0) == nullptr) {
        c.become_unary(broadcasts ? "Expand" : "Tile");
        if (!broadcasts) c.node.attributes["repeats"] = repeats.value();
    }
    c.outputs = {output};
    return Status();
}

Status infer_gather(NodeContext &c) {
    const Result<int64_t> axis = c.resolve_axis(c.node.attribute("axis", int64_t{0}), c.rank(0));
    if (!axis.ok()) {
        return axis.status();
    }
    const Constant *given = c.constant(1);
    if (given == nullptr) {
        return c.unsupported("input 1 (indices) is not constant at the given input shapes");
    }
    if (!given->is_integer()) {
        return c.invalid("input 1 (indices) is no tensor of integers");
    }
    const Shape &data = c.shape(0);
    const auto along = static_cast<std::ptrdiff_t>(axis.value());
    const int64_t extent = data[static_cast<size_t>(along)];
    Ints indices = given->converted<int64_t>();
    for (int64_t &index : indices) {
        if (index < -extent || index >= extent) {
            return c.invalid("index " + std::to_string(index) + " is outside extent " +
                             std::to_string(extent));
        }
        index += index < 0 ? extent : 0;
    }
    Shape output(data.begin(), data.begin() + along);
    output.insert(output.end(), given->shape.begin(), given->shape.end());
    output.insert(output.end(), data.begin() + along + 1, data.end());
    c.outputs = {output};
    c.become_unary("Gather");
    c.node.attributes["axis"] = axis.value();
    c.node.attributes["indices"] = indices;
    return Status();
}

}  // namespace sepconv
