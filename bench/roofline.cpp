#include "bench/roofline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace sepconv::bench {
namespace {

constexpr double kWidth = 860, kHeight = 520;
constexpr double kLeft = 70, kRight = 20, kTop = 60, kBottom = 55;
// Apart for all eyes (Okabe and Ito).
constexpr std::array<const char *, 4> kColors = {"#d55e00", "#0072b2", "#009e73", "#cc79a7"};

/// A logarithmic axis from `low` to `high` over the pixels from `begin` to `end`.
struct Axis {
    double low, high, begin, end;

    double at(double value) const {
        return begin + (end - begin) * std::log(value / low) / std::log(high / low);
    }
    /// 1, 2 and 5 times the powers of ten within it.
    std::vector<double> ticks() const {
        std::vector<double> values;
        for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high;
             decade *= 10) {
            for (const double step : {1, 2, 5}) {
                if (step * decade >= low && step * decade <= high) values.push_back(step * decade);
            }
        }
        return values;
    }
};

double intensity(const Row &row) {
    return 2 * row.macs / row.bytes;
}

std::string escaped(const std::string &text) {
    std::string result;
    for (const char c : text) {
        if (c == '&') {
            result += "&amp;";
        } else if (c == '<') {
            result += "&lt;";
        } else {
            result += c;
        }
    }
    return result;
}

std::string grid(const Axis &x, const Axis &y) {
    std::string svg;
    for (const double tick : x.ticks()) {
        svg += fmt::format(
            "<path class='grid' d='M{0:.1f} {1}V{2}'/>"
            "<text x='{0:.1f}' y='{3}' text-anchor='middle'>{4:g}</text>\n",
            x.at(tick), y.begin, y.end, y.begin + 18, tick);
    }
    for (const double tick : y.ticks()) {
        svg += fmt::format(
            "<path class='grid' d='M{1} {0:.1f}H{2}'/>"
            "<text x='{3}' y='{4:.1f}' text-anchor='end'>{5:g}</text>\n",
            y.at(tick), x.begin, x.end, x.begin - 8, y.at(tick) + 4, tick);
    }
    return svg;
}

std::string points(const Report &report, size_t contender, const Axis &x, const Axis &y) {
    const char *color = kColors[contender % kColors.size()];
    std::string svg =
        fmt::format("<g fill='{}' fill-opacity='{}'>\n", color, contender == 0 ? 1 : 0.6);
    for (const Row &row : report.rows) {
        if (row.total || !row.cells[contender].offered) continue;
        svg += fmt::format(
            "<circle cx='{:.1f}' cy='{:.1f}' r='4'><title>{}</title></circle>\n",
            x.at(intensity(row)), y.at(row.gflops(contender)),
            escaped(fmt::format("{}: {}, {}: {:.1f} GFLOP/s", report.contenders[contender],
                                row.name, row.block, row.gflops(contender))));
    }
    const double place = kLeft + 130.0 * static_cast<double>(contender);
    svg += fmt::format("<circle cx='{}' cy='42' r='5'/></g><text x='{}' y='46'>{}</text>\n",
                       place + 5, place + 16, escaped(report.contenders[contender]));
    return svg;
}

}  // namespace

std::string roofline(const Report &report) {
    Axis x{1e30, 0, kLeft, kWidth - kRight};
    Axis y{report.peak, report.peak * 1.25, kHeight - kBottom, kTop};
    for (const Row &row : report.rows) {
        if (row.total) continue;
        x.low = std::min(x.low, intensity(row) / 1.3);
        x.high = std::max(x.high, intensity(row) * 1.3);
        for (size_t i = 0; i < row.cells.size(); ++i) {
            if (row.cells[i].offered) y.low = std::min(y.low, row.gflops(i) / 1.25);
        }
    }
    std::string svg = fmt::format(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} {1}' width='{0}' height='{1}' "
        "font-family='sans-serif' font-size='12'>\n"
        "<style>.grid{{stroke:#ddd}} .roof{{stroke:#333;stroke-width:2}}</style>\n"
        "<rect width='{0}' height='{1}' fill='white'/>\n",
        kWidth, kHeight);
    const std::string title = report.facts.empty() ? "" : report.facts.front().second;
    svg += fmt::format("<text x='{}' y='22' font-size='15'>{}</text>\n", kLeft, escaped(title));
    svg += grid(x, y);
    svg += fmt::format(
        "<path class='roof' d='M{0} {1:.1f}H{2}'/>"
        "<text x='{2}' y='{3:.1f}' text-anchor='end'>measured peak {4:.1f}</text>\n",
        x.begin, y.at(report.peak), x.end, y.at(report.peak) - 6, report.peak);
    for (size_t i = report.contenders.size(); i-- > 0;) svg += points(report, i, x, y);
    svg += fmt::format(
        "<text x='{}' y='{}' text-anchor='middle'>FLOP per compulsory byte</text>\n"
        "<text transform='translate(18 {}) rotate(-90)' text-anchor='middle'>GFLOP/s</text>\n"
        "</svg>\n",
        (x.begin + x.end) / 2, kHeight - 12, (y.begin + y.end) / 2);
    return svg;
}

}  // namespace sepconv::bench
