/* What of CUDA's driver API is used, so that nothing of CUDA is needed to build. */
#ifndef SEPCONV_SRC_CUDA_DRIVER_H_
#define SEPCONV_SRC_CUDA_DRIVER_H_

#include <stddef.h>
#include <stdint.h>

/* Of cuda.h as the reference of CUDA's driver API gives it; the names are those that the library
 * exports since CUDA 11.0. */
#define CUDA_CONSTANTS(CONSTANT)                                 \
    CONSTANT(CUDA_SUCCESS, 0)                                    \
    CONSTANT(CUDA_ERROR_OUT_OF_MEMORY, 2)                        \
    CONSTANT(CUDA_ERROR_NO_BINARY_FOR_GPU, 209)                  \
    CONSTANT(CUDA_ERROR_INVALID_PTX, 218)                        \
    CONSTANT(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, 222)            \
    CONSTANT(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, 803)             \
    CONSTANT(CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE, 804)     \
    CONSTANT(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 75)   \
    CONSTANT(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 76)   \
    CONSTANT(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 8) \
    CONSTANT(CU_STREAM_DEFAULT, 0)                               \
    CONSTANT(CU_EVENT_DEFAULT, 0)

/* With cuda.h before it, this header only has the lists: tests compare them. */
#if !defined(CUDA_VERSION)
typedef struct CUctx_st *CUcontext;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
/* Enumerations of cuda.h. */
typedef int CUresult;
typedef int CUdevice_attribute;
typedef int CUfunction_attribute;
typedef int CUjit_option;

#define CUDA_ENUMERATOR(name, value) name = (value),
enum { CUDA_CONSTANTS(CUDA_ENUMERATOR) };
#undef CUDA_ENUMERATOR
#endif

#define CUDA_FUNCTIONS(FUNCTION)                                                                   \
    FUNCTION(cuInit, (unsigned flags))                                                             \
    FUNCTION(cuDriverGetVersion, (int *version))                                                   \
    FUNCTION(cuDeviceGetCount, (int *count))                                                       \
    FUNCTION(cuDeviceGet, (CUdevice * device, int ordinal))                                        \
    FUNCTION(cuDeviceGetAttribute, (int *value, CUdevice_attribute attribute, CUdevice device))    \
    FUNCTION(cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device))                     \
    FUNCTION(cuDevicePrimaryCtxRelease_v2, (CUdevice device))                                      \
    FUNCTION(cuCtxGetDevice, (CUdevice * device))                                                  \
    FUNCTION(cuCtxPushCurrent_v2, (CUcontext context))                                             \
    FUNCTION(cuCtxPopCurrent_v2, (CUcontext * context))                                            \
    FUNCTION(cuStreamCreate, (CUstream * stream, unsigned flags))                                  \
    FUNCTION(cuStreamDestroy_v2, (CUstream stream))                                                \
    FUNCTION(cuStreamSynchronize, (CUstream stream))                                               \
    FUNCTION(cuEventCreate, (CUevent * event, unsigned flags))                                     \
    FUNCTION(cuEventDestroy_v2, (CUevent event))                                                   \
    FUNCTION(cuEventRecord, (CUevent event, CUstream stream))                                      \
    FUNCTION(cuEventElapsedTime, (float *milliseconds, CUevent start, CUevent end))                \
    FUNCTION(cuMemAlloc_v2, (CUdeviceptr * memory, size_t bytes))                                  \
    FUNCTION(cuMemFree_v2, (CUdeviceptr memory))                                                   \
    FUNCTION(cuMemcpyHtoDAsync_v2,                                                                 \
             (CUdeviceptr to, const void *from, size_t bytes, CUstream stream))                    \
    FUNCTION(cuMemcpyDtoHAsync_v2, (void *to, CUdeviceptr from, size_t bytes, CUstream stream))    \
    FUNCTION(cuModuleLoadDataEx, (CUmodule * module, const void *image, unsigned option_count,     \
                                  CUjit_option *options, void **option_values))                    \
    FUNCTION(cuModuleUnload, (CUmodule module))                                                    \
    FUNCTION(cuModuleGetFunction, (CUfunction * function, CUmodule module, const char *name))      \
    FUNCTION(cuFuncSetAttribute, (CUfunction function, CUfunction_attribute attribute, int value)) \
    FUNCTION(cuLaunchKernel,                                                                       \
             (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,              \
              unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,         \
              CUstream stream, void **params, void **extra))

typedef struct cuda_functions_t {
#define CUDA_MEMBER(name, parameters) CUresult(*name) parameters;
    CUDA_FUNCTIONS(CUDA_MEMBER)
#undef CUDA_MEMBER
} cuda_functions_t;

#endif /* SEPCONV_SRC_CUDA_DRIVER_H_ */
