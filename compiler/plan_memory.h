#ifndef SEPCONV_COMPILER_PLAN_MEMORY_H_
#define SEPCONV_COMPILER_PLAN_MEMORY_H_

#include <cstdint>
#include <vector>

namespace sepconv {

/// A tensor in the arena, alive from the step that first writes it to the one that last reads it.
struct Lifetime {
    int64_t bytes = 0;
    int first_step = 0;
    int last_step = 0;
    int64_t offset = 0;  ///< The answer.
};

/// Gives every lifetime an offset, a multiple of 64, so that no two that are alive at once
/// overlap: largest first, each at the lowest free place. Returns the arena's size.
int64_t plan_memory(std::vector<Lifetime> &lifetimes);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_PLAN_MEMORY_H_
