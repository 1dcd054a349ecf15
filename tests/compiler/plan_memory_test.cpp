// The arena: nothing that is in use at once overlaps, and no more bytes than that takes.
#include "compiler/plan_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "compiler/kernel_builder.h"

namespace sepconv {
namespace {

Plan plan_of(size_t steps, std::vector<Lifetime> tensors) {
    Plan plan;
    plan.steps.resize(steps);
    plan.tensors = std::move(tensors);
    return plan;
}

struct Placed {
    Lifetime lifetime;
    int64_t offset = 0;
};

std::vector<Placed> placed(const Plan &plan, const MemoryPlan &memory) {
    std::vector<Placed> all;
    for (size_t i = 0; i < plan.tensors.size(); ++i) {
        all.push_back({plan.tensors[i], memory.tensors[i]});
    }
    for (size_t i = 0; i < plan.steps.size(); ++i) {
        const int step = static_cast<int>(i);
        all.push_back({{memory.scratch_bytes[i], step, step}, memory.scratch[i]});
    }
    return all;
}

void expect_sound(const Plan &plan, const MemoryPlan &memory) {
    const std::vector<Placed> all = placed(plan, memory);
    EXPECT_EQ(memory.bytes % 64, 0);
    for (const Placed &a : all) {
        EXPECT_EQ(a.offset % 64, 0);
        EXPECT_GE(a.offset, 0);
        EXPECT_LE(a.offset + a.lifetime.bytes, memory.bytes);
        for (const Placed &b : all) {
            if (&a == &b || a.lifetime.bytes == 0 || b.lifetime.bytes == 0) continue;
            const bool together = a.lifetime.first_step <= b.lifetime.last_step &&
                                  b.lifetime.first_step <= a.lifetime.last_step;
            const bool apart =
                a.offset + a.lifetime.bytes <= b.offset || b.offset + b.lifetime.bytes <= a.offset;
            EXPECT_TRUE(!together || apart) << a.offset << " and " << b.offset;
        }
    }
}

TEST(PlanMemory, ScratchLiesWhereNoTensorIsInUse) {
    const Plan plan = plan_of(4, {{6400, 0, 1}, {6400, 1, 2}, {640, 2, 3}});
    const MemoryPlan memory = plan_memory(plan, {0, 0, 640, 12000});
    expect_sound(plan, memory);
    EXPECT_EQ(memory.bytes, 2 * 6400);
}

TEST(PlanMemory, WhatIsNotThereCostsNothing) {
    EXPECT_EQ(plan_memory(Plan(), {}).bytes, 0);
    const MemoryPlan memory = plan_tensors(plan_of(3, {{0, 0, 2}, {1, 0, 1}, {64, 2, 2}}));
    EXPECT_EQ(memory.bytes, 64);
    EXPECT_EQ(memory.scratch, (std::vector<int64_t>{0, 0, 0}));
}

TEST(PlanMemory, RoundsOffsetsAndTheWholeUp) {
    const Plan plan = plan_of(1, {{65, 0, 0}, {1, 0, 0}});
    const MemoryPlan memory = plan_memory(plan, {100});
    expect_sound(plan, memory);
    EXPECT_EQ(memory.bytes, 128 + 64 + 128);
}

// The first steps of MobileNetV2, where the largest first is 11 % too much.
TEST(PlanMemory, ImprovesOnTheLargestFirst) {
    const Plan plan = plan_of(
        5, {{1605696, 0, 1}, {802880, 1, 2}, {301120, 2, 3}, {301120, 3, 4}, {100416, 4, 4}});
    const MemoryPlan memory = plan_memory(plan, {0, 0, 1247488, 1838848, 484096});
    expect_sound(plan, memory);
    EXPECT_EQ(memory.bytes, 2 * 301120 + 1838848);
}

TEST(PlanMemory, RandomPlansAreSoundAndTheSameAgain) {
    std::mt19937 random(1);
    const auto below = [&](int limit) { return static_cast<int>(random() % limit); };
    for (int round = 0; round < 200; ++round) {
        const int steps = 1 + below(12);
        std::vector<Lifetime> tensors;
        std::vector<int64_t> scratch;
        for (int i = below(25); i > 0; --i) {
            const int first = below(steps);
            tensors.push_back({below(2000), first, first + below(steps - first)});
        }
        for (int i = 0; i < steps; ++i) scratch.push_back(64 * below(30));
        const Plan plan = plan_of(static_cast<size_t>(steps), tensors);
        const MemoryPlan memory = plan_memory(plan, scratch);
        expect_sound(plan, memory);
        const MemoryPlan again = plan_memory(plan, scratch);
        EXPECT_EQ(memory.tensors, again.tensors);
        EXPECT_EQ(memory.scratch, again.scratch);
    }
}

// Too many to search through: placed in the order of steps.
TEST(PlanMemory, PlansOfVeryManyTensorsAreSound) {
    std::mt19937 random(1);
    constexpr int kSteps = 3000;
    std::vector<Lifetime> tensors;
    for (int i = 0; i < 4100; ++i) {
        const int first = static_cast<int>(random() % kSteps);
        const int steps = static_cast<int>(random() % (i % 50 == 0 ? kSteps : 4));
        tensors.push_back({1 + static_cast<int64_t>(random() % 5000), first,
                           std::min(first + steps, kSteps - 1)});
    }
    const Plan plan = plan_of(kSteps, tensors);
    const MemoryPlan memory = plan_tensors(plan);
    expect_sound(plan, memory);
    std::vector<int64_t> loads(kSteps, 0);
    for (const Lifetime &tensor : tensors) {
        for (int step = tensor.first_step; step <= tensor.last_step; ++step) {
            loads[static_cast<size_t>(step)] += tensor.bytes;
        }
    }
    EXPECT_LT(memory.bytes, 2 * *std::max_element(loads.begin(), loads.end()));
}

TEST(PlanMemory, OffsetsOfArgumentsAreFromTheArena) {
    const Plan plan = plan_of(1, {{128, 0, 0}, {64, 0, 0}});
    const MemoryPlan memory = plan_tensors(plan);
    EXPECT_EQ(arena_offset(memory, {Space::kArena, 0, 8, 0}), 8);
    EXPECT_EQ(arena_offset(memory, {Space::kArena, 1, 4, 0}), 128 + 4);
}

TEST(ScratchOfSteps, IsThatOfTheHungriestVariant) {
    Plan plan;
    plan.steps.resize(3);
    plan.steps[0].kernel = 1;
    plan.steps[2].kernel = 1;
    Variant first, second;
    first.kernels = {{"a", "", 320, 64, 0}, {"b", "", 0, 0, 0}};
    second.kernels = {{"a", "", 256, 128, 0}, {"b", "", 64, 0, 0}};
    EXPECT_EQ(scratch_of_steps(plan, {first, second}), (std::vector<int64_t>{64, 320, 64}));
    EXPECT_EQ(scratch_of_steps(plan, {}), (std::vector<int64_t>{0, 0, 0}));
    EXPECT_EQ(second.worker_bytes(), 128);
}

}  // namespace
}  // namespace sepconv
