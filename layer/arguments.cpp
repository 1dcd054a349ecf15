#include "layer/arguments.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "layer/shape.h"

namespace sepconv {
namespace {

using Arguments = std::vector<KernelArgument>;

int64_t elements_of(const Image &image) {
    return (image.channels - 1) * image.stride_c + (image.width - 1) * image.stride_x +
           (image.height - 1) * image.stride_y + 1;
}

int64_t elements_of(const MapIndex &extent, const MapIndex &stride) {
    int64_t last = 0;
    for (size_t i = 0; i < extent.size(); ++i) {
        last += (extent[i] - 1) * std::abs(stride[i]);
    }
    return last + 1;
}

KernelArgument argument(Role role, std::string name, int64_t elements) {
    KernelArgument result;
    result.role = role;
    result.name = std::move(name);
    result.elements = elements;
    return result;
}

/// What an epilogue's operands look like: names begin with `prefix`.
struct OperandSizes {
    std::string prefix;
    StageId stage = StageId::kOutput;
    int64_t channels = 0;          ///< Elements of a kChannel operand.
    std::vector<int64_t> tensors;  ///< Elements of the kTensor operands, in order.
};

void append_operands(Arguments *list, const Epilogue &epilogue, const OperandSizes &sizes) {
    size_t tensor = 0;
    for (size_t step = 0; step < epilogue.size(); ++step) {
        const std::string number = std::to_string(step);
        KernelArgument operand;
        switch (epilogue[step].operand) {
            case Operand::kNone:
                continue;
            case Operand::kScalar:
                operand = argument(Role::kScalar, sizes.prefix + "scalar_" + number, 1);
                break;
            case Operand::kChannel:
                operand =
                    argument(Role::kChannel, sizes.prefix + "channel_" + number, sizes.channels);
                break;
            case Operand::kTensor:
                operand = argument(Role::kTensor, sizes.prefix + "tensor_" + number,
                                   tensor < sizes.tensors.size() ? sizes.tensors[tensor] : 0);
                ++tensor;
                break;
        }
        operand.stage = sizes.stage;
        operand.step = static_cast<int>(step);
        list->push_back(std::move(operand));
    }
}

/// Elements of a stage's packed bias.
int64_t packed_channels(const StageRef &stage) {
    const int64_t multiplier = stage.depthwise != nullptr ? stage.depthwise->multiplier : 1;
    return multiplier * round_up_to_panel(stage.channels);
}

int64_t packed_weights(const StageRef &stage) {
    if (stage.depthwise != nullptr) {
        return packed_channels(stage) * stage.depthwise->window.taps();
    }
    return packed_channels(stage) * stage.convolution->window.taps() *
           stage.convolution->in_channels;
}

int64_t operand_channels(const StageRef &stage) {
    const bool multiplied = stage.depthwise != nullptr && stage.depthwise->multiplier > 1;
    return multiplied ? packed_channels(stage) : stage.channels;
}

Arguments list_of(const Block &block) {
    std::vector<int64_t> tensors;
    for (const Image &operand : block.operands) {
        tensors.push_back(elements_of(operand));
    }
    Arguments list{argument(Role::kInput, "input", elements_of(block.input))};
    for (const StageRef &stage : stages_of(block)) {
        const std::string prefix = std::string(stage.name) + "_";
        if (stage.id != StageId::kOutput) {
            list.push_back(argument(Role::kWeights, prefix + "weights", packed_weights(stage)));
            list.back().stage = stage.id;
            list.push_back(argument(Role::kBias, prefix + "bias", packed_channels(stage)));
            list.back().stage = stage.id;
        }
        const bool last = stage.epilogue == &last_epilogue(block);
        append_operands(
            &list, *stage.epilogue,
            {prefix, stage.id, operand_channels(stage), last ? tensors : std::vector<int64_t>{}});
    }
    list.push_back(argument(Role::kOutput, "output", elements_of(block.output)));
    return list;
}

Arguments list_of(const Pool &pool) {
    Arguments list{argument(Role::kInput, "input", elements_of(pool.input))};
    append_operands(&list, pool.epilogue, {"", StageId::kOutput, pool.output.channels, {}});
    list.push_back(argument(Role::kOutput, "output", elements_of(pool.output)));
    return list;
}

Arguments list_of(const Resize &resize) {
    const int64_t rows = int64_t{resize.taps} * resize.output.height;
    const int64_t columns = int64_t{resize.taps} * resize.output.width;
    Arguments list{argument(Role::kInput, "input", elements_of(resize.input)),
                   argument(Role::kResizeIndex, "index_y", rows),
                   argument(Role::kResizeWeight, "weight_y", rows),
                   argument(Role::kResizeIndex, "index_x", columns),
                   argument(Role::kResizeWeight, "weight_x", columns)};
    append_operands(&list, resize.epilogue, {"", StageId::kOutput, resize.output.channels, {}});
    list.push_back(argument(Role::kOutput, "output", elements_of(resize.output)));
    return list;
}

Arguments list_of(const Map &map) {
    std::vector<int64_t> tensors;
    for (const MapIndex &strides : map.operands) {
        tensors.push_back(elements_of(map.extent, strides));
    }
    Arguments list{argument(Role::kInput, "input", elements_of(map.extent, map.input))};
    append_operands(&list, map.epilogue, {"", StageId::kOutput, 0, tensors});
    list.push_back(argument(Role::kOutput, "output", elements_of(map.extent, map.output)));
    return list;
}

Arguments list_of(const Softmax &softmax) {
    const auto elements = [&softmax](const std::array<int64_t, 3> &stride) {
        return (softmax.outer - 1) * stride[0] + (softmax.extent - 1) * stride[1] +
               (softmax.inner - 1) * stride[2] + 1;
    };
    return {argument(Role::kInput, "input", elements(softmax.input)),
            argument(Role::kOutput, "output", elements(softmax.output))};
}

}  // namespace

std::vector<KernelArgument> arguments_of(const Kernel &kernel) {
    return std::visit([](const auto &kind) { return list_of(kind); }, kernel);
}

}  // namespace sepconv
