#include "tests/support/random.h"

#include <cstdlib>

namespace sepconv::testing {
namespace {

/// FNV-1a: the same on every machine, unlike std::hash.
uint32_t hash_of(const std::string &name) {
    uint32_t hash = 2166136261U;
    for (const char letter : name) {
        hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619U;
    }
    return hash;
}

}  // namespace

uint32_t test_seed() {
    const char *given = std::getenv("SEPCONV_TEST_SEED");
    return given == nullptr ? 1U : static_cast<uint32_t>(std::strtoul(given, nullptr, 10));
}

Random::Random(const std::string &name) : engine_(hash_of(name) ^ test_seed() * 2654435761U) {}

float Random::uniform(float low, float high) {
    // Not std::uniform_real_distribution, whose values differ between standard libraries.
    const double unit = static_cast<double>(engine_()) / 4294967296.0;
    return static_cast<float>(low + (static_cast<double>(high) - low) * unit);
}

std::vector<float> Random::uniform(size_t count, float low, float high) {
    std::vector<float> values(count);
    for (float &value : values) {
        value = uniform(low, high);
    }
    return values;
}

std::string Random::trace() {
    return "SEPCONV_TEST_SEED=" + std::to_string(test_seed());
}

}  // namespace sepconv::testing
