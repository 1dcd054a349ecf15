/* Runs one compiled block on a ramp and prints what a program needs to know about it. */
#include <stdio.h>

#include "block.h"

/* The header's macros give every size at compile time. */
static float input[BLOCK_INPUT_0_BYTES / sizeof(float)];
static float output[BLOCK_OUTPUT_0_BYTES / sizeof(float)];

static void print_tensor(const char *what, const sepconv_tensor_t *tensor) {
    printf("%s %s %s:", what, tensor->name, tensor->layout);
    for (int i = 0; i < tensor->rank; i++) {
        printf(" %lld", (long long)tensor->shape[i]);
    }
    printf(", %zu bytes\n", tensor->bytes);
}

int main(void) {
    const sepconv_model_t *model = block_model();
    print_tensor("input", sepconv_model_input(model, 0));
    print_tensor("output", sepconv_model_output(model, 0));
    printf("arena: %zu bytes\n", sepconv_model_arena_bytes(model, 1));

    sepconv_context_t *context = NULL;
    sepconv_status_t status = sepconv_context_create(model, NULL, &context);
    if (status != SEPCONV_OK) {
        fprintf(stderr, "error: %s\n", sepconv_status_message(status));
        return 1;
    }
    printf("variant: %s\n", sepconv_context_isa(context));

    const size_t count = sizeof(input) / sizeof(input[0]);
    for (size_t i = 0; i < count; i++) {
        input[i] = (float)i / (float)count;
    }
    const void *const inputs[] = {input};
    void *const outputs[] = {output};
    status = sepconv_run(context, inputs, outputs);
    sepconv_context_destroy(context);
    if (status != SEPCONV_OK) {
        fprintf(stderr, "error: %s\n", sepconv_status_message(status));
        return 1;
    }
    printf("first values: %g %g %g\n", output[0], output[1], output[2]);
    return 0;
}
