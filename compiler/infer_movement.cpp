// Shape rules of operators that only move values.
#include <algorithm>
#include <numeric>

#include "compiler/infer_rules.h"
#include "compiler/infer_shapes.h"
#include "compiler/limits.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;

/// The parameter that newer operator sets pass as input 1 and older ones as an attribute.
Result<Ints> input_or_attribute(const NodeContext &c, int64_t input_since, const std::string &key) {
    if (c.opset() < input_since) {
        return c.node.attribute(key, Ints());
    }
    return c.has_input(1) ? c.constant_ints(1, key) : Result<Ints>(Ints());
}

Status become_reshape(NodeContext &c, Shape output) {
    SEPCONV_RETURN_IF_ERROR(check_shape("the output of " + node_text(c.node), output));
    if (element_count(output) != element_count(c.shape(0))) {
        return c.invalid("cannot reshape " + shape_text(c.shape(0)) + " to " + shape_text(output));
    }
    c.outputs = {std::move(output)};
    c.become_unary("Reshape");
    return Status();
}

}  // namespace

Status infer_reshape(NodeContext &c) {
    const Result<Ints> target = c.constant_ints(1, "shape");
    if (!target.ok()) {
        return target.status();
    }
    const Shape &input = c.shape(0);
    Shape output = target.value();
    if (output.size() > kMaxRank) {
        return c.unsupported("the target has rank " + std::to_string(output.size()));
    }
    const bool keep_zero = c.node.attribute("allowzero", int64_t{0}) != 0;
    int64_t known = 1;
    int inferred = -1;
    for (size_t i = 0; i < output.size(); ++i) {
        if (output[i] == 0 && !keep_zero) {
            if (i >= input.size()) {
                return c.invalid("shape[" + std::to_string(i) + "] is 0, but the input is " +
                                 shape_text(input));
            }
            output[i] = input[i];
        }
        if (output[i] == -1 && inferred < 0) {
            inferred = static_cast<int>(i);
            continue;
        }
        if (output[i] < 0 || output[i] > kMaxExtent) {
            return c.invalid("shape[" + std::to_string(i) + "] is " + std::to_string(output[i]));
        }
        known = std::min(known, kMaxElements + 1) * output[i];
    }
    if (inferred >= 0) {
        const int64_t elements = element_count(input);
        if (known == 0 || elements % known != 0) {
            return c.invalid("cannot reshape " + shape_text(input) + " to " +
                             shape_text(target.value()));
        }
        output[static_cast<size_t>(inferred)] = elements / known;
    }
    return become_reshape(c, output);
}

Status infer_flatten(NodeContext &c) {
    const int64_t rank = c.rank(0);
    int64_t axis = c.node.attribute("axis", int64_t{1});
    if (axis < -rank || axis > rank) {
        return c.invalid("axis is " + std::to_string(axis) + " for an input of rank " +
                         std::to_string(rank));
    }
    axis += axis < 0 ? rank : 0;
    Shape output{1, 1};
    for (int64_t i = 0; i < rank; ++i) {
        output[i < axis ? 0 : 1] *= c.shape(0)[static_cast<size_t>(i)];
    }
    return become_reshape(c, output);
}

Status infer_squeeze(NodeContext &c) {
    const Result<Ints> given = input_or_attribute(c, 13, "axes");
    if (!given.ok()) {
        return given.status();
    }
    const Result<Ints> axes = c.resolve_axes(given.value(), c.rank(0));
    if (!axes.ok()) {
        return axes.status();
    }
    Shape output;
    for (size_t i = 0; i < c.shape(0).size(); ++i) {
        const int64_t extent = c.shape(0)[i];
        const bool listed = std::count(axes.value().begin(), axes.value().end(), i) != 0;
        if (listed && extent != 1) {
            return c.invalid("axis " + std::to_string(i) + " has extent " + std::to_string(extent) +
                             ", expected 1");
        }
        if (!listed && (!axes.value().empty() || extent != 1)) {
            output.push_back(extent);
        }
    }
    return become_reshape(c, output);
}

Status infer_unsqueeze(NodeContext &c) {
    const Result<Ints> given = input_or_attribute(c, 13, "axes");
    if (!given.ok()) {
        return given.status();
    }
    const auto rank = c.rank(0) + static_cast<int64_t>(given.value().size());
    if (rank > static_cast<int64_t>(kMaxRank)) {
        return c.unsupported("the output has rank " + std::to_string(rank));
    }
    const Result<Ints> axes = c.resolve_axes(given.value(), rank);
    if (!axes.ok()) {
        return axes.status();
    }
    Shape output(static_cast<size_t>(rank), 0);
    for (const int64_t axis : axes.value()) {
        output[static_cast<size_t>(axis)] = 1;
    }
    size_t next = 0;
    for (int64_t i = 0; i < rank; ++i) {
        if (std::count(axes.value().begin(), axes.value().end(), i) == 0) {
            output[static_cast<size_t>(i)] = c.shape(0)[next++];
        }
    }
    return become_reshape(c, output);
}

Status infer_transpose(NodeContext &c) {
    const Shape &input = c.shape(0);
    Ints perm(input.size());
    std::iota(perm.rbegin(), perm.rend(), 0);
    perm = c.node.attribute("perm", perm);
    Ints sorted = perm;
    std::sort(sorted.begin(), sorted.end());
    Ints expected(input.size());
    std::iota(expected.begin(), expected.end(), 0);
    if (sorted != expected) {
        return c.invalid("perm is no permutation of the input's " + std::to_string(input.size()) +
                         " axes");
    }
    Shape output;
    for (const int64_t axis : perm) {
        output.push_back(input[static_cast<size_t>(axis)]);
    }
    c.outputs = {output};
    c.node.attributes["perm"] = perm;
    return Status();
}

Status infer_concat(NodeContext &c) {
    if (!c.node.has("axis")) {
        return c.invalid("axis is missing");
    }
    const Result<int64_t> axis = c.resolve_axis(c.node.attribute("axis", int64_t{0}), c.rank(0));
    if (!axis.ok()) {
        return axis.status();
    }
    const auto along = static_cast<size_t>(axis.value());
    Shape output = c.shape(0);
    for (size_t i = 1; i < c.node.inputs.size(); ++i) {
        Shape other = c.shape(i);
        if (other.size() == output.size()) {
            output[along] += other[along];
            other[along] = output[along];
        }
        if (other != output) {
            return c.invalid("input " + std::to_string(i) + " has shape " + shape_text(c.shape(i)) +
                             ", input 0 has " + shape_text(c.shape(0)));
        }
    }
    c.outputs = {output};
    c.node.attributes["axis"] = axis.value();
    if (c.node.inputs.size() == 1) {
        c.become_unary("Identity");
    }
    return Status();
}

namespace {

Result<Ints> split_sizes(const NodeContext &c, int64_t extent) {
    Result<Ints> given = input_or_attribute(c, 13, "split");
    if (!given.ok() || !given.value().empty()) {
        return given;
    }
    const auto parts = c.node.attribute("num_outputs", static_cast<int64_t>(c.node.outputs.size()));
    if (parts < 1 || parts > kMaxNodeValues) {
        return c.invalid("num_outputs is " + std::to_string(parts));
    }
    // From operator set 18 on the last part may be smaller; before, extents had to divide.
    const int64_t size = (extent + parts - 1) / parts;
    if (c.opset() < 18 && size * parts != extent) {
        return c.invalid("extent " + std::to_string(extent) + " does not split into " +
                         std::to_string(parts) + " equal parts");
    }
    Ints sizes(static_cast<size_t>(parts), size);
    sizes.back() = extent - size * (parts - 1);
    return sizes;
}

}  // namespace

Status infer_split(NodeContext &c) {
    const Result<int64_t> axis = c.resolve_axis(c.node.attribute("axis", int64_t{0}), c.rank(0));
    if (!axis.ok()) {
        return axis.status();
    }
    const auto along = static_cast<size_t>(axis.value());
    const int64_t extent = c.shape(0)[along];
    const Result<Ints> sizes = split_sizes(c, extent);
    if (!sizes.ok()) {
        return sizes.status();
    }
    int64_t sum = 0;
    for (const int64_t size : sizes.value()) {
        if (size < 0 || size > extent) {
            return c.invalid("a part of " + std::to_string(size) + " of extent " +
                             std::to_string(extent));
        }
        sum += size;
        Shape output = c.shape(0);
        output[along] = size;
        c.outputs.push_back(output);
    }
    if (sum != extent || sizes.value().size() < c.node.outputs.size()) {
        return c.invalid(std::to_string(sizes.value().size()) + " parts sum to " +
                         std::to_string(sum) + ", expected " + std::to_string(extent) + " in " +
                         std::to_string(c.node.outputs.size()) + " parts");
    }
    c.node.outputs.resize(sizes.value().size());
    c.node.inputs.resize(1);
    c.node.attributes.clear();
    c.node.attributes["axis"] = axis.value();
    c.node.attributes["split"] = sizes.value();
    return Status();
}

namespace {

struct SliceParameters {
    Ints starts, ends, axes, steps;
};

Result<SliceParameters> slice_parameters(const NodeContext &c) {
    SliceParameters given;
    if (c.opset() < 10) {
        given.starts = c.node.attribute("starts", Ints());
        given.ends = c.node.attribute("ends", Ints());
        given.axes = c.node.attribute("axes", Ints());
    } else {
        const std::pair<const char *, Ints *> parameters[] = {{"starts", &given.starts},
                                                              {"ends", &given.ends},
                                                              {"axes", &given.axes},
                                                              {"steps", &given.steps}};
        for (size_t i = 0; i < 4; ++i) {
            if (i >= 2 && !c.has_input(i + 1)) {
                continue;
            }
            Result<Ints> values = c.constant_ints(i + 1, parameters[i].first);
            if (!values.ok()) {
                return values.status();
            }
            *parameters[i].second = std::move(values).value();
        }
    }
    const size_t count = given.starts.size();
    if (given.axes.empty()) {
        given.axes.resize(count);
        std::iota(given.axes.begin(), given.axes.end(), 0);
    }
    if (given.steps.empty()) {
        given.steps.assign(count, 1);
    }
    if (given.ends.size() != count || given.axes.size() != count || given.steps.size() != count) {
        return c.invalid("starts, ends, axes and steps have different lengths");
    }
    return given;
}

/// ONNX's clamping: ascending slices within [0, extent], descending ones start within
/// [0, extent - 1] and end within [-1, extent - 1].
void clamp_slice(int64_t extent, int64_t &start, int64_t &end, int64_t &step) {
    step = std::clamp(step, -kMaxExtent, kMaxExtent);
    start += start < 0 ? extent : 0;
    end += end < 0 ? extent : 0;
    if (step > 0) {
        start = std::clamp<int64_t>(start, 0, extent);
        end = std::clamp<int64_t>(end, 0, extent);
    } else {
        start = std::clamp<int64_t>(start, 0, std::max<int64_t>(extent - 1, 0));
        end = std::clamp<int64_t>(end, -1, std::max<int64_t>(extent - 1, 0));
        end = extent == 0 ? start : end;
    }
}

}  // namespace

Status infer_slice(NodeContext &c) {
    const Result<SliceParameters> given = slice_parameters(c);
    if (!given.ok()) {
        return given.status();
    }
    const Result<Ints> axes = c.resolve_axes(given.value().axes, c.rank(0));
    if (!axes.ok()) {
        return axes.status();
    }
    Shape output = c.shape(0);
    Ints starts(output.size(), 0);
    Ints ends = output;
    Ints steps(output.size(), 1);
    Ints all(output.size());
    std::iota(all.begin(), all.end(), 0);
    for (size_t i = 0; i < axes.value().size(); ++i) {
        const auto axis = static_cast<size_t>(axes.value()[i]);
        int64_t start = given.value().starts[i];
        int64_t end = given.value().ends[i];
        int64_t step = given.value().steps[i];
        if (step == 0) {
            return c.invalid("steps[" + std::to_string(i) + "] is 0");
        }
        clamp_slice(output[axis], start, end, step);
        const int64_t distance = step > 0 ? end - start : start - end;
        const int64_t stride = step > 0 ? step : -step;
        starts[axis] = start;
        ends[axis] = end;
        steps[axis] = step;
        output[axis] = distance <= 0 ? 0 : (distance + stride - 1) / stride;
    }
    c.outputs = {output};
    c.node.inputs.resize(1);
    c.node.attributes.clear();
    c.node.attributes["starts"] = starts;
    c.node.attributes["ends"] = ends;
    c.node.attributes["axes"] = all;
    c.node.attributes["steps"] = steps;
    return Status();
}

namespace {

/// Checks the input and `mode`, which becomes explicit; returns the block size.
Result<int64_t> block_size(NodeContext &c) {
    const int64_t block = c.node.attribute("blocksize", int64_t{0});
    c.node.attributes["mode"] = c.node.attribute("mode", std::string("DCR"));
    if (c.rank(0) != 4) {
        return c.invalid("the input has shape " + shape_text(c.shape(0)) + ", expected rank 4");
    }
    if (block < 1 || block > 65536) {
        return c.invalid("blocksize is " + std::to_string(block));
    }
    return block;
}

}  // namespace

Status infer_depth_to_space(NodeContext &c) {
    const Result<int64_t> block = block_size(c);
    if (!block.ok()) {
        return block.status();
    }
    const Shape &in = c.shape(0);
    const int64_t b = block.value();
    if (in[1] % (b * b) != 0) {
        return c.invalid(std::to_string(in[1]) + " channels are not divisible by blocksize " +
                         std::to_string(b) + " squared");
    }
    c.outputs = {{in[0], in[1] / (b * b), in[2] * b, in[3] * b}};
    return Status();
}

Status infer_space_to_depth(NodeContext &c) {
    const Result<int64_t> block = block_size(c);
    if (!block.ok()) {
        return block.status();
    }
    const Shape &in = c.shape(0);
    const int64_t b = block.value();
    if (in[2] % b != 0 || in[3] % b != 0) {
        return c.invalid("the image " + shape_text(in) + " is not divisible by blocksize " +
                         std::to_string(b));
    }
    c.outputs = {{in[0], in[1] * b * b, in[2] / b, in[3] / b}};
    return Status();
}

}  // namespace sepconv
