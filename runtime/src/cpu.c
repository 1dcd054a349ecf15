#if defined(__APPLE__)
#define _DARWIN_C_SOURCE /* sysctlbyname */
#endif

#include "cpu.h"

#include <stddef.h>
#include <string.h>

#include "sepconv/sepconv.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__linux__) && (defined(__aarch64__) || defined(__arm__) || defined(__riscv))
#include <sys/auxv.h>
#endif

#define BIT(n) (UINT32_C(1) << (n))

/* Bit numbers as in the Intel SDM, volume 2, CPUID; LZCNT as in AMD's manual, volume 3. */
enum {
    kSse3 = 0,
    kSsse3 = 9,
    kFma = 12,
    kSse41 = 19,
    kSse42 = 20,
    kMovbe = 22,
    kPopcnt = 23,
    kOsxsave = 27,
    kAvx = 28,
    kF16c = 29
};
enum {
    kBmi1 = 3,
    kAvx2 = 5,
    kBmi2 = 8,
    kAvx512F = 16,
    kAvx512Dq = 17,
    kAdx = 19,
    kAvx512Cd = 28,
    kAvx512Bw = 30,
    kAvx512Vl = 31
};
enum { kLzcnt = 5 };

/* The needs of a variant are those of the LLVM CPU that Halide compiles it for, as far as LLVM
 * emits the instructions of its own accord: penryn, haswell, skylake-avx512. A hypervisor may hide
 * any of them alone, so each is asked for. */
#define SSE41_LEAF1 (BIT(kSse3) | BIT(kSsse3) | BIT(kSse41))
#define AVX2_LEAF1                                                                        \
    (SSE41_LEAF1 | BIT(kSse42) | BIT(kPopcnt) | BIT(kMovbe) | BIT(kOsxsave) | BIT(kAvx) | \
     BIT(kFma) | BIT(kF16c))
#define AVX2_LEAF7 (BIT(kAvx2) | BIT(kBmi1) | BIT(kBmi2))
#define AVX512_LEAF7                                                                 \
    (AVX2_LEAF7 | BIT(kAvx512F) | BIT(kAvx512Cd) | BIT(kAvx512Bw) | BIT(kAvx512Dq) | \
     BIT(kAvx512Vl) | BIT(kAdx))
/* State that the operating system must save: XMM and YMM; with AVX-512 also the mask registers, the
 * upper halves of ZMM0-15, and ZMM16-31. Without it the instructions fault, or their registers are
 * lost at a context switch, whatever CPUID says. */
#define AVX2_XCR0 UINT64_C(0x06)
#define AVX512_XCR0 UINT64_C(0xe6)

/* A further architecture adds its rows here and its words to sepconv_cpu_t. */
typedef struct isa_needs_t {
    const char *name;
    sepconv_cpu_t needs;
} isa_needs_t;

static const isa_needs_t kIsas[] = {
    {"sse41", {SSE41_LEAF1, 0, 0, 0, 0, 0}},
    {"avx2", {AVX2_LEAF1, AVX2_LEAF7, BIT(kLzcnt), AVX2_XCR0, 0, 0}},
    {"avx512", {AVX2_LEAF1, AVX512_LEAF7, BIT(kLzcnt), AVX512_XCR0, 0, 0}},
    {"neon", {0, 0, 0, 0, SEPCONV_ARM_NEON, 0}},
    {"dotprod", {0, 0, 0, 0, SEPCONV_ARM_NEON | SEPCONV_ARM_DOTPROD, 0}},
    {"rvv256", {0, 0, 0, 0, 0, 256}},
    {"rvv128", {0, 0, 0, 0, 0, 128}},
    /* The one variant where nothing is detected: what the compiler was told that the CPU has. */
    {"baseline", {0, 0, 0, 0, 0, 0}},
};

#if defined(__x86_64__) && defined(__GNUC__)

static uint64_t read_xcr0(void) {
    uint32_t low = 0;
    uint32_t high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}

sepconv_cpu_t sepconv_cpu_detect(void) {
    sepconv_cpu_t cpu = {0, 0, 0, 0, 0, 0};
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
        cpu.leaf1_ecx = ecx;
    }
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
        cpu.leaf7_ebx = ebx;
    }
    if (__get_cpuid(0x80000001u, &eax, &ebx, &ecx, &edx)) {
        cpu.extended_ecx = ecx;
    }
    if (cpu.leaf1_ecx & BIT(kOsxsave)) {
        cpu.xcr0 = read_xcr0();
    }
    return cpu;
}

#elif defined(__aarch64__) && defined(__APPLE__)

/* Apple, "Determining instruction set characteristics": every 64-bit chip has Advanced SIMD. */
sepconv_cpu_t sepconv_cpu_detect(void) {
    sepconv_cpu_t cpu = {0, 0, 0, 0, SEPCONV_ARM_NEON, 0};
    int has = 0;
    size_t bytes = sizeof(has);
    if (sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &bytes, NULL, 0) == 0 && has) {
        cpu.arm |= SEPCONV_ARM_DOTPROD;
    }
    return cpu;
}

#elif defined(__aarch64__) && defined(__linux__)

/* Linux, arch/arm64/include/uapi/asm/hwcap.h: HWCAP_ASIMD and HWCAP_ASIMDDP. */
enum { kHwcapAsimd = 1, kHwcapAsimdDp = 20 };

sepconv_cpu_t sepconv_cpu_detect(void) {
    sepconv_cpu_t cpu = {0, 0, 0, 0, 0, 0};
    const unsigned long capabilities = getauxval(AT_HWCAP);
    if (capabilities & BIT(kHwcapAsimd)) {
        cpu.arm |= SEPCONV_ARM_NEON;
    }
    if (capabilities & BIT(kHwcapAsimdDp)) {
        cpu.arm |= SEPCONV_ARM_DOTPROD;
    }
    return cpu;
}

#elif defined(__arm__) && defined(__linux__)

/* Linux, arch/arm/include/uapi/asm/hwcap.h: HWCAP_NEON. */
enum { kHwcapNeon = 12 };

sepconv_cpu_t sepconv_cpu_detect(void) {
    sepconv_cpu_t cpu = {0, 0, 0, 0, 0, 0};
    if (getauxval(AT_HWCAP) & BIT(kHwcapNeon)) {
        cpu.arm |= SEPCONV_ARM_NEON;
    }
    return cpu;
}

#elif defined(__riscv) && defined(__linux__)

/* Linux, Documentation/arch/riscv/vector.rst: the bit of the letter V in AT_HWCAP. The length is in
 * the register vlenb (RISC-V "V" 1.0, 3), by its number, for assemblers that do not know it. */
enum { kHwcapV = 'V' - 'A' };

sepconv_cpu_t sepconv_cpu_detect(void) {
    sepconv_cpu_t cpu = {0, 0, 0, 0, 0, 0};
    if (getauxval(AT_HWCAP) & BIT(kHwcapV)) {
        unsigned long bytes = 0;
        __asm__ volatile("csrr %0, 0xc22" : "=r"(bytes));
        cpu.vector_bits = (uint32_t)bytes * 8;
    }
    return cpu;
}

#else

sepconv_cpu_t sepconv_cpu_detect(void) {
    const sepconv_cpu_t cpu = {0, 0, 0, 0, 0, 0};
    return cpu;
}

#endif

int sepconv_cpu_runs(const sepconv_cpu_t *cpu, const char *isa) {
    if (isa == NULL) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(kIsas) / sizeof(kIsas[0]); ++i) {
        if (strcmp(kIsas[i].name, isa) == 0) {
            const sepconv_cpu_t *needs = &kIsas[i].needs;
            return (cpu->leaf1_ecx & needs->leaf1_ecx) == needs->leaf1_ecx &&
                   (cpu->leaf7_ebx & needs->leaf7_ebx) == needs->leaf7_ebx &&
                   (cpu->extended_ecx & needs->extended_ecx) == needs->extended_ecx &&
                   (cpu->xcr0 & needs->xcr0) == needs->xcr0 &&
                   (cpu->arm & needs->arm) == needs->arm &&
                   (needs->vector_bits == 0 || cpu->vector_bits == needs->vector_bits);
        }
    }
    return 0;
}

int sepconv_isa_available(const char *isa) {
    const sepconv_cpu_t cpu = sepconv_cpu_detect();
    return sepconv_cpu_runs(&cpu, isa);
}
