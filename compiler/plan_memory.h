#ifndef SEPCONV_COMPILER_PLAN_MEMORY_H_
#define SEPCONV_COMPILER_PLAN_MEMORY_H_

#include <cstdint>
#include <vector>

#include "compiler/plan.h"

namespace sepconv {

/// Where everything lies in the arena: offsets, multiples of 64.
struct MemoryPlan {
    std::vector<int64_t> tensors;        ///< Of Plan::tensors.
    std::vector<int64_t> scratch;        ///< Of every step's scratch; 0 where it has none.
    std::vector<int64_t> scratch_bytes;  ///< Of every step.
    int64_t bytes = 0;                   ///< A multiple of 64.
};

/// Places the plan's tensors, and each step's scratch for as long as that step runs, so that no two
/// that are in use at once overlap. `scratch_bytes` has an element a step.
MemoryPlan plan_memory(const Plan &plan, const std::vector<int64_t> &scratch_bytes);

/// The same without any scratch: what the tensors alone would need.
MemoryPlan plan_tensors(const Plan &plan);

/// Bytes from the start of the arena, for a location in it.
int64_t arena_offset(const MemoryPlan &memory, const Location &location);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_PLAN_MEMORY_H_
