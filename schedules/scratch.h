#ifndef SEPCONV_SCHEDULES_SCRATCH_H_
#define SEPCONV_SCHEDULES_SCRATCH_H_

#include <Halide.h>

#include "schedules/build_kernel.h"

namespace sepconv {

/// The most that a lowered module ever holds of halide_malloc, outside and inside parallel tasks:
/// for every live allocation its bytes rounded up to 64, and kAllocationOverhead. An allocation of
/// no constant size is an error: the arena could not be planned.
Result<Scratch> scratch_of(const Halide::Module &module);

/// What the runtime's allocator adds to an allocation (runtime/src/kernel_support.c).
constexpr int64_t kAllocationOverhead = 128;

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_SCRATCH_H_
