/// sepconv's own kernel ABI against the header of the Halide that compiles the kernels.
#include <HalideRuntime.h>
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
