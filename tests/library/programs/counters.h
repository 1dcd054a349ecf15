#ifndef SEPCONV_TESTS_LIBRARY_PROGRAMS_COUNTERS_H_
#define SEPCONV_TESTS_LIBRARY_PROGRAMS_COUNTERS_H_

#include <cstddef>

namespace sepconv::testing {

/// What the program has asked of the system so far, on all threads.
struct Counts {
    int allocations;  ///< malloc, calloc, realloc, the aligned ones and mmap.
    int frees;
    size_t bytes;  ///< Of the allocations.
    int threads_started;
};

Counts counts();

/// Threads of this process now, as the kernel counts them.
int live_threads();

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_LIBRARY_PROGRAMS_COUNTERS_H_
