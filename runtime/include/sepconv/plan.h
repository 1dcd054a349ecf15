/* What a compiled model hands to the runtime: included by generated code, not by users.
 *
 * A kernel is a Halide function compiled with
 * no_runtime-user_context-no_asserts-no_bounds_query and called through its argv wrapper: args[0]
 * points to the user context pointer, args[1..n] are sepconv_buffer_t. All strides and extents are
 * compiled in, so a kernel reads nothing of a buffer but `host`, or `device` where it is compiled
 * for one. Its runtime needs are renamed on the way into the library to the names at the end of
 * this file: halide_malloc, halide_free and halide_do_par_for become sepconv_kernel_malloc,
 * sepconv_kernel_free, sepconv_kernel_par_for; those of a device become sepconv_kernel_device_*,
 * sepconv_kernel_cuda_* and sepconv_kernel_opencl_*. */
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

#define SEPCONV_ABI_VERSION 4u
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

/* Layout of halide_dimension_t of Halide 21. Only the buffers of a kernel's own intermediates,
 * which it passes to sepconv_kernel_device_malloc, have dimensions. */
typedef struct sepconv_dimension_t {
    int32_t min, extent, stride;
    uint32_t flags;
} sepconv_dimension_t;

typedef int (*sepconv_kernel_t)(void **args);

/* How the kernels of a variant run on a device. Named only by libraries that have such a variant:
 * the others do not link it. */
typedef struct sepconv_device_api_t sepconv_device_api_t;
extern const sepconv_device_api_t sepconv_cuda_device; /* CUDA's driver API; PTX. */
extern const sepconv_device_api_t
    sepconv_opencl_device; /* OpenCL 2.0 with shared virtual memory. */

/* Where a kernel argument lies: a base, and bytes from it. */
typedef enum sepconv_space_t {
    SEPCONV_WEIGHTS, /* model->weights */
    SEPCONV_ARENA,   /* The context's arena. */
    SEPCONV_INPUT,   /* inputs[index] */
    SEPCONV_OUTPUT   /* outputs[index] */
} sepconv_space_t;

typedef struct sepconv_arg_t {
    uint32_t space;
    uint32_t index;   /* Of the input or output; else 0. */
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

/* The same kernels for one ISA or one kind of device. Variants are ordered best first: a context
 * takes the first that is available. A device's kernels take no scratch of the host. */
typedef struct sepconv_variant_t {
    const char *isa;
    const sepconv_kernel_t *kernels;
    size_t worker_bytes; /* Scratch that one task of any kernel of this variant needs, counted as
                            that of a step. */
    const sepconv_device_api_t *device; /* Null: the CPU. Else `isa` is its name. */
    int device_capability; /* CUDA: the lowest compute capability of the kernels, 80 for 8.0. */
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
    size_t weight_bytes; /* What a device gets a copy of. 0 does where no variant has a device. */
    int variant_count;
    const sepconv_variant_t *variants;
    int step_count;
    const sepconv_step_t *steps;
    int block_count;
    const char *const *block_names;
};

/* Called by kernels: those of the same library, so nobody else sees them. */
#if defined(__ELF__) || defined(__APPLE__)
#pragma GCC visibility push(hidden)
#endif
void *sepconv_kernel_malloc(void *user_context, size_t bytes);
void sepconv_kernel_free(void *user_context, void *pointer);
int sepconv_kernel_par_for(void *user_context,
                           int (*task)(void *user_context, int index, uint8_t *closure), int min,
                           int size, uint8_t *closure);

/* Called by kernels for a device, in place of halide_copy_to_device, halide_device_malloc,
 * halide_device_free and halide_device_free_as_destructor. */
int sepconv_kernel_device_copy(void *user_context, sepconv_buffer_t *buffer, const void *interface);
int sepconv_kernel_device_malloc(void *user_context, sepconv_buffer_t *buffer,
                                 const void *interface);
int sepconv_kernel_device_free(void *user_context, sepconv_buffer_t *buffer);
void sepconv_kernel_device_free_as_destructor(void *user_context, void *buffer);

/* The same of those that Halide names after the device: halide_cuda_device_interface,
 * halide_cuda_initialize_kernels, halide_cuda_run, halide_cuda_finalize_kernels. They do the same
 * for each; but objcopy gives a name to one symbol only, and a library may have both. An image is
 * PTX or OpenCL source. OpenCL kernels have one argument more than args, last, which is local
 * memory. */
#define SEPCONV_DECLARE_NAMES_OF(device)                                                          \
    const void *sepconv_kernel_##device##_interface(void);                                        \
    int sepconv_kernel_##device##_initialize(void *user_context, void **state, const char *image, \
                                             int size);                                           \
    int sepconv_kernel_##device##_run(void *user_context, void *state, const char *entry_name,    \
                                      int groups_x, int groups_y, int groups_z, int threads_x,    \
                                      int threads_y, int threads_z, int shared_bytes,             \
                                      size_t arg_sizes[], void *args[], int8_t arg_is_buffer[]);  \
    void sepconv_kernel_##device##_finalize(void *user_context, void *state);
SEPCONV_DECLARE_NAMES_OF(cuda)
SEPCONV_DECLARE_NAMES_OF(opencl)
#if defined(__ELF__) || defined(__APPLE__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif /* SEPCONV_PLAN_H_ */
