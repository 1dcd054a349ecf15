#ifndef SEPCONV_COMPILER_TUNE_TABLE_H_
#define SEPCONV_COMPILER_TUNE_TABLE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "layer/layer.h"
#include "layer/status.h"
#include "schedules/tuning.h"

namespace sepconv {

/// What cpuid says of a CPU; on other machines than x86 everything is 0 and "".
struct CpuModel {
    std::string brand;
    int family = 0, model = 0, stepping = 0;
};

bool operator==(const CpuModel &left, const CpuModel &right);
std::string describe(const CpuModel &cpu);
CpuModel this_cpu();

/// The tuning of one kernel for one ISA.
struct TunedKernel {
    std::string description;  ///< tuned_text(), to read and to find it by.
    Tuning tuning;
};

/// What a tuning is of: describe() of the kernel wherever its buffers are. In a model they are in
/// the arena and have slack behind them, which changes the loads at their end but no loop.
std::string tuned_text(const Kernel &kernel);

/// By hash of the description, then ISA.
using KernelKey = std::pair<std::string, std::string>;
KernelKey key_of(const Kernel &kernel, const std::string &isa);

/// What was measured on one CPU with one version of the schedules.
struct TuningTable {
    CpuModel cpu;
    int schedule_version = kScheduleVersion;
    std::map<KernelKey, TunedKernel> kernels;
};

/// JSON with sorted keys, a kernel a line: the same table, the same bytes.
std::string text_of(const TuningTable &table);

/// An unknown, missing or wrong field is an error that names it, with `source` in front.
Result<TuningTable> parse_table(const std::string &text, const std::string &source);

/// Which tunings a compilation uses.
struct TuningOptions {
    std::vector<std::string> files;  ///< In this order; of equal kernels the last one counts.
    bool shipped = true;             ///< Before them the tables beside the tool.
};

/// Those of this CPU and these schedules. Another table of `files` is left out, and the warning
/// names it; shipped ones for other CPUs are left out silently.
struct Tunings {
    std::map<KernelKey, TunedKernel> kernels;
    std::vector<std::string> warnings;

    Tuning of(const Kernel &kernel, const std::string &isa) const;
};

Result<Tunings> load_tunings(const TuningOptions &options, const CpuModel &cpu);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_TABLE_H_
