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

/// Keeps this thread on a processor, that of the moment when `core` is negative; returns its
/// number.
Result<int> pin(int core);

/// The folder of this program's file.
std::string program_folder();

/// Runs a program to its end, its stdout thrown away.
Status run_program(const std::string &path, const std::vector<std::string> &arguments);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_MACHINE_H_
