/* The unrelated user of Halide in the program: neighbour(), compiled ahead of time with Halide's
 * own runtime, and its handlers, which count. */
#ifndef SEPCONV_TESTS_LIBRARY_COMPANY_NEIGHBOUR_H_
#define SEPCONV_TESTS_LIBRARY_COMPANY_NEIGHBOUR_H_

#include <stdlib.h>
#include <string.h>

#include "halide_neighbour.h"

typedef struct calls_t {
    int errors, mallocs, frees, par_fors;
} calls_t;
static calls_t neighbour_calls;

static void count_error(void *user_context, const char *message) {
    (void)user_context;
    (void)message;
    ++neighbour_calls.errors;
}

static void *count_malloc(void *user_context, size_t bytes) {
    (void)user_context;
    ++neighbour_calls.mallocs;
    return aligned_alloc(128, (bytes + 255) / 128 * 128);
}

static void count_free(void *user_context, void *pointer) {
    (void)user_context;
    ++neighbour_calls.frees;
    free(pointer);
}

static int count_par_for(void *user_context, halide_task_t task, int min, int size,
                         uint8_t *closure) {
    ++neighbour_calls.par_fors;
    for (int i = min; i < min + size; ++i) {
        const int result = task(user_context, i, closure);
        if (result != 0) return result;
    }
    return 0;
}

static inline void set_neighbour_handlers(void) {
    halide_set_error_handler(count_error);
    halide_set_custom_malloc(count_malloc);
    halide_set_custom_free(count_free);
    halide_set_custom_do_par_for(count_par_for);
}

enum { NEIGHBOUR_COUNT = 4096 };

/* Runs it, `missing` input values short; its result. *wrong counts wrong values. */
static inline int run_neighbour(int missing, int *wrong) {
    static float in[NEIGHBOUR_COUNT], out[NEIGHBOUR_COUNT];
    halide_dimension_t in_shape = {0, NEIGHBOUR_COUNT - missing, 1, 0};
    halide_dimension_t out_shape = {0, NEIGHBOUR_COUNT, 1, 0};
    halide_buffer_t input, output;
    int result;
    memset((void *)&input, 0, sizeof input);
    input.host = (uint8_t *)in;
    input.type.code = halide_type_float;
    input.type.bits = 32;
    input.type.lanes = 1;
    input.dimensions = 1;
    output = input;
    input.dim = &in_shape;
    output.host = (uint8_t *)out;
    output.dim = &out_shape;
    for (int i = 0; i < NEIGHBOUR_COUNT; ++i) {
        in[i] = (float)i;
    }
    result = halide_neighbour(&input, &output);
    *wrong = 0;
    for (int i = 0; result == 0 && i < NEIGHBOUR_COUNT; ++i) {
        *wrong += out[i] == (float)(4 * i + 2) ? 0 : 1;
    }
    return result;
}

/* 0 where its handlers, and no others, have done their work: for a run, and one that fails. */
static inline int check_neighbour(void) {
    const calls_t before = neighbour_calls;
    int wrong = 0;
    if (run_neighbour(0, &wrong) != 0 || wrong != 0) return 1;
    if (neighbour_calls.mallocs != before.mallocs + 1) return 2;
    if (neighbour_calls.frees != before.frees + 1) return 3;
    if (neighbour_calls.par_fors != before.par_fors + 1) return 4;
    if (neighbour_calls.errors != before.errors) return 5;
    if (run_neighbour(1, &wrong) == 0) return 6;
    if (neighbour_calls.errors != before.errors + 1) return 7;
    return 0;
}

#endif /* SEPCONV_TESTS_LIBRARY_COMPANY_NEIGHBOUR_H_ */
