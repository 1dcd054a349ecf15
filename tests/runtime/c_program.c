/* A user's program in C: a model by hand, a context, a run. Exit status 0 when all is well. */
#include <stdio.h>

#include "sepconv/plan.h"
#include "sepconv/sepconv.h"

static int negate(void **args) {
    const float *in = (const float *)(const void *)((sepconv_buffer_t *)args[1])->host;
    float *out = (float *)(void *)((sepconv_buffer_t *)args[2])->host;
    for (int i = 0; i < 4; ++i) {
        out[i] = -in[i];
    }
    return 0;
}

static const int64_t kShape[] = {4};
static const sepconv_tensor_t kTensors[] = {{"in", "", 1, kShape, 16}, {"out", "", 1, kShape, 16}};
static const sepconv_kernel_t kKernels[] = {negate};
static const sepconv_variant_t kVariants[] = {{"sse41", kKernels, 0, NULL, 0}};
static const sepconv_arg_t kArgs[] = {{SEPCONV_INPUT, 0, 0, 0}, {SEPCONV_OUTPUT, 0, 0, 0}};
static const sepconv_step_t kSteps[] = {{0, 0, 1, 2, kArgs, 0, 0}};
static const char *const kBlocks[] = {"negate"};
static const sepconv_model_t kModel = {
    .abi_version = SEPCONV_ABI_VERSION,
    .name = "negate",
    .input_count = 1,
    .output_count = 1,
    .inputs = &kTensors[0],
    .outputs = &kTensors[1],
    .variant_count = 1,
    .variants = kVariants,
    .step_count = 1,
    .steps = kSteps,
    .block_count = 1,
    .block_names = kBlocks,
};

int main(void) {
    sepconv_context_t *context = NULL;
    sepconv_options_t options = {0};
    options.num_threads = 2;
    sepconv_status_t status = sepconv_context_create(&kModel, &options, &context);
    const float in[4] = {1, 2, 3, 4};
    float out[4] = {0, 0, 0, 0};
    if (status == SEPCONV_OK) {
        const void *const inputs[] = {in};
        void *const outputs[] = {out};
        status = sepconv_run(context, inputs, outputs);
    }
    sepconv_context_destroy(context);
    if (status != SEPCONV_OK) {
        fprintf(stderr, "%s\n", sepconv_status_message(status));
        return 1;
    }
    for (int i = 0; i < 4; ++i) {
        if (out[i] != -in[i]) {
            fprintf(stderr, "output %d: expected %g, got %g\n", i, -in[i], out[i]);
            return 1;
        }
    }
    return 0;
}
