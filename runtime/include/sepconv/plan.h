/* What a compiled model hands to the runtime: included by generated code, not by users.
 *
 * A kernel is a Halide function compiled with
 * no_runtime-user_context-no_asserts-no_bounds_query and called through its argv wrapper: args[0]
 * points to the user context pointer, args[1..n] are sepconv_buffer_t. All strides and extents are
 * compiled in, so a kernel reads nothing of a buffer but `host`.
 * Its runtime needs are renamed on the way into the library: halide_malloc, halide_free and
 * halide_do_par_for become sepconv_kernel_malloc, sepconv_kernel_free, sepconv_kernel_par_for. */
#ifndef SEPCONV_PLAN_H_
#define SEPCONV_PLAN_H_

#include "sepconv/sepconv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of names that the parts of a library share, and of those that a shared library exports. Windows
 * has no visibility: there it is what the linker is told. */
#if defined(__ELF__) || defined(__APPLE__)
#define SEPCONV_HIDDEN __attribute__((visibility("hidden")))
#define SEPCONV_EXPORTED __attribute__((visibility("default")))
#else
#define SEPCONV_HIDDEN
#define SEPCONV_EXPORTED
#endif

#define SEPCONV_ABI_VERSION 2u
#define SEPCONV_MAX_KERNEL_ARGS 24

/* Layout of halide_buffer_t of Halide 21 on 64-bit machines (checked against HalideRuntime.h in
 * tests/runtime). */
typedef struct sepconv_buffer_t {
    uint64_t device;
    const void *device_interface;
    uint8_t *host;
    uint64_t flags;
    uint8_t type_code;
    uint8_t type_bits;
    uint16_t type_lanes;
    int32_t dimensions;
    const void *dim;
    void *padding;
} sepconv_buffer_t;

typedef int (*sepconv_kernel_t)(void **args);

/* Where a kernel argument lies: a base, and bytes from it. */
typedef enum sepconv_space_t {
    SEPCONV_WEIGHTS, /* model->weights */
    SEPCONV_ARENA,   /* The context's arena. */
    SEPCONV_INPUT,   /* inputs[index] */
    SEPCONV_OUTPUT   /* outputs[index] */
} sepconv_space_t;

typedef struct sepconv_arg_t {
    uint8_t space;
    uint8_t index;    /* Of the input or output; else 0. */
    uint64_t offset;  /* Bytes. */
    uint64_t advance; /* Bytes added for each repetition (batch). */
} sepconv_arg_t;

/* One kernel call, repeated `repeat` times (images of a batch) with advancing arguments.
 *
 * Its scratch lies in the arena where no tensor is in use while it runs. It is what the kernel asks
 * for outside of tasks and in one of them: with one thread they run one after another on the same
 * scratch. Counted is, of any variant, the greatest sum over the allocations that live at once of
 * their bytes rounded up to 64 plus 128. */
typedef struct sepconv_step_t {
    uint32_t kernel; /* Index into a variant's kernels. */
    uint32_t block;  /* Index into the model's blocks, for profiling. */
    uint32_t repeat;
    uint32_t arg_count;
    const sepconv_arg_t *args;
    size_t scratch_offset; /* Bytes from the start of the arena; a multiple of 64. */
    size_t scratch_bytes;
} sepconv_step_t;

/* The same kernels for one ISA. Variants are ordered best first. */
typedef struct sepconv_variant_t {
    const char *isa;
    const sepconv_kernel_t *kernels;
    size_t worker_bytes; /* Scratch that one task of any kernel of this variant needs, counted as
                            that of a step. */
} sepconv_variant_t;

/* Bytes of an arena: tensors and the steps' scratch; one slice of scratch a thread where there are
 * several, each the greatest worker_bytes rounded up to 64; and room to align the whole. */
#define SEPCONV_TOTAL_ARENA_BYTES(arena_bytes, slice_bytes, slice_count) \
    ((arena_bytes) + (slice_count) * (slice_bytes) + 64)

struct sepconv_model_t {
    uint32_t abi_version; /* SEPCONV_ABI_VERSION of the compiler. First, forever. */
    const char *name;
    int input_count, output_count;
    const sepconv_tensor_t *inputs, *outputs;
    size_t arena_bytes; /* Tensors and the steps' scratch, without slices; a multiple of 64. */
    const uint8_t *weights;
    int variant_count;
    const sepconv_variant_t *variants;
    int step_count;
    const sepconv_step_t *steps;
    int block_count;
    const char *const *block_names;
};

/* Called by kernels. */
void *sepconv_kernel_malloc(void *user_context, size_t bytes);
void sepconv_kernel_free(void *user_context, void *pointer);
int sepconv_kernel_par_for(void *user_context,
                           int (*task)(void *user_context, int index, uint8_t *closure), int min,
                           int size, uint8_t *closure);

#ifdef __cplusplus
}
#endif

#endif /* SEPCONV_PLAN_H_ */
