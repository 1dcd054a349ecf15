#include "bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sepconv::bench {
namespace {

/// Between the two nearest of the sorted samples.
double quantile(const std::vector<double> &sorted, double fraction) {
    const double at = fraction * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

void set_rate(double peak, Row *row) {
    row->gflops = 2 * row->macs / (row->microseconds.median * 1e3);
    row->percent = 100 * row->gflops / peak;
}

}  // namespace

Spread spread_of(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    return {quantile(samples, 0.5), quantile(samples, 0.1), quantile(samples, 0.9)};
}

std::vector<Row> rows_of(const std::vector<CheckedBlock> &blocks, const Samples &samples) {
    const double peak = spread_of(samples.peaks).median;
    Row total;
    total.name = "total";
    total.block = fmt::format("{} blocks", blocks.size());
    std::vector<Row> rows;
    for (size_t i = 0; i < blocks.size(); ++i) {
        Row row;
        row.name = blocks[i].shape.name;
        row.block = describe(blocks[i].shape);
        row.macs = static_cast<double>(blocks[i].macs);
        row.error = blocks[i].error;
        row.microseconds = spread_of(samples.microseconds[i]);
        set_rate(peak, &row);
        rows.push_back(row);
        total.macs += row.macs;
        total.error = std::max(total.error, row.error);
        total.microseconds.median += row.microseconds.median;
        total.microseconds.p10 += row.microseconds.p10;
        total.microseconds.p90 += row.microseconds.p90;
    }
    set_rate(peak, &total);
    rows.push_back(total);
    return rows;
}

std::string markdown(const Facts &facts, const std::vector<Row> &rows) {
    std::string text;
    for (const auto &[name, value] : facts) text += fmt::format("- {}: {}\n", name, value);
    text += fmt::format(
        "\n| {:<24} | {:<38} | {:>8} | {:>9} | {:>9} | {:>9} | {:>8} | {:>6} | {} |\n", "block",
        "shape", "MMACs", "median us", "p10 us", "p90 us", "GFLOP/s", "% peak", "max error");
    text += "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
    for (const Row &row : rows) {
        text += fmt::format(
            "| {:<24} | {:<38} | {:>8.2f} | {:>9.1f} | {:>9.1f} | {:>9.1f} | {:>8.1f} | {:>6.1f} | "
            "{:>9.2g} |\n",
            row.name, row.block, row.macs / 1e6, row.microseconds.median, row.microseconds.p10,
            row.microseconds.p90, row.gflops, row.percent, row.error);
    }
    return text;
}

std::string csv(const Facts &facts, const std::vector<Row> &rows) {
    std::string text;
    for (const auto &[name, value] : facts) text += fmt::format("# {}: {}\n", name, value);
    text += "block,shape,macs,median_us,p10_us,p90_us,gflops,percent_of_peak,max_error\n";
    for (const Row &row : rows) {
        text += fmt::format("{},{},{:.0f},{:.3f},{:.3f},{:.3f},{:.2f},{:.2f},{:.3g}\n", row.name,
                            row.block, row.macs, row.microseconds.median, row.microseconds.p10,
                            row.microseconds.p90, row.gflops, row.percent, row.error);
    }
    return text;
}

}  // namespace sepconv::bench
