/// usage: company_neighbour ahead FOLDER    writes halide_neighbour.a and .h with Halide's runtime
///        company_neighbour jit             runs the layers beside Halide's JIT with its handlers
#include <Halide.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "layers.h"

namespace {

std::atomic<int> errors{0}, mallocs{0}, par_fors{0};

/// 4 x + 2 by way of a buffer on the heap, in parallel.
struct Neighbour {
    Halide::ImageParam input{Halide::Float(32), 1, "input"};
    Halide::Func twice{"twice"}, output{"output"};

    Neighbour() {
        const Halide::Var x("x");
        twice(x) = input(x) * 2.0F + 1.0F;
        output(x) = twice(x) + twice(x);
        constexpr int kTask = 256;
        twice.compute_root().parallel(x, kTask);
    }
};

int write_ahead(const std::string &folder) {
    Neighbour neighbour;
    neighbour.output.compile_to_static_library(folder + "/halide_neighbour", {neighbour.input},
                                               "halide_neighbour");
    return 0;
}

Halide::JITHandlers counting_handlers() {
    Halide::JITHandlers handlers;
    handlers.custom_error = [](Halide::JITUserContext *, const char *) { ++errors; };
    handlers.custom_malloc = [](Halide::JITUserContext *, size_t bytes) {
        ++mallocs;
        constexpr size_t kAlign = 128;
        return std::aligned_alloc(kAlign, (bytes + 2 * kAlign - 1) / kAlign * kAlign);
    };
    handlers.custom_free = [](Halide::JITUserContext *, void *pointer) { std::free(pointer); };
    handlers.custom_do_par_for = [](Halide::JITUserContext *context,
                                    int (*task)(Halide::JITUserContext *, int, uint8_t *), int min,
                                    int size, uint8_t *closure) {
        ++par_fors;
        for (int i = min; i < min + size; ++i) {
            if (const int result = task(context, i, closure); result != 0) return result;
        }
        return 0;
    };
    return handlers;
}

bool neighbour_is_right(Neighbour *neighbour) {
    constexpr int kCount = 4096;
    Halide::Buffer<float> in(kCount), out(kCount);
    for (int i = 0; i < kCount; ++i) in(i) = static_cast<float>(i);
    neighbour->input.set(in);
    const int before = mallocs + par_fors;
    neighbour->output.realize(out);
    if (mallocs + par_fors != before + 2) return false;
    for (int i = 0; i < kCount; ++i) {
        if (out(i) != static_cast<float>(4 * i + 2)) return false;
    }
    Halide::Buffer<float> small(kCount - 1);
    neighbour->input.set(small);
    const int errors_before = errors;
    neighbour->output.realize(out);
    return errors == errors_before + 1;
}

int wrong_values_of(const sepconv_model_t *model, int add) {
    std::vector<float> input(INPUT_COUNT), output(OUTPUT_COUNT, -1.0F);
    fill_input(input.data());
    const void *const inputs[] = {input.data()};
    void *const outputs[] = {output.data()};
    sepconv_options_t options = {};
    options.num_threads = 2;
    sepconv_context_t *context = nullptr;
    sepconv_status_t status = sepconv_context_create(model, &options, &context);
    if (status == SEPCONV_OK) status = sepconv_run(context, inputs, outputs);
    sepconv_context_destroy(context);
    return status == SEPCONV_OK ? wrong_values(input.data(), output.data(), add) : OUTPUT_COUNT;
}

int run_jit() {
    Neighbour neighbour;
    neighbour.output.jit_handlers() = counting_handlers();
    if (!neighbour_is_right(&neighbour)) return 1;
    const int before = errors + mallocs + par_fors;
    if (wrong_values_of(one_model(), 1) != 0 || wrong_values_of(two_model(), 2) != 0) return 2;
    if (errors + mallocs + par_fors != before) return 3;
    return neighbour_is_right(&neighbour) ? 0 : 4;
}

}  // namespace

int main(int argc, char **argv) {
    if (argc == 3 && std::strcmp(argv[1], "ahead") == 0) return write_ahead(argv[2]);
    if (argc != 2 || std::strcmp(argv[1], "jit") != 0) return 2;
    const int failed = run_jit();
    if (failed != 0) std::fprintf(stderr, "Halide's JIT and two layers: check %d\n", failed);
    return failed;
}
