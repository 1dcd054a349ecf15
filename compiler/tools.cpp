#include "compiler/tools.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "compiler/files.h"
#include "compiler/process.h"

namespace sepconv {
namespace {

struct Program {
    const char *gnu, *llvm;
    std::string Tools::*path;
    const char *package;  ///< Debian's, with LLVM's form of it.
};
constexpr Program kPrograms[] = {
    {"ld", "ld.lld", &Tools::ld, "lld"},
    {"objcopy", "llvm-objcopy", &Tools::objcopy, "llvm"},
    {"nm", "llvm-nm", &Tools::nm, "llvm"},
    {"ar", "llvm-ar", &Tools::ar, "llvm"},
};
// Debian's versioned names, where the plain one is not installed.
constexpr int kNewestLlvm = 30, kOldestLlvm = 14;

/// The path of a program in PATH, or "".
std::string in_path(const std::string &name) {
    const char *path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        std::string file = (folder.empty() ? "." : folder) + "/" + name;
        if (access(file.c_str(), X_OK) == 0) return std::filesystem::absolute(file).string();
    }
    return "";
}

/// The path of one of LLVM's programs in PATH, or "".
std::string llvm_in_path(const std::string &name) {
    std::string path = in_path(name);
    for (int version = kNewestLlvm; path.empty() && version >= kOldestLlvm; --version) {
        path = in_path(fmt::format("{}-{}", name, version));
    }
    return path;
}

std::vector<std::string> command_of(const Tools &tools, const std::string &argument) {
    std::vector<std::string> command = {tools.cc};
    command.insert(command.end(), tools.cc_flags.begin(), tools.cc_flags.end());
    command.push_back(argument);
    return command;
}

/// Where the compiler has a program, or "".
std::string ask_compiler(const Tools &tools, const std::string &name, const std::string &folder) {
    const Result<std::string> answer =
        run_command(command_of(tools, "-print-prog-name=" + name), folder);
    if (!answer.ok()) return "";
    const std::string path = answer.value().substr(0, answer.value().find('\n'));
    // A name without a folder is what a compiler answers that has no such program itself.
    if (path.find('/') == std::string::npos) return in_path(path);
    return access(path.c_str(), X_OK) == 0 ? path : "";
}

/// "install Debian's gcc-..., ..." after a compiler that is not there.
std::string remedy(const Platform &platform) {
    const std::string install =
        platform.package.empty() ? "" : fmt::format("install Debian's {}, ", platform.package);
    return fmt::format(
        "{}name one by --cc (and --cc-flag, as in --cc-flag=--target=TRIPLE), or write C sources "
        "and objects for any compiler by --emit sources",
        install);
}

/// Asks the compiler for its version; without one, `tools->cc` becomes empty.
Status find_compiler(Tools *tools, const std::string &cc, bool compiles,
                     const std::string &folder) {
    const Platform &platform = tools->platform;
    tools->cc = cc.empty() ? platform.cc : cc;
    if (tools->cc.empty()) {
        if (!compiles) return Status();
        return Status(StatusCode::kUnsupported,
                      fmt::format("--target {}: no C compiler for it is known; {}", platform.triple,
                                  remedy(platform)));
    }
    const Result<std::string> version = run_command(command_of(*tools, "--version"), folder);
    if (!version.ok() && (compiles || !cc.empty())) {
        return Status(StatusCode::kIo, fmt::format("--target {}: {}; {}", platform.triple,
                                                   version.status().message(), remedy(platform)));
    }
    if (!version.ok()) tools->cc.clear();
    if (version.ok()) tools->version = version.value();
    return Status();
}

Status find_program(Tools *tools, const Program &program, const std::string &folder) {
    const bool clang = tools->version.find("clang") != std::string::npos;
    const bool host = tools->platform.triple == host_triple();
    std::string &path = tools->*program.path;
    // Clang would name the binutils of this machine for any target; its own work for all.
    if (!tools->cc.empty() && (!clang || host)) path = ask_compiler(*tools, program.gnu, folder);
    if (!tools->cc.empty() && path.empty()) path = ask_compiler(*tools, program.llvm, folder);
    if (path.empty()) path = llvm_in_path(program.llvm);
    // Without a compiler to ask.
    if (path.empty() && host) path = in_path(program.gnu);
    if (!path.empty()) return Status();
    return Status(StatusCode::kIo,
                  fmt::format("--target {}: neither the C compiler's {} nor {} is there; install "
                              "Debian's {} or name a compiler that has it by --cc",
                              tools->platform.triple, program.gnu, program.llvm, program.package));
}

}  // namespace

Result<Tools> find_tools(const Platform &platform, const std::string &cc,
                         const std::vector<std::string> &cc_flags, bool compiles,
                         const std::string &folder) {
    Tools tools;
    tools.platform = platform;
    tools.cc_flags = cc_flags;
    SEPCONV_RETURN_IF_ERROR(find_compiler(&tools, cc, compiles, folder));
    for (const Program &program : kPrograms) {
        if (program.path == &Tools::ld && platform.format != ObjectFormat::kElf) continue;
        SEPCONV_RETURN_IF_ERROR(find_program(&tools, program, folder));
    }
    return tools;
}

}  // namespace sepconv
