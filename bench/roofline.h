#ifndef SEPCONV_BENCH_ROOFLINE_H_
#define SEPCONV_BENCH_ROOFLINE_H_

#include <string>

#include "bench/report.h"

namespace sepconv::bench {

/// An SVG: a point for each block and contender over operations per compulsory byte (input, weights
/// and output once), GFLOP/s upwards, the measured peak as the roof. Both axes are logarithmic.
std::string roofline(const Report &report);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_ROOFLINE_H_
