/* Which ISA variants a CPU runs, apart from asking the CPU, so that tests can describe any. */
#ifndef SEPCONV_SRC_CPU_H_
#define SEPCONV_SRC_CPU_H_

#include <stdint.h>

#if defined(__GNUC__)
#pragma GCC visibility push(hidden)
#endif

/* What a CPU and its operating system say. All zero but for the words of its architecture. */
typedef struct sepconv_cpu_t {
    /* x86-64 */
    uint32_t leaf1_ecx;    /* CPUID 1. */
    uint32_t leaf7_ebx;    /* CPUID 7, subleaf 0; 0 where there is no leaf 7. */
    uint32_t extended_ecx; /* CPUID 0x80000001; 0 where there is none. */
    uint64_t xcr0;         /* XGETBV 0; 0 where the operating system does not enable XSAVE. */
    /* ARM */
    uint32_t arm; /* Of SEPCONV_ARM_*, as both word sizes and all systems have them. */
    /* RISC-V */
    uint32_t vector_bits; /* Length of a vector register; 0 without vectors. */
} sepconv_cpu_t;

#define SEPCONV_ARM_NEON UINT32_C(1)    /* Advanced SIMD. */
#define SEPCONV_ARM_DOTPROD UINT32_C(2) /* SDOT and UDOT. */

/* Asks the CPU that this runs on. */
sepconv_cpu_t sepconv_cpu_detect(void);

/* Whether `cpu` runs every instruction that the compiler emits for `isa`. Unknown or null: 0. */
int sepconv_cpu_runs(const sepconv_cpu_t *cpu, const char *isa);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif /* SEPCONV_SRC_CPU_H_ */
