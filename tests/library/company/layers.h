/* What the two compiled layers compute, in plain loops: a depthwise 3x3 of ones without padding,
 * then a pointwise convolution whose weights company.py writes. Small integers, so every sum is
 * exact. */
#ifndef SEPCONV_TESTS_LIBRARY_COMPANY_LAYERS_H_
#define SEPCONV_TESTS_LIBRARY_COMPANY_LAYERS_H_

#include "one.h"
#include "two.h"

enum { LAYER_SIZE = 56, LAYER_IN = 16, LAYER_OUT = 32, LAYER_TAPS = 3 };
enum { LAYER_RESULT = LAYER_SIZE - LAYER_TAPS + 1 };
enum { INPUT_COUNT = LAYER_SIZE * LAYER_SIZE * LAYER_IN };
enum { OUTPUT_COUNT = LAYER_RESULT * LAYER_RESULT * LAYER_OUT };

static inline void fill_input(float *input) {
    for (int i = 0; i < INPUT_COUNT; ++i) {
        input[i] = (float)(i % 7 - 3);
    }
}

/* The sum of a window over all channels. */
static inline float window_sum(const float *input, int row, int column) {
    float sum = 0.0f;
    for (int y = row; y < row + LAYER_TAPS; ++y) {
        const float *first = input + (y * LAYER_SIZE + column) * LAYER_IN;
        for (int i = 0; i < LAYER_TAPS * LAYER_IN; ++i) {
            sum += first[i];
        }
    }
    return sum;
}

/* Number of wrong values. `add` is 1 for the first layer, 2 for the second. */
static inline int wrong_values(const float *input, const float *output, int add) {
    int wrong = 0;
    for (int i = 0; i < OUTPUT_COUNT; ++i) {
        const int channel = i % LAYER_OUT;
        const int pixel = i / LAYER_OUT;
        const float sum = window_sum(input, pixel / LAYER_RESULT, pixel % LAYER_RESULT);
        wrong += output[i] == sum * (float)(channel % 3 + add) ? 0 : 1;
    }
    return wrong;
}

#endif /* SEPCONV_TESTS_LIBRARY_COMPANY_LAYERS_H_ */
