#include "tests/schedules/jit_kernel.h"

#include <pthread.h>

#include <algorithm>
#include <stdexcept>

#include "layer/arguments.h"
#include "tests/support/guarded_heap.h"

namespace sepconv::testing {
namespace {

Halide::Target jit_target(const Isa &isa) {
    const Halide::Target host = Halide::get_host_target();
    std::string text = Halide::Target(host.os, host.arch, host.bits).to_string();
    return Halide::Target(text + "-" + isa.features + "-jit");
}

int64_t constant(const Halide::Expr &constraint, const std::string &what) {
    const auto value = Halide::Internal::as_const_int(Halide::Internal::simplify(constraint));
    if (!value) {
        throw std::logic_error(what + " is not fixed at compile time");
    }
    return *value;
}

/// The shape that the kernel declares for a buffer, checked to lie within what may be touched.
std::vector<halide_dimension_t> declared_shape(const Halide::Parameter &buffer, int64_t readable) {
    std::vector<halide_dimension_t> shape;
    int64_t last = 0;
    for (int d = 0; d < buffer.dimensions(); ++d) {
        const std::string what = buffer.name() + " dimension " + std::to_string(d);
        const int64_t min = constant(buffer.min_constraint(d), what);
        const int64_t extent = constant(buffer.extent_constraint(d), what);
        const int64_t stride = constant(buffer.stride_constraint(d), what);
        shape.emplace_back(static_cast<int>(min), static_cast<int>(extent),
                           static_cast<int>(stride));
        last += (extent - 1) * stride;
    }
    if (last >= readable) {
        throw std::logic_error(buffer.name() + " declares element " + std::to_string(last) +
                               ", but " + std::to_string(readable) + " may be read");
    }
    return shape;
}

/// A view of guarded elements in the shape that the kernel declares.
Halide::Buffer<> view(GuardedBuffer *buffer, const Halide::Parameter &parameter, int64_t readable) {
    const std::vector<halide_dimension_t> shape = declared_shape(parameter, readable);
    return Halide::Buffer<>(Halide::Runtime::Buffer<>(
        parameter.type(), buffer->bits(), static_cast<int>(shape.size()), shape.data()));
}

std::unique_ptr<GuardedBuffer> guarded_copy(const ArgumentData &data, const RunSetup &setup) {
    auto buffer = std::make_unique<GuardedBuffer>(data.readable_elements, setup.flush, setup.shift);
    std::copy(data.floats.begin(), data.floats.end(), buffer->floats());
    std::copy(data.ints.begin(), data.ints.end(), buffer->ints());
    buffer->make_read_only();
    return buffer;
}

/// What a running kernel calls.
struct Surroundings : Halide::JITUserContext {
    explicit Surroundings(const RunSetup &run_setup) : heap(run_setup.flush), setup(run_setup) {
        handlers.custom_malloc = [](JITUserContext *context, size_t bytes) {
            return static_cast<Surroundings *>(context)->heap.allocate(bytes);
        };
        handlers.custom_free = [](JITUserContext *context, void *pointer) {
            static_cast<Surroundings *>(context)->heap.release(pointer);
        };
        handlers.custom_do_par_for = [](JITUserContext *context, Task task, int min, int size,
                                        uint8_t *closure) {
            const RunSetup &setup = static_cast<Surroundings *>(context)->setup;
            return run_tasks(setup.threads, setup.backwards(), size,
                             [&](int i) { return task(context, min + i, closure); });
        };
    }

    GuardedHeap heap;
    RunSetup setup;

private:
    using JITUserContext = Halide::JITUserContext;
    using Task = int (*)(JITUserContext *, int, uint8_t *);
};

/// OpenCL on the CPU (PoCL) keeps the private values of a whole work group in the frame of one
/// thread: more than the 8 MB that a thread has by default.
void enlarge_stacks_of_threads() {
    constexpr size_t kBytes = 256U << 20;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kBytes);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}

}  // namespace

JitKernel::JitKernel(const Kernel &kernel, const Isa &isa, const Tuning &tuning)
    : kernel_(kernel), target_(jit_target(isa)), built_(build_kernel(kernel, target_, tuning)) {
    if (target_.has_gpu_feature()) enlarge_stacks_of_threads();
    built_.pipeline.compile_jit(target_);
}

std::unique_ptr<GuardedBuffer> JitKernel::run(const std::vector<ArgumentData> &data,
                                              const RunSetup &setup) {
    if (data.size() != built_.parameters.size()) {
        throw std::logic_error("the kernel takes " + std::to_string(built_.parameters.size()) +
                               " buffers, arguments_of names " + std::to_string(data.size()));
    }
    std::vector<std::unique_ptr<GuardedBuffer>> inputs;
    for (size_t i = 0; i < data.size(); ++i) {
        inputs.push_back(guarded_copy(data[i], setup));
        Halide::ImageParam &parameter = built_.parameters[i];
        Halide::Buffer<> values = view(inputs.back().get(), parameter.parameter(),
                                       static_cast<int64_t>(data[i].readable_elements));
        values.set_host_dirty();
        parameter.set(values);
    }
    const int64_t elements = arguments_of(kernel_).back().elements;
    auto output = std::make_unique<GuardedBuffer>(elements, setup.flush, setup.shift);
    Halide::Func last(built_.pipeline.outputs().at(0));
    Halide::Buffer<> out = view(output.get(), last.output_buffer().parameter(), elements);
    Surroundings surroundings(setup);
    built_.pipeline.realize(&surroundings, out, target_);
    out.copy_to_host();
    if (!surroundings.heap.is_intact()) {
        throw std::logic_error("written beside the scratch");
    }
    if (surroundings.heap.live_bytes() != 0) {
        throw std::logic_error("scratch was not released");
    }
    return output;
}

}  // namespace sepconv::testing
