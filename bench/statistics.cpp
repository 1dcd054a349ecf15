#include "bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sepconv::bench {
namespace {

/// Between the two nearest of the sorted samples.
double quantile(const std::vector<double> &sorted, double fraction) {
    const double at = fraction * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

}  // namespace

Spread spread_of(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    return {quantile(samples, 0.5), quantile(samples, 0.1), quantile(samples, 0.9)};
}

Estimate paired_ratio(const std::vector<double> &numerators,
                      const std::vector<double> &denominators) {
    std::vector<double> ratios;
    for (size_t i = 0; i < numerators.size(); ++i)
        ratios.push_back(numerators[i] / denominators[i]);
    std::sort(ratios.begin(), ratios.end());
    // How many of n samples lie below the true median is binomial: n / 2 +- 1.96 sqrt(n) / 2.
    const auto n = static_cast<double>(ratios.size());
    const auto rank = static_cast<int64_t>(std::floor((n - 1.96 * std::sqrt(n)) / 2)) - 1;
    const auto low = static_cast<size_t>(std::max<int64_t>(rank, 0));
    return {quantile(ratios, 0.5), ratios[low], ratios[ratios.size() - 1 - low]};
}

double geometric_mean(const std::vector<double> &values) {
    double sum = 0;
    for (const double value : values) sum += std::log(value);
    return std::exp(sum / static_cast<double>(values.size()));
}

}  // namespace sepconv::bench
