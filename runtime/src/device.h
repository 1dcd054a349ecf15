/* Contexts that run on a device: what CUDA and OpenCL share, and what each gives.
 *
 * A context holds one allocation of the device: a copy of the weights, the arena, inputs and
 * outputs. A second one, the scratch, is for the intermediates of kernels. Both are made, images
 * loaded and functions looked up when the context is made, in one pass over the plan that launches
 * nothing; a run only queues launches. Addresses of the device are pointers here (CUDA's and those
 * of OpenCL's shared virtual memory have the size of one), which are added to and never followed.
 */
#ifndef SEPCONV_SRC_DEVICE_H_
#define SEPCONV_SRC_DEVICE_H_

#include "context.h"

#if defined(__GNUC__)
#pragma GCC visibility push(hidden)
#endif

enum { kMaxLaunchArgs = 64 };

/* What a context asks of its device. */
typedef struct sepconv_device_request_t {
    int capability; /* Of the variant. */
    void *context;  /* Of the caller, or null. */
    void *queue;
    int accept_cpu; /* Whether a device that is the CPU will do. */
    int mark_count; /* Marks that will be set; 0 without profile. */
} sepconv_device_request_t;

typedef struct sepconv_launch_t {
    int groups[3];
    int threads[3]; /* Of a group. */
    size_t shared_bytes;
    int arg_count;           /* At most kMaxLaunchArgs. */
    const size_t *arg_sizes; /* Bytes. */
    void *const *args;       /* Each points to a value, or is a sepconv_buffer_t. */
    const int8_t *arg_is_buffer;
} sepconv_launch_t;

/* What context.c calls, through the api: a library without a device does not link it. */
typedef struct sepconv_device_calls_t {
    /* Makes context->device, and all that a run needs. On failure sepconv_context_destroy() cleans
     * up. */
    sepconv_status_t (*create)(sepconv_context_t *context, const sepconv_options_t *options,
                               int accept_cpu);
    void (*destroy)(sepconv_device_t *device);
    sepconv_status_t (*run)(sepconv_context_t *context, const void *const inputs[],
                            void *const outputs[]);
    sepconv_status_t (*run_on_device)(sepconv_context_t *context, const void *const inputs[],
                                      void *const outputs[]);
    sepconv_status_t (*synchronize)(sepconv_context_t *context);
    void *(*queue)(const sepconv_device_t *device);
    void (*place)(sepconv_buffer_t *buffer, uint8_t *address); /* On the device. */
    void (*begin_kernel)(sepconv_device_t *device);            /* Its scratch is empty. */
    sepconv_status_t (*mark)(sepconv_device_t *device, int index);
} sepconv_device_calls_t;

extern const sepconv_device_calls_t sepconv_device_calls;

/* What buffers on a device name as its interface: nothing reads it. */
const void *sepconv_device_interface(void);

/* A driver. All but open, close, enter and leave are called between enter and leave, queue their
 * work in order, and return SEPCONV_DEVICE_ERROR unless they say more. */
struct sepconv_device_api_t {
    const char *name;
    const sepconv_device_calls_t *calls;
    size_t bytes; /* Of its own kind of device, which begins with a sepconv_device_t. */

    /* Finds device, context and queue: SEPCONV_NO_DEVICE, SEPCONV_DEVICE_TOO_OLD,
     * SEPCONV_INVALID_ARGUMENT for a queue that does not fit, SEPCONV_OUT_OF_MEMORY. */
    sepconv_status_t (*open)(sepconv_device_t *device, const sepconv_device_request_t *request);
    /* Undoes what open did, also where it failed. Everything made since is gone. */
    void (*close)(sepconv_device_t *device);
    /* Makes the driver's context that of this thread, and the one before again. */
    sepconv_status_t (*enter)(sepconv_device_t *device);
    void (*leave)(sepconv_device_t *device);
    void *(*queue)(const sepconv_device_t *device);

    /* SEPCONV_OUT_OF_MEMORY. Aligned to 64 bytes at least. */
    sepconv_status_t (*allocate)(sepconv_device_t *device, size_t bytes, uint8_t **memory);
    void (*release)(sepconv_device_t *device, uint8_t *memory);
    sepconv_status_t (*upload)(sepconv_device_t *device, uint8_t *to, const void *from,
                               size_t bytes);
    sepconv_status_t (*download)(sepconv_device_t *device, void *to, const uint8_t *from,
                                 size_t bytes);
    sepconv_status_t (*flush)(sepconv_device_t *device); /* Work starts without being waited for. */
    sepconv_status_t (*synchronize)(sepconv_device_t *device);

    /* SEPCONV_DEVICE_TOO_OLD where the driver does not know such an image. */
    sepconv_status_t (*load)(sepconv_device_t *device, const char *image, size_t bytes,
                             void **module);
    void (*unload)(sepconv_device_t *device, void *module);
    sepconv_status_t (*find)(sepconv_device_t *device, void *module, const char *name,
                             void **function);
    void (*forget)(sepconv_device_t *device, void *function);
    /* Lets launches of `function` use so much shared memory. */
    sepconv_status_t (*prepare)(sepconv_device_t *device, void *function, size_t shared_bytes);
    sepconv_status_t (*launch)(sepconv_device_t *device, void *function,
                               const sepconv_launch_t *launch);

    /* Notes the time when the queue comes to mark `index`; nanoseconds from one mark to the next, 0
     * where they are not known, once the queue has been waited for. */
    sepconv_status_t (*mark)(sepconv_device_t *device, int index);
    uint64_t (*nanoseconds)(sepconv_device_t *device, int first_mark);
};

typedef struct sepconv_module_t {
    const char *image; /* Of a kernel: what it is known by. */
    void *handle;
} sepconv_module_t;

typedef struct sepconv_function_t {
    const char *image;
    const char *name; /* A constant of the kernel: compared by address. */
    void *handle;
} sepconv_function_t;

struct sepconv_device_t {
    const sepconv_device_api_t *api;
    sepconv_context_t *context;
    int64_t process; /* Where the driver knows of it: sepconv_process_id(). */
    int preparing;   /* Whether kernels load and measure rather than launch. */

    uint8_t *memory; /* Weights, arena, inputs, outputs. */
    uint8_t *scratch;
    size_t scratch_bytes; /* While preparing, the greatest need so far. */
    size_t scratch_used;  /* By the kernel that is being called. */
    void **tensors;       /* Inputs, then outputs, in `memory`. */

    int module_count, function_count;
    sepconv_module_t *modules;
    sepconv_function_t *functions;
    int next_function; /* Where a search begins: launches come in the order of the table. */
};

/* The functions of a driver's library: a table of pointers to functions, and for each its name and
 * its place in the table. */
typedef struct sepconv_symbol_t {
    const char *name;
    size_t offset;
} sepconv_symbol_t;

/* Opens the first of `names`, which ends with null: SEPCONV_NO_DEVICE. Finds all symbols:
 * SEPCONV_DEVICE_TOO_OLD. *library stays loaded for the life of the process, for a driver has
 * threads of its own. */
sepconv_status_t sepconv_library_open(const char *const names[], const sepconv_symbol_t symbols[],
                                      int symbol_count, void *table, void **library);
void sepconv_library_close(void *library); /* Null is allowed. */

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif /* SEPCONV_SRC_DEVICE_H_ */
