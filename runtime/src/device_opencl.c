/* OpenCL 2.0 and newer, opened when a context asks for it. Memory is coarse-grained shared virtual
 * memory, so that an address and an offset are added as everywhere else. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "opencl_driver.h"

static const sepconv_symbol_t kSymbols[] = {
#define OPENCL_SYMBOL(result, name, parameters) {#name, offsetof(opencl_functions_t, name)},
    OPENCL_FUNCTIONS(OPENCL_SYMBOL)
#undef OPENCL_SYMBOL
};

#if defined(_WIN32)
static const char *const kLibraries[] = {"OpenCL.dll", NULL};
#else
static const char *const kLibraries[] = {"libOpenCL.so.1", "libOpenCL.so", NULL};
#endif

enum { kMaxPlatforms = 16, kMaxDevices = 16 };

typedef struct opencl_device_t {
    sepconv_device_t base;
    void *library;
    opencl_functions_t cl;
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    int mark_count;
    cl_event *marks; /* Null where times are not asked for or the queue has none. */
} opencl_device_t;

static opencl_device_t *opencl_of(sepconv_device_t *device) {
    return (opencl_device_t *)(void *)device;
}

static sepconv_status_t status_of(cl_int result) {
    return result == CL_SUCCESS ? SEPCONV_OK : SEPCONV_DEVICE_ERROR;
}

static sepconv_status_t allocation_status_of(cl_int result) {
    return result == CL_MEM_OBJECT_ALLOCATION_FAILURE || result == CL_OUT_OF_RESOURCES ||
                   result == CL_OUT_OF_HOST_MEMORY
               ? SEPCONV_OUT_OF_MEMORY
               : status_of(result);
}

/* Devices older than OpenCL 2.0 do not know the question. */
static int has_shared_memory(opencl_device_t *self, cl_device_id device) {
    cl_bitfield capabilities = 0;
    return self->cl.clGetDeviceInfo(device, CL_DEVICE_SVM_CAPABILITIES, sizeof(capabilities),
                                    &capabilities, NULL) == CL_SUCCESS &&
           (capabilities & CL_DEVICE_SVM_COARSE_GRAIN_BUFFER) != 0;
}

static int is_cpu(opencl_device_t *self, cl_device_id device) {
    cl_bitfield type = 0;
    return self->cl.clGetDeviceInfo(device, CL_DEVICE_TYPE, sizeof(type), &type, NULL) !=
               CL_SUCCESS ||
           (type & CL_DEVICE_TYPE_CPU) != 0;
}

/* Keeps `device` where it is better than what there is: not the CPU, then the first. */
static void consider(opencl_device_t *self, cl_device_id device, int accept_cpu,
                     sepconv_status_t *status) {
    const int cpu = is_cpu(self, device);
    if (cpu && !accept_cpu) {
        return;
    }
    if (!has_shared_memory(self, device)) {
        *status = self->device != NULL ? *status : SEPCONV_DEVICE_TOO_OLD;
        return;
    }
    if (self->device == NULL || (is_cpu(self, self->device) && !cpu)) {
        self->device = device;
        *status = SEPCONV_OK;
    }
}

static sepconv_status_t find_device(opencl_device_t *self, int accept_cpu) {
    cl_platform_id platforms[kMaxPlatforms];
    cl_device_id devices[kMaxDevices];
    cl_uint platform_count = 0;
    sepconv_status_t status = SEPCONV_NO_DEVICE;
    if (self->cl.clGetPlatformIDs(kMaxPlatforms, platforms, &platform_count) != CL_SUCCESS) {
        return status;
    }
    const cl_bitfield types = CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR;
    for (cl_uint i = 0; i < platform_count && i < kMaxPlatforms; ++i) {
        cl_uint device_count = 0;
        if (self->cl.clGetDeviceIDs(platforms[i], types, kMaxDevices, devices, &device_count) !=
            CL_SUCCESS) {
            continue;
        }
        for (cl_uint j = 0; j < device_count && j < kMaxDevices; ++j) {
            consider(self, devices[j], accept_cpu, &status);
        }
    }
    return status;
}

static sepconv_status_t create_context(opencl_device_t *self, int accept_cpu) {
    const sepconv_status_t status = find_device(self, accept_cpu);
    if (status != SEPCONV_OK) {
        return status;
    }
    cl_int error = CL_SUCCESS;
    self->context = self->cl.clCreateContext(NULL, 1, &self->device, NULL, NULL, &error);
    return allocation_status_of(error);
}

/* The device of the caller's queue, or the first of his context. */
static sepconv_status_t use_callers_context(opencl_device_t *self,
                                            const sepconv_device_request_t *request) {
    cl_device_id devices[kMaxDevices];
    memset(devices, 0, sizeof(devices));
    self->context = (cl_context)request->context;
    if (self->cl.clRetainContext(self->context) != CL_SUCCESS) {
        self->context = NULL;
        return SEPCONV_INVALID_ARGUMENT;
    }
    if (self->cl.clGetContextInfo(self->context, CL_CONTEXT_DEVICES, sizeof(devices), devices,
                                  NULL) != CL_SUCCESS) {
        return SEPCONV_INVALID_ARGUMENT;
    }
    self->device = devices[0];
    return SEPCONV_OK;
}

/* It must be in order, and of the context. */
static sepconv_status_t use_callers_queue(opencl_device_t *self, cl_command_queue queue,
                                          cl_queue_properties *properties) {
    cl_context context = NULL;
    if (self->cl.clRetainCommandQueue(queue) != CL_SUCCESS) {
        return SEPCONV_INVALID_ARGUMENT;
    }
    self->queue = queue;
    const int known =
        self->cl.clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof(context), &context, NULL) ==
            CL_SUCCESS &&
        self->cl.clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof(self->device), &self->device,
                                       NULL) == CL_SUCCESS &&
        self->cl.clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof(*properties), properties,
                                       NULL) == CL_SUCCESS;
    return known && context == self->context &&
                   (*properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) == 0
               ? SEPCONV_OK
               : SEPCONV_INVALID_ARGUMENT;
}

static sepconv_status_t create_queue(opencl_device_t *self, int profile) {
    const cl_queue_properties properties[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
    cl_int error = CL_SUCCESS;
    self->queue = self->cl.clCreateCommandQueueWithProperties(self->context, self->device,
                                                              profile ? properties : NULL, &error);
    return allocation_status_of(error);
}

static sepconv_status_t create_marks(opencl_device_t *self, int mark_count) {
    self->marks = (cl_event *)calloc((size_t)mark_count, sizeof(cl_event));
    if (self->marks == NULL) {
        return SEPCONV_OUT_OF_MEMORY;
    }
    self->mark_count = mark_count;
    return SEPCONV_OK;
}

static sepconv_status_t open_alone(opencl_device_t *self, const sepconv_device_request_t *request) {
    cl_queue_properties properties = CL_QUEUE_PROFILING_ENABLE;
    sepconv_status_t status =
        sepconv_library_open(kLibraries, kSymbols, (int)(sizeof(kSymbols) / sizeof(kSymbols[0])),
                             &self->cl, &self->library);
    if (status == SEPCONV_OK) {
        status = request->context != NULL ? use_callers_context(self, request)
                                          : create_context(self, request->accept_cpu);
    }
    if (status == SEPCONV_OK) {
        status = request->queue != NULL
                     ? use_callers_queue(self, (cl_command_queue)request->queue, &properties)
                     : create_queue(self, request->mark_count != 0);
    }
    if (status == SEPCONV_OK && !has_shared_memory(self, self->device)) {
        status = SEPCONV_DEVICE_TOO_OLD;
    }
    if (status == SEPCONV_OK && request->mark_count != 0 &&
        (properties & CL_QUEUE_PROFILING_ENABLE) != 0) {
        status = create_marks(self, request->mark_count);
    }
    return status;
}

/* The first calls of a process start a driver, not always so that two threads may (PoCL 3.1). */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

static sepconv_status_t opencl_open(sepconv_device_t *device,
                                    const sepconv_device_request_t *request) {
    pthread_mutex_lock(&opening);
    const sepconv_status_t status = open_alone(opencl_of(device), request);
    pthread_mutex_unlock(&opening);
    return status;
}

static void opencl_close(sepconv_device_t *device) {
    opencl_device_t *self = opencl_of(device);
    for (int i = 0; i < self->mark_count; ++i) {
        if (self->marks[i] != NULL) {
            (void)self->cl.clReleaseEvent(self->marks[i]);
        }
    }
    free(self->marks);
    if (self->queue != NULL) {
        (void)self->cl.clReleaseCommandQueue(self->queue);
    }
    if (self->context != NULL) {
        (void)self->cl.clReleaseContext(self->context);
    }
    sepconv_library_close(self->library);
}

/* OpenCL has no context of a thread. */
static sepconv_status_t opencl_enter(sepconv_device_t *device) {
    (void)device;
    return SEPCONV_OK;
}

static void opencl_leave(sepconv_device_t *device) {
    (void)device;
}

static void *opencl_queue(const sepconv_device_t *device) {
    return ((const opencl_device_t *)(const void *)device)->queue;
}

/* With the greatest alignment that the device has a type for. */
static sepconv_status_t opencl_allocate(sepconv_device_t *device, size_t bytes, uint8_t **memory) {
    opencl_device_t *self = opencl_of(device);
    *memory = (uint8_t *)self->cl.clSVMAlloc(self->context, CL_MEM_READ_WRITE, bytes, 0);
    return *memory != NULL ? SEPCONV_OK : SEPCONV_OUT_OF_MEMORY;
}

static void opencl_release(sepconv_device_t *device, uint8_t *memory) {
    opencl_device_t *self = opencl_of(device);
    self->cl.clSVMFree(self->context, memory);
}

static sepconv_status_t copy(sepconv_device_t *device, void *to, const void *from, size_t bytes) {
    opencl_device_t *self = opencl_of(device);
    return status_of(self->cl.clEnqueueSVMMemcpy(self->queue, 0, to, from, bytes, 0, NULL, NULL));
}

static sepconv_status_t opencl_upload(sepconv_device_t *device, uint8_t *to, const void *from,
                                      size_t bytes) {
    return copy(device, to, from, bytes);
}

static sepconv_status_t opencl_download(sepconv_device_t *device, void *to, const uint8_t *from,
                                        size_t bytes) {
    return copy(device, to, from, bytes);
}

static sepconv_status_t opencl_flush(sepconv_device_t *device) {
    opencl_device_t *self = opencl_of(device);
    return status_of(self->cl.clFlush(self->queue));
}

static sepconv_status_t opencl_synchronize(sepconv_device_t *device) {
    opencl_device_t *self = opencl_of(device);
    return status_of(self->cl.clFinish(self->queue));
}

static sepconv_status_t opencl_load(sepconv_device_t *device, const char *image, size_t bytes,
                                    void **module) {
    opencl_device_t *self = opencl_of(device);
    /* Halide's source ends with a zero, which is no part of a program. */
    const size_t length = bytes != 0 && image[bytes - 1] == '\0' ? bytes - 1 : bytes;
    cl_int error = CL_SUCCESS;
    cl_program program =
        self->cl.clCreateProgramWithSource(self->context, 1, &image, &length, &error);
    if (error != CL_SUCCESS) {
        return allocation_status_of(error);
    }
    error = self->cl.clBuildProgram(program, 1, &self->device, "", NULL, NULL);
    if (error != CL_SUCCESS) {
        (void)self->cl.clReleaseProgram(program);
        return allocation_status_of(error);
    }
    *module = program;
    return SEPCONV_OK;
}

static void opencl_unload(sepconv_device_t *device, void *module) {
    (void)opencl_of(device)->cl.clReleaseProgram((cl_program)module);
}

/* A kernel object holds its arguments: each context has its own. */
static sepconv_status_t opencl_find(sepconv_device_t *device, void *module, const char *name,
                                    void **function) {
    cl_int error = CL_SUCCESS;
    *function = opencl_of(device)->cl.clCreateKernel((cl_program)module, name, &error);
    return status_of(error);
}

static void opencl_forget(sepconv_device_t *device, void *function) {
    (void)opencl_of(device)->cl.clReleaseKernel((cl_kernel)function);
}

static sepconv_status_t opencl_prepare(sepconv_device_t *device, void *function,
                                       size_t shared_bytes) {
    (void)device;
    (void)function;
    (void)shared_bytes;
    return SEPCONV_OK;
}

static cl_int set_args(opencl_device_t *self, cl_kernel kernel, const sepconv_launch_t *launch) {
    cl_int error = CL_SUCCESS;
    for (int i = 0; i < launch->arg_count && error == CL_SUCCESS; ++i) {
        if (launch->arg_is_buffer[i]) {
            const uint64_t address = ((const sepconv_buffer_t *)launch->args[i])->device;
            error = self->cl.clSetKernelArgSVMPointer(kernel, (cl_uint)i,
                                                      (const void *)(uintptr_t)address);
        } else {
            error =
                self->cl.clSetKernelArg(kernel, (cl_uint)i, launch->arg_sizes[i], launch->args[i]);
        }
    }
    if (error != CL_SUCCESS) {
        return error;
    }
    /* Local memory of no bytes is not allowed. */
    return self->cl.clSetKernelArg(kernel, (cl_uint)launch->arg_count,
                                   launch->shared_bytes != 0 ? launch->shared_bytes : 1, NULL);
}

static sepconv_status_t opencl_launch(sepconv_device_t *device, void *function,
                                      const sepconv_launch_t *launch) {
    opencl_device_t *self = opencl_of(device);
    size_t global_size[3];
    size_t local_size[3];
    for (int i = 0; i < 3; ++i) {
        local_size[i] = (size_t)launch->threads[i];
        global_size[i] = (size_t)launch->groups[i] * local_size[i];
    }
    cl_int error = set_args(self, (cl_kernel)function, launch);
    if (error == CL_SUCCESS) {
        error = self->cl.clEnqueueNDRangeKernel(self->queue, (cl_kernel)function, 3, NULL,
                                                global_size, local_size, 0, NULL, NULL);
    }
    return status_of(error);
}

static sepconv_status_t opencl_mark(sepconv_device_t *device, int index) {
    opencl_device_t *self = opencl_of(device);
    if (self->marks == NULL) {
        return SEPCONV_OK;
    }
    if (self->marks[index] != NULL) {
        (void)self->cl.clReleaseEvent(self->marks[index]);
        self->marks[index] = NULL;
    }
    return status_of(
        self->cl.clEnqueueMarkerWithWaitList(self->queue, 0, NULL, &self->marks[index]));
}

/* 0 where the mark was not set or its time is not known. */
static cl_ulong time_of(opencl_device_t *self, int mark) {
    cl_ulong time = 0;
    if (self->marks[mark] == NULL ||
        self->cl.clGetEventProfilingInfo(self->marks[mark], CL_PROFILING_COMMAND_END, sizeof(time),
                                         &time, NULL) != CL_SUCCESS) {
        return 0;
    }
    return time;
}

static uint64_t opencl_nanoseconds(sepconv_device_t *device, int first_mark) {
    opencl_device_t *self = opencl_of(device);
    if (self->marks == NULL) {
        return 0;
    }
    const cl_ulong start = time_of(self, first_mark);
    const cl_ulong end = time_of(self, first_mark + 1);
    return start != 0 && end > start ? end - start : 0;
}

const sepconv_device_api_t sepconv_opencl_device = {
    .name = "opencl",
    .calls = &sepconv_device_calls,
    .bytes = sizeof(opencl_device_t),
    .open = opencl_open,
    .close = opencl_close,
    .enter = opencl_enter,
    .leave = opencl_leave,
    .queue = opencl_queue,
    .allocate = opencl_allocate,
    .release = opencl_release,
    .upload = opencl_upload,
    .download = opencl_download,
    .flush = opencl_flush,
    .synchronize = opencl_synchronize,
    .load = opencl_load,
    .unload = opencl_unload,
    .find = opencl_find,
    .forget = opencl_forget,
    .prepare = opencl_prepare,
    .launch = opencl_launch,
    .mark = opencl_mark,
    .nanoseconds = opencl_nanoseconds,
};
