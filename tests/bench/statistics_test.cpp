#include "bench/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace sepconv::bench {
namespace {

/// 1, 2, ... n: each its own rank.
std::vector<double> ranks(size_t n) {
    std::vector<double> samples(n);
    std::iota(samples.begin(), samples.end(), 1.0);
    return samples;
}

/// The chance that the true median of n samples lies between the k-th and the k-th from the end.
double coverage(size_t n, size_t k) {
    double tail = 0;
    for (size_t i = 0; i < k; ++i) {
        const auto count = static_cast<double>(n), below = static_cast<double>(i);
        tail += std::exp(std::lgamma(count + 1) - std::lgamma(below + 1) -
                         std::lgamma(count - below + 1) - count * std::log(2.0));
    }
    return 1 - 2 * tail;
}

TEST(Statistics, SpreadIsLinearBetweenTheSortedSamples) {
    const Spread odd = spread_of({30, 10, 20});
    EXPECT_DOUBLE_EQ(odd.median, 20);
    EXPECT_DOUBLE_EQ(odd.p10, 12);
    EXPECT_DOUBLE_EQ(odd.p90, 28);
    EXPECT_DOUBLE_EQ(spread_of({4, 1, 3, 2}).median, 2.5);
    const Spread one = spread_of({7});
    EXPECT_DOUBLE_EQ(one.p10, 7);
    EXPECT_DOUBLE_EQ(one.p90, 7);
}

TEST(Statistics, RatiosAreOfSamplesTakenTogether) {
    // Each pair says 2, though both contenders became ten times slower.
    const Estimate ratio = paired_ratio({2, 20, 4}, {1, 10, 2});
    EXPECT_DOUBLE_EQ(ratio.low, 2);
    EXPECT_DOUBLE_EQ(ratio.median, 2);
    EXPECT_DOUBLE_EQ(ratio.high, 2);
}

TEST(Statistics, IntervalHoldsTheMedianWith95Percent) {
    for (size_t n = 8; n <= 200; ++n) {
        const Estimate estimate = paired_ratio(ranks(n), std::vector<double>(n, 1.0));
        const auto k = static_cast<size_t>(estimate.low);
        EXPECT_GE(coverage(n, k), 0.95) << n << " samples, from sample " << k;
        EXPECT_LT(coverage(n, k + 2), 0.95) << n << " samples: wider than need be";
        EXPECT_DOUBLE_EQ(estimate.low + estimate.high, static_cast<double>(n + 1)) << n;
    }
}

TEST(Statistics, FewSamplesGiveTheWholeRange) {
    const Estimate estimate = paired_ratio({3, 1, 2}, {1, 1, 1});
    EXPECT_DOUBLE_EQ(estimate.low, 1);
    EXPECT_DOUBLE_EQ(estimate.median, 2);
    EXPECT_DOUBLE_EQ(estimate.high, 3);
}

TEST(Statistics, GeometricMeanOfReciprocalsIsOne) {
    EXPECT_DOUBLE_EQ(geometric_mean({4, 0.25}), 1);
    EXPECT_DOUBLE_EQ(geometric_mean({3}), 3);
}

}  // namespace
}  // namespace sepconv::bench
