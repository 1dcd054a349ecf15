#include "compiler/element.h"

#include <cstring>

namespace sepconv {
namespace {

uint32_t word_of(float value) {
    uint32_t word = 0;
    std::memcpy(&word, &value, sizeof(word));
    return word;
}

float float_of(uint32_t word) {
    float value = 0.0F;
    std::memcpy(&value, &word, sizeof(value));
    return value;
}

// Binary32 has 13 more mantissa bits than binary16, and its exponent bias is 112 larger.
constexpr uint32_t kDroppedBits = 13;
constexpr uint32_t kBiasChange = 112U << 23;
constexpr uint32_t kInfinity = 0x7F800000;
constexpr uint16_t kHalfInfinity = 0x7C00;
constexpr uint16_t kHalfNan = 0x7E00;

}  // namespace

const char *name_of(ElementType type) {
    constexpr const char *kNames[] = {"FLOAT", "DOUBLE", "FLOAT16", "INT8",
                                      "UINT8", "INT32",  "INT64",   "BOOL"};
    return kNames[static_cast<size_t>(type)];
}

size_t element_bytes(ElementType type) {
    switch (type) {
        case ElementType::kInt8:
        case ElementType::kUint8:
        case ElementType::kBool:
            return 1;
        case ElementType::kFloat16:
            return 2;
        case ElementType::kFloat:
        case ElementType::kInt32:
            return 4;
        case ElementType::kInt64:
        case ElementType::kDouble:
            return 8;
    }
    return 1;
}

Half::Half(float value) {
    const uint32_t word = word_of(value) & ~(1U << 31);
    uint32_t magnitude = 0;
    if (word >= word_of(65520.0F)) {
        magnitude = word > kInfinity ? kHalfNan : kHalfInfinity;
    } else if (word < word_of(0x1p-14F)) {
        // Subnormals count 2^-24, which is the last bit of a float in [0.5, 1).
        magnitude = word_of(std::fabs(value) + 0.5F) - word_of(0.5F);
    } else {
        const uint32_t odd = (word >> kDroppedBits) & 1;
        const uint32_t half_unit = (1U << (kDroppedBits - 1)) - 1;
        magnitude = (word - kBiasChange + half_unit + odd) >> kDroppedBits;
    }
    bits = static_cast<uint16_t>(magnitude | (std::signbit(value) ? 0x8000U : 0U));
}

Half::operator float() const {
    const uint32_t magnitude = bits & 0x7FFFU;
    float value = 0.0F;
    if (magnitude >= kHalfInfinity) {
        value = float_of(kInfinity | (magnitude << kDroppedBits));
    } else if (magnitude < 0x400) {
        value = static_cast<float>(magnitude) * 0x1p-24F;
    } else {
        value = float_of((magnitude << kDroppedBits) + kBiasChange);
    }
    return (bits & 0x8000U) != 0 ? -value : value;
}

}  // namespace sepconv
