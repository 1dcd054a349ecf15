/// The C++ wrapper.
#include "sepconv/sepconv.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "fake_model.h"

namespace sepconv {
namespace {

static_assert(!std::is_copy_constructible_v<Context> && !std::is_copy_assignable_v<Context>);
static_assert(std::is_nothrow_move_constructible_v<Context>);
static_assert(std::is_nothrow_move_assignable_v<Context>);

/// Kernel 0 doubles its input in a parallel loop.
void double_in_kernel() {
    set_kernel(0, [](void *user_context, uint8_t *const hosts[]) {
        const auto *in = reinterpret_cast<const float *>(hosts[0]);
        auto *out = reinterpret_cast<float *>(hosts[1]);
        return parallel_for(user_context, 0, kElements, [=](void *, int index) {
            out[index] = 2 * in[index];
            return 0;
        });
    });
}

TEST(Wrapper, RunsMovesAndDestroys) {
    double_in_kernel();
    FakeModel fake;
    Context context;
    EXPECT_FALSE(context);
    const std::array<float, kElements> in = {1, 2, 3, 4, 5, 6, 7, 8};
    std::array<float, kElements> out = {};
    EXPECT_EQ(context.run({in.data()}, {out.data()}).code(), SEPCONV_INVALID_ARGUMENT);
    ASSERT_TRUE(Context::create(fake.model(), &context).ok());
    EXPECT_STREQ(context.isa(), "sse41");
    EXPECT_EQ(context.block_count(), 2);
    EXPECT_STREQ(context.block_name(1), "second");
    EXPECT_EQ(context.block_nanoseconds(0), 0u);
    ASSERT_TRUE(context.run({in.data()}, {out.data()}).ok());
    EXPECT_EQ(out[7], 16);

    Context moved(std::move(context));
    context = Context();
    EXPECT_FALSE(context);
    out = {};
    const std::vector<const void *> inputs = {in.data()};
    const std::vector<void *> outputs = {out.data()};
    ASSERT_TRUE(moved.run(inputs, outputs).ok());
    EXPECT_EQ(out[0], 2);
}

TEST(Wrapper, CountsArePartOfTheCall) {
    double_in_kernel();
    FakeModel fake;
    Context context;
    ASSERT_TRUE(Context::create(fake.model(), &context).ok());
    float in[kElements] = {};
    float out[kElements] = {};
    EXPECT_EQ(context.run({in, in}, {out}).code(), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(context.run({in}, {out, out}).code(), SEPCONV_INVALID_ARGUMENT);
}

TEST(Wrapper, FailureLeavesTheContextAsItWas) {
    double_in_kernel();
    FakeModel fake;
    Context context;
    ASSERT_TRUE(Context::create(fake.model(), &context).ok());
    const sepconv_context_t *before = context.get();
    Options options;
    options.num_threads = -1;
    const RunStatus status = Context::create(fake.model(), std::move(options), &context);
    EXPECT_EQ(status.code(), SEPCONV_INVALID_ARGUMENT);
    EXPECT_STREQ(status.message(), sepconv_status_message(SEPCONV_INVALID_ARGUMENT));
    EXPECT_EQ(context.get(), before);
    EXPECT_EQ(Context::create(fake.model(), nullptr).code(), SEPCONV_INVALID_ARGUMENT);
}

/// Runs with `parallel` as the caller's parallel_for, after a move, so that a dangling one shows.
sepconv_status_t run_with(ParallelFor parallel) {
    FakeModel fake;
    Options options;
    options.num_threads = 2;
    options.parallel_for = std::move(parallel);
    Context made;
    EXPECT_TRUE(Context::create(fake.model(), std::move(options), &made).ok());
    Context context(std::move(made));
    const float in[kElements] = {};
    float out[kElements] = {};
    return context.run({in}, {out}).code();
}

TEST(Wrapper, ParallelForIsCalledAndItsExceptionsStopThere) {
    double_in_kernel();
    int calls = 0;
    EXPECT_EQ(run_with([&calls](int count, const ParallelBody &body) {
                  ++calls;
                  for (int i = 0; i < count; ++i) {
                      body(i, i % 2);
                  }
              }),
              SEPCONV_OK);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(run_with([](int, const ParallelBody &) { throw std::runtime_error("no threads"); }),
              SEPCONV_CALLBACK_ERROR);
    EXPECT_EQ(run_with([](int count, const ParallelBody &body) {
                  for (int i = 0; i < count; ++i) {
                      body(i, 0);
                  }
                  throw 1;
              }),
              SEPCONV_CALLBACK_ERROR);
    EXPECT_EQ(run_with([](int, const ParallelBody &body) { body(0, 2); }), SEPCONV_CALLBACK_ERROR);
}

TEST(Wrapper, KernelErrorsWinOverTheCallback) {
    set_kernel(0, [](void *user_context, uint8_t *const *) {
        return parallel_for(user_context, 0, 4, [](void *, int index) { return index == 2; });
    });
    EXPECT_EQ(run_with([](int count, const ParallelBody &body) {
                  for (int i = 0; i < count; ++i) {
                      body(i, 0);
                  }
              }),
              SEPCONV_KERNEL_ERROR);
}

}  // namespace
}  // namespace sepconv
