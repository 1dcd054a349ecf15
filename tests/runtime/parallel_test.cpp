/// Parallel loops of kernels: serial, over the pool, over the caller's parallel_for.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include "fake_model.h"

namespace sepconv {
namespace {

constexpr int kMaxIndices = 1000;

/// The caller's own parallel_for: `num_threads` new threads that take indices in turn.
struct CallersThreads {
    int num_threads;
    int result = 0;        ///< What to return after all went well.
    int wrong_worker = 0;  ///< Added to every worker number.
    int calls = 0;
    std::vector<int> indices = {};  ///< What to call in place of 0, 1, .. count - 1; empty: these.
};

int callers_parallel_for(void *data, sepconv_task_t body, void *body_data, int count) {
    auto *callers = static_cast<CallersThreads *>(data);
    ++callers->calls;
    std::vector<int> indices = callers->indices;
    if (indices.empty()) {
        indices.resize(static_cast<size_t>(count));
        std::iota(indices.begin(), indices.end(), 0);
    }
    std::atomic<size_t> next{0};
    std::atomic<int> first{0};
    std::vector<std::thread> threads;
    for (int worker = 0; worker < callers->num_threads; ++worker) {
        threads.emplace_back([&, worker] {
            for (size_t i = next++; i < indices.size(); i = next++) {
                const int result = body(body_data, indices[i], worker + callers->wrong_worker);
                int expected = 0;
                if (result != 0) {
                    first.compare_exchange_strong(expected, result);
                }
            }
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    return first != 0 ? first.load() : callers->result;
}

/// Options for `threads`: the pool, or `callers`.
sepconv_options_t options_for(int threads, CallersThreads *callers) {
    sepconv_options_t options = {};
    options.num_threads = threads;
    if (callers != nullptr) {
        callers->num_threads = threads > 1 ? threads : 1;
        options.parallel_for = callers_parallel_for;
        options.parallel_for_data = callers;
    }
    return options;
}

/// Runs loops of many sizes, each index with its own scratch, and counts the indices.
void expect_every_index_once(int threads, bool use_callers) {
    FakeModel fake;
    fake.variants = {fake_variant("sse41", 64 + 128)};
    fake.scratch_bytes = 2 * (64 + 128);
    std::vector<std::atomic<int>> counts(kMaxIndices);
    int size = 0;
    set_kernel(0, [&](void *user_context, uint8_t *const *) {
        auto *before = static_cast<uint8_t *>(sepconv_kernel_malloc(user_context, 64));
        std::memset(before, 0x11, 64);
        const int result = parallel_for(user_context, -3, size, [&](void *task_context, int index) {
            auto *scratch = static_cast<uint8_t *>(sepconv_kernel_malloc(task_context, 64));
            std::memset(scratch, index & 0xff, 64);
            ++counts[index + 3];
            for (int i = 0; i < 64; ++i) {
                if (scratch[i] != (index & 0xff)) {
                    return 1;
                }
            }
            sepconv_kernel_free(task_context, scratch);
            return 0;
        });
        for (int i = 0; i < 64; ++i) {
            EXPECT_EQ(before[i], 0x11) << "a task wrote over the scratch of the serial part";
        }
        sepconv_kernel_free(user_context, before);
        return result;
    });
    CallersThreads callers{};
    const sepconv_options_t options = options_for(threads, use_callers ? &callers : nullptr);
    TestContext test(fake.model(), &options);
    ASSERT_EQ(test.created, SEPCONV_OK);
    for (const int loop_size : {0, 1, 2, 3, 7, 64, kMaxIndices}) {
        size = loop_size;
        for (auto &count : counts) {
            count = 0;
        }
        ASSERT_EQ(test.run(), SEPCONV_OK) << threads << " threads, " << size << " indices";
        for (int i = 0; i < kMaxIndices; ++i) {
            ASSERT_EQ(counts[i], i < size ? 1 : 0) << "index " << i << " of " << size;
        }
    }
    EXPECT_EQ(callers.calls, use_callers && threads > 1 ? 5 : 0);
}

TEST(ParallelFor, PoolRunsEveryIndexOnce) {
    for (int threads = 0; threads <= 8; ++threads) {
        expect_every_index_once(threads, false);
    }
}

TEST(ParallelFor, CallersThreadsRunEveryIndexOnce) {
    for (int threads = 0; threads <= 8; ++threads) {
        expect_every_index_once(threads, true);
    }
}

TEST(ParallelFor, ManyShortLoopsInARow) {
    FakeModel fake;
    std::atomic<int> sum{0};
    set_kernel(0, [&](void *user_context, uint8_t *const *) {
        for (int loop = 0; loop < 200; ++loop) {
            int result = parallel_for(user_context, 0, 1 + loop % 9, [&](void *, int) {
                ++sum;
                return 0;
            });
            if (result != 0) {
                return result;
            }
        }
        return 0;
    });
    for (const int threads : {2, 3, 8}) {
        const sepconv_options_t options = options_for(threads, nullptr);
        TestContext test(fake.model(), &options);
        for (int run = 0; run < 20; ++run) {
            sum = 0;
            ASSERT_EQ(test.run(), SEPCONV_OK);
            ASSERT_EQ(sum, 22 * 45 + 1 + 2);
            if (run % 5 == 0) {
                // Long enough for the threads to stop spinning and sleep.
                std::this_thread::sleep_for(std::chrono::milliseconds(3));
            }
        }
    }
}

/// What the workers of one loop were, when all of them were in it at once.
struct Meeting {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::set<void *> user_contexts, scratch;
};

/// A loop of `count` indices of which each waits for all: it ends well only if they run at once.
int meet(void *user_context, int count, Meeting *meeting) {
    std::atomic<int> arrived{0};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    return parallel_for(user_context, 0, count, [&](void *task_context, int) {
        void *scratch = sepconv_kernel_malloc(task_context, 64);
        ++arrived;
        while (arrived < count) {
            if (std::chrono::steady_clock::now() > deadline) {
                return 1;
            }
            std::this_thread::yield();
        }
        const std::lock_guard<std::mutex> lock(meeting->mutex);
        meeting->threads.insert(std::this_thread::get_id());
        meeting->user_contexts.insert(task_context);
        meeting->scratch.insert(scratch);
        sepconv_kernel_free(task_context, scratch);
        return 0;
    });
}

TEST(ParallelFor, WorkersOfThePoolRunAtOnceAndShareNothing) {
    constexpr int kThreads = 3;
    FakeModel fake;
    Meeting meeting;
    set_kernel(0, [&](void *user_context, uint8_t *const *) {
        return meet(user_context, kThreads, &meeting);
    });
    const sepconv_options_t options = options_for(kThreads, nullptr);
    TestContext test(fake.model(), &options);
    for (int run = 0; run < 3; ++run) {
        meeting.threads.clear();
        ASSERT_EQ(test.run(), SEPCONV_OK) << "the threads did not all come, run " << run;
        EXPECT_EQ(meeting.threads.size(), 3u);
        EXPECT_EQ(meeting.threads.count(std::this_thread::get_id()), 1u);
        EXPECT_EQ(meeting.user_contexts.size(), 3u);
        EXPECT_EQ(meeting.scratch.size(), 3u);
        // Long enough for the threads to fall asleep: the next run has to wake them.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

TEST(ParallelFor, NestedLoopsRunSeriallyInTheSameWorker) {
    for (const bool use_callers : {false, true}) {
        FakeModel fake;
        fake.variants = {fake_variant("sse41", 2 * (64 + 128))};
        std::atomic<int> sum{0};
        set_kernel(0, [&](void *user_context, uint8_t *const *) {
            return parallel_for(user_context, 0, 16, [&](void *outer, int) {
                auto *kept = static_cast<uint8_t *>(sepconv_kernel_malloc(outer, 64));
                std::memset(kept, 0x22, 64);
                const auto id = std::this_thread::get_id();
                const int result = parallel_for(outer, 0, 5, [&](void *inner, int) {
                    void *scratch = sepconv_kernel_malloc(inner, 64);
                    std::memset(scratch, 0x33, 64);
                    sepconv_kernel_free(inner, scratch);
                    ++sum;
                    return inner == outer && std::this_thread::get_id() == id ? 0 : 1;
                });
                const bool intact = kept[0] == 0x22 && kept[63] == 0x22;
                sepconv_kernel_free(outer, kept);
                return intact ? result : 1;
            });
        });
        CallersThreads callers{};
        const sepconv_options_t options = options_for(4, use_callers ? &callers : nullptr);
        TestContext test(fake.model(), &options);
        EXPECT_EQ(test.run(), SEPCONV_OK);
        EXPECT_EQ(sum, 80);
    }
}

TEST(ParallelFor, ATasksErrorComesBackAndTheOthersRun) {
    for (const int threads : {1, 2, 8}) {
        for (const bool use_callers : {false, true}) {
            FakeModel fake;
            std::atomic<int> calls{0};
            int returned = 0;
            bool fail = true;
            set_kernel(0, [&](void *user_context, uint8_t *const *) {
                returned = parallel_for(user_context, 0, 20, [&](void *, int index) {
                    ++calls;
                    return fail && index == 7 ? -77 : 0;
                });
                return 0;  // As a kernel compiled with no_asserts, which drops the result.
            });
            CallersThreads callers{};
            const auto options = options_for(threads, use_callers ? &callers : nullptr);
            TestContext test(fake.model(), &options);
            EXPECT_EQ(test.run(), SEPCONV_KERNEL_ERROR);
            EXPECT_EQ(returned, -77);
            EXPECT_EQ(calls, 20);
            fail = false;
            EXPECT_EQ(test.run(), SEPCONV_OK) << "an error outlived its run";
        }
    }
}

TEST(ParallelFor, ScratchExhaustedInATaskIsRecorded) {
    for (const int threads : {1, 4}) {
        FakeModel fake;
        fake.variants = {fake_variant("sse41", 64 + 128)};
        fake.scratch_bytes = 64 + 128;
        set_kernel(0, [&](void *user_context, uint8_t *const *) {
            return parallel_for(user_context, 0, 8, [&](void *task_context, int) {
                EXPECT_EQ(sepconv_kernel_malloc(task_context, 65), nullptr);
                return 0;
            });
        });
        const sepconv_options_t options = options_for(threads, nullptr);
        TestContext test(fake.model(), &options);
        EXPECT_EQ(test.run(), SEPCONV_KERNEL_ERROR);
    }
}

/// A loop of six; after the error the context runs as ever.
void expect_callback_error(CallersThreads callers) {
    FakeModel fake;
    set_kernel(0, [](void *user_context, uint8_t *const *) {
        // As a kernel compiled with no_asserts, which drops the result.
        (void)parallel_for(user_context, 0, 6, [](void *, int) { return 0; });
        return 0;
    });
    const sepconv_options_t options = options_for(3, &callers);
    TestContext test(fake.model(), &options);
    EXPECT_EQ(test.run(), SEPCONV_CALLBACK_ERROR);
    callers = CallersThreads{};
    callers.num_threads = 3;
    EXPECT_EQ(test.run(), SEPCONV_OK);
}

TEST(ParallelFor, ACallbackThatBreaksItsContractIsAnError) {
    CallersThreads returns_error{};
    returns_error.result = 5;
    expect_callback_error(returns_error);
    // Skipped, repeated, out of range; as many as there should be, or even of the same sum.
    const std::vector<std::vector<int>> wrong_indices = {
        {0, 1, 2, 3, 4},    {1, 2, 3, 4, 5},        {0, 1, 2, 3, 4, 5, 5},
        {1, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5, -1}, {0, 1, 2, 3, 4, 6},
        {0, 1, 1, 4, 4, 5}, {2, 2, 2, 3, 3, 3},     {0, 0, 3, 3, 3, 3, 3, 0}};
    for (const std::vector<int> &indices : wrong_indices) {
        SCOPED_TRACE(testing::PrintToString(indices));
        CallersThreads wrong{};
        wrong.indices = indices;
        expect_callback_error(wrong);
    }
    // Every worker is out of range, whichever threads get to run.
    for (const int offset : {-3, 3, 1 << 20}) {
        CallersThreads wrong_worker{};
        wrong_worker.wrong_worker = offset;
        expect_callback_error(wrong_worker);
    }
}

TEST(TwoContexts, RunAtOnceWithTheirOwnAnswers) {
    FakeModel fake;
    fake.variants = {fake_variant("sse41", 0)};
    fake.scratch_bytes = 64 + 128;
    set_kernel(0, [](void *user_context, uint8_t *const hosts[]) {
        const auto *in = reinterpret_cast<const float *>(hosts[0]);
        auto *out = reinterpret_cast<float *>(hosts[1]);
        auto *copy = static_cast<float *>(sepconv_kernel_malloc(user_context, kElements * 4));
        std::memcpy(copy, in, kElements * 4);
        const int result = parallel_for(user_context, 0, kElements, [&](void *, int index) {
            out[index] = 2 * copy[index];
            return 0;
        });
        sepconv_kernel_free(user_context, copy);
        return result;
    });
    const sepconv_model_t *model = fake.model();
    std::vector<std::thread> users;
    for (int user = 0; user < 3; ++user) {
        users.emplace_back([model, user] {
            const sepconv_options_t options = options_for(1 + user, nullptr);
            TestContext test(model, &options);
            ASSERT_EQ(test.created, SEPCONV_OK);
            for (int round = 0; round < 300; ++round) {
                for (int i = 0; i < kElements; ++i) {
                    test.input[i] = static_cast<float>(1000 * user + round + i);
                }
                ASSERT_EQ(test.run(), SEPCONV_OK);
                for (int i = 0; i < kElements; ++i) {
                    ASSERT_EQ(test.output[i], 2 * test.input[i]);
                }
            }
        });
    }
    for (auto &user : users) {
        user.join();
    }
}

}  // namespace
}  // namespace sepconv
