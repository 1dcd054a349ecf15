#include "tests/support/machine_code.h"

namespace sepconv::testing {
namespace {

bool jumps(const Instruction &instruction) {
    static const std::regex jump(R"(b|b\..*|cbn?z|tbn?z)");
    return matches(instruction.mnemonic, jump);
}

bool sets_frame_pointer(const Instruction &instruction) {
    return instruction.mnemonic == "mov" && instruction.operands == "x29, sp";
}

bool is_slot(const Instruction &instruction, bool frame_pointer) {
    static const std::regex slot(R"(\[sp(, #0x[0-9a-f]+)?\])");
    static const std::regex frame_slot(R"(\[(sp|x29)(, #-?0x[0-9a-f]+)?\])");
    return std::regex_search(instruction.operands, frame_pointer ? frame_slot : slot);
}

void count_one(const Instruction &instruction, bool frame_pointer, Loop *loop) {
    static const std::regex load("ld.*"), store("st.*"), fused("fml[as]"), scalar("fn?m(add|sub)");
    static const std::regex vector(R"(v[0-9]+\..*)"), lane(R"(.*\.s\[[0-3]\])");
    static const std::regex one_stored("q[0-9]+, .*"), two_stored("q[0-9]+, q[0-9]+, .*");
    static const std::regex mask("bic|bif|bit|bsl|and|f?cm[a-z]+"), choice("cs[a-z]+|fcsel");
    const std::string &mnemonic = instruction.mnemonic, &operands = instruction.operands;
    const bool loads = matches(mnemonic, load), stores = matches(mnemonic, store);
    const bool on_vectors = !loads && !stores && matches(operands, vector);
    loop->vector_operations += on_vectors + (stores && matches(operands, one_stored)) +
                               (stores && matches(operands, two_stored));
    if (matches(mnemonic, fused)) ++(on_vectors ? loop->multiply_adds : loop->scalar_multiply_adds);
    loop->scalar_multiply_adds += matches(mnemonic, scalar);
    loop->broadcasts += mnemonic == "ld1r" || (matches(mnemonic, fused) && matches(operands, lane));
    loop->selects += matches(mnemonic, choice) || (on_vectors && matches(mnemonic, mask));
    if (!loads && !stores) return;
    ++(stores ? loop->stores : loop->loads);
    if (is_slot(instruction, frame_pointer)) {
        (stores ? loop->spills : loop->reloads).push_back(mnemonic + " " + operands);
    }
}

void count(const std::vector<Instruction> &code, bool frame_pointer, Loop *loop) {
    for (const Instruction &instruction : code) count_one(instruction, frame_pointer, loop);
}

}  // namespace

const Dialect kAarch64Dialect = {jumps, sets_frame_pointer, count};

}  // namespace sepconv::testing
