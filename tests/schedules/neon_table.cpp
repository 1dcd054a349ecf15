// Prints the hot loops of AArch64 code as a table in Markdown.
// usage: schedules_neon_table                         of the blocks of MobileNetV1, V2, V3-Large:
// of
//                                                     each kind the one with most instructions
//        schedules_neon_table OBJECT [FUNCTION]...    all of functions of an object or archive

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "tests/schedules/neon_loops.h"

namespace sepconv::testing {
namespace {

const char *name_of(LoopKind kind) {
    switch (kind) {
        case LoopKind::kPointwise:
            return "pointwise";
        case LoopKind::kPixel:
            return "one pixel";
        case LoopKind::kDepthwise:
            return "depthwise";
        default:
            return "border";
    }
}

void print_header() {
    std::printf(
        "| code | loop | FMAs | instructions | /FMA | loads | /FMA | stack | N1 cycles "
        "| by FMAs | by vector operations |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
}

void print(const std::string &name, const NeonLoop &row) {
    const Loop &loop = row.loop;
    std::printf("| %s | %s | %d | %d | %.2f | %d | %.2f | %zu | %.1f | %.2f | %.2f |\n",
                name.c_str(), name_of(row.kind), loop.multiply_adds, loop.instructions,
                row.per_multiply_add(loop.instructions), loop.loads,
                row.per_multiply_add(loop.loads), loop.spills.size() + loop.reloads.size(),
                row.cycles, row.by_multiply_adds(), row.by_vector_operations());
}

/// Of each kind but borders the loop with most instructions for a multiply-add, in their order.
std::vector<NeonLoop> worst_of_kinds(const std::vector<NeonLoop> &loops) {
    std::vector<NeonLoop> worst;
    for (const NeonLoop &row : loops) {
        if (row.kind == LoopKind::kBorder) continue;
        const auto known = std::find_if(worst.begin(), worst.end(), [&](const NeonLoop &other) {
            return other.kind == row.kind;
        });
        const auto cost = [](const NeonLoop &loop) {
            return loop.per_multiply_add(loop.loop.instructions);
        };
        if (known == worst.end()) {
            worst.push_back(row);
        } else if (cost(row) > cost(*known)) {
            *known = row;
        }
    }
    return worst;
}

int print_blocks() {
    for (const bench::BlockShape &shape : mobilenet_blocks()) {
        const auto loops = neon_loops(shape);
        if (!loops.ok()) {
            std::fprintf(stderr, "%s\n", loops.status().message().c_str());
            return 1;
        }
        for (const NeonLoop &row : worst_of_kinds(loops.value())) {
            print(bench::describe(shape), row);
        }
    }
    return 0;
}

int print_table(const std::vector<std::string> &arguments) {
    if (const std::string missing = missing_llvm_tools(); !missing.empty()) {
        std::fprintf(stderr, "%s\n", missing.c_str());
        return 1;
    }
    print_header();
    if (arguments.empty()) return print_blocks();
    std::vector<std::string> functions(arguments.begin() + 1, arguments.end());
    if (functions.empty()) functions.emplace_back();
    for (const std::string &function : functions) {
        for (const NeonLoop &row : neon_loops(arguments[0], function)) {
            print(row.loop.function, row);
        }
    }
    return 0;
}

}  // namespace
}  // namespace sepconv::testing

int main(int argc, char **argv) {
    try {
        return sepconv::testing::print_table({argv + 1, argv + argc});
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
