/* Every variant of a library, forced and chosen: prints for each a line
 *     FORCED CHOSEN STATUS VALUE..
 * where FORCED is "-" for the automatic choice. The models come by -include and MODELS, the
 * variants by ISAS. */
#include <stdio.h>
#include <stdlib.h>

enum { kShown = 64 };

/* Deterministic values from -1 to 1. */
static void fill(float *values, size_t count) {
    unsigned state = 1;
    for (size_t i = 0; i < count; ++i) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(state >> 8) / (float)(1u << 23) - 1.0f;
    }
}

static int run(const sepconv_model_t *model, const char *forced) {
    const size_t input_bytes = sepconv_model_input(model, 0)->bytes;
    const size_t output_bytes = sepconv_model_output(model, 0)->bytes;
    float *input = (float *)malloc(input_bytes);
    float *output = (float *)calloc(1, output_bytes);
    if (input == NULL || output == NULL) {
        return 1;
    }
    fill(input, input_bytes / sizeof(float));
    const void *const inputs[] = {input};
    void *const outputs[] = {output};
    sepconv_context_t *context = NULL;
    sepconv_status_t status = sepconv_context_create(model, NULL, &context);
    const char *chosen = status == SEPCONV_OK ? sepconv_context_isa(context) : "-";
    if (status == SEPCONV_OK) {
        status = sepconv_run(context, inputs, outputs);
    }
    printf("%s %s %d", *forced != '\0' ? forced : "-", chosen, (int)status);
    const size_t count = output_bytes / sizeof(float);
    for (size_t i = 0; status == SEPCONV_OK && i < kShown; ++i) {
        printf(" %.6f", output[i * count / kShown]);
    }
    puts("");
    fflush(stdout); /* Before an instruction that this CPU may lack. */
    sepconv_context_destroy(context);
    free(input);
    free(output);
    return 0;
}

int main(void) {
    const sepconv_model_t *const models[] = {MODELS};
    static const char *const isas[] = {"", ISAS};
    for (size_t m = 0; m < sizeof(models) / sizeof(models[0]); ++m) {
        for (size_t i = 0; i < sizeof(isas) / sizeof(isas[0]); ++i) {
            if (setenv("SEPCONV_ISA", isas[i], 1) != 0 || run(models[m], isas[i]) != 0) {
                return 1;
            }
        }
    }
    return 0;
}
