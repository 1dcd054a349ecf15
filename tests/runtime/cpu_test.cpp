/// Dispatch on CPUs that are described, not present.
extern "C" {
#include "cpu.h"
}

#include <gtest/gtest.h>

#include "sepconv/sepconv.h"

namespace {

// CPUID and XCR0 as real machines report them, cut down to the bits that count.
constexpr sepconv_cpu_t kPenryn = {0x00082201, 0, 0, 0, 0, 0};
constexpr sepconv_cpu_t kSandyBridge = {0x18982201, 0, 0, 0x7, 0, 0};
constexpr sepconv_cpu_t kHaswell = {0x38d83201, 0x00000128, 0x20, 0x7, 0, 0};
constexpr sepconv_cpu_t kSkylakeServer = {0x38d83201, 0xd00b0128, 0x20, 0xe7, 0, 0};

struct Row {
    const char *name;
    sepconv_cpu_t cpu;
    bool sse41, avx2, avx512;
};

void expect_row(const Row &row) {
    EXPECT_EQ(sepconv_cpu_runs(&row.cpu, "sse41"), row.sse41) << row.name;
    EXPECT_EQ(sepconv_cpu_runs(&row.cpu, "avx2"), row.avx2) << row.name;
    EXPECT_EQ(sepconv_cpu_runs(&row.cpu, "avx512"), row.avx512) << row.name;
}

TEST(Cpu, RunsWhatItsGenerationRuns) {
    expect_row({"none", {0, 0, 0, 0, 0, 0}, false, false, false});
    expect_row({"penryn", kPenryn, true, false, false});
    expect_row({"sandy bridge", kSandyBridge, true, false, false});
    expect_row({"haswell", kHaswell, true, true, false});
    expect_row({"skylake server", kSkylakeServer, true, true, true});
}

TEST(Cpu, OperatingSystemMustSaveTheRegisters) {
    sepconv_cpu_t cpu = kSkylakeServer;
    cpu.xcr0 = 0;
    expect_row({"no xsave", cpu, true, false, false});
    cpu.xcr0 = 0x3;
    expect_row({"xmm", cpu, true, false, false});
    for (const uint64_t xcr0 : {0x07u, 0x27u, 0x67u, 0xa7u, 0xc7u}) {
        cpu.xcr0 = xcr0;
        expect_row({"ymm and part of zmm", cpu, true, true, false});
    }
}

/// Clears one bit at a time and expects `isa` to fail exactly where `needed` has the bit.
void expect_needed_bits(const sepconv_cpu_t &cpu, uint32_t sepconv_cpu_t::*word, uint32_t needed,
                        const char *isa) {
    for (int bit = 0; bit < 32; ++bit) {
        sepconv_cpu_t without = cpu;
        without.*word &= ~(uint32_t{1} << bit);
        const bool is_needed = (needed >> bit) & 1;
        EXPECT_EQ(sepconv_cpu_runs(&without, isa), !is_needed) << isa << " without bit " << bit;
    }
}

TEST(Cpu, EveryFeatureThatTheCompilerMayEmitIsAskedFor) {
    expect_needed_bits(kSkylakeServer, &sepconv_cpu_t::leaf1_ecx, 0x00080201, "sse41");
    expect_needed_bits(kSkylakeServer, &sepconv_cpu_t::leaf7_ebx, 0, "sse41");
    expect_needed_bits(kSkylakeServer, &sepconv_cpu_t::leaf1_ecx, 0x38d81201, "avx2");
    expect_needed_bits(kSkylakeServer, &sepconv_cpu_t::leaf7_ebx, 0x00000128, "avx2");
    expect_needed_bits(kSkylakeServer, &sepconv_cpu_t::extended_ecx, 0x20, "avx2");
    expect_needed_bits(kSkylakeServer, &sepconv_cpu_t::leaf1_ecx, 0x38d81201, "avx512");
    expect_needed_bits(kSkylakeServer, &sepconv_cpu_t::leaf7_ebx, 0xd00b0128, "avx512");
    expect_needed_bits(kSkylakeServer, &sepconv_cpu_t::extended_ecx, 0x20, "avx512");
}

TEST(Cpu, ArmNamesAskForTheirFeatures) {
    struct {
        uint32_t arm;
        bool neon, dotprod;
    } const rows[] = {
        {0, false, false},
        {SEPCONV_ARM_NEON, true, false},
        {SEPCONV_ARM_NEON | SEPCONV_ARM_DOTPROD, true, true},
        {SEPCONV_ARM_DOTPROD, false, false},
    };
    for (const auto &row : rows) {
        const sepconv_cpu_t cpu = {0, 0, 0, 0, row.arm, 0};
        EXPECT_EQ(sepconv_cpu_runs(&cpu, "neon"), row.neon) << row.arm;
        EXPECT_EQ(sepconv_cpu_runs(&cpu, "dotprod"), row.dotprod) << row.arm;
        EXPECT_FALSE(sepconv_cpu_runs(&cpu, "sse41")) << row.arm;
    }
    EXPECT_FALSE(sepconv_cpu_runs(&kSkylakeServer, "neon"));
}

TEST(Cpu, RiscvVectorsMustHaveTheLength) {
    for (const uint32_t bits : {0U, 64U, 128U, 256U, 512U}) {
        const sepconv_cpu_t cpu = {0, 0, 0, 0, 0, bits};
        EXPECT_EQ(sepconv_cpu_runs(&cpu, "rvv128"), bits == 128) << bits;
        EXPECT_EQ(sepconv_cpu_runs(&cpu, "rvv256"), bits == 256) << bits;
    }
}

TEST(Cpu, BaselineRunsEverywhere) {
    const sepconv_cpu_t nothing = {0, 0, 0, 0, 0, 0};
    EXPECT_TRUE(sepconv_cpu_runs(&nothing, "baseline"));
    EXPECT_TRUE(sepconv_isa_available("baseline"));
}

TEST(Cpu, UnknownNamesRunNowhere) {
    EXPECT_FALSE(sepconv_cpu_runs(&kSkylakeServer, "avx1024"));
    EXPECT_FALSE(sepconv_cpu_runs(&kSkylakeServer, ""));
    EXPECT_FALSE(sepconv_cpu_runs(&kSkylakeServer, nullptr));
    EXPECT_FALSE(sepconv_isa_available("neon2"));
    EXPECT_FALSE(sepconv_isa_available(nullptr));
}

#if defined(__x86_64__)
TEST(Cpu, DetectionAgreesWithTheCompilerOnThisMachine) {
    __builtin_cpu_init();
    EXPECT_EQ(sepconv_isa_available("sse41"), __builtin_cpu_supports("sse4.1") != 0);
    EXPECT_EQ(sepconv_isa_available("avx2"), __builtin_cpu_supports("avx2") &&
                                                 __builtin_cpu_supports("fma") &&
                                                 __builtin_cpu_supports("bmi2"));
    EXPECT_EQ(sepconv_isa_available("avx512"),
              __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl"));
}
#endif

}  // namespace
