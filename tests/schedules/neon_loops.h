#ifndef SEPCONV_TESTS_SCHEDULES_NEON_LOOPS_H_
#define SEPCONV_TESTS_SCHEDULES_NEON_LOOPS_H_

#include <string>
#include <vector>

#include "bench/shapes.h"
#include "layer/status.h"
#include "tests/support/hot_loops.h"

namespace sepconv::testing {

/// What the loop multiplies by.
enum class LoopKind {
    kPointwise,  ///< A lane or broadcast value: one input of a pixel.
    kPixel,      ///< The same of a single pixel (squeeze-excite): as many weights as products.
    kDepthwise,  ///< Vectors only.
    kBorder,     ///< A depthwise's copy that selects zeros for taps outside the image.
};

/// One hot loop of AArch64 code.
struct NeonLoop {
    LoopKind kind = LoopKind::kPointwise;
    Loop loop;
    double cycles = 0;  ///< Of one turn on a Neoverse N1, by llvm-mca.

    double per_multiply_add(int count) const;
    /// Cycles by those of the multiply-adds alone: two pipes of four lanes.
    double by_multiply_adds() const;
    /// Cycles by those of all operations on vectors and their stores, which share these pipes.
    double by_vector_operations() const;
};

/// Empty where LLVM's objdump and mca were found when this was configured.
std::string missing_llvm_tools();

/// The loops with at least eight multiply-adds in an object or archive for AArch64, in functions
/// whose names contain `function`.
std::vector<NeonLoop> neon_loops(const std::string &object_path, const std::string &function = "");

/// The same of the block compiled as it ships for arm-64-linux.
Result<std::vector<NeonLoop>> neon_loops(const bench::BlockShape &shape);

/// The different blocks of MobileNetV1, V2 and V3-Large.
std::vector<bench::BlockShape> mobilenet_blocks();

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SCHEDULES_NEON_LOOPS_H_
