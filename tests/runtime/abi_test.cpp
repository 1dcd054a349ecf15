/// sepconv's own kernel ABI against the header of the Halide that compiles the kernels.
#include <HalideRuntime.h>
#include <HalideRuntimeCuda.h>
#include <HalideRuntimeOpenCL.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <type_traits>

#include "sepconv/plan.h"

namespace {

static_assert(sizeof(sepconv_buffer_t) == sizeof(halide_buffer_t));
static_assert(alignof(sepconv_buffer_t) == alignof(halide_buffer_t));
static_assert(offsetof(sepconv_buffer_t, device) == offsetof(halide_buffer_t, device));
static_assert(offsetof(sepconv_buffer_t, device_interface) ==
              offsetof(halide_buffer_t, device_interface));
static_assert(offsetof(sepconv_buffer_t, host) == offsetof(halide_buffer_t, host));
static_assert(offsetof(sepconv_buffer_t, flags) == offsetof(halide_buffer_t, flags));
static_assert(offsetof(sepconv_buffer_t, type_code) == offsetof(halide_buffer_t, type));
static_assert(offsetof(sepconv_buffer_t, type_bits) - offsetof(sepconv_buffer_t, type_code) ==
              offsetof(halide_type_t, bits));
static_assert(offsetof(sepconv_buffer_t, type_lanes) - offsetof(sepconv_buffer_t, type_code) ==
              offsetof(halide_type_t, lanes));
static_assert(offsetof(sepconv_buffer_t, dimensions) == offsetof(halide_buffer_t, dimensions));
static_assert(offsetof(sepconv_buffer_t, dim) == offsetof(halide_buffer_t, dim));
static_assert(offsetof(sepconv_buffer_t, padding) == offsetof(halide_buffer_t, padding));

// The names that kernels call must take what Halide passes to the names they replace.
static_assert(std::is_same_v<decltype(sepconv_kernel_malloc), decltype(halide_malloc)>);
static_assert(std::is_same_v<decltype(sepconv_kernel_free), decltype(halide_free)>);
static_assert(std::is_same_v<decltype(sepconv_kernel_par_for), decltype(halide_do_par_for)>);

// A type of Halide's with our names for its parts.
template<typename Type>
struct Ours {
    using type = Type;
};
template<>
struct Ours<halide_buffer_t *> {
    using type = sepconv_buffer_t *;
};
template<>
struct Ours<const halide_device_interface_t *> {
    using type = const void *;
};
template<typename Result, typename... Arguments>
struct Ours<Result(Arguments...)> {
    using type = typename Ours<Result>::type(typename Ours<Arguments>::type...);
};
template<auto *kOurs, auto *kHalides>
constexpr bool kSameFunction =
    std::is_same_v<std::remove_pointer_t<decltype(kOurs)>,
                   typename Ours<std::remove_pointer_t<decltype(kHalides)>>::type>;

static_assert(kSameFunction<&sepconv_kernel_cuda_interface, &halide_cuda_device_interface>);
static_assert(kSameFunction<&sepconv_kernel_cuda_initialize, &halide_cuda_initialize_kernels>);
static_assert(kSameFunction<&sepconv_kernel_cuda_run, &halide_cuda_run>);
static_assert(kSameFunction<&sepconv_kernel_cuda_finalize, &halide_cuda_finalize_kernels>);
static_assert(kSameFunction<&sepconv_kernel_opencl_interface, &halide_opencl_device_interface>);
static_assert(kSameFunction<&sepconv_kernel_opencl_initialize, &halide_opencl_initialize_kernels>);
static_assert(kSameFunction<&sepconv_kernel_opencl_run, &halide_opencl_run>);
static_assert(kSameFunction<&sepconv_kernel_opencl_finalize, &halide_opencl_finalize_kernels>);
static_assert(kSameFunction<&sepconv_kernel_device_copy, &halide_copy_to_device>);
static_assert(kSameFunction<&sepconv_kernel_device_malloc, &halide_device_malloc>);
static_assert(kSameFunction<&sepconv_kernel_device_free, &halide_device_free>);
// halide_device_free_as_destructor is in no header; kernels call it as they call any destructor.
static_assert(
    kSameFunction<&sepconv_kernel_device_free_as_destructor, &halide_cuda_finalize_kernels>);

static_assert(sizeof(sepconv_dimension_t) == sizeof(halide_dimension_t));
static_assert(offsetof(sepconv_dimension_t, extent) == offsetof(halide_dimension_t, extent));
static_assert(offsetof(sepconv_dimension_t, stride) == offsetof(halide_dimension_t, stride));

TEST(Abi, BufferOfZerosIsAHalideBufferOfZeros) {
    sepconv_buffer_t ours = {};
    uint8_t byte = 0;
    ours.host = &byte;
    const auto *theirs = reinterpret_cast<const halide_buffer_t *>(&ours);
    EXPECT_EQ(theirs->host, &byte);
    EXPECT_EQ(theirs->device, 0u);
    EXPECT_EQ(theirs->dimensions, 0);
}

}  // namespace
