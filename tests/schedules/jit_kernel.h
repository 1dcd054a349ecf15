#ifndef SEPCONV_TESTS_SCHEDULES_JIT_KERNEL_H_
#define SEPCONV_TESTS_SCHEDULES_JIT_KERNEL_H_

#include <memory>
#include <vector>

#include "schedules/build_kernel.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/isa.h"
#include "tests/support/kernel_data.h"
#include "tests/support/run_setup.h"

namespace sepconv::testing {

/// A kernel compiled for this process, with Halide's assertions on.
class JitKernel {
public:
    JitKernel(const Kernel &kernel, const Isa &isa, const Tuning &tuning = {});

    /// Runs on copies of `data` and with scratch, each between inaccessible pages, and returns the
    /// output, which was poison before. Throws Halide's exceptions where an assertion fails,
    /// std::logic_error where scratch was written beside or not released.
    std::unique_ptr<GuardedBuffer> run(const std::vector<ArgumentData> &data,
                                       const RunSetup &setup);

    bool is_for_device() const { return target_.has_gpu_feature(); }

private:
    Kernel kernel_;
    Halide::Target target_;
    BuiltKernel built_;
};

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SCHEDULES_JIT_KERNEL_H_
