#ifndef SEPCONV_BENCH_STATISTICS_H_
#define SEPCONV_BENCH_STATISTICS_H_

#include <vector>

namespace sepconv::bench {

/// The middle of the samples, and what nine tenths of them lie above and below.
struct Spread {
    double median = 0, p10 = 0, p90 = 0;
};

/// Of at least one sample.
Spread spread_of(std::vector<double> samples);

/// A median and the interval that holds the true one with 95 %.
struct Estimate {
    double median = 0, low = 0, high = 0;
};

/// Of the quotients of samples taken together; the interval lies between order statistics, so that
/// nothing is assumed of their distribution. Both have the same number of samples, at least one.
Estimate paired_ratio(const std::vector<double> &numerators,
                      const std::vector<double> &denominators);

/// Of at least one positive value.
double geometric_mean(const std::vector<double> &values);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_STATISTICS_H_
