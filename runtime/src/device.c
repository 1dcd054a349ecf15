#include "device.h"

#include <stdlib.h>

/* Regions of the device's memory begin at multiples of this: what any load of a kernel may want. */
enum { kRegionAlignment = 256 };

static size_t append_region(size_t *bytes, size_t region_bytes) {
    const size_t offset = *bytes;
    *bytes += sepconv_round_up(region_bytes, kRegionAlignment);
    return offset;
}

/* Bytes of a tensor: inputs first, then outputs. */
static size_t tensor_bytes(const sepconv_model_t *model, int index) {
    return index < model->input_count ? model->inputs[index].bytes
                                      : model->outputs[index - model->input_count].bytes;
}

/* The memory of the device, and where in it weights, arena, inputs and outputs lie. */
static sepconv_status_t allocate_memory(sepconv_device_t *device) {
    const sepconv_model_t *model = device->context->model;
    const int tensor_count = model->input_count + model->output_count;
    device->tensors = (void **)calloc((size_t)tensor_count + 1, sizeof(void *));
    if (device->tensors == NULL) {
        return SEPCONV_OUT_OF_MEMORY;
    }
    size_t bytes = 0;
    append_region(&bytes, model->weight_bytes);
    const size_t arena = append_region(&bytes, model->arena_bytes);
    const size_t first_tensor = bytes;
    for (int i = 0; i < tensor_count; ++i) {
        append_region(&bytes, tensor_bytes(model, i));
    }
    const sepconv_status_t status =
        device->api->allocate(device, bytes != 0 ? bytes : kRegionAlignment, &device->memory);
    if (status != SEPCONV_OK) {
        return status;
    }
    device->context->weights = device->memory;
    device->context->arena = device->memory + arena;
    size_t offset = first_tensor;
    for (int i = 0; i < tensor_count; ++i) {
        device->tensors[i] = device->memory + append_region(&offset, tensor_bytes(model, i));
    }
    return SEPCONV_OK;
}

static const void *const *device_inputs(const sepconv_device_t *device) {
    return (const void *const *)device->tensors;
}

static void *const *device_outputs(const sepconv_device_t *device) {
    return device->tensors + device->context->model->input_count;
}

/* Calls every kernel of the plan once as a run does, with nothing launched: loads images, looks up
 * functions, and measures the scratch. */
static sepconv_status_t prepare(sepconv_device_t *device) {
    device->preparing = 1;
    const sepconv_status_t status =
        sepconv_run_steps(device->context, device_inputs(device), device_outputs(device));
    device->preparing = 0;
    if (status != SEPCONV_OK || device->scratch_bytes == 0) {
        return status;
    }
    return device->api->allocate(device, device->scratch_bytes, &device->scratch);
}

static sepconv_status_t first_error(sepconv_status_t first, sepconv_status_t second) {
    return first != SEPCONV_OK ? first : second;
}

static sepconv_status_t set_up(sepconv_device_t *device) {
    const sepconv_device_api_t *api = device->api;
    const sepconv_model_t *model = device->context->model;
    sepconv_status_t status = allocate_memory(device);
    if (status == SEPCONV_OK && model->weight_bytes != 0) {
        status = api->upload(device, device->memory, model->weights, model->weight_bytes);
    }
    if (status == SEPCONV_OK) {
        status = prepare(device);
    }
    return first_error(status, api->synchronize(device));
}

/* A driver does not follow a fork: in the child it is not called. */
static int driver_is_here(const sepconv_device_t *device) {
    return device->process == sepconv_process_id();
}

static sepconv_status_t enter(sepconv_device_t *device) {
    return driver_is_here(device) ? device->api->enter(device) : SEPCONV_DEVICE_ERROR;
}

static sepconv_status_t create(sepconv_context_t *context, const sepconv_options_t *options,
                               int accept_cpu) {
    const sepconv_device_api_t *api = context->variant->device;
    const sepconv_device_request_t request = {
        .capability = context->variant->device_capability,
        .context = options->device_context,
        .queue = options->device_queue,
        .accept_cpu = accept_cpu,
        .mark_count = options->profile ? context->model->step_count + 1 : 0,
    };
    sepconv_device_t *device = (sepconv_device_t *)calloc(1, api->bytes);
    if (device == NULL) {
        return SEPCONV_OUT_OF_MEMORY;
    }
    device->api = api;
    device->context = context;
    device->process = sepconv_process_id();
    sepconv_status_t status = api->open(device, &request);
    if (status != SEPCONV_OK) {
        api->close(device);
        free(device);
        return status;
    }
    context->device = device;
    status = enter(device);
    if (status == SEPCONV_OK) {
        status = set_up(device);
        api->leave(device);
    }
    return status;
}

static void release_in_driver(sepconv_device_t *device) {
    const sepconv_device_api_t *api = device->api;
    if (api->enter(device) == SEPCONV_OK) {
        /* Whatever the driver says: there is nobody to tell, and the rest must go. */
        (void)api->synchronize(device);
        for (int i = 0; i < device->function_count; ++i) {
            api->forget(device, device->functions[i].handle);
        }
        for (int i = 0; i < device->module_count; ++i) {
            api->unload(device, device->modules[i].handle);
        }
        if (device->scratch != NULL) {
            api->release(device, device->scratch);
        }
        if (device->memory != NULL) {
            api->release(device, device->memory);
        }
        api->leave(device);
    }
    api->close(device);
}

static void destroy(sepconv_device_t *device) {
    if (driver_is_here(device)) {
        release_in_driver(device);
    }
    free(device->functions);
    free(device->modules);
    free(device->tensors);
    free(device);
}

/* Sums the times of the steps of each block, when the device has done them. */
static void collect_times(sepconv_device_t *device) {
    sepconv_context_t *context = device->context;
    const sepconv_model_t *model = context->model;
    if (context->block_nanoseconds == NULL) {
        return;
    }
    for (int i = 0; i < model->block_count; ++i) {
        context->block_nanoseconds[i] = 0;
    }
    for (int i = 0; i < model->step_count; ++i) {
        context->block_nanoseconds[model->steps[i].block] += device->api->nanoseconds(device, i);
    }
}

static sepconv_status_t synchronize_entered(sepconv_device_t *device) {
    const sepconv_status_t status = device->api->synchronize(device);
    if (status == SEPCONV_OK) {
        collect_times(device);
    }
    return status;
}

static sepconv_status_t queue_run(sepconv_device_t *device, const void *const inputs[],
                                  void *const outputs[]) {
    const sepconv_model_t *model = device->context->model;
    void *const *results = device_outputs(device);
    sepconv_status_t status = SEPCONV_OK;
    for (int i = 0; i < model->input_count && status == SEPCONV_OK; ++i) {
        status = device->api->upload(device, (uint8_t *)device->tensors[i], inputs[i],
                                     model->inputs[i].bytes);
    }
    if (status == SEPCONV_OK) {
        status = sepconv_run_steps(device->context, device_inputs(device), results);
    }
    for (int i = 0; i < model->output_count && status == SEPCONV_OK; ++i) {
        status = device->api->download(device, outputs[i], (const uint8_t *)results[i],
                                       model->outputs[i].bytes);
    }
    return status;
}

/* After an error, too, the device is waited for: it may still read the caller's inputs. */
static sepconv_status_t run(sepconv_context_t *context, const void *const inputs[],
                            void *const outputs[]) {
    sepconv_device_t *device = context->device;
    sepconv_status_t status = enter(device);
    if (status != SEPCONV_OK) {
        return status;
    }
    status = queue_run(device, inputs, outputs);
    status = first_error(status, synchronize_entered(device));
    device->api->leave(device);
    return status;
}

static sepconv_status_t run_on_device(sepconv_context_t *context, const void *const inputs[],
                                      void *const outputs[]) {
    sepconv_device_t *device = context->device;
    sepconv_status_t status = enter(device);
    if (status != SEPCONV_OK) {
        return status;
    }
    status = sepconv_run_steps(context, inputs, outputs);
    status = first_error(status, device->api->flush(device));
    device->api->leave(device);
    return status;
}

static sepconv_status_t synchronize(sepconv_context_t *context) {
    sepconv_device_t *device = context->device;
    sepconv_status_t status = enter(device);
    if (status == SEPCONV_OK) {
        status = synchronize_entered(device);
        device->api->leave(device);
    }
    return status;
}

static void *queue(const sepconv_device_t *device) {
    return device->api->queue(device);
}

static void place(sepconv_buffer_t *buffer, uint8_t *address) {
    buffer->device = (uint64_t)(uintptr_t)address;
    buffer->device_interface = sepconv_device_interface();
}

static void begin_kernel(sepconv_device_t *device) {
    device->scratch_used = 0;
}

static sepconv_status_t mark(sepconv_device_t *device, int index) {
    return device->preparing ? SEPCONV_OK : device->api->mark(device, index);
}

const sepconv_device_calls_t sepconv_device_calls = {
    .create = create,
    .destroy = destroy,
    .run = run,
    .run_on_device = run_on_device,
    .synchronize = synchronize,
    .queue = queue,
    .place = place,
    .begin_kernel = begin_kernel,
    .mark = mark,
};
