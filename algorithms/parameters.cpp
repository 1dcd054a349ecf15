#include "algorithms/parameters.h"

#include <cstdlib>

#include "algorithms/stages.h"
#include "layer/shape.h"

namespace sepconv {
namespace {

using Halide::Float;
using Halide::ImageParam;
using Halide::Int;

/// Fixes dimension `d` to [0, extent) with the given stride.
void fix(ImageParam &buffer, int d, int64_t extent, int64_t stride) {
    buffer.dim(d).set_bounds(0, static_cast<int>(extent)).set_stride(static_cast<int>(stride));
}

/// A dense buffer with these extents, innermost first.
ImageParam dense(const std::string &name, Halide::Type type, const std::vector<int64_t> &extents) {
    ImageParam buffer(type, static_cast<int>(extents.size()), name);
    int64_t stride = 1;
    for (size_t d = 0; d < extents.size(); d++) {
        fix(buffer, static_cast<int>(d), extents[d], stride);
        stride *= extents[d];
    }
    return buffer;
}

ImageParam image(const std::string &name, const Image &layout) {
    ImageParam buffer(Float(32), 3, name);
    constrain_image(buffer, layout, layout.padded);
    return buffer;
}

ImageParam map_operand(const std::string &name, const MapIndex &extent, const MapIndex &stride) {
    ImageParam buffer(Float(32), kMapRank, name);
    for (int d = 0; d < kMapRank; d++) {  // MapIndex is outermost first, Halide innermost first.
        const int from = kMapRank - 1 - d;
        fix(buffer, d, stride[from] == 0 ? 1 : extent[from], std::abs(stride[from]));
    }
    return buffer;
}

ImageParam declare_weights(const StageRef &stage, const std::string &name) {
    const int64_t panels = round_up_to_panel(stage.channels);
    if (stage.depthwise != nullptr) {
        const Window &w = stage.depthwise->window;
        return dense(name, Float(32),
                     {panels, w.kernel_w, w.kernel_h, stage.depthwise->multiplier});
    }
    const Window &w = stage.convolution->window;
    return dense(name, Float(32),
                 {kPanel, stage.convolution->in_channels, w.kernel_w, w.kernel_h, panels / kPanel});
}

ImageParam declare_per_channel(const StageRef &stage, const std::string &name) {
    const int64_t padded = round_up_to_panel(stage.channels);
    if (stage.depthwise == nullptr) return dense(name, Float(32), {padded});
    return dense(name, Float(32), {padded, stage.depthwise->multiplier});
}

struct Declare {
    const KernelArgument &argument;

    ImageParam operator()(const Block &block) const {
        const StageRef stage = stage_of(block, argument.stage);
        switch (argument.role) {
            case Role::kWeights:
                return declare_weights(stage, argument.name);
            case Role::kBias:
            case Role::kChannel:
                return declare_per_channel(stage, argument.name);
            case Role::kTensor:
                return image(argument.name,
                             block.operands[tensor_ordinal(*stage.epilogue, argument.step)]);
            default:
                return image(argument.name, block.input);
        }
    }
    ImageParam operator()(const Pool &pool) const { return on_image(pool.input, pool.output); }
    ImageParam operator()(const Resize &resize) const {
        if (argument.role != Role::kResizeIndex && argument.role != Role::kResizeWeight) {
            return on_image(resize.input, resize.output);
        }
        const bool rows = argument.name.back() == 'y';
        return dense(argument.name,
                     argument.role == Role::kResizeIndex ? Halide::Type(Int(32)) : Float(32),
                     {rows ? resize.output.height : resize.output.width, resize.taps});
    }
    ImageParam operator()(const Map &map) const {
        if (argument.role == Role::kInput) {
            return map_operand(argument.name, map.extent, map.input);
        }
        return map_operand(argument.name, map.extent,
                           map.operands[tensor_ordinal(map.epilogue, argument.step)]);
    }
    ImageParam operator()(const Softmax &softmax) const {
        ImageParam buffer(Float(32), 3, argument.name);
        fix(buffer, 0, softmax.inner, softmax.input[2]);
        fix(buffer, 1, softmax.extent, softmax.input[1]);
        fix(buffer, 2, softmax.outer, softmax.input[0]);
        return buffer;
    }

private:
    ImageParam on_image(const Image &input, const Image &output) const {
        if (argument.role == Role::kScalar) return dense(argument.name, Float(32), {1});
        if (argument.role == Role::kChannel) {
            return dense(argument.name, Float(32), {round_up_to_panel(output.channels)});
        }
        return image(argument.name, input);
    }
};

}  // namespace

void constrain_image(Halide::OutputImageParam &buffer, const Image &image, bool vector_padded) {
    const int channels =
        vector_padded && image.stride_c == 1 ? round_up_to_panel(image.channels) : image.channels;
    buffer.dim(0).set_bounds(0, channels).set_stride(static_cast<int>(image.stride_c));
    buffer.dim(1).set_bounds(0, image.width).set_stride(static_cast<int>(image.stride_x));
    buffer.dim(2).set_bounds(0, image.height).set_stride(static_cast<int>(image.stride_y));
}

Parameters::Parameters(const Kernel &kernel, Rows rows) {
    const Kernel *declared = &kernel;
    Kernel flat;
    const Block *block = std::get_if<Block>(&kernel);
    if (block != nullptr && rows == Rows::kFlattened) {
        flat = flattened(*block);
        declared = &flat;
    }
    for (const KernelArgument &argument : arguments_of(*declared)) {
        if (argument.role == Role::kOutput) continue;
        if (argument.role == Role::kScalar) {
            by_name_.emplace(argument.name, dense(argument.name, Float(32), {1}));
        } else {
            by_name_.emplace(argument.name, std::visit(Declare{argument}, *declared));
        }
        order_.push_back(argument.name);
    }
}

std::vector<ImageParam> Parameters::in_order() const {
    std::vector<ImageParam> buffers;
    buffers.reserve(order_.size());
    for (const std::string &name : order_) buffers.push_back(by_name_.at(name));
    return buffers;
}

}  // namespace sepconv
