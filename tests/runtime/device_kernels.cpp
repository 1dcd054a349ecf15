#include "device_kernels.h"

#include <cstring>

namespace sepconv {
namespace {

constexpr float kFactor = 3;
constexpr int kThreads = 2;
constexpr int kGroups = kHalf / kThreads;

/// What Halide compiles for a device: images, and calls that are named after it.
struct Compiled {
    decltype(&sepconv_kernel_cuda_interface) interface;
    decltype(&sepconv_kernel_cuda_initialize) initialize;
    decltype(&sepconv_kernel_cuda_run) run;
    decltype(&sepconv_kernel_cuda_finalize) finalize;
    const char *scale;
    const char *shift_twice;
};

// PTX as far as the runtime reads it; the entries are those of launch_on_host().
constexpr Compiled kCuda = {
    sepconv_kernel_cuda_interface,
    sepconv_kernel_cuda_initialize,
    sepconv_kernel_cuda_run,
    sepconv_kernel_cuda_finalize,
    "//\n.version 7.0\n.target sm_80\n.visible .entry scale()\n",
    "//\n.version 7.0\n.target sm_80\n.visible .entry shift()\n.visible .entry twice()\n"};

constexpr Compiled kOpencl = {sepconv_kernel_opencl_interface,
                              sepconv_kernel_opencl_initialize,
                              sepconv_kernel_opencl_run,
                              sepconv_kernel_opencl_finalize,
                              R"(
__kernel void scale(__global const float *in, __global const float *weights, __global float *out,
                    float factor, __local int16 *shared) {
    __local float *products = (__local float *)shared;
    const int i = get_global_id(0);
    products[get_local_id(0)] = in[i] * weights[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    out[i] = products[get_local_id(0)] * factor;
})",
                              R"(
__kernel void shift(__global const float *in, __global float *out, __local int16 *shared) {
    out[get_global_id(0)] = in[get_global_id(0)] + 1;
}
__kernel void twice(__global const float *in, __global float *out, __local int16 *shared) {
    out[get_global_id(0)] = 2 * in[get_global_id(0)];
})"};

int image_size(const char *image) {
    return static_cast<int>(std::strlen(image)) + 1;
}

/// The arguments of a launch as Halide hands them over: zero-terminated lists.
struct Arguments {
    void add(void *value, size_t size, bool buffer) {
        sizes[count] = size;
        values[count] = value;
        is_buffer[count++] = buffer;
    }
    void add_buffer(void *buffer) { add(buffer, sizeof(uint64_t), true); }

    size_t sizes[128] = {};
    void *values[128] = {};
    int8_t is_buffer[128] = {};
    int count = 0;
};

int launch(const Compiled &device, void *user_context, void *state, const char *entry,
           int shared_bytes, Arguments *arguments) {
    return device.run(user_context, state, entry, kGroups, 1, 1, kThreads, 1, 1, shared_bytes,
                      arguments->sizes, arguments->values, arguments->is_buffer);
}

void copy_to_device(const Compiled &device, void *user_context, void *buffer) {
    sepconv_kernel_device_copy(user_context, static_cast<sepconv_buffer_t *>(buffer),
                               device.interface());
}

// As with no_asserts, the results of what a kernel calls are dropped.
template<const Compiled *kDevice>
int scale_kernel(void **args) {
    static void *state = nullptr;
    static float factor = kFactor;
    const DeviceKernelBehaviour &behaviour = device_kernel_behaviour();
    void *user_context = *static_cast<void **>(args[0]);
    kDevice->initialize(user_context, &state, kDevice->scale,
                        image_size(kDevice->scale) - behaviour.image_bytes_missing);
    for (int i = 1; i <= 3; ++i) {
        copy_to_device(*kDevice, user_context, args[i]);
    }
    if (behaviour.calls_malloc) {
        sepconv_kernel_malloc(user_context, 64);
    }
    Arguments arguments;
    for (int i = 1; i <= 3; ++i) {
        arguments.add_buffer(args[i]);
    }
    for (int i = 0; i < 1 + behaviour.surplus_args; ++i) {
        arguments.add(&factor, sizeof(factor), false);
    }
    launch(*kDevice, user_context, state, behaviour.scale_entry, behaviour.shared_bytes,
           &arguments);
    kDevice->finalize(user_context, state);
    return 0;
}

template<const Compiled *kDevice>
int shift_twice_kernel(void **args) {
    static void *state = nullptr;
    void *user_context = *static_cast<void **>(args[0]);
    kDevice->initialize(user_context, &state, kDevice->shift_twice,
                        image_size(kDevice->shift_twice));
    sepconv_dimension_t dimensions[] = {{0, 2, 1, 0}, {0, kHalf / 2, 2, 0}};
    sepconv_buffer_t middle = {};
    middle.type_code = 2;
    middle.type_bits = 32;
    middle.dimensions = 2;
    middle.dim = dimensions;
    // Halide asks for an intermediate also on the host, for no bytes of it, and again before it is
    // read.
    void *host = sepconv_kernel_malloc(user_context, 0);
    sepconv_kernel_device_malloc(user_context, &middle, kDevice->interface());
    copy_to_device(*kDevice, user_context, args[1]);
    Arguments shift;
    shift.add_buffer(args[1]);
    shift.add_buffer(&middle);
    launch(*kDevice, user_context, state, "shift", 0, &shift);
    sepconv_kernel_device_malloc(user_context, &middle, kDevice->interface());
    copy_to_device(*kDevice, user_context, args[2]);
    Arguments twice;
    twice.add_buffer(&middle);
    twice.add_buffer(args[2]);
    launch(*kDevice, user_context, state, "twice", 0, &twice);
    sepconv_kernel_device_free(user_context, &middle);
    if (host != nullptr) {
        sepconv_kernel_free(user_context, host);
    }
    sepconv_kernel_device_free_as_destructor(user_context, &middle);
    kDevice->finalize(user_context, state);
    return 0;
}

template<const Compiled *kDevice>
constexpr sepconv_kernel_t kKernels[] = {scale_kernel<kDevice>, shift_twice_kernel<kDevice>};

const float *read_param(void **params, int index) {
    return *static_cast<const float **>(params[index]);
}

float *written_param(void **params, int index) {
    return *static_cast<float **>(params[index]);
}

}  // namespace

DeviceKernelBehaviour &device_kernel_behaviour() {
    static DeviceKernelBehaviour behaviour;
    return behaviour;
}

sepconv_variant_t cuda_variant() {
    return {"cuda", kKernels<&kCuda>, 0, &sepconv_cuda_device, 80};
}

sepconv_variant_t opencl_variant() {
    return {"opencl", kKernels<&kOpencl>, 0, &sepconv_opencl_device, 0};
}

FakeModel device_model(const sepconv_variant_t &variant) {
    constexpr uint64_t kBytes = kHalf * sizeof(float);
    FakeModel fake;
    const float weights[kHalf] = {1, 2, 3, 4};
    fake.weights.resize(sizeof(weights));
    std::memcpy(fake.weights.data(), weights, sizeof(weights));
    fake.variants = {variant};
    fake.steps.clear();
    fake.add_step(0, 0, 2,
                  {{SEPCONV_INPUT, 0, 0, kBytes},
                   {SEPCONV_WEIGHTS, 0, 0, 0},
                   {SEPCONV_ARENA, 0, 64, kBytes}});
    fake.add_step(1, 1, 2, {{SEPCONV_ARENA, 0, 64, kBytes}, {SEPCONV_OUTPUT, 0, 0, kBytes}});
    return fake;
}

std::array<float, kElements> device_model_result() {
    std::array<float, kElements> result;
    for (int i = 0; i < kElements; ++i) {
        const int weight = i % kHalf + 1;
        result[static_cast<size_t>(i)] = static_cast<float>(2 * (i * weight * 3 + 1));
    }
    return result;
}

void launch_on_host(const char *kernel, const unsigned grid[3], const unsigned block[3], unsigned,
                    void **params) {
    for (unsigned i = 0; i < grid[0] * block[0]; ++i) {
        if (std::strcmp(kernel, "scale") == 0) {
            const float factor = *static_cast<const float *>(params[3]);
            written_param(params, 2)[i] =
                read_param(params, 0)[i] * read_param(params, 1)[i] * factor;
        } else if (std::strcmp(kernel, "shift") == 0) {
            written_param(params, 1)[i] = read_param(params, 0)[i] + 1;
        } else {
            written_param(params, 1)[i] = 2 * read_param(params, 0)[i];
        }
    }
}

void set_device_input(TestContext *context) {
    for (int i = 0; i < kElements; ++i) {
        context->input[i] = static_cast<float>(i);
    }
}

}  // namespace sepconv
