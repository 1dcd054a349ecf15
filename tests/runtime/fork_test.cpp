/// Contexts in a child of fork: what sepconv.h promises of them.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "fake_model.h"

#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif

namespace sepconv {
namespace {

constexpr unsigned kSecondsToHang = 30;

/// Runs `child` in a child of fork; its result, or 128 and the signal that ended it. A child that
/// hangs is ended.
int in_child(const std::function<int()> &child) {
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(kSecondsToHang);
        _exit(child());
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Kernel 0: doubles the input in a parallel loop, and counts the threads that run the tasks.
class Fork : public testing::Test {
protected:
    void SetUp() override {
        set_kernel(0, [this](void *user_context, uint8_t *const hosts[]) {
            const auto *in = reinterpret_cast<const float *>(hosts[0]);
            auto *out = reinterpret_cast<float *>(hosts[1]);
            const auto caller = std::this_thread::get_id();
            return parallel_for(user_context, 0, kElements, [=](void *task_context, int index) {
                auto *scratch = static_cast<float *>(sepconv_kernel_malloc(task_context, 4));
                *scratch = 2 * in[index];
                out[index] = *scratch;
                sepconv_kernel_free(task_context, scratch);
                others_worked_ = others_worked_ || std::this_thread::get_id() != caller;
                // Time for the others to come.
                std::this_thread::sleep_for(std::chrono::microseconds(task_pause_));
                return 0;
            });
        });
    }

    /// Whether a run doubles: the input is `value`, and so on.
    static bool doubles(TestContext *test, float value) {
        for (int i = 0; i < kElements; ++i) {
            test->input[i] = value + static_cast<float>(i);
            test->output[i] = -1;
        }
        if (test->run() != SEPCONV_OK) {
            return false;
        }
        for (int i = 0; i < kElements; ++i) {
            if (test->output[i] != 2 * test->input[i]) {
                return false;
            }
        }
        return true;
    }

    /// Whether the pool's threads take part: in one of many runs, for on a busy machine the caller
    /// may have done everything before they wake up.
    bool others_work(TestContext *test) {
        constexpr int kRuns = 1000;
        others_worked_ = false;
        for (int i = 0; i < kRuns && !others_worked_; ++i) {
            if (!doubles(test, static_cast<float>(i))) {
                return false;
            }
        }
        return others_worked_;
    }

    static sepconv_options_t with_pool(int num_threads) {
        sepconv_options_t options = {};
        options.num_threads = num_threads;
        return options;
    }

    std::atomic<bool> others_worked_{false};
    std::atomic<int> task_pause_{0};  ///< Microseconds.
};

TEST_F(Fork, AnIdleContextRunsSeriallyInTheChildAndIsDestroyedThere) {
    FakeModel fake;
    const sepconv_model_t *model = fake.model();
    for (const int threads : {1, 2, 8}) {
        const sepconv_options_t options = with_pool(threads);
        auto test = std::make_unique<TestContext>(model, &options);
        task_pause_ = 1000;
        ASSERT_TRUE(doubles(test.get(), 1));
        EXPECT_EQ(threads == 1 ? others_worked_.load() : others_work(test.get()), threads > 1);
        others_worked_ = false;
        const int result = in_child([&] {
            const bool good = doubles(test.get(), 2) && doubles(test.get(), 3);
            test.reset();
            return !good ? 1 : others_worked_ ? 2 : 0;
        });
        EXPECT_EQ(result, 0) << threads;
        EXPECT_TRUE(doubles(test.get(), 4)) << "the parent's went with it";
        EXPECT_EQ(threads == 1 ? others_worked_.load() : others_work(test.get()), threads > 1);
        task_pause_ = 0;
    }
}

/// Threads of a pool take its lock when they fall asleep, some microseconds after a run.
TEST_F(Fork, AtAnyTimeAfterARun) {
    FakeModel fake;
    const sepconv_options_t options = with_pool(4);
    TestContext test(fake.model(), &options);
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(doubles(&test, 1));
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(i);
        while (std::chrono::steady_clock::now() < until) {
        }
        ASSERT_EQ(in_child([&] {
                      const bool good = doubles(&test, static_cast<float>(i));
                      sepconv_context_destroy(test.context);
                      return good ? 0 : 1;
                  }),
                  0)
            << i;
    }
}

TEST_F(Fork, AContextInUseCanBeDestroyedInTheChild) {
    FakeModel fake;
    const sepconv_options_t options = with_pool(3);
    TestContext test(fake.model(), &options);
    std::atomic<bool> stop{false};
    std::atomic<int> runs{0};
    std::thread user([&] {
        while (!stop) {
            (void)test.run();
            ++runs;
        }
    });
    for (int i = 0; i < 20; ++i) {
        const int before = runs;
        while (runs < before + 2) {
            std::this_thread::yield();
        }
        EXPECT_EQ(in_child([&] {
                      sepconv_context_destroy(test.context);
                      return 0;
                  }),
                  0)
            << i;
    }
    stop = true;
    user.join();
    EXPECT_TRUE(doubles(&test, 1));
}

TEST_F(Fork, TheChildMakesContextsWithThreadsOfItsOwn) {
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "ThreadSanitizer does not follow threads of a child";
#endif
    FakeModel fake;
    const sepconv_model_t *model = fake.model();
    const sepconv_options_t options = with_pool(3);
    TestContext before(model, &options);
    ASSERT_TRUE(doubles(&before, 1));
    task_pause_ = 1000;
    EXPECT_EQ(in_child([&] {
                  TestContext made(model, &options);
                  return others_work(&made) ? 0 : 1;
              }),
              0);
}

}  // namespace
}  // namespace sepconv
