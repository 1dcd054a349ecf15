#include <fmt/format.h>

#include <algorithm>

#include "compiler/lowering.h"
#include "compiler/resize_tables.h"

namespace sepconv {
namespace {

Window pool_window(const Node &node) {
    const std::vector<int64_t> none;
    const std::vector<int64_t> kernel = node.attribute("kernel_shape", none);
    const std::vector<int64_t> strides = node.attribute("strides", none);
    const std::vector<int64_t> dilations = node.attribute("dilations", none);
    const std::vector<int64_t> pads = node.attribute("pads", none);
    Window w;
    const size_t last = kernel.size() - 1;
    w.kernel_w = static_cast<int>(kernel[last]);
    w.stride_w = static_cast<int>(strides[last]);
    w.dilation_w = dilations.empty() ? 1 : static_cast<int>(dilations[last]);
    w.pad_left = static_cast<int>(pads[last]);
    w.pad_right = static_cast<int>(pads[2 * last + 1]);
    if (last == 1) {
        w.kernel_h = static_cast<int>(kernel[0]);
        w.stride_h = static_cast<int>(strides[0]);
        w.dilation_h = dilations.empty() ? 1 : static_cast<int>(dilations[0]);
        w.pad_top = static_cast<int>(pads[0]);
        w.pad_bottom = static_cast<int>(pads[2]);
    }
    return w;
}

PoolKind reduction_kind(const Node &node) {
    const bool maximum = node.op == "GlobalMaxPool" || node.op == "ReduceMax";
    return maximum ? PoolKind::kMax : PoolKind::kAverage;
}

}  // namespace

Status Lowering::pool(const Pool &kernel, const View &in, const View &out,
                      const FusedSteps &epilogue) {
    Pool pool = kernel;
    View source = in;
    if (in.shape.size() == 4 && in.shape[1] > 1 && in.strides[1] != 1) {
        Result<View> copied = channels_last_copy(in);
        SEPCONV_RETURN_IF_ERROR(copied.status());
        source = copied.value();
    }
    pool.input = image_of(source, is_padded(source));
    pool.output = image_of(out, is_padded(out));
    std::vector<Place> places = {batched_place(source)};
    std::vector<Image> operands;
    Result<Epilogue> steps = place_epilogue(
        epilogue, 0, pool.output.channels, 1, out.shape, [](const View &view) { return view; },
        places, operands);
    SEPCONV_RETURN_IF_ERROR(steps.status());
    pool.epilogue = steps.value();
    places.push_back(batched_place(out));
    return add_step(pool, batch_of(source), std::move(places));
}

Status Lowering::lower_pool(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    if (node.outputs.size() > 1 && !node.outputs[1].empty()) {
        return unsupported(node, "the indices output is not supported");
    }
    Pool kernel;
    kernel.window = pool_window(node);
    if (node.op == "AveragePool") {
        kernel.kind = node.attribute("count_include_pad", int64_t{0}) != 0
                          ? PoolKind::kAverageIncludingPad
                          : PoolKind::kAverage;
    }
    const View out = destination(group.output);
    views_[group.output] = out;
    return pool(kernel, view_of(node.input(0)), out, group.epilogue);
}

// One window over the whole image, for every image of the batch.
Status Lowering::lower_global_pool(const Group &group, const View &in) {
    const View target = output_as(group.output, {in.shape[0], in.shape[1], 1, 1});
    Pool kernel;
    kernel.kind = reduction_kind(graph_.nodes[group.anchor]);
    kernel.window.kernel_h = static_cast<int>(in.shape[2]);
    kernel.window.kernel_w = static_cast<int>(in.shape[3]);
    SEPCONV_RETURN_IF_ERROR(pool(kernel, in, target, group.epilogue));
    return finish_output(group.output, target);
}

// The reduced axes become the window; what is kept, channels and batch.
Status Lowering::lower_reduce(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    const View in = view_of(node.input(0));
    const size_t rank = in.shape.size();
    const bool global = node.op.rfind("Global", 0) == 0;
    std::vector<int64_t> axes = node.attribute("axes", std::vector<int64_t>{});
    if (global) {
        axes.clear();
        for (size_t d = 2; d < rank; d++) axes.push_back(static_cast<int64_t>(d));
    }
    if (rank == 4 && axes == std::vector<int64_t>{2, 3}) return lower_global_pool(group, in);
    std::vector<int64_t> perm;  // Kept axes, then reduced ones.
    int64_t kept = 1, reduced = 1;
    for (size_t d = 0; d < rank; d++) {
        if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(d)) != axes.end()) continue;
        perm.push_back(static_cast<int64_t>(d));
        kept *= in.shape[d];
    }
    for (int64_t axis : axes) perm.push_back(axis), reduced *= in.shape[axis];
    // [kept, reduced]: reduce over one long row of `reduced` pixels with `kept` channels.
    Result<View> matrix = as_shape(transposed(in, perm), {1, kept, 1, reduced});
    SEPCONV_RETURN_IF_ERROR(matrix.status());
    const View target = output_as(group.output, {1, kept, 1, 1});
    Pool kernel;
    kernel.kind = reduction_kind(node);
    kernel.window.kernel_w = static_cast<int>(reduced);
    SEPCONV_RETURN_IF_ERROR(pool(kernel, matrix.value(), target, group.epilogue));
    return finish_output(group.output, target);
}

Status Lowering::lower_resize(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    View in = view_of(node.input(0));
    const View out = destination(group.output);
    views_[group.output] = out;
    const std::vector<int64_t> numerators = node.attribute("scale_numerators", Shape{});
    const std::vector<int64_t> denominators = node.attribute("scale_denominators", Shape{});
    const std::vector<float> roi = node.attribute("roi", std::vector<float>{});
    if (node.attribute("antialias", int64_t{0}) != 0) {
        return unsupported(node, "antialias is not supported");
    }
    const bool crops =
        node.attribute("coordinate_transformation_mode", std::string()) == "tf_crop_and_resize";
    if (crops && node.attribute("extrapolation_value", 0.0F) != 0.0F) {
        return unsupported(node, "an extrapolation_value other than 0 is not supported");
    }
    if (in.shape.size() != 4 || in.shape[0] != out.shape[0] || in.shape[1] != out.shape[1]) {
        return unsupported(node, "only H and W of a 4-D tensor can be resized");
    }
    if (in.shape[1] > 1 && in.strides[1] != 1) {
        Result<View> copied = channels_last_copy(in);
        SEPCONV_RETURN_IF_ERROR(copied.status());
        in = copied.value();
    }
    Resize kernel;
    std::vector<Place> places = {batched_place(in)};
    kernel.input = image_of(in, is_padded(in));
    kernel.output = image_of(out, is_padded(out));
    kernel.taps = resize_taps(node.attribute("mode", std::string("nearest")));
    // One tap is copied whatever its weight, which is 0 outside of what is cropped.
    if (crops) kernel.taps = std::max(kernel.taps, 2);
    SEPCONV_RETURN_IF_ERROR(claim(2 * kernel.taps * (out.shape[2] + out.shape[3])));
    for (int d = 2; d < 4; d++) {
        ResizeAxis axis;
        axis.in = in.shape[d], axis.out = out.shape[d];
        axis.scale = {numerators[d], denominators[d]};
        if (roi.size() == 8) axis.roi_start = roi[d], axis.roi_end = roi[d + 4];
        axis.mode = node.attribute("mode", std::string("nearest"));
        axis.coordinates = node.attribute("coordinate_transformation_mode", std::string());
        axis.nearest = node.attribute("nearest_mode", std::string());
        axis.cubic_a = node.attribute("cubic_coeff_a", -0.75F);
        axis.exclude_outside = node.attribute("exclude_outside", int64_t{0}) != 0;
        Result<AxisTable> table = resize_table(axis, kernel.taps);
        if (!table.ok()) return unsupported(node, table.status().message());
        places.push_back(constant_ints(table.value().index));
        places.push_back(constant_floats(table.value().weight));
    }
    std::vector<Image> operands;
    Result<Epilogue> steps = place_epilogue(
        group.epilogue, 0, kernel.output.channels, 1, out.shape,
        [](const View &view) { return view; }, places, operands);
    SEPCONV_RETURN_IF_ERROR(steps.status());
    kernel.epilogue = steps.value();
    places.push_back(batched_place(out));
    return add_step(kernel, batch_of(in), std::move(places));
}

Status Lowering::lower_softmax(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    View in = view_of(node.input(0));
    const auto axis = static_cast<size_t>(node.attribute("axis", int64_t{0}));
    const bool coerced = node.attribute("coerced", int64_t{0}) != 0;
    Shape matrix = {1, 1, 1};  // outer, extent, inner
    for (size_t d = 0; d < in.shape.size(); d++) {
        const size_t part = d < axis ? 0 : (d == axis || coerced) ? 1 : 2;
        matrix[part] *= in.shape[d];
    }
    Result<View> source = as_shape(in, matrix);
    SEPCONV_RETURN_IF_ERROR(source.status());
    const View target = output_as(group.output, matrix);
    Softmax kernel;
    kernel.outer = matrix[0], kernel.extent = matrix[1], kernel.inner = matrix[2];
    for (int d = 0; d < 3; d++) {
        kernel.input[d] = source.value().strides[d];
        kernel.output[d] = target.strides[d];
    }
    SEPCONV_RETURN_IF_ERROR(add_step(kernel, 1, {place_of(source.value()), place_of(target)}));
    return finish_output(group.output, target);
}

}  // namespace sepconv
