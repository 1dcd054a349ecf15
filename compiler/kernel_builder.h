#ifndef SEPCONV_COMPILER_KERNEL_BUILDER_H_
#define SEPCONV_COMPILER_KERNEL_BUILDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/plan.h"
#include "compiler/targets.h"
#include "compiler/tune/table.h"
#include "layer/status.h"
#include "schedules/schedule.h"

namespace sepconv {

/// A compiled kernel: an object file in the cache.
struct KernelObject {
    std::string symbol;  ///< Its function; the plan calls SYMBOL_argv.
    std::string path;
    int64_t scratch_bytes = 0;  ///< Scratch of a call by one thread, as sepconv_step_t counts it.
    int64_t worker_bytes = 0;   ///< Of that, scratch of one task, as sepconv_variant_t counts it.
    int64_t code_bytes = 0;     ///< Instructions and constants.
};

/// All kernels of a plan for one ISA, in the order of Plan::kernels.
struct Variant {
    std::string isa;
    std::string device;  ///< As IsaTarget's.
    int capability = 0;
    std::string scheduler = "hand";  ///< Or an autoscheduler's name.
    std::vector<KernelObject> kernels;

    int64_t worker_bytes() const;  ///< Greatest of its kernels.
    int64_t code_bytes() const;    ///< Of its distinct kernels.
};

struct KernelBuildOptions {
    std::string cache;     ///< Absolute folder, see cache_folder().
    int jobs = 0;          ///< Kernels compiled at once; 0: as many as there are processors.
    bool quiet = false;    ///< No progress on stderr.
    Tunings tunings = {};  ///< Of the CPU's kernels; one that a kernel does not allow is an error.
    /// Schedules all kernels, if there is one; what it cannot schedule is an error.
    std::optional<Autoscheduler> autoscheduler = {};
    int seconds = 120;  ///< For one kernel.
};

/// Compiles every kernel of the plan that is not in the cache, each in a child of its own, which
/// makes the bytes of an object a function of the kernel, the target and this program alone.
Result<std::vector<Variant>> build_kernels(const Plan &plan, const std::vector<IsaTarget> &targets,
                                           const KernelBuildOptions &options);

/// The scratch of every step, whatever the variant: the greatest of its kernel's.
std::vector<int64_t> scratch_of_steps(const Plan &plan, const std::vector<Variant> &variants);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_KERNEL_BUILDER_H_
