// The report as one page: nothing in it is loaded from elsewhere, every name is escaped.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "compiler/diagnostic.h"
#include "compiler/report.h"
#include "compiler/source.h"

namespace sepconv {
namespace {

constexpr const char *kStyle = R"(
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem;
       color: #1c2530; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #dde3ea; text-align: right;
         white-space: nowrap; }
th { font-weight: 600; } .l { text-align: left; } .w { white-space: normal; color: #55606e; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.macs { fill: #2f6fb3; } .bytes { fill: #d98a2b; }
.scroll { overflow-x: auto; }
@media (prefers-color-scheme: dark) {
  body { color: #dde3ea; background: #14191f; } th, td { border-color: #333d48; }
  .w { color: #97a3b0; }
})";

std::string escaped(std::string_view text) {
    std::string html;
    for (const char c : text) {
        switch (c) {
            case '&':
                html += "&amp;";
                break;
            case '<':
                html += "&lt;";
                break;
            case '>':
                html += "&gt;";
                break;
            case '"':
                html += "&quot;";
                break;
            case '\'':
                html += "&#39;";
                break;
            default:
                // Control characters have no place in HTML.
                html += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
        }
    }
    return html;
}

int64_t bytes_of(const Cost &cost) {
    return cost.bytes_read + cost.bytes_written;
}

std::string with_commas(int64_t value) {
    std::string digits = std::to_string(value);
    for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3) {
        digits.insert(static_cast<size_t>(at), "&#8239;");
    }
    return digits;
}

/// Two bars a block: its share of all MACs and of all bytes.
std::string chart(const Plan &plan) {
    constexpr int kRow = 22, kLeft = 330, kWidth = 600;
    int64_t most_macs = 1, most_bytes = 1;
    for (const PlanBlock &block : plan.blocks) {
        most_macs = std::max(most_macs, block.cost.macs);
        most_bytes = std::max(most_bytes, bytes_of(block.cost));
    }
    const auto bar = [](int64_t value, int64_t most) {
        return kWidth * static_cast<double>(value) / static_cast<double>(most);
    };
    std::string svg = fmt::format(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"MACs and bytes of every block\">\n",
        kLeft + kWidth + 10, static_cast<int>(plan.blocks.size()) * kRow + 4);
    int y = 2;
    for (size_t i = 0; i < plan.blocks.size(); ++i, y += kRow) {
        const PlanBlock &block = plan.blocks[i];
        svg += fmt::format(
            "<g><title>{0}: {1} MACs, {2} bytes</title><text x=\"{3}\" y=\"{4}\" "
            "text-anchor=\"end\">{5} {6}</text>"
            "<rect class=\"macs\" x=\"{7}\" y=\"{8}\" width=\"{9:.1f}\" height=\"9\"/>"
            "<rect class=\"bytes\" x=\"{7}\" y=\"{10}\" width=\"{11:.1f}\" height=\"7\"/></g>\n",
            escaped(block.name), block.cost.macs, bytes_of(block.cost), kLeft - 8, y + 14, i,
            escaped(block.kind + " " + block.shape), kLeft, y + 1, bar(block.cost.macs, most_macs),
            y + 10, bar(bytes_of(block.cost), most_bytes));
    }
    return svg + "</svg>\n";
}

std::string block_row(const Report &report, size_t index) {
    const PlanBlock &block = report.plan->blocks[index];
    std::string ratio = "<td></td><td></td>";
    if (separable_ratio(block) > 0) {
        ratio = fmt::format("<td>{:.4f}</td><td>{:.4f}</td>", separable_ratio(block),
                            predicted_ratio(block));
    }
    return fmt::format(
        "<tr><td>{}</td><td class=\"l\">{}</td><td class=\"l\">{}</td><td>{}</td><td>{}</td>"
        "<td>{}</td><td>{}</td><td>{:.2f}</td><td>{}</td>{}<td class=\"l w\">{}</td>"
        "<td class=\"l w\">{}</td></tr>\n",
        index, escaped(block.kind), escaped(block.shape), with_commas(block.cost.macs),
        with_commas(block.cost.parameters), with_commas(bytes_of(block.cost)),
        with_commas(scratch_bytes(report, index)), arithmetic_intensity(block),
        with_commas(block.cost.standard_macs), ratio,
        escaped(fmt::format("{}", fmt::join(block.operators, " + "))), escaped(block.name));
}

std::string block_table(const Report &report) {
    std::string html =
        "<div class=\"scroll\"><table>\n<tr><th>#</th><th class=\"l\">block</th>"
        "<th class=\"l\">shape</th><th>MACs</th><th>parameters</th><th>bytes</th>"
        "<th>scratch</th><th>MACs/byte</th><th>standard MACs</th><th>ratio</th><th>1/N + "
        "1/taps</th>"
        "<th class=\"l\">operators</th><th class=\"l\">first node</th></tr>\n";
    for (size_t i = 0; i < report.plan->blocks.size(); ++i) html += block_row(report, i);
    return html + "</table></div>\n";
}

std::string facts_table(const Report &report) {
    const Plan &plan = *report.plan;
    std::string html = "<table>\n";
    const auto fact = [&](const std::string &what, const std::string &value) {
        html +=
            fmt::format("<tr><td class=\"l\">{}</td><td class=\"l\">{}</td></tr>\n", what, value);
    };
    for (const PlanTensor &t : plan.inputs) {
        fact("input", escaped(t.name + " " + t.layout + " " + shape_text(t.shape)));
    }
    for (const PlanTensor &t : plan.outputs) {
        fact("output", escaped(t.name + " " + t.layout + " " + shape_text(t.shape)));
    }
    const Cost total = total_cost(plan);
    fact("MACs", with_commas(total.macs));
    fact("MACs as standard convolutions", with_commas(total.standard_macs));
    fact("parameters", with_commas(total.parameters));
    fact("blocks, kernels", fmt::format("{}, {}", plan.blocks.size(), plan.kernels.size()));
    fact("packed weights", with_commas(static_cast<int64_t>(plan.weights.size())) + " bytes");
    if (!report.variants.empty()) {
        fact("arena, one thread", with_commas(serial_arena_bytes(report.memory)) + " bytes");
        fact("for each of several threads", with_commas(worker_bytes(report.variants)) + " bytes");
        fact("library", with_commas(report.archive_bytes) + " bytes");
    }
    for (const Variant &variant : report.variants) {
        const bool by_hand = variant.scheduler == "hand";
        fact("code for " + variant.isa, with_commas(variant.code_bytes()) + " bytes" +
                                            (by_hand ? "" : ", scheduled by " + variant.scheduler));
    }
    return html + "</table>\n";
}

}  // namespace

std::string report_html(const Report &report) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "<title>{0}</title><style>{1}</style></head><body>\n"
        "<h1>{0}</h1><p>Compiled by sepconv from {2}.</p>\n{3}"
        "<h2>Where the work is</h2><p><svg width=\"12\" height=\"12\"><rect class=\"macs\" "
        "width=\"12\" height=\"12\"/></svg> MACs, <svg width=\"12\" height=\"12\"><rect "
        "class=\"bytes\" width=\"12\" height=\"12\"/></svg> bytes, each as a share of the greatest "
        "block.</p>\n{4}"
        "<h2>Blocks</h2><p>One row is one kernel. Bytes are those that a block must move at least, "
        "scratch those of the arena that it uses beside its inputs and outputs; the ratio is that "
        "of its MACs to one standard convolution of the same outer shape, which "
        "1/N + 1/taps predicts.</p>\n{5}</body></html>\n",
        escaped(report.name), kStyle, escaped(report.source), facts_table(report),
        chart(*report.plan), block_table(report));
}

}  // namespace sepconv
