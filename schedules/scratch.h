#ifndef SEPCONV_SCHEDULES_SCRATCH_H_
#define SEPCONV_SCHEDULES_SCRATCH_H_

#include <Halide.h>

#include "schedules/build_kernel.h"

namespace sepconv {

/// The most that a lowered module ever holds of halide_malloc, outside and inside parallel tasks:
/// for every live allocation its bytes rounded up to 64, and kAllocationOverhead. An allocation of
/// no constant size is an error, and so is a parallel loop in a task: the arena could not be
/// planned.
Result<Scratch> scratch_of(const Halide::Module &module);

/// Constant allocations up to this size are on the stack (Halide 21, CodeGen_Internal.cpp,
/// can_allocation_fit_on_stack).
constexpr int64_t kStackBytes = 16 * 1024;

/// What the runtime's allocator adds to an allocation (runtime/src/kernel_support.c).
constexpr int64_t kAllocationOverhead = 128;

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_SCRATCH_H_
