#include "compiler/autoscheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "compiler/files.h"
#include "compiler/kernel_builder.h"
#include "compiler/tune/kernel_plan.h"

namespace sepconv {
namespace {

using testing::HasSubstr;

Block pointwise() {
    Block block;
    block.input = {8, 4, 4, 1, 8, 32, false};
    block.project = Convolution{8, 24, {}, {}};
    block.output = {24, 4, 4, 1, 24, 96, false};
    return block;
}

/// The kernels of one block by a plugin that goes wrong: tests/schedules/faulty_autoscheduler.cpp.
class FaultyAutoscheduler : public testing::Test {
protected:
    ~FaultyAutoscheduler() override { unsetenv("SEPCONV_TEST_FAULT"); }

    Result<std::vector<Variant>> build(const std::string &fault, int threads = 1,
                                       int seconds = 60) const {
        setenv("SEPCONV_TEST_FAULT", fault.c_str(), 1);
        TargetOptions target;
        target.triple = "x86-64-linux";
        target.isas = {"avx2"};
        KernelBuildOptions options;
        options.cache = folder_.path();
        options.jobs = 1;
        options.quiet = true;
        options.seconds = seconds;
        options.autoscheduler =
            Autoscheduler{"adams2019", SEPCONV_TEST_FAULTY_AUTOSCHEDULER, threads};
        return build_kernels(one_kernel_plan(pointwise()), resolve_targets(target).value(),
                             options);
    }

    /// The message names kernel and scheduler, and what else to do.
    void expect_message(const Result<std::vector<Variant>> &built, const std::string &text) const {
        ASSERT_FALSE(built.ok());
        EXPECT_EQ(built.status().code(), StatusCode::kUnsupported);
        const std::string message = built.status().message();
        EXPECT_THAT(message, HasSubstr("compiling block alone avx2 with adams2019: "));
        EXPECT_THAT(message, HasSubstr(text));
        EXPECT_THAT(message, HasSubstr("--scheduler hand"));
    }

    TemporaryFolder folder_ = TemporaryFolder::create(testing::TempDir()).value();
};

TEST_F(FaultyAutoscheduler, CompilesWithoutAFault) {
    const Result<std::vector<Variant>> built = build("");
    ASSERT_TRUE(built.ok()) << built.status().message();
    EXPECT_EQ(built.value()[0].scheduler, "adams2019");
}

TEST_F(FaultyAutoscheduler, ThatThrowsIsAMessage) {
    expect_message(build("throw"), "out of legal states");
    expect_message(build("throw_int"), "no std::exception");
}

TEST_F(FaultyAutoscheduler, ThatEndsTheProcessIsAMessage) {
    expect_message(build("abort"), "killed by signal 6");
    expect_message(build("crash"), "killed by signal 11");
}

TEST_F(FaultyAutoscheduler, ThatHangsIsStopped) {
    expect_message(build("hang", 1, 2), "not done within 2 s");
}

TEST_F(FaultyAutoscheduler, ThatLeavesABufferIsRefused) {
    expect_message(build("outside"), "expected 0 to 23, touched 0 to 63");
}

TEST_F(FaultyAutoscheduler, LeavesNothingInTheCache) {
    EXPECT_FALSE(build("outside").ok());
    const Result<std::vector<Variant>> built = build("");
    EXPECT_TRUE(built.ok()) << built.status().message();
}

TEST_F(FaultyAutoscheduler, AndItsThreadsAreInTheKeyOfTheCache) {
    EXPECT_NE(build("").value()[0].kernels[0].path, build("", 2).value()[0].kernels[0].path);
}

TEST(FindAutoscheduler, IsNoneByHand) {
    const auto found = find_autoscheduler({}, {});
    ASSERT_TRUE(found.ok()) << found.status().message();
    EXPECT_FALSE(found.value().has_value());
}

TEST(FindAutoscheduler, IsBesideHalide) {
    for (const std::string &name : scheduler_names()) {
        if (name == "hand") continue;
        const auto found = find_autoscheduler({name, 3}, {});
        ASSERT_TRUE(found.ok()) << found.status().message();
        EXPECT_TRUE(exists(found.value()->plugin)) << found.value()->plugin;
        EXPECT_EQ(found.value()->threads, 3);
    }
}

TEST(FindAutoscheduler, RefusesTargetsThatItDoesNotScheduleFor) {
    const std::vector<IsaTarget> cpu = {{"avx2", "x86-64-linux-avx2", "", 0}};
    EXPECT_EQ(find_autoscheduler({"anderson2021"}, cpu).status().message(),
              "--scheduler: anderson2021 schedules for cuda, not for cpu");
}

}  // namespace
}  // namespace sepconv
