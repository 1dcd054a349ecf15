// sepconv tune: what becomes of candidates that are wrong, crash or hang, and of killed runs.
#include "compiler/tune/tuner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "compiler/commands/layer_graph.h"
#include "compiler/files.h"
#include "compiler/lower.h"
#include "compiler/process.h"
#include "compiler/tune/candidates.h"
#include "compiler/tune/journal.h"
#include "compiler/tune/kernel_plan.h"
#include "sepconv/sepconv.h"

namespace sepconv {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Plan plan_of(const std::string &activation, int out_channels = 32) {
    LayerSpec spec;
    spec.op = "separable";
    spec.input = "8x8x16";
    spec.out_channels = out_channels;
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

    TemporaryFolder folder_ = TemporaryFolder::create(testing::TempDir()).value();
};

TEST_F(TunerTest, CandidatesWithOtherValuesAreDropped) {
    // The same block with an activation that the right one does not have.
    const Plan relu = plan_of("relu");
    BuildOptions build = options().build;
    ASSERT_TRUE(compile_plan(one_kernel_plan(std::get<Block>(relu.kernels[0])), build,
                             {folder_.file("wrong"), "kernel", true}, "wrong")
                    .ok());
    const std::vector<Trial> trials = tune_replaced_by(folder_.file("wrong/libkernel.so"));
    ASSERT_EQ(trials.size(), 4U);
    for (const Trial &trial : trials) {
        EXPECT_EQ(trial.outcome, "dropped");
        EXPECT_THAT(trial.detail, HasSubstr("wrong: value"));
    }
}

TEST_F(TunerTest, CandidatesThatCrashAreDropped) {
    const std::vector<Trial> trials = tune_replaced_by(library_with("__builtin_trap();"));
    ASSERT_EQ(trials.size(), 4U);
    for (const Trial &trial : trials) {
        EXPECT_EQ(trial.outcome, "dropped");
        EXPECT_THAT(trial.detail, HasSubstr("killed by signal"));
    }
}

TEST_F(TunerTest, CandidatesThatHangAreDropped) {
    const std::vector<Trial> trials = tune_replaced_by(library_with("for (;;) {}"));
    ASSERT_EQ(trials.size(), 4U);
    for (const Trial &trial : trials) {
        EXPECT_EQ(trial.outcome, "dropped");
        EXPECT_THAT(trial.detail, HasSubstr("not done within 3 s"));
    }
}

TEST_F(TunerTest, ASignalOrAFullDiskIsNotTheCandidatesFault) {
    const HeldSignals held;
    TuneOptions stopped = options();
    stopped.after_build = [](const Tuning &, const std::string &) { raise(SIGTERM); };
    EXPECT_THAT(tune(plan_of(""), stopped).status().message(), HasSubstr("ended by signal 15"));
    sigset_t number;
    sigemptyset(&number);
    sigaddset(&number, SIGTERM);
    const timespec now = {};
    EXPECT_EQ(sigtimedwait(&number, nullptr, &now), SIGTERM);
    EXPECT_THAT(trials(), IsEmpty());

    TuneOptions full = options();
    full.after_build = [this](const Tuning &, const std::string &) {
        for (const auto &entry : std::filesystem::directory_iterator(folder_.file("cache"))) {
            // Nothing can be written where a folder is.
            const std::string folder = entry.path().string() + "/measurement";
            if (folder.find("/.sepconv-") == std::string::npos) continue;
            std::filesystem::remove(folder);
            EXPECT_TRUE(make_folder(folder).ok());
        }
    };
    EXPECT_THAT(tune(plan_of(""), full).status().message(), HasSubstr("cannot write"));
    EXPECT_THAT(trials(), IsEmpty());
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
    EXPECT_EQ(again, 3);
    EXPECT_EQ(trials().size(), 4U);
    EXPECT_EQ(trials()[0].tuning, before[0].tuning);
    EXPECT_TRUE(parse_table(read_file(options().output).value(), "t").ok());

    // A finished kernel without a winner is not searched on.
    ASSERT_TRUE(tune(plan_of(""), resumed).ok());
    EXPECT_EQ(again, 3);
}

/// Two distinct kernels, the first of them with most of the time.
Plan plan_of_two() {
    Plan plan = plan_of("");
    const Plan other = plan_of("", 64);
    plan.kernels.push_back(other.kernels[0]);
    for (int i = 0; i < 4; ++i) plan.steps.push_back(plan.steps[0]);
    plan.steps.push_back(other.steps[0]);
    plan.steps.back().kernel = 1;
    plan.steps.back().block = 1;
    plan.blocks.push_back(other.blocks[0]);
    return plan;
}

/// For SSE4.1 every kernel's first candidate gives way to the same kernel for AVX2: as right, and
/// far faster.
class TunerWinnerTest : public TunerTest {
protected:
    void SetUp() override {
        if (sepconv_isa_available("avx2") == 0) GTEST_SKIP() << "needs AVX2";
        const Plan plan = plan_of_two();
        for (size_t i = 0; i < plan.kernels.size(); ++i) {
            BuildOptions build = options().build;
            build.target.isas = {"avx2"};
            const std::string folder = folder_.file("fast" + std::to_string(i));
            ASSERT_TRUE(compile_plan(one_kernel_plan(std::get<Block>(plan.kernels[i])), build,
                                     {folder, "kernel", true}, "fast")
                            .ok());
            fast_.push_back(read_file(folder + "/libkernel.so").value());
        }
    }

    /// The first candidate of each kernel wins. `most`: candidates until the run is killed.
    TuneOptions winning(int most) {
        TuneOptions options = this->options();
        options.build.jobs = 1;
        options.after_build = [this, most](const Tuning &, const std::string &library) {
            if (seen_ == most) throw std::runtime_error("killed");
            // Two candidates of each kernel, and as many beside the best of them.
            if (seen_ % 4 == 0) {
                EXPECT_TRUE(write_file(library, fast_[static_cast<size_t>(seen_ / 4)]).ok());
            }
            ++seen_;
        };
        return options;
    }

    std::vector<std::string> fast_;
    std::vector<Tuning> again_;
    int seen_ = 0;
};

TEST_F(TunerWinnerTest, EveryKernelHasItsWinnerInTheTable) {
    const Result<TuningTable> table = tune(plan_of_two(), winning(1000));
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_EQ(table.value().kernels.size(), 2U);
    const Result<TuningTable> read = parse_table(read_file(options().output).value(), "t");
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read.value().kernels.size(), 2U);
    for (const Trial &trial : trials()) {
        if (trial.outcome != "best") continue;
        EXPECT_LT(trial.of_default, 0.9);
        EXPECT_LT(trial.measured.high, 1);
    }
}

TEST_F(TunerWinnerTest, AKilledRunKeepsItsWinner) {
    EXPECT_THROW((void)tune(plan_of_two(), winning(2)), std::runtime_error);
    const std::vector<Trial> before = trials();
    ASSERT_EQ(before.size(), 2U);
    ASSERT_EQ(before[0].outcome, "best");
    const TuningTable written = parse_table(read_file(options().output).value(), "t").value();
    EXPECT_EQ(written.kernels.count(before[0].kernel), 1U);
    // Goes on from it: what it won with is not tried again, and stays in the table.
    TuneOptions resumed = options();
    resumed.after_build = [&](const Tuning &tuning, const std::string &library) {
        (void)library;
        again_.push_back(tuning);
    };
    const Result<TuningTable> table = tune(plan_of_two(), resumed);
    ASSERT_TRUE(table.ok()) << table.status().message();
    const auto kept = table.value().kernels.find(before[0].kernel);
    ASSERT_NE(kept, table.value().kernels.end());
    EXPECT_EQ(kept->second.tuning, before[0].tuning);
    EXPECT_GE(again_.size(), 4U);
}

TEST_F(TunerTest, KernelsOfOtherModelsStayInTheTable) {
    TuningTable table;
    table.cpu = this_cpu();
    const Kernel kernel = plan_of("", 48).kernels[0];
    const KernelKey key = key_of(kernel, "avx2");
    table.kernels[key] = {tuned_text(kernel), {}};
    table.kernels[key].tuning.strip_rows = 2;
    ASSERT_TRUE(write_file(options().output, text_of(table)).ok());
    const Result<TuningTable> tuned = tune(plan_of(""), options());
    ASSERT_TRUE(tuned.ok()) << tuned.status().message();
    EXPECT_EQ(tuned.value().kernels.count(key), 1U);
}

TEST_F(TunerTest, WhatThereIsNoTimeToTryAgainStaysInTheTable) {
    TuningTable table;
    table.cpu = this_cpu();
    const Kernel kernel = plan_of("").kernels[0];
    const KernelKey key = key_of(Kernel(std::get<Block>(kernel)), "sse41");
    table.kernels[key] = {tuned_text(kernel), {}};
    table.kernels[key].tuning.strip_rows = 2;
    ASSERT_TRUE(write_file(options().output, text_of(table)).ok());
    TuneOptions hurried = options();
    hurried.seconds = 0;
    const Result<TuningTable> tuned = tune(plan_of(""), hurried);
    ASSERT_TRUE(tuned.ok()) << tuned.status().message();
    EXPECT_EQ(read_file(options().output).value(), text_of(table));
}

TEST_F(TunerTest, ATableOfAnotherCpuIsNotWrittenOver) {
    TuningTable table;
    table.cpu = this_cpu();
    table.cpu.family += 1;
    ASSERT_TRUE(write_file(options().output, text_of(table)).ok());
    const Result<TuningTable> tuned = tune(plan_of(""), options());
    ASSERT_FALSE(tuned.ok());
    EXPECT_THAT(tuned.status().message(), HasSubstr("--output: '"));
    EXPECT_EQ(read_file(options().output).value(), text_of(table));
}

TEST_F(TunerTest, TheCsvHasEveryTrialAndTheDefault) {
    TuneOptions with_csv = options();
    with_csv.csv = folder_.file("trials.csv");
    ASSERT_TRUE(tune(plan_of(""), with_csv).ok());
    const std::string text = read_file(with_csv.csv).value();
    EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')), 2 + trials().size());
    EXPECT_THAT(text, HasSubstr("\"separable"));
}

TEST(Candidates, AreLegalAndDistinctAndNotTheDefault) {
    const Kernel kernel = plan_of("").kernels[0];
    const std::string target = "x86-64-linux-avx2-fma";
    const Candidates source(std::get<Block>(kernel), target);
    const std::vector<Tuning> candidates = source.all(1000);
    EXPECT_GT(candidates.size(), 50U);
    for (size_t i = 0; i < candidates.size(); ++i) {
        EXPECT_TRUE(check_tuning(kernel, candidates[i], target).ok()) << describe(candidates[i]);
        EXPECT_FALSE(candidates[i] == Tuning{});
        EXPECT_EQ(std::count(candidates.begin(), candidates.end(), candidates[i]), 1);
    }
    EXPECT_EQ(source.all(3).size(), 3U);
}

TEST(Candidates, NeighboursChangeEveryFieldInTurn) {
    const Kernel kernel = plan_of("").kernels[0];
    const Candidates source(std::get<Block>(kernel), "x86-64-linux-avx2-fma");
    const std::vector<Tuning> tried = source.all(2);
    const std::vector<Tuning> neighbours = source.neighbours({}, tried, 6);
    ASSERT_EQ(neighbours.size(), 6U);
    int tiles = 0, strips = 0, runs = 0;
    for (const Tuning &tuning : neighbours) {
        tiles += tuning.tile_pixels > 0 ? 1 : 0;
        strips += tuning.strip_rows > 0 ? 1 : 0;
        runs += tuning.depthwise_pixels > 0 ? 1 : 0;
        EXPECT_EQ(std::count(tried.begin(), tried.end(), tuning), 0) << describe(tuning);
    }
    EXPECT_GE(tiles, 1);
    EXPECT_GE(strips, 1);
    EXPECT_GE(runs, 1);
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
