/* Runs a compiled model on raw floats: run_raw FOLDER INPUT.., run_raw --describe
 *
 * Writes FOLDER/0.bin, FOLDER/1.bin .. and prints the variant; --describe prints a line for each
 * tensor, "input 1x3x8x8x NAME". MODEL is its function; the header
 * comes by -include. The model is run in several ways, with its tensors and the caller's arena
 * between inaccessible pages: every way must give the same bytes and touch nothing around them. */
#include <stdio.h>
#include <stdlib.h>

#include "guarded_pages.h"

enum { kMaxTensors = 256 };

typedef enum arena_t { kOwnArena, kArenaAtEnd, kArenaAtFront } arena_t;

typedef struct setup_t {
    int at_end;
    size_t shift; /* Bytes. */
    int threads;
    arena_t arena;
} setup_t;

static const setup_t kSetups[] = {
    {1, 0, 1, kOwnArena}, {0, 0, 2, kArenaAtEnd}, {1, 0, 2, kArenaAtFront}, {0, 4, 1, kArenaAtEnd}};

static int fail(const char *what, const char *reason) {
    fprintf(stderr, "%s: %s\n", what, reason);
    return 1;
}

/* The whole file, which must have that size. */
static int read_file(const char *path, unsigned char *data, size_t bytes) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    const int whole = fread(data, 1, bytes, file) == bytes && fgetc(file) == EOF;
    fclose(file);
    return whole;
}

static int write_file(const char *path, const void *data, size_t bytes) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return 0;
    }
    const int written = fwrite(data, 1, bytes, file) == bytes;
    return fclose(file) == 0 && written;
}

/* One way to run; what it allocates lives on, for the outputs are compared. */
typedef struct run_t {
    guarded_t inputs[kMaxTensors], outputs[kMaxTensors], arena;
} run_t;

static int make_tensors(run_t *run, const setup_t *setup, char **paths) {
    const sepconv_model_t *model = MODEL();
    for (int i = 0; i < sepconv_model_input_count(model); ++i) {
        run->inputs[i] =
            guarded_make(sepconv_model_input(model, i)->bytes, setup->at_end, setup->shift);
        if (run->inputs[i].data == NULL ||
            !read_file(paths[i], run->inputs[i].data, run->inputs[i].bytes)) {
            return fail(paths[i], "no memory for it, or it cannot be read, or has another size");
        }
    }
    for (int i = 0; i < sepconv_model_output_count(model); ++i) {
        run->outputs[i] =
            guarded_make(sepconv_model_output(model, i)->bytes, setup->at_end, setup->shift);
        if (run->outputs[i].data == NULL) {
            return fail("output", "no memory");
        }
    }
    return 0;
}

static int make_arena(run_t *run, const setup_t *setup, sepconv_options_t *options) {
    options->num_threads = setup->threads;
    if (setup->arena == kOwnArena) {
        return 0;
    }
    options->arena_bytes = sepconv_model_arena_bytes(MODEL(), setup->threads);
    run->arena = guarded_make(options->arena_bytes, setup->arena == kArenaAtEnd, 0);
    options->arena = run->arena.data;
    return options->arena != NULL ? 0 : fail("arena", "no memory");
}

static int untouched_around(const run_t *run) {
    int untouched = run->arena.pages == NULL || guarded_is_untouched_around(&run->arena);
    for (int i = 0; i < sepconv_model_output_count(MODEL()); ++i) {
        untouched = untouched && guarded_is_untouched_around(&run->outputs[i]);
    }
    return untouched;
}

static int run_model(run_t *run, const setup_t *setup, char **paths, int print_isa) {
    sepconv_options_t options = {0};
    if (make_tensors(run, setup, paths) || make_arena(run, setup, &options)) {
        return 1;
    }
    const void *inputs[kMaxTensors];
    void *outputs[kMaxTensors];
    for (int i = 0; i < kMaxTensors; ++i) {
        inputs[i] = run->inputs[i].data;
        outputs[i] = run->outputs[i].data;
    }
    sepconv_context_t *context = NULL;
    sepconv_status_t status = sepconv_context_create(MODEL(), &options, &context);
    if (status == SEPCONV_OK) {
        if (print_isa) {
            puts(sepconv_context_isa(context));
        }
        status = sepconv_run(context, inputs, outputs);
    }
    sepconv_context_destroy(context);
    if (status != SEPCONV_OK) {
        return fail("sepconv", sepconv_status_message(status));
    }
    return untouched_around(run) ? 0 : fail("sepconv_run", "wrote beside an output or the arena");
}

static int compare_outputs(const run_t *run, const run_t *first) {
    for (int i = 0; i < sepconv_model_output_count(MODEL()); ++i) {
        if (memcmp(run->outputs[i].data, first->outputs[i].data, run->outputs[i].bytes) != 0) {
            return fail("sepconv_run", "other bytes than in the first run");
        }
    }
    return 0;
}

static void describe(const char *side, const sepconv_tensor_t *tensor) {
    printf("%s ", side);
    for (int i = 0; i < tensor->rank; ++i) {
        printf("%ldx", (long)tensor->shape[i]);
    }
    printf(" %s\n", tensor->name);
}

int main(int argc, char **argv) {
    const int input_count = sepconv_model_input_count(MODEL());
    const int output_count = sepconv_model_output_count(MODEL());
    if (argc == 2 && strcmp(argv[1], "--describe") == 0) {
        for (int i = 0; i < input_count; ++i) {
            describe("input", sepconv_model_input(MODEL(), i));
        }
        for (int i = 0; i < output_count; ++i) {
            describe("output", sepconv_model_output(MODEL(), i));
        }
        return 0;
    }
    if (argc != 2 + input_count || input_count > kMaxTensors || output_count > kMaxTensors) {
        return fail("usage", "run_raw FOLDER INPUT..");
    }
    static run_t runs[sizeof(kSetups) / sizeof(kSetups[0])];
    for (size_t i = 0; i < sizeof(kSetups) / sizeof(kSetups[0]); ++i) {
        if (run_model(&runs[i], &kSetups[i], argv + 2, i == 0) ||
            compare_outputs(&runs[i], &runs[0])) {
            fprintf(stderr, "in setup %d of run_raw.c\n", (int)i);
            return 1;
        }
    }
    for (int i = 0; i < output_count; ++i) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%d.bin", argv[1], i);
        if (!write_file(path, runs[0].outputs[i].data, runs[0].outputs[i].bytes)) {
            return fail(path, "cannot be written");
        }
    }
    return 0;
}
