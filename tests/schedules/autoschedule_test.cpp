#include "schedules/autoschedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schedules/bound_allocations.h"
#include "schedules/scratch.h"

namespace sepconv {
namespace {

using Halide::Func;
using Halide::ImageParam;
using Halide::TailStrategy;
using Halide::Var;

const Halide::Target kTarget(
    "x86-64-linux-sse41-no_asserts-no_bounds_query-no_runtime-"
    "user_context");
constexpr int kExtent = 21;

/// output(x) = input(x + offset), of kExtent values each; beyond them it reads the last.
struct Copy {
    explicit Copy(int offset) : input(Halide::Float(32), 1, "input"), output("output") {
        input.dim(0).set_bounds(0, kExtent).set_stride(1);
        output(x) = input(Halide::clamp(x, 0, kExtent - 1) + offset);
        output.output_buffer().dim(0).set_bounds(0, kExtent).set_stride(1);
    }
    Status check() const {
        const BuiltKernel kernel = {Halide::Pipeline(output), {input}, {input}};
        return check_bounds(kernel, kTarget);
    }

    Var x{"x"};
    ImageParam input;
    Func output;
};

TEST(CheckBounds, AllowsWhatStaysInside) {
    for (const TailStrategy tail : {TailStrategy::GuardWithIf, TailStrategy::ShiftInwards}) {
        Copy copy(0);
        copy.output.vectorize(copy.x, 8, tail);
        EXPECT_TRUE(copy.check().ok()) << copy.check().message();
    }
}

TEST(CheckBounds, NamesTheInputThatIsReadOutside) {
    const Status status = Copy(1).check();
    EXPECT_EQ(status.message(),
              "dimension 0 of Input buffer input: expected 0 to 20, touched 1 to 21");
}

TEST(CheckBounds, NamesTheOutputThatIsWrittenOutside) {
    Copy copy(0);
    copy.output.vectorize(copy.x, 8, TailStrategy::RoundUp);
    const std::string message = copy.check().message();
    EXPECT_THAT(message, ::testing::HasSubstr("Output buffer output"));
    EXPECT_THAT(message, ::testing::HasSubstr("expected 0 to 20, touched 0 to 23"));
}

TEST(CheckBounds, RefusesAShiftOfTooLargeAVector) {
    Copy copy(0);
    copy.output.vectorize(copy.x, 32, TailStrategy::ShiftInwards);
    EXPECT_FALSE(copy.check().ok());
}

/// A pipeline whose intermediate has as many values as the number of the row, at most 7001.
Halide::Module growing_allocation(bool bounded) {
    constexpr int kRows = 10000, kColumns = 8;
    Var x("x"), y("y");
    Func row("row"), output("output");
    ImageParam input(Halide::Float(32), 1, "input");
    input.dim(0).set_bounds(0, 2 * kRows).set_stride(1);
    row(x, y) = input(x + y) * 2.0F;
    output(x, y) = row(Halide::clamp(x * 1000, 0, y), y) + 1.0F;
    output.output_buffer().dim(0).set_bounds(0, kColumns).set_stride(1);
    output.output_buffer().dim(1).set_bounds(0, kRows).set_stride(kColumns);
    row.compute_at(output, y);
    Halide::Pipeline pipeline(output);
    if (bounded) bound_allocations(&pipeline);
    return pipeline.compile_to_module({input}, "kernel", kTarget);
}

TEST(BoundAllocations, MakesScratchKnown) {
    EXPECT_FALSE(scratch_of(growing_allocation(false)).ok());
    const Result<Scratch> scratch = scratch_of(growing_allocation(true));
    ASSERT_TRUE(scratch.ok()) << scratch.status().message();
    EXPECT_GE(scratch.value().serial_bytes, 4 * 7001);
}

TEST(ScratchOf, RefusesAParallelLoopInATask) {
    for (const bool nested : {false, true}) {
        Var x("x"), y("y");
        Func output("output");
        output(x, y) = Halide::cast<float>(x + y);
        output.output_buffer().dim(0).set_bounds(0, 64).set_stride(1);
        output.output_buffer().dim(1).set_bounds(0, 64).set_stride(64);
        output.parallel(y);
        if (nested) output.parallel(x);
        EXPECT_EQ(scratch_of(output.compile_to_module({}, "kernel", kTarget)).ok(), !nested);
    }
}

TEST(CheckAutoscheduler, KnowsNamesAndTargets) {
    const std::string cpu = "x86-64-linux-avx2", cuda = "x86-64-linux-cuda";
    EXPECT_TRUE(check_autoscheduler("adams2019", cpu).ok());
    EXPECT_TRUE(check_autoscheduler("anderson2021", cuda).ok());
    EXPECT_EQ(check_autoscheduler("anderson2021", cpu).message(),
              "anderson2021 schedules for cuda, not for cpu");
    EXPECT_EQ(check_autoscheduler("mullapudi2016", cuda).message(),
              "mullapudi2016 schedules for cpu, not for cuda");
    EXPECT_EQ(check_autoscheduler("hand", cpu).message(),
              "expected one of adams2019, anderson2021, li2018, mullapudi2016, got 'hand'");
}

}  // namespace
}  // namespace sepconv
