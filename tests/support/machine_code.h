#ifndef SEPCONV_TESTS_SUPPORT_MACHINE_CODE_H_
#define SEPCONV_TESTS_SUPPORT_MACHINE_CODE_H_

#include <regex>
#include <string>
#include <vector>

#include "tests/support/hot_loops.h"

namespace sepconv::testing {

struct Instruction {
    uint64_t address = 0;
    std::string mnemonic;
    std::string operands;
};

/// What hot_loops.cpp must know of an instruction set.
struct Dialect {
    bool (*jumps)(const Instruction &);               ///< To an address in its operands.
    bool (*sets_frame_pointer)(const Instruction &);  ///< The register is the frame's from here on.
    /// Adds what the code of a loop has; `instructions` is counted already.
    void (*count)(const std::vector<Instruction> &code, bool frame_pointer, Loop *loop);
};
extern const Dialect kX86Dialect;
extern const Dialect kAarch64Dialect;

inline bool matches(const std::string &text, const std::regex &pattern) {
    return std::regex_match(text, pattern);
}

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_MACHINE_CODE_H_
