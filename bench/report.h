#ifndef SEPCONV_BENCH_REPORT_H_
#define SEPCONV_BENCH_REPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "bench/blocks.h"

namespace sepconv::bench {

/// The middle of the samples, and what nine tenths of them lie above and below.
struct Spread {
    double median = 0, p10 = 0, p90 = 0;
};

/// Of at least one sample.
Spread spread_of(std::vector<double> samples);

/// One line of the table.
struct Row {
    std::string name, block;
    double macs = 0;
    Spread microseconds;
    double gflops = 0;   ///< Two operations a MAC, over the median time.
    double percent = 0;  ///< Of the median peak.
    double error = 0;
};

/// The blocks, and last their total, whose MACs and times are the sums of those above.
std::vector<Row> rows_of(const std::vector<CheckedBlock> &blocks, const Samples &samples);

/// What the numbers hold for: "CPU" and its model, ...
using Facts = std::vector<std::pair<std::string, std::string>>;

std::string markdown(const Facts &facts, const std::vector<Row> &rows);
std::string csv(const Facts &facts, const std::vector<Row> &rows);  ///< Facts in lines with '#'.

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_REPORT_H_
