#ifndef SEPCONV_COMPILER_TUNE_MEASURE_H_
#define SEPCONV_COMPILER_TUNE_MEASURE_H_

#include <string>
#include <vector>

#include "compiler/plan.h"
#include "layer/status.h"

namespace sepconv {

/// Paired times of two libraries.
struct Measurement {
    double microseconds = 0;              ///< Median of the contender.
    double ratio = 0, low = 0, high = 0;  ///< Contender / reference, with its 95 % interval.
};

/// The median of `ratios` (at least 6) and the interval of its order statistics.
Measurement interval_of(std::vector<double> ratios);

struct MeasureOptions {
    int threads = 1;
    int seconds = 30;    ///< Time limit of the child.
    std::string folder;  ///< For the child's files.
};

/// In a child: runs both libraries of one_kernel_plan() once, then times them in turn, and stops
/// early where the contender is clearly slower. Values that differ, a crash and a hang are errors.
Result<Measurement> compare(const Plan &plan, const std::string &reference,
                            const std::string &contender, const MeasureOptions &options);

/// The same three times, each in a process of its own and on fresh copies of both libraries,
/// because where their pages lie in the caches is worth up to 3 %. The ratio is the median of the
/// three, the interval holds all of theirs.
Result<Measurement> confirm(const Plan &plan, const std::string &reference,
                            const std::string &contender, const MeasureOptions &options);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_MEASURE_H_
