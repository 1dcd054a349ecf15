/* Runs a model very often: the right answer each time, and nothing that grows.
 * usage: soak RUNS INPUTS EXPECTED
 *   INPUTS    floats: inputs of the model, one after the other
 *   EXPECTED  floats: what another implementation makes of each
 * With GLIBC_TUNABLES=glibc.malloc.tcache_count=0: else what malloc keeps to give again counts as
 * used. The model is `soak`, of one input and one output. Half of the runs have one thread, half
 * have two; every kRunsOfAContext runs the context is made anew. */
#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L

#include "soak.h"

#include <dirent.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kRunsOfAContext = 1000, kChecks = 10 };
static const float kTolerance = 1e-4f;      /* Against the other implementation. */
static const long kResidentSlack = 512;     /* KiB: pages that the system moves about. */
static const unsigned char kPoison = 0xA5u; /* Of outputs, before each run. */

typedef struct floats_t {
    float *values;
    size_t count;
} floats_t;

/* What the process has of the system. */
typedef struct usage_t {
    size_t heap_bytes; /* Allocated and not freed, mapped ones among them. */
    long resident_kib;
    int files, threads;
} usage_t;

static void fail(const char *what) {
    fprintf(stderr, "error: %s\n", what);
    exit(1);
}

static void require(sepconv_status_t status) {
    if (status != SEPCONV_OK) {
        fail(sepconv_status_message(status));
    }
}

static floats_t read_floats(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fail(path);
    }
    const size_t bytes = (size_t)ftell(file);
    floats_t floats = {(float *)malloc(bytes), bytes / sizeof(float)};
    rewind(file);
    if (floats.values == NULL || fread(floats.values, 1, bytes, file) != bytes) {
        fail(path);
    }
    fclose(file);
    return floats;
}

static int entries_of(const char *folder) {
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        fail(folder);
    }
    int count = 0;
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        count += entry->d_name[0] != '.';
    }
    closedir(entries);
    return count;
}

static usage_t usage_now(void) {
    const struct mallinfo2 heap = mallinfo2();
    usage_t usage = {heap.uordblks + heap.hblkhd, 0, entries_of("/proc/self/fd"),
                     entries_of("/proc/self/task")};
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) {
        fail("/proc/self/statm");
    }
    fclose(file);
    usage.resident_kib = pages * (sysconf(_SC_PAGESIZE) / 1024);
    return usage;
}

static sepconv_context_t *make_context(int num_threads) {
    sepconv_options_t options = {.num_threads = num_threads};
    sepconv_context_t *context = NULL;
    require(sepconv_context_create(soak_model(), &options, &context));
    return context;
}

static void run(sepconv_context_t *context, const float *input, float *output, size_t count) {
    const void *const inputs[] = {input};
    void *const outputs[] = {output};
    memset(output, kPoison, count * sizeof(float));
    require(sepconv_run(context, inputs, outputs));
}

/* The table of answers: of one serial run each, near those of the other implementation. */
static floats_t make_answers(const floats_t *inputs, const floats_t *expected, size_t sets) {
    const size_t in = inputs->count / sets;
    const size_t out = expected->count / sets;
    floats_t answers = {(float *)malloc(expected->count * sizeof(float)), expected->count};
    if (answers.values == NULL) {
        fail("out of memory");
    }
    sepconv_context_t *context = make_context(1);
    for (size_t i = 0; i < sets; ++i) {
        run(context, inputs->values + i * in, answers.values + i * out, out);
    }
    sepconv_context_destroy(context);
    for (size_t i = 0; i < answers.count; ++i) {
        if (!(fabsf(answers.values[i] - expected->values[i]) <= kTolerance)) {
            fail("an answer differs from the other implementation's");
        }
    }
    return answers;
}

/* `first` was taken when everything had been used once. */
static void check_usage(const usage_t *first, long runs, int num_threads) {
    const usage_t now = usage_now();
    printf("%9ld runs, threads %d: heap %zu bytes, resident %ld KiB, files %d, threads %d\n", runs,
           num_threads, now.heap_bytes, now.resident_kib, now.files, now.threads);
    if (now.heap_bytes != first->heap_bytes || now.files != first->files ||
        now.threads != first->threads || now.resident_kib > first->resident_kib + kResidentSlack) {
        fail("something has grown");
    }
}

static void soak(long runs, int num_threads, const floats_t *inputs, const floats_t *answers,
                 size_t sets) {
    const size_t in = inputs->count / sets;
    const size_t out = answers->count / sets;
    float *output = (float *)malloc(out * sizeof(float));
    sepconv_context_t *context = make_context(num_threads);
    usage_t first = {0, 0, 0, 0};
    for (long i = 0; i < runs; ++i) {
        if (i % kRunsOfAContext == kRunsOfAContext - 1) {
            sepconv_context_destroy(context);
            context = make_context(num_threads);
        }
        /* Neighbouring runs have different inputs, and a context does not begin with the same. */
        const size_t set = (size_t)i * 7919u % sets;
        run(context, inputs->values + set * in, output, out);
        if (memcmp(output, answers->values + set * out, out * sizeof(float)) != 0) {
            fail("an answer has changed");
        }
        if ((i + 1) % (runs / kChecks) == 0) {
            if (first.threads == 0) {
                usage_now(); /* What it needs itself is there from now on. */
                first = usage_now();
            }
            check_usage(&first, i + 1, num_threads);
        }
    }
    sepconv_context_destroy(context);
    free(output);
}

int main(int argc, char **argv) {
    static char lines[BUFSIZ]; /* The heap is the model's alone. */
    setvbuf(stdout, lines, _IOLBF, sizeof(lines));
    const long runs = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
    if (runs < 2 * kChecks * kRunsOfAContext) {
        fail("usage: soak RUNS INPUTS EXPECTED    RUNS: at least 20000");
    }
    floats_t inputs = read_floats(argv[2]);
    floats_t expected = read_floats(argv[3]);
    const sepconv_model_t *model = soak_model();
    const size_t sets = inputs.count * sizeof(float) / sepconv_model_input(model, 0)->bytes;
    if (sets < 2 ||
        expected.count * sizeof(float) != sets * sepconv_model_output(model, 0)->bytes) {
        fail("inputs and expected outputs do not fit the model");
    }
    floats_t answers = make_answers(&inputs, &expected, sets);
    for (int num_threads = 1; num_threads <= 2; ++num_threads) {
        soak(runs / 2, num_threads, &inputs, &answers, sets);
    }
    free(inputs.values);
    free(expected.values);
    free(answers.values);
    printf("%ld runs of %zu inputs: every answer right, nothing has grown\n", runs, sets);
    return 0;
}
