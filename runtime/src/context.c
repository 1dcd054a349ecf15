#define _POSIX_C_SOURCE 200809L

#include "context.h"
#include "device.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const sepconv_options_t kDefaultOptions;

static int is_one_of(const char *name, const char *const names[], int count) {
    for (int i = 0; i < count; ++i) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* A context or queue of the caller is of the device that he names. */
static int device_options_valid(const sepconv_options_t *options) {
    static const char *const kDevices[] = {"cuda", "opencl", "cpu"};
    if (options->device != NULL && !is_one_of(options->device, kDevices, 3)) {
        return 0;
    }
    if (options->device_context == NULL) {
        return options->device_queue == NULL;
    }
    return options->device != NULL && is_one_of(options->device, kDevices, 2);
}

static sepconv_status_t check_options(const sepconv_model_t *model,
                                      const sepconv_options_t *options) {
    if (options->num_threads < 0 || options->num_threads > SEPCONV_MAX_THREADS ||
        !device_options_valid(options)) {
        return SEPCONV_INVALID_ARGUMENT;
    }
    if (options->arena != NULL &&
        options->arena_bytes < sepconv_model_arena_bytes(model, options->num_threads)) {
        return SEPCONV_ARENA_TOO_SMALL;
    }
    for (int i = 0; i < model->step_count; ++i) {
        const sepconv_step_t *step = &model->steps[i];
        if (step->arg_count > SEPCONV_MAX_KERNEL_ARGS ||
            step->scratch_offset % kScratchAlignment != 0 ||
            step->scratch_offset > model->arena_bytes ||
            step->scratch_bytes > model->arena_bytes - step->scratch_offset) {
            return SEPCONV_INVALID_ARGUMENT;
        }
    }
    return SEPCONV_OK;
}

/* The parts of a context, which are one allocation. */
typedef struct parts_t {
    size_t workers, pool, block_nanoseconds; /* Offsets; 0 where there is no such part. */
    size_t bytes;
} parts_t;

static size_t append(parts_t *parts, size_t bytes) {
    const size_t offset = sepconv_round_up(parts->bytes, _Alignof(max_align_t));
    parts->bytes = offset + bytes;
    return offset;
}

static parts_t parts_of(const sepconv_model_t *model, const sepconv_options_t *options,
                        const sepconv_variant_t *variant) {
    parts_t parts = {.bytes = sizeof(sepconv_context_t)};
    if (variant->device == NULL && options->num_threads > 1) {
        parts.workers = append(&parts, (size_t)options->num_threads * sizeof(sepconv_worker_t));
        if (options->parallel_for == NULL) {
            parts.pool = append(&parts, sepconv_pool_bytes(options->num_threads));
        }
    }
    if (options->profile) {
        parts.block_nanoseconds = append(&parts, (size_t)model->block_count * sizeof(uint64_t));
    }
    return parts;
}

static void lay_out(sepconv_context_t *context, const parts_t *parts,
                    const sepconv_options_t *options, void *arena) {
    uint8_t *base = (uint8_t *)context;
    context->num_threads = options->num_threads > 1 ? options->num_threads : 1;
    context->arena = (uint8_t *)arena + (-(uintptr_t)arena & (kScratchAlignment - 1));
    context->weights = context->model->weights;
    if (parts->workers != 0) {
        const size_t slice = sepconv_slice_bytes(context->model);
        uint8_t *slices = context->arena + context->model->arena_bytes;
        context->workers = (sepconv_worker_t *)(void *)(base + parts->workers);
        for (int i = 0; i < context->num_threads; ++i) {
            sepconv_worker_t *worker = &context->workers[i];
            worker->context = context;
            worker->in_task = 1;
            sepconv_worker_set(worker, slices + (size_t)i * slice, slice);
        }
        context->parallel_for = options->parallel_for;
        context->parallel_for_data = options->parallel_for_data;
    }
}

static sepconv_status_t start_pool(sepconv_context_t *context, const parts_t *parts) {
    if (parts->pool == 0) {
        return SEPCONV_OK;
    }
    sepconv_pool_t *pool = (sepconv_pool_t *)(void *)((uint8_t *)context + parts->pool);
    const sepconv_status_t status = sepconv_pool_start(pool, context->num_threads);
    if (status == SEPCONV_OK) {
        context->pool = pool;
        context->parallel_for = sepconv_pool_parallel_for;
        context->parallel_for_data = pool;
    }
    return status;
}

/* What a context on the CPU needs besides the context itself. */
static sepconv_status_t set_up_cpu(sepconv_context_t *context, const parts_t *parts,
                                   const sepconv_options_t *options) {
    void *arena = options->arena;
    if (arena == NULL) {
        arena = malloc(sepconv_model_arena_bytes(context->model, options->num_threads));
        context->owned_arena = arena;
        if (arena == NULL) {
            return SEPCONV_OUT_OF_MEMORY;
        }
    }
    lay_out(context, parts, options, arena);
    return start_pool(context, parts);
}

/* Makes a context of `variant`, which is allowed. `accept_cpu`: on a device that is the CPU, too.
 */
static sepconv_status_t create_variant(const sepconv_model_t *model,
                                       const sepconv_options_t *options,
                                       const sepconv_variant_t *variant, int accept_cpu,
                                       sepconv_context_t **result) {
    if (variant->device == NULL && !sepconv_isa_available(variant->isa)) {
        return SEPCONV_UNSUPPORTED_ISA;
    }
    const parts_t parts = parts_of(model, options, variant);
    sepconv_context_t *context = (sepconv_context_t *)calloc(1, parts.bytes);
    if (context == NULL) {
        return SEPCONV_OUT_OF_MEMORY;
    }
    context->model = model;
    context->variant = variant;
    context->caller.context = context;
    atomic_init(&context->in_use, 0);
    atomic_init(&context->error, SEPCONV_OK);
    if (parts.block_nanoseconds != 0) {
        context->block_nanoseconds =
            (uint64_t *)(void *)((uint8_t *)context + parts.block_nanoseconds);
    }
    const sepconv_status_t status =
        variant->device != NULL ? variant->device->calls->create(context, options, accept_cpu)
                                : set_up_cpu(context, &parts, options);
    if (status != SEPCONV_OK) {
        sepconv_context_destroy(context);
        return status;
    }
    *result = context;
    return SEPCONV_OK;
}

/* Whether `status` says that a variant cannot run here, so that the next may be tried. */
static int is_unavailable(sepconv_status_t status) {
    return status == SEPCONV_UNSUPPORTED_ISA || status == SEPCONV_NO_DEVICE ||
           status == SEPCONV_DEVICE_TOO_OLD;
}

/* The first variant that is available; if there is none, the status of the one that came nearest,
 * which is the greatest. */
static sepconv_status_t create_first_available(const sepconv_model_t *model,
                                               const sepconv_options_t *options,
                                               sepconv_context_t **context) {
    const sepconv_restriction_t restriction = {getenv("SEPCONV_ISA"),
                                               {getenv("SEPCONV_DEVICE"), options->device}};
    const int accept_cpu = !sepconv_model_runs_on_cpu(model, &restriction);
    sepconv_status_t result = SEPCONV_UNSUPPORTED_ISA;
    for (int i = 0; i < model->variant_count; ++i) {
        const sepconv_variant_t *variant = &model->variants[i];
        if (!sepconv_variant_allowed(variant, &restriction)) {
            continue;
        }
        const sepconv_status_t status =
            create_variant(model, options, variant, accept_cpu, context);
        if (!is_unavailable(status)) {
            return status;
        }
        result = status > result ? status : result;
    }
    return result;
}

sepconv_status_t sepconv_context_create(const sepconv_model_t *model,
                                        const sepconv_options_t *options,
                                        sepconv_context_t **context) {
    if (context == NULL) {
        return SEPCONV_INVALID_ARGUMENT;
    }
    *context = NULL;
    if (model == NULL) {
        return SEPCONV_INVALID_ARGUMENT;
    }
    if (!sepconv_model_readable(model)) {
        return SEPCONV_ABI_MISMATCH;
    }
    if (options == NULL) {
        options = &kDefaultOptions;
    }
    const sepconv_status_t status = check_options(model, options);
    if (status != SEPCONV_OK) {
        return status;
    }
    return create_first_available(model, options, context);
}

/* In a child of fork the threads of a pool are missing: loops are serial there, in the scratch that
 * every step has for one thread. */
static void leave_pool_of_parent(sepconv_context_t *context) {
    if (context->pool != NULL && !sepconv_pool_is_here(context->pool)) {
        context->pool = NULL;
        context->parallel_for = NULL;
    }
}

void sepconv_context_destroy(sepconv_context_t *context) {
    if (context == NULL) {
        return;
    }
    leave_pool_of_parent(context);
    if (context->pool != NULL) {
        sepconv_pool_stop(context->pool);
    }
    if (context->device != NULL) {
        context->variant->device->calls->destroy(context->device);
    }
    free(context->owned_arena);
    free(context);
}

const char *sepconv_context_isa(const sepconv_context_t *context) {
    return context != NULL ? context->variant->isa : "";
}

/* Whether `pointers` holds `count` pointers to floats; it may be null when there are none. */
static int usable(const void *const *pointers, int count) {
    if (count > 0 && pointers == NULL) {
        return 0;
    }
    for (int i = 0; i < count; ++i) {
        if (pointers[i] == NULL || (uintptr_t)pointers[i] % sizeof(float) != 0) {
            return 0;
        }
    }
    return 1;
}

/* Kernels do not write through arguments that they only read; the ABI has one pointer for both. */
static uint8_t *base_of(const sepconv_context_t *context, const sepconv_arg_t *arg,
                        const void *const inputs[], void *const outputs[]) {
    switch ((sepconv_space_t)arg->space) {
        case SEPCONV_WEIGHTS:
            return (uint8_t *)(uintptr_t)context->weights;
        case SEPCONV_ARENA:
            return context->arena;
        case SEPCONV_INPUT:
            return (uint8_t *)(uintptr_t)inputs[arg->index];
        case SEPCONV_OUTPUT:
            return (uint8_t *)outputs[arg->index];
    }
    return NULL;
}

static void place(const sepconv_context_t *context, sepconv_buffer_t *buffer, uint8_t *address) {
    if (context->device != NULL) {
        context->variant->device->calls->place(buffer, address);
    } else {
        buffer->host = address;
    }
}

/* Scratch is empty when a kernel begins. */
static void begin_kernel(sepconv_context_t *context, const sepconv_step_t *step) {
    if (context->device != NULL) {
        context->variant->device->calls->begin_kernel(context->device);
    } else {
        sepconv_worker_set(&context->caller, context->arena + step->scratch_offset,
                           step->scratch_bytes);
    }
}

static sepconv_status_t run_step(sepconv_context_t *context, const sepconv_step_t *step,
                                 const void *const inputs[], void *const outputs[]) {
    sepconv_buffer_t buffers[SEPCONV_MAX_KERNEL_ARGS];
    void *args[SEPCONV_MAX_KERNEL_ARGS + 1];
    void *user_context = &context->caller;
    args[0] = &user_context;
    for (uint32_t i = 0; i < step->arg_count; ++i) {
        args[i + 1] = &buffers[i];
    }
    const sepconv_kernel_t kernel = context->variant->kernels[step->kernel];
    for (uint32_t repetition = 0; repetition < step->repeat; ++repetition) {
        memset(buffers, 0, step->arg_count * sizeof(buffers[0]));
        for (uint32_t i = 0; i < step->arg_count; ++i) {
            const sepconv_arg_t *arg = &step->args[i];
            place(context, &buffers[i],
                  base_of(context, arg, inputs, outputs) + arg->offset + repetition * arg->advance);
        }
        begin_kernel(context, step);
        if (kernel(args) != 0) {
            sepconv_record_error(context, SEPCONV_KERNEL_ERROR);
        }
        const int error = atomic_load(&context->error);
        if (error != SEPCONV_OK) {
            return (sepconv_status_t)error;
        }
    }
    return SEPCONV_OK;
}

static uint64_t now_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static sepconv_status_t run_timed_step(sepconv_context_t *context, int index,
                                       const void *const inputs[], void *const outputs[]) {
    const sepconv_step_t *step = &context->model->steps[index];
    if (context->block_nanoseconds == NULL) {
        return run_step(context, step, inputs, outputs);
    }
    if (context->device != NULL) {
        const sepconv_device_calls_t *calls = context->variant->device->calls;
        sepconv_status_t status = index == 0 ? calls->mark(context->device, 0) : SEPCONV_OK;
        if (status == SEPCONV_OK) {
            status = run_step(context, step, inputs, outputs);
        }
        return status == SEPCONV_OK ? calls->mark(context->device, index + 1) : status;
    }
    const uint64_t start = now_nanoseconds();
    const sepconv_status_t status = run_step(context, step, inputs, outputs);
    context->block_nanoseconds[step->block] += now_nanoseconds() - start;
    return status;
}

sepconv_status_t sepconv_run_steps(sepconv_context_t *context, const void *const inputs[],
                                   void *const outputs[]) {
    const sepconv_model_t *model = context->model;
    if (context->block_nanoseconds != NULL) {
        memset(context->block_nanoseconds, 0, (size_t)model->block_count * sizeof(uint64_t));
    }
    atomic_store(&context->error, SEPCONV_OK);
    for (int i = 0; i < model->step_count; ++i) {
        const sepconv_status_t status = run_timed_step(context, i, inputs, outputs);
        if (status != SEPCONV_OK) {
            return status;
        }
    }
    return SEPCONV_OK;
}

static int arguments_usable(const sepconv_context_t *context, const void *const inputs[],
                            void *const outputs[]) {
    return context != NULL && usable(inputs, context->model->input_count) &&
           usable((const void *const *)outputs, context->model->output_count);
}

/* A call has the context for itself until end_call(). That a second one is noticed is a kindness:
 * callers keep them apart. */
static sepconv_status_t begin_call(sepconv_context_t *context) {
    if (atomic_exchange_explicit(&context->in_use, 1, memory_order_acquire)) {
        return SEPCONV_CONTEXT_IN_USE;
    }
    leave_pool_of_parent(context);
    return SEPCONV_OK;
}

static sepconv_status_t end_call(sepconv_context_t *context, sepconv_status_t status) {
    atomic_store_explicit(&context->in_use, 0, memory_order_release);
    return status;
}

sepconv_status_t sepconv_run(sepconv_context_t *context, const void *const inputs[],
                             void *const outputs[]) {
    if (!arguments_usable(context, inputs, outputs)) {
        return SEPCONV_INVALID_ARGUMENT;
    }
    const sepconv_status_t status = begin_call(context);
    if (status != SEPCONV_OK) {
        return status;
    }
    return end_call(context, context->device != NULL
                                 ? context->variant->device->calls->run(context, inputs, outputs)
                                 : sepconv_run_steps(context, inputs, outputs));
}

sepconv_status_t sepconv_run_on_device(sepconv_context_t *context, const void *const inputs[],
                                       void *const outputs[]) {
    if (!arguments_usable(context, inputs, outputs) || context->device == NULL) {
        return SEPCONV_INVALID_ARGUMENT;
    }
    const sepconv_status_t status = begin_call(context);
    if (status != SEPCONV_OK) {
        return status;
    }
    return end_call(context,
                    context->variant->device->calls->run_on_device(context, inputs, outputs));
}

sepconv_status_t sepconv_synchronize(sepconv_context_t *context) {
    if (context == NULL) {
        return SEPCONV_INVALID_ARGUMENT;
    }
    if (context->device == NULL) {
        return SEPCONV_OK;
    }
    const sepconv_status_t status = begin_call(context);
    if (status != SEPCONV_OK) {
        return status;
    }
    return end_call(context, context->variant->device->calls->synchronize(context));
}

void *sepconv_context_device_queue(const sepconv_context_t *context) {
    return context != NULL && context->device != NULL
               ? context->variant->device->calls->queue(context->device)
               : NULL;
}

static int block_in_range(const sepconv_context_t *context, int index) {
    return index >= 0 && index < sepconv_context_block_count(context);
}

int sepconv_context_block_count(const sepconv_context_t *context) {
    return context != NULL ? context->model->block_count : 0;
}

const char *sepconv_context_block_name(const sepconv_context_t *context, int index) {
    return block_in_range(context, index) ? context->model->block_names[index] : NULL;
}

uint64_t sepconv_context_block_nanoseconds(const sepconv_context_t *context, int index) {
    return block_in_range(context, index) && context->block_nanoseconds != NULL
               ? context->block_nanoseconds[index]
               : 0;
}
