/* What of OpenCL is used, so that nothing of OpenCL is needed to build. */
#ifndef SEPCONV_SRC_OPENCL_DRIVER_H_
#define SEPCONV_SRC_OPENCL_DRIVER_H_

#include <stddef.h>
#include <stdint.h>

/* Of the OpenCL 3.0 API specification and its header cl.h. */
#define OPENCL_CONSTANTS(CONSTANT)                           \
    CONSTANT(CL_SUCCESS, 0)                                  \
    CONSTANT(CL_MEM_OBJECT_ALLOCATION_FAILURE, -4)           \
    CONSTANT(CL_OUT_OF_RESOURCES, -5)                        \
    CONSTANT(CL_OUT_OF_HOST_MEMORY, -6)                      \
    CONSTANT(CL_DEVICE_TYPE, 0x1000)                         \
    CONSTANT(CL_DEVICE_TYPE_CPU, 1 << 1)                     \
    CONSTANT(CL_DEVICE_TYPE_GPU, 1 << 2)                     \
    CONSTANT(CL_DEVICE_TYPE_ACCELERATOR, 1 << 3)             \
    CONSTANT(CL_DEVICE_SVM_CAPABILITIES, 0x1053)             \
    CONSTANT(CL_DEVICE_SVM_COARSE_GRAIN_BUFFER, 1 << 0)      \
    CONSTANT(CL_CONTEXT_DEVICES, 0x1081)                     \
    CONSTANT(CL_QUEUE_CONTEXT, 0x1090)                       \
    CONSTANT(CL_QUEUE_DEVICE, 0x1091)                        \
    CONSTANT(CL_QUEUE_PROPERTIES, 0x1093)                    \
    CONSTANT(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, 1 << 0) \
    CONSTANT(CL_QUEUE_PROFILING_ENABLE, 1 << 1)              \
    CONSTANT(CL_MEM_READ_WRITE, 1 << 0)                      \
    CONSTANT(CL_PROFILING_COMMAND_END, 0x1283)

/* With cl.h before it, this header only has the lists: tests compare them. */
#if !defined(CL_VERSION_1_0)
typedef struct _cl_platform_id *cl_platform_id;
typedef struct _cl_device_id *cl_device_id;
typedef struct _cl_context *cl_context;
typedef struct _cl_command_queue *cl_command_queue;
typedef struct _cl_program *cl_program;
typedef struct _cl_kernel *cl_kernel;
typedef struct _cl_event *cl_event;
typedef int32_t cl_int;
typedef uint32_t cl_uint;
typedef uint64_t cl_ulong;
typedef uint64_t cl_bitfield;
typedef intptr_t cl_context_properties;
typedef cl_bitfield cl_queue_properties;
#if defined(_WIN32)
#define CL_API_CALL __stdcall
#else
#define CL_API_CALL
#endif

#define OPENCL_ENUMERATOR(name, value) name = (value),
enum { OPENCL_CONSTANTS(OPENCL_ENUMERATOR) };
#undef OPENCL_ENUMERATOR
#endif

typedef void(CL_API_CALL *context_notify_t)(const char *error, const void *info, size_t bytes,
                                            void *data);
typedef void(CL_API_CALL *program_notify_t)(cl_program program, void *data);

#define OPENCL_FUNCTIONS(FUNCTION)                                                                 \
    FUNCTION(cl_int, clGetPlatformIDs,                                                             \
             (cl_uint entries, cl_platform_id * platforms, cl_uint * count))                       \
    FUNCTION(cl_int, clGetDeviceIDs,                                                               \
             (cl_platform_id platform, cl_bitfield type, cl_uint entries, cl_device_id * devices,  \
              cl_uint * count))                                                                    \
    FUNCTION(cl_int, clGetDeviceInfo,                                                              \
             (cl_device_id device, cl_uint name, size_t bytes, void *value, size_t *size))         \
    FUNCTION(cl_context, clCreateContext,                                                          \
             (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices, \
              context_notify_t notify, void *data, cl_int *error))                                 \
    FUNCTION(cl_int, clRetainContext, (cl_context context))                                        \
    FUNCTION(cl_int, clReleaseContext, (cl_context context))                                       \
    FUNCTION(cl_int, clGetContextInfo,                                                             \
             (cl_context context, cl_uint name, size_t bytes, void *value, size_t *size))          \
    FUNCTION(cl_command_queue, clCreateCommandQueueWithProperties,                                 \
             (cl_context context, cl_device_id device, const cl_queue_properties *properties,      \
              cl_int *error))                                                                      \
    FUNCTION(cl_int, clRetainCommandQueue, (cl_command_queue queue))                               \
    FUNCTION(cl_int, clReleaseCommandQueue, (cl_command_queue queue))                              \
    FUNCTION(cl_int, clGetCommandQueueInfo,                                                        \
             (cl_command_queue queue, cl_uint name, size_t bytes, void *value, size_t *size))      \
    FUNCTION(cl_int, clFlush, (cl_command_queue queue))                                            \
    FUNCTION(cl_int, clFinish, (cl_command_queue queue))                                           \
    FUNCTION(void *, clSVMAlloc,                                                                   \
             (cl_context context, cl_bitfield flags, size_t bytes, cl_uint alignment))             \
    FUNCTION(void, clSVMFree, (cl_context context, void *memory))                                  \
    FUNCTION(cl_int, clEnqueueSVMMemcpy,                                                           \
             (cl_command_queue queue, cl_uint blocking, void *to, const void *from, size_t bytes,  \
              cl_uint wait_count, const cl_event *waits, cl_event *event))                         \
    FUNCTION(cl_program, clCreateProgramWithSource,                                                \
             (cl_context context, cl_uint count, const char **strings, const size_t *lengths,      \
              cl_int *error))                                                                      \
    FUNCTION(cl_int, clBuildProgram,                                                               \
             (cl_program program, cl_uint count, const cl_device_id *devices, const char *options, \
              program_notify_t notify, void *data))                                                \
    FUNCTION(cl_int, clReleaseProgram, (cl_program program))                                       \
    FUNCTION(cl_kernel, clCreateKernel, (cl_program program, const char *name, cl_int *error))     \
    FUNCTION(cl_int, clReleaseKernel, (cl_kernel kernel))                                          \
    FUNCTION(cl_int, clSetKernelArg,                                                               \
             (cl_kernel kernel, cl_uint index, size_t bytes, const void *value))                   \
    FUNCTION(cl_int, clSetKernelArgSVMPointer,                                                     \
             (cl_kernel kernel, cl_uint index, const void *value))                                 \
    FUNCTION(cl_int, clEnqueueNDRangeKernel,                                                       \
             (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,  \
              const size_t *global_size, const size_t *local_size, cl_uint wait_count,             \
              const cl_event *waits, cl_event *event))                                             \
    FUNCTION(cl_int, clEnqueueMarkerWithWaitList,                                                  \
             (cl_command_queue queue, cl_uint wait_count, const cl_event *waits, cl_event *event)) \
    FUNCTION(cl_int, clGetEventProfilingInfo,                                                      \
             (cl_event event, cl_uint name, size_t bytes, void *value, size_t *size))              \
    FUNCTION(cl_int, clReleaseEvent, (cl_event event))

typedef struct opencl_functions_t {
#define OPENCL_MEMBER(result, name, parameters) result(CL_API_CALL *name) parameters;
    OPENCL_FUNCTIONS(OPENCL_MEMBER)
#undef OPENCL_MEMBER
} opencl_functions_t;

#endif /* SEPCONV_SRC_OPENCL_DRIVER_H_ */
