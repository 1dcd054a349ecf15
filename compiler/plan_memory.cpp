#include "compiler/plan_memory.h"

#include <algorithm>
#include <numeric>

namespace sepconv {
namespace {

constexpr int64_t kAlignment = 64;

int64_t aligned(int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

bool alive_together(const Lifetime &a, const Lifetime &b) {
    return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

}  // namespace

int64_t plan_memory(std::vector<Lifetime> &lifetimes) {
    std::vector<size_t> order(lifetimes.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
    std::vector<const Lifetime *> placed;  // Sorted by offset.
    int64_t arena = 0;
    for (size_t index : order) {
        Lifetime &lifetime = lifetimes[index];
        int64_t offset = 0;
        for (const Lifetime *other : placed) {
            if (!alive_together(lifetime, *other)) continue;
            if (offset + lifetime.bytes <= other->offset) break;
            offset = std::max(offset, aligned(other->offset + other->bytes));
        }
        lifetime.offset = offset;
        arena = std::max(arena, aligned(offset + lifetime.bytes));
        placed.insert(std::upper_bound(placed.begin(), placed.end(), &lifetime,
                                       [](const Lifetime *a, const Lifetime *b) {
                                           return a->offset < b->offset;
                                       }),
                      &lifetime);
    }
    return arena;
}

}  // namespace sepconv
