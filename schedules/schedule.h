#ifndef SEPCONV_SCHEDULES_SCHEDULE_H_
#define SEPCONV_SCHEDULES_SCHEDULE_H_

#include <string>
#include <variant>

#include "schedules/tuning.h"

namespace sepconv {

/// One of Halide's autoschedulers.
struct Autoscheduler {
    std::string name;    ///< Of autoscheduler_names(): "adams2019".
    std::string plugin;  ///< Path of the library that it is in.
    int threads = 1;     ///< That its loops are to keep busy.
};

/// Who orders a kernel's loops: the loop nests of this folder, or an autoscheduler.
using Schedule = std::variant<Tuning, Autoscheduler>;

/// The tuning's text, or the autoscheduler's name and threads. Equal schedules, equal text, as long
/// as the plugin is the same.
std::string describe(const Schedule &schedule);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_SCHEDULE_H_
