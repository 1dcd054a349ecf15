#include "tests/schedules/neon_loops.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>

#include "schedules/build_kernel.h"
#include "tests/schedules/machine.h"

namespace sepconv::testing {
namespace {

/// A loop with fewer is not worth the registers.
constexpr int kHotMultiplyAdds = 8;

bool has_lanes(const Loop &loop) {
    return loop.broadcasts > 0;
}

LoopKind kind_of(const Loop &loop, const std::vector<Loop> &loops) {
    if (has_lanes(loop)) {
        return loop.loads >= loop.multiply_adds / 2 ? LoopKind::kPixel : LoopKind::kPointwise;
    }
    const bool inner = std::any_of(loops.begin(), loops.end(), [](const Loop &other) {
        return !has_lanes(other) && other.selects == 0;
    });
    return loop.selects > 0 && inner ? LoopKind::kBorder : LoopKind::kDepthwise;
}

/// Cycles of one turn of many; 0 where llvm-mca does not understand the code.
double neoverse_cycles(const Loop &loop, const std::string &path) {
    constexpr int kTurns = 100;
    static const std::regex target("(0x)?[0-9a-f]+ <.*>"), total(R"(Total Cycles:\s+([0-9]+))");
    std::ofstream file(path);
    file << "turn:\n";
    for (const std::string &line : loop.code) {
        file << std::regex_replace(line, target, "turn") << "\n";
    }
    file.close();
    const std::string text =
        output_of(std::string(SEPCONV_TEST_LLVM_MCA) + " -mtriple=aarch64 -mcpu=neoverse-n1" +
                  " -iterations=" + std::to_string(kTurns) + " " + path);
    std::smatch match;
    return std::regex_search(text, match, total) ? std::stod(match[1]) / kTurns : 0;
}

}  // namespace

double NeonLoop::per_multiply_add(int count) const {
    return static_cast<double>(count) / std::max(1, loop.multiply_adds);
}

double NeonLoop::by_multiply_adds() const {
    return 2 * cycles / std::max(1, loop.multiply_adds);
}

double NeonLoop::by_vector_operations() const {
    return 2 * cycles / std::max(1, loop.vector_operations);
}

std::string missing_llvm_tools() {
    if (std::string(SEPCONV_TEST_LLVM_OBJDUMP).empty()) return "no llvm-objdump when configured";
    if (std::string(SEPCONV_TEST_LLVM_MCA).empty()) return "no llvm-mca when configured";
    return "";
}

std::vector<NeonLoop> neon_loops(const std::string &object_path, const std::string &function) {
    const InstructionSet set = InstructionSet::kAarch64;
    std::vector<Loop> hot;
    for (Loop &loop :
         innermost_loops(disassemble(SEPCONV_TEST_LLVM_OBJDUMP, object_path, set), set)) {
        const int products = loop.multiply_adds + loop.scalar_multiply_adds;
        const bool asked_for = loop.function.find(function) != std::string::npos;
        if (asked_for && products >= kHotMultiplyAdds) hot.push_back(std::move(loop));
    }
    const ScratchFolder folder;
    std::vector<NeonLoop> loops;
    for (const Loop &loop : hot) {
        loops.push_back({kind_of(loop, hot), loop, neoverse_cycles(loop, folder / "loop.s")});
    }
    return loops;
}

Result<std::vector<NeonLoop>> neon_loops(const bench::BlockShape &shape) {
    const Result<Block> block = bench::block_of(shape);
    if (!block.ok()) return block.status();
    const ScratchFolder folder;
    const std::string object = folder / "kernel.o";
    const Result<Scratch> compiled = compile_kernel(
        block.value(), Halide::Target(shipped_target(neon_machine())), {}, "kernel", object);
    if (!compiled.ok()) return compiled.status();
    return neon_loops(object);
}

std::vector<bench::BlockShape> mobilenet_blocks() {
    std::vector<bench::BlockShape> blocks;
    std::set<std::string> known;
    for (const char *table : {"mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large"}) {
        const auto shapes =
            bench::read_shapes(std::string(SEPCONV_TEST_SHAPES_DIR) + "/" + table + ".csv");
        if (!shapes.ok()) return {};
        for (const bench::BlockShape &shape : shapes.value()) {
            const std::string text = bench::describe(shape) + shape.depthwise_activation +
                                     shape.expand_activation + shape.activation;
            if (!known.insert(text).second) continue;
            blocks.push_back(shape);
            blocks.back().name = std::string(table) + "_" + shape.name;
        }
    }
    return blocks;
}

}  // namespace sepconv::testing
