#include "tests/support/hot_loops.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <regex>
#include <sstream>

#include "tests/support/machine_code.h"

namespace sepconv::testing {
namespace {

struct Function {
    std::string name;
    std::vector<Instruction> code;
    bool frame_pointer = false;  ///< It is the frame's, not a register like others.
};

/// "  1a:	vmovups zmm0,ZMMWORD PTR [rsp+0x40]" behind "0000000000000000 <name>:" lines.
std::vector<Function> parse(const std::string &listing, const Dialect &dialect) {
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
            function.frame_pointer |= dialect.sets_frame_pointer(function.code.back());
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

/// The address in "20 <kernel+0x20>" or "x1, 0x20 <kernel+0x20>"; none without a symbol.
std::optional<uint64_t> target_of(const Instruction &jump) {
    static const std::regex address(R"((?:^|.*[, ])(?:0x)?([0-9a-f]+) <.*)");
    std::smatch match;
    if (!std::regex_match(jump.operands, match, address)) return std::nullopt;
    return std::stoull(match[1], nullptr, 16);
}

/// From the target of every backward jump to the jump.
std::vector<Range> loops_of(const Function &function, const Dialect &dialect) {
    std::vector<Range> loops;
    for (size_t i = 0; i < function.code.size(); ++i) {
        if (!dialect.jumps(function.code[i])) continue;
        const std::optional<uint64_t> target = target_of(function.code[i]);
        if (!target) continue;
        const auto at = std::lower_bound(
            function.code.begin(), function.code.end(), *target,
            [](const Instruction &other, uint64_t address) { return other.address < address; });
        const auto first = static_cast<size_t>(at - function.code.begin());
        if (first <= i && at->address == *target) loops.push_back({first, i});
    }
    return loops;
}

Loop measure(const Function &function, const Range &range, const Dialect &dialect) {
    const std::vector<Instruction> code(
        function.code.begin() + static_cast<ptrdiff_t>(range.first),
        function.code.begin() + static_cast<ptrdiff_t>(range.last) + 1);
    Loop loop;
    loop.function = function.name;
    loop.address = code.front().address;
    loop.instructions = static_cast<int>(code.size());
    for (const Instruction &instruction : code) {
        loop.code.push_back(instruction.mnemonic + " " + instruction.operands);
    }
    dialect.count(code, function.frame_pointer, &loop);
    return loop;
}

}  // namespace

std::vector<Loop> innermost_loops(const std::string &listing, InstructionSet set) {
    const Dialect &dialect = set == InstructionSet::kX86 ? kX86Dialect : kAarch64Dialect;
    std::vector<Loop> innermost;
    for (const Function &function : parse(listing, dialect)) {
        const std::vector<Range> loops = loops_of(function, dialect);
        for (const Range &loop : loops) {
            const bool outer = std::any_of(loops.begin(), loops.end(),
                                           [&](const Range &other) { return other.inside(loop); });
            if (!outer) innermost.push_back(measure(function, loop, dialect));
        }
    }
    return innermost;
}

std::string output_of(const std::string &command) {
    const std::unique_ptr<FILE, int (*)(FILE *)> pipe(popen((command + " 2>&1").c_str(), "r"),
                                                      pclose);
    std::string text;
    std::array<char, 1 << 14> buffer{};
    while (pipe != nullptr) {
        const size_t bytes = fread(buffer.data(), 1, buffer.size(), pipe.get());
        if (bytes == 0) break;
        text.append(buffer.data(), bytes);
    }
    return text;
}

std::string disassemble(const std::string &objdump, const std::string &object_path,
                        InstructionSet set) {
    const std::string syntax = set == InstructionSet::kX86 ? " -M intel" : "";
    return output_of(objdump + " -d --no-show-raw-insn" + syntax + " '" + object_path + "'");
}

}  // namespace sepconv::testing
