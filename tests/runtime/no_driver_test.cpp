/// Machines without a driver, and with one that is too old. LD_LIBRARY_PATH names a folder where
/// the drivers' libraries are no libraries, or have none of their functions.
#include <gtest/gtest.h>

#include <string>

#include "device_kernels.h"

namespace sepconv {
namespace {

void expect_status_and_fallback(sepconv_status_t status) {
    for (const sepconv_variant_t &variant : {cuda_variant(), opencl_variant()}) {
        FakeModel fake = device_model(variant);
        {
            const TestContext test(fake.model());
            EXPECT_EQ(test.created, status) << variant.isa;
            EXPECT_EQ(test.context, nullptr);
        }
        fake.variants.push_back(fake_variant("sse41", 64));
        const TestContext fallback(fake.model());
        ASSERT_EQ(fallback.created, SEPCONV_OK) << variant.isa;
        EXPECT_STREQ(sepconv_context_isa(fallback.context), "sse41");
        sepconv_options_t options = {};
        options.device = variant.isa;
        const TestContext insisting(fake.model(), &options);
        EXPECT_EQ(insisting.created, status) << variant.isa;
    }
}

TEST(NoDriver, IsAStatusOfItsOwn) {
    expect_status_and_fallback(SEPCONV_NO_DEVICE);
    const std::string message = sepconv_status_message(SEPCONV_NO_DEVICE);
    EXPECT_NE(message.find("libcuda.so.1"), std::string::npos) << message;
    EXPECT_NE(message.find("libOpenCL.so.1"), std::string::npos) << message;
}

TEST(NoDriver, TheNearestReasonIsTold) {
    // A CPU from the future would have run it, too: the missing device is what one can do something
    // about.
    FakeModel fake = device_model(cuda_variant());
    fake.variants.push_back(fake_variant("from the future", 64));
    const TestContext test(fake.model());
    EXPECT_EQ(test.created, SEPCONV_NO_DEVICE);
    const ScopedEnvironment cpu("SEPCONV_DEVICE", "cpu");
    const TestContext cpu_only(fake.model());
    EXPECT_EQ(cpu_only.created, SEPCONV_UNSUPPORTED_ISA);
}

TEST(OldDriver, IsAStatusOfItsOwn) {
    expect_status_and_fallback(SEPCONV_DEVICE_TOO_OLD);
}

}  // namespace
}  // namespace sepconv
