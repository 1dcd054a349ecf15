#include "compiler/toolchain.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <system_error>

#include "compiler/files.h"
#include "compiler/process.h"

namespace sepconv {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> kFlags = {"-O2", "-g0", "-fPIC"};

struct Rename {
    const char *from, *to;
};
constexpr Rename kRenames[] = {
    {"halide_malloc", "sepconv_kernel_malloc"},
    {"halide_free", "sepconv_kernel_free"},
    {"halide_do_par_for", "sepconv_kernel_par_for"},
};

/// What compiled kernels may ask of libc and libm.
const std::set<std::string> &library_names() {
    static const std::set<std::string> names = {
        "memcpy", "memmove", "memset", "memcmp", "acosf",      "asinf",      "atanf", "atan2f",
        "ceilf",  "cosf",    "coshf",  "erff",   "expf",       "floorf",     "fmaf",  "fmaxf",
        "fminf",  "fmodf",   "logf",   "powf",   "rintf",      "roundf",     "sinf",  "sinhf",
        "sqrtf",  "tanf",    "tanhf",  "truncf", "nearbyintf", "roundevenf", "abort",
    };
    return names;
}

/// Files of a folder with one of the extensions, sorted: no output depends on the file system.
std::vector<fs::path> files_in(const std::string &folder, const std::set<std::string> &extensions) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const fs::directory_entry &entry : fs::directory_iterator(folder, error)) {
        if (extensions.count(entry.path().extension().string()) != 0) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

Status compile_runtime(const RuntimeSources &runtime, const std::string &cc,
                       const TemporaryFolder &folder) {
    const Toolchain toolchain(cc, folder.path());
    for (const fs::path &source : files_in(runtime.sources, {".c"})) {
        const std::string object = "sepconv_" + source.stem().string() + ".o";
        SEPCONV_RETURN_IF_ERROR(
            toolchain.compile(source.string(), object,
                              {"-std=c11", "-D_POSIX_C_SOURCE=200809L", "-I", runtime.include, "-I",
                               runtime.sources, "-ffile-prefix-map=" + runtime.sources + "=runtime",
                               "-ffile-prefix-map=" + runtime.include + "=include"}));
    }
    return Status();
}

}  // namespace

Status Toolchain::run(const std::vector<std::string> &command) const {
    return run_command(command, folder_).status();
}

Status Toolchain::compile(const std::string &source, const std::string &object,
                          const std::vector<std::string> &flags) const {
    std::vector<std::string> command = {cc_};
    command.insert(command.end(), kFlags.begin(), kFlags.end());
    command.insert(command.end(), flags.begin(), flags.end());
    command.insert(command.end(), {"-c", source, "-o", object});
    return run(command);
}

Status Toolchain::combine(const std::vector<std::string> &objects, const std::string &keep,
                          const std::string &output) const {
    // Thousands of kernels do not fit on a command line. Paths are quoted for the response file.
    std::string list;
    for (const std::string &object : objects) {
        list += '"';
        for (const char c : object) {
            if (c == '"' || c == '\\') list += '\\';
            list += c;
        }
        list += "\"\n";
    }
    SEPCONV_RETURN_IF_ERROR(write_file(folder_ + "/objects.txt", list));
    SEPCONV_RETURN_IF_ERROR(run({"ld", "-r", "-o", "combined.o", "@objects.txt"}));
    std::vector<std::string> command = {"objcopy", "--keep-global-symbol=" + keep};
    for (const Rename &rename : kRenames) {
        command.push_back(fmt::format("--redefine-sym={}={}", rename.from, rename.to));
    }
    command.insert(command.end(), {"combined.o", output});
    SEPCONV_RETURN_IF_ERROR(run(command));
    return check_undefined(output);
}

Status Toolchain::check_undefined(const std::string &object) const {
    const Result<std::string> listing =
        run_command({"nm", "--undefined-only", "--format=posix", object}, folder_);
    if (!listing.ok()) return listing.status();
    std::set<std::string> allowed = library_names();
    allowed.insert("_GLOBAL_OFFSET_TABLE_");
    for (const Rename &rename : kRenames) allowed.insert(rename.to);
    std::istringstream lines(listing.value());
    for (std::string line; std::getline(lines, line);) {
        const std::string name = line.substr(0, line.find(' '));
        if (allowed.count(name) == 0) {
            return Status(StatusCode::kInternal,
                          fmt::format("compiled kernels need '{}', which no library of the plan "
                                      "has: a defect of sepconv",
                                      name));
        }
    }
    return Status();
}

Status Toolchain::archive(const std::vector<std::string> &objects,
                          const std::string &output) const {
    std::vector<std::string> command = {"ar", "rcsD", output};
    command.insert(command.end(), objects.begin(), objects.end());
    return run(command);
}

Status Toolchain::link_shared(const std::vector<std::string> &objects,
                              const std::vector<std::string> &exports,
                              const std::string &output) const {
    SEPCONV_RETURN_IF_ERROR(
        write_file(folder_ + "/exports.map",
                   fmt::format("{{ global: {}; local: *; }};\n", fmt::join(exports, "; "))));
    std::vector<std::string> command = {cc_, "-shared", "-o", output, "-Wl,-soname," + output,
                                        // Another copy of the runtime in the process is not ours.
                                        "-Wl,-Bsymbolic", "-Wl,--version-script=exports.map",
                                        "-Wl,--no-undefined", "-Wl,-z,noexecstack",
                                        "-Wl,--build-id=none"};
    command.insert(command.end(), objects.begin(), objects.end());
    command.insert(command.end(), {"-pthread", "-lm"});
    return run(command);
}

Result<RuntimeSources> find_runtime() {
    const std::string prefix = fs::path(tool_path()).parent_path().parent_path().string();
    const RuntimeSources places[] = {
        {prefix + "/share/sepconv/runtime", prefix + "/include"},
        {SEPCONV_RUNTIME_DIR "/src", SEPCONV_RUNTIME_DIR "/include"},
    };
    for (const RuntimeSources &place : places) {
        if (exists(place.sources + "/context.c") && exists(place.include + "/sepconv/plan.h")) {
            return place;
        }
    }
    return Status(StatusCode::kIo, fmt::format("the runtime's sources are missing: no '{}'",
                                               places[0].sources + "/context.c"));
}

Result<std::vector<std::string>> runtime_objects(const RuntimeSources &runtime,
                                                 const std::string &cc, const std::string &cache) {
    std::string text = cc + fmt::format(" {}\n", fmt::join(kFlags, " "));
    const Result<std::string> version = run_command({cc, "--version"}, cache);
    if (!version.ok()) return version.status();
    text += version.value();
    std::vector<fs::path> files = files_in(runtime.sources, {".c", ".h"});
    const std::vector<fs::path> headers = files_in(runtime.include + "/sepconv", {".h"});
    files.insert(files.end(), headers.begin(), headers.end());
    for (const fs::path &file : files) {
        const Result<std::string> bytes = read_file(file.string());
        if (!bytes.ok()) return bytes.status();
        text += file.filename().string() + "\n" + bytes.value();
    }
    const std::string folder = cache + "/runtime-" + hash_of(text);
    if (!exists(folder)) {
        Result<TemporaryFolder> work = TemporaryFolder::create(cache, "runtime");
        if (!work.ok()) return work.status();
        SEPCONV_RETURN_IF_ERROR(compile_runtime(runtime, cc, work.value()));
        const Status renamed = rename_path(work.value().path(), folder);
        // Another process may have been faster: its objects are the same.
        if (!renamed.ok() && !exists(folder)) return renamed;
    }
    std::vector<std::string> objects;
    for (const fs::path &file : files_in(folder, {".o"})) objects.push_back(file.string());
    return objects;
}

}  // namespace sepconv
