#include "tests/support/machine_code.h"

namespace sepconv::testing {
namespace {

bool jumps(const Instruction &instruction) {
    return instruction.mnemonic[0] == 'j';
}

bool sets_frame_pointer(const Instruction &instruction) {
    return instruction.mnemonic == "mov" && instruction.operands == "rbp,rsp";
}

bool is_slot(const Instruction &instruction, bool frame_pointer) {
    static const std::regex slot(R"(\[rsp(\+0x[0-9a-f]+)?\])");
    static const std::regex frame_slot(R"(\[r[sb]p([+-]0x[0-9a-f]+)?\])");
    return std::regex_search(instruction.operands, frame_pointer ? frame_slot : slot);
}

void count_one(const Instruction &instruction, bool frame_pointer, Loop *loop) {
    static const std::regex broadcast(
        R"(vbroadcastss .*\[(?!rip).*|shufps .*,0x0|.*(BCST|\{1to).*\[(?!rip).*|.*\[(?!rip).*\{1to.*)");
    static const std::regex select(
        R"(v?(blend.*|p?blendm?v?.*|andn?ps|pandn?[dq]?|cmp\w+ps|pcmp.*))"
        R"(|vmaskmov.*|cmov.*|set.*|k.*)");
    const std::string &mnemonic = instruction.mnemonic, &operands = instruction.operands;
    const bool slot = is_slot(instruction, frame_pointer);
    loop->broadcasts += !slot && matches(mnemonic + " " + operands, broadcast);
    loop->selects += matches(mnemonic, select) || operands.find("{k") != std::string::npos;
    const size_t memory = operands.find('[');
    if (memory == std::string::npos || mnemonic == "lea" || mnemonic == "nop") return;
    const bool stores = memory < operands.find(',') && mnemonic.find("mov") != std::string::npos;
    ++(stores ? loop->stores : loop->loads);
    if (slot) (stores ? loop->spills : loop->reloads).push_back(mnemonic + " " + operands);
}

void count(const std::vector<Instruction> &code, bool frame_pointer, Loop *loop) {
    static const std::regex fused(R"(vfn?m(add|sub)[0-9]+([ps])s)");
    static const std::regex product("v?mulps"), scalar_product("v?mulss");
    int products = 0, scalar_products = 0;
    std::smatch match;
    for (const Instruction &instruction : code) {
        count_one(instruction, frame_pointer, loop);
        products += matches(instruction.mnemonic, product);
        scalar_products += matches(instruction.mnemonic, scalar_product);
        if (std::regex_match(instruction.mnemonic, match, fused)) {
            ++(match[2] == "p" ? loop->multiply_adds : loop->scalar_multiply_adds);
        }
    }
    if (loop->multiply_adds + loop->scalar_multiply_adds == 0) {
        loop->multiply_adds = products;
        loop->scalar_multiply_adds = scalar_products;
    }
}

}  // namespace

const Dialect kX86Dialect = {jumps, sets_frame_pointer, count};

}  // namespace sepconv::testing
