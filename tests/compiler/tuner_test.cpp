// sepconv tune: what becomes of candidates that are wrong, crash or hang, and of killed runs.
#include "compiler/tune/tuner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "compiler/commands/layer_graph.h"
#include "compiler/files.h"
#include "compiler/lower.h"
#include "compiler/process.h"
#include "compiler/tune/candidates.h"
#include "compiler/tune/journal.h"
#include "compiler/tune/kernel_plan.h"

namespace sepconv {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Plan plan_of(const std::string &activation) {
    LayerSpec spec;
    spec.op = "separable";
    spec.input = "8x8x16";
    spec.out_channels = 32;
    spec.kernel = "3";
    spec.padding = "same_upper";
    spec.activation = activation;
    return lower(layer_graph(spec).value(), Layout::kNhwc).value();
}

class TunerTest : public testing::Test {
protected:
    TuneOptions options() {
        TuneOptions options;
        options.build.target.isas = {"sse41"};
        options.build.cache = folder_.file("cache");
        options.build.quiet = options.build.no_tuning = true;
        options.output = folder_.file("tuning.json");
        options.candidates = 2;
        options.seconds_of_child = 3;
        return options;
    }

    /// Every candidate's library gives way to this one; returns what became of the candidates.
    std::vector<Trial> tune_replaced_by(const std::string &library) {
        TuneOptions replaced = options();
        replaced.after_build = [&](const Tuning &, const std::string &built) {
            EXPECT_TRUE(write_file(built, read_file(library).value()).ok());
        };
        const Result<TuningTable> table = tune(plan_of(""), replaced);
        EXPECT_TRUE(table.ok()) << table.status().message();
        if (table.ok()) {
            EXPECT_THAT(table.value().kernels, IsEmpty());
        }
        return trials();
    }

    std::vector<Trial> trials() {
        const std::string path = options().output + ".journal";
        const std::string text = read_file(path).value();
        return Journal::open(path, text.substr(0, text.find('\n'))).value().trials();
    }

    std::string library_with(const std::string &constructor) {
        EXPECT_TRUE(write_file(folder_.file("bad.c"),
                               "__attribute__((constructor)) static void "
                               "start(void) { " +
                                   constructor + " }\n")
                        .ok());
        EXPECT_TRUE(
            run_command({"cc", "-O0", "-shared", "-fPIC", "bad.c", "-o", "bad.so"}, folder_.path())
                .ok());
        return folder_.file("bad.so");
    }

    TemporaryFolder folder_ = TemporaryFolder::create(testing::TempDir(), "tuner").value();
};

TEST_F(TunerTest, CandidatesWithOtherValuesAreDropped) {
    // The same block with an activation that the right one does not have.
    const Plan relu = plan_of("relu");
    BuildOptions build = options().build;
    ASSERT_TRUE(compile_plan(one_kernel_plan(std::get<Block>(relu.kernels[0])), build,
                             {folder_.file("wrong"), "kernel", true}, "wrong")
                    .ok());
    const std::vector<Trial> trials = tune_replaced_by(folder_.file("wrong/libkernel.so"));
    ASSERT_EQ(trials.size(), 2U);
    for (const Trial &trial : trials) {
        EXPECT_EQ(trial.outcome, "dropped");
        EXPECT_THAT(trial.detail, HasSubstr("wrong: value"));
    }
}

TEST_F(TunerTest, CandidatesThatCrashAreDropped) {
    const std::vector<Trial> trials = tune_replaced_by(library_with("__builtin_trap();"));
    ASSERT_EQ(trials.size(), 2U);
    for (const Trial &trial : trials) {
        EXPECT_EQ(trial.outcome, "dropped");
        EXPECT_THAT(trial.detail, HasSubstr("killed by signal"));
    }
}

TEST_F(TunerTest, CandidatesThatHangAreDropped) {
    const std::vector<Trial> trials = tune_replaced_by(library_with("for (;;) {}"));
    ASSERT_EQ(trials.size(), 2U);
    for (const Trial &trial : trials) {
        EXPECT_EQ(trial.outcome, "dropped");
        EXPECT_THAT(trial.detail, HasSubstr("not done within 3 s"));
    }
}

TEST_F(TunerTest, AKilledRunGoesOn) {
    // Killed in front of its second measurement, and in the middle of a line.
    TuneOptions killed = options();
    killed.build.jobs = 1;
    int seen = 0;
    killed.after_build = [&seen](const Tuning &, const std::string &) {
        if (++seen == 2) throw std::runtime_error("killed");
    };
    EXPECT_THROW((void)tune(plan_of(""), killed), std::runtime_error);
    const std::vector<Trial> before = trials();
    ASSERT_EQ(before.size(), 1U);
    const std::string journal = options().output + ".journal";
    ASSERT_TRUE(write_file(journal, read_file(journal).value() + "{\"detail\":\"").ok());

    int again = 0;
    TuneOptions resumed = options();
    resumed.after_build = [&](const Tuning &tuning, const std::string &) {
        ++again;
        EXPECT_FALSE(tuning == before[0].tuning);
    };
    ASSERT_TRUE(tune(plan_of(""), resumed).ok());
    EXPECT_EQ(again, 1);
    EXPECT_EQ(trials().size(), 2U);
    EXPECT_EQ(trials()[0].tuning, before[0].tuning);
    EXPECT_TRUE(parse_table(read_file(options().output).value(), "t").ok());
}

TEST(Candidates, AreLegalAndDistinctAndNotTheDefault) {
    const Kernel kernel = plan_of("").kernels[0];
    const std::string target = "x86-64-linux-avx2-fma";
    const std::vector<Tuning> candidates = candidates_of(kernel, target, 1000);
    EXPECT_GT(candidates.size(), 50U);
    for (size_t i = 0; i < candidates.size(); ++i) {
        EXPECT_TRUE(check_tuning(kernel, candidates[i], target).ok()) << describe(candidates[i]);
        EXPECT_FALSE(candidates[i] == Tuning{});
        EXPECT_EQ(std::count(candidates.begin(), candidates.end(), candidates[i]), 1);
    }
    EXPECT_EQ(candidates_of(kernel, target, 3).size(), 3U);
}

TEST(Interval, HoldsTheMedian) {
    std::vector<double> ratios;
    for (int i = 0; i < 40; ++i) ratios.push_back(1 + 0.01 * i);
    const Measurement found = interval_of(ratios);
    EXPECT_NEAR(found.ratio, 1.195, 1e-9);
    EXPECT_NEAR(found.low, 1.12, 0.011);
    EXPECT_NEAR(found.high, 1.27, 0.011);
}

}  // namespace
}  // namespace sepconv
