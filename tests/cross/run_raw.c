/* Runs a compiled model on raw floats: run_raw FOLDER INPUT..
 *
 * Writes FOLDER/0.bin, FOLDER/1.bin .. and prints the variant. MODEL is its function; the header
 * comes by -include. */
#include <stdio.h>
#include <stdlib.h>

enum { kMaxTensors = 16, kPoison = 0xff };

static int fail(const char *what, const char *reason) {
    fprintf(stderr, "%s: %s\n", what, reason);
    return 1;
}

/* The whole file, which must have that size; null on an error. */
static void *read_file(const char *path, size_t bytes) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char *data = (char *)malloc(bytes + 1);
    const int whole = data != NULL && fread(data, 1, bytes + 1, file) == bytes;
    fclose(file);
    if (!whole) {
        free(data);
        return NULL;
    }
    return data;
}

static int write_file(const char *path, const void *data, size_t bytes) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return 0;
    }
    const int written = fwrite(data, 1, bytes, file) == bytes;
    return fclose(file) == 0 && written;
}

static void *poisoned(size_t bytes) {
    unsigned char *data = (unsigned char *)malloc(bytes);
    for (size_t i = 0; data != NULL && i < bytes; ++i) {
        data[i] = kPoison;
    }
    return data;
}

int main(int argc, char **argv) {
    const sepconv_model_t *model = MODEL();
    const int input_count = sepconv_model_input_count(model);
    const int output_count = sepconv_model_output_count(model);
    if (argc != 2 + input_count || input_count > kMaxTensors || output_count > kMaxTensors) {
        return fail("usage", "run_raw FOLDER INPUT..");
    }
    const void *inputs[kMaxTensors];
    void *outputs[kMaxTensors];
    for (int i = 0; i < input_count; ++i) {
        inputs[i] = read_file(argv[2 + i], sepconv_model_input(model, i)->bytes);
        if (inputs[i] == NULL) {
            return fail(argv[2 + i], "cannot be read, or has another size");
        }
    }
    for (int i = 0; i < output_count; ++i) {
        outputs[i] = poisoned(sepconv_model_output(model, i)->bytes);
        if (outputs[i] == NULL) {
            return fail("output", "no memory");
        }
    }
    sepconv_context_t *context = NULL;
    sepconv_status_t status = sepconv_context_create(model, NULL, &context);
    if (status == SEPCONV_OK) {
        puts(sepconv_context_isa(context));
        status = sepconv_run(context, inputs, outputs);
    }
    if (status != SEPCONV_OK) {
        return fail("sepconv", sepconv_status_message(status));
    }
    sepconv_context_destroy(context);
    for (int i = 0; i < output_count; ++i) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%d.bin", argv[1], i);
        if (!write_file(path, outputs[i], sepconv_model_output(model, i)->bytes)) {
            return fail(path, "cannot be written");
        }
    }
    return 0;
}
