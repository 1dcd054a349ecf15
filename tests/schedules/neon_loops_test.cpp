// Machine code for arm-64 of the blocks of MobileNetV1, V2 and V3-Large, read back: the hot loops
// keep their values in registers, issue no more instructions than hand-written ones, and do not
// wait.

#include "tests/schedules/neon_loops.h"

#include <gtest/gtest.h>

#include <map>
#include <ostream>

namespace sepconv::bench {

void PrintTo(const BlockShape &shape, std::ostream *out) {
    *out << describe(shape);
}

}  // namespace sepconv::bench

namespace sepconv::testing {
namespace {

/// Of XNNPACK's hand-written loops in Debian's libxnnpack0 for arm64 (docs/arm.md): an f32-gemm of
/// 6x8 with 118 instructions for 96 multiply-adds; f32-dwconv up4x9 with 28 for 9.
constexpr double kPointwiseInstructions = 118.0 / 96;
constexpr double kDepthwiseInstructions = 28.0 / 9;
/// Theirs clamps; a hard-swish takes three instructions more.
constexpr double kHardSwishInstructions = (28.0 + 3) / 9;

/// Loops that read a weight from the stack again, and how often: it costs what loading it from
/// the weights costs. A row of seven pixels at once; four pixels of stride 2 in strips of
/// rows; fourteen sums of a 5x5.
const std::map<std::string, size_t> kKnownReloads = {
    {"mobilenet_v1_block_02", 1},
    {"mobilenet_v1_block_12", 1},
    {"mobilenet_v1_block_13", 1},
    {"mobilenet_v3_large_b28_40_120_40_k5_s1_se_add", 1},
};

size_t known_reloads(const std::string &block) {
    const auto found = kKnownReloads.find(block);
    return found == kKnownReloads.end() ? 0 : found->second;
}

std::string describe(const NeonLoop &row) {
    std::string text = "the loop at " + std::to_string(row.loop.address) + " of " +
                       row.loop.function + ", " + std::to_string(row.cycles) + " cycles";
    for (const std::string &line : row.loop.code) text += "\n    " + line;
    return text;
}

/// The first layer has three channels, no four steps at once: its loop is held to the rest.
void expect_pointwise(const NeonLoop &row, bool by_lanes) {
    EXPECT_EQ(row.loop.selects, 0) << describe(row);
    EXPECT_LE(row.by_multiply_adds(), 1.10) << describe(row);
    if (by_lanes) {
        EXPECT_LE(row.per_multiply_add(row.loop.instructions), kPointwiseInstructions)
            << describe(row);
        EXPECT_LE(row.per_multiply_add(row.loop.loads), 0.25) << describe(row);
    }
}

/// The bound of the multiply-adds alone is out of reach: a sum of nine begins with a move and ends
/// with a clamp and a store on the same two pipes.
void expect_depthwise(const NeonLoop &row, const std::string &activation) {
    const bool hard_swish = activation == "hard_swish";
    EXPECT_LE(row.per_multiply_add(row.loop.instructions),
              hard_swish ? kHardSwishInstructions : kDepthwiseInstructions)
        << describe(row);
    EXPECT_LE(row.per_multiply_add(row.loop.loads), 1.0) << describe(row);
    EXPECT_LE(row.by_vector_operations(), 1.45) << describe(row);
}

class NeonLoops : public ::testing::TestWithParam<bench::BlockShape> {};

TEST_P(NeonLoops, AreNoLongerThanHandWrittenOnes) {
    if (const std::string missing = missing_llvm_tools(); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    const bench::BlockShape &shape = GetParam();
    const auto loops = neon_loops(shape);
    ASSERT_TRUE(loops.ok()) << loops.status().message();
    size_t pointwise = 0, depthwise = 0, reloads = 0;
    for (const NeonLoop &row : loops.value()) {
        EXPECT_GT(row.cycles, 0) << "llvm-mca does not read " << describe(row);
        EXPECT_EQ(row.loop.scalar_multiply_adds, 0) << describe(row);
        if (row.kind == LoopKind::kBorder) continue;
        reloads += row.loop.reloads.size();
        EXPECT_EQ(row.loop.spills.size(), 0U) << describe(row);
        EXPECT_LE(row.loop.reloads.size(), known_reloads(shape.name)) << describe(row);
        if (row.kind == LoopKind::kPointwise) {
            ++pointwise;
            expect_pointwise(row, shape.in_channels % 4 == 0);
        } else if (row.kind == LoopKind::kDepthwise) {
            ++depthwise;
            expect_depthwise(row, shape.depthwise_activation);
        }
    }
    EXPECT_GE(pointwise, 1U);
    EXPECT_EQ(depthwise > 0, shape.op == "separable" || shape.op == "inverted_residual");
    EXPECT_EQ(reloads > 0, known_reloads(shape.name) > 0) << "take it off kKnownReloads";
}

const std::vector<bench::BlockShape> kBlocks = mobilenet_blocks();

INSTANTIATE_TEST_SUITE_P(Mobilenets, NeonLoops, ::testing::ValuesIn(kBlocks),
                         [](const auto &info) { return info.param.name; });

TEST(NeonLoops, OfAllThreeNetworksAreThere) {
    EXPECT_EQ(kBlocks.size(), 37U);
}

/// A loop by lane around the stack; a call and an unconditional jump forward are no loops.
const char *const kListing = R"(
kernel.o:	file format elf64-littleaarch64

0000000000000000 <kernel>:
       0:      	sub	sp, sp, #0x80
       4:      	stp	d15, d14, [sp, #0x40]
       8:      	ldp	q4, q0, [x0, #-0x80]
       c:      	ldr	q1, [x3, #0x400]
      10:      	fmla	v12.4s, v4.4s, v1.s[0]
      14:      	fmla	v8.4s, v4.4s, v1.4s
      18:      	ldr	q2, [sp, #0x20]
      1c:      	str	q2, [sp]
      20:      	stp	q0, q2, [x1]
      24:      	ldr	q5, [sp, x4]
      28:      	bic	v2.16b, v1.16b, v2.16b
      2c:      	csel	x2, x3, x4, lt
      30:      	and	x2, x2, #0xf
      34:      	fmadd	s0, s1, s2, s3
      38:      	cmp	x1, #0x8
      3c:      	b.ne	0x8 <kernel+0x8>
      40:      	cbnz	w8, 0x0 <kernel>
      44:      	bl	0x44 <kernel+0x44>
      48:      	b	0x4c <kernel+0x4c>
      4c:      	ret
)";

TEST(InnermostLoops, AreCountedForAarch64) {
    const std::vector<Loop> loops = innermost_loops(kListing, InstructionSet::kAarch64);
    ASSERT_EQ(loops.size(), 1U);
    const Loop &loop = loops[0];
    EXPECT_EQ(loop.address, 8U);
    EXPECT_EQ(loop.instructions, 14);
    EXPECT_EQ(loop.multiply_adds, 2);
    EXPECT_EQ(loop.scalar_multiply_adds, 1);
    EXPECT_EQ(loop.broadcasts, 1);
    EXPECT_EQ(loop.selects, 2);
    EXPECT_EQ(loop.loads, 4);
    EXPECT_EQ(loop.stores, 2);
    EXPECT_EQ(loop.vector_operations, 3 + 1 + 2) << "two vectors of a pair are stored";
    EXPECT_EQ(loop.reloads, std::vector<std::string>{"ldr q2, [sp, #0x20]"});
    EXPECT_EQ(loop.spills, std::vector<std::string>{"str q2, [sp]"});
}

}  // namespace
}  // namespace sepconv::testing
