#ifndef SEPCONV_BENCH_MACHINE_H_
#define SEPCONV_BENCH_MACHINE_H_

#include <string>
#include <vector>

#include "layer/status.h"

namespace sepconv::bench {

/// "AMD EPYC 9654 (family 25, model 17)" of the first processor of /proc/cpuinfo.
std::string cpu_model();

/// UTC, "2026-01-31 23:59".
std::string date();

/// Keeps this thread, and those that it will start, on these processors.
Status pin(const std::vector<int> &cores);

/// `count` processors that this thread may run on: from `first` on, or where that is negative from
/// the one of the moment on; further ones in a circle.
Result<std::vector<int>> choose_cores(int first, int count);

/// The folder of this program's file.
std::string program_folder();

/// Runs a program to its end, its stdout thrown away.
Status run_program(const std::string &path, const std::vector<std::string> &arguments);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_MACHINE_H_
