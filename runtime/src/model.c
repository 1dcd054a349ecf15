#include <string.h>

#include "context.h"
#include "device.h"

int sepconv_model_readable(const sepconv_model_t *model) {
    return model != NULL && model->abi_version == SEPCONV_ABI_VERSION;
}

int sepconv_model_input_count(const sepconv_model_t *model) {
    return sepconv_model_readable(model) ? model->input_count : 0;
}

int sepconv_model_output_count(const sepconv_model_t *model) {
    return sepconv_model_readable(model) ? model->output_count : 0;
}

const sepconv_tensor_t *sepconv_model_input(const sepconv_model_t *model, int index) {
    return index >= 0 && index < sepconv_model_input_count(model) ? &model->inputs[index] : NULL;
}

const sepconv_tensor_t *sepconv_model_output(const sepconv_model_t *model, int index) {
    return index >= 0 && index < sepconv_model_output_count(model) ? &model->outputs[index] : NULL;
}

const char *sepconv_model_name(const sepconv_model_t *model) {
    return sepconv_model_readable(model) ? model->name : "";
}

size_t sepconv_slice_bytes(const sepconv_model_t *model) {
    size_t bytes = 0;
    for (int i = 0; i < model->variant_count; ++i) {
        if (model->variants[i].worker_bytes > bytes) {
            bytes = model->variants[i].worker_bytes;
        }
    }
    return sepconv_round_up(bytes, kScratchAlignment);
}

size_t sepconv_model_arena_bytes(const sepconv_model_t *model, int num_threads) {
    if (!sepconv_model_readable(model) || num_threads < 0 || num_threads > SEPCONV_MAX_THREADS) {
        return 0;
    }
    return SEPCONV_TOTAL_ARENA_BYTES(model->arena_bytes, sepconv_slice_bytes(model),
                                     sepconv_slice_count(num_threads));
}

static int matches(const char *name, const char *wanted) {
    return wanted == NULL || wanted[0] == '\0' || strcmp(name, wanted) == 0;
}

int sepconv_variant_allowed(const sepconv_variant_t *variant,
                            const sepconv_restriction_t *restriction) {
    const char *device = variant->device != NULL ? variant->device->name : "cpu";
    return matches(variant->isa, restriction->isa) && matches(device, restriction->devices[0]) &&
           matches(device, restriction->devices[1]);
}

int sepconv_model_runs_on_cpu(const sepconv_model_t *model,
                              const sepconv_restriction_t *restriction) {
    for (int i = 0; i < model->variant_count; ++i) {
        const sepconv_variant_t *variant = &model->variants[i];
        if (variant->device == NULL && sepconv_variant_allowed(variant, restriction) &&
            sepconv_isa_available(variant->isa)) {
            return 1;
        }
    }
    return 0;
}
