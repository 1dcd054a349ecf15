/// Contexts that run at once, are made and destroyed meanwhile, and go through a fork; numbers of
/// threads; callbacks that fail. Always the bits of one serial run.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <functional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "models.h"
#include "sepconv/sepconv.hpp"
#include "shared_pool.h"

namespace sepconv::testing {
namespace {

constexpr int kRuns = 5;
constexpr int kContexts = 8;
constexpr int kMostThreads = 8;

class Concurrency : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        if (!sepconv_isa_available(GetParam().c_str())) {
            GTEST_SKIP() << "this machine does not run " << GetParam();
        }
        forced_ = std::make_unique<ForcedIsa>(GetParam());
    }

private:
    std::unique_ptr<ForcedIsa> forced_;
};

OutputBits serial_answer(const LinkedModel &linked, const std::string &seed) {
    Tensors tensors(linked, seed);
    const ContextPointer context = make_context(linked.model, 1);
    EXPECT_EQ(tensors.run(context.get()), SEPCONV_OK);
    const OutputBits bits = tensors.output_bits();
    EXPECT_TRUE(all_finite(bits));
    return bits;
}

/// One caller of its own: its tensors, and what a serial run of them gave.
struct Caller {
    Caller(const LinkedModel &linked, const std::string &seed)
        : model(linked.model), wanted(serial_answer(linked, seed)), tensors(linked, seed) {}

    bool runs_well(sepconv_context_t *context) {
        tensors.poison();
        return tensors.run(context) == SEPCONV_OK && tensors.output_bits() == wanted;
    }

    const sepconv_model_t *model;
    OutputBits wanted;
    Tensors tensors;
};

/// Callers of two models with inputs of their own.
std::deque<Caller> make_callers(int count) {
    const LinkedModel *models[] = {&linked_model("centerface_256"), &linked_model("ppocr_cls")};
    std::deque<Caller> callers;
    for (int i = 0; i < count; ++i) {
        callers.emplace_back(*models[i % 2], std::to_string(i));
    }
    EXPECT_FALSE(callers[0].wanted == callers[2].wanted) << "inputs that tell nothing";
    return callers;
}

/// Calls work(0), work(1), .. on as many threads, which begin together.
void at_once(int count, const std::function<void(int)> &work) {
    std::atomic<int> waiting{count};
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
        threads.emplace_back([&work, &waiting, i] {
            --waiting;
            while (waiting > 0) {
                std::this_thread::yield();
            }
            work(i);
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

/// Contexts that stay, with the options of their index; others come and go meanwhile.
void run_at_once(const std::function<sepconv_options_t(int)> &options_of) {
    std::deque<Caller> callers = make_callers(kContexts + 1);
    Caller &passer_by = callers.back();
    std::vector<ContextPointer> contexts;
    for (int i = 0; i < kContexts; ++i) {
        contexts.push_back(make_context(callers[i].model, options_of(i)));
    }
    std::atomic<int> running{kContexts};
    std::atomic<int> good_runs{0};
    int passed_by = 0;
    at_once(kContexts + 1, [&](int index) {
        if (index < kContexts) {
            for (int run = 0; run < kRuns; ++run) {
                good_runs += callers[index].runs_well(contexts[index].get());
            }
            --running;
            return;
        }
        do {
            const ContextPointer context =
                make_context(passer_by.model, options_of(passed_by % kContexts));
            EXPECT_TRUE(passer_by.runs_well(context.get())) << "context " << passed_by;
            ++passed_by;
        } while (running > 0);
    });
    EXPECT_EQ(good_runs, kContexts * kRuns);
    EXPECT_GT(passed_by, 0);
}

TEST_P(Concurrency, EightSerialContextsOfTwoModelsAtOnce) {
    run_at_once([](int) { return sepconv_options_t{}; });
}

TEST_P(Concurrency, EightContextsWithPoolsOfTheirOwn) {
    run_at_once([](int index) {
        sepconv_options_t options = {};
        options.num_threads = 1 + index % 4;
        return options;
    });
}

TEST_P(Concurrency, EightContextsOnOnePoolOfTheCaller) {
    SharedPool pool(3);
    std::vector<PoolShare> shares;
    for (int i = 0; i < kContexts; ++i) {
        shares.push_back({&pool, 2 + i % 3});
    }
    run_at_once([&shares](int index) { return shares[index].options(); });
}

TEST_P(Concurrency, AnyNumberOfThreadsGivesTheSameBits) {
    SharedPool pool(kMostThreads - 1);
    for (const LinkedModel &linked : linked_models()) {
        Caller caller(linked, "a");
        for (int threads = 1; threads <= kMostThreads; ++threads) {
            SCOPED_TRACE(linked.name + ", threads: " + std::to_string(threads));
            const PoolShare share = {&pool, threads};
            const ContextPointer contexts[] = {make_context(linked.model, threads),
                                               make_context(linked.model, share.options())};
            for (const ContextPointer &context : contexts) {
                ASSERT_NE(context, nullptr);
                EXPECT_STREQ(sepconv_context_isa(context.get()), GetParam().c_str());
                EXPECT_TRUE(caller.runs_well(context.get()));
                EXPECT_TRUE(caller.runs_well(context.get())) << "the second run";
            }
        }
    }
}

/// What a caller's parallel_for does wrong in the next loop.
enum class Fault { kNone, kIndex, kSkips, kRepeats, kWorker, kThrows };

/// Serial loops through the C++ wrapper, so that they may throw.
struct FaultyLoops {
    Fault fault = Fault::kNone;

    void operator()(int count, const ParallelBody &body) {
        const Fault now = std::exchange(fault, Fault::kNone);
        for (int i = now == Fault::kSkips ? 1 : 0; i < count; ++i) {
            body(i, now == Fault::kWorker ? 2 : i % 2);
        }
        if (now == Fault::kRepeats) {
            body(count / 2, 1);
        }
        if (now == Fault::kIndex) {
            body(-1, 0);
        }
        if (now == Fault::kThrows) {
            throw std::runtime_error("no threads today");
        }
    }
};

TEST_P(Concurrency, ACallbackThatFailsIsAnErrorAndTheNextRunIsRight) {
    const LinkedModel &linked = linked_model("ppocr_cls");
    FaultyLoops loops;
    Options options;
    options.num_threads = 2;
    options.parallel_for = [&loops](int count, const ParallelBody &body) { loops(count, body); };
    Context context;
    ASSERT_TRUE(Context::create(linked.model, std::move(options), &context).ok());
    Caller caller(linked, "a");
    ASSERT_TRUE(caller.runs_well(context.get()));
    for (const Fault fault :
         {Fault::kIndex, Fault::kSkips, Fault::kRepeats, Fault::kWorker, Fault::kThrows}) {
        SCOPED_TRACE(static_cast<int>(fault));
        loops.fault = fault;
        EXPECT_EQ(caller.tensors.run(context.get()), SEPCONV_CALLBACK_ERROR);
        EXPECT_EQ(loops.fault, Fault::kNone) << "the model has no parallel loop";
        EXPECT_TRUE(caller.runs_well(context.get()));
    }
}

TEST_P(Concurrency, AChildOfForkRunsItsParentsContexts) {
    std::deque<Caller> callers = make_callers(4);
    std::vector<ContextPointer> contexts;
    for (int i = 0; i < 4; ++i) {
        contexts.push_back(make_context(callers[i].model, 1 + i));
        ASSERT_TRUE(callers[i].runs_well(contexts[i].get()));
    }
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        int good = 0;
        for (int i = 0; i < 4; ++i) {
            good += callers[i].runs_well(contexts[i].get());
            contexts[i].reset();
        }
        const ContextPointer made = make_context(callers[0].model, 1);
        good += callers[0].runs_well(made.get());
        _exit(good);
    }
    // Both at once.
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(callers[i].runs_well(contexts[i].get()));
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 5);
}

INSTANTIATE_TEST_SUITE_P(Isas, Concurrency, ::testing::Values("sse41", "avx2", "avx512"),
                         [](const auto &info) { return info.param; });

}  // namespace
}  // namespace sepconv::testing
