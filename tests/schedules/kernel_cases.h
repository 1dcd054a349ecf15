#ifndef SEPCONV_TESTS_SCHEDULES_KERNEL_CASES_H_
#define SEPCONV_TESTS_SCHEDULES_KERNEL_CASES_H_

#include <string>
#include <vector>

#include "tests/support/kernel_data.h"

namespace sepconv::testing {

/// Layouts and paddings of both edges of a kernel.
enum class EdgeLayout {
    kExact,         ///< Channels last, the caller's buffers.
    kPadded,        ///< Channels last, our own buffers.
    kPlanarInput,   ///< Planes in, channels last out.
    kPlanarOutput,  ///< Channels last in, planes out.
    kSliced,        ///< Channels last in both, other tensors' channels between them.
};

Image planar_image(int channels, int width, int height);
Image input_image(EdgeLayout layout, int channels, int width, int height);
Image output_image(EdgeLayout layout, int channels, int width, int height);

Elementwise unary_step(Op op, float alpha = 0.0F, float beta = 0.0F);
Elementwise binary_step(Op op, Operand operand, bool reversed = false);

/// The rows of tests/data/pairwise.csv.
std::vector<KernelCase> pairwise_cases();
/// Blocks chosen by hand: operators of an epilogue, long kernels, layouts, stages.
std::vector<KernelCase> block_cases();
/// Inverted residuals, squeeze-excite, Ghost modules: part of block_cases().
std::vector<KernelCase> fused_cases();
/// Pools and resizes.
std::vector<KernelCase> image_cases();
/// Map and Softmax.
std::vector<KernelCase> map_cases();
/// Sums past the lengths of layer/sums.h, of random and of equal terms.
std::vector<KernelCase> long_sum_cases();
/// All of the above.
std::vector<KernelCase> all_cases();

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SCHEDULES_KERNEL_CASES_H_
