#include <cmath>
#include <cstdio>
#include <limits>
#include <sepconv/sepconv.hpp>
#include <vector>

#include "middle_layer.h"
#include "stem.h"

extern "C" int sizes_match(void);

namespace {

int fail(const char *what, const char *message) {
    std::fprintf(stderr, "%s: %s\n", what, message);
    return 1;
}

}  // namespace

int main() {
    if (sizes_match() == 0) {
        return fail("sizes", "the second layer does not take the first one's output");
    }
    sepconv::Context stem;
    sepconv::RunStatus status = sepconv::Context::create(stem_model(), &stem);
    if (!status.ok()) {
        return fail("stem", status.message());
    }
    sepconv::Context middle;
    status = sepconv::Context::create(middle_layer_model(), &middle);
    if (!status.ok()) {
        return fail("middle", status.message());
    }

    constexpr float kPoison = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> image(STEM_INPUT_0_BYTES / sizeof(float), 0.5f);
    std::vector<float> between(STEM_OUTPUT_0_BYTES / sizeof(float), kPoison);
    std::vector<float> result(MIDDLE_LAYER_OUTPUT_0_BYTES / sizeof(float), kPoison);
    status = stem.run({image.data()}, {between.data()});
    if (!status.ok()) {
        return fail("stem", status.message());
    }
    status = middle.run({between.data()}, {result.data()});
    if (!status.ok()) {
        return fail("middle", status.message());
    }
    for (const float value : result) {
        if (!std::isfinite(value)) {
            return fail("result", "a value was not written");
        }
    }
    std::printf("%zu values, %s\n", result.size(), stem.isa());
    return 0;
}
