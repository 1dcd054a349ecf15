/// Contexts on CUDA, over the stub driver: LD_LIBRARY_PATH names its folder.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "device_kernels.h"
#include "sepconv/sepconv.hpp"
#include "stub_cuda.h"

namespace sepconv {
namespace {

const auto kLegacyStream = reinterpret_cast<CUstream>(1);

/// The driver is as nobody has used it, and at the end of a test nothing is left alive.
class Cuda : public testing::Test {
protected:
    void SetUp() override {
        void *library = dlopen("libcuda.so.1", RTLD_NOW);
        ASSERT_NE(library, nullptr) << dlerror();
        const auto find = [library](const char *name) { return dlsym(library, name); };
        ASSERT_NE(find("stub_cuda"), nullptr)
            << "not the stub: LD_LIBRARY_PATH must name its folder";
        stub_ = reinterpret_cast<stub_cuda_t *(*)()>(find("stub_cuda"))();
        reset_ = reinterpret_cast<void (*)()>(find("stub_cuda_reset"));
        make_context_ = reinterpret_cast<CUcontext (*)()>(find("stub_cuda_make_context"));
        drop_context_ = reinterpret_cast<void (*)(CUcontext)>(find("stub_cuda_drop_context"));
        current_ = reinterpret_cast<CUcontext (*)()>(find("stub_cuda_current_context"));
        push_ = reinterpret_cast<int (*)(CUcontext)>(find("cuCtxPushCurrent_v2"));
        pop_ = reinterpret_cast<int (*)(CUcontext *)>(find("cuCtxPopCurrent_v2"));
        create_stream_ = reinterpret_cast<int (*)(CUstream *, unsigned)>(find("cuStreamCreate"));
        destroy_stream_ = reinterpret_cast<int (*)(CUstream)>(find("cuStreamDestroy_v2"));
        reset();
    }

    void TearDown() override {
        EXPECT_TRUE(nothing_alive());
        EXPECT_EQ(stub_->misuses, 0);
        device_kernel_behaviour() = {};
    }

    void reset() {
        reset_();
        stub_->launch = launch_on_host;
    }

    bool nothing_alive() const {
        return stub_->contexts == 0 && stub_->streams == 0 && stub_->events == 0 &&
               stub_->modules == 0 && stub_->allocations == 0 && current_() == nullptr;
    }

    /// "function" or "function kernel" of the calls since call `first`, without those that make a
    /// context current.
    std::vector<std::string> calls_since(int first) const {
        std::vector<std::string> calls;
        for (int i = first; i < stub_->call_count; ++i) {
            const stub_call_t &call = stub_->calls[i];
            std::string text = call.function;
            if (text.rfind("cuCtxP", 0) == 0) {
                continue;
            }
            calls.push_back(call.kernel != nullptr ? text + " " + call.kernel : text);
        }
        return calls;
    }

    int count_calls(const std::string &function) const {
        int count = 0;
        for (int i = 0; i < stub_->call_count; ++i) {
            count += stub_->calls[i].function == function;
        }
        return count;
    }

    /// The `skip`-th next call of `function` (null: of any) returns `result`.
    void fail(const char *function, int result, int skip = 0) {
        stub_->failing_function = function;
        stub_->failing_result = result;
        stub_->calls_before_failure = skip;
    }

    stub_cuda_t *stub_ = nullptr;
    void (*reset_)() = nullptr;
    CUcontext (*make_context_)() = nullptr;
    void (*drop_context_)(CUcontext) = nullptr;
    CUcontext (*current_)() = nullptr;
    int (*push_)(CUcontext) = nullptr;
    int (*pop_)(CUcontext *) = nullptr;
    int (*create_stream_)(CUstream *, unsigned) = nullptr;
    int (*destroy_stream_)(CUstream) = nullptr;
};

void expect_right_output(const TestContext &test) {
    const auto expected = device_model_result();
    for (int i = 0; i < kElements; ++i) {
        EXPECT_EQ(test.output[i], expected[static_cast<size_t>(i)]) << i;
    }
}

const std::vector<std::string> kLaunches = {"cuLaunchKernel scale", "cuLaunchKernel scale",
                                            "cuLaunchKernel shift", "cuLaunchKernel twice",
                                            "cuLaunchKernel shift", "cuLaunchKernel twice"};

TEST_F(Cuda, ARunCopiesAtItsEndsOnlyAndWaitsOnce) {
    FakeModel fake = device_model(cuda_variant());
    TestContext test(fake.model());
    ASSERT_EQ(test.created, SEPCONV_OK);
    EXPECT_STREQ(sepconv_context_isa(test.context), "cuda");
    set_device_input(&test);
    std::vector<std::string> expected = kLaunches;
    expected.insert(expected.begin(), "cuMemcpyHtoDAsync_v2");
    expected.insert(expected.end(), {"cuMemcpyDtoHAsync_v2", "cuStreamSynchronize"});
    for (int run = 0; run < 2; ++run) {
        const int first = stub_->call_count;
        std::fill(test.output, test.output + kElements, -1.0f);
        ASSERT_EQ(test.run(), SEPCONV_OK);
        expect_right_output(test);
        // No allocation, no image, no function, no copy between the launches.
        EXPECT_EQ(calls_since(first), expected);
    }
}

TEST_F(Cuda, ACreationLaunchesNothingAndLoadsEveryImageOnce) {
    FakeModel fake = device_model(cuda_variant());
    const TestContext test(fake.model());
    ASSERT_EQ(test.created, SEPCONV_OK);
    EXPECT_EQ(count_calls("cuLaunchKernel"), 0);
    EXPECT_EQ(count_calls("cuDevicePrimaryCtxRetain"), 1);
    EXPECT_EQ(count_calls("cuStreamCreate"), 1);
    EXPECT_EQ(count_calls("cuModuleLoadDataEx"), 2);
    EXPECT_EQ(count_calls("cuModuleGetFunction"), 3);
    EXPECT_EQ(count_calls("cuMemcpyHtoDAsync_v2"), 1) << "the weights";
    EXPECT_EQ(count_calls("cuFuncSetAttribute"), 0);
    std::vector<size_t> allocated;
    for (int i = 0; i < stub_->call_count; ++i) {
        if (std::string(stub_->calls[i].function) == "cuMemAlloc_v2") {
            allocated.push_back(stub_->calls[i].bytes);
        }
    }
    // Weights, arena, input, output in steps of 256 bytes; then one intermediate of four floats.
    EXPECT_EQ(allocated, (std::vector<size_t>{256 + 1280 + 256 + 256, 64}));
}

TEST_F(Cuda, UsesTheCallersContextAndStream) {
    const CUcontext own = make_context_();
    const CUcontext other = make_context_();
    CUstream stream = nullptr;
    ASSERT_EQ(push_(own), 0);
    ASSERT_EQ(create_stream_(&stream, 0), 0);
    CUcontext popped = nullptr;
    ASSERT_EQ(pop_(&popped), 0);
    ASSERT_EQ(push_(other), 0);
    const int first = stub_->call_count;
    {
        FakeModel fake = device_model(cuda_variant());
        sepconv_options_t options = {};
        options.device = "cuda";
        options.device_context = own;
        options.device_queue = stream;
        TestContext test(fake.model(), &options);
        ASSERT_EQ(test.created, SEPCONV_OK);
        EXPECT_EQ(current_(), other);
        EXPECT_EQ(sepconv_context_device_queue(test.context), stream);
        set_device_input(&test);
        ASSERT_EQ(test.run(), SEPCONV_OK);
        expect_right_output(test);
        EXPECT_EQ(current_(), other);
    }
    EXPECT_EQ(current_(), other);
    EXPECT_EQ(count_calls("cuDevicePrimaryCtxRetain"), 0);
    EXPECT_EQ(count_calls("cuStreamCreate"), 1) << "the caller's";
    for (int i = first; i < stub_->call_count; ++i) {
        const stub_call_t &call = stub_->calls[i];
        const bool queues =
            call.kernel != nullptr && std::string(call.function) == "cuLaunchKernel";
        EXPECT_TRUE(call.stream == stream || (call.stream == nullptr && !queues)) << call.function;
    }
    EXPECT_EQ(stub_->streams, 1) << "the caller's stream is his to destroy";
    EXPECT_EQ(pop_(&popped), 0);
    EXPECT_EQ(push_(own), 0);
    EXPECT_EQ(destroy_stream_(stream), 0);
    EXPECT_EQ(pop_(&popped), 0);
    drop_context_(own);
    drop_context_(other);
}

TEST_F(Cuda, OnTheDeviceNothingIsCopiedOrWaitedFor) {
    FakeModel fake = device_model(cuda_variant());
    const TestContext test(fake.model());
    ASSERT_EQ(test.created, SEPCONV_OK);
    // The stub's device memory is the host's.
    alignas(16) float input[kElements];
    alignas(16) float output[kElements] = {};
    for (int i = 0; i < kElements; ++i) {
        input[i] = static_cast<float>(i);
    }
    const void *const inputs[] = {input};
    void *const outputs[] = {output};
    int first = stub_->call_count;
    ASSERT_EQ(sepconv_run_on_device(test.context, inputs, outputs), SEPCONV_OK);
    EXPECT_EQ(calls_since(first), kLaunches);
    first = stub_->call_count;
    ASSERT_EQ(sepconv_synchronize(test.context), SEPCONV_OK);
    EXPECT_EQ(calls_since(first), std::vector<std::string>{"cuStreamSynchronize"});
    const auto expected = device_model_result();
    for (size_t i = 0; i < kElements; ++i) {
        EXPECT_EQ(output[i], expected[i]);
    }
    EXPECT_EQ(sepconv_run_on_device(nullptr, inputs, outputs), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_run_on_device(test.context, nullptr, outputs), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_run_on_device(test.context, inputs, nullptr), SEPCONV_INVALID_ARGUMENT);
}

TEST_F(Cuda, TheWrapperPassesOptionsAndPointersOn) {
    const CUcontext own = make_context_();
    FakeModel fake = device_model(cuda_variant());
    Options options;
    options.device_context = own;
    Context context;
    EXPECT_EQ(context.run_on_device(nullptr, 0, nullptr, 0).code(), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(context.synchronize().code(), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(context.device_queue(), nullptr);
    EXPECT_EQ(Context::create(fake.model(), options, &context).code(), SEPCONV_INVALID_ARGUMENT);
    options.device = "cuda";
    options.device_queue = kLegacyStream;
    ASSERT_TRUE(Context::create(fake.model(), options, &context).ok());
    EXPECT_EQ(context.device_queue(), kLegacyStream);
    EXPECT_EQ(count_calls("cuStreamCreate"), 0);
    EXPECT_EQ(count_calls("cuDevicePrimaryCtxRetain"), 0);
    const float input[kElements] = {0, 1, 2, 3, 4, 5, 6, 7};
    float output[kElements] = {};
    const std::vector<const void *> inputs = {input};
    std::vector<void *> outputs = {output, output};
    EXPECT_EQ(context.run_on_device(inputs, outputs).code(), SEPCONV_INVALID_ARGUMENT);
    outputs.pop_back();
    ASSERT_TRUE(context.run_on_device(inputs, outputs).ok());
    EXPECT_TRUE(context.synchronize().ok());
    EXPECT_EQ(count_calls("cuMemcpyDtoHAsync_v2"), 0);
    EXPECT_EQ(output[7], device_model_result()[7]);
    context = Context();
    drop_context_(own);
}

TEST_F(Cuda, TwoContextsDoNotDisturbEachOther) {
    FakeModel fake = device_model(cuda_variant());
    const sepconv_model_t *model = fake.model();
    TestContext second(model);
    {
        TestContext first(model);
        ASSERT_EQ(first.created, SEPCONV_OK);
        ASSERT_EQ(second.created, SEPCONV_OK);
        EXPECT_NE(sepconv_context_device_queue(first.context),
                  sepconv_context_device_queue(second.context));
        EXPECT_EQ(stub_->modules, 4);
        for (TestContext *test : {&first, &second, &first}) {
            set_device_input(test);
            ASSERT_EQ(test->run(), SEPCONV_OK);
            expect_right_output(*test);
        }
    }
    EXPECT_EQ(stub_->modules, 2);
    std::fill(second.output, second.output + kElements, -1.0f);
    ASSERT_EQ(second.run(), SEPCONV_OK);
    expect_right_output(second);
}

TEST_F(Cuda, RunsOnTwoThreads) {
    FakeModel fake = device_model(cuda_variant());
    const sepconv_model_t *model = fake.model();
    const auto work = [model] {
        TestContext test(model);
        ASSERT_EQ(test.created, SEPCONV_OK);
        set_device_input(&test);
        for (int run = 0; run < 100; ++run) {
            std::fill(test.output, test.output + kElements, -1.0f);
            ASSERT_EQ(test.run(), SEPCONV_OK);
            expect_right_output(test);
        }
    };
    std::thread other(work);
    work();
    other.join();
}

TEST_F(Cuda, ProfileIsOfTheDevicesClock) {
    FakeModel fake = device_model(cuda_variant());
    sepconv_options_t options = {};
    options.profile = 1;
    TestContext test(fake.model(), &options);
    ASSERT_EQ(test.created, SEPCONV_OK);
    for (int run = 0; run < 2; ++run) {
        ASSERT_EQ(test.run(), SEPCONV_OK);
        // The stub's clock goes a millisecond a launch.
        EXPECT_EQ(sepconv_context_block_nanoseconds(test.context, 0), 2000000u);
        EXPECT_EQ(sepconv_context_block_nanoseconds(test.context, 1), 4000000u);
    }
}

TEST_F(Cuda, WhateverFailsInACreationLeavesNothingBehind) {
    FakeModel fake = device_model(cuda_variant());
    const sepconv_model_t *model = fake.model();
    sepconv_options_t options = {};
    options.profile = 1;
    const int kUnknown = 999;
    int failures = 0;
    for (sepconv_status_t status = SEPCONV_DEVICE_ERROR; status != SEPCONV_OK; ++failures) {
        ASSERT_LT(failures, 1000);
        reset();
        fail(nullptr, kUnknown, failures);
        sepconv_context_t *context = nullptr;
        status = sepconv_context_create(model, &options, &context);
        const bool was_hit = stub_->calls_before_failure < 0;
        fail(nullptr, 0);
        if (status == SEPCONV_OK) {
            // A pop is noted only; a failure after it was not come to.
            sepconv_context_destroy(context);
            status = was_hit ? SEPCONV_DEVICE_ERROR : SEPCONV_OK;
        } else {
            EXPECT_TRUE(status == SEPCONV_DEVICE_ERROR || status == SEPCONV_NO_DEVICE) << status;
            EXPECT_EQ(context, nullptr);
        }
        EXPECT_TRUE(nothing_alive()) << "after " << failures << " calls";
        EXPECT_EQ(stub_->misuses, 0) << "after " << failures << " calls";
    }
    EXPECT_GT(failures, 20);
}

TEST_F(Cuda, SaysWhyACreationFailed) {
    FakeModel fake = device_model(cuda_variant());
    const sepconv_model_t *model = fake.model();
    struct {
        const char *function;
        int result;
        sepconv_status_t status;
    } const rows[] = {
        {"cuInit", 100, SEPCONV_NO_DEVICE},
        {"cuInit", 34, SEPCONV_NO_DEVICE},
        {"cuInit", 803, SEPCONV_DEVICE_TOO_OLD},
        {"cuInit", 804, SEPCONV_DEVICE_TOO_OLD},
        {"cuDevicePrimaryCtxRetain", 2, SEPCONV_OUT_OF_MEMORY},
        {"cuMemAlloc_v2", 2, SEPCONV_OUT_OF_MEMORY},
        {"cuMemAlloc_v2", 1, SEPCONV_DEVICE_ERROR},
        {"cuMemcpyHtoDAsync_v2", 700, SEPCONV_DEVICE_ERROR},
        {"cuModuleLoadDataEx", 222, SEPCONV_DEVICE_TOO_OLD},
        {"cuModuleLoadDataEx", 218, SEPCONV_DEVICE_TOO_OLD},
        {"cuModuleLoadDataEx", 209, SEPCONV_DEVICE_TOO_OLD},
        {"cuModuleLoadDataEx", 2, SEPCONV_OUT_OF_MEMORY},
        {"cuModuleGetFunction", 500, SEPCONV_DEVICE_ERROR},
        {"cuStreamSynchronize", 700, SEPCONV_DEVICE_ERROR},
    };
    for (const auto &row : rows) {
        reset();
        fail(row.function, row.result);
        const TestContext test(model);
        EXPECT_EQ(test.created, row.status) << row.function << " " << row.result;
        EXPECT_EQ(test.context, nullptr);
        EXPECT_TRUE(nothing_alive()) << row.function;
    }
}

TEST_F(Cuda, AnErrorInARunIsReportedAndTheDeviceWaitedFor) {
    FakeModel fake = device_model(cuda_variant());
    TestContext test(fake.model());
    ASSERT_EQ(test.created, SEPCONV_OK);
    set_device_input(&test);
    for (const char *function : {"cuMemcpyHtoDAsync_v2", "cuLaunchKernel", "cuMemcpyDtoHAsync_v2",
                                 "cuStreamSynchronize"}) {
        fail(function, 719);
        const int first = stub_->call_count;
        EXPECT_EQ(test.run(), SEPCONV_DEVICE_ERROR) << function;
        EXPECT_EQ(calls_since(first).back(), "cuStreamSynchronize") << function;
        EXPECT_EQ(current_(), nullptr) << function;
        ASSERT_EQ(test.run(), SEPCONV_OK) << function;
        expect_right_output(test);
    }
    fail("cuLaunchKernel", 719, 2);
    const int first = stub_->call_count;
    EXPECT_EQ(test.run(), SEPCONV_DEVICE_ERROR);
    // The second kernel does not know of it and goes on; the third is not called.
    EXPECT_EQ(calls_since(first).size(), 1u + 4 + 1);
    fail("cuCtxPushCurrent_v2", 201);
    EXPECT_EQ(test.run(), SEPCONV_DEVICE_ERROR);
    fail("cuCtxPushCurrent_v2", 201);
    EXPECT_EQ(sepconv_synchronize(test.context), SEPCONV_DEVICE_ERROR);
    fail("cuStreamSynchronize", 700);
    EXPECT_EQ(sepconv_synchronize(test.context), SEPCONV_DEVICE_ERROR);
}

/// Drivers do not follow a fork, so a child leaves them alone.
TEST_F(Cuda, AChildOfForkGetsAnErrorAndDoesNotCallTheDriver) {
    FakeModel fake = device_model(cuda_variant());
    TestContext test(fake.model());
    ASSERT_EQ(test.created, SEPCONV_OK);
    const pid_t child = fork();
    if (child == 0) {
        alarm(30);
        const int first = stub_->call_count;
        const void *const inputs[] = {test.input};
        void *const outputs[] = {test.output};
        const bool refused =
            test.run() == SEPCONV_DEVICE_ERROR &&
            sepconv_run_on_device(test.context, inputs, outputs) == SEPCONV_DEVICE_ERROR &&
            sepconv_synchronize(test.context) == SEPCONV_DEVICE_ERROR;
        sepconv_context_destroy(test.context);
        _exit(refused && stub_->call_count == first ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    set_device_input(&test);
    ASSERT_EQ(test.run(), SEPCONV_OK);
    expect_right_output(test);
}

TEST_F(Cuda, TakesTheFirstDeviceThatIsNewEnough) {
    FakeModel fake = device_model(cuda_variant());
    const sepconv_model_t *model = fake.model();
    stub_->device_count = 2;
    stub_->capabilities[0] = 75;
    stub_->capabilities[1] = 89;
    {
        const TestContext test(model);
        EXPECT_EQ(test.created, SEPCONV_OK);
    }
    stub_->device_count = 1;
    const TestContext old(model);
    EXPECT_EQ(old.created, SEPCONV_DEVICE_TOO_OLD);
    const CUcontext own = make_context_();
    sepconv_options_t options = {};
    options.device = "cuda";
    options.device_context = own;
    const TestContext old_own(model, &options);
    EXPECT_EQ(old_own.created, SEPCONV_DEVICE_TOO_OLD);
    drop_context_(own);
    stub_->device_count = 0;
    const TestContext none(model);
    EXPECT_EQ(none.created, SEPCONV_NO_DEVICE);
}

TEST_F(Cuda, ADriverOlderThanThePtxIsNotAskedToLoadIt) {
    FakeModel fake = device_model(cuda_variant());
    const sepconv_model_t *model = fake.model();
    for (const int version : {10020, 10990}) {
        stub_->driver_version = version;
        const TestContext test(model);
        EXPECT_EQ(test.created, SEPCONV_DEVICE_TOO_OLD) << version;
    }
    EXPECT_EQ(count_calls("cuModuleLoadDataEx"), 0);
    stub_->driver_version = 11000;
    const TestContext test(model);
    EXPECT_EQ(test.created, SEPCONV_OK);
}

TEST_F(Cuda, WithoutADeviceTheCpuRuns) {
    FakeModel fake = device_model(cuda_variant());
    fake.variants.push_back(fake_variant("sse41", 64));
    const sepconv_model_t *model = fake.model();
    const auto chosen = [model](const char *device) -> std::string {
        sepconv_options_t options = {};
        options.device = device;
        const TestContext test(model, &options);
        return test.created == SEPCONV_OK ? sepconv_context_isa(test.context)
                                          : std::to_string(test.created);
    };
    EXPECT_EQ(chosen(nullptr), "cuda");
    EXPECT_EQ(chosen("cpu"), "sse41");
    {
        const int first = stub_->call_count;
        const ScopedEnvironment cpu("SEPCONV_DEVICE", "cpu");
        EXPECT_EQ(chosen(nullptr), "sse41");
        EXPECT_EQ(chosen("cuda"), std::to_string(SEPCONV_UNSUPPORTED_ISA));
        EXPECT_EQ(stub_->call_count, first) << "the driver is left alone";
    }
    {
        const ScopedEnvironment sse41("SEPCONV_ISA", "sse41");
        EXPECT_EQ(chosen(nullptr), "sse41");
    }
    stub_->device_count = 0;
    EXPECT_EQ(chosen(nullptr), "sse41");
    EXPECT_EQ(chosen("cuda"), std::to_string(SEPCONV_NO_DEVICE));
    {
        const ScopedEnvironment cuda("SEPCONV_ISA", "cuda");
        EXPECT_EQ(chosen(nullptr), std::to_string(SEPCONV_NO_DEVICE));
    }
    stub_->device_count = 1;
    stub_->driver_version = 10000;
    EXPECT_EQ(chosen(nullptr), "sse41");
    // A device that is there and full is not passed over in silence.
    stub_->driver_version = 12000;
    fail("cuMemAlloc_v2", 2);
    EXPECT_EQ(chosen(nullptr), std::to_string(SEPCONV_OUT_OF_MEMORY));
}

TEST_F(Cuda, ACpuContextHasNoDevice) {
    FakeModel fake;
    TestContext test(fake.model());
    const void *const inputs[] = {test.input};
    void *const outputs[] = {test.output};
    EXPECT_EQ(sepconv_run_on_device(test.context, inputs, outputs), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_synchronize(test.context), SEPCONV_OK);
    EXPECT_EQ(sepconv_synchronize(nullptr), SEPCONV_INVALID_ARGUMENT);
    EXPECT_EQ(sepconv_context_device_queue(test.context), nullptr);
    EXPECT_EQ(sepconv_context_device_queue(nullptr), nullptr);
}

TEST_F(Cuda, RefusesOptionsThatDoNotFit) {
    FakeModel fake = device_model(cuda_variant());
    const CUcontext own = make_context_();
    struct {
        const char *device;
        void *context, *queue;
        sepconv_status_t status;
    } const rows[] = {
        {"gpu", nullptr, nullptr, SEPCONV_INVALID_ARGUMENT},
        {nullptr, own, nullptr, SEPCONV_INVALID_ARGUMENT},
        {"cpu", own, nullptr, SEPCONV_INVALID_ARGUMENT},
        {"cuda", nullptr, kLegacyStream, SEPCONV_INVALID_ARGUMENT},
        {"opencl", nullptr, nullptr, SEPCONV_UNSUPPORTED_ISA},
        {"cuda", own, nullptr, SEPCONV_OK},
    };
    for (const auto &row : rows) {
        sepconv_options_t options = {};
        options.device = row.device;
        options.device_context = row.context;
        options.device_queue = row.queue;
        const TestContext test(fake.model(), &options);
        EXPECT_EQ(test.created, row.status) << (row.device != nullptr ? row.device : "null");
    }
    drop_context_(own);
}

TEST_F(Cuda, MuchSharedMemoryIsAskedFor) {
    device_kernel_behaviour().shared_bytes = 96 * 1024;
    FakeModel fake = device_model(cuda_variant());
    TestContext test(fake.model());
    ASSERT_EQ(test.created, SEPCONV_OK);
    const int asked = count_calls("cuFuncSetAttribute");
    EXPECT_GE(asked, 1);
    set_device_input(&test);
    ASSERT_EQ(test.run(), SEPCONV_OK);
    expect_right_output(test);
    EXPECT_EQ(count_calls("cuFuncSetAttribute"), asked) << "not in a run";
}

TEST_F(Cuda, KernelsThatBreakTheContractFailWhenTheContextIsMade) {
    FakeModel fake = device_model(cuda_variant());
    const sepconv_model_t *model = fake.model();
    const auto created = [model](const DeviceKernelBehaviour &behaviour) {
        device_kernel_behaviour() = behaviour;
        const TestContext test(model);
        return test.created;
    };
    DeviceKernelBehaviour behaviour;
    behaviour.scale_entry = "missing";
    EXPECT_EQ(created(behaviour), SEPCONV_DEVICE_ERROR);
    behaviour = {};
    behaviour.calls_malloc = true;
    EXPECT_EQ(created(behaviour), SEPCONV_KERNEL_ERROR);
    behaviour = {};
    behaviour.surplus_args = 60;
    EXPECT_EQ(created(behaviour), SEPCONV_OK) << "64";
    behaviour.surplus_args = 61;
    EXPECT_EQ(created(behaviour), SEPCONV_KERNEL_ERROR);
    behaviour = {};
    behaviour.image_bytes_missing = 1;
    EXPECT_EQ(created(behaviour), SEPCONV_KERNEL_ERROR) << "PTX without its end";
    // What was not there when the context was made is not there in a run.
    device_kernel_behaviour() = {};
    TestContext test(model);
    device_kernel_behaviour().scale_entry = "shift";
    EXPECT_EQ(test.run(), SEPCONV_KERNEL_ERROR);
}

}  // namespace
}  // namespace sepconv
