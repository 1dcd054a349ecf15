#ifndef SEPCONV_TESTS_SUPPORT_HOT_LOOPS_H_
#define SEPCONV_TESTS_SUPPORT_HOT_LOOPS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sepconv::testing {

enum class InstructionSet { kX86, kAarch64 };

/// An innermost loop of machine code: the instructions from the target of a backward jump to
/// the jump, with no other such loop inside. A spill is an operand in a fixed slot of the stack
/// frame; what an index or a pointer reaches is an array.
struct Loop {
    std::string function;
    uint64_t address = 0;
    int instructions = 0;
    int multiply_adds = 0;         ///< Fused and packed; without any (x86), packed multiplications.
    int scalar_multiply_adds = 0;  ///< The same of one value.
    int loads = 0, stores = 0;     ///< Instructions with an operand in memory.
    int broadcasts = 0;  ///< Of one value in memory, no constant; products by a lane of a vector.
    int selects = 0;     ///< Masks, blends, comparisons of vectors, conditional moves.
    int vector_operations = 0;         ///< AArch64: what a vector unit does, with vectors stored.
    std::vector<std::string> code;     ///< As written.
    std::vector<std::string> reloads;  ///< Loads from spilled registers, as written.
    std::vector<std::string> spills;   ///< Stores to them.
};

/// The innermost loops in what disassemble() gives.
std::vector<Loop> innermost_loops(const std::string &listing, InstructionSet set);

/// The listing of an object file or an archive by GNU's or LLVM's objdump.
std::string disassemble(const std::string &objdump, const std::string &object_path,
                        InstructionSet set);

/// What a command of the shell prints.
std::string output_of(const std::string &command);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_HOT_LOOPS_H_
