#include "layer/shape.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sepconv {
namespace {

/// Leading and trailing padding that make the output ceil(in / stride) long.
std::pair<int, int> same_padding(int in, int kernel, int stride, int dilation, bool extra_first) {
    const int64_t out = (int64_t{in} + stride - 1) / stride;
    const int64_t needed = (out - 1) * stride + dilated_extent(kernel, dilation) - in;
    const int total = static_cast<int>(std::max<int64_t>(needed, 0));
    const int smaller = total / 2;
    const int larger = total - smaller;
    return extra_first ? std::make_pair(larger, smaller) : std::make_pair(smaller, larger);
}

}  // namespace

bool Window::is_pointwise() const {
    return kernel_h == 1 && kernel_w == 1 && stride_h == 1 && stride_w == 1 && pad_top == 0 &&
           pad_left == 0 && pad_bottom == 0 && pad_right == 0;
}

std::vector<StageRef> stages_of(const Block &block) {
    std::vector<StageRef> stages;
    const auto add_convolution = [&](StageId id, const char *name, const Convolution &layer) {
        stages.push_back({id, name, &layer, nullptr, &layer.epilogue, layer.out_channels});
    };
    const auto add_depthwise = [&](StageId id, const char *name, const Depthwise &layer) {
        stages.push_back({id, name, nullptr, &layer, &layer.epilogue, layer.channels});
    };
    if (block.expand) add_convolution(StageId::kExpand, "expand", *block.expand);
    if (block.depthwise) add_depthwise(StageId::kDepthwise, "depthwise", *block.depthwise);
    if (block.squeeze) {
        add_convolution(StageId::kReduce, "reduce", block.squeeze->reduce);
        add_convolution(StageId::kExcite, "excite", block.squeeze->excite);
    }
    if (block.project) add_convolution(StageId::kProject, "project", *block.project);
    if (block.cheap) add_depthwise(StageId::kCheap, "cheap", *block.cheap);
    if (!block.epilogue.empty()) {
        stages.push_back(
            {StageId::kOutput, "output", nullptr, nullptr, &block.epilogue, block.output.channels});
    }
    return stages;
}

StageRef stage_of(const Block &block, StageId id) {
    for (const StageRef &stage : stages_of(block)) {
        if (stage.id == id) {
            return stage;
        }
    }
    return {};
}

const Epilogue &last_epilogue(const Block &block) {
    if (block.cheap) return block.epilogue;
    return block.project ? block.project->epilogue : block.depthwise->epilogue;
}

int64_t dilated_extent(int64_t kernel, int64_t dilation) {
    return (kernel - 1) * dilation + 1;
}

int64_t output_extent(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
                      int64_t after, bool ceil) {
    const int64_t room = in + before + after - dilated_extent(kernel, dilation);
    if (room < 0 || stride < 1) {
        return 0;
    }
    if (!ceil) {
        return room / stride + 1;
    }
    const int64_t out = room / stride + (room % stride != 0 ? 1 : 0) + 1;
    return (out - 1) * stride >= in + before ? out - 1 : out;
}

Window with_padding(Window window, PaddingMode mode, int height, int width) {
    std::pair<int, int> rows{0, 0};
    std::pair<int, int> columns{0, 0};
    switch (mode) {
        case PaddingMode::kExplicit:
            return window;
        case PaddingMode::kValid:
            break;
        case PaddingMode::kSameUpper:
        case PaddingMode::kSameLower: {
            const bool lower = mode == PaddingMode::kSameLower;
            rows = same_padding(height, window.kernel_h, window.stride_h, window.dilation_h, lower);
            columns =
                same_padding(width, window.kernel_w, window.stride_w, window.dilation_w, lower);
            break;
        }
        case PaddingMode::kHalf: {
            const int row = (window.kernel_h - window.stride_h + 1) / 2;
            const int column = (window.kernel_w - window.stride_w + 1) / 2;
            rows = {row, row};
            columns = {column, column};
            break;
        }
    }
    std::tie(window.pad_top, window.pad_bottom) = rows;
    std::tie(window.pad_left, window.pad_right) = columns;
    return window;
}

Image dense_image(int channels, int width, int height, bool padded) {
    Image image;
    image.channels = channels;
    image.width = width;
    image.height = height;
    image.stride_x = channels;
    image.stride_y = int64_t{channels} * width;
    image.padded = padded;
    return image;
}

int round_up_to_panel(int channels) {
    return (channels + kPanel - 1) / kPanel * kPanel;
}

}  // namespace sepconv
