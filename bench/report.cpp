#include "bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sepconv::bench {
namespace {

void choose_best(Row *row) {
    for (size_t i = 1; i < row->cells.size(); ++i) {
        const Cell &cell = row->cells[i];
        if (!cell.offered) continue;
        if (row->best == 0 || cell.ratio.median < row->cells[row->best].ratio.median) row->best = i;
    }
}

Row row_of(const CheckedBlock &block) {
    Row row;
    row.table = block.table;
    row.name = block.shape.name;
    row.block = describe(block.shape);
    row.count = block.shape.count;
    row.macs = static_cast<double>(block.cost.macs);
    row.bytes = static_cast<double>(block.cost.bytes_read + block.cost.bytes_written);
    for (const Contender &contender : block.contenders) {
        Cell cell;
        cell.offered = contender.block != nullptr;
        cell.note = contender.note;
        if (cell.offered) {
            cell.error = contender.error;
            cell.microseconds = spread_of(contender.microseconds);
            cell.ratio =
                paired_ratio(contender.microseconds, block.contenders.front().microseconds);
        }
        row.cells.push_back(cell);
    }
    choose_best(&row);
    return row;
}

/// Adds what one contender needs for `count` of the blocks.
void add(const Cell &cell, int count, Cell *sum) {
    sum->offered = sum->offered && cell.offered;
    sum->error = std::max(sum->error, cell.error);
    sum->microseconds.median += count * cell.microseconds.median;
    sum->microseconds.p10 += count * cell.microseconds.p10;
    sum->microseconds.p90 += count * cell.microseconds.p90;
}

/// Of at least one row.
Row total_of(const std::vector<Row> &rows) {
    Row total;
    total.table = rows.front().table;
    total.name = "total";
    total.total = true;
    total.count = 0;
    total.cells.resize(rows.front().cells.size());
    for (Cell &cell : total.cells) cell.offered = true;
    for (const Row &row : rows) {
        total.count += row.count;
        total.macs += row.count * row.macs;
        for (size_t i = 0; i < row.cells.size(); ++i) add(row.cells[i], row.count, &total.cells[i]);
    }
    total.block = fmt::format("{} blocks of {}", total.count, total.table);
    for (Cell &cell : total.cells) {
        const double ratio = cell.microseconds.median / total.ours().microseconds.median;
        cell.ratio = {ratio, ratio, ratio};
    }
    choose_best(&total);
    return total;
}

/// "1.08 [1.06, 1.09] oneDNN"
std::string best_of(const Report &report, const Row &row) {
    if (row.best == 0) return "-";
    const Estimate &ratio = row.cells[row.best].ratio;
    const std::string &name = report.contenders[row.best];
    if (row.total) return fmt::format("{:.2f} {}", ratio.median, name);
    return fmt::format("{:.2f} [{:.2f}, {:.2f}] {}", ratio.median, ratio.low, ratio.high, name);
}

/// "- XNNPACK, reason: these blocks", for all that is missing in the table.
std::string missing(const Report &report) {
    std::map<std::string, std::string> blocks;
    for (const Row &row : report.rows) {
        for (size_t i = 1; i < row.cells.size(); ++i) {
            if (row.total || row.cells[i].offered) continue;
            std::string &names = blocks[report.contenders[i] + ", " + row.cells[i].note];
            names += (names.empty() ? "" : ", ") + row.name;
        }
    }
    std::string text;
    for (const auto &[reason, names] : blocks) text += fmt::format("- {}: {}\n", reason, names);
    return text.empty() ? "" : "\nNot offered:\n\n" + text;
}

std::string quoted(std::string text) {
    std::replace(text.begin(), text.end(), '"', '\'');
    return "\"" + text + "\"";
}

}  // namespace

std::vector<Row> rows_of(const std::vector<CheckedBlock> &blocks) {
    std::vector<Row> rows;
    std::vector<Row> of_table;
    for (size_t i = 0; i < blocks.size(); ++i) {
        of_table.push_back(row_of(blocks[i]));
        rows.push_back(of_table.back());
        if (i + 1 < blocks.size() && blocks[i + 1].table == blocks[i].table) continue;
        rows.push_back(total_of(of_table));
        of_table.clear();
    }
    return rows;
}

Facts summary_of(const std::vector<std::string> &contenders, const std::vector<Row> &rows) {
    Facts facts;
    std::vector<double> best;
    std::string losses;
    for (const Row &row : rows) {
        if (row.total || row.best == 0) continue;
        const Estimate &ratio = row.cells[row.best].ratio;
        best.push_back(ratio.median);
        if (ratio.high < 1)
            losses += fmt::format("{}{} of {}", losses.empty() ? "" : ", ", row.name, row.table);
    }
    if (best.empty()) return facts;
    const auto mean = [](const std::vector<double> &ratios) {
        return fmt::format("{:.3f}, geometric mean over {} blocks", geometric_mean(ratios),
                           ratios.size());
    };
    facts.emplace_back("best peer's time / ours", mean(best));
    for (size_t i = 1; i < contenders.size(); ++i) {
        std::vector<double> ratios;
        for (const Row &row : rows) {
            if (!row.total && row.cells[i].offered) ratios.push_back(row.cells[i].ratio.median);
        }
        if (!ratios.empty()) facts.emplace_back(contenders[i] + "'s time / ours", mean(ratios));
    }
    facts.emplace_back("blocks lost", losses.empty() ? "none" : losses);
    return facts;
}

std::string markdown(const Report &report) {
    std::string text;
    for (const auto &[name, value] : report.facts) text += fmt::format("- {}: {}\n", name, value);
    text += fmt::format("\n| {:<27} | {:<51} | {:>7} | {:>8} | {:>8} | {:>8} | {:>7} | {:>6} |",
                        "block", "shape", "MMACs", "us", "p10", "p90", "GFLOP/s", "% peak");
    std::string line = "\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |";
    const bool peers = report.contenders.size() > 1;
    for (size_t i = 1; i < report.contenders.size(); ++i) {
        text += fmt::format(" {:>16} |", report.contenders[i] + " us (%)");
        line += " ---: |";
    }
    if (peers) text += fmt::format(" {:<26} |", "best peer / ours [95 %]");
    text += line + (peers ? " --- |\n" : "\n");
    for (const Row &row : report.rows) {
        const Spread &us = row.ours().microseconds;
        text += fmt::format(
            "| {:<27} | {:<51} | {:>7.2f} | {:>8.1f} | {:>8.1f} | {:>8.1f} | {:>7.1f} | {:>6.1f} |",
            row.name, row.block, row.macs / 1e6, us.median, us.p10, us.p90, row.gflops(0),
            100 * row.gflops(0) / report.peak);
        for (size_t i = 1; i < row.cells.size(); ++i) {
            const Cell &cell = row.cells[i];
            text += cell.offered ? fmt::format(" {:>9.1f} ({:>4.1f}) |", cell.microseconds.median,
                                               100 * row.gflops(i) / report.peak)
                                 : fmt::format(" {:>16} |", "-");
        }
        if (peers) text += fmt::format(" {:<26} |", best_of(report, row));
        text += "\n";
    }
    return text + missing(report);
}

std::string csv(const Report &report) {
    std::string text;
    for (const auto &[name, value] : report.facts) text += fmt::format("# {}: {}\n", name, value);
    text += "table,block,shape,macs,bytes,median_us,p10_us,p90_us,gflops,percent_of_peak,max_error";
    for (size_t i = 1; i < report.contenders.size(); ++i) {
        for (const char *column :
             {"us", "percent_of_peak", "ratio", "ratio_low", "ratio_high", "error", "note"}) {
            text += fmt::format(",{}_{}", report.contenders[i], column);
        }
    }
    text += ",best_peer\n";
    for (const Row &row : report.rows) {
        const Spread &us = row.ours().microseconds;
        text +=
            fmt::format("{},{},{},{:.0f},{:.0f},{:.3f},{:.3f},{:.3f},{:.2f},{:.2f},{:.3g}",
                        row.table, row.name, row.block, row.macs, row.bytes, us.median, us.p10,
                        us.p90, row.gflops(0), 100 * row.gflops(0) / report.peak, row.ours().error);
        for (size_t i = 1; i < row.cells.size(); ++i) {
            const Cell &cell = row.cells[i];
            text += cell.offered ? fmt::format(",{:.3f},{:.2f},{:.4f},{:.4f},{:.4f},{:.3g},",
                                               cell.microseconds.median,
                                               100 * row.gflops(i) / report.peak, cell.ratio.median,
                                               cell.ratio.low, cell.ratio.high, cell.error)
                                 : ",,,,,,,";
            text += quoted(cell.note);
        }
        text += "," + (row.best == 0 ? "" : report.contenders[row.best]) + "\n";
    }
    return text;
}

}  // namespace sepconv::bench
