// The GPU schedule as OpenCL: on any machine, as Debian's PoCL runs it on the CPU.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <ostream>

#include "tests/schedules/expect_values.h"
#include "tests/schedules/kernel_cases.h"

namespace sepconv::testing {

void PrintTo(const KernelCase &test, std::ostream *out) {
    *out << test.name;
}

namespace {

/// Whether any OpenCL platform is installed.
bool has_opencl() {
    void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    using GetPlatforms = int (*)(unsigned, void *, unsigned *);
    const auto get_platforms = reinterpret_cast<GetPlatforms>(dlsym(library, "clGetPlatformIDs"));
    unsigned count = 0;
    return get_platforms != nullptr && get_platforms(0, nullptr, &count) == 0 && count > 0;
}

class GpuValues : public ::testing::TestWithParam<KernelCase> {};

TEST_P(GpuValues, AgreeWithTheReference) {
    static const Isa opencl{"opencl", "opencl", has_opencl};
    if (!opencl.available()) {
        GTEST_SKIP() << "no OpenCL platform: install pocl-opencl-icd and ocl-icd-libopencl1";
    }
    expect_values(GetParam(), opencl, {});
}

/// All of the hand-written cases, which cover every kind of block, stride and tail; of the pairwise
/// ones every third, for a kernel takes a second.
std::vector<KernelCase> cases() {
    std::vector<KernelCase> all = fused_cases();
    for (const auto &list : {block_cases(), image_cases(), map_cases(), long_sum_cases()}) {
        all.insert(all.end(), list.begin(), list.end());
    }
    const std::vector<KernelCase> pairwise = pairwise_cases();
    for (size_t i = 0; i < pairwise.size(); i += 3) all.push_back(pairwise[i]);
    return all;
}

/// The lists share cases.
std::vector<KernelCase> distinct_cases() {
    std::vector<KernelCase> distinct;
    for (const KernelCase &test : cases()) {
        bool seen = false;
        for (const KernelCase &other : distinct) seen = seen || other.name == test.name;
        if (!seen) distinct.push_back(test);
    }
    return distinct;
}

INSTANTIATE_TEST_SUITE_P(OpenCl, GpuValues, ::testing::ValuesIn(distinct_cases()),
                         [](const ::testing::TestParamInfo<KernelCase> &info) {
                             return info.param.name;
                         });

}  // namespace
}  // namespace sepconv::testing
