#ifndef SEPCONV_SCHEDULES_RISCV_H_
#define SEPCONV_SCHEDULES_RISCV_H_

#include <Halide.h>

namespace sepconv {

/// Leaves out what Halide 21 compiles wrongly for RISC-V's vectors, to be called before a pipeline
/// is compiled; does nothing for other targets:
/// - a select between vectors by one condition becomes a call of llvm.vp.select that LLVM refuses
///   ("Intrinsic has incorrect argument type");
/// - loads and stores with a constant stride use the stride of elements as one of bytes.
void avoid_riscv_defects(Halide::Pipeline *pipeline, const Halide::Target &target);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_RISCV_H_
