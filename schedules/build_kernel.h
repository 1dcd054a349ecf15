#ifndef SEPCONV_SCHEDULES_BUILD_KERNEL_H_
#define SEPCONV_SCHEDULES_BUILD_KERNEL_H_

#include <Halide.h>

#include <cstdint>
#include <string>
#include <vector>

#include "layer/layer.h"
#include "layer/status.h"
#include "schedules/schedule.h"

namespace sepconv {

/// A scheduled kernel: `arguments` in the order of arguments_of(kernel).
struct BuiltKernel {
    Halide::Pipeline pipeline;
    std::vector<Halide::Argument> arguments;
    std::vector<Halide::ImageParam> parameters;  ///< The inputs among them, for JIT.
};

/// From a valid kernel to a scheduled pipeline. Throws Halide's exceptions on a defect.
BuiltKernel build_kernel(const Kernel &kernel, const Halide::Target &target,
                         const Schedule &schedule);

/// Scratch that a compiled kernel asks of halide_malloc, from its lowered Allocate nodes.
struct Scratch {
    int64_t serial_bytes = 0;  ///< Outside parallel loops.
    int64_t task_bytes = 0;    ///< Inside one task of a parallel loop.
};

/// Compiles to a native object at `object_path` with the function `name` (and `name`_argv).
/// `target` must have no_runtime and user_context. What an autoscheduler's loops would touch
/// outside the buffers, or need of memory that is not known, is an error.
Result<Scratch> compile_kernel(const Kernel &kernel, const Halide::Target &target,
                               const Schedule &schedule, const std::string &name,
                               const std::string &object_path);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_BUILD_KERNEL_H_
