#include "tests/support/guarded_heap.h"

#include <sanitizer/asan_interface.h>

#include <algorithm>

namespace sepconv::testing {
namespace {

constexpr size_t kAlignment = 64;

bool is_poison(const char *first, const char *last) {
    const uint32_t poison = GuardedBuffer::kPoison;
    const auto *pattern = reinterpret_cast<const char *>(&poison);
    for (const char *byte = first; byte < last; ++byte) {
        if (*byte != pattern[reinterpret_cast<uintptr_t>(byte) % sizeof poison]) return false;
    }
    return true;
}

}  // namespace

void *GuardedHeap::allocate(size_t bytes) {
    const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    auto buffer = std::make_unique<GuardedBuffer>(rounded / sizeof(uint32_t), flush_);
    void *pointer = buffer->bits();
    ASAN_POISON_MEMORY_REGION(static_cast<char *>(pointer) + bytes, rounded - bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    allocations_[pointer] = {std::move(buffer), bytes};
    live_bytes_ += bytes;
    most_bytes_ = std::max(most_bytes_, live_bytes_);
    return pointer;
}

void GuardedHeap::release(void *pointer) {
    if (pointer == nullptr) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = allocations_.find(pointer);
    if (found == allocations_.end()) {
        intact_ = false;
        return;
    }
    const Allocation &allocation = found->second;
    const auto *first = static_cast<const char *>(pointer);
    const size_t rounded = (allocation.bytes + kAlignment - 1) / kAlignment * kAlignment;
    intact_ = intact_ && allocation.buffer->slack_is_untouched() &&
              is_poison(first + allocation.bytes, first + rounded);
    live_bytes_ -= allocation.bytes;
    allocations_.erase(found);
}

}  // namespace sepconv::testing
