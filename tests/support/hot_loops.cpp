#include "tests/support/hot_loops.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <regex>
#include <sstream>

namespace sepconv::testing {
namespace {

struct Instruction {
    uint64_t address = 0;
    std::string mnemonic;
    std::string operands;
};

struct Function {
    std::string name;
    std::vector<Instruction> code;
    bool frame_pointer = false;  ///< rbp is the frame's, not a register like others.
};

/// "  1a:	vmovups zmm0,ZMMWORD PTR [rsp+0x40]" behind "0000000000000000 <name>:" lines.
std::vector<Function> parse(const std::string &listing) {
    static const std::regex header(R"(^[0-9a-f]+ <(.+)>:$)");
    static const std::regex line(R"(^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$)");
    std::vector<Function> functions;
    std::istringstream stream(listing);
    std::smatch match;
    for (std::string text; std::getline(stream, text);) {
        if (std::regex_match(text, match, header)) {
            functions.push_back({match[1], {}, false});
        } else if (!functions.empty() && std::regex_match(text, match, line)) {
            Function &function = functions.back();
            function.code.push_back({std::stoull(match[1], nullptr, 16), match[2], match[3]});
            const Instruction &last = function.code.back();
            function.frame_pointer |= last.mnemonic == "mov" && last.operands == "rbp,rsp";
        }
    }
    return functions;
}

struct Range {
    size_t first, last;

    bool inside(const Range &other) const {
        return first >= other.first && last <= other.last &&
               (first != other.first || last != other.last);
    }
};

/// From the target of every backward jump to the jump.
std::vector<Range> loops_of(const Function &function) {
    std::vector<Range> loops;
    for (size_t i = 0; i < function.code.size(); ++i) {
        const Instruction &jump = function.code[i];
        if (jump.mnemonic[0] != 'j' || jump.operands.find('<') == std::string::npos) continue;
        const uint64_t target = std::stoull(jump.operands, nullptr, 16);
        const auto at = std::lower_bound(
            function.code.begin(), function.code.end(), target,
            [](const Instruction &other, uint64_t address) { return other.address < address; });
        const auto first = static_cast<size_t>(at - function.code.begin());
        if (first <= i && at->address == target) loops.push_back({first, i});
    }
    return loops;
}

bool is_slot(const Instruction &instruction, bool frame_pointer) {
    static const std::regex slot(R"(\[rsp(\+0x[0-9a-f]+)?\])");
    static const std::regex frame_slot(R"(\[r[sb]p([+-]0x[0-9a-f]+)?\])");
    return std::regex_search(instruction.operands, frame_pointer ? frame_slot : slot);
}

bool matches(const std::string &text, const std::regex &pattern) {
    return std::regex_match(text, pattern);
}

void count(const Instruction &instruction, bool frame_pointer, Loop *loop) {
    static const std::regex broadcast(
        R"(vbroadcastss .*\[(?!rip).*|shufps .*,0x0|.*(BCST|\{1to).*\[(?!rip).*|.*\[(?!rip).*\{1to.*)");
    static const std::regex select(
        R"(v?(blend.*|p?blendm?v?.*|andn?ps|pandn?[dq]?|cmp\w+ps|pcmp.*))"
        R"(|vmaskmov.*|cmov.*|set.*|k.*)");
    const std::string &mnemonic = instruction.mnemonic, &operands = instruction.operands;
    ++loop->instructions;
    const bool slot = is_slot(instruction, frame_pointer);
    loop->broadcasts += !slot && matches(mnemonic + " " + operands, broadcast);
    loop->selects += matches(mnemonic, select) || operands.find("{k") != std::string::npos;
    const size_t memory = operands.find('[');
    if (memory == std::string::npos || mnemonic == "lea" || mnemonic == "nop") return;
    const bool stores = memory < operands.find(',') && mnemonic.find("mov") != std::string::npos;
    ++(stores ? loop->stores : loop->loads);
    if (slot) (stores ? loop->spills : loop->reloads).push_back(mnemonic + " " + operands);
}

Loop measure(const Function &function, const Range &range) {
    static const std::regex fused(R"(vfn?m(add|sub)[0-9]+([ps])s)");
    static const std::regex product("v?mulps"), scalar_product("v?mulss");
    Loop loop;
    loop.function = function.name;
    loop.address = function.code[range.first].address;
    int products = 0, scalar_products = 0;
    std::smatch match;
    for (size_t i = range.first; i <= range.last; ++i) {
        const Instruction &instruction = function.code[i];
        count(instruction, function.frame_pointer, &loop);
        products += matches(instruction.mnemonic, product);
        scalar_products += matches(instruction.mnemonic, scalar_product);
        if (std::regex_match(instruction.mnemonic, match, fused)) {
            ++(match[2] == "p" ? loop.multiply_adds : loop.scalar_multiply_adds);
        }
    }
    if (loop.multiply_adds + loop.scalar_multiply_adds == 0) {
        loop.multiply_adds = products;
        loop.scalar_multiply_adds = scalar_products;
    }
    return loop;
}

}  // namespace

std::vector<Loop> innermost_loops(const std::string &listing) {
    std::vector<Loop> innermost;
    for (const Function &function : parse(listing)) {
        const std::vector<Range> loops = loops_of(function);
        for (const Range &loop : loops) {
            const bool outer = std::any_of(loops.begin(), loops.end(),
                                           [&](const Range &other) { return other.inside(loop); });
            if (!outer) innermost.push_back(measure(function, loop));
        }
    }
    return innermost;
}

std::string disassemble(const std::string &object_path) {
    const std::string command = std::string(SEPCONV_TEST_OBJDUMP) +
                                " -d --no-show-raw-insn -M intel '" + object_path + "' 2>&1";
    const std::unique_ptr<FILE, int (*)(FILE *)> pipe(popen(command.c_str(), "r"), pclose);
    std::string listing;
    std::array<char, 1 << 14> buffer{};
    while (pipe != nullptr) {
        const size_t bytes = fread(buffer.data(), 1, buffer.size(), pipe.get());
        if (bytes == 0) break;
        listing.append(buffer.data(), bytes);
    }
    return listing;
}

}  // namespace sepconv::testing
