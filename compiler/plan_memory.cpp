#include "compiler/plan_memory.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace sepconv {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int kRounds = 50;
/// More than any real network has: the search's time is the square of that.
constexpr size_t kMaxSearched = 4000;

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
    std::map<int, int64_t> changes;
    for (const Lifetime &lifetime : lifetimes) {
        changes[lifetime.first_step] += aligned(lifetime.bytes);
        changes[lifetime.last_step + 1] -= aligned(lifetime.bytes);
    }
    int64_t load = 0, most = 0;
    for (const auto &[step, change] : changes) most = std::max(most, load += change);
    return most;
}

/// Free bytes between others, found by where they begin and by how many they are.
class FreeRanges {
public:
    void add(int64_t offset, int64_t bytes) {
        auto next = by_offset_.lower_bound(offset);
        if (next != by_offset_.end() && next->first == offset + bytes) {
            bytes += next->second;
            next = remove(next);
        }
        if (next != by_offset_.begin() &&
            std::prev(next)->first + std::prev(next)->second == offset) {
            offset = std::prev(next)->first;
            bytes += std::prev(next)->second;
            remove(std::prev(next));
        }
        by_offset_[offset] = bytes;
        by_bytes_.emplace(bytes, offset);
    }

    /// The smallest that is large enough, or at the end.
    int64_t take(int64_t bytes) {
        const auto found = by_bytes_.lower_bound({bytes, 0});
        if (found == by_bytes_.end()) return std::exchange(end_, end_ + bytes);
        const auto [free, offset] = *found;
        remove(by_offset_.find(offset));
        if (free > bytes) add(offset + bytes, free - bytes);
        return offset;
    }

    int64_t end() const { return end_; }

private:
    using Offsets = std::map<int64_t, int64_t>;

    Offsets::iterator remove(Offsets::iterator range) {
        by_bytes_.erase({range->second, range->first});
        return by_offset_.erase(range);
    }

    Offsets by_offset_;
    std::set<std::pair<int64_t, int64_t>> by_bytes_;
    int64_t end_ = 0;
};

/// In the order of steps, each at the tightest place that is free then.
Packing pack_in_time(const std::vector<Lifetime> &lifetimes, std::vector<size_t> order) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return lifetimes[a].first_step < lifetimes[b].first_step;
    });
    Packing packing;
    packing.offsets.resize(lifetimes.size());
    FreeRanges ranges;
    std::set<std::pair<int, size_t>> alive;  // By last step.
    for (const size_t index : order) {
        const Lifetime &lifetime = lifetimes[index];
        for (; !alive.empty() && alive.begin()->first < lifetime.first_step;
             alive.erase(alive.begin())) {
            const size_t ended = alive.begin()->second;
            ranges.add(packing.offsets[ended], aligned(lifetimes[ended].bytes));
        }
        packing.offsets[index] = ranges.take(aligned(lifetime.bytes));
        alive.emplace(lifetime.last_step, index);
    }
    packing.bytes = ranges.end();
    return packing;
}

/// The largest first; then again and again with the one that ended highest before all others, as
/// long as there is something to gain. The best of these.
Packing pack(const std::vector<Lifetime> &lifetimes) {
    std::vector<size_t> order;
    for (size_t i = 0; i < lifetimes.size(); ++i) {
        if (lifetimes[i].bytes > 0) order.push_back(i);
    }
    if (order.size() > kMaxSearched) return pack_in_time(lifetimes, std::move(order));
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
