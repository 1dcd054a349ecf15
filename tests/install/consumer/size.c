/* The headers are C. */
#include "middle_layer.h"
#include "stem.h"

int sizes_match(void);

int sizes_match(void) {
    return STEM_OUTPUT_0_BYTES == MIDDLE_LAYER_INPUT_0_BYTES;
}
