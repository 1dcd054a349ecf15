// Machine code of a sample of blocks, read back: the loops that do the work keep their values in
// registers. Prints a row for each of these loops.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "algorithms/stages.h"
#include "layer/shape.h"
#include "schedules/build_kernel.h"
#include "schedules/cpu.h"
#include "tests/support/hot_loops.h"
#include "tests/support/isa.h"

namespace sepconv::testing {

void PrintTo(const Isa &isa, std::ostream *out) {
    *out << isa.name;
}

namespace {

/// A loop with fewer is not worth the registers.
constexpr int kHotMultiplyAdds = 8;

/// Rows of bench/shapes, without their source; `expanded` 0: no expand, `out` 0: no project.
struct Shape {
    const char *name;
    int height, in, expanded, kernel, stride, out;
    int dense = 1;  ///< Window of the project.
};

void PrintTo(const Shape &shape, std::ostream *out) {
    *out << shape.name;
}

const Shape kShapes[] = {
    {"pointwise_56x56_64_128", 56, 64, 0, 0, 1, 128},
    {"pointwise_7x7_576_96", 7, 576, 0, 0, 1, 96},
    {"pointwise_28x28_32_24", 28, 32, 0, 0, 1, 24},
    {"v1_separable_112x112_32_64", 112, 32, 0, 3, 1, 64},
    {"v1_separable_56x56_128_256_s2", 56, 128, 0, 3, 2, 256},
    {"v1_separable_14x14_512_512", 14, 512, 0, 3, 1, 512},
    {"v1_separable_7x7_1024_1024", 7, 1024, 0, 3, 1, 1024},
    {"v2_inverted_56x56_24_144_24", 56, 24, 144, 3, 1, 24},
    {"v2_inverted_14x14_96_576_96", 14, 96, 576, 3, 1, 96},
    {"v2_inverted_28x28_32_192_64_s2", 28, 32, 192, 3, 2, 64},
    {"v3_inverted_28x28_40_120_40_k5", 28, 40, 120, 5, 1, 40},
    {"v3_depthwise_14x14_480_k3", 14, 480, 0, 3, 1, 0},
    {"v3_depthwise_56x56_72_k5_s2", 56, 72, 0, 5, 2, 0},
    {"v3_depthwise_7x7_960_k5", 7, 960, 0, 5, 1, 0},
    {"atto_depthwise_56x56_40_k7", 56, 40, 0, 7, 1, 0},
    {"atto_depthwise_14x14_160_k7", 14, 160, 0, 7, 1, 0},
    // Sums in chunks: of equal ones, with a shorter last one, and of taps.
    {"long_pointwise_7x7_4608_128", 7, 4608, 0, 0, 1, 128},
    {"long_pointwise_7x7_2053_64", 7, 2053, 0, 0, 1, 64},
    {"long_dense_14x14_512_512", 14, 512, 0, 0, 1, 512, 3},
    {"long_dense_28x28_64_64_k7", 28, 64, 0, 0, 1, 64, 7},
};

/// Kernels that do spill, and how many stack accesses their worst loop may have.
struct Known {
    const char *kernel;
    size_t most;
};

const Known kKnown[] = {
    // Where zeros are selected at the border of a 7x7.
    {"atto_depthwise_14x14_160_k7_sse41", 8},
    {"atto_depthwise_14x14_160_k7_avx2", 9},
};

size_t known_limit(const std::string &kernel) {
    for (const Known &known : kKnown) {
        if (kernel == known.kernel) return known.most;
    }
    return 0;
}

Elementwise relu6() {
    Elementwise step;
    step.op = Op::kClip;
    step.beta = 6.0F;
    return step;
}

/// Channels last between the caller's buffers; activations as the networks have them.
Block block_of(const Shape &shape) {
    Block block;
    block.input = dense_image(shape.in, shape.height, shape.height, false);
    const int hidden = shape.expanded > 0 ? shape.expanded : shape.in;
    const int height = (shape.height + shape.stride - 1) / shape.stride;
    block.output = dense_image(shape.out > 0 ? shape.out : hidden, height, height, false);
    if (shape.expanded > 0) block.expand = Convolution{shape.in, hidden, {}, {relu6()}};
    if (shape.kernel > 0) {
        Window window;
        window.kernel_h = window.kernel_w = shape.kernel;
        window.stride_h = window.stride_w = shape.stride;
        window = with_padding(window, PaddingMode::kSameUpper, shape.height, shape.height);
        block.depthwise = Depthwise{hidden, 1, window, {relu6()}};
    }
    if (shape.out > 0) {
        Window window;
        window.kernel_h = window.kernel_w = shape.dense;
        window = with_padding(window, PaddingMode::kSameUpper, height, height);
        block.project = Convolution{hidden, shape.out, window, {}};
    }
    return block;
}

Halide::Target target_of(const Isa &isa) {
    return Halide::Target("x86-64-linux-" + isa.features +
                          "-no_runtime-user_context-no_asserts-no_bounds_query");
}

/// A file name of this process, removed at the end.
class ObjectFile {
public:
    ObjectFile() {
        std::string pattern = std::filesystem::temp_directory_path() / "sepconv-test-XXXXXX";
        folder_ = mkdtemp(pattern.data()) == nullptr ? "" : pattern;
    }
    ~ObjectFile() { std::filesystem::remove_all(folder_); }
    ObjectFile(const ObjectFile &) = delete;
    ObjectFile &operator=(const ObjectFile &) = delete;
    std::string path() const { return folder_ + "/kernel.o"; }

private:
    std::string folder_;
};

std::vector<Loop> hot_loops(const std::string &object_path) {
    std::vector<Loop> hot;
    for (Loop &loop :
         innermost_loops(disassemble(SEPCONV_TEST_OBJDUMP, object_path, InstructionSet::kX86),
                         InstructionSet::kX86)) {
        if (loop.multiply_adds + loop.scalar_multiply_adds >= kHotMultiplyAdds) {
            hot.push_back(std::move(loop));
        }
    }
    return hot;
}

/// A loop of a depthwise stage: it multiplies vectors by vectors, where a pointwise stage
/// multiplies by one broadcast value a pixel.
bool is_depthwise(const Loop &loop) {
    return loop.broadcasts == 0;
}

/// Halide makes copies of a depthwise loop for the borders of the image, which select zeros for the
/// taps outside. Where every copy selects, none of them is a border only.
bool is_border(const Loop &loop, const std::vector<Loop> &loops) {
    const auto selects_nothing = [](const Loop &other) {
        return is_depthwise(other) && other.selects == 0;
    };
    return is_depthwise(loop) && loop.selects > 0 &&
           std::any_of(loops.begin(), loops.end(), selects_nothing);
}

/// Stack accesses that must not be. In a border a reload costs what it costs elsewhere to load the
/// same weight from the weights.
size_t faults(const Loop &loop, bool border) {
    return loop.spills.size() + (border ? 0 : loop.reloads.size());
}

void print(const std::string &kernel, const std::vector<Loop> &loops) {
    static std::once_flag header;
    std::call_once(header, [] {
        std::printf("%-42s %5s %4s %5s %6s %6s %5s %7s %6s\n", "kernel", "at", "FMAs", "loads",
                    "stores", "instr", "/FMA", "reloads", "spills");
    });
    for (const Loop &loop : loops) {
        std::printf("%-42s %5llx %4d %5d %6d %6d %5.2f %7zu %6zu%s\n", kernel.c_str(),
                    static_cast<unsigned long long>(loop.address), loop.multiply_adds, loop.loads,
                    loop.stores, loop.instructions,
                    static_cast<double>(loop.instructions) / std::max(1, loop.multiply_adds),
                    loop.reloads.size(), loop.spills.size(),
                    is_border(loop, loops) ? "  border" : "");
    }
}

std::string describe(const Loop &loop) {
    std::string text = "in the loop at " + std::to_string(loop.address) + " of " + loop.function;
    for (const auto &list : {loop.spills, loop.reloads}) {
        for (const std::string &instruction : list) text += "\n    " + instruction;
    }
    return text;
}

using ShapeAndIsa = std::tuple<Shape, Isa>;

class HotLoops : public ::testing::TestWithParam<ShapeAndIsa> {};

std::string name_of_test(const ShapeAndIsa &parameter) {
    return std::string(std::get<0>(parameter).name) + "_" + std::get<1>(parameter).name;
}

TEST_P(HotLoops, KeepTheirValuesInRegisters) {
    const std::string name = name_of_test(GetParam());
    const auto &[shape, isa] = GetParam();
    const ObjectFile object;
    const auto compiled =
        compile_kernel(block_of(shape), target_of(isa), {}, "kernel", object.path());
    ASSERT_TRUE(compiled.ok()) << compiled.status().message();
    const std::vector<Loop> loops = hot_loops(object.path());
    print(name, loops);
    ASSERT_FALSE(loops.empty());
    const size_t limit = known_limit(name);
    size_t worst = 0;
    for (const Loop &loop : loops) {
        const size_t found = faults(loop, is_border(loop, loops));
        EXPECT_LE(found, limit) << describe(loop);
        EXPECT_EQ(loop.scalar_multiply_adds, 0) << describe(loop);
        EXPECT_TRUE(is_depthwise(loop) || loop.selects == 0) << describe(loop);
        worst = std::max(worst, found);
    }
    EXPECT_TRUE(worst > 0 || limit == 0) << "no longer spills: take it off kKnown";
}

INSTANTIATE_TEST_SUITE_P(Sample, HotLoops,
                         ::testing::Combine(::testing::ValuesIn(kShapes),
                                            ::testing::ValuesIn(all_isas())),
                         [](const auto &info) { return name_of_test(info.param); });

/// Compiles for a machine that is not the target's.
void compile_with(const TargetFacts &facts, const Tuning &tuning, const Block &block,
                  const Halide::Target &target, const std::string &object_path) {
    Parameters parameters(block, Rows::kFlattened);
    BlockStages stages = define_block(block, parameters, Rows::kFlattened);
    schedule_block(stages, block, facts, choose(block, facts, tuning));
    Halide::OutputImageParam output = stages.output.output_buffer();
    constrain_image(output, stages.pixels, false);
    std::vector<Halide::Argument> arguments;
    for (const Halide::ImageParam &buffer : parameters.in_order()) arguments.push_back(buffer);
    Halide::Pipeline(stages.output).compile_to_object(object_path, arguments, "kernel", target);
}

class Detector : public ::testing::TestWithParam<Isa> {};

/// What the sample is held to would be found: 60 accumulators fit no register file of x86.
TEST_P(Detector, SeesTheSpillsOfTooLargeATile) {
    const Isa &isa = GetParam();
    const Halide::Target target = target_of(isa);
    TargetFacts facts = facts_of(target);
    facts.registers = 80;
    Tuning tuning;
    tuning.tile_pixels = facts.lanes == 16 ? 15 : facts.lanes == 8 ? 10 : 5;
    tuning.tile_vectors = 60 / tuning.tile_pixels;
    const ObjectFile object;
    compile_with(facts, tuning, block_of({"", 30, 64, 0, 0, 1, 192}), target, object.path());
    const std::vector<Loop> loops = hot_loops(object.path());
    print("control_pointwise_60_" + isa.name, loops);
    ASSERT_FALSE(loops.empty());
    for (const Loop &loop : loops) {
        EXPECT_EQ(loop.multiply_adds, 60);
        EXPECT_GE(loop.spills.size(), 10U);
        EXPECT_GE(loop.reloads.size(), 10U);
    }
}

/// The same by what a tuning may ask for.
TEST_P(Detector, SeesTheSpillsOfTooLongADepthwiseRun) {
    const Isa &isa = GetParam();
    Tuning tuning;
    tuning.depthwise_pixels = 48;
    const ObjectFile object;
    const Block block = block_of({"", 96, 64, 0, 5, 1, 0});
    ASSERT_TRUE(compile_kernel(block, target_of(isa), tuning, "kernel", object.path()).ok());
    const std::vector<Loop> loops = hot_loops(object.path());
    print("control_depthwise_48_" + isa.name, loops);
    size_t spills = 0;
    for (const Loop &loop : loops) spills = std::max(spills, loop.spills.size());
    EXPECT_GE(spills, 10U);
}

INSTANTIATE_TEST_SUITE_P(Control, Detector, ::testing::ValuesIn(all_isas()),
                         [](const auto &info) { return info.param.name; });

/// An outer loop at 10 around one at 20; a call's `<` is no jump; rbp is not the frame's.
const char *const kListing = R"(
0000000000000000 <kernel>:
   0:	push   rbp
   1:	mov    rax,QWORD PTR [rsp+0x8]
  10:	vmovups zmm0,ZMMWORD PTR [rsp+0x40]
  20:	vfmadd231ps zmm0,zmm1,DWORD BCST [rdi+rcx*4]
  26:	vfmadd231ps zmm2,zmm1,ZMMWORD PTR [rsp+rcx*4+0x40]
  2c:	vmovups ZMMWORD PTR [rsp+0x80],zmm0
  34:	vmovups ZMMWORD PTR [rbp+0x80],zmm0
  3c:	vblendvps ymm1,ymm2,ymm3,ymm4
  40:	lea    rdx,[rsp+0x10]
  44:	vaddps zmm0,zmm0,ZMMWORD PTR [rsp]
  4a:	jne    20 <kernel+0x20>
  50:	jb     10 <kernel+0x10>
  52:	jmp    60 <kernel+0x60>
  58:	call   5d <other>
  60:	ret

0000000000000070 <framed>:
  70:	mov    rbp,rsp
  74:	mulps  xmm0,XMMWORD PTR [rbp-0x20]
  78:	mulss  xmm1,xmm2
  7c:	jmp    74 <framed+0x4>
)";

TEST(InnermostLoops, AreCounted) {
    const std::vector<Loop> loops = innermost_loops(kListing, InstructionSet::kX86);
    ASSERT_EQ(loops.size(), 2U);
    EXPECT_EQ(loops[0].function, "kernel");
    EXPECT_EQ(loops[0].address, 0x20U);
    EXPECT_EQ(loops[0].instructions, 8);
    EXPECT_EQ(loops[0].multiply_adds, 2);
    EXPECT_EQ(loops[0].broadcasts, 1);
    EXPECT_EQ(loops[0].selects, 1);
    EXPECT_EQ(loops[0].loads, 3);
    EXPECT_EQ(loops[0].stores, 2);
    EXPECT_EQ(loops[0].spills, std::vector<std::string>{"vmovups ZMMWORD PTR [rsp+0x80],zmm0"});
    EXPECT_EQ(loops[0].reloads, std::vector<std::string>{"vaddps zmm0,zmm0,ZMMWORD PTR [rsp]"});
    EXPECT_EQ(loops[1].function, "framed");
    EXPECT_EQ(loops[1].multiply_adds, 1);
    EXPECT_EQ(loops[1].scalar_multiply_adds, 1);
    EXPECT_EQ(loops[1].reloads.size(), 1U);
}

}  // namespace
}  // namespace sepconv::testing
