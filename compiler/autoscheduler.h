#ifndef SEPCONV_COMPILER_AUTOSCHEDULER_H_
#define SEPCONV_COMPILER_AUTOSCHEDULER_H_

#include <optional>
#include <string>
#include <vector>

#include "compiler/targets.h"
#include "layer/status.h"
#include "schedules/schedule.h"

namespace sepconv {

struct SchedulerOptions {
    std::string name = "hand";  ///< Of scheduler_names().
    int threads = 1;            ///< That an autoscheduler plans for.
    int seconds = 600;          ///< That it has for one kernel.
};

/// "hand", then the autoschedulers.
std::vector<std::string> scheduler_names();

/// The autoscheduler of the options, in the plugin beside the Halide library that this program has
/// loaded; none for "hand". An error if it does not schedule for one of the targets.
Result<std::optional<Autoscheduler>> find_autoscheduler(const SchedulerOptions &options,
                                                        const std::vector<IsaTarget> &targets);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_AUTOSCHEDULER_H_
