#include "compiler/plan_memory.h"

#include <algorithm>

namespace sepconv {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int kRounds = 50;

int64_t aligned(int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

bool alive_together(const Lifetime &a, const Lifetime &b) {
    return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

struct Packing {
    std::vector<int64_t> offsets;
    int64_t bytes = 0;
};

/// One after another in that order, each at the lowest free place.
Packing pack(const std::vector<Lifetime> &lifetimes, const std::vector<size_t> &order) {
    Packing packing;
    std::vector<int64_t> &offsets = packing.offsets;
    offsets.resize(lifetimes.size());
    std::vector<size_t> placed;  // Sorted by offset.
    for (size_t index : order) {
        const Lifetime &lifetime = lifetimes[index];
        int64_t offset = 0;
        for (size_t other : placed) {
            if (!alive_together(lifetime, lifetimes[other])) continue;
            if (offset + lifetime.bytes <= offsets[other]) break;
            offset = std::max(offset, aligned(offsets[other] + lifetimes[other].bytes));
        }
        offsets[index] = offset;
        packing.bytes = std::max(packing.bytes, aligned(offset + lifetime.bytes));
        placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                       [&](size_t a, size_t b) { return offsets[a] < offsets[b]; }),
                      index);
    }
    return packing;
}

/// The most that is in use at any step: no packing is smaller.
int64_t least_bytes(const std::vector<Lifetime> &lifetimes) {
    std::vector<int64_t> loads;
    for (const Lifetime &lifetime : lifetimes) {
        loads.resize(std::max(loads.size(), static_cast<size_t>(lifetime.last_step) + 1));
        for (int step = lifetime.first_step; step <= lifetime.last_step; ++step) {
            loads[static_cast<size_t>(step)] += aligned(lifetime.bytes);
        }
    }
    return loads.empty() ? 0 : *std::max_element(loads.begin(), loads.end());
}

/// The largest first; then again and again with the one that ended highest before all others, as
/// long as there is something to gain. The best of these.
Packing pack(const std::vector<Lifetime> &lifetimes) {
    std::vector<size_t> order;
    for (size_t i = 0; i < lifetimes.size(); ++i) {
        if (lifetimes[i].bytes > 0) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
    const int64_t least = least_bytes(lifetimes);
    Packing best = pack(lifetimes, order);
    Packing next = best;
    for (int round = 0; round < kRounds && best.bytes > least; ++round) {
        const auto highest = std::find_if(order.begin(), order.end(), [&](size_t i) {
            return aligned(next.offsets[i] + lifetimes[i].bytes) == next.bytes;
        });
        std::rotate(order.begin(), highest, highest + 1);
        next = pack(lifetimes, order);
        if (next.bytes < best.bytes) best = next;
    }
    return best;
}

}  // namespace

MemoryPlan plan_memory(const Plan &plan, const std::vector<int64_t> &scratch_bytes) {
    std::vector<Lifetime> lifetimes = plan.tensors;
    for (size_t step = 0; step < scratch_bytes.size(); ++step) {
        lifetimes.push_back({scratch_bytes[step], static_cast<int>(step), static_cast<int>(step)});
    }
    const Packing packing = pack(lifetimes);
    const auto scratch = packing.offsets.begin() + static_cast<std::ptrdiff_t>(plan.tensors.size());
    MemoryPlan memory;
    memory.tensors.assign(packing.offsets.begin(), scratch);
    memory.scratch.assign(scratch, packing.offsets.end());
    memory.scratch_bytes = scratch_bytes;
    memory.bytes = packing.bytes;
    return memory;
}

MemoryPlan plan_tensors(const Plan &plan) {
    return plan_memory(plan, std::vector<int64_t>(plan.steps.size(), 0));
}

int64_t arena_offset(const MemoryPlan &memory, const Location &location) {
    return memory.tensors[static_cast<size_t>(location.index)] + location.offset;
}

}  // namespace sepconv
