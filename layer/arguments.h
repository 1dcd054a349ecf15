#ifndef SEPCONV_LAYER_ARGUMENTS_H_
#define SEPCONV_LAYER_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "layer/layer.h"

namespace sepconv {

enum class Role {
    kInput,         ///< The image or tensor that the kernel reads.
    kWeights,       ///< Packed weights of a convolution or depthwise stage.
    kBias,          ///< Packed bias of the same stage.
    kScalar,        ///< One-element operand of an epilogue.
    kChannel,       ///< Per-channel operand: [channels], packed as the stage's bias.
    kTensor,        ///< Tensor operand with its own strides.
    kResizeIndex,   ///< int32 [taps][extent]
    kResizeWeight,  ///< float [taps][extent]
    kOutput,
};

/// One argument of a compiled kernel.
struct KernelArgument {
    Role role;
    std::string name;      ///< Unique in the kernel: "project_weights", "depthwise_channel_1".
    int64_t elements = 0;  ///< From the first to the last that may be touched, plus one.
    StageId stage = StageId::kOutput;  ///< Of a block.
    int step = -1;                     ///< Index into the stage's epilogue for operands.
};

/// The one list of a kernel's arguments, in call order (algorithms declare them, plans pass them):
/// input; per stage weights, bias and then its epilogue's operands; for Resize the tables index_y,
/// weight_y, index_x, weight_x behind the input (index only when taps is 1: weights still present);
/// operands of the epilogue of the other kernels; the output last.
/// A kChannel argument of a stage with multiplier m is packed [m][round_up_to_panel(channels)];
/// otherwise it has `channels` elements, readable up to round_up_to_panel(channels).
std::vector<KernelArgument> arguments_of(const Kernel &kernel);

}  // namespace sepconv

#endif  // SEPCONV_LAYER_ARGUMENTS_H_
