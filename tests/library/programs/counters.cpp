#include "counters.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>

namespace {

std::atomic<int> allocations{0};
std::atomic<int> frees{0};
std::atomic<size_t> allocated_bytes{0};
std::atomic<int> threads_started{0};

void count_allocation(size_t bytes) {
    ++allocations;
    allocated_bytes += bytes;
}

}  // namespace

extern "C" {
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *pointer, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *pointer);

void *malloc(size_t bytes) {
    count_allocation(bytes);
    return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
    count_allocation(count * bytes);
    return __libc_calloc(count, bytes);
}
void *realloc(void *pointer, size_t bytes) {
    count_allocation(bytes);
    return __libc_realloc(pointer, bytes);
}
void *memalign(size_t alignment, size_t bytes) {
    count_allocation(bytes);
    return __libc_memalign(alignment, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes) {
    return memalign(alignment, bytes);
}
int posix_memalign(void **pointer, size_t alignment, size_t bytes) {
    *pointer = memalign(alignment, bytes);
    return *pointer != nullptr ? 0 : ENOMEM;
}
void free(void *pointer) {
    frees += pointer != nullptr;
    __libc_free(pointer);
}
void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    count_allocation(bytes);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the system call's result.
    return reinterpret_cast<void *>(
        syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *data) {
    ++threads_started;
    return __real_pthread_create(thread, attributes, start, data);
}
}

namespace sepconv::testing {

Counts counts() {
    return {allocations, frees, allocated_bytes, threads_started};
}

int live_threads() {
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word) {
        if (word == "Threads:") {
            int threads = 0;
            status >> threads;
            return threads;
        }
    }
    return -1;
}

}  // namespace sepconv::testing
