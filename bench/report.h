#ifndef SEPCONV_BENCH_REPORT_H_
#define SEPCONV_BENCH_REPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "bench/blocks.h"
#include "bench/statistics.h"

namespace sepconv::bench {

/// How one contender fared with one block.
struct Cell {
    bool offered = false;
    Spread microseconds;
    Estimate ratio;  ///< Its time over ours, round by round.
    double error = 0;
    std::string note;  ///< Why it is not offered, or what the library chose.
};

/// One line of the table: a block, or behind the blocks of a table of shapes their total.
struct Row {
    std::string table, name, block;
    bool total = false;
    int count = 1;  ///< How often the network has it.
    double macs = 0;
    double bytes = 0;         ///< Input, weights and output, each once; 0 in a total.
    std::vector<Cell> cells;  ///< As the contenders; ours first.
    size_t best = 0;          ///< The peer with the least time; 0 where there is none.

    const Cell &ours() const { return cells.front(); }
    /// Two operations a MAC, over the median time.
    double gflops(size_t contender) const {
        return 2 * macs / (cells[contender].microseconds.median * 1e3);
    }
};

/// What the numbers hold for: "CPU" and its model, ...
using Facts = std::vector<std::pair<std::string, std::string>>;

struct Report {
    Facts facts;
    std::vector<std::string> contenders;  ///< Ours first.
    double peak = 0;                      ///< The median, GFLOP/s.
    std::vector<Row> rows;
};

/// The lines of measured blocks. A total adds the lines above it, each as often as the network has
/// the block; a contender has one where it offers all blocks. Its ratio has no interval.
std::vector<Row> rows_of(const std::vector<CheckedBlock> &blocks);

/// Geometric means of the ratios over all blocks, and the blocks whose best peer is surely faster.
Facts summary_of(const std::vector<std::string> &contenders, const std::vector<Row> &rows);

std::string markdown(const Report &report);
std::string csv(const Report &report);  ///< Facts in lines with '#'.

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_REPORT_H_
