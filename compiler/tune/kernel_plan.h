#ifndef SEPCONV_COMPILER_TUNE_KERNEL_PLAN_H_
#define SEPCONV_COMPILER_TUNE_KERNEL_PLAN_H_

#include <vector>

#include "compiler/plan.h"

namespace sepconv {

/// A plan of this block alone, with random weights: the image and tensor operands are its inputs.
Plan one_kernel_plan(const Block &block);

/// Random inputs of such a plan, longer than its tensors by what a kernel may read behind them.
std::vector<std::vector<float>> random_inputs(const Plan &plan);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_KERNEL_PLAN_H_
