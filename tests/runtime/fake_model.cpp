#include "fake_model.h"

#include <cstdlib>
#include <utility>

namespace sepconv {
namespace {

KernelBody kernel_bodies[kFakeKernels];

template<int kIndex>
int fake_kernel(void **args) {
    void *user_context = *static_cast<void **>(args[0]);
    // Plans here have at most two arguments, except where a test only checks their number.
    uint8_t *hosts[2] = {static_cast<sepconv_buffer_t *>(args[1])->host,
                         static_cast<sepconv_buffer_t *>(args[2])->host};
    return kernel_bodies[kIndex](user_context, hosts);
}

const sepconv_kernel_t kKernels[kFakeKernels] = {fake_kernel<0>, fake_kernel<1>, fake_kernel<2>};

const int64_t kShape[] = {1, 1, 2, 4};
const sepconv_tensor_t kInput = {"image", "nchw", 4, kShape, kElements * sizeof(float)};
const sepconv_tensor_t kOutput = {"scores", "nhwc", 4, kShape, kElements * sizeof(float)};

}  // namespace

void set_kernel(int index, KernelBody body) {
    kernel_bodies[index] = std::move(body);
}

sepconv_variant_t fake_variant(const char *isa, size_t worker_bytes) {
    return {isa, kKernels, worker_bytes, nullptr, 0};
}

FakeModel::FakeModel() {
    variants = {fake_variant("sse41", 1024)};
    add_step(0, 0, 1, {kInputArg, kOutputArg});
}

void FakeModel::add_step(uint32_t kernel, uint32_t block, uint32_t repeat,
                         const std::vector<sepconv_arg_t> &args) {
    args_.push_back(args);
    steps.push_back({kernel, block, repeat, static_cast<uint32_t>(args.size()), nullptr, 0, 0});
}

const sepconv_model_t *FakeModel::model() {
    // Steps that a test cleared are the first of args_.
    const size_t cleared = args_.size() - steps.size();
    for (size_t i = 0; i < steps.size(); ++i) {
        steps[i].args = args_[cleared + i].data();
        steps[i].scratch_offset = tensor_bytes;
        steps[i].scratch_bytes = scratch_bytes;
    }
    model_ = {abi_version,
              "fake",
              1,
              1,
              &kInput,
              &kOutput,
              tensor_bytes + scratch_bytes,
              weights.data(),
              weights.size(),
              static_cast<int>(variants.size()),
              variants.data(),
              static_cast<int>(steps.size()),
              steps.data(),
              static_cast<int>(block_names.size()),
              block_names.data()};
    return &model_;
}

TestContext::TestContext(const sepconv_model_t *model, const sepconv_options_t *options)
    : created(sepconv_context_create(model, options, &context)) {}

sepconv_status_t TestContext::run() {
    const void *const inputs[] = {input};
    void *const outputs[] = {output};
    return sepconv_run(context, inputs, outputs);
}

int parallel_for(void *user_context, int min, int size,
                 const std::function<int(void *, int)> &body) {
    const auto task = [](void *task_context, int index, uint8_t *closure) {
        return (*reinterpret_cast<const std::function<int(void *, int)> *>(closure))(task_context,
                                                                                     index);
    };
    auto *closure =
        reinterpret_cast<uint8_t *>(const_cast<std::function<int(void *, int)> *>(&body));
    return sepconv_kernel_par_for(user_context, task, min, size, closure);
}

ScopedEnvironment::ScopedEnvironment(const char *name, const char *value) : name_(name) {
    const char *before = std::getenv(name);
    was_set_ = before != nullptr;
    before_ = was_set_ ? before : "";
    if (value != nullptr) {
        setenv(name, value, 1);
    } else {
        unsetenv(name);
    }
}

ScopedEnvironment::~ScopedEnvironment() {
    if (was_set_) {
        setenv(name_.c_str(), before_.c_str(), 1);
    } else {
        unsetenv(name_.c_str());
    }
}

}  // namespace sepconv
