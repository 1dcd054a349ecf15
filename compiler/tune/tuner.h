#ifndef SEPCONV_COMPILER_TUNE_TUNER_H_
#define SEPCONV_COMPILER_TUNE_TUNER_H_

#include <functional>
#include <string>

#include "compiler/commands/options.h"
#include "compiler/plan.h"
#include "compiler/tune/table.h"

namespace sepconv {

struct TuneOptions {
    BuildOptions build;  ///< With one ISA, which this CPU has.
    /// The table, which kernels are added to if it is there; the journal is OUTPUT.journal.
    std::string output;
    std::string csv;  ///< If not empty: all trials, and the terms of their estimates.
    int threads = 1;
    double seconds = 600;       ///< The budget. What runs when it ends is finished.
    size_t candidates = 24;     ///< At most, of a kernel; as many again beside the best of them.
    int seconds_of_child = 30;  ///< Time limit of one measurement.
    /// Tests: sees every candidate's library before it is measured, and may replace it.
    std::function<void(const Tuning &, const std::string &library)> after_build;
};

/// Tries candidates for every block of the plan, those with the most time first, and writes the
/// table whenever a better one is found. A candidate is in the table only if its values agree with
/// the default's and a second process measured it again as faster than the default.
Result<TuningTable> tune(const Plan &plan, const TuneOptions &options);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_TUNER_H_
