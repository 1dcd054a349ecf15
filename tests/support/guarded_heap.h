#ifndef SEPCONV_TESTS_SUPPORT_GUARDED_HEAP_H_
#define SEPCONV_TESTS_SUPPORT_GUARDED_HEAP_H_

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "tests/support/guarded_buffer.h"

namespace sepconv::testing {

/// What a kernel gets as scratch: every allocation between inaccessible pages of its own, flush
/// against one of them as far as an alignment to 64 bytes allows, poison at first, gone when freed.
/// Any thread may ask.
class GuardedHeap {
public:
    explicit GuardedHeap(Flush flush) : flush_(flush) {}

    void *allocate(size_t bytes);
    void release(void *pointer);

    /// Asked for and not released.
    size_t live_bytes() const { return live_bytes_; }
    /// The most that was live at one time.
    size_t most_bytes() const { return most_bytes_; }
    /// Whether nothing was written beside an allocation, as seen when it was released, and nothing
    /// released that was not allocated.
    bool is_intact() const { return intact_; }

private:
    struct Allocation {
        std::unique_ptr<GuardedBuffer> buffer;
        size_t bytes;
    };

    Flush flush_;
    std::mutex mutex_;
    std::map<void *, Allocation> allocations_;
    size_t live_bytes_ = 0;
    size_t most_bytes_ = 0;
    bool intact_ = true;
};

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_GUARDED_HEAP_H_
