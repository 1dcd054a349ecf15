#ifndef SEPCONV_TESTS_LIBRARY_PROGRAMS_MODELS_H_
#define SEPCONV_TESTS_LIBRARY_PROGRAMS_MODELS_H_

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "sepconv/sepconv.h"
#include "tests/support/guarded_buffer.h"

namespace sepconv::testing {

/// A linked library: what its header says.
struct LinkedModel {
    std::string name;
    const sepconv_model_t *model;
    size_t arena_bytes;  ///< NAME_ARENA_BYTES.
};
/// For the messages of parameterised tests.
std::ostream &operator<<(std::ostream &stream, const LinkedModel &linked);

/// centerface_256, centerface_512, ppocr_cls.
const std::vector<LinkedModel> &linked_models();
const LinkedModel &linked_model(const std::string &name);

/// Forces `isa` for the contexts made in its life.
class ForcedIsa {
public:
    explicit ForcedIsa(const std::string &isa);
    ~ForcedIsa();
    ForcedIsa(const ForcedIsa &) = delete;
    ForcedIsa &operator=(const ForcedIsa &) = delete;
};

/// Those of the libraries that this machine runs.
std::vector<std::string> available_isas();

struct DestroyContext {
    void operator()(sepconv_context_t *context) const { sepconv_context_destroy(context); }
};
using ContextPointer = std::unique_ptr<sepconv_context_t, DestroyContext>;

/// Null on failure, which is then a test failure.
ContextPointer make_context(const sepconv_model_t *model, const sepconv_options_t &options);
ContextPointer make_context(const sepconv_model_t *model, int num_threads);

/// The bits of all outputs, one after the other.
using OutputBits = std::vector<uint32_t>;

/// The caller's tensors for one model: read-only inputs of values that depend on `seed`, and
/// outputs of poison, every buffer flush against an inaccessible page.
class Tensors {
public:
    Tensors(const LinkedModel &linked, const std::string &seed, Flush flush = Flush::kBack);

    /// Allocates nothing.
    sepconv_status_t run(sepconv_context_t *context);
    void poison();
    OutputBits output_bits() const;
    bool slack_is_untouched() const;

private:
    std::vector<std::unique_ptr<GuardedBuffer>> inputs_, outputs_;
    std::vector<size_t> output_elements_;
    std::vector<const void *> input_pointers_;
    std::vector<void *> output_pointers_;
};

bool all_finite(const OutputBits &bits);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_LIBRARY_PROGRAMS_MODELS_H_
