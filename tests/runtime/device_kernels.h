#ifndef SEPCONV_TESTS_RUNTIME_DEVICE_KERNELS_H_
#define SEPCONV_TESTS_RUNTIME_DEVICE_KERNELS_H_

#include <array>

#include "fake_model.h"

namespace sepconv {

constexpr int kHalf = kElements / 2;  ///< Elements that a device kernel computes.

/// What the device kernels differ in from case to case. Not while one runs.
struct DeviceKernelBehaviour {
    int shared_bytes = 256;             ///< Of the launch of `scale`.
    const char *scale_entry = "scale";  ///< The entry that is asked for.
    bool calls_malloc = false;          ///< Whether `scale` wants scratch of the host.
    int surplus_args = 0;               ///< Arguments that `scale` has too many.
    int image_bytes_missing = 0;        ///< Of the end of the image of `scale`.
};
DeviceKernelBehaviour &device_kernel_behaviour();

/// Kernels as Halide compiles them for a device, written by hand. Kernel 0 launches `scale`:
/// out = in * weights * 3; kernel 1 `shift` and `twice`, with an intermediate between them:
/// out = 2 * (in + 1).
sepconv_variant_t cuda_variant();
sepconv_variant_t opencl_variant();

/// A model of two blocks over them, each run on both halves of its tensor, its weights 1, 2, 3, 4.
FakeModel device_model(const sepconv_variant_t &variant);

/// What it computes of 0, 1, 2 ... 7.
std::array<float, kElements> device_model_result();

/// Runs a kernel of cuda_variant() on the host, where its memory is: for stub_cuda_t.launch.
void launch_on_host(const char *kernel, const unsigned grid[3], const unsigned block[3],
                    unsigned shared_bytes, void **params);

/// The input of device_model_result(), in `context`.
void set_device_input(TestContext *context);

}  // namespace sepconv

#endif  // SEPCONV_TESTS_RUNTIME_DEVICE_KERNELS_H_
