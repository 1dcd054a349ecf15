/* The C interface of every library that sepconv compiles.
 *
 * A library NAME exports NAME_model(); its header NAME.h holds the sizes as macros. Nothing here
 * prints, aborts or throws. A model is read-only and shared; a context belongs to one caller at a
 * time, and a second call that runs into the first is refused; any number of contexts may run at
 * once. sepconv_run allocates nothing, on a device neither (what its driver does inside is the
 * driver's business), and compiles nothing.
 *
 * fork: in the child, contexts of the parent that were not in use are as good as before, but those
 * with threads of our own run serially, and those on a device, whose drivers do not follow, answer
 * SEPCONV_DEVICE_ERROR. Any may be destroyed there. New ones may be made as far as the driver lets.
 */
#ifndef SEPCONV_SEPCONV_H_
#define SEPCONV_SEPCONV_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SEPCONV_NODISCARD __attribute__((warn_unused_result))
#else
#define SEPCONV_NODISCARD
#endif

/* The greatest options.num_threads. */
#define SEPCONV_MAX_THREADS 1024

typedef enum sepconv_status_t {
    SEPCONV_OK = 0,
    SEPCONV_INVALID_ARGUMENT = 1, /* A pointer is null or misaligned, an index or an
                                     option out of range. */
    SEPCONV_ABI_MISMATCH = 2,     /* Model and runtime were built by different versions. */
    SEPCONV_UNSUPPORTED_ISA = 3,  /* No variant of the model runs on this CPU (or SEPCONV_ISA,
                                     SEPCONV_DEVICE or options.device ask for one that is not in the
                                     library or not on this CPU). */
    SEPCONV_OUT_OF_MEMORY = 4, /* The context could not be allocated, on the host or the device. */
    SEPCONV_ARENA_TOO_SMALL = 5, /* options.arena_bytes is below sepconv_model_arena_bytes(). */
    SEPCONV_THREAD_ERROR = 6,    /* A thread could not be started. */
    SEPCONV_CALLBACK_ERROR = 7,  /* The caller's parallel_for returned non-zero or broke its
                                    contract; what the outputs hold is unspecified. */
    SEPCONV_KERNEL_ERROR = 8,    /* A kernel reported an error, or asked for more scratch than
                                    planned: a defect of sepconv. */
    SEPCONV_NO_DEVICE = 9,       /* The model would run on a device, but there is no driver
                                    (libcuda.so.1, libOpenCL.so.1) or it has no device. */
    SEPCONV_DEVICE_TOO_OLD = 10, /* There is one, but it or its driver is older than the model was
                                    compiled for, or its OpenCL has no shared virtual memory. */
    SEPCONV_DEVICE_ERROR = 11,   /* The device's driver reported an error; what the outputs hold is
                                    unspecified. Or a child of fork used a context of its parent's. */
    SEPCONV_CONTEXT_IN_USE = 12  /* Another call is running in this context. */
} sepconv_status_t;

/* One sentence; static storage; never null. */
const char *sepconv_status_message(sepconv_status_t status);

typedef struct sepconv_model_t sepconv_model_t;
typedef struct sepconv_context_t sepconv_context_t;

/* Calls body(body_data, index, worker) once for every index in [0, count), in any order, on any
 * threads, and returns when all have returned: 0, or the first non-zero result. `worker` must be in
 * [0, num_threads) and must not be used by two calls at once. */
typedef int (*sepconv_task_t)(void *body_data, int index, int worker);
typedef int (*sepconv_parallel_for_t)(void *user_data, sepconv_task_t body, void *body_data,
                                      int count);

typedef struct sepconv_options_t {
    int num_threads;                     /* 0 and 1: serial. With parallel_for: its workers. */
    sepconv_parallel_for_t parallel_for; /* Null: a pool of num_threads - 1 threads of our own. */
    void *parallel_for_data;             /* First argument of parallel_for. */
    void *arena;                         /* Null: allocated with the context. Any alignment. */
    size_t arena_bytes;                  /* At least sepconv_model_arena_bytes(model, threads). */
    int profile;                         /* Non-zero: record the time of every block. */

    /* Of libraries with variants for a device. On a device num_threads, parallel_for and arena are
     * without effect. */
    const char *device;   /* "cpu", "cuda", "opencl": only such variants. Null: any. */
    void *device_context; /* The CUcontext or cl_context to use; `device` must say which. It and the
                             queue must outlive the context. Null: the primary context of the first
                             fitting CUDA device; an OpenCL context of our own. */
    void *device_queue;   /* The CUstream or cl_command_queue (in order) to use, of device_context.
                             Null: one of our own. CUDA's default stream is CU_STREAM_LEGACY. */
} sepconv_options_t;

/* A dense float tensor of the caller: shape and order as `layout` says. */
typedef struct sepconv_tensor_t {
    const char *name;
    const char *layout; /* "nchw", "nhwc", or "" when the tensor is not 4-D. */
    int rank;
    const int64_t *shape; /* rank extents, in the order of memory. */
    size_t bytes;
} sepconv_tensor_t;

/* Number of inputs and outputs; descriptions live as long as the model; null when out of range. A
 * model of another ABI version counts as having none. */
int sepconv_model_input_count(const sepconv_model_t *model);
int sepconv_model_output_count(const sepconv_model_t *model);
const sepconv_tensor_t *sepconv_model_input(const sepconv_model_t *model, int index);
const sepconv_tensor_t *sepconv_model_output(const sepconv_model_t *model, int index);
const char *sepconv_model_name(const sepconv_model_t *model);

/* Bytes that a caller's arena must have for `num_threads` workers; 0 for a null model or a number
 * of threads out of range. */
size_t sepconv_model_arena_bytes(const sepconv_model_t *model, int num_threads);

/* Whether this CPU and operating system run `isa`: "sse41", "avx2", "avx512" (x86-64), "neon"
 * (ARM), "dotprod" (64-bit ARM), "rvv128", "rvv256" (RISC-V, by the length of its vectors),
 * "baseline" (the one variant of other CPUs: always). Unknown names: 0. Whether a device is there,
 * making a context tells. */
int sepconv_isa_available(const char *isa);

/* Makes a context: of the first variant in the library that is available. `options` may be null:
 * serial, own arena. The environment variable SEPCONV_ISA forces a variant ("avx2", "cuda"),
 * SEPCONV_DEVICE a kind of device as options.device does ("cpu": none); both hold where both are
 * given. An OpenCL device that is the CPU is taken where no variant for the CPU may be. On failure
 * *context is null. The caller destroys the context. */
SEPCONV_NODISCARD sepconv_status_t sepconv_context_create(const sepconv_model_t *model,
                                                          const sepconv_options_t *options,
                                                          sepconv_context_t **context);
void sepconv_context_destroy(sepconv_context_t *context); /* Null is allowed. */

/* The variant that the context runs: "avx2", "cuda". */
const char *sepconv_context_isa(const sepconv_context_t *context);

/* Computes all outputs from all inputs. Pointers are to the first elements, in the model's order,
 * aligned to 4 bytes; buffers may not overlap each other or the arena. They are the host's: where
 * the context runs on a device, inputs and outputs are copied and the device is waited for. */
SEPCONV_NODISCARD sepconv_status_t sepconv_run(sepconv_context_t *context,
                                               const void *const inputs[], void *const outputs[]);

/* The same on the context's device from and to its memory: device pointers of CUDA, pointers of
 * OpenCL's shared virtual memory. Work is queued and not waited for; it comes in the queue's order,
 * and an error of the device may show later. SEPCONV_INVALID_ARGUMENT where the context runs on the
 * CPU. Destroying a context waits for its work. */
SEPCONV_NODISCARD sepconv_status_t sepconv_run_on_device(sepconv_context_t *context,
                                                         const void *const inputs[],
                                                         void *const outputs[]);

/* Waits until everything in the context's queue is done. Nothing to do on the CPU. */
SEPCONV_NODISCARD sepconv_status_t sepconv_synchronize(sepconv_context_t *context);

/* The CUstream or cl_command_queue that the context uses; null on the CPU. */
void *sepconv_context_device_queue(const sepconv_context_t *context);

/* Blocks of the plan in order; with options.profile the nanoseconds of the last run, else 0. On a
 * device they are taken by its own clock, and there when the run has been waited for; on a caller's
 * OpenCL queue only where it has profiling enabled. */
int sepconv_context_block_count(const sepconv_context_t *context);
const char *sepconv_context_block_name(const sepconv_context_t *context, int index);
uint64_t sepconv_context_block_nanoseconds(const sepconv_context_t *context, int index);

#ifdef __cplusplus
}
#endif

#endif /* SEPCONV_SEPCONV_H_ */
