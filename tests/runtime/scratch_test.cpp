/// The scratch allocator, from inside kernels as they use it.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "fake_model.h"

namespace sepconv {
namespace {

/// Runs `body` as a kernel with so much scratch.
sepconv_status_t run_with_scratch(size_t scratch_bytes,
                                  const std::function<void(void *user_context)> &body) {
    FakeModel fake;
    fake.scratch_bytes = scratch_bytes;
    set_kernel(0, [&body](void *user_context, uint8_t *const *) {
        body(user_context);
        return 0;
    });
    TestContext test(fake.model());
    return test.created != SEPCONV_OK ? test.created : test.run();
}

size_t planned(const std::vector<size_t> &sizes) {
    size_t bytes = 0;
    for (const size_t size : sizes) {
        bytes += (size + 63) / 64 * 64 + 128;
    }
    return bytes;
}

TEST(Scratch, FitsExactlyWhatTheCompilerPlans) {
    const std::vector<size_t> sizes = {1, 64, 65, 0, 1000, 63};
    const auto status = run_with_scratch(planned(sizes), [&](void *user_context) {
        for (int round = 0; round < 3; ++round) {
            std::vector<void *> allocations;
            for (const size_t size : sizes) {
                void *allocation = sepconv_kernel_malloc(user_context, size);
                ASSERT_NE(allocation, nullptr);
                EXPECT_EQ(reinterpret_cast<uintptr_t>(allocation) % 64, 0u);
                allocations.push_back(allocation);
            }
            while (!allocations.empty()) {
                sepconv_kernel_free(user_context, allocations.back());
                allocations.pop_back();
            }
        }
    });
    EXPECT_EQ(status, SEPCONV_OK);
}

TEST(Scratch, AllocationsAreApartAndReadableAround) {
    const std::vector<size_t> sizes = {100, 1, 64, 200};
    std::vector<uint8_t> arena(1 << 14, 0);
    FakeModel fake;
    fake.tensor_bytes = 0;
    fake.scratch_bytes = planned(sizes);
    set_kernel(0, [&](void *user_context, uint8_t *const *) {
        std::vector<uint8_t *> allocations;
        for (size_t i = 0; i < sizes.size(); ++i) {
            allocations.push_back(
                static_cast<uint8_t *>(sepconv_kernel_malloc(user_context, sizes[i])));
            std::memset(allocations[i], static_cast<int>(i + 1), sizes[i]);
        }
        for (size_t i = 0; i < sizes.size(); ++i) {
            EXPECT_GE(allocations[i] - 64, arena.data());
            EXPECT_LE(allocations[i] + sizes[i] + 64, arena.data() + arena.size());
            for (size_t j = 0; j < sizes[i]; ++j) {
                EXPECT_EQ(allocations[i][j], i + 1);
            }
        }
        return 0;
    });
    sepconv_options_t options = {};
    options.arena = arena.data();
    options.arena_bytes = sepconv_model_arena_bytes(fake.model(), 1);
    arena.resize(options.arena_bytes);
    options.arena = arena.data();
    TestContext test(fake.model(), &options);
    ASSERT_EQ(test.created, SEPCONV_OK);
    EXPECT_EQ(test.run(), SEPCONV_OK);
}

TEST(Scratch, LiesWhereThePlanPutsThatOfTheStep) {
    FakeModel fake;
    fake.tensor_bytes = 1024;
    fake.steps.clear();
    for (int i = 0; i < 2; ++i) {
        fake.add_step(0, 0, 2, {{SEPCONV_ARENA, 0, 0, 0}, kOutputArg});
    }
    const sepconv_model_t *model = fake.model();
    const size_t offsets[] = {640, 128};
    for (size_t i = 0; i < 2; ++i) {
        fake.steps[i].scratch_offset = offsets[i];
        fake.steps[i].scratch_bytes = planned({64});
    }
    std::vector<size_t> seen;
    set_kernel(0, [&](void *user_context, uint8_t *const hosts[]) {
        auto *scratch = static_cast<uint8_t *>(sepconv_kernel_malloc(user_context, 64));
        seen.push_back(static_cast<size_t>(scratch - hosts[0]));
        return 0;
    });
    for (const int threads : {1, 2}) {
        sepconv_options_t options = {};
        options.num_threads = threads;
        TestContext test(model, &options);
        seen.clear();
        EXPECT_EQ(test.run(), SEPCONV_OK);
        EXPECT_EQ(seen, (std::vector<size_t>{640 + 64, 640 + 64, 128 + 64, 128 + 64}));
    }
}

TEST(Scratch, LastInFirstOutReusesTheSamePlace) {
    const auto status = run_with_scratch(planned({64, 64}), [](void *user_context) {
        void *first = sepconv_kernel_malloc(user_context, 64);
        void *second = sepconv_kernel_malloc(user_context, 64);
        sepconv_kernel_free(user_context, second);
        EXPECT_EQ(sepconv_kernel_malloc(user_context, 64), second);
        sepconv_kernel_free(user_context, second);
        sepconv_kernel_free(user_context, first);
        EXPECT_EQ(sepconv_kernel_malloc(user_context, 64), first);
    });
    EXPECT_EQ(status, SEPCONV_OK);
}

TEST(Scratch, FreesOutOfOrderComeBackTogether) {
    const auto status = run_with_scratch(planned({64, 64, 64, 64}), [](void *user_context) {
        void *a[4];
        for (auto &allocation : a) {
            allocation = sepconv_kernel_malloc(user_context, 64);
        }
        sepconv_kernel_free(user_context, a[1]);
        sepconv_kernel_free(user_context, a[2]);
        // a[3] is above them; nothing is free yet, but its end frees all three.
        sepconv_kernel_free(user_context, a[3]);
        EXPECT_EQ(sepconv_kernel_malloc(user_context, 64), a[1]);
        sepconv_kernel_free(user_context, a[0]);
        sepconv_kernel_free(user_context, a[1]);
        EXPECT_EQ(sepconv_kernel_malloc(user_context, planned({64, 64, 64, 64}) - 128), a[0]);
    });
    EXPECT_EQ(status, SEPCONV_OK);
}

TEST(Scratch, ExhaustionIsRecordedAndReturnsNull) {
    for (const size_t bytes : {size_t{65}, size_t{1} << 40, SIZE_MAX, SIZE_MAX - 63}) {
        const auto status = run_with_scratch(planned({64}), [&](void *user_context) {
            EXPECT_EQ(sepconv_kernel_malloc(user_context, bytes), nullptr);
        });
        EXPECT_EQ(status, SEPCONV_KERNEL_ERROR) << bytes;
    }
    EXPECT_EQ(run_with_scratch(0, [](void *context) { sepconv_kernel_malloc(context, 0); }),
              SEPCONV_KERNEL_ERROR);
}

TEST(Scratch, ForeignPointersAreRecorded) {
    const auto status = run_with_scratch(planned({64}), [](void *user_context) {
        uint8_t foreign[128];
        sepconv_kernel_free(user_context, foreign + 64);
    });
    EXPECT_EQ(status, SEPCONV_KERNEL_ERROR);
    EXPECT_EQ(run_with_scratch(64, [](void *context) { sepconv_kernel_free(context, nullptr); }),
              SEPCONV_OK);
}

TEST(Scratch, LeaksEndWithTheKernel) {
    FakeModel fake;
    fake.add_step(0, 0, 5, {kInputArg, kOutputArg});
    fake.scratch_bytes = planned({64});
    set_kernel(0, [](void *user_context, uint8_t *const *) {
        return sepconv_kernel_malloc(user_context, 64) == nullptr ? 1 : 0;
    });
    TestContext test(fake.model());
    EXPECT_EQ(test.run(), SEPCONV_OK);
    EXPECT_EQ(test.run(), SEPCONV_OK);
}

}  // namespace
}  // namespace sepconv
