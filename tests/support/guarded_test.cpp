// What kernels under test run on: guarded buffers, guarded scratch, tasks on two threads, and tasks
// whose accesses are compared.

#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/guarded_buffer.h"
#include "tests/support/guarded_heap.h"
#include "tests/support/run_setup.h"
#include "tests/support/task_conflicts.h"

namespace sepconv::testing {
namespace {

TEST(GuardedBufferDeathTest, FaultsOnBothSides) {
    GuardedBuffer back(5, Flush::kBack);
    GuardedBuffer front(5, Flush::kFront);
    volatile float *behind = back.floats() + 5;
    volatile float *before = front.floats() - 1;
    EXPECT_DEATH(*behind = 1.0F, "");
    EXPECT_DEATH(*before = 1.0F, "");
    EXPECT_TRUE(back.slack_is_untouched());
    back.floats()[-1] = 1.0F;
    EXPECT_FALSE(back.slack_is_untouched());
}

TEST(GuardedBuffer, LiesAtAnyAlignmentOfFourBytes) {
    for (size_t shift = 0; shift < 16; ++shift) {
        GuardedBuffer buffer(5, Flush::kFront, shift);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.bits()) % 64, 4 * shift);
        EXPECT_TRUE(buffer.slack_is_untouched());
        buffer.bits()[5] = 0;
        EXPECT_FALSE(buffer.slack_is_untouched());
    }
}

TEST(GuardedHeap, CountsAndAligns) {
    GuardedHeap heap(Flush::kBack);
    void *first = heap.allocate(100);
    void *second = heap.allocate(0);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0U);
    EXPECT_EQ(heap.live_bytes(), 100U);
    heap.release(first);
    heap.release(second);
    heap.release(heap.allocate(40));
    heap.release(nullptr);
    EXPECT_EQ(heap.live_bytes(), 0U);
    EXPECT_EQ(heap.most_bytes(), 100U);
    EXPECT_TRUE(heap.is_intact());
    heap.release(&heap);
    EXPECT_FALSE(heap.is_intact());
}

TEST(GuardedHeap, SeesWhatIsWrittenBesideAnAllocation) {
    for (const Flush flush : {Flush::kBack, Flush::kFront}) {
        GuardedHeap heap(flush);
        auto *bytes = static_cast<char *>(heap.allocate(101));
        bytes[100] = 0;
        heap.release(bytes);
        EXPECT_TRUE(heap.is_intact());
        bytes = static_cast<char *>(heap.allocate(101));
        bytes[101] = 0;
        heap.release(bytes);
        EXPECT_FALSE(heap.is_intact());
    }
}

TEST(GuardedHeapDeathTest, FaultsOnBothSidesAndWhenReleased) {
    GuardedHeap back(Flush::kBack), front(Flush::kFront);
    volatile char *ends_there = static_cast<char *>(back.allocate(128));
    volatile char *begins_there = static_cast<char *>(front.allocate(100));
    EXPECT_DEATH(ends_there[128] = 0, "");
    EXPECT_DEATH(begins_there[-1] = 0, "");
    EXPECT_DEATH(
        {
            back.release(const_cast<char *>(ends_there));
            ends_there[0] = 0;
        },
        "");
}

TEST(RunTasks, RunsEachOnceOnSoManyThreads) {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::vector<int> indices;
    const auto task = [&](int i) {
        const std::lock_guard<std::mutex> lock(mutex);
        threads.insert(std::this_thread::get_id());
        indices.push_back(i);
        return i == 3 ? -7 : 0;
    };
    EXPECT_EQ(run_tasks(2, false, 5, task), -7);
    EXPECT_EQ(threads.size(), 2U);
    EXPECT_EQ(std::multiset<int>(indices.begin(), indices.end()),
              (std::multiset<int>{0, 1, 2, 3, 4}));
    threads.clear();
    indices.clear();
    EXPECT_EQ(run_tasks(1, false, 3, task), 0);
    EXPECT_EQ(run_tasks(1, true, 3, task), 0);
    EXPECT_EQ(threads.size(), 1U);
    EXPECT_EQ(indices, (std::vector<int>{0, 1, 2, 2, 1, 0}));
}

TEST(TaskConflicts, AreOfOneLoopAndOfWords) {
    const uint32_t words[4] = {};
    TaskConflicts conflicts;
    const auto in_task = [&](int task) {
        conflicts.begin_task(task);
        return &conflicts;
    };
    conflicts.begin_loop();
    in_task(0)->write(words, 8, "a");
    in_task(1)->write(words + 2, 8, "a");
    in_task(0)->read(words, 8, "a");
    conflicts.end_loop();
    conflicts.read(words, 16, "a");
    conflicts.begin_loop();
    for (int task = 0; task < 3; ++task) in_task(task)->read(words, 16, "a");
    conflicts.end_loop();
    EXPECT_EQ(conflicts.count(), 0);
    EXPECT_EQ(conflicts.accesses(), 6);
}

TEST(TaskConflicts, AreFoundInAnyOrder) {
    const uint32_t words[4] = {};
    for (const int first : {0, 1}) {
        TaskConflicts read_first, write_first, written_twice;
        for (TaskConflicts *conflicts : {&read_first, &write_first, &written_twice}) {
            conflicts->begin_loop();
            conflicts->begin_task(first);
        }
        read_first.read(words, 8, "a");
        write_first.write(words, 8, "a");
        written_twice.write(words, 8, "a");
        for (TaskConflicts *conflicts : {&read_first, &write_first, &written_twice}) {
            conflicts->begin_task(1 - first);
        }
        read_first.write(words + 1, 8, "a");
        write_first.read(words + 1, 8, "a");
        written_twice.write(words + 1, 8, "a");
        EXPECT_EQ(read_first.count(), 1);
        EXPECT_EQ(write_first.count(), 1);
        EXPECT_EQ(written_twice.count(), 1);
    }
}

/// Of two readers, one may be the writer itself.
TEST(TaskConflicts, RememberTwoReaders) {
    const uint32_t word = 0;
    TaskConflicts conflicts;
    conflicts.begin_loop();
    for (const int task : {3, 5, 3}) {
        conflicts.begin_task(task);
        conflicts.read(&word, 4, "a");
    }
    conflicts.write(&word, 4, "a");
    EXPECT_EQ(conflicts.count(), 1);
    EXPECT_EQ(conflicts.first(), "parallel loop 0: task 3 writes a word of a that task 5 has read");
}

}  // namespace
}  // namespace sepconv::testing
