#include "tests/support/guarded_buffer.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>

namespace sepconv::testing {

GuardedBuffer::GuardedBuffer(size_t elements, Flush flush, size_t shift)
    : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))), elements_(elements) {
    const size_t bytes = (elements + shift) * sizeof(uint32_t);
    const size_t usable = std::max<size_t>(1, (bytes + page_ - 1) / page_) * page_;
    mapped_bytes_ = usable + 2 * page_;
    mapping_ = mmap(nullptr, mapped_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping_ == MAP_FAILED) {
        throw std::bad_alloc();
    }
    char *first = static_cast<char *>(mapping_) + page_;
    if (mprotect(first, usable, PROT_READ | PROT_WRITE) != 0) {
        throw std::bad_alloc();
    }
    std::fill_n(reinterpret_cast<uint32_t *>(first), usable / sizeof(uint32_t), kPoison);
    data_ = flush == Flush::kFront ? first + shift * sizeof(uint32_t) : first + usable - bytes;
    char *behind = static_cast<char *>(data_) + elements * sizeof(uint32_t);
    ASAN_POISON_MEMORY_REGION(first, static_cast<char *>(data_) - first);
    ASAN_POISON_MEMORY_REGION(behind, first + usable - behind);
}

GuardedBuffer::~GuardedBuffer() {
    ASAN_UNPOISON_MEMORY_REGION(mapping_, mapped_bytes_);
    munmap(mapping_, mapped_bytes_);
}

void GuardedBuffer::make_read_only() {
    if (mprotect(static_cast<char *>(mapping_) + page_, mapped_bytes_ - 2 * page_, PROT_READ) !=
        0) {
        throw std::bad_alloc();
    }
}

bool GuardedBuffer::slack_is_untouched() const {
    ASAN_UNPOISON_MEMORY_REGION(mapping_, mapped_bytes_);
    const auto *first = reinterpret_cast<const uint32_t *>(static_cast<char *>(mapping_) + page_);
    const auto *last = first + (mapped_bytes_ - 2 * page_) / sizeof(uint32_t);
    const auto *data = static_cast<const uint32_t *>(data_);
    const auto poisoned = [](uint32_t word) { return word == kPoison; };
    return std::all_of(first, data, poisoned) && std::all_of(data + elements_, last, poisoned);
}

}  // namespace sepconv::testing
