// choose_tile over rows, channels and targets: what it must never do, and what is known by
// measurement to be right.

#include "schedules/tile.h"

#include <Halide.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "layer/shape.h"
#include "tests/support/isa.h"

namespace sepconv {

void PrintTo(const Tile &tile, std::ostream *out) {
    *out << tile.pixels << " pixels x " << tile.vectors << " vectors of " << tile.lanes;
}

namespace {

struct NamedFacts {
    std::string name;
    TargetFacts facts;
};

void PrintTo(const NamedFacts &row, std::ostream *out) {
    *out << row.name;
}

std::vector<NamedFacts> all_facts() {
    std::vector<NamedFacts> all;
    for (const testing::Isa &isa : testing::all_isas()) {
        all.push_back({isa.name, facts_of(Halide::Target("x86-64-linux-" + isa.features))});
    }
    all.push_back({"neon", facts_of(Halide::Target("arm-64-linux"))});
    return all;
}

TargetFacts facts_named(const std::string &name) {
    for (const NamedFacts &row : all_facts()) {
        if (row.name == name) return row.facts;
    }
    ADD_FAILURE() << "no target " << name;
    return {};
}

bool same(const Tile &a, const Tile &b) {
    return a.pixels == b.pixels && a.vectors == b.vectors && a.lanes == b.lanes;
}

/// Panels are walked whole, or all channels are one tile that ends in the last panel; tiles that
/// multiply by lanes may be a whole part of one.
bool fits_panels(const Tile &tile, int out_channels, const TargetFacts &facts) {
    const int padded = round_up_to_panel(out_channels);
    const bool whole = tile.channels() % kPanel == 0 && padded % tile.channels() == 0;
    const bool all = tile.channels() >= out_channels && tile.channels() <= padded;
    const bool part = facts.multiply_lanes > 1 && kPanel % tile.channels() == 0;
    return whole || all || part;
}

/// What one reduction step over a whole row costs, whatever a cycle holds of each.
struct Work {
    int64_t tiles, multiply_adds, loads;

    bool less_than(const Work &other) const {
        return tiles < other.tiles && multiply_adds < other.multiply_adds && loads < other.loads;
    }
};

Work work_of(const Tile &tile, int64_t pixels, int out_channels) {
    const int64_t columns = (pixels + tile.pixels - 1) / tile.pixels;
    const int64_t tiles = columns * ((out_channels + tile.channels() - 1) / tile.channels());
    return {tiles, tiles * tile.pixels * tile.vectors, tiles * (tile.pixels + tile.vectors)};
}

class TileOf : public ::testing::TestWithParam<NamedFacts> {
protected:
    /// Calls `check(pixels, out_channels)` over rows and channels, small, ragged and large.
    template<typename Check>
    static void over_the_grid(const Check &check) {
        for (int64_t pixels = 1; pixels <= 64; ++pixels) {
            for (int channels = 1; channels <= 130; ++channels) check(pixels, channels);
        }
        for (const int64_t pixels : {65, 112, 196, 224, 392, 784, 3136, 12544, 409600}) {
            for (const int channels :
                 {1, 3, 10, 24, 40, 100, 160, 184, 336, 576, 960, 1000, 1280}) {
                check(pixels, channels);
            }
        }
    }
};

TEST_P(TileOf, FitsRegistersRowsAndPanels) {
    const TargetFacts &facts = GetParam().facts;
    over_the_grid([&](int64_t pixels, int channels) {
        const Tile tile = choose_tile(pixels, channels, facts, {});
        ASSERT_LE(registers_of(tile, facts), facts.registers)
            << ::testing::PrintToString(tile) << " for " << pixels << " > " << channels;
        ASSERT_TRUE(fits_panels(tile, channels, facts))
            << ::testing::PrintToString(tile) << " for " << pixels << " > " << channels;
        ASSERT_GE(tile.pixels, 1);
        ASSERT_LE(tile.pixels, pixels);
        ASSERT_GE(tile.vectors, 1);
        ASSERT_EQ(facts.lanes % tile.lanes, 0);
    });
}

TEST_P(TileOf, FitsWhateverTheTuningAsksFor) {
    const TargetFacts &facts = GetParam().facts;
    for (int pixels = 0; pixels <= 40; ++pixels) {
        for (int vectors = 0; vectors <= 12; ++vectors) {
            for (const int channels : {1, 24, 64, 100, 192}) {
                Tuning tuning;
                tuning.tile_pixels = pixels;
                tuning.tile_vectors = vectors;
                const Tile tile = choose_tile(112, channels, facts, tuning);
                ASSERT_LE(registers_of(tile, facts), facts.registers)
                    << ::testing::PrintToString(tile) << " for " << pixels << " x " << vectors;
                ASSERT_TRUE(fits_panels(tile, channels, facts)) << ::testing::PrintToString(tile);
            }
        }
    }
}

TEST_P(TileOf, TheChoiceIsStillTheBestWhenHalfOfItIsGiven) {
    const TargetFacts &facts = GetParam().facts;
    over_the_grid([&](int64_t pixels, int channels) {
        const Tile tile = choose_tile(pixels, channels, facts, {});
        Tuning half;
        half.tile_pixels = tile.pixels;
        const Tile from_pixels = choose_tile(pixels, channels, facts, half);
        half = {};
        half.tile_vectors = tile.vectors;
        const Tile from_vectors = choose_tile(pixels, channels, facts, half);
        ASSERT_TRUE(same(tile, from_pixels) && same(tile, from_vectors))
            << ::testing::PrintToString(tile) << ", " << ::testing::PrintToString(from_pixels)
            << ", " << ::testing::PrintToString(from_vectors);
    });
}

TEST_P(TileOf, NoNeighbourDoesLessOfEverything) {
    const TargetFacts &facts = GetParam().facts;
    over_the_grid([&](int64_t pixels, int channels) {
        const Tile tile = choose_tile(pixels, channels, facts, {});
        const Work work = work_of(tile, pixels, channels);
        for (int dp = -1; dp <= 1; ++dp) {
            for (int dv = -1; dv <= 1; ++dv) {
                const Tile other{tile.pixels + dp, tile.vectors + dv, tile.lanes};
                if (other.pixels < 1 || other.vectors < 1 || other.pixels > pixels) continue;
                if (registers_of(other, facts) > facts.registers) continue;
                if (!fits_panels(other, channels, facts)) continue;
                // A larger tile may cost what is left of registers for a second turn.
                if (has_registers_for_two_turns(tile, facts) !=
                    has_registers_for_two_turns(other, facts)) {
                    continue;
                }
                ASSERT_FALSE(work_of(other, pixels, channels).less_than(work))
                    << ::testing::PrintToString(other) << " beats "
                    << ::testing::PrintToString(tile) << " for " << pixels << " > " << channels;
            }
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Targets, TileOf, ::testing::ValuesIn(all_facts()),
                         [](const auto &info) { return info.param.name; });

/// Accumulators, weights and a broadcast by hand.
TEST(RegistersOf, CountsWhatTheInnerLoopHolds) {
    EXPECT_EQ(registers_of({14, 2, 16}, facts_named("avx512")), 28 + 2 + 1);
    EXPECT_EQ(registers_of({6, 2, 8}, facts_named("avx2")), 12 + 2 + 1);
    // By lane: a vector of inputs a pixel, a pair of weight vectors.
    EXPECT_EQ(registers_of({6, 4, 4}, facts_named("neon")), 24 + 6 + 2);
    // Without a fused multiply-add the product has a register of its own.
    EXPECT_EQ(registers_of({2, 4, 4}, facts_named("sse41")), 8 + 4 + 1 + 1);
}

/// LLVM loads the inputs of both turns beforehand: at 6 x 4 and 8 x 2 that spills.
TEST(RegistersOf, KnowsWhereTwoTurnsSpill) {
    const TargetFacts facts = facts_named("neon");
    EXPECT_TRUE(has_registers_for_two_turns({5, 4, 4}, facts));
    EXPECT_TRUE(has_registers_for_two_turns({7, 2, 4}, facts));
    EXPECT_FALSE(has_registers_for_two_turns({6, 4, 4}, facts));
    EXPECT_FALSE(has_registers_for_two_turns({8, 2, 4}, facts));
}

/// A panel that tiles fill together is named by each.
TEST(ChooseTile, NamesThePartsOfAPanel) {
    const TargetFacts facts = facts_named("neon");
    EXPECT_EQ(choose_tile(7, 960, facts, {}).parts, 2);
    EXPECT_EQ(choose_tile(196, 512, facts, {}).parts, 1);
    EXPECT_EQ(choose_tile(7, 8, facts, {}).parts, 1) << "nothing is left of the panel";
}

/// Tiles that were measured: they spill and lose 20 to 30 % (docs/performance.md).
TEST(RegistersOf, KnowsTilesThatSpill) {
    const TargetFacts facts = facts_named("avx512");
    EXPECT_GT(registers_of({7, 4, 16}, facts), facts.registers);
    EXPECT_GT(registers_of({14, 3, 16}, facts), facts.registers);
}

TEST(ChooseTile, TakesTheTilesThatMeasureBest) {
    struct Known {
        const char *target;
        int64_t pixels;
        int channels;
        Tile tile;
    };
    const Known table[] = {
        {"avx512", 112, 64, {14, 2, 16}}, {"avx512", 196, 512, {14, 2, 16}},
        {"avx512", 28, 256, {14, 2, 16}}, {"avx512", 7, 48, {7, 3, 16}},
        {"avx512", 49, 576, {7, 3, 16}},  {"avx512", 7, 960, {7, 3, 16}},
        {"avx2", 112, 64, {6, 2, 8}},     {"avx2", 196, 512, {6, 2, 8}},
        {"avx2", 784, 256, {6, 2, 8}},    {"neon", 112, 64, {6, 4, 4}},
        {"neon", 196, 512, {6, 4, 4}},    {"neon", 7, 960, {7, 2, 4}},
        {"neon", 448, 24, {10, 2, 4}},
    };
    for (const auto &[target, pixels, channels, expected] : table) {
        const Tile tile = choose_tile(pixels, channels, facts_named(target), {});
        EXPECT_TRUE(same(tile, expected))
            << target << ", " << pixels << " > " << channels << ": "
            << ::testing::PrintToString(tile) << ", not " << ::testing::PrintToString(expected);
    }
}

}  // namespace
}  // namespace sepconv
