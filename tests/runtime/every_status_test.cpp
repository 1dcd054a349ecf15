/// Every sepconv_status_t, raised: a new one does not compile until this file raises it.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

#include "device_kernels.h"
#include "stub_cuda.h"
#include "thread_limit.h"

namespace sepconv {
namespace {

/// More than any machine has.
constexpr size_t kTooManyBytes = size_t{1} << 60;

sepconv_status_t create(FakeModel fake, const sepconv_options_t &options = {}) {
    return TestContext(fake.model(), &options).created;
}

/// Runs `body` as the kernel of a model.
sepconv_status_t run(const KernelBody &body, const sepconv_options_t &options = {}) {
    set_kernel(0, body);
    FakeModel fake;
    TestContext test(fake.model(), &options);
    return test.created == SEPCONV_OK ? test.run() : test.created;
}

sepconv_status_t create_with_small_arena() {
    uint8_t arena[64];
    sepconv_options_t options = {};
    options.arena = arena;
    options.arena_bytes = sizeof(arena);
    return create({}, options);
}

sepconv_status_t create_without_threads() {
    sepconv_options_t options = {};
    options.num_threads = 2;
    limit_threads(0);
    const sepconv_status_t status = create({}, options);
    limit_threads(-1);
    return status;
}

sepconv_status_t run_with_failing_callback() {
    sepconv_options_t options = {};
    options.num_threads = 2;
    options.parallel_for = [](void *, sepconv_task_t, void *, int) { return 1; };
    return run(
        [](void *user_context, uint8_t *const *) {
            return parallel_for(user_context, 0, 2, [](void *, int) { return 0; });
        },
        options);
}

sepconv_status_t run_inside_a_run() {
    FakeModel fake;
    TestContext test(fake.model());
    sepconv_status_t inner = SEPCONV_OK;
    set_kernel(0, [&](void *, uint8_t *const *) {
        inner = test.run();
        return 0;
    });
    EXPECT_EQ(test.run(), SEPCONV_OK);
    return inner;
}

/// A model for CUDA only, on the stub driver that LD_LIBRARY_PATH names, as `change` leaves it.
sepconv_status_t run_on_cuda(void (*change)(stub_cuda_t *)) {
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    EXPECT_NE(library, nullptr) << dlerror();
    reinterpret_cast<void (*)()>(dlsym(library, "stub_cuda_reset"))();
    stub_cuda_t *stub = reinterpret_cast<stub_cuda_t *(*)()>(dlsym(library, "stub_cuda"))();
    stub->launch = launch_on_host;
    change(stub);
    FakeModel fake = device_model(cuda_variant());
    sepconv_options_t options = {};
    options.device = "cuda";
    TestContext test(fake.model(), &options);
    return test.created == SEPCONV_OK ? test.run() : test.created;
}

sepconv_status_t raise(sepconv_status_t status) {
    FakeModel fake;
    switch (status) {
        case SEPCONV_OK:
            return run([](void *, uint8_t *const *) { return 0; });
        case SEPCONV_INVALID_ARGUMENT:
            return sepconv_run(nullptr, nullptr, nullptr);
        case SEPCONV_ABI_MISMATCH:
            fake.abi_version = SEPCONV_ABI_VERSION + 1;
            return create(fake);
        case SEPCONV_UNSUPPORTED_ISA:
            fake.variants = {fake_variant("from the future", 64)};
            return create(fake);
        case SEPCONV_OUT_OF_MEMORY:
            fake.tensor_bytes = kTooManyBytes;
            return create(fake);
        case SEPCONV_ARENA_TOO_SMALL:
            return create_with_small_arena();
        case SEPCONV_THREAD_ERROR:
            return create_without_threads();
        case SEPCONV_CALLBACK_ERROR:
            return run_with_failing_callback();
        case SEPCONV_KERNEL_ERROR:
            return run([](void *, uint8_t *const *) { return 1; });
        case SEPCONV_NO_DEVICE:
            return run_on_cuda([](stub_cuda_t *stub) { stub->device_count = 0; });
        case SEPCONV_DEVICE_TOO_OLD:
            return run_on_cuda([](stub_cuda_t *stub) { stub->capabilities[0] = 50; });
        case SEPCONV_DEVICE_ERROR:
            return run_on_cuda([](stub_cuda_t *stub) {
                stub->failing_function = "cuLaunchKernel";
                stub->failing_result = 719;
            });
        case SEPCONV_CONTEXT_IN_USE:
            return run_inside_a_run();
    }
    ADD_FAILURE() << "no such status: " << status;
    return SEPCONV_OK;
}

/// The first that is no status.
int end_of_statuses() {
    const std::string unknown = sepconv_status_message(static_cast<sepconv_status_t>(1000));
    int code = 0;
    while (sepconv_status_message(static_cast<sepconv_status_t>(code)) != unknown) {
        ++code;
    }
    return code;
}

TEST(EveryStatus, IsRaised) {
    ASSERT_GT(end_of_statuses(), SEPCONV_CONTEXT_IN_USE);
    for (int code = 0; code < end_of_statuses(); ++code) {
        const auto status = static_cast<sepconv_status_t>(code);
        EXPECT_EQ(raise(status), status) << sepconv_status_message(status);
    }
}

}  // namespace
}  // namespace sepconv
