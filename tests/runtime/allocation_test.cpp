/// What the runtime asks of the system: memory and threads, counted and refused on purpose.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "device_kernels.h"
#include "stub_cuda.h"
#include "thread_limit.h"

#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SEPCONV_REPLACES_MALLOC 0
#else
#define SEPCONV_REPLACES_MALLOC 1
#endif

namespace {

std::atomic<int> allocations{0};
std::atomic<int> frees{0};
std::atomic<int> refuse_after{-1};  ///< Allocations left before they fail; negative: never.

std::atomic<int> threads_started{0};
std::atomic<int> threads_joined{0};
std::atomic<int> threads_left{-1};  ///< Threads left before creation fails; negative: never.

#if SEPCONV_REPLACES_MALLOC
bool admit_allocation() {
    ++allocations;
    return refuse_after < 0 || refuse_after-- > 0;
}
#endif

}  // namespace

#if SEPCONV_REPLACES_MALLOC
extern "C" {
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *pointer, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *pointer);

void *malloc(size_t bytes) {
    return admit_allocation() ? __libc_malloc(bytes) : nullptr;
}
void *calloc(size_t count, size_t bytes) {
    return admit_allocation() ? __libc_calloc(count, bytes) : nullptr;
}
void *realloc(void *pointer, size_t bytes) {
    return admit_allocation() ? __libc_realloc(pointer, bytes) : nullptr;
}
void *aligned_alloc(size_t alignment, size_t bytes) {
    return admit_allocation() ? __libc_memalign(alignment, bytes) : nullptr;
}
int posix_memalign(void **pointer, size_t alignment, size_t bytes) {
    *pointer = admit_allocation() ? __libc_memalign(alignment, bytes) : nullptr;
    return *pointer != nullptr ? 0 : ENOMEM;
}
void free(void *pointer) {
    frees += pointer != nullptr;
    __libc_free(pointer);
}
}
#endif

extern "C" {
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *data) {
    if (threads_left >= 0 && threads_left-- <= 0) {
        return EAGAIN;
    }
    ++threads_started;
    return __real_pthread_create(thread, attributes, start, data);
}
int __real_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result) {
    ++threads_joined;
    return __real_pthread_join(thread, result);
}
}

namespace sepconv {

void limit_threads(int count) {
    threads_left = count;
}

namespace {

class Allocation : public testing::Test {
protected:
    void SetUp() override {
        if (!SEPCONV_REPLACES_MALLOC) {
            GTEST_SKIP() << "the sanitizer has its own malloc";
        }
    }
};

int doubling_task(void *task_context, int index, uint8_t *closure) {
    float *const *buffers = reinterpret_cast<float *const *>(closure);
    auto *scratch = static_cast<float *>(sepconv_kernel_malloc(task_context, sizeof(float)));
    if (scratch == nullptr) {
        return 1;
    }
    *scratch = 2 * buffers[0][index];
    buffers[1][index] = *scratch;
    sepconv_kernel_free(task_context, scratch);
    return 0;
}

/// Kernel 0: scratch and a parallel loop, itself free of allocations.
void set_doubling_kernel() {
    set_kernel(0, [](void *user_context, uint8_t *const hosts[]) {
        float *buffers[2] = {reinterpret_cast<float *>(hosts[0]),
                             reinterpret_cast<float *>(hosts[1])};
        return sepconv_kernel_par_for(user_context, doubling_task, 0, kElements,
                                      reinterpret_cast<uint8_t *>(buffers));
    });
}

TEST_F(Allocation, TheCounterCounts) {
    const int before = allocations;
    void *volatile pointer = malloc(1);
    EXPECT_EQ(allocations, before + 1);
    free(pointer);
}

TEST_F(Allocation, RunAllocatesNothing) {
    set_doubling_kernel();
    FakeModel fake;
    for (const int threads : {1, 4}) {
        sepconv_options_t options = {};
        options.num_threads = threads;
        options.profile = 1;
        TestContext test(fake.model(), &options);
        ASSERT_EQ(test.created, SEPCONV_OK);
        test.input[3] = 21;
        const int allocations_before = allocations;
        const int frees_before = frees;
        const int threads_before = threads_started;
        sepconv_status_t status = SEPCONV_OK;
        for (int run = 0; run < 50 && status == SEPCONV_OK; ++run) {
            status = test.run();
        }
        EXPECT_EQ(allocations, allocations_before);
        EXPECT_EQ(frees, frees_before);
        EXPECT_EQ(threads_started, threads_before);
        EXPECT_EQ(status, SEPCONV_OK);
        EXPECT_EQ(test.output[3], 42);
    }
}

/// The stub driver that LD_LIBRARY_PATH names, with kernels.
void use_stub_cuda() {
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    reinterpret_cast<void (*)()>(dlsym(library, "stub_cuda_reset"))();
    reinterpret_cast<stub_cuda_t *(*)()>(dlsym(library, "stub_cuda"))()->launch = launch_on_host;
}

TEST_F(Allocation, RunOnADeviceAllocatesNothing) {
    ASSERT_NO_FATAL_FAILURE(use_stub_cuda());
    FakeModel fake = device_model(cuda_variant());
    sepconv_options_t options = {};
    options.profile = 1;
    TestContext test(fake.model(), &options);
    ASSERT_EQ(test.created, SEPCONV_OK);
    set_device_input(&test);
    const int allocations_before = allocations;
    const int frees_before = frees;
    sepconv_status_t status = SEPCONV_OK;
    for (int run = 0; run < 50 && status == SEPCONV_OK; ++run) {
        status = test.run();
    }
    EXPECT_EQ(allocations, allocations_before);
    EXPECT_EQ(frees, frees_before);
    EXPECT_EQ(status, SEPCONV_OK);
    EXPECT_EQ(test.output[3], device_model_result()[3]);
}

/// Also that of the loader of libraries, which is refused here, too: any error will do.
TEST_F(Allocation, OutOfMemoryForADeviceLeavesNothingOfIt) {
    ASSERT_NO_FATAL_FAILURE(use_stub_cuda());
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    const stub_cuda_t *stub = reinterpret_cast<stub_cuda_t *(*)()>(dlsym(library, "stub_cuda"))();
    FakeModel fake = device_model(cuda_variant());
    const sepconv_model_t *model = fake.model();
    int admitted = 0;
    for (sepconv_status_t status = SEPCONV_OUT_OF_MEMORY; status != SEPCONV_OK; ++admitted) {
        ASSERT_LT(admitted, 100);
        sepconv_context_t *context = nullptr;
        refuse_after = admitted;
        status = sepconv_context_create(model, nullptr, &context);
        refuse_after = -1;
        EXPECT_EQ(context != nullptr, status == SEPCONV_OK);
        sepconv_context_destroy(context);
        EXPECT_EQ(stub->contexts + stub->streams + stub->modules + stub->allocations, 0);
        EXPECT_EQ(stub->misuses, 0);
    }
    EXPECT_GT(admitted, 6);
}

TEST_F(Allocation, AContextIsOneAllocationAndItsArenaOne) {
    FakeModel fake;
    const sepconv_model_t *model = fake.model();
    alignas(64) static uint8_t arena[4096];
    for (const bool own_arena : {true, false}) {
        sepconv_options_t options = {};
        options.profile = 1;
        options.arena = own_arena ? nullptr : arena;
        options.arena_bytes = own_arena ? 0 : sizeof(arena);
        const int allocations_before = allocations;
        const int frees_before = frees;
        sepconv_context_t *context = nullptr;
        ASSERT_EQ(sepconv_context_create(model, &options, &context), SEPCONV_OK);
        EXPECT_EQ(allocations - allocations_before, own_arena ? 2 : 1);
        sepconv_context_destroy(context);
        EXPECT_EQ(frees - frees_before, own_arena ? 2 : 1);
    }
}

TEST_F(Allocation, OutOfMemoryLeavesNothingBehind) {
    FakeModel fake;
    const sepconv_model_t *model = fake.model();
    for (const int admitted : {0, 1}) {
        const int frees_before = frees;
        sepconv_context_t *context = nullptr;
        refuse_after = admitted;
        const sepconv_status_t status = sepconv_context_create(model, nullptr, &context);
        refuse_after = -1;
        EXPECT_EQ(status, SEPCONV_OUT_OF_MEMORY);
        EXPECT_EQ(context, nullptr);
        EXPECT_EQ(frees - frees_before, admitted);
    }
}

TEST(Threads, NoneUnlessAsked) {
    set_doubling_kernel();
    FakeModel fake;
    const int before = threads_started;
    for (const int threads : {0, 1}) {
        sepconv_options_t options = {};
        options.num_threads = threads;
        TestContext test(fake.model(), &options);
        EXPECT_EQ(test.run(), SEPCONV_OK);
    }
    sepconv_options_t options = {};
    options.num_threads = 4;
    options.parallel_for = [](void *, sepconv_task_t body, void *data, int count) {
        for (int i = 0; i < count; ++i) {
            if (const int result = body(data, i, 3)) {
                return result;
            }
        }
        return 0;
    };
    TestContext test(fake.model(), &options);
    EXPECT_EQ(test.run(), SEPCONV_OK);
    EXPECT_EQ(threads_started, before);
}

TEST(Threads, OneFewerThanAskedFor) {
    FakeModel fake;
    const int before = threads_started;
    const int joined_before = threads_joined;
    sepconv_options_t options = {};
    options.num_threads = 5;
    {
        const TestContext test(fake.model(), &options);
        ASSERT_EQ(test.created, SEPCONV_OK);
        EXPECT_EQ(threads_started - before, 4);
    }
    EXPECT_EQ(threads_joined - joined_before, 4);
}

TEST(Threads, FailureToStartOneUndoesAll) {
    FakeModel fake;
    for (const int admitted : {0, 2}) {
        const int frees_before = frees;
        const int joined_before = threads_joined;
        sepconv_options_t options = {};
        options.num_threads = 5;
        sepconv_context_t *context = nullptr;
        limit_threads(admitted);
        const sepconv_status_t status = sepconv_context_create(fake.model(), &options, &context);
        limit_threads(-1);
        EXPECT_EQ(status, SEPCONV_THREAD_ERROR);
        EXPECT_EQ(context, nullptr);
        EXPECT_EQ(threads_joined - joined_before, admitted);
        if (SEPCONV_REPLACES_MALLOC) {
            EXPECT_GE(frees - frees_before, 2);
        }
    }
}

}  // namespace
}  // namespace sepconv
