#define _POSIX_C_SOURCE 200809L

#include "stub_cuda.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

enum {
    kInvalidValue = 1,
    kInvalidDevice = 101,
    kInvalidContext = 201,
    kInvalidHandle = 400,
    kNotFound = 500,

    kObjects = 256, /* Of a kind alive at once. */
    kDepth = 8,     /* Contexts of a thread. */
    kFreeSharedBytes = 48 * 1024
};

/* Threads that share a primary context retain it while others ask for it. */
struct CUctx_st {
    atomic_int alive; /* References. */
    _Atomic(CUdevice) device;
};
struct CUstream_st {
    int alive;
    CUcontext context;
};
struct CUevent_st {
    int alive;
    float time;
};
struct CUmod_st {
    int alive;
    const char *image;
};
struct CUfunc_st {
    CUmodule module; /* Null where it is not alive. */
    const char *name;
    int shared_bytes;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static stub_cuda_t state;
static struct CUctx_st primary_contexts[kStubDevices];
static struct CUctx_st own_contexts[kObjects];
static struct CUstream_st streams[kObjects];
static struct CUevent_st events[kObjects];
static struct CUmod_st modules[kObjects];
static struct CUfunc_st functions[kObjects];
static void *allocations[kObjects];
static int launches; /* The clock. */
/* Of a kind that needs no allocation at its first use: tests refuse them. */
#define OF_THREAD static _Thread_local __attribute__((tls_model("initial-exec")))
OF_THREAD CUcontext stack[kDepth];
OF_THREAD int depth;

EXPORTED stub_cuda_t *stub_cuda(void) {
    return &state;
}

EXPORTED void stub_cuda_reset(void) {
    memset(&state, 0, sizeof(state));
    memset(primary_contexts, 0, sizeof(primary_contexts));
    memset(own_contexts, 0, sizeof(own_contexts));
    memset(streams, 0, sizeof(streams));
    memset(events, 0, sizeof(events));
    memset(modules, 0, sizeof(modules));
    memset(functions, 0, sizeof(functions));
    launches = 0;
    state.driver_version = 12040;
    state.device_count = 1;
    state.capabilities[0] = 80;
    state.capabilities[1] = 90;
}

/* Records a call; a result that is not 0 ends it. */
static int note(const char *function, CUstream stream, const char *kernel, size_t bytes) {
    int result = 0;
    pthread_mutex_lock(&mutex);
    if (state.call_count < kStubCalls) {
        const stub_call_t call = {function, stream, kernel, bytes};
        state.calls[state.call_count++] = call;
    } else {
        ++state.misuses;
    }
    if (state.failing_result != 0 &&
        (state.failing_function == NULL || strcmp(state.failing_function, function) == 0)) {
        result = state.calls_before_failure-- == 0 ? state.failing_result : 0;
    }
    pthread_mutex_unlock(&mutex);
    return result;
}

#define NOTE(stream, kernel, bytes)                                     \
    do {                                                                \
        const int noted_result = note(__func__, stream, kernel, bytes); \
        if (noted_result != 0) {                                        \
            return noted_result;                                        \
        }                                                               \
    } while (0)

/* What a correct caller never gets. */
static int misuse(int result) {
    pthread_mutex_lock(&mutex);
    ++state.misuses;
    pthread_mutex_unlock(&mutex);
    return result;
}

#define REQUIRE(condition, result) \
    do {                           \
        if (!(condition)) {        \
            return misuse(result); \
        }                          \
    } while (0)

EXPORTED CUcontext stub_cuda_current_context(void) {
    return depth > 0 ? stack[depth - 1] : NULL;
}

#define REQUIRE_CONTEXT()                                                              \
    REQUIRE(stub_cuda_current_context() != NULL && stub_cuda_current_context()->alive, \
            kInvalidContext)

/* The first that is not alive becomes so; null where there is none. */
#define CLAIM(pool, count, result)                               \
    do {                                                         \
        pthread_mutex_lock(&mutex);                              \
        (result) = NULL;                                         \
        for (int i = 0; i < kObjects && (result) == NULL; ++i) { \
            if (!(pool)[i].alive) {                              \
                (result) = &(pool)[i];                           \
                (result)->alive = 1;                             \
                ++(count);                                       \
            }                                                    \
        }                                                        \
        pthread_mutex_unlock(&mutex);                            \
    } while (0)

#define DROP(object, count)           \
    do {                              \
        pthread_mutex_lock(&mutex);   \
        (object)->alive = 0;          \
        --(count);                    \
        pthread_mutex_unlock(&mutex); \
    } while (0)

EXPORTED CUcontext stub_cuda_make_context(void) {
    CUcontext context = NULL;
    CLAIM(own_contexts, state.contexts, context);
    return context;
}

EXPORTED void stub_cuda_drop_context(CUcontext context) {
    DROP(context, state.contexts);
}

/* The prototypes are those that the runtime calls by. */
#define STUB_PROTOTYPE(name, parameters) EXPORTED int name parameters;
CUDA_FUNCTIONS(STUB_PROTOTYPE)

int cuInit(unsigned flags) {
    NOTE(NULL, NULL, 0);
    return flags == 0 ? 0 : misuse(kInvalidValue);
}

int cuDriverGetVersion(int *version) {
    NOTE(NULL, NULL, 0);
    *version = state.driver_version;
    return 0;
}

int cuDeviceGetCount(int *count) {
    NOTE(NULL, NULL, 0);
    *count = state.device_count;
    return 0;
}

int cuDeviceGet(CUdevice *device, int ordinal) {
    NOTE(NULL, NULL, 0);
    REQUIRE(ordinal >= 0 && ordinal < state.device_count, kInvalidDevice);
    *device = ordinal;
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
    NOTE(NULL, NULL, 0);
    REQUIRE(device >= 0 && device < state.device_count, kInvalidDevice);
    REQUIRE(attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ||
                attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
            kInvalidValue);
    const int capability = state.capabilities[device];
    *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? capability / 10
                                                                       : capability % 10;
    return 0;
}

int cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
    NOTE(NULL, NULL, 0);
    REQUIRE(device >= 0 && device < state.device_count, kInvalidDevice);
    pthread_mutex_lock(&mutex);
    primary_contexts[device].device = device;
    ++primary_contexts[device].alive;
    ++state.contexts;
    pthread_mutex_unlock(&mutex);
    *context = &primary_contexts[device];
    return 0;
}

int cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    NOTE(NULL, NULL, 0);
    REQUIRE(device >= 0 && device < state.device_count && primary_contexts[device].alive > 0,
            kInvalidContext);
    pthread_mutex_lock(&mutex);
    --primary_contexts[device].alive;
    --state.contexts;
    pthread_mutex_unlock(&mutex);
    return 0;
}

int cuCtxGetDevice(CUdevice *device) {
    NOTE(NULL, NULL, 0);
    REQUIRE_CONTEXT();
    *device = stub_cuda_current_context()->device;
    return 0;
}

int cuCtxPushCurrent_v2(CUcontext context) {
    NOTE(NULL, NULL, 0);
    REQUIRE(context != NULL && context->alive && depth < kDepth, kInvalidContext);
    stack[depth++] = context;
    return 0;
}

/* A pop that fails would leave the test's thread with the context: it is noted only. */
int cuCtxPopCurrent_v2(CUcontext *context) {
    (void)note(__func__, NULL, NULL, 0);
    REQUIRE(depth > 0, kInvalidContext);
    *context = stack[--depth];
    return 0;
}

/* CU_STREAM_LEGACY is of every context. */
static int stream_usable(CUstream stream) {
    if (stream == (CUstream)1) {
        return stub_cuda_current_context() != NULL;
    }
    return stream != NULL && stream->alive && stream->context == stub_cuda_current_context();
}

int cuStreamCreate(CUstream *stream, unsigned flags) {
    NOTE(NULL, NULL, 0);
    REQUIRE_CONTEXT();
    REQUIRE(flags == CU_STREAM_DEFAULT, kInvalidValue);
    CLAIM(streams, state.streams, *stream);
    (*stream)->context = stub_cuda_current_context();
    return 0;
}

int cuStreamDestroy_v2(CUstream stream) {
    (void)note(__func__, stream, NULL, 0);
    REQUIRE(stream_usable(stream), kInvalidHandle);
    DROP(stream, state.streams);
    return 0;
}

int cuStreamSynchronize(CUstream stream) {
    NOTE(stream, NULL, 0);
    REQUIRE(stream_usable(stream), kInvalidHandle);
    return 0;
}

int cuEventCreate(CUevent *event, unsigned flags) {
    NOTE(NULL, NULL, 0);
    REQUIRE_CONTEXT();
    REQUIRE(flags == CU_EVENT_DEFAULT, kInvalidValue);
    CLAIM(events, state.events, *event);
    return 0;
}

int cuEventDestroy_v2(CUevent event) {
    (void)note(__func__, NULL, NULL, 0);
    REQUIRE_CONTEXT();
    REQUIRE(event != NULL && event->alive, kInvalidHandle);
    DROP(event, state.events);
    return 0;
}

/* A millisecond a launch. */
int cuEventRecord(CUevent event, CUstream stream) {
    NOTE(stream, NULL, 0);
    REQUIRE(event != NULL && event->alive && stream_usable(stream), kInvalidHandle);
    event->time = (float)launches;
    return 0;
}

int cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
    NOTE(NULL, NULL, 0);
    REQUIRE(start->alive && end->alive, kInvalidHandle);
    *milliseconds = end->time - start->time;
    return 0;
}

int cuMemAlloc_v2(CUdeviceptr *memory, size_t bytes) {
    NOTE(NULL, NULL, bytes);
    REQUIRE_CONTEXT();
    REQUIRE(bytes != 0, kInvalidValue);
    void *allocation = NULL;
    if (posix_memalign(&allocation, 256, bytes) != 0) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    memset(allocation, 0xCD, bytes);
    pthread_mutex_lock(&mutex);
    int index = 0;
    while (index < kObjects - 1 && allocations[index] != NULL) {
        ++index;
    }
    allocations[index] = allocation;
    ++state.allocations;
    pthread_mutex_unlock(&mutex);
    *memory = (CUdeviceptr)(uintptr_t)allocation;
    return 0;
}

int cuMemFree_v2(CUdeviceptr memory) {
    (void)note(__func__, NULL, NULL, 0);
    REQUIRE_CONTEXT();
    pthread_mutex_lock(&mutex);
    int index = 0;
    while (index < kObjects && allocations[index] != (void *)(uintptr_t)memory) {
        ++index;
    }
    if (index < kObjects) {
        free(allocations[index]);
        allocations[index] = NULL;
        --state.allocations;
    }
    pthread_mutex_unlock(&mutex);
    return index < kObjects ? 0 : misuse(kInvalidValue);
}

int cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
    NOTE(stream, NULL, bytes);
    REQUIRE(stream_usable(stream), kInvalidHandle);
    memcpy((void *)(uintptr_t)to, from, bytes);
    return 0;
}

int cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
    NOTE(stream, NULL, bytes);
    REQUIRE(stream_usable(stream), kInvalidHandle);
    memcpy(to, (const void *)(uintptr_t)from, bytes);
    return 0;
}

int cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned option_count, int *options,
                       void **option_values) {
    NOTE(NULL, NULL, 0);
    REQUIRE_CONTEXT();
    REQUIRE(option_count == 0 && options == NULL && option_values == NULL, kInvalidValue);
    CLAIM(modules, state.modules, *module);
    (*module)->image = (const char *)image;
    return 0;
}

int cuModuleUnload(CUmodule module) {
    (void)note(__func__, NULL, NULL, 0);
    REQUIRE_CONTEXT();
    REQUIRE(module != NULL && module->alive, kInvalidHandle);
    for (int i = 0; i < kObjects; ++i) {
        functions[i].module = functions[i].module == module ? NULL : functions[i].module;
    }
    DROP(module, state.modules);
    return 0;
}

int cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
    NOTE(NULL, name, 0);
    REQUIRE(module != NULL && module->alive, kInvalidHandle);
    if (strstr(module->image, name) == NULL) {
        return kNotFound;
    }
    pthread_mutex_lock(&mutex);
    int index = 0;
    while (index < kObjects - 1 && functions[index].module != NULL) {
        ++index;
    }
    const struct CUfunc_st made = {module, name, kFreeSharedBytes};
    functions[index] = made;
    pthread_mutex_unlock(&mutex);
    *function = &functions[index];
    return 0;
}

int cuFuncSetAttribute(CUfunction function, int attribute, int value) {
    NOTE(NULL, function->name, (size_t)value);
    REQUIRE(attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, kInvalidValue);
    function->shared_bytes = value;
    return 0;
}

int cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                   unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                   CUstream stream, void **params, void **extra) {
    NOTE(stream, function->name, shared_bytes);
    REQUIRE(function->module != NULL && stream_usable(stream), kInvalidHandle);
    REQUIRE((int)shared_bytes <= function->shared_bytes && extra == NULL, kInvalidValue);
    const unsigned grid[3] = {grid_x, grid_y, grid_z};
    const unsigned block[3] = {block_x, block_y, block_z};
    pthread_mutex_lock(&mutex);
    ++launches;
    pthread_mutex_unlock(&mutex);
    state.launch(function->name, grid, block, shared_bytes, params);
    return 0;
}
