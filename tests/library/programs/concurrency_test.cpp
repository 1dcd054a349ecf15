/// Contexts that run at once, and numbers of threads: always the bits of one serial run.
#include <gtest/gtest.h>

#include <atomic>
#include <iterator>
#include <thread>

#include "models.h"

namespace sepconv::testing {
namespace {

constexpr int kRuns = 5;

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

/// One caller of its own: a context, its tensors, and what a serial run of them gave.
struct Caller {
    Caller(const LinkedModel &linked, const std::string &seed, int num_threads)
        : wanted(serial_answer(linked, seed)),
          tensors(linked, seed),
          context(make_context(linked.model, num_threads)) {}

    void run(std::atomic<int> *waiting) {
        --*waiting;
        while (*waiting > 0) {
            std::this_thread::yield();
        }
        for (int i = 0; i < kRuns; ++i) {
            tensors.poison();
            good_runs +=
                tensors.run(context.get()) == SEPCONV_OK && tensors.output_bits() == wanted;
        }
    }

    OutputBits wanted;
    Tensors tensors;
    ContextPointer context;
    int good_runs = 0;
};

void run_at_once(int num_threads) {
    const LinkedModel &face = linked_model("centerface_256");
    const LinkedModel &text = linked_model("ppocr_cls");
    Caller callers[] = {
        {face, "a", num_threads}, {face, "b", num_threads}, {text, "a", num_threads}};
    ASSERT_FALSE(callers[0].wanted == callers[1].wanted) << "inputs that tell nothing";
    std::atomic<int> waiting{static_cast<int>(std::size(callers))};
    std::vector<std::thread> threads;
    for (Caller &caller : callers) {
        threads.emplace_back([&caller, &waiting] { caller.run(&waiting); });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    for (const Caller &caller : callers) {
        EXPECT_EQ(caller.good_runs, kRuns) << "caller " << &caller - callers;
    }
}

TEST_P(Concurrency, SerialContextsOfTwoModelsAtOnce) {
    run_at_once(1);
}

TEST_P(Concurrency, ContextsWithPoolsAtOnce) {
    run_at_once(2);
}

TEST_P(Concurrency, AnyNumberOfThreadsGivesTheSameBits) {
    for (const LinkedModel &linked : linked_models()) {
        const OutputBits wanted = serial_answer(linked, "a");
        for (const int threads : {1, 2, 3, 4}) {
            SCOPED_TRACE(linked.name + ", threads: " + std::to_string(threads));
            Tensors tensors(linked, "a");
            const ContextPointer context = make_context(linked.model, threads);
            ASSERT_NE(context, nullptr);
            EXPECT_STREQ(sepconv_context_isa(context.get()), GetParam().c_str());
            for (int run = 0; run < 3; ++run) {
                tensors.poison();
                ASSERT_EQ(tensors.run(context.get()), SEPCONV_OK);
                EXPECT_TRUE(tensors.output_bits() == wanted) << "run " << run;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Isas, Concurrency, ::testing::Values("sse41", "avx2", "avx512"),
                         [](const auto &info) { return info.param; });

}  // namespace
}  // namespace sepconv::testing
