/// Making contexts: options, arenas, variants, and what a model says of itself.
#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "fake_model.h"

namespace sepconv {
namespace {

TEST(Status, EveryCodeHasItsOwnMessage) {
    std::set<std::string> messages;
    for (int code = SEPCONV_OK; code <= SEPCONV_CONTEXT_IN_USE; ++code) {
        const char *message = sepconv_status_message(static_cast<sepconv_status_t>(code));
        ASSERT_NE(message, nullptr);
        messages.insert(message);
    }
    EXPECT_EQ(messages.size(), 13u);
    const std::string unknown = sepconv_status_message(static_cast<sepconv_status_t>(77));
    EXPECT_EQ(messages.count(unknown), 0u);
}

TEST(Model, DescribesItself) {
    FakeModel fake;
    const sepconv_model_t *model = fake.model();
    EXPECT_STREQ(sepconv_model_name(model), "fake");
    EXPECT_EQ(sepconv_model_input_count(model), 1);
    EXPECT_EQ(sepconv_model_output_count(model), 1);
    EXPECT_STREQ(sepconv_model_input(model, 0)->name, "image");
    EXPECT_STREQ(sepconv_model_output(model, 0)->name, "scores");
    for (const int index : {-1, 1}) {
        EXPECT_EQ(sepconv_model_input(model, index), nullptr);
        EXPECT_EQ(sepconv_model_output(model, index), nullptr);
    }
}

TEST(Model, NullAndForeignVersionsHaveNothing) {
    FakeModel fake;
    fake.abi_version = SEPCONV_ABI_VERSION + 1;
    for (const sepconv_model_t *model :
         {static_cast<const sepconv_model_t *>(nullptr), fake.model()}) {
        EXPECT_STREQ(sepconv_model_name(model), "");
        EXPECT_EQ(sepconv_model_input_count(model), 0);
        EXPECT_EQ(sepconv_model_output_count(model), 0);
        EXPECT_EQ(sepconv_model_input(model, 0), nullptr);
        EXPECT_EQ(sepconv_model_output(model, 0), nullptr);
        EXPECT_EQ(sepconv_model_arena_bytes(model, 1), 0u);
    }
}

TEST(Model, ArenaBytesCountTensorsSlicesAndAlignment) {
    FakeModel fake;
    fake.tensor_bytes = 640;
    fake.scratch_bytes = 128;
    fake.variants = {fake_variant("avx512", 100), fake_variant("avx2", 1000),
                     fake_variant("sse41", 1)};
    const sepconv_model_t *model = fake.model();
    EXPECT_EQ(sepconv_model_arena_bytes(model, 0), 640u + 128 + 64);
    EXPECT_EQ(sepconv_model_arena_bytes(model, 1), 640u + 128 + 64);
    EXPECT_EQ(sepconv_model_arena_bytes(model, 2), 640u + 128 + 2 * 1024 + 64);
    EXPECT_EQ(sepconv_model_arena_bytes(model, 8), 640u + 128 + 8 * 1024 + 64);
    EXPECT_EQ(sepconv_model_arena_bytes(model, -1), 0u);
    EXPECT_EQ(sepconv_model_arena_bytes(model, SEPCONV_MAX_THREADS + 1), 0u);
}

/// Expects creation to fail with `status` and to leave null behind.
void expect_failure(const sepconv_model_t *model, const sepconv_options_t *options,
                    sepconv_status_t status) {
    auto *context = reinterpret_cast<sepconv_context_t *>(&status);
    EXPECT_EQ(sepconv_context_create(model, options, &context), status);
    EXPECT_EQ(context, nullptr);
}

TEST(ContextCreate, RefusesNull) {
    FakeModel fake;
    EXPECT_EQ(sepconv_context_create(fake.model(), nullptr, nullptr), SEPCONV_INVALID_ARGUMENT);
    expect_failure(nullptr, nullptr, SEPCONV_INVALID_ARGUMENT);
}

TEST(ContextCreate, RefusesAnotherAbi) {
    FakeModel fake;
    fake.abi_version = SEPCONV_ABI_VERSION + 1;
    expect_failure(fake.model(), nullptr, SEPCONV_ABI_MISMATCH);
}

TEST(ContextCreate, RefusesThreadsOutOfRange) {
    FakeModel fake;
    sepconv_options_t options = {};
    for (const int threads : {-1, SEPCONV_MAX_THREADS + 1}) {
        options.num_threads = threads;
        expect_failure(fake.model(), &options, SEPCONV_INVALID_ARGUMENT);
    }
}

TEST(ContextCreate, RefusesAStepWithTooManyArguments) {
    FakeModel fake;
    fake.add_step(0, 0, 1, std::vector<sepconv_arg_t>(SEPCONV_MAX_KERNEL_ARGS + 1, kInputArg));
    expect_failure(fake.model(), nullptr, SEPCONV_INVALID_ARGUMENT);
}

TEST(ContextCreate, RefusesAStepWithScratchOutsideTheArena) {
    FakeModel fake;
    fake.tensor_bytes = 256;
    fake.scratch_bytes = 1024;
    const auto set_scratch = [&](size_t offset, size_t bytes) {
        const sepconv_model_t *model = fake.model();
        fake.steps[0].scratch_offset = offset;
        fake.steps[0].scratch_bytes = bytes;
        return model;
    };
    for (const auto &[offset, bytes] : std::vector<std::pair<size_t, size_t>>{
             {256, 1025}, {256, SIZE_MAX}, {1344, 0}, {SIZE_MAX - 63, 128}, {32, 64}}) {
        expect_failure(set_scratch(offset, bytes), nullptr, SEPCONV_INVALID_ARGUMENT);
    }
    for (const auto &[offset, bytes] :
         std::vector<std::pair<size_t, size_t>>{{0, 1280}, {1280, 0}, {64, 1}}) {
        const TestContext test(set_scratch(offset, bytes));
        EXPECT_EQ(test.created, SEPCONV_OK);
    }
}

TEST(ContextCreate, TakesTheFirstVariantThatRuns) {
    const ScopedEnvironment unset("SEPCONV_ISA", nullptr);
    FakeModel fake;
    fake.variants = {fake_variant("from the future", 64), fake_variant("sse41", 64)};
    const TestContext test(fake.model());
    ASSERT_EQ(test.created, SEPCONV_OK);
    EXPECT_STREQ(sepconv_context_isa(test.context), "sse41");

    fake.variants = {fake_variant("from the future", 64)};
    expect_failure(fake.model(), nullptr, SEPCONV_UNSUPPORTED_ISA);
    fake.variants = {};
    expect_failure(fake.model(), nullptr, SEPCONV_UNSUPPORTED_ISA);
}

TEST(ContextCreate, EnvironmentForcesAVariant) {
    if (!sepconv_isa_available("avx2")) {
        GTEST_SKIP() << "needs a CPU with two variants";
    }
    FakeModel fake;
    fake.variants = {fake_variant("from the future", 64), fake_variant("avx2", 64),
                     fake_variant("sse41", 64)};
    const sepconv_model_t *model = fake.model();
    for (const char *isa : {"avx2", "sse41"}) {
        const ScopedEnvironment forced("SEPCONV_ISA", isa);
        const TestContext test(model);
        ASSERT_EQ(test.created, SEPCONV_OK);
        EXPECT_STREQ(sepconv_context_isa(test.context), isa);
    }
    {
        const ScopedEnvironment empty("SEPCONV_ISA", "");
        const TestContext test(model);
        ASSERT_EQ(test.created, SEPCONV_OK);
        EXPECT_STREQ(sepconv_context_isa(test.context), "avx2");
    }
    // Unknown; in the library but not on this CPU; a prefix.
    for (const char *isa : {"sse9", "from the future", "avx"}) {
        const ScopedEnvironment forced("SEPCONV_ISA", isa);
        expect_failure(model, nullptr, SEPCONV_UNSUPPORTED_ISA);
    }
    // On this CPU but not in the library.
    fake.variants = {fake_variant("avx2", 64)};
    const ScopedEnvironment forced("SEPCONV_ISA", "sse41");
    expect_failure(fake.model(), nullptr, SEPCONV_UNSUPPORTED_ISA);
}

/// A kernel that fills its whole scratch and the model's arena, leaving marks for the test.
void use_whole_arena(FakeModel *fake, int tasks) {
    fake->steps.clear();
    fake->add_step(0, 0, 1, {{SEPCONV_ARENA, 0, 0, 0}, kOutputArg});
    fake->variants = {fake_variant("sse41", 64 + 128)};
    fake->scratch_bytes = 2 * (64 + 128);
    const size_t tensor_bytes = fake->tensor_bytes;
    set_kernel(0, [tensor_bytes, tasks](void *user_context, uint8_t *const hosts[]) {
        EXPECT_EQ(reinterpret_cast<uintptr_t>(hosts[0]) % 64, 0u);
        std::memset(hosts[0], 0x55, tensor_bytes);
        void *kept = sepconv_kernel_malloc(user_context, 64);
        if (kept == nullptr) {
            return 1;
        }
        std::memset(kept, 0x77, 64);
        return parallel_for(user_context, 0, tasks, [](void *task_context, int) {
            void *scratch = sepconv_kernel_malloc(task_context, 64);
            if (scratch == nullptr) {
                return 1;
            }
            EXPECT_EQ(reinterpret_cast<uintptr_t>(scratch) % 64, 0u);
            std::memset(scratch, 0x66, 64);
            sepconv_kernel_free(task_context, scratch);
            return 0;
        });
    });
}

/// A parallel_for that lets every worker take its turn.
int take_turns(void *num_threads, sepconv_task_t body, void *body_data, int count) {
    for (int i = 0; i < count; ++i) {
        if (const int result = body(body_data, i, i % *static_cast<int *>(num_threads))) {
            return result;
        }
    }
    return 0;
}

TEST(CallersArena, AnyAlignmentAndNoByteOutside) {
    for (int threads : {1, 4}) {
        FakeModel fake;
        use_whole_arena(&fake, 32);
        const size_t bytes = sepconv_model_arena_bytes(fake.model(), threads);
        for (size_t shift = 0; shift <= 64; shift += 7) {
            std::vector<uint8_t> memory(bytes + 256, 0xAA);
            const size_t first = 64 + shift;
            sepconv_options_t options = {};
            options.num_threads = threads;
            options.parallel_for = take_turns;
            options.parallel_for_data = &threads;
            options.arena = memory.data() + first;
            options.arena_bytes = bytes;
            TestContext test(fake.model(), &options);
            ASSERT_EQ(test.created, SEPCONV_OK);
            EXPECT_EQ(test.run(), SEPCONV_OK);
            for (size_t i = 0; i < memory.size(); ++i) {
                if (i < first || i >= first + bytes) {
                    ASSERT_EQ(memory[i], 0xAA) << "byte " << i << ", shift " << shift;
                }
            }
        }
    }
}

TEST(CallersArena, TooSmall) {
    FakeModel fake;
    std::vector<uint8_t> memory(1 << 16);
    for (const int threads : {1, 2, 8}) {
        sepconv_options_t options = {};
        options.num_threads = threads;
        options.arena = memory.data();
        options.arena_bytes = sepconv_model_arena_bytes(fake.model(), threads) - 1;
        expect_failure(fake.model(), &options, SEPCONV_ARENA_TOO_SMALL);
        ++options.arena_bytes;
        const TestContext test(fake.model(), &options);
        EXPECT_EQ(test.created, SEPCONV_OK);
    }
}

TEST(OwnArena, RunsWithAnyNumberOfThreads) {
    for (int threads = 0; threads <= 8; ++threads) {
        FakeModel fake;
        use_whole_arena(&fake, 64);
        sepconv_options_t options = {};
        options.num_threads = threads;
        TestContext test(fake.model(), &options);
        ASSERT_EQ(test.created, SEPCONV_OK);
        EXPECT_EQ(test.run(), SEPCONV_OK);
    }
}

TEST(Context, NullIsSafe) {
    sepconv_context_destroy(nullptr);
    EXPECT_STREQ(sepconv_context_isa(nullptr), "");
    EXPECT_EQ(sepconv_context_block_count(nullptr), 0);
    EXPECT_EQ(sepconv_context_block_name(nullptr, 0), nullptr);
    EXPECT_EQ(sepconv_context_block_nanoseconds(nullptr, 0), 0u);
}

}  // namespace
}  // namespace sepconv
