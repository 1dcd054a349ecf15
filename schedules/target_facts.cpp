#include "schedules/target_facts.h"

#include <Halide.h>

namespace sepconv {
namespace {

struct Row {
    Halide::Target::Arch arch;
    int bits;
    Halide::Target::Feature feature;  ///< FeatureEnd: the architecture's baseline.
    TargetFacts facts;
};

// First match wins. Registers and lanes: Intel SDM volume 1, 10.2 (SSE), 14.1 (AVX), 15.1
// (AVX-512); Arm ARM B1.2 (NEON; A2.6 of ARMv7's: 16 registers, and no fused multiply-add in the
// baseline). Caches: the smaller of Skylake-SP and Zen 4 (x86), of Cortex-A55 and Neoverse N1
// (ARM), from their optimisation guides. Fields in the order of TargetFacts.
const Row kRows[] = {
    {Halide::Target::X86,
     64,
     Halide::Target::AVX512_Skylake,
     {16, 32, true, 1, 1, 14, 8, 32 << 10, 1 << 20}},
    {Halide::Target::X86, 64, Halide::Target::AVX2, {8, 16, true, 1, 1, 1, 1, 32 << 10, 512 << 10}},
    {Halide::Target::X86,
     64,
     Halide::Target::FeatureEnd,
     {4, 16, false, 1, 1, 1, 1, 32 << 10, 256 << 10}},
    {Halide::Target::ARM,
     64,
     Halide::Target::FeatureEnd,
     {4, 32, true, 4, 4, 7, 4, 32 << 10, 256 << 10}},
    {Halide::Target::ARM,
     32,
     Halide::Target::FeatureEnd,
     {4, 16, false, 1, 1, 1, 1, 32 << 10, 256 << 10}},
};

}  // namespace

TargetFacts facts_of(const Halide::Target &target) {
    for (const Row &row : kRows) {
        if (row.arch == target.arch && row.bits == target.bits &&
            (row.feature == Halide::Target::FeatureEnd || target.has_feature(row.feature))) {
            return row.facts;
        }
    }
    TargetFacts other;
    other.lanes = target.natural_vector_size<float>();
    return other;
}

}  // namespace sepconv
