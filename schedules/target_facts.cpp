#include "schedules/target_facts.h"

namespace sepconv {
namespace {

struct Row {
    Halide::Target::Arch arch;
    Halide::Target::Feature feature;  ///< FeatureEnd: the architecture's baseline.
    TargetFacts facts;
};

// First match wins. Registers and lanes: Intel SDM volume 1, 10.2 (SSE), 14.1 (AVX), 15.1
// (AVX-512); Arm ARM B1.2 (NEON). Caches: the smaller of Skylake-SP and Zen 4 (x86), of
// Cortex-A55 and Neoverse N1 (ARM), from their optimisation guides.
const Row kRows[] = {
    {Halide::Target::X86, Halide::Target::AVX512_Skylake, {16, 32, true, true, 32 << 10, 1 << 20}},
    {Halide::Target::X86, Halide::Target::AVX2, {8, 16, true, false, 32 << 10, 512 << 10}},
    {Halide::Target::X86, Halide::Target::FeatureEnd, {4, 16, false, false, 32 << 10, 256 << 10}},
    {Halide::Target::ARM, Halide::Target::FeatureEnd, {4, 32, true, true, 32 << 10, 256 << 10}},
};

}  // namespace

TargetFacts facts_of(const Halide::Target &target) {
    for (const Row &row : kRows) {
        if (row.arch == target.arch &&
            (row.feature == Halide::Target::FeatureEnd || target.has_feature(row.feature))) {
            return row.facts;
        }
    }
    TargetFacts other;
    other.lanes = target.natural_vector_size<float>();
    return other;
}

}  // namespace sepconv
