/* What kernels compiled for a device call on the host. All of them return 0 or an error, which is
 * recorded too, for kernels compiled with no_asserts drop results. */
#include <stdlib.h>
#include <string.h>

#include "device.h"

static sepconv_device_t *device_of(void *user_context) {
    return ((sepconv_worker_t *)user_context)->context->device;
}

static int report(sepconv_device_t *device, sepconv_status_t status) {
    if (status != SEPCONV_OK) {
        sepconv_record_error(device->context, status);
    }
    return (int)status;
}

const void *sepconv_device_interface(void) {
    static const char kInterface[] = "sepconv";
    return kInterface;
}

static const sepconv_module_t *find_module(const sepconv_device_t *device, const char *image) {
    for (int i = 0; i < device->module_count; ++i) {
        if (device->modules[i].image == image) {
            return &device->modules[i];
        }
    }
    return NULL;
}

static sepconv_status_t load_module(sepconv_device_t *device, const char *image, size_t bytes) {
    sepconv_module_t *modules = (sepconv_module_t *)realloc(
        device->modules, ((size_t)device->module_count + 1) * sizeof(*modules));
    if (modules == NULL) {
        return SEPCONV_OUT_OF_MEMORY;
    }
    device->modules = modules;
    sepconv_module_t *module = &modules[device->module_count];
    module->image = image;
    const sepconv_status_t status = device->api->load(device, image, bytes, &module->handle);
    device->module_count += status == SEPCONV_OK;
    return status;
}

/* A kernel's state is its image's address, whoever calls it: contexts on several threads write the
 * same value, and none needs another's. */
static int initialize(void *user_context, void **state, const char *image, int size) {
    sepconv_device_t *device = device_of(user_context);
    void *value = (void *)(uintptr_t)image;
    if (__atomic_load_n(state, __ATOMIC_RELAXED) != value) {
        __atomic_store_n(state, value, __ATOMIC_RELAXED);
    }
    if (!device->preparing || find_module(device, image) != NULL) {
        return 0;
    }
    return report(device, load_module(device, image, (size_t)size));
}

/* From the one behind the last that was found: in a run that is the one. */
static const sepconv_function_t *find_function(sepconv_device_t *device, const char *image,
                                               const char *name) {
    for (int i = 0; i < device->function_count; ++i) {
        const int index = (device->next_function + i) % device->function_count;
        const sepconv_function_t *function = &device->functions[index];
        if (function->image == image && function->name == name) {
            device->next_function = index + 1;
            return function;
        }
    }
    return NULL;
}

static sepconv_status_t add_function(sepconv_device_t *device, const char *image,
                                     const char *name) {
    const sepconv_module_t *module = find_module(device, image);
    if (module == NULL) {
        return SEPCONV_KERNEL_ERROR;
    }
    sepconv_function_t *functions = (sepconv_function_t *)realloc(
        device->functions, ((size_t)device->function_count + 1) * sizeof(*functions));
    if (functions == NULL) {
        return SEPCONV_OUT_OF_MEMORY;
    }
    device->functions = functions;
    sepconv_function_t *function = &functions[device->function_count];
    function->image = image;
    function->name = name;
    const sepconv_status_t status =
        device->api->find(device, module->handle, name, &function->handle);
    device->function_count += status == SEPCONV_OK;
    return status;
}

static sepconv_status_t prepare_function(sepconv_device_t *device, const char *image,
                                         const char *name, size_t shared_bytes) {
    const sepconv_function_t *function = find_function(device, image, name);
    if (function == NULL) {
        const sepconv_status_t status = add_function(device, image, name);
        if (status != SEPCONV_OK) {
            return status;
        }
        function = &device->functions[device->function_count - 1];
    }
    return device->api->prepare(device, function->handle, shared_bytes);
}

static int run(void *user_context, void *state, const char *entry_name, int groups_x, int groups_y,
               int groups_z, int threads_x, int threads_y, int threads_z, int shared_bytes,
               size_t arg_sizes[], void *args[], int8_t arg_is_buffer[]) {
    sepconv_device_t *device = device_of(user_context);
    const char *image = (const char *)state;
    sepconv_launch_t launch = {
        .groups = {groups_x, groups_y, groups_z},
        .threads = {threads_x, threads_y, threads_z},
        .shared_bytes = (size_t)shared_bytes,
        .arg_sizes = arg_sizes,
        .args = args,
        .arg_is_buffer = arg_is_buffer,
    };
    while (arg_sizes[launch.arg_count] != 0) {
        if (++launch.arg_count > kMaxLaunchArgs) {
            return report(device, SEPCONV_KERNEL_ERROR);
        }
    }
    if (device->preparing) {
        return report(device, prepare_function(device, image, entry_name, launch.shared_bytes));
    }
    const sepconv_function_t *function = find_function(device, image, entry_name);
    if (function == NULL) {
        return report(device, SEPCONV_KERNEL_ERROR);
    }
    return report(device, device->api->launch(device, function->handle, &launch));
}

/* Everything lies on the device before a kernel begins. */
int sepconv_kernel_device_copy(void *user_context, sepconv_buffer_t *buffer,
                               const void *interface) {
    (void)interface;
    return report(device_of(user_context), buffer->device != 0 ? SEPCONV_OK : SEPCONV_KERNEL_ERROR);
}

/* Of a buffer with no negative strides, as Halide's intermediates are. */
static size_t buffer_bytes(const sepconv_buffer_t *buffer) {
    const sepconv_dimension_t *dimensions = (const sepconv_dimension_t *)buffer->dim;
    size_t elements = 1;
    for (int32_t i = 0; i < buffer->dimensions; ++i) {
        if (dimensions[i].extent <= 0) {
            return 0;
        }
        elements += ((size_t)dimensions[i].extent - 1) * (size_t)dimensions[i].stride;
    }
    return elements * ((buffer->type_bits + 7u) / 8u);
}

/* A kernel's intermediates lie one behind the other until it ends, without reuse. It asks again for
 * what it has, before each launch that reads it. */
int sepconv_kernel_device_malloc(void *user_context, sepconv_buffer_t *buffer,
                                 const void *interface) {
    sepconv_device_t *device = device_of(user_context);
    if (buffer->device != 0) {
        return 0;
    }
    const size_t offset = device->scratch_used;
    const size_t used = offset + sepconv_round_up(buffer_bytes(buffer), kScratchAlignment);
    /* While preparing there is no scratch yet: any address will do, for nothing is launched. */
    uint8_t *base = device->preparing ? device->memory : device->scratch;
    if (device->preparing) {
        device->scratch_bytes = used > device->scratch_bytes ? used : device->scratch_bytes;
    } else if (used > device->scratch_bytes) {
        return report(device, SEPCONV_KERNEL_ERROR);
    }
    device->scratch_used = used;
    buffer->device = (uint64_t)(uintptr_t)base + offset;
    buffer->device_interface = interface;
    return 0;
}

int sepconv_kernel_device_free(void *user_context, sepconv_buffer_t *buffer) {
    (void)user_context;
    buffer->device = 0;
    buffer->device_interface = NULL;
    return 0;
}

void sepconv_kernel_device_free_as_destructor(void *user_context, void *buffer) {
    sepconv_kernel_device_free(user_context, (sepconv_buffer_t *)buffer);
}

/* The names under which the kernels of a device know them. A kernel leaves its image loaded. */
#define SEPCONV_NAMES_OF(device)                                                                  \
    const void *sepconv_kernel_##device##_interface(void) {                                       \
        return sepconv_device_interface();                                                        \
    }                                                                                             \
    int sepconv_kernel_##device##_initialize(void *user_context, void **state, const char *image, \
                                             int size) {                                          \
        return initialize(user_context, state, image, size);                                      \
    }                                                                                             \
    int sepconv_kernel_##device##_run(void *user_context, void *state, const char *entry_name,    \
                                      int groups_x, int groups_y, int groups_z, int threads_x,    \
                                      int threads_y, int threads_z, int shared_bytes,             \
                                      size_t arg_sizes[], void *args[], int8_t is_buffer[]) {     \
        return run(user_context, state, entry_name, groups_x, groups_y, groups_z, threads_x,      \
                   threads_y, threads_z, shared_bytes, arg_sizes, args, is_buffer);               \
    }                                                                                             \
    void sepconv_kernel_##device##_finalize(void *user_context, void *state) {                    \
        (void)user_context;                                                                       \
        (void)state;                                                                              \
    }

SEPCONV_NAMES_OF(cuda)
SEPCONV_NAMES_OF(opencl)
