#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "compiler/lowering.h"
#include "compiler/resize_tables.h"

namespace sepconv {
namespace {

/// One axis of a map: extent, then the strides of output, input and operands.
struct Axis {
    int64_t extent;
    std::vector<int64_t> strides;
};

bool continues(const Axis &outer, const Axis &inner) {
    for (size_t i = 0; i < outer.strides.size(); i++) {
        if (outer.strides[i] != inner.strides[i] * inner.extent) return false;
    }
    return true;
}

/// The fewest axes that visit the same elements, outermost first by the output's strides.
std::vector<Axis> canonical_axes(const std::vector<const View *> &views) {
    std::vector<Axis> axes;
    for (size_t d = 0; d < views[0]->shape.size(); d++) {
        if (views[0]->shape[d] == 1) continue;
        Axis axis{views[0]->shape[d], {}};
        for (const View *view : views) axis.strides.push_back(view->strides[d]);
        axes.push_back(axis);
    }
    std::stable_sort(axes.begin(), axes.end(),
                     [](const Axis &a, const Axis &b) { return a.strides[0] > b.strides[0]; });
    std::vector<Axis> merged;
    for (const Axis &axis : axes) {
        if (!merged.empty() && continues(merged.back(), axis)) {
            merged.back().extent *= axis.extent;
            merged.back().strides = axis.strides;
        } else {
            merged.push_back(axis);
        }
    }
    return merged;
}

/// The view from its element of the lowest address.
View lowest(View view) {
    for (size_t d = 0; d < view.shape.size(); d++) {
        view.offset += std::min<int64_t>(view.strides[d], 0) * (view.shape[d] - 1);
    }
    return view;
}

/// The view with every axis as two: its repetitions, which do not move, and the view's own.
View repeated(const View &view, const std::vector<int64_t> &repeats) {
    View result{view.storage, view.offset, {}, {}};
    for (size_t d = 0; d < repeats.size(); d++) {
        result.shape.insert(result.shape.end(), {repeats[d], view.shape[d]});
        result.strides.insert(result.strides.end(), {0, view.strides[d]});
    }
    return result;
}

int extended_axes(const View &view) {
    return static_cast<int>(std::count_if(view.shape.begin(), view.shape.end(),
                                          [](int64_t extent) { return extent > 1; }));
}

/// Positions along an axis at equal distances.
struct Positions {
    int64_t start = 0, step = 1, count = 1;
};

/// The indices as runs, each as long as it can be.
std::vector<Positions> runs_of(const std::vector<int64_t> &indices) {
    std::vector<Positions> runs;
    for (size_t i = 0; i < indices.size(); i++) {
        Positions *run = runs.empty() ? nullptr : &runs.back();
        if (run != nullptr && run->count == 1) run->step = indices[i] - run->start;
        if (run != nullptr && indices[i] == run->start + run->step * run->count) {
            run->count++;
        } else {
            runs.push_back({indices[i], 1, 1});
        }
    }
    return runs;
}

}  // namespace

Status Lowering::map(const View &out, const View &in, const Epilogue &epilogue,
                     const std::vector<View> &operands) {
    std::vector<const View *> views = {&out, &in};
    for (const View &operand : operands) views.push_back(&operand);
    const std::vector<Axis> axes = canonical_axes(views);
    if (axes.size() > kMapRank) {
        return unsupported(*current_, fmt::format("needs a copy over {} axes, the most is {}",
                                                  axes.size(), kMapRank));
    }
    Map kernel;
    kernel.epilogue = epilogue;
    kernel.operands.resize(operands.size());
    for (size_t i = 0; i < axes.size(); i++) {
        const size_t d = kMapRank - axes.size() + i;
        kernel.extent[d] = axes[i].extent;
        kernel.output[d] = axes[i].strides[0];
        kernel.input[d] = axes[i].strides[1];
        for (size_t k = 0; k < operands.size(); k++) {
            kernel.operands[k][d] = axes[i].strides[2 + k];
        }
    }
    std::vector<Place> places;
    for (size_t i = 1; i < views.size(); i++) places.push_back(place_of(lowest(*views[i])));
    places.push_back(place_of(out));
    return add_step(kernel, 1, std::move(places));
}

Status Lowering::ascend_inputs(const Group &group) {
    for (const int node : group.nodes) {
        for (const std::string &input : graph_.nodes[node].inputs) {
            auto known = views_.find(input);
            if (known == views_.end() || ascends(known->second)) continue;
            Result<View> copied = channels_last_copy(known->second);
            SEPCONV_RETURN_IF_ERROR(copied.status());
            known->second = copied.value();
        }
    }
    return Status();
}

Status Lowering::bind(const std::string &value, const View &view) {
    if (destinations_.count(value) == 0) {
        views_[value] = view;
        return Status();
    }
    const View out = destination(value);
    views_[value] = out;
    return copy(view, out);
}

Result<View> Lowering::channels_last_copy(const View &view) {
    const View dense = new_tensor(view.shape, channels_last(view.shape));
    SEPCONV_RETURN_IF_ERROR(copy(view, dense));
    return dense;
}

Result<View> Lowering::as_shape(const View &view, const Shape &shape) {
    if (std::optional<View> alias = reshaped(view, shape)) return *alias;
    const View rows = new_tensor(shape, channels_last(shape));
    if (std::optional<View> target = reshaped(rows, view.shape)) {
        SEPCONV_RETURN_IF_ERROR(copy(view, *target));
        return rows;
    }
    const View plain = new_tensor(view.shape, row_major(view.shape));
    SEPCONV_RETURN_IF_ERROR(copy(view, plain));
    return *reshaped(plain, shape);
}

Status Lowering::lower_elementwise(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    const std::string &value = group.output;
    const Shape &shape = graph_.shape_of(value);
    // Any input may be broadcast here: all but the first become tensor operands with their strides.
    Graph scratch;
    scratch.values[node.outputs[0]].shape = shape;
    Node flat = node;
    for (size_t i = 0; i < flat.inputs.size(); i++) {
        flat.inputs[i] = fmt::format("{}", i);
        scratch.values[flat.inputs[i]].shape = shape;
    }
    std::optional<FusedSteps> steps = as_steps(scratch, flat, "0", shape, -1, true);
    if (!steps) return unsupported(node, "the operator is not supported");
    Epilogue epilogue;
    std::vector<View> operands;
    for (const FusedStep &fused : *steps) {
        epilogue.push_back(fused.step);
        if (fused.operand.empty()) continue;
        epilogue.back().operand = Operand::kTensor;
        operands.push_back(broadcast(view_of(node.input(std::stoul(fused.operand))), shape));
    }
    for (const FusedStep &fused : group.epilogue) {
        epilogue.push_back(fused.step);
        if (fused.operand.empty()) continue;
        epilogue.back().operand = Operand::kTensor;
        operands.push_back(broadcast(view_of(fused.operand), shape));
    }
    const View out = destination(value);
    views_[value] = out;
    return map(out, broadcast(view_of(node.input(0)), shape), epilogue, operands);
}

Status Lowering::lower_concat(const Node &node) {
    const View whole = destination(node.outputs[0]);
    views_[node.outputs[0]] = whole;
    const int axis = static_cast<int>(node.attribute("axis", int64_t{0}));
    int64_t start = 0;
    for (const std::string &input : node.inputs) {
        const View in = view_of(input);
        const View part = sliced(whole, axis, start, 1, in.shape[axis]);
        start += in.shape[axis];
        const bool there = in.storage == part.storage && in.offset == part.offset && ascends(in);
        if (!there) SEPCONV_RETURN_IF_ERROR(copy(in, part));
    }
    return Status();
}

Status Lowering::lower_pad(const Node &node) {
    const std::string mode = node.attribute("mode", std::string("constant"));
    const std::vector<int64_t> pads = node.attribute("pads", std::vector<int64_t>{});
    View in = view_of(node.input(0));
    const View out = destination(node.outputs[0]);
    views_[node.outputs[0]] = out;
    const size_t rank = in.shape.size();
    if (mode != "constant") return lower_gathered_pad(node, in, out, pads, mode);
    View interior = out;
    for (size_t d = 0; d < rank; d++) {
        const int64_t before = pads[d], after = pads[d + rank];
        const int64_t cut = std::max<int64_t>(0, -before);
        const int64_t kept = in.shape[d] - cut - std::max<int64_t>(0, -after);
        in = sliced(in, static_cast<int>(d), cut, 1, kept);
        interior = sliced(interior, static_cast<int>(d), std::max<int64_t>(0, before), 1, kept);
    }
    const View value = constant_view({}, {node.attribute("value", 0.0F)});
    SEPCONV_RETURN_IF_ERROR(copy(broadcast(value, out.shape), out));
    return copy(in, interior);
}

Status Lowering::lower_gathered_pad(const Node &node, View in, const View &out,
                                    const std::vector<int64_t> &pads, const std::string &mode) {
    if (in.shape.size() != 4 || pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0) {
        return unsupported(node, fmt::format("mode '{}' is computed on H and W only", mode));
    }
    if (!ascends(in)) {
        Result<View> copied = channels_last_copy(in);
        SEPCONV_RETURN_IF_ERROR(copied.status());
        in = copied.value();
    }
    Resize kernel;
    kernel.input = image_of(in, is_padded(in));
    kernel.output = image_of(out, is_padded(out));
    SEPCONV_RETURN_IF_ERROR(claim(2 * (out.shape[2] + out.shape[3])));
    const AxisTable rows = pad_table(in.shape[2], out.shape[2], pads[2], mode);
    const AxisTable columns = pad_table(in.shape[3], out.shape[3], pads[3], mode);
    return add_step(
        kernel, batch_of(in),
        {batched_place(in), constant_ints(rows.index), constant_floats(rows.weight),
         constant_ints(columns.index), constant_floats(columns.weight), batched_place(out)});
}

Status Lowering::lower_depth_to_space(const Node &node) {
    const View in = view_of(node.input(0));
    const int64_t b = node.attribute("blocksize", int64_t{1});
    const int64_t n = in.shape[0], c = in.shape[1], h = in.shape[2], w = in.shape[3];
    const Shape &out = graph_.shape_of(node.outputs[0]);
    Shape split;
    std::vector<int64_t> perm;
    const bool depth_first = node.attribute("mode", std::string("DCR")) == "DCR";
    if (node.op == "SpaceToDepth") {
        split = {n, c, h / b, b, w / b, b};
        perm = depth_first ? std::vector<int64_t>{0, 3, 5, 1, 2, 4}
                           : std::vector<int64_t>{0, 1, 3, 5, 2, 4};
    } else if (depth_first) {
        split = {n, b, b, c / (b * b), h, w}, perm = {0, 3, 4, 1, 5, 2};
    } else {
        split = {n, c / (b * b), b, b, h, w}, perm = {0, 1, 4, 2, 5, 3};
    }
    Result<View> parts = as_shape(in, split);
    SEPCONV_RETURN_IF_ERROR(parts.status());
    Result<View> whole = as_shape(transposed(parts.value(), perm), out);
    SEPCONV_RETURN_IF_ERROR(whole.status());
    return bind(node.outputs[0], whole.value());
}

Status Lowering::lower_tile(const Node &node) {
    View view = view_of(node.input(0));
    std::vector<int64_t> repeats = node.attribute("repeats", std::vector<int64_t>{});
    // One axis by itself while a map has too few axes for all.
    for (size_t d = 0; extended_axes(repeated(view, repeats)) > kMapRank; d++) {
        std::vector<int64_t> one(repeats.size(), 1);
        std::swap(one[d], repeats[d]);
        Shape shape = view.shape;
        shape[d] *= one[d];
        Result<View> tiled = as_shape(repeated(view, one), shape);
        SEPCONV_RETURN_IF_ERROR(tiled.status());
        view = tiled.value();
    }
    const View whole = repeated(view, repeats);
    const View out = output_as(node.outputs[0], whole.shape);
    SEPCONV_RETURN_IF_ERROR(copy(whole, out));
    return finish_output(node.outputs[0], out);
}

Status Lowering::lower_gather(const Node &node) {
    const View in = view_of(node.input(0));
    const int axis = static_cast<int>(node.attribute("axis", int64_t{0}));
    const std::vector<Positions> runs = runs_of(node.attribute("indices", std::vector<int64_t>{}));
    if (runs.size() == 1) {
        const View run = sliced(in, axis, runs[0].start, runs[0].step, runs[0].count);
        Result<View> view = as_shape(run, graph_.shape_of(node.outputs[0]));
        SEPCONV_RETURN_IF_ERROR(view.status());
        return bind(node.outputs[0], view.value());
    }
    Shape shape = in.shape;
    shape[axis] = 0;
    for (const Positions &run : runs) shape[axis] += run.count;
    const View out = output_as(node.outputs[0], shape);
    int64_t first = 0;
    for (const Positions &run : runs) {
        SEPCONV_RETURN_IF_ERROR(copy(sliced(in, axis, run.start, run.step, run.count),
                                     sliced(out, axis, first, 1, run.count)));
        first += run.count;
    }
    return finish_output(node.outputs[0], out);
}

Status Lowering::lower_movement(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    if (node.op == "Concat") return lower_concat(node);
    if (node.op == "Pad") return lower_pad(node);
    if (node.op == "DepthToSpace" || node.op == "SpaceToDepth") return lower_depth_to_space(node);
    if (node.op == "Tile") return lower_tile(node);
    if (node.op == "Gather") return lower_gather(node);
    View view = view_of(node.input(0));
    if (node.op == "Split") {
        const int axis = static_cast<int>(node.attribute("axis", int64_t{0}));
        int64_t start = 0;
        for (const std::string &output : node.outputs) {
            const int64_t extent = graph_.shape_of(output)[axis];
            SEPCONV_RETURN_IF_ERROR(bind(output, sliced(view, axis, start, 1, extent)));
            start += extent;
        }
        return Status();
    }
    const Shape &shape = graph_.shape_of(node.outputs[0]);
    if (node.op == "Transpose") {
        view = transposed(view, node.attribute("perm", std::vector<int64_t>{}));
    } else if (node.op == "Slice") {
        const std::vector<int64_t> starts = node.attribute("starts", std::vector<int64_t>{});
        const std::vector<int64_t> steps = node.attribute("steps", std::vector<int64_t>{});
        for (size_t d = 0; d < shape.size(); d++) {
            view = sliced(view, static_cast<int>(d), starts[d], steps[d], shape[d]);
        }
    } else if (node.op == "Expand") {
        view = broadcast(view, shape);
    } else if (node.op == "Reshape") {
        Result<View> other = as_shape(view, shape);
        SEPCONV_RETURN_IF_ERROR(other.status());
        view = other.value();
    }
    return bind(node.outputs[0], view);
}

}  // namespace sepconv
