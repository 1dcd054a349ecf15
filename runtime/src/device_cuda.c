/* CUDA through its driver API, opened when a context asks for it. */
#include <stdlib.h>
#include <string.h>

#include "cuda_driver.h"
#include "device.h"

static const sepconv_symbol_t kSymbols[] = {
#define CUDA_SYMBOL(name, parameters) {#name, offsetof(cuda_functions_t, name)},
    CUDA_FUNCTIONS(CUDA_SYMBOL)
#undef CUDA_SYMBOL
};

#if defined(_WIN32)
static const char *const kLibraries[] = {"nvcuda.dll", NULL};
#else
/* The unversioned name is of development packages. */
static const char *const kLibraries[] = {"libcuda.so.1", "libcuda.so", NULL};
#endif

/* What a launch may have of shared memory without asking. */
enum { kDefaultSharedBytes = 48 * 1024 };

typedef struct cuda_device_t {
    sepconv_device_t base;
    void *library;
    cuda_functions_t cuda;
    int driver_version; /* 12040 for CUDA 12.4. */
    CUdevice device;
    CUcontext context;
    CUstream stream;
    int owns_context, owns_stream;
    int mark_count;
    CUevent *marks; /* Null without profile. */
} cuda_device_t;

static cuda_device_t *cuda_of(sepconv_device_t *device) {
    return (cuda_device_t *)(void *)device;
}

static sepconv_status_t status_of(int result) {
    return result == CUDA_SUCCESS ? SEPCONV_OK : SEPCONV_DEVICE_ERROR;
}

static sepconv_status_t allocation_status_of(int result) {
    return result == CUDA_ERROR_OUT_OF_MEMORY ? SEPCONV_OUT_OF_MEMORY : status_of(result);
}

static sepconv_status_t cuda_enter(sepconv_device_t *device) {
    cuda_device_t *self = cuda_of(device);
    return status_of(self->cuda.cuCtxPushCurrent_v2(self->context));
}

static void cuda_leave(sepconv_device_t *device) {
    CUcontext popped = NULL;
    (void)cuda_of(device)->cuda.cuCtxPopCurrent_v2(&popped);
}

/* Without a device, in a container that was given none, or where its own kernel module is missing,
 * a driver's start fails in many ways. */
static sepconv_status_t start_driver(cuda_device_t *self) {
    const int result = self->cuda.cuInit(0);
    if (result == CUDA_ERROR_SYSTEM_DRIVER_MISMATCH ||
        result == CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE) {
        return SEPCONV_DEVICE_TOO_OLD;
    }
    if (result != CUDA_SUCCESS) {
        return SEPCONV_NO_DEVICE;
    }
    return status_of(self->cuda.cuDriverGetVersion(&self->driver_version));
}

static sepconv_status_t check_capability(cuda_device_t *self, CUdevice device, int capability) {
    int major = 0;
    int minor = 0;
    if (self->cuda.cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                                        device) != CUDA_SUCCESS ||
        self->cuda.cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
                                        device) != CUDA_SUCCESS) {
        return SEPCONV_DEVICE_ERROR;
    }
    return 10 * major + minor >= capability ? SEPCONV_OK : SEPCONV_DEVICE_TOO_OLD;
}

static sepconv_status_t use_callers_context(cuda_device_t *self,
                                            const sepconv_device_request_t *request) {
    self->context = (CUcontext)request->context;
    self->stream = (CUstream)request->queue;
    if (cuda_enter(&self->base) != SEPCONV_OK) {
        return SEPCONV_INVALID_ARGUMENT;
    }
    sepconv_status_t status = status_of(self->cuda.cuCtxGetDevice(&self->device));
    if (status == SEPCONV_OK) {
        status = check_capability(self, self->device, request->capability);
    }
    cuda_leave(&self->base);
    return status;
}

/* The primary context is the one that CUDA's runtime API, and so most programs, use. */
static sepconv_status_t retain_primary_context(cuda_device_t *self, int capability) {
    int count = 0;
    sepconv_status_t status = SEPCONV_NO_DEVICE;
    if (self->cuda.cuDeviceGetCount(&count) != CUDA_SUCCESS) {
        return SEPCONV_NO_DEVICE;
    }
    for (int i = 0; i < count; ++i) {
        if (self->cuda.cuDeviceGet(&self->device, i) != CUDA_SUCCESS) {
            return SEPCONV_DEVICE_ERROR;
        }
        status = check_capability(self, self->device, capability);
        if (status == SEPCONV_OK) {
            status = allocation_status_of(
                self->cuda.cuDevicePrimaryCtxRetain(&self->context, self->device));
            self->owns_context = status == SEPCONV_OK;
            return status;
        }
    }
    return status;
}

/* A stream of the default kind comes after what the program does on CUDA's default stream. */
static sepconv_status_t create_stream_and_marks(cuda_device_t *self, int mark_count) {
    sepconv_status_t status = SEPCONV_OK;
    if (self->stream == NULL) {
        status = allocation_status_of(self->cuda.cuStreamCreate(&self->stream, CU_STREAM_DEFAULT));
        self->owns_stream = status == SEPCONV_OK;
    }
    if (status != SEPCONV_OK || mark_count == 0) {
        return status;
    }
    self->marks = (CUevent *)calloc((size_t)mark_count, sizeof(CUevent));
    if (self->marks == NULL) {
        return SEPCONV_OUT_OF_MEMORY;
    }
    while (status == SEPCONV_OK && self->mark_count < mark_count) {
        status = allocation_status_of(
            self->cuda.cuEventCreate(&self->marks[self->mark_count], CU_EVENT_DEFAULT));
        self->mark_count += status == SEPCONV_OK;
    }
    return status;
}

static sepconv_status_t cuda_open(sepconv_device_t *device,
                                  const sepconv_device_request_t *request) {
    cuda_device_t *self = cuda_of(device);
    sepconv_status_t status =
        sepconv_library_open(kLibraries, kSymbols, (int)(sizeof(kSymbols) / sizeof(kSymbols[0])),
                             &self->cuda, &self->library);
    if (status == SEPCONV_OK) {
        status = start_driver(self);
    }
    if (status == SEPCONV_OK) {
        status = request->context != NULL ? use_callers_context(self, request)
                                          : retain_primary_context(self, request->capability);
    }
    if (status == SEPCONV_OK) {
        status = cuda_enter(device);
    }
    if (status == SEPCONV_OK) {
        status = create_stream_and_marks(self, request->mark_count);
        cuda_leave(device);
    }
    return status;
}

static void cuda_close(sepconv_device_t *device) {
    cuda_device_t *self = cuda_of(device);
    if ((self->owns_stream || self->mark_count != 0) && cuda_enter(device) == SEPCONV_OK) {
        for (int i = 0; i < self->mark_count; ++i) {
            (void)self->cuda.cuEventDestroy_v2(self->marks[i]);
        }
        if (self->owns_stream) {
            (void)self->cuda.cuStreamDestroy_v2(self->stream);
        }
        cuda_leave(device);
    }
    free(self->marks);
    if (self->owns_context) {
        (void)self->cuda.cuDevicePrimaryCtxRelease_v2(self->device);
    }
    sepconv_library_close(self->library);
}

static void *cuda_queue(const sepconv_device_t *device) {
    return ((const cuda_device_t *)(const void *)device)->stream;
}

static CUdeviceptr pointer_of(const uint8_t *address) {
    return (CUdeviceptr)(uintptr_t)address;
}

static sepconv_status_t cuda_allocate(sepconv_device_t *device, size_t bytes, uint8_t **memory) {
    CUdeviceptr pointer = 0;
    const int result = cuda_of(device)->cuda.cuMemAlloc_v2(&pointer, bytes);
    *memory = result == CUDA_SUCCESS ? (uint8_t *)(uintptr_t)pointer : NULL;
    return allocation_status_of(result);
}

static void cuda_release(sepconv_device_t *device, uint8_t *memory) {
    (void)cuda_of(device)->cuda.cuMemFree_v2(pointer_of(memory));
}

static sepconv_status_t cuda_upload(sepconv_device_t *device, uint8_t *to, const void *from,
                                    size_t bytes) {
    cuda_device_t *self = cuda_of(device);
    return status_of(self->cuda.cuMemcpyHtoDAsync_v2(pointer_of(to), from, bytes, self->stream));
}

static sepconv_status_t cuda_download(sepconv_device_t *device, void *to, const uint8_t *from,
                                      size_t bytes) {
    cuda_device_t *self = cuda_of(device);
    return status_of(self->cuda.cuMemcpyDtoHAsync_v2(to, pointer_of(from), bytes, self->stream));
}

/* A stream runs without being asked. */
static sepconv_status_t cuda_flush(sepconv_device_t *device) {
    (void)device;
    return SEPCONV_OK;
}

static sepconv_status_t cuda_synchronize(sepconv_device_t *device) {
    cuda_device_t *self = cuda_of(device);
    return status_of(self->cuda.cuStreamSynchronize(self->stream));
}

/* The driver version that knows PTX with this head, ".version 7.0": since CUDA 11 PTX and CUDA go
 * side by side, four apart (PTX ISA, release notes). 0 where there is no such head. */
static int driver_needed(const char *image) {
    const char *version = strstr(image, ".version ");
    if (version == NULL) {
        return 0;
    }
    char *end = NULL;
    const long major = strtol(version + strlen(".version "), &end, 10);
    const long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return major >= 7 && major < 1000 && minor >= 0 && minor < 100
               ? (int)((major + 4) * 1000 + minor * 10)
               : 0;
}

static sepconv_status_t cuda_load(sepconv_device_t *device, const char *image, size_t bytes,
                                  void **module) {
    cuda_device_t *self = cuda_of(device);
    if (bytes == 0 || image[bytes - 1] != '\0') {
        return SEPCONV_KERNEL_ERROR;
    }
    if (self->driver_version < driver_needed(image)) {
        return SEPCONV_DEVICE_TOO_OLD;
    }
    CUmodule loaded = NULL;
    const int result = self->cuda.cuModuleLoadDataEx(&loaded, image, 0, NULL, NULL);
    *module = loaded;
    switch (result) {
        case CUDA_ERROR_NO_BINARY_FOR_GPU:
        case CUDA_ERROR_INVALID_PTX:
        case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
            return SEPCONV_DEVICE_TOO_OLD;
        default:
            return allocation_status_of(result);
    }
}

static void cuda_unload(sepconv_device_t *device, void *module) {
    (void)cuda_of(device)->cuda.cuModuleUnload((CUmodule)module);
}

static sepconv_status_t cuda_find(sepconv_device_t *device, void *module, const char *name,
                                  void **function) {
    CUfunction found = NULL;
    const int result = cuda_of(device)->cuda.cuModuleGetFunction(&found, (CUmodule)module, name);
    *function = found;
    return status_of(result);
}

/* A function goes with its module. */
static void cuda_forget(sepconv_device_t *device, void *function) {
    (void)device;
    (void)function;
}

static sepconv_status_t cuda_prepare(sepconv_device_t *device, void *function,
                                     size_t shared_bytes) {
    if (shared_bytes <= kDefaultSharedBytes) {
        return SEPCONV_OK;
    }
    return status_of(cuda_of(device)->cuda.cuFuncSetAttribute(
        (CUfunction)function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, (int)shared_bytes));
}

static sepconv_status_t cuda_launch(sepconv_device_t *device, void *function,
                                    const sepconv_launch_t *launch) {
    cuda_device_t *self = cuda_of(device);
    CUdeviceptr pointers[kMaxLaunchArgs];
    void *params[kMaxLaunchArgs];
    for (int i = 0; i < launch->arg_count; ++i) {
        params[i] = launch->args[i];
        if (launch->arg_is_buffer[i]) {
            pointers[i] = ((const sepconv_buffer_t *)launch->args[i])->device;
            params[i] = &pointers[i];
        }
    }
    return status_of(self->cuda.cuLaunchKernel(
        (CUfunction)function, (unsigned)launch->groups[0], (unsigned)launch->groups[1],
        (unsigned)launch->groups[2], (unsigned)launch->threads[0], (unsigned)launch->threads[1],
        (unsigned)launch->threads[2], (unsigned)launch->shared_bytes, self->stream, params, NULL));
}

static sepconv_status_t cuda_mark(sepconv_device_t *device, int index) {
    cuda_device_t *self = cuda_of(device);
    return status_of(self->cuda.cuEventRecord(self->marks[index], self->stream));
}

static uint64_t cuda_nanoseconds(sepconv_device_t *device, int first_mark) {
    cuda_device_t *self = cuda_of(device);
    float milliseconds = 0;
    const int result = self->cuda.cuEventElapsedTime(&milliseconds, self->marks[first_mark],
                                                     self->marks[first_mark + 1]);
    return result == CUDA_SUCCESS ? (uint64_t)(milliseconds * 1e6f) : 0;
}

const sepconv_device_api_t sepconv_cuda_device = {
    .name = "cuda",
    .calls = &sepconv_device_calls,
    .bytes = sizeof(cuda_device_t),
    .open = cuda_open,
    .close = cuda_close,
    .enter = cuda_enter,
    .leave = cuda_leave,
    .queue = cuda_queue,
    .allocate = cuda_allocate,
    .release = cuda_release,
    .upload = cuda_upload,
    .download = cuda_download,
    .flush = cuda_flush,
    .synchronize = cuda_synchronize,
    .load = cuda_load,
    .unload = cuda_unload,
    .find = cuda_find,
    .forget = cuda_forget,
    .prepare = cuda_prepare,
    .launch = cuda_launch,
    .mark = cuda_mark,
    .nanoseconds = cuda_nanoseconds,
};
