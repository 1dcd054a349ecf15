#ifndef SEPCONV_TESTS_SUPPORT_HOT_LOOPS_H_
#define SEPCONV_TESTS_SUPPORT_HOT_LOOPS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sepconv::testing {

/// An innermost loop of x86-64 machine code: the instructions from the target of a backward jump to
/// the jump, with no other such loop inside. A spill is an operand in a fixed slot of the stack
/// frame; what an index or a pointer reaches is an array.
struct Loop {
    std::string function;
    uint64_t address = 0;
    int instructions = 0;
    int multiply_adds = 0;         ///< Fused and packed; without any, packed multiplications.
    int scalar_multiply_adds = 0;  ///< The same of one value.
    int loads = 0, stores = 0;     ///< Instructions with an operand in memory.
    int broadcasts = 0;            ///< Of one value in memory, no constant.
    int selects = 0;               ///< Masks, blends, comparisons of vectors, conditional moves.
    std::vector<std::string> reloads;  ///< Loads from spilled registers, as written.
    std::vector<std::string> spills;   ///< Stores to them.
};

/// The innermost loops in what `objdump -d --no-show-raw-insn -M intel` prints.
std::vector<Loop> innermost_loops(const std::string &listing);

/// objdump's listing of an object file; empty when it cannot be read.
std::string disassemble(const std::string &object_path);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_HOT_LOOPS_H_
