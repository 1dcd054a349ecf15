#ifndef SEPCONV_SCHEDULES_AUTOSCHEDULE_H_
#define SEPCONV_SCHEDULES_AUTOSCHEDULE_H_

#include <Halide.h>

#include <string>
#include <vector>

#include "layer/status.h"
#include "schedules/build_kernel.h"
#include "schedules/schedule.h"

namespace sepconv {

/// "adams2019", "anderson2021", ...
std::vector<std::string> autoscheduler_names();

/// The file that Halide's packages have an autoscheduler in.
std::string plugin_file(const std::string &autoscheduler);

/// Whether it is one of autoscheduler_names() and schedules for a Halide target.
Status check_autoscheduler(const std::string &name, const std::string &halide_target);

/// Schedules a pipeline of unscheduled Funcs in place. Loads the plugin, which can throw, crash or
/// take for ever: run it in a child.
void autoschedule(BuiltKernel *kernel, const Halide::Target &target, const Autoscheduler &by);

/// Whether a scheduled kernel touches nothing outside the bounds that its buffers have, as Halide's
/// own assertions tell, of which shipped kernels have none.
Status check_bounds(const BuiltKernel &kernel, const Halide::Target &target);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_AUTOSCHEDULE_H_
