/* What kernels call: scratch and parallel loops.
 *
 * Scratch of a worker is a bump allocator. An allocation of n bytes takes
 *     64 (header) + n rounded up to 64 + 64 (tail)
 * bytes, which is what the compiler counts (sepconv_step_t). Header and tail also make the 64 bytes
 * before and after an allocation readable, as Halide's vector loads may ask. The newest
 * allocation is freed at once; one freed before those above it is freed together with them. */
#include "context.h"

#if defined(__MINGW32__)
/* What code for Windows wants of Microsoft's library: MinGW's touches the stack of large frames
 * under another name, and not all of its kinds have the mark of programs with floats. */
__asm__(
    ".globl __chkstk\n"
    "__chkstk:\n"
    "    jmp ___chkstk_ms\n"
    ".globl _fltused\n"
    ".set _fltused, __chkstk\n");
#endif

enum { kHeaderBytes = kScratchAlignment, kTailBytes = kScratchAlignment };

typedef struct header_t {
    ptrdiff_t previous; /* Offset of the header below, or kScratchNone. */
    int freed;
} header_t;

static header_t *header_at(sepconv_worker_t *worker, ptrdiff_t offset) {
    return (header_t *)(void *)(worker->scratch + offset);
}

void sepconv_worker_set(sepconv_worker_t *worker, uint8_t *scratch, size_t capacity) {
    worker->scratch = scratch;
    worker->capacity = capacity;
    sepconv_worker_reset(worker);
}

void sepconv_worker_reset(sepconv_worker_t *worker) {
    worker->used = 0;
    worker->last = kScratchNone;
}

void sepconv_record_error(sepconv_context_t *context, sepconv_status_t status) {
    int expected = SEPCONV_OK;
    atomic_compare_exchange_strong(&context->error, &expected, (int)status);
}

void *sepconv_kernel_malloc(void *user_context, size_t bytes) {
    sepconv_worker_t *worker = (sepconv_worker_t *)user_context;
    /* What a kernel for a device asks for of the host in place of an intermediate on the device. */
    if (bytes == 0 && worker->context->device != NULL) {
        return NULL;
    }
    const size_t available = worker->capacity - worker->used;
    /* The first comparison keeps the rounding from overflowing. */
    if (bytes > available ||
        sepconv_round_up(bytes, kScratchAlignment) + kHeaderBytes + kTailBytes > available) {
        sepconv_record_error(worker->context, SEPCONV_KERNEL_ERROR);
        return NULL;
    }
    header_t *header = header_at(worker, (ptrdiff_t)worker->used);
    header->previous = worker->last;
    header->freed = 0;
    worker->last = (ptrdiff_t)worker->used;
    uint8_t *allocation = worker->scratch + worker->used + kHeaderBytes;
    worker->used += kHeaderBytes + sepconv_round_up(bytes, kScratchAlignment) + kTailBytes;
    return allocation;
}

void sepconv_kernel_free(void *user_context, void *pointer) {
    sepconv_worker_t *worker = (sepconv_worker_t *)user_context;
    if (pointer == NULL) {
        return;
    }
    const uintptr_t offset = (uintptr_t)pointer - (uintptr_t)worker->scratch;
    if (offset < kHeaderBytes || offset >= worker->used) {
        sepconv_record_error(worker->context, SEPCONV_KERNEL_ERROR);
        return;
    }
    header_at(worker, (ptrdiff_t)offset - kHeaderBytes)->freed = 1;
    while (worker->last != kScratchNone && header_at(worker, worker->last)->freed) {
        worker->used = (size_t)worker->last;
        worker->last = header_at(worker, worker->last)->previous;
    }
}

typedef int (*kernel_task_t)(void *user_context, int index, uint8_t *closure);

/* A parallel loop while it runs. */
typedef struct loop_t {
    sepconv_context_t *context;
    kernel_task_t task;
    int min, size;
    uint8_t *closure;
    atomic_size_t done; /* The sum of the marks of the indices that ran. */
    atomic_int result;  /* The first result that is not 0. */
} loop_t;

/* Marks add up: if the sums are equal, so are the indices, whatever their order; that others add up
 * to the same is as likely as a guessed number. (MurmurHash3's finalizer.) */
static size_t mark_of(int index) {
    uint32_t mark = (uint32_t)index + 1;
    mark = (mark ^ (mark >> 16)) * 0x85ebca6bu;
    mark = (mark ^ (mark >> 13)) * 0xc2b2ae35u;
    return mark ^ (mark >> 16);
}

static size_t mark_of_all(int size) {
    size_t sum = 0;
    for (int i = 0; i < size; ++i) {
        sum += mark_of(i);
    }
    return sum;
}

/* The body that parallel_for calls: nothing that it passes is trusted. */
static int run_index(void *data, int index, int worker_index) {
    loop_t *loop = (loop_t *)data;
    sepconv_context_t *context = loop->context;
    if (index < 0 || index >= loop->size || worker_index < 0 ||
        worker_index >= context->num_threads) {
        sepconv_record_error(context, SEPCONV_CALLBACK_ERROR);
        return SEPCONV_CALLBACK_ERROR;
    }
    sepconv_worker_t *worker = &context->workers[worker_index];
    sepconv_worker_reset(worker);
    const int result = loop->task(worker, loop->min + index, loop->closure);
    if (result != 0) {
        int expected = 0;
        atomic_compare_exchange_strong(&loop->result, &expected, result);
        sepconv_record_error(context, SEPCONV_KERNEL_ERROR);
    }
    atomic_fetch_add(&loop->done, mark_of(index));
    return result;
}

/* As in a parallel loop, an error does not keep the other indices from running. */
static int run_serially(sepconv_worker_t *worker, const loop_t *loop) {
    int first = 0;
    for (int i = 0; i < loop->size; ++i) {
        const int result = loop->task(worker, loop->min + i, loop->closure);
        if (result != 0 && first == 0) {
            first = result;
            sepconv_record_error(worker->context, SEPCONV_KERNEL_ERROR);
        }
    }
    return first;
}

/* Results are also recorded in the context, for kernels compiled with no_asserts drop them. */
int sepconv_kernel_par_for(void *user_context, kernel_task_t task, int min, int size,
                           uint8_t *closure) {
    sepconv_worker_t *worker = (sepconv_worker_t *)user_context;
    sepconv_context_t *context = worker->context;
    loop_t loop = {.context = context, .task = task, .min = min, .size = size, .closure = closure};
    atomic_init(&loop.done, 0);
    atomic_init(&loop.result, 0);
    if (worker->in_task || context->parallel_for == NULL || size <= 1) {
        return run_serially(worker, &loop);
    }
    const int status = context->parallel_for(context->parallel_for_data, run_index, &loop, size);
    const int result = atomic_load(&loop.result);
    if (result != 0) {
        return result;
    }
    if (status != 0 || atomic_load(&loop.done) != mark_of_all(size)) {
        sepconv_record_error(context, SEPCONV_CALLBACK_ERROR);
        return SEPCONV_CALLBACK_ERROR;
    }
    return 0;
}
