/// What compiled models ask of the system, and what of the caller's memory they touch.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "counters.h"
#include "models.h"

namespace sepconv::testing {
namespace {

std::string name_of(const ::testing::TestParamInfo<LinkedModel> &info) {
    return info.param.name;
}

class Resources : public ::testing::TestWithParam<LinkedModel> {};

TEST(Counters, Count) {
    const Counts before = counts();
    void *volatile pointers[] = {malloc(1), calloc(2, 1), aligned_alloc(64, 64), nullptr};
    void *aligned = nullptr;
    ASSERT_EQ(posix_memalign(&aligned, 64, 64), 0);
    pointers[3] = aligned;
    pointers[0] = realloc(pointers[0], 3);
    void *mapped = mmap(nullptr, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const Counts after = counts();
    EXPECT_EQ(after.allocations - before.allocations, 6);
    EXPECT_EQ(after.bytes - before.bytes, 1U + 2 + 64 + 64 + 3 + 1);
    ASSERT_NE(mapped, MAP_FAILED);
    munmap(mapped, 1);
    for (void *pointer : pointers) {
        free(pointer);
    }
    const int threads = live_threads();
    int threads_inside = 0;
    std::thread([&] { threads_inside = live_threads(); }).join();
    EXPECT_EQ(threads_inside, threads + 1);
}

TEST_P(Resources, RunAllocatesNothingAndStartsNoThread) {
    for (const std::string &isa : available_isas()) {
        const ForcedIsa forced(isa);
        for (const int threads : {1, 2}) {
            SCOPED_TRACE(isa + ", threads: " + std::to_string(threads));
            Tensors tensors(GetParam(), "a");
            const int threads_before = live_threads();
            ContextPointer context = make_context(GetParam().model, threads);
            ASSERT_NE(context, nullptr);
            EXPECT_STREQ(sepconv_context_isa(context.get()), isa.c_str());
            EXPECT_EQ(live_threads(), threads_before + threads - 1);
            const Counts before = counts();
            sepconv_status_t status = SEPCONV_OK;
            for (int run = 0; run < 3 && status == SEPCONV_OK; ++run) {
                status = tensors.run(context.get());
            }
            const Counts after = counts();
            EXPECT_EQ(status, SEPCONV_OK) << sepconv_status_message(status);
            EXPECT_EQ(after.allocations, before.allocations);
            EXPECT_EQ(after.frees, before.frees);
            EXPECT_EQ(after.threads_started, before.threads_started);
            EXPECT_EQ(live_threads(), threads_before + threads - 1);
            context.reset();
            EXPECT_EQ(live_threads(), threads_before);
        }
    }
}

TEST_P(Resources, OutputsAreWhollyWrittenAndNothingBesideThem) {
    for (const std::string &isa : available_isas()) {
        const ForcedIsa forced(isa);
        for (const int threads : {1, 2}) {
            SCOPED_TRACE(isa + ", threads: " + std::to_string(threads));
            const ContextPointer context = make_context(GetParam().model, threads);
            OutputBits answers[2];
            for (const Flush flush : {Flush::kFront, Flush::kBack}) {
                Tensors tensors(GetParam(), "a", flush);
                ASSERT_EQ(tensors.run(context.get()), SEPCONV_OK);
                EXPECT_TRUE(tensors.slack_is_untouched());
                answers[flush == Flush::kBack] = tensors.output_bits();
                EXPECT_TRUE(all_finite(answers[flush == Flush::kBack]));
            }
            EXPECT_TRUE(answers[0] == answers[1]) << "the answer depends on alignment";
        }
    }
}

TEST_P(Resources, ContextIsOneSmallAllocationWithTheCallersArena) {
    ASSERT_EQ(GetParam().arena_bytes, sepconv_model_arena_bytes(GetParam().model, 1));
    std::vector<uint8_t> arena(GetParam().arena_bytes);
    for (const bool own : {true, false}) {
        SCOPED_TRACE(own ? "own arena" : "the caller's arena");
        sepconv_options_t options = {};
        options.arena = own ? nullptr : arena.data();
        options.arena_bytes = own ? 0 : arena.size();
        const Counts before = counts();
        sepconv_context_t *context = nullptr;
        ASSERT_EQ(sepconv_context_create(GetParam().model, &options, &context), SEPCONV_OK);
        const Counts after = counts();
        sepconv_context_destroy(context);
        EXPECT_EQ(after.allocations - before.allocations, own ? 2 : 1);
        EXPECT_EQ(counts().frees - before.frees, own ? 2 : 1);
        const size_t context_bytes = after.bytes - before.bytes - (own ? arena.size() : 0);
        EXPECT_LT(context_bytes, 1024U);
    }
}

/// What sepconv.h forbids: values are unspecified then, but the rest of the buffers is left alone.
TEST_P(Resources, AnOutputInsideAnInputTouchesNothingElse) {
    const sepconv_tensor_t *input = sepconv_model_input(GetParam().model, 0);
    const int output_count = sepconv_model_output_count(GetParam().model);
    const ContextPointer context = make_context(GetParam().model, 2);
    size_t elements = input->bytes / sizeof(float);
    for (int i = 0; i < output_count; ++i) {
        elements += sepconv_model_output(GetParam().model, i)->bytes / sizeof(float);
    }
    GuardedBuffer memory(elements, Flush::kBack);
    std::fill_n(memory.floats(), elements, 0.5F);
    const std::vector<uint32_t> before(memory.bits(), memory.bits() + elements);
    const void *inputs[] = {memory.floats()};
    std::vector<void *> outputs;
    size_t first = input->bytes / sizeof(float) - 1;  // The first output has the last input.
    std::vector<bool> written(elements);
    for (int i = 0; i < output_count; ++i) {
        outputs.push_back(memory.floats() + first);
        const size_t count = sepconv_model_output(GetParam().model, i)->bytes / sizeof(float);
        std::fill_n(written.begin() + static_cast<std::ptrdiff_t>(first), count, true);
        first += count;
    }
    EXPECT_EQ(sepconv_run(context.get(), inputs, outputs.data()), SEPCONV_OK);
    for (size_t i = 0; i < elements; ++i) {
        ASSERT_TRUE(written[i] || memory.bits()[i] == before[i]) << "element " << i;
    }
    EXPECT_TRUE(memory.slack_is_untouched());
}

/// The arena between canaries, `shift` bytes behind a multiple of 64; all of it NaN at first.
void run_in_shifted_arena(const LinkedModel &linked, size_t shift, const OutputBits &wanted) {
    constexpr size_t kMargin = 4096;
    constexpr uint8_t kCanary = 0xa5;
    std::vector<uint8_t> memory(linked.arena_bytes + 2 * kMargin + 64, kCanary);
    uint8_t *arena = memory.data() + kMargin;
    arena += (shift - reinterpret_cast<uintptr_t>(arena)) % 64;
    std::fill_n(arena, linked.arena_bytes, uint8_t{0xff});
    sepconv_options_t options = {};
    options.arena = arena;
    options.arena_bytes = linked.arena_bytes;
    const ContextPointer context = make_context(linked.model, options);
    Tensors tensors(linked, "a");
    ASSERT_EQ(tensors.run(context.get()), SEPCONV_OK);
    EXPECT_TRUE(tensors.output_bits() == wanted);
    const auto intact = [](uint8_t byte) { return byte == kCanary; };
    EXPECT_TRUE(std::all_of(memory.data(), arena, intact)) << "written before the arena";
    EXPECT_TRUE(std::all_of(arena + linked.arena_bytes, memory.data() + memory.size(), intact))
        << "written behind the arena";
}

/// The arena between inaccessible pages: reads outside it fault as well.
void run_in_guarded_arena(const LinkedModel &linked, Flush flush, const OutputBits &wanted) {
    ASSERT_EQ(linked.arena_bytes % sizeof(uint32_t), 0U);
    GuardedBuffer arena(linked.arena_bytes / sizeof(uint32_t), flush);
    sepconv_options_t options = {};
    options.arena = arena.bits();
    options.arena_bytes = linked.arena_bytes;
    const ContextPointer context = make_context(linked.model, options);
    Tensors tensors(linked, "a");
    ASSERT_EQ(tensors.run(context.get()), SEPCONV_OK);
    EXPECT_TRUE(tensors.output_bits() == wanted);
    EXPECT_TRUE(arena.slack_is_untouched());
}

TEST_P(Resources, ArenaOfExactlyTheSizeAtAnyAlignment) {
    for (const std::string &isa : available_isas()) {
        const ForcedIsa forced(isa);
        Tensors tensors(GetParam(), "a");
        const ContextPointer context = make_context(GetParam().model, 1);
        ASSERT_EQ(tensors.run(context.get()), SEPCONV_OK);
        const OutputBits wanted = tensors.output_bits();
        for (const size_t shift : {0, 1, 31, 63}) {
            SCOPED_TRACE(isa + ", arena shifted by " + std::to_string(shift));
            run_in_shifted_arena(GetParam(), shift, wanted);
        }
        for (const Flush flush : {Flush::kFront, Flush::kBack}) {
            SCOPED_TRACE(isa + (flush == Flush::kFront ? ", front" : ", back"));
            run_in_guarded_arena(GetParam(), flush, wanted);
        }
    }
}

TEST_P(Resources, AnArenaOneByteShortIsRefused) {
    std::vector<uint8_t> arena(GetParam().arena_bytes);
    sepconv_options_t options = {};
    options.arena = arena.data();
    options.arena_bytes = arena.size() - 1;
    sepconv_context_t *context = nullptr;
    EXPECT_EQ(sepconv_context_create(GetParam().model, &options, &context),
              SEPCONV_ARENA_TOO_SMALL);
    EXPECT_EQ(context, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Models, Resources, ::testing::ValuesIn(linked_models()), name_of);

}  // namespace
}  // namespace sepconv::testing
