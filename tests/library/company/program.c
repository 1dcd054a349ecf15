/* Two compiled layers beside a program that uses Halide's own runtime with handlers of its own. */
#include <stdio.h>
#include <string.h>

#include "layers.h"
#include "neighbour.h"

static float input[INPUT_COUNT], output[OUTPUT_COUNT];
static int loops; /* Calls of our own parallel-for. */

static int serial_loop(void *data, sepconv_task_t body, void *body_data, int count) {
    ++*(int *)data;
    for (int i = 0; i < count; ++i) {
        const int result = body(body_data, i, 0);
        if (result != 0) return result;
    }
    return 0;
}

/* Our pool, then our own parallel-for; the number of wrong values. */
static int check_layer(const sepconv_model_t *model, int add) {
    int wrong = 0;
    for (int turn = 0; turn < 2; ++turn) {
        const void *const inputs[] = {input};
        void *const outputs[] = {output};
        sepconv_context_t *context = NULL;
        sepconv_options_t options;
        sepconv_status_t status;
        memset(&options, 0, sizeof options);
        memset(output, 0xff, sizeof output);
        options.num_threads = 2;
        options.parallel_for = turn == 0 ? NULL : serial_loop;
        options.parallel_for_data = &loops;
        status = sepconv_context_create(model, &options, &context);
        if (status == SEPCONV_OK) status = sepconv_run(context, inputs, outputs);
        sepconv_context_destroy(context);
        if (status != SEPCONV_OK) {
            fprintf(stderr, "%s\n", sepconv_status_message(status));
            return OUTPUT_COUNT;
        }
        wrong += wrong_values(input, output, add);
    }
    return wrong;
}

int main(void) {
    calls_t before;
    int wrong[2];
    int neighbour;
    fill_input(input);
    set_neighbour_handlers();
    neighbour = check_neighbour();
    before = neighbour_calls;
    wrong[0] = check_layer(one_model(), 1);
    wrong[1] = check_layer(two_model(), 2);
    if (memcmp(&before, &neighbour_calls, sizeof before) != 0) {
        fprintf(stderr, "the layers have called the neighbour's handlers\n");
        return 1;
    }
    if (neighbour == 0) neighbour = check_neighbour();
    if (neighbour != 0 || wrong[0] != 0 || wrong[1] != 0 || loops == 0) {
        fprintf(stderr, "neighbour: check %d; wrong values: %d, %d; loops: %d\n", neighbour,
                wrong[0], wrong[1], loops);
        return 1;
    }
    return 0;
}
