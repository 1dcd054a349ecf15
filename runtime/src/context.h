/* What the runtime's own files share. Every name here is hidden from a shared library. */
#ifndef SEPCONV_SRC_CONTEXT_H_
#define SEPCONV_SRC_CONTEXT_H_

#include <stdatomic.h>

#include "sepconv/plan.h"

#if defined(__GNUC__)
#pragma GCC visibility push(hidden)
#endif

enum {
    kScratchAlignment = 64,
    kScratchNone = -1 /* sepconv_worker_t.last when nothing is allocated. */
};

/* One user of scratch: what the user_context of a kernel or task points to.
 *
 * The padding keeps the fields of two workers off one cache line wherever the array begins. */
typedef struct sepconv_worker_t {
    sepconv_context_t *context;
    uint8_t *scratch; /* Aligned to kScratchAlignment. */
    size_t capacity;  /* Bytes. */
    size_t used;      /* Bytes from `scratch` that are in use; a multiple of kScratchAlignment. */
    ptrdiff_t last;   /* Offset of the header of the newest allocation, or kScratchNone. */
    int in_task;      /* Whether it runs tasks of a parallel loop: a loop inside is serial. */
    uint8_t padding[128 - 4 * sizeof(void *) - sizeof(ptrdiff_t) - sizeof(int)];
} sepconv_worker_t;

typedef struct sepconv_pool_t sepconv_pool_t;
typedef struct sepconv_device_t sepconv_device_t;

struct sepconv_context_t {
    const sepconv_model_t *model;
    const sepconv_variant_t *variant;
    sepconv_device_t *device; /* Null on the CPU. Where it is not, weights and arena are addresses
                                 of the device. */
    const uint8_t *weights;
    uint8_t *arena;    /* Aligned: tensors and the steps' scratch, then the slices of scratch. */
    void *owned_arena; /* What to free; null for a caller's arena. */
    int num_threads;   /* At least 1. */
    sepconv_parallel_for_t parallel_for; /* The caller's or the pool's; null when serial. */
    void *parallel_for_data;
    sepconv_pool_t *pool;        /* Null when serial or with the caller's parallel_for. */
    uint64_t *block_nanoseconds; /* Null without profile. */
    atomic_int in_use;           /* Whether a call is running in it. */
    atomic_int error;            /* First sepconv_status_t recorded in the current run. */
    sepconv_worker_t caller;     /* The serial part of a kernel: the scratch of its step. */
    sepconv_worker_t *workers;   /* num_threads of them; null when serial. */
};

static inline size_t sepconv_round_up(size_t bytes, size_t multiple) {
    return (bytes + multiple - 1) / multiple * multiple;
}

/* Slices of scratch for `num_threads` workers: none where there is one, for it runs its tasks on
 * the scratch of the step. */
static inline size_t sepconv_slice_count(int num_threads) {
    return num_threads > 1 ? (size_t)num_threads : 0;
}

/* Bytes of one slice: the need of the hungriest variant, so that it does not depend on the CPU. */
size_t sepconv_slice_bytes(const sepconv_model_t *model);

/* Whether `model` is not null and was built for this runtime; only then may its fields be read. */
int sepconv_model_readable(const sepconv_model_t *model);

/* What a caller and the environment restrict the choice of a variant to; null or "": nothing. */
typedef struct sepconv_restriction_t {
    const char *isa;
    const char *devices[2]; /* "cpu" or the name of a device; both hold. */
} sepconv_restriction_t;

/* Whether `variant` is one of those that `restriction` leaves. */
int sepconv_variant_allowed(const sepconv_variant_t *variant,
                            const sepconv_restriction_t *restriction);

/* Whether one that `restriction` leaves runs on this CPU. */
int sepconv_model_runs_on_cpu(const sepconv_model_t *model,
                              const sepconv_restriction_t *restriction);

/* Calls the kernels of the plan in order; the arguments as of sepconv_run, on a device in its
 * memory. */
sepconv_status_t sepconv_run_steps(sepconv_context_t *context, const void *const inputs[],
                                   void *const outputs[]);

/* Gives `worker` that scratch, with nothing allocated in it. */
void sepconv_worker_set(sepconv_worker_t *worker, uint8_t *scratch, size_t capacity);

/* Frees everything that `worker` has allocated. */
void sepconv_worker_reset(sepconv_worker_t *worker);

/* Keeps `status` unless an earlier one of this run is there. Any thread. */
void sepconv_record_error(sepconv_context_t *context, sepconv_status_t status);

/* The pool. It lies in memory of the caller, sepconv_pool_bytes(num_threads) zeroed bytes aligned
 * as malloc aligns, and itself allocates nothing. It starts num_threads - 1 threads; the thread
 * that calls sepconv_pool_parallel_for is worker 0. On failure nothing is left to stop. */
size_t sepconv_pool_bytes(int num_threads);
sepconv_status_t sepconv_pool_start(sepconv_pool_t *pool, int num_threads);
void sepconv_pool_stop(sepconv_pool_t *pool);

/* Whether its threads run in this process. In a child of fork they do not, and a lock of the pool
 * may be held for ever by one of them: nothing else may be done with it there. */
int sepconv_pool_is_here(const sepconv_pool_t *pool);

/* A number that differs in a child of fork. */
int64_t sepconv_process_id(void);

/* A sepconv_parallel_for_t over the pool that `pool` points to; one caller at a time. */
int sepconv_pool_parallel_for(void *pool, sepconv_task_t body, void *body_data, int count);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif /* SEPCONV_SRC_CONTEXT_H_ */
