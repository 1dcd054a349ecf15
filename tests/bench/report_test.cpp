#include "bench/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sepconv::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

class IdleBlock : public PreparedBlock {
public:
    bool run() override { return true; }
};

/// Runs always as long; one that is not offered where `microseconds` is 0.
Contender steady(double microseconds) {
    constexpr size_t kRounds = 30;
    Contender contender;
    contender.note = microseconds == 0 ? "has no such operator" : "";
    if (microseconds == 0) return contender;
    contender.block = std::make_unique<IdleBlock>();
    contender.microseconds.assign(kRounds, microseconds);
    return contender;
}

CheckedBlock block(const std::string &table, const std::string &name, int count,
                   const std::vector<double> &microseconds) {
    CheckedBlock block;
    block.table = table;
    block.shape.name = name;
    block.shape.op = "pointwise";
    block.shape.count = count;
    block.cost.macs = 1000000;
    for (const double time : microseconds) block.contenders.push_back(steady(time));
    return block;
}

/// Two networks with ours, "slow" and "fast".
Report report_of_two() {
    std::vector<CheckedBlock> blocks;
    blocks.push_back(block("one", "a", 3, {10, 20, 15}));
    blocks.push_back(block("one", "b", 1, {10, 40, 8}));
    blocks.push_back(block("two", "c", 1, {10, 30, 0}));
    Report report;
    report.contenders = {"ours", "slow", "fast"};
    report.peak = 1000;
    report.rows = rows_of(blocks);
    return report;
}

TEST(Report, EachNetworkEndsInItsTotal) {
    const std::vector<Row> rows = report_of_two().rows;
    ASSERT_EQ(rows.size(), 5U);
    EXPECT_TRUE(rows[2].total);
    EXPECT_EQ(rows[2].block, "4 blocks of one");
    EXPECT_DOUBLE_EQ(rows[2].macs, 4e6);
    EXPECT_DOUBLE_EQ(rows[2].ours().microseconds.median, 40);
    EXPECT_DOUBLE_EQ(rows[2].cells[1].microseconds.median, 3 * 20 + 40);
    EXPECT_DOUBLE_EQ(rows[2].cells[2].ratio.median, (3 * 15 + 8) / 40.0);
    EXPECT_TRUE(rows[4].total);
    EXPECT_EQ(rows[4].block, "1 blocks of two");
}

TEST(Report, WhoLacksABlockHasNoTotal) {
    const Row total = report_of_two().rows.back();
    EXPECT_TRUE(total.cells[1].offered);
    EXPECT_FALSE(total.cells[2].offered);
    EXPECT_EQ(total.best, 1U);
}

TEST(Report, BestPeerHasTheLeastTime) {
    const std::vector<Row> rows = report_of_two().rows;
    EXPECT_EQ(rows[0].best, 2U);
    EXPECT_EQ(rows[1].best, 2U);
    EXPECT_EQ(rows[3].best, 1U);
}

TEST(Report, SummaryNamesTheLosses) {
    const Report report = report_of_two();
    const Facts facts = summary_of(report.contenders, report.rows);
    ASSERT_FALSE(facts.empty());
    // 1.5 * 0.8 * 3 is 3.6, and totals do not count.
    EXPECT_THAT(facts.front().second, HasSubstr("1.533, geometric mean over 3 blocks"));
    EXPECT_EQ(facts.back().first, "blocks lost");
    EXPECT_EQ(facts.back().second, "b of one");
}

TEST(Report, MarkdownKeepsLossesAndReasons) {
    const std::string text = markdown(report_of_two());
    EXPECT_THAT(text, HasSubstr("0.80 [0.80, 0.80] fast"));
    EXPECT_THAT(text, HasSubstr("- fast, has no such operator: c\n"));
}

TEST(Report, EveryCsvLineHasTheColumnsOfTheFirst) {
    Report report = report_of_two();
    report.facts.emplace_back("CPU", "some, with a comma");
    report.rows.front().cells[1].note = "two \"words\"";
    const std::string text = csv(report);
    EXPECT_THAT(text, HasSubstr("# CPU: some, with a comma\n"));
    EXPECT_THAT(text, Not(HasSubstr("\"words\"")));
    const size_t begin = text.find("table,");
    ASSERT_NE(begin, std::string::npos);
    const auto commas = [&](size_t from) {
        return std::count(text.begin() + static_cast<std::ptrdiff_t>(from),
                          text.begin() + static_cast<std::ptrdiff_t>(text.find('\n', from)), ',');
    };
    const auto expected = commas(begin);
    size_t lines = 0;
    for (size_t line = begin; line < text.size(); line = text.find('\n', line) + 1, ++lines) {
        EXPECT_EQ(commas(line), expected) << text.substr(line, text.find('\n', line) - line);
    }
    EXPECT_EQ(lines, report.rows.size() + 1);
}

}  // namespace
}  // namespace sepconv::bench
