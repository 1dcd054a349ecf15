// Tuning tables: written and read, what is wrong with one, and which are left out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "compiler/commands/layer_graph.h"
#include "compiler/commands/options.h"
#include "compiler/files.h"
#include "compiler/lower.h"
#include "compiler/tune/table.h"

namespace sepconv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const CpuModel kCpu = {"A CPU", 26, 2, 1};

Plan separable_plan() {
    LayerSpec spec;
    spec.op = "separable";
    spec.input = "8x9x16";
    spec.out_channels = 32;
    spec.kernel = "3";
    spec.padding = "same_upper";
    return lower(layer_graph(spec).value(), Layout::kNhwc).value();
}

TuningTable table_with(const Tuning &tuning, const CpuModel &cpu = kCpu) {
    const Kernel kernel = separable_plan().kernels[0];
    TuningTable table;
    table.cpu = cpu;
    table.kernels[key_of(kernel, "avx2")] = {tuned_text(kernel), tuning};
    return table;
}

Tuning some_tuning() {
    Tuning tuning;
    tuning.tile_pixels = 3;
    tuning.tile_vectors = 2;
    tuning.strip_rows = 2;
    tuning.depthwise_pixels = 3;
    tuning.order = Order::kSliding;
    return tuning;
}

std::string replaced(std::string text, const std::string &from, const std::string &to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

class TuningTableTest : public testing::Test {
protected:
    std::string file(const std::string &text) {
        const std::string path = folder_.file("tuning.json");
        EXPECT_TRUE(write_file(path, text).ok());
        return path;
    }

    Result<Emitted> compile(const std::vector<std::string> &tables, const std::string &folder) {
        BuildOptions build;
        build.target.isas = {"avx2"};
        build.cache = folder_.file("cache");
        build.quiet = true;
        build.tuning = tables;
        build.no_tuning = true;
        return compile_plan(separable_plan(), build, {folder_.file(folder), "net", false}, "net");
    }

    std::string archive(const std::string &folder) {
        return read_file(folder_.file(folder + "/libnet.a")).value();
    }

    TemporaryFolder folder_ = TemporaryFolder::create(testing::TempDir()).value();
};

TEST_F(TuningTableTest, WrittenAndReadAgainItIsTheSame) {
    const std::string text = text_of(table_with(some_tuning()));
    const Result<TuningTable> read = parse_table(text, "t");
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(text_of(read.value()), text);
    ASSERT_EQ(read.value().kernels.size(), 1U);
    EXPECT_EQ(read.value().kernels.begin()->second.tuning, some_tuning());
    // A kernel is one line, so that a change of one is a diff of one.
    TuningTable two = table_with(some_tuning());
    two.kernels[key_of(separable_plan().kernels[0], "sse41")] = two.kernels.begin()->second;
    const std::string longer = text_of(two);
    EXPECT_EQ(std::count(longer.begin(), longer.end(), '\n'),
              std::count(text.begin(), text.end(), '\n') + 1);
}

TEST_F(TuningTableTest, ABlockOfAModelAndTheLayerAloneShareATuning) {
    const Kernel alone = separable_plan().kernels[0];
    Kernel inside = alone;
    auto &block = std::get<Block>(inside);
    block.input.padded = !block.input.padded;
    block.output.padded = !block.output.padded;
    ASSERT_NE(describe(alone), describe(inside));
    EXPECT_EQ(key_of(alone, "avx2"), key_of(inside, "avx2"));
    ++block.output.stride_y;
    EXPECT_NE(key_of(alone, "avx2"), key_of(inside, "avx2"));
}

TEST_F(TuningTableTest, AWrongFieldIsNamed) {
    const std::string good = text_of(table_with(some_tuning()));
    struct Wrong {
        const char *from, *to, *message;
    };
    const Wrong cases[] = {
        {"\"format\": 1", "\"format\": 2", "field 'format': expected 1, got 2"},
        {"\"format\": 1", "\"format\": 1, \"more\": 1", "field 'more' is not known"},
        {"\"family\":26,", "", "field 'family' is missing"},
        {"\"family\":26", "\"family\":-1", "field 'family'"},
        {"\"family\":26", "\"family\":26,\"speed\":1", "field 'speed' is not known"},
        {"\"isa\":\"avx2\"", "\"isa\":2", "kernel 0: field 'isa': expected a string, got 2"},
        {"\"hash\":\"", "\"hash\":\"0", "field 'hash'"},
        {"\"tile_pixels\":3", "\"tile_pixels\":0", "tile_pixels: expected a number from 1"},
        {"\"tile_pixels\":3", "\"tile_pixels\":99999999999", "tile_pixels"},
        {"\"tile_pixels\":3", "\"tile_pixels\":3.5", "tile_pixels"},
        {"\"order\":\"sliding\"", "\"order\":\"up\"", "order: expected sliding or channels"},
        {"\"tile_pixels\"", "\"tiles\"", "field 'tiles' is not known"},
        {"\"kernels\": [", "\"kernels\": 1, \"x\": [", "field 'x' is not known"},
        {"}\n]", "}\n", "expected JSON"},
    };
    for (const Wrong &wrong : cases) {
        const Result<TuningTable> read = parse_table(replaced(good, wrong.from, wrong.to), "t");
        ASSERT_FALSE(read.ok()) << wrong.to;
        EXPECT_THAT(read.status().message(), HasSubstr(wrong.message));
        EXPECT_THAT(read.status().message(), HasSubstr("t: "));
    }
}

TEST_F(TuningTableTest, OneForAnotherCpuOrOlderSchedulesIsLeftOutWithAWarning) {
    TuningTable table = table_with(some_tuning());
    const auto load = [&](const CpuModel &cpu) {
        return load_tunings({{file(text_of(table))}, false}, cpu).value();
    };
    EXPECT_THAT(load(kCpu).warnings, IsEmpty());
    EXPECT_EQ(load(kCpu).kernels.size(), 1U);
    for (const CpuModel &other :
         {CpuModel{"A CPU", 26, 2, 2}, {"A CPU", 26, 3, 1}, {"A CPU", 25, 2, 1}, {"B", 26, 2, 1}}) {
        EXPECT_THAT(load(other).kernels, IsEmpty());
        EXPECT_THAT(load(other).warnings, ElementsAre(HasSubstr("ignored, as it is for 'A CPU'")));
    }
    table.schedule_version = kScheduleVersion - 1;
    EXPECT_THAT(load(kCpu).kernels, IsEmpty());
    const std::string older =
        "version " + std::to_string(table.schedule_version) + " of the schedules";
    EXPECT_THAT(load(kCpu).warnings, ElementsAre(HasSubstr(older)));
    EXPECT_FALSE(load_tunings({{folder_.file("none.json")}, false}, kCpu).ok());
}

TEST_F(TuningTableTest, TheLastOfSeveralTablesCounts) {
    Tuning other;
    other.strip_rows = 4;
    const std::string first = folder_.file("first.json");
    ASSERT_TRUE(write_file(first, text_of(table_with(some_tuning()))).ok());
    const Result<Tunings> both =
        load_tunings({{first, file(text_of(table_with(other)))}, false}, kCpu);
    ASSERT_TRUE(both.ok());
    EXPECT_EQ(both.value().of(separable_plan().kernels[0], "avx2"), other);
    EXPECT_EQ(both.value().of(separable_plan().kernels[0], "sse41"), Tuning{});
}

TEST_F(TuningTableTest, AnEmptyTableChangesNoByteAndATuningDoes) {
    ASSERT_TRUE(compile({}, "without").ok());
    TuningTable empty;
    empty.cpu = this_cpu();
    ASSERT_TRUE(compile({file(text_of(empty))}, "empty").ok());
    EXPECT_EQ(archive("empty"), archive("without"));
    // The same for one that does not count here.
    ASSERT_TRUE(compile({file(text_of(table_with(some_tuning())))}, "ignored").ok());
    EXPECT_EQ(archive("ignored"), archive("without"));
    const Result<Emitted> tuned =
        compile({file(text_of(table_with(some_tuning(), this_cpu())))}, "tuned");
    ASSERT_TRUE(tuned.ok()) << tuned.status().message();
    EXPECT_NE(archive("tuned"), archive("without"));
}

TEST_F(TuningTableTest, WhatAKernelDoesNotAllowIsAnError) {
    struct Illegal {
        int Tuning::*field;
        int value;
        const char *message;
    };
    for (const Illegal &illegal :
         {Illegal{&Tuning::tile_pixels, 15, "tile_pixels: expected a tile"},
          {&Tuning::tile_vectors, 3, "tile_vectors: expected a tile"},
          {&Tuning::strip_rows, 3, "strip_rows: expected a divisor of 8 rows, got 3"},
          {&Tuning::depthwise_pixels, 10, "depthwise_pixels: expected 1 to 9, got 10"}}) {
        Tuning tuning;
        tuning.*illegal.field = illegal.value;
        const Result<Emitted> result =
            compile({file(text_of(table_with(tuning, this_cpu())))}, "illegal");
        ASSERT_FALSE(result.ok()) << illegal.message;
        EXPECT_THAT(result.status().message(), HasSubstr("the tuning of separable"));
        EXPECT_THAT(result.status().message(), HasSubstr(illegal.message));
    }
}

}  // namespace
}  // namespace sepconv
