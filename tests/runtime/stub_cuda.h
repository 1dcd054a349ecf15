/* A libcuda.so.1 for tests: its memory is the host's, its kernels a function of the test. It
 * records calls, counts what is alive, fails on request, and refuses what a driver would: a call
 * without a current context, a handle that is not alive. Open it, and look up stub_cuda. */
#ifndef SEPCONV_TESTS_RUNTIME_STUB_CUDA_H_
#define SEPCONV_TESTS_RUNTIME_STUB_CUDA_H_

#include "cuda_driver.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { kStubCalls = 4096, kStubDevices = 2 };

typedef struct stub_call_t {
    const char *function;
    CUstream stream;    /* Null where it has none. */
    const char *kernel; /* Of a launch; else null. */
    size_t bytes;       /* Of an allocation or a copy; of a launch, shared memory. */
} stub_call_t;

typedef struct stub_cuda_t {
    /* Set by the test. */
    int driver_version;
    int device_count;
    int capabilities[kStubDevices];
    void (*launch)(const char *kernel, const unsigned grid[3], const unsigned block[3],
                   unsigned shared_bytes, void **params);
    const char *failing_function; /* Null: any. */
    int failing_result;           /* 0: none fails. */
    int calls_before_failure;     /* Of such functions. */

    /* Told to the test. */
    int contexts, streams, events, modules, allocations; /* Alive. */
    int misuses;
    int call_count;
    stub_call_t calls[kStubCalls];
} stub_cuda_t;

stub_cuda_t *stub_cuda(void);

/* The state of a driver that nobody has used, with one device of capability 8.0. */
void stub_cuda_reset(void);

/* As a program makes them for itself; they count as alive. */
CUcontext stub_cuda_make_context(void);
void stub_cuda_drop_context(CUcontext context);
CUcontext stub_cuda_current_context(void);

#ifdef __cplusplus
}
#endif

#endif /* SEPCONV_TESTS_RUNTIME_STUB_CUDA_H_ */
