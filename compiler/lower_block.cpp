// Blocks of a depthwise or several stages, stage by stage.
#include <algorithm>
#include <tuple>

#include "compiler/lowering.h"

namespace sepconv {
namespace {

View whole(const View &view) {
    return view;
}

/// A pair of numbers of an attribute; rank 3 gives the second only.
std::pair<int, int> pair_of(const Node &node, const char *key, int otherwise) {
    const std::vector<int64_t> values = node.attribute(key, std::vector<int64_t>{});
    if (values.empty()) return {otherwise, otherwise};
    if (values.size() == 1) return {otherwise, static_cast<int>(values[0])};
    return {static_cast<int>(values[0]), static_cast<int>(values[1])};
}

}  // namespace

Kernel2d kernel_of(const Shape &weights) {
    return weights.size() == 3 ? Kernel2d{1, weights[2]} : Kernel2d{weights[2], weights[3]};
}

Window window_of(const Node &node, const Kernel2d &kernel) {
    Window w;
    w.kernel_h = static_cast<int>(kernel.h), w.kernel_w = static_cast<int>(kernel.w);
    std::tie(w.stride_h, w.stride_w) = pair_of(node, "strides", 1);
    std::tie(w.dilation_h, w.dilation_w) = pair_of(node, "dilations", 1);
    const std::vector<int64_t> pads = node.attribute("pads", std::vector<int64_t>{0, 0, 0, 0});
    if (pads.size() == 4) {
        w.pad_top = static_cast<int>(pads[0]), w.pad_left = static_cast<int>(pads[1]);
        w.pad_bottom = static_cast<int>(pads[2]), w.pad_right = static_cast<int>(pads[3]);
    } else {
        w.pad_left = static_cast<int>(pads[0]), w.pad_right = static_cast<int>(pads[1]);
    }
    return w;
}

Result<Convolution> Lowering::place_pointwise(const Node &node, const FusedSteps &steps,
                                              int64_t multiplier, const Shape &out_shape,
                                              std::vector<Place> &places,
                                              std::vector<Image> &operands) {
    Result<const Constant *> weights = constant_of(node, 1);
    SEPCONV_RETURN_IF_ERROR(weights.status());
    const Shape &shape = weights.value()->shape;
    const int64_t channels = shape[1] / multiplier;
    Convolution layer;
    layer.in_channels = static_cast<int>(shape[1]);
    layer.out_channels = static_cast<int>(shape[0]);
    SEPCONV_RETURN_IF_ERROR(claim(whole_panels(shape[0]) * (shape[1] + 1)));
    places.push_back(constant_floats(
        pack_convolution(shape[0], shape[1], 1, 1, [&](int64_t co, int64_t ci, int64_t, int64_t) {
            const int64_t natural = ci % channels * multiplier + ci / channels;
            return weights.value()->floats()[co * shape[1] + natural];
        })));
    places.push_back(constant_floats(pack_channels(shape[0], 1, bias_of(node))));
    Result<Epilogue> epilogue =
        place_epilogue(steps, 0, shape[0], 1, out_shape, whole, places, operands);
    SEPCONV_RETURN_IF_ERROR(epilogue.status());
    layer.epilogue = epilogue.value();
    return layer;
}

Result<Depthwise> Lowering::place_depthwise(const Node &node, const FusedSteps &steps,
                                            const Shape &out_shape, std::vector<Place> &places,
                                            std::vector<Image> &operands) {
    Result<const Constant *> weights = constant_of(node, 1);
    SEPCONV_RETURN_IF_ERROR(weights.status());
    const std::vector<float> &values = weights.value()->floats();
    const Kernel2d kernel = kernel_of(weights.value()->shape);
    Depthwise layer;
    layer.channels = static_cast<int>(graph_.shape_of(node.input(0))[1]);
    layer.multiplier = static_cast<int>(weights.value()->shape[0]) / layer.channels;
    layer.window = window_of(node, kernel);
    SEPCONV_RETURN_IF_ERROR(
        claim(layer.multiplier * whole_panels(layer.channels) * (layer.window.taps() + 1)));
    places.push_back(
        constant_floats(pack_depthwise(layer.channels, layer.multiplier, kernel.h, kernel.w,
                                       [&](int64_t co, int64_t, int64_t ky, int64_t kx) {
                                           return values[(co * kernel.h + ky) * kernel.w + kx];
                                       })));
    places.push_back(
        constant_floats(pack_channels(layer.channels, layer.multiplier, bias_of(node))));
    Result<Epilogue> epilogue = place_epilogue(steps, 0, layer.channels, layer.multiplier,
                                               out_shape, whole, places, operands);
    SEPCONV_RETURN_IF_ERROR(epilogue.status());
    layer.epilogue = epilogue.value();
    return layer;
}

Status Lowering::place_stage(const FusedStage &stage, const Shape &out_shape,
                             std::vector<Place> &places, Block &block) {
    if (stage.id == StageId::kOutput) {
        Result<Epilogue> epilogue = place_epilogue(stage.epilogue, 0, out_shape[1], 1, out_shape,
                                                   whole, places, block.operands);
        SEPCONV_RETURN_IF_ERROR(epilogue.status());
        block.epilogue = epilogue.value();
        return Status();
    }
    const Node &node = graph_.nodes[stage.node];
    if (stage.id == StageId::kDepthwise || stage.id == StageId::kCheap) {
        Result<Depthwise> layer =
            place_depthwise(node, stage.epilogue, out_shape, places, block.operands);
        SEPCONV_RETURN_IF_ERROR(layer.status());
        (stage.id == StageId::kCheap ? block.cheap : block.depthwise) = layer.value();
        return Status();
    }
    const bool projects = stage.id == StageId::kProject;
    const int64_t multiplier = projects && block.depthwise ? block.depthwise->multiplier : 1;
    Result<Convolution> layer =
        place_pointwise(node, stage.epilogue, multiplier, out_shape, places, block.operands);
    SEPCONV_RETURN_IF_ERROR(layer.status());
    switch (stage.id) {
        case StageId::kExpand:
            block.expand = layer.value();
            break;
        case StageId::kReduce:
            block.squeeze.emplace().reduce = layer.value();
            break;
        case StageId::kExcite:
            block.squeeze->excite = layer.value();
            break;
        default:
            block.project = layer.value();
    }
    return Status();
}

namespace {

/// Whether a window over one row or one column computes several: its taps then share loads, and
/// Halide hoists a shared load out of the mask that keeps it within the channels.
bool grows_from_one(const Shape &in, const Shape &out) {
    for (size_t axis = 2; axis < in.size(); axis++) {
        if (in[axis] == 1 && out[axis] > 1) return true;
    }
    return false;
}

}  // namespace

Status Lowering::lower_block(const Group &group) {
    View in = view_of(group.input);
    const bool expands = group.stage(StageId::kExpand) != nullptr;
    // Read in vectors of channels.
    const bool scattered = in.shape[1] > 1 && in.strides[1] != 1;
    const bool overruns = !is_padded(in) && grows_from_one(in.shape, graph_.shape_of(group.output));
    if (!expands && (scattered || overruns)) {
        Result<View> copied = channels_last_copy(in);
        SEPCONV_RETURN_IF_ERROR(copied.status());
        in = copied.value();
    }
    const View out = destination(group.output);
    const Shape &out_shape = graph_.shape_of(group.output);
    views_[group.output] = out;
    Block block;
    block.input = image_of(in, is_padded(in));
    block.output = image_of(out, is_padded(out));
    std::vector<Place> places = {batched_place(in)};
    for (const FusedStage &stage : group.stages) {
        SEPCONV_RETURN_IF_ERROR(place_stage(stage, out_shape, places, block));
    }
    places.push_back(batched_place(out));
    return add_step(block, batch_of(out), std::move(places));
}

}  // namespace sepconv
