#include "models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <stdexcept>

#include "centerface_256.h"
#include "centerface_512.h"
#include "ppocr_cls.h"
#include "tests/support/random.h"

namespace sepconv::testing {

std::ostream &operator<<(std::ostream &stream, const LinkedModel &linked) {
    return stream << linked.name;
}

const std::vector<LinkedModel> &linked_models() {
    static const std::vector<LinkedModel> models{
        {"centerface_256", centerface_256_model(), CENTERFACE_256_ARENA_BYTES},
        {"centerface_512", centerface_512_model(), CENTERFACE_512_ARENA_BYTES},
        {"ppocr_cls", ppocr_cls_model(), PPOCR_CLS_ARENA_BYTES},
    };
    return models;
}

const LinkedModel &linked_model(const std::string &name) {
    for (const LinkedModel &linked : linked_models()) {
        if (linked.name == name) {
            return linked;
        }
    }
    throw std::invalid_argument(name);
}

ForcedIsa::ForcedIsa(const std::string &isa) {
    setenv("SEPCONV_ISA", isa.c_str(), 1);
}

ForcedIsa::~ForcedIsa() {
    unsetenv("SEPCONV_ISA");
}

std::vector<std::string> available_isas() {
    std::vector<std::string> isas{"sse41", "avx2", "avx512"};
    isas.erase(
        std::remove_if(isas.begin(), isas.end(),
                       [](const std::string &isa) { return !sepconv_isa_available(isa.c_str()); }),
        isas.end());
    return isas;
}

ContextPointer make_context(const sepconv_model_t *model, const sepconv_options_t &options) {
    sepconv_context_t *context = nullptr;
    const sepconv_status_t status = sepconv_context_create(model, &options, &context);
    EXPECT_EQ(status, SEPCONV_OK) << sepconv_status_message(status);
    return ContextPointer(context);
}

ContextPointer make_context(const sepconv_model_t *model, int num_threads) {
    sepconv_options_t options = {};
    options.num_threads = num_threads;
    return make_context(model, options);
}

Tensors::Tensors(const LinkedModel &linked, const std::string &seed, Flush flush) {
    for (int i = 0; i < sepconv_model_input_count(linked.model); ++i) {
        const size_t elements = sepconv_model_input(linked.model, i)->bytes / sizeof(float);
        auto buffer = std::make_unique<GuardedBuffer>(elements, flush);
        const std::vector<float> values =
            Random(linked.name + seed + std::to_string(i)).uniform(elements, -1, 1);
        std::copy(values.begin(), values.end(), buffer->floats());
        buffer->make_read_only();
        input_pointers_.push_back(buffer->floats());
        inputs_.push_back(std::move(buffer));
    }
    for (int i = 0; i < sepconv_model_output_count(linked.model); ++i) {
        const size_t elements = sepconv_model_output(linked.model, i)->bytes / sizeof(float);
        outputs_.push_back(std::make_unique<GuardedBuffer>(elements, flush));
        output_pointers_.push_back(outputs_.back()->floats());
        output_elements_.push_back(elements);
    }
}

sepconv_status_t Tensors::run(sepconv_context_t *context) {
    return sepconv_run(context, input_pointers_.data(), output_pointers_.data());
}

void Tensors::poison() {
    for (size_t i = 0; i < outputs_.size(); ++i) {
        std::fill_n(outputs_[i]->bits(), output_elements_[i], GuardedBuffer::kPoison);
    }
}

OutputBits Tensors::output_bits() const {
    OutputBits bits;
    for (size_t i = 0; i < outputs_.size(); ++i) {
        const uint32_t *first = outputs_[i]->bits();
        bits.insert(bits.end(), first, first + output_elements_[i]);
    }
    return bits;
}

bool Tensors::slack_is_untouched() const {
    return std::all_of(
        outputs_.begin(), outputs_.end(),
        [](const std::unique_ptr<GuardedBuffer> &buffer) { return buffer->slack_is_untouched(); });
}

bool all_finite(const OutputBits &bits) {
    return std::all_of(bits.begin(), bits.end(), [](uint32_t word) {
        float value = 0;
        std::memcpy(&value, &word, sizeof(value));
        return std::isfinite(value);
    });
}

}  // namespace sepconv::testing
