#ifndef SEPCONV_TESTS_RUNTIME_FAKE_MODEL_H_
#define SEPCONV_TESTS_RUNTIME_FAKE_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sepconv/plan.h"

namespace sepconv {

constexpr int kFakeKernels = 3;
constexpr int kElements = 8;  ///< Floats of a FakeModel's input and of its output.

/// What a fake kernel does: the user context, and the host pointers of its arguments.
using KernelBody = std::function<int(void *user_context, uint8_t *const hosts[])>;

/// Sets what kernel `index` of every FakeModel does. Not while one runs.
void set_kernel(int index, KernelBody body);

/// A model written by hand: one input, one output, kernels that do what set_kernel() says. Its
/// first plan is one call of kernel 0 on (input, output). Change the fields, then take model().
struct FakeModel {
    FakeModel();
    /// A plan step; `args` are copied.
    void add_step(uint32_t kernel, uint32_t block, uint32_t repeat,
                  const std::vector<sepconv_arg_t> &args);
    const sepconv_model_t *model();

    uint32_t abi_version = SEPCONV_ABI_VERSION;
    size_t tensor_bytes = 256;    ///< At the start of the arena; a multiple of 64.
    size_t scratch_bytes = 1024;  ///< Of every step, behind the tensors; a multiple of 64.
    std::vector<uint8_t> weights;
    std::vector<sepconv_variant_t> variants;
    std::vector<const char *> block_names = {"first", "second"};
    std::vector<sepconv_step_t> steps;

private:
    std::vector<std::vector<sepconv_arg_t>> args_;
    sepconv_model_t model_ = {};
};

/// A variant of the fake kernels.
sepconv_variant_t fake_variant(const char *isa, size_t worker_bytes);

constexpr sepconv_arg_t kInputArg = {SEPCONV_INPUT, 0, 0, 0};
constexpr sepconv_arg_t kOutputArg = {SEPCONV_OUTPUT, 0, 0, 0};

/// A context that destroys itself, with an input and an output to run on.
class TestContext {
public:
    TestContext(const sepconv_model_t *model, const sepconv_options_t *options = nullptr);
    ~TestContext() { sepconv_context_destroy(context); }
    TestContext(const TestContext &) = delete;
    TestContext &operator=(const TestContext &) = delete;

    sepconv_status_t run();

    sepconv_context_t *context = nullptr;
    sepconv_status_t created;
    float input[kElements] = {};
    float output[kElements] = {};
};

/// A parallel loop as a kernel makes it, over body(user_context, index).
int parallel_for(void *user_context, int min, int size,
                 const std::function<int(void *, int)> &body);

/// Sets an environment variable while it lives (null: unset), then puts back what was there.
class ScopedEnvironment {
public:
    ScopedEnvironment(const char *name, const char *value);
    ~ScopedEnvironment();
    ScopedEnvironment(const ScopedEnvironment &) = delete;
    ScopedEnvironment &operator=(const ScopedEnvironment &) = delete;

private:
    std::string name_, before_;
    bool was_set_;
};

}  // namespace sepconv

#endif  // SEPCONV_TESTS_RUNTIME_FAKE_MODEL_H_
