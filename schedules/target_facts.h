#ifndef SEPCONV_SCHEDULES_TARGET_FACTS_H_
#define SEPCONV_SCHEDULES_TARGET_FACTS_H_

#include <cstdint>

namespace Halide {
struct Target;
}

namespace sepconv {

/// What a schedule needs to know of a machine. A new CPU target is one more row in
/// target_facts.cpp.
struct TargetFacts {
    int lanes = 4;               ///< fp32 values in a vector register.
    int registers = 16;          ///< Architectural vector registers.
    bool fused_multiply = true;  ///< Without it a product needs a register of its own.
    /// Values of one register by which a multiply can take a vector, one after the other: so many
    /// steps of a reduction load their inputs at once. 1: a broadcast is needed.
    int multiply_lanes = 1;
    /// Pixels that a step of a depthwise with few taps computes inside a block, at most: where they
    /// share loads and overlap each other's latency.
    int depthwise_pixels = 1;
    /// Rows up to so many pixels are one step of it: no column for which a step must test.
    int short_row = 1;
    /// Pixels that a step of it computes in strips of rows, where columns at a border have loops of
    /// their own.
    int strip_pixels = 1;
    int64_t l1_bytes = 32 << 10;
    int64_t l2_bytes = 512 << 10;
};

TargetFacts facts_of(const Halide::Target &target);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_TARGET_FACTS_H_
