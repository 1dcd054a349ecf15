// What a target is, and what is refused.
#include "compiler/targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sepconv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> isas_of(const std::string &triple,
                                 const std::vector<std::string> &asked = {}) {
    const Result<std::vector<IsaTarget>> targets = resolve_targets({triple, asked, {}, 80});
    EXPECT_TRUE(targets.ok()) << targets.status().message();
    std::vector<std::string> isas;
    if (!targets.ok()) return isas;
    for (const IsaTarget &target : targets.value()) {
        isas.push_back(target.isa);
        EXPECT_THAT(target.isa, Not(HasSubstr("-"))) << "part of a symbol";
        EXPECT_THAT(target.halide, HasSubstr(triple));
        EXPECT_THAT(target.halide, HasSubstr("no_runtime"));
    }
    return isas;
}

TEST(Targets, EachArchitectureHasItsVariantsBestFirst) {
    for (const char *system : {"linux", "android", "osx", "windows"}) {
        EXPECT_THAT(isas_of(std::string("x86-64-") + system),
                    ElementsAre("avx512", "avx2", "sse41"));
    }
    for (const char *system : {"linux", "android", "osx"}) {
        EXPECT_THAT(isas_of(std::string("arm-64-") + system), ElementsAre("neon"));
    }
    EXPECT_THAT(isas_of("arm-32-linux"), ElementsAre("neon"));
    EXPECT_THAT(isas_of("riscv-64-linux"), ElementsAre("rvv256", "rvv128"));
    EXPECT_THAT(isas_of("powerpc-64-linux"), ElementsAre("baseline"));
}

TEST(Targets, ATripleMayNameTheFeaturesOfOneVariant) {
    EXPECT_THAT(isas_of("riscv-64-linux-rvv-vector_bits_128"), ElementsAre("rvv128"));
    EXPECT_THAT(isas_of("arm-64-linux-arm_dot_prod"), ElementsAre("dotprod"));
    EXPECT_FALSE(resolve_targets({"riscv-64-linux-rvv-vector_bits_128", {"rvv256"}, {}, 80}).ok());
}

TEST(Targets, IsaChoosesWhateverTheOrder) {
    EXPECT_THAT(isas_of("arm-64-linux", {"neon", "dotprod"}), ElementsAre("dotprod", "neon"));
    EXPECT_THAT(isas_of("x86-64-linux", {"sse41", "avx2"}), ElementsAre("avx2", "sse41"));
    EXPECT_THAT(resolve_targets({"arm-64-linux", {"neon", "avx2"}, {}, 80}).status().message(),
                HasSubstr("arm-64-linux has no 'avx2'; expected some of dotprod, neon"));
}

TEST(Targets, DotProductsAreAFeatureOfTheirVariantOnly) {
    EXPECT_THAT(resolve_targets({"arm-64-linux", {"dotprod"}, {}, 80}).value()[0].halide,
                HasSubstr("arm_dot_prod"));
    EXPECT_THAT(resolve_targets({"arm-64-linux", {"neon"}, {}, 80}).value()[0].halide,
                Not(HasSubstr("arm_dot_prod")));
}

TEST(Targets, AFormatAndACompilerFollowFromTheTriple) {
    struct {
        const char *triple;
        ObjectFormat format;
        const char *cc;
    } const rows[] = {
        {"arm-64-linux", ObjectFormat::kElf, "aarch64-linux-gnu-gcc"},
        {"arm-32-linux", ObjectFormat::kElf, "arm-linux-gnueabihf-gcc"},
        {"riscv-64-linux-rvv-vector_bits_128", ObjectFormat::kElf, "riscv64-linux-gnu-gcc"},
        {"arm-64-android", ObjectFormat::kElf, ""},
        {"arm-64-osx", ObjectFormat::kMachO, ""},
        {"x86-64-windows", ObjectFormat::kCoff, ""},
    };
    for (const auto &row : rows) {
        const Result<Platform> platform = platform_of(row.triple);
        ASSERT_TRUE(platform.ok()) << platform.status().message();
        EXPECT_EQ(platform.value().format, row.format) << row.triple;
        EXPECT_EQ(platform.value().cc, row.cc) << row.triple;
        EXPECT_EQ(platform.value().package.empty(), platform.value().cc.empty()) << row.triple;
    }
    EXPECT_EQ(platform_of(host_triple()).value().cc, "cc");
}

TEST(Targets, WhatIsNoCpuIsRefused) {
    for (const char *triple :
         {"", "host", "x86-64", "arm-64-linux-", "sparc-64-linux", "x86-64-linux-cuda",
          "x86-64-linux-jit", "riscv-64-linux-opencl", "riscv-64-linux-rvv",
          "powerpc-64-linux-no_asserts", "wasm-32-wasmrt", "hexagon-32-qurt", "arm-64-noos",
          "x86-64-linux-avx2"}) {
        const Result<Platform> platform = platform_of(triple);
        ASSERT_FALSE(platform.ok()) << triple;
        EXPECT_THAT(platform.status().message(), HasSubstr("expected one of x86-64-linux, "))
            << triple;
    }
    EXPECT_THAT(platform_of("x86-64-linux-avx2").status().message(),
                HasSubstr("names 'avx2', which is no variant; --isa chooses variants"));
}

}  // namespace
}  // namespace sepconv
