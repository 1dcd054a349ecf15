#ifndef SEPCONV_COMPILER_LIMITS_H_
#define SEPCONV_COMPILER_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "sepconv/plan.h"

namespace sepconv {

// What a model may ask of the compiler. Each limit is far above real networks and bounds the time
// and memory that a hostile file can cost.

/// Protobuf's own limit: sizes are int.
constexpr uint64_t kMaxFileBytes = (uint64_t{1} << 31) - 1;
/// Real models have some thousands; passes are allowed to be a few times linear in it.
constexpr size_t kMaxNodes = 100000;
/// More than any image operator has; fits the rank of kernels after merging axes.
constexpr size_t kMaxRank = 8;
/// Halide indexes with int32.
constexpr int64_t kMaxExtent = (int64_t{1} << 31) - 1;
constexpr int64_t kMaxElements = (int64_t{1} << 31) - 1;
/// Names end in messages, generated code and file names.
constexpr size_t kMaxNameBytes = 4096;
/// Inputs and outputs of one node: a Concat of all layers of a dense network has hundreds.
constexpr int kMaxNodeValues = 4096;
/// What may be made of a model's constants (folded, widened, scaled, packed, tabulated): so many
/// bytes, and so many for each byte that was read.
constexpr int64_t kMaxDerivedBytes = int64_t{1} << 27;
constexpr int64_t kDerivedPerByte = 64;
/// External data in all: two tensors may lie at the same place of a file.
constexpr int64_t kMaxExternalBytes = int64_t{1} << 32;
/// What is left of the two while a model is read.
struct ConstantBudget {
    int64_t derived = kMaxDerivedBytes;
    int64_t external = kMaxExternalBytes;
};
/// Elementwise operators in one kernel, whose expression Halide takes apart by recursion.
constexpr size_t kMaxFusedSteps = 64;
/// Arguments of one kernel: what the runtime takes.
constexpr size_t kMaxKernelArguments = SEPCONV_MAX_KERNEL_ARGS;
/// Kernel calls of one run: so many for what one node may become (groups, the phases of a
/// transposed convolution), and so many more for each node.
constexpr size_t kMaxSteps = 32768;
constexpr size_t kStepsPerNode = 2;
/// First operator set with today's broadcasting, and the newest that the rules were written for.
constexpr int64_t kMinOpset = 7;
constexpr int64_t kMaxOpset = 28;

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_LIMITS_H_
