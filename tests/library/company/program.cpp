// The same as program.c by the C++ wrapper.
#include <cstdio>
#include <cstring>
#include <limits>
#include <sepconv/sepconv.hpp>
#include <vector>

#include "layers.h"
#include "neighbour.h"

namespace {

int loops = 0;  // Calls of our own parallel-for.

void serial_loop(int count, const sepconv::ParallelBody &body) {
    ++loops;
    for (int i = 0; i < count; ++i) {
        body(i, 0);
    }
}

int check_layer(const sepconv_model_t *model, const std::vector<float> &input, int add) {
    int wrong = 0;
    for (const sepconv::ParallelFor &loop :
         {sepconv::ParallelFor(), sepconv::ParallelFor(serial_loop)}) {
        std::vector<float> output(OUTPUT_COUNT, std::numeric_limits<float>::quiet_NaN());
        sepconv::Options options;
        options.num_threads = 2;
        options.parallel_for = loop;
        sepconv::Context context;
        sepconv::RunStatus status = sepconv::Context::create(model, options, &context);
        if (status.ok()) status = context.run({input.data()}, {output.data()});
        if (!status.ok()) {
            std::fprintf(stderr, "%s\n", status.message());
            return OUTPUT_COUNT;
        }
        wrong += wrong_values(input.data(), output.data(), add);
    }
    return wrong;
}

}  // namespace

int main() {
    std::vector<float> input(INPUT_COUNT);
    fill_input(input.data());
    set_neighbour_handlers();
    int neighbour = check_neighbour();
    const calls_t before = neighbour_calls;
    const int first = check_layer(one_model(), input, 1);
    const int second = check_layer(two_model(), input, 2);
    if (std::memcmp(&before, &neighbour_calls, sizeof before) != 0) {
        std::fputs("the layers have called the neighbour's handlers\n", stderr);
        return 1;
    }
    if (neighbour == 0) neighbour = check_neighbour();
    if (neighbour != 0 || first != 0 || second != 0 || loops == 0) {
        std::fprintf(stderr, "neighbour: check %d; wrong values: %d, %d; loops: %d\n", neighbour,
                     first, second, loops);
        return 1;
    }
    return 0;
}
