#ifndef SEPCONV_TESTS_SUPPORT_RUN_SETUP_H_
#define SEPCONV_TESTS_SUPPORT_RUN_SETUP_H_

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/guarded_buffer.h"

namespace sepconv::testing {

/// How a kernel is run: where all of its buffers and its scratch lie, and on how many threads.
struct RunSetup {
    Flush flush;
    int shift;  ///< Elements between an inaccessible page and the buffers (not the scratch).
    int threads;
    bool backwards() const { return shift % 2 == 1; }  ///< The order of tasks, where it is free.
};

/// Every end with one thread and with two; and one buffer of every alignment to 4 bytes in a cache
/// line. Code that takes a vector's alignment for granted faults with shift 0 or with shift 1, for
/// one instruction on one buffer cannot be aligned in both; tasks that write the same element show
/// when they run in another order: so the first six tell already.
inline constexpr RunSetup kRunSetups[] = {
    {Flush::kBack, 0, 1},   {Flush::kFront, 0, 2},  {Flush::kBack, 0, 2},   {Flush::kFront, 0, 1},
    {Flush::kFront, 1, 1},  {Flush::kFront, 3, 2},  {Flush::kFront, 2, 2},  {Flush::kFront, 4, 1},
    {Flush::kFront, 5, 1},  {Flush::kFront, 6, 2},  {Flush::kFront, 7, 2},  {Flush::kFront, 8, 1},
    {Flush::kFront, 9, 1},  {Flush::kFront, 10, 2}, {Flush::kFront, 11, 2}, {Flush::kFront, 12, 1},
    {Flush::kFront, 13, 1}, {Flush::kFront, 14, 2}, {Flush::kFront, 15, 2},
};
/// Of these, for machines on which a run is dear.
inline constexpr int kFewRunSetups = 6;

/// Calls task(0) .. task(size - 1), or `backwards` from the last to the first; several threads do
/// it at once and take turns. The last result that is not 0, or 0.
template<typename Task>
int run_tasks(int threads, bool backwards, int size, const Task &task) {
    std::atomic<int> waiting{threads};
    std::atomic<int> result{0};
    const auto work = [&](int first) {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        for (int i = first; i < size; i += threads) {
            const int failure = task(backwards ? size - 1 - i : i);
            if (failure != 0) result = failure;
        }
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(work, i);
    work(0);
    for (std::thread &other : others) other.join();
    return result;
}

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_RUN_SETUP_H_
