/// Contexts on OpenCL, over PoCL: kernels that run and give values.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

#include "device_kernels.h"
#include "opencl_driver.h"

namespace sepconv {
namespace {

/// The functions of the library that the runtime opens, for the part of the caller.
const opencl_functions_t &opencl() {
    static const opencl_functions_t functions = [] {
        opencl_functions_t found = {};
        void *library = dlopen("libOpenCL.so.1", RTLD_NOW);
        if (library != nullptr) {
#define FIND(result, name, parameters)                     \
    {                                                      \
        void *symbol = dlsym(library, #name);              \
        std::memcpy(&found.name, &symbol, sizeof(symbol)); \
    }
            OPENCL_FUNCTIONS(FIND)
#undef FIND
        }
        return found;
    }();
    return functions;
}

/// A caller's context and queue.
class CallersQueue {
public:
    explicit CallersQueue(cl_queue_properties properties = 0) {
        cl_platform_id platform = nullptr;
        cl_device_id device = nullptr;
        cl_int error = opencl().clGetPlatformIDs(1, &platform, nullptr);
        EXPECT_EQ(error, CL_SUCCESS) << "no OpenCL platform: is PoCL installed?";
        EXPECT_EQ(opencl().clGetDeviceIDs(platform, CL_DEVICE_TYPE_CPU, 1, &device, nullptr),
                  CL_SUCCESS);
        context = opencl().clCreateContext(nullptr, 1, &device, nullptr, nullptr, &error);
        EXPECT_EQ(error, CL_SUCCESS);
        const cl_queue_properties list[] = {CL_QUEUE_PROPERTIES, properties, 0};
        queue = opencl().clCreateCommandQueueWithProperties(context, device, list, &error);
        EXPECT_EQ(error, CL_SUCCESS);
    }
    ~CallersQueue() {
        opencl().clReleaseCommandQueue(queue);
        opencl().clReleaseContext(context);
    }
    CallersQueue(const CallersQueue &) = delete;
    CallersQueue &operator=(const CallersQueue &) = delete;

    sepconv_options_t options() const {
        sepconv_options_t result = {};
        result.device = "opencl";
        result.device_context = context;
        result.device_queue = queue;
        return result;
    }

    cl_context context = nullptr;
    cl_command_queue queue = nullptr;
};

class Opencl : public testing::Test {
protected:
    void TearDown() override { device_kernel_behaviour() = {}; }
};

void expect_right_run(TestContext *test) {
    set_device_input(test);
    std::fill(test->output, test->output + kElements, -1.0f);
    ASSERT_EQ(test->run(), SEPCONV_OK);
    const auto expected = device_model_result();
    for (int i = 0; i < kElements; ++i) {
        EXPECT_EQ(test->output[i], expected[static_cast<size_t>(i)]) << i;
    }
}

TEST_F(Opencl, GivesRightValuesAgainAndAgain) {
    FakeModel fake = device_model(opencl_variant());
    TestContext test(fake.model());
    ASSERT_EQ(test.created, SEPCONV_OK) << sepconv_status_message(test.created);
    EXPECT_STREQ(sepconv_context_isa(test.context), "opencl");
    EXPECT_NE(sepconv_context_device_queue(test.context), nullptr);
    for (int run = 0; run < 3; ++run) {
        expect_right_run(&test);
    }
}

TEST_F(Opencl, TwoContextsOnTwoThreads) {
    FakeModel fake = device_model(opencl_variant());
    const sepconv_model_t *model = fake.model();
    const auto work = [model] {
        TestContext test(model);
        ASSERT_EQ(test.created, SEPCONV_OK);
        for (int run = 0; run < 20; ++run) {
            expect_right_run(&test);
        }
    };
    std::thread other(work);
    work();
    other.join();
}

TEST_F(Opencl, ContextsOfOneCallersQueue) {
    const CallersQueue callers;
    const sepconv_options_t options = callers.options();
    FakeModel fake = device_model(opencl_variant());
    const sepconv_model_t *model = fake.model();
    TestContext second(model, &options);
    {
        TestContext first(model, &options);
        ASSERT_EQ(first.created, SEPCONV_OK);
        ASSERT_EQ(second.created, SEPCONV_OK);
        EXPECT_EQ(sepconv_context_device_queue(first.context), callers.queue);
        expect_right_run(&first);
        expect_right_run(&second);
        expect_right_run(&first);
    }
    expect_right_run(&second);
}

TEST_F(Opencl, TheCallersContextWithAQueueOfOurOwn) {
    const CallersQueue callers;
    sepconv_options_t options = callers.options();
    options.device_queue = nullptr;
    FakeModel fake = device_model(opencl_variant());
    TestContext test(fake.model(), &options);
    ASSERT_EQ(test.created, SEPCONV_OK);
    EXPECT_NE(sepconv_context_device_queue(test.context), callers.queue);
    expect_right_run(&test);
}

TEST_F(Opencl, RunsInTheQueuesOrderOnTheCallersMemory) {
    const CallersQueue callers;
    const sepconv_options_t options = callers.options();
    FakeModel fake = device_model(opencl_variant());
    const TestContext test(fake.model(), &options);
    ASSERT_EQ(test.created, SEPCONV_OK);
    constexpr size_t kBytes = kElements * sizeof(float);
    void *input = opencl().clSVMAlloc(callers.context, CL_MEM_READ_WRITE, kBytes, 0);
    void *output = opencl().clSVMAlloc(callers.context, CL_MEM_READ_WRITE, kBytes, 0);
    float numbers[kElements];
    float result[kElements] = {};
    for (int i = 0; i < kElements; ++i) {
        numbers[i] = static_cast<float>(i);
    }
    const void *const inputs[] = {input};
    void *const outputs[] = {output};
    const auto copy = [&](void *to, const void *from) {
        return opencl().clEnqueueSVMMemcpy(callers.queue, 0, to, from, kBytes, 0, nullptr, nullptr);
    };
    EXPECT_EQ(copy(input, numbers), CL_SUCCESS);
    EXPECT_EQ(sepconv_run_on_device(test.context, inputs, outputs), SEPCONV_OK);
    EXPECT_EQ(copy(result, output), CL_SUCCESS);
    EXPECT_EQ(sepconv_synchronize(test.context), SEPCONV_OK);
    const auto expected = device_model_result();
    for (size_t i = 0; i < kElements; ++i) {
        EXPECT_EQ(result[i], expected[i]);
    }
    opencl().clSVMFree(callers.context, input);
    opencl().clSVMFree(callers.context, output);
}

TEST_F(Opencl, RefusesAQueueThatIsNotInOrderOrNotOfTheContext) {
    FakeModel fake = device_model(opencl_variant());
    const CallersQueue in_order;
    const CallersQueue out_of_order(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
    sepconv_options_t options = out_of_order.options();
    const TestContext first(fake.model(), &options);
    EXPECT_EQ(first.created, SEPCONV_INVALID_ARGUMENT);
    options = in_order.options();
    options.device_context = out_of_order.context;
    const TestContext second(fake.model(), &options);
    EXPECT_EQ(second.created, SEPCONV_INVALID_ARGUMENT);
}

TEST_F(Opencl, ACpuVariantIsBetterThanAnOpenclDeviceThatIsTheCpu) {
    FakeModel fake = device_model(opencl_variant());
    fake.variants.push_back(fake_variant("sse41", 64));
    const sepconv_model_t *model = fake.model();
    const auto chosen = [model](const char *device) -> std::string {
        sepconv_options_t options = {};
        options.device = device;
        const TestContext test(model, &options);
        return test.created == SEPCONV_OK ? sepconv_context_isa(test.context)
                                          : std::to_string(test.created);
    };
    EXPECT_EQ(chosen(nullptr), "sse41");
    EXPECT_EQ(chosen("opencl"), "opencl");
    const ScopedEnvironment forced("SEPCONV_ISA", "opencl");
    EXPECT_EQ(chosen(nullptr), "opencl");
}

TEST_F(Opencl, ProfileOnAQueueThatHasTimes) {
    FakeModel fake = device_model(opencl_variant());
    const auto profiled = [&fake](sepconv_options_t options) {
        options.profile = 1;
        TestContext test(fake.model(), &options);
        EXPECT_EQ(test.created, SEPCONV_OK);
        expect_right_run(&test);
        expect_right_run(&test);
        return sepconv_context_block_nanoseconds(test.context, 0) > 0 &&
               sepconv_context_block_nanoseconds(test.context, 1) > 0;
    };
    EXPECT_TRUE(profiled({}));
    const CallersQueue with_times(CL_QUEUE_PROFILING_ENABLE);
    EXPECT_TRUE(profiled(with_times.options()));
    const CallersQueue without;
    EXPECT_FALSE(profiled(without.options()));
}

TEST_F(Opencl, ASourceThatDoesNotCompileIsAnError) {
    device_kernel_behaviour().image_bytes_missing = 30;
    FakeModel fake = device_model(opencl_variant());
    const TestContext test(fake.model());
    EXPECT_EQ(test.created, SEPCONV_DEVICE_ERROR);
}

TEST_F(Opencl, AMissingKernelIsAnError) {
    device_kernel_behaviour().scale_entry = "missing";
    FakeModel fake = device_model(opencl_variant());
    const TestContext test(fake.model());
    EXPECT_EQ(test.created, SEPCONV_DEVICE_ERROR);
}

}  // namespace
}  // namespace sepconv
