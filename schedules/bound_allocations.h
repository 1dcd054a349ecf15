#ifndef SEPCONV_SCHEDULES_BOUND_ALLOCATIONS_H_
#define SEPCONV_SCHEDULES_BOUND_ALLOCATIONS_H_

#include <Halide.h>

namespace sepconv {

/// Gives every allocation of a pipeline that is still to be compiled a constant size where one is
/// known that is never too small, so that scratch_of() can count it. What does not fit on the stack
/// leaves it, for Halide would keep it until the kernel's end.
void bound_allocations(Halide::Pipeline *pipeline);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_BOUND_ALLOCATIONS_H_
