/// sepconv_run: the plan, its arguments, repetitions, errors and times.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "fake_model.h"

namespace sepconv {
namespace {

TEST(Run, RefusesNullAndMisalignedPointers) {
    FakeModel fake;
    bool called = false;
    set_kernel(0, [&](void *, uint8_t *const *) {
        called = true;
        return 0;
    });
    TestContext test(fake.model());
    const void *const inputs[] = {test.input};
    void *const outputs[] = {test.output};
    const void *const null_input[] = {nullptr};
    void *const null_output[] = {nullptr};
    const void *const odd_input[] = {reinterpret_cast<const char *>(test.input) + 1};
    void *const odd_output[] = {reinterpret_cast<char *>(test.output) + 2};
    EXPECT_EQ(sepconv_run(nullptr, inputs, outputs), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_run(test.context, nullptr, outputs), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_run(test.context, inputs, nullptr), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_run(test.context, null_input, outputs), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_run(test.context, inputs, null_output), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_run(test.context, odd_input, outputs), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_run(test.context, inputs, odd_output), SEPCONV_INVALID_ARGUMENT);
    EXPECT_FALSE(called);
    EXPECT_EQ(sepconv_run(test.context, inputs, outputs), SEPCONV_OK);
    EXPECT_TRUE(called);
}

TEST(Run, ArgumentsLieWhereThePlanSays) {
    FakeModel fake;
    fake.weights = std::vector<uint8_t>(128, 3);
    fake.steps.clear();
    fake.add_step(0, 0, 1, {{SEPCONV_INPUT, 0, 8, 0}, {SEPCONV_ARENA, 0, 64, 0}});
    fake.add_step(1, 0, 1, {{SEPCONV_WEIGHTS, 0, 16, 0}, {SEPCONV_ARENA, 0, 64, 0}});
    fake.add_step(2, 1, 1, {{SEPCONV_ARENA, 0, 64, 0}, {SEPCONV_OUTPUT, 0, 4, 0}});
    std::vector<uint8_t *> seen[3];
    for (int i = 0; i < 3; ++i) {
        set_kernel(i, [&seen, i](void *, uint8_t *const hosts[]) {
            seen[i] = {hosts[0], hosts[1]};
            return 0;
        });
    }
    TestContext test(fake.model());
    ASSERT_EQ(test.run(), SEPCONV_OK);
    ASSERT_EQ(seen[2].size(), 2u);
    EXPECT_EQ(seen[0][0], reinterpret_cast<uint8_t *>(test.input) + 8);
    EXPECT_EQ(seen[1][0], fake.weights.data() + 16);
    EXPECT_EQ(seen[2][1], reinterpret_cast<uint8_t *>(test.output) + 4);
    EXPECT_EQ(seen[0][1], seen[1][1]);
    EXPECT_EQ(seen[0][1], seen[2][0]);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(seen[0][1]) % 64, 0u);
}

TEST(Run, RepetitionsAdvance) {
    FakeModel fake;
    fake.weights = {0, 0, 0, 0};
    fake.steps.clear();
    // Images of two floats in, of one float out; the last argument stays.
    fake.add_step(0, 0, 4,
                  {{SEPCONV_INPUT, 0, 0, 2 * sizeof(float)},
                   {SEPCONV_OUTPUT, 0, sizeof(float), sizeof(float)},
                   {SEPCONV_WEIGHTS, 0, 0, 0}});
    set_kernel(0, [](void *, uint8_t *const hosts[]) {
        const auto *in = reinterpret_cast<const float *>(hosts[0]);
        *reinterpret_cast<float *>(hosts[1]) = in[0] + 10 * in[1];
        return 0;
    });
    TestContext test(fake.model());
    for (int i = 0; i < kElements; ++i) {
        test.input[i] = static_cast<float>(i);
        test.output[i] = -1;
    }
    ASSERT_EQ(test.run(), SEPCONV_OK);
    const float expected[] = {-1, 10, 32, 54, 76, -1, -1, -1};
    for (int i = 0; i < kElements; ++i) {
        EXPECT_EQ(test.output[i], expected[i]) << i;
    }
    ASSERT_EQ(test.run(), SEPCONV_OK) << "a second run begins anew";
    EXPECT_EQ(test.output[1], 10);
}

TEST(Run, AKernelsErrorEndsTheRun) {
    FakeModel fake;
    fake.add_step(1, 1, 1, {kInputArg, kOutputArg});
    int later = 0;
    int result = -3;
    set_kernel(0, [&](void *, uint8_t *const *) { return result; });
    set_kernel(1, [&](void *, uint8_t *const *) {
        ++later;
        return 0;
    });
    TestContext test(fake.model());
    EXPECT_EQ(test.run(), SEPCONV_KERNEL_ERROR);
    EXPECT_EQ(later, 0);
    result = 0;
    EXPECT_EQ(test.run(), SEPCONV_OK);
    EXPECT_EQ(later, 1);
}

TEST(Run, ASecondCallInTheSameContextIsRefused) {
    FakeModel fake;
    TestContext *running = nullptr;
    sepconv_status_t second[2] = {SEPCONV_OK, SEPCONV_OK};
    set_kernel(0, [&](void *, uint8_t *const *) {
        if (running != nullptr) {
            second[0] = running->run();
            std::thread([&] { second[1] = running->run(); }).join();
        }
        return 0;
    });
    TestContext test(fake.model());
    running = &test;
    EXPECT_EQ(test.run(), SEPCONV_OK);
    EXPECT_EQ(second[0], SEPCONV_CONTEXT_IN_USE) << "from inside the first";
    EXPECT_EQ(second[1], SEPCONV_CONTEXT_IN_USE) << "from another thread";
    running = nullptr;
    EXPECT_EQ(test.run(), SEPCONV_OK);
    set_kernel(0, [](void *, uint8_t *const *) { return 1; });
    EXPECT_EQ(test.run(), SEPCONV_KERNEL_ERROR);
    EXPECT_EQ(test.run(), SEPCONV_KERNEL_ERROR) << "an error leaves the context in use";
}

TEST(Run, UsesTheKernelsOfTheChosenVariant) {
    static const sepconv_kernel_t kFailing[] = {[](void **) { return 1; }};
    FakeModel fake;
    set_kernel(0, [](void *, uint8_t *const *) { return 0; });
    fake.variants.insert(fake.variants.begin(), {"from the future", kFailing, 64, nullptr, 0});
    TestContext test(fake.model());
    EXPECT_EQ(test.run(), SEPCONV_OK);
}

TEST(Profile, SumsTheStepsOfEachBlock) {
    FakeModel fake;
    fake.block_names = {"first", "second", "unused"};
    fake.add_step(1, 1, 2, {kInputArg, kOutputArg});
    fake.add_step(0, 0, 1, {kInputArg, kOutputArg});
    set_kernel(0, [](void *, uint8_t *const *) {
        std::this_thread::sleep_for(std::chrono::milliseconds(4));
        return 0;
    });
    set_kernel(1, [](void *, uint8_t *const *) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return 0;
    });
    sepconv_options_t options = {};
    options.profile = 1;
    TestContext test(fake.model(), &options);
    ASSERT_EQ(sepconv_context_block_count(test.context), 3);
    EXPECT_STREQ(sepconv_context_block_name(test.context, 1), "second");
    for (const int index : {-1, 3}) {
        EXPECT_EQ(sepconv_context_block_name(test.context, index), nullptr);
        EXPECT_EQ(sepconv_context_block_nanoseconds(test.context, index), 0u);
    }
    for (int run = 0; run < 2; ++run) {  // The second does not add to the first.
        const auto start = std::chrono::steady_clock::now();
        ASSERT_EQ(test.run(), SEPCONV_OK);
        const auto wall = std::chrono::nanoseconds(std::chrono::steady_clock::now() - start);
        const uint64_t first = sepconv_context_block_nanoseconds(test.context, 0);
        const uint64_t second = sepconv_context_block_nanoseconds(test.context, 1);
        EXPECT_GE(first, 8000000u);
        EXPECT_GE(second, 20000000u);
        EXPECT_LE(first + second, static_cast<uint64_t>(wall.count()));
        EXPECT_EQ(sepconv_context_block_nanoseconds(test.context, 2), 0u);
    }
}

TEST(Profile, IsOffUnlessAsked) {
    FakeModel fake;
    set_kernel(0, [](void *, uint8_t *const *) { return 0; });
    TestContext test(fake.model());
    ASSERT_EQ(test.run(), SEPCONV_OK);
    EXPECT_EQ(sepconv_context_block_count(test.context), 2);
    EXPECT_STREQ(sepconv_context_block_name(test.context, 0), "first");
    EXPECT_EQ(sepconv_context_block_nanoseconds(test.context, 0), 0u);
}

}  // namespace
}  // namespace sepconv
