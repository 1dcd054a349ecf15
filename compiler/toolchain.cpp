#include "compiler/toolchain.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <system_error>

#include "compiler/files.h"
#include "compiler/object_cache.h"
#include "compiler/process.h"

namespace sepconv {
namespace fs = std::filesystem;
namespace {

/// What kernels call of Halide's runtime, and the runtime's names for it (sepconv/plan.h).
const std::vector<Rename> &kernel_needs() {
    static const std::vector<Rename> needs = {
        {"halide_malloc", "sepconv_kernel_malloc"},
        {"halide_free", "sepconv_kernel_free"},
        {"halide_do_par_for", "sepconv_kernel_par_for"},
        {"halide_copy_to_device", "sepconv_kernel_device_copy"},
        {"halide_device_malloc", "sepconv_kernel_device_malloc"},
        {"halide_device_free", "sepconv_kernel_device_free"},
        {"halide_device_free_as_destructor", "sepconv_kernel_device_free_as_destructor"},
        {"halide_cuda_device_interface", "sepconv_kernel_cuda_interface"},
        {"halide_cuda_initialize_kernels", "sepconv_kernel_cuda_initialize"},
        {"halide_cuda_run", "sepconv_kernel_cuda_run"},
        {"halide_cuda_finalize_kernels", "sepconv_kernel_cuda_finalize"},
        {"halide_opencl_device_interface", "sepconv_kernel_opencl_interface"},
        {"halide_opencl_initialize_kernels", "sepconv_kernel_opencl_initialize"},
        {"halide_opencl_run", "sepconv_kernel_opencl_run"},
        {"halide_opencl_finalize_kernels", "sepconv_kernel_opencl_finalize"},
    };
    return needs;
}

/// What C names begin with in object files.
std::string symbol_prefix(ObjectFormat format) {
    return format == ObjectFormat::kMachO ? "_" : "";
}

std::vector<std::string> flags_of(ObjectFormat format) {
    std::vector<std::string> flags = {"-O2", "-g0"};
    // Code for Windows is position-independent as it is, and clang refuses to be told.
    if (format != ObjectFormat::kCoff) flags.emplace_back("-fPIC");
    return flags;
}

/// What compiled kernels may ask of libc, libm and the C compiler's own library
/// (docs/cross-compiling.md lists them), and what only looks like a symbol.
std::set<std::string> library_names(ObjectFormat format) {
    std::set<std::string> names = {
        "memcpy", "memmove", "memset", "memcmp", "acosf",      "asinf",      "atanf", "atan2f",
        "ceilf",  "cosf",    "coshf",  "erff",   "expf",       "floorf",     "fmaf",  "fmaxf",
        "fminf",  "fmodf",   "logf",   "powf",   "rintf",      "roundf",     "sinf",  "sinhf",
        "sqrtf",  "tanf",    "tanhf",  "truncf", "nearbyintf", "roundevenf", "abort",
    };
    switch (format) {
        case ObjectFormat::kElf:
            names.insert({"_GLOBAL_OFFSET_TABLE_", ".TOC."});
            break;
        case ObjectFormat::kMachO:
            names.insert({"bzero", "__bzero"});
            break;
        case ObjectFormat::kCoff:
            names.insert({"__chkstk", "_fltused"});
            break;
    }
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

/// One source of the runtime, and its object.
struct RuntimeObject {
    fs::path source;
    CachedObject cached;

    /// Compiles it in the folder and puts it into the cache.
    Status make(const RuntimeSources &runtime, const Toolchain &toolchain,
                const TemporaryFolder &folder) const {
        const std::string object = fs::path(cached.object()).filename().string();
        SEPCONV_RETURN_IF_ERROR(
            toolchain.compile(source.string(), object,
                              {"-std=c11", "-I", runtime.include, "-I", runtime.sources,
                               "-ffile-prefix-map=" + runtime.sources + "=runtime",
                               "-ffile-prefix-map=" + runtime.include + "=include"}));
        return store_object(cached, folder.file(object), "");
    }
};

/// One line each, quoted for a response file: thousands of kernels do not fit on a command line.
std::string response_text(const std::vector<std::string> &paths) {
    std::string text;
    for (const std::string &path : paths) {
        text += '"';
        for (const char c : path) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += "\"\n";
    }
    return text;
}

std::vector<std::string> names_of(const std::vector<fs::path> &files) {
    std::vector<std::string> names;
    for (const fs::path &file : files) names.push_back(file.filename().string());
    return names;
}

}  // namespace

bool is_for_devices(const std::string &path) {
    const fs::path file = fs::path(path).filename();
    const std::string name = file.string();
    const bool device = name.rfind("device", 0) == 0 || name.rfind("sepconv_device", 0) == 0;
    return device && file.extension() != ".h";  // Declarations are for all.
}

std::vector<std::string> RuntimeSources::files(bool for_devices) const {
    std::vector<fs::path> files = files_in(sources, {".c", ".h"});
    if (!for_devices) {
        const auto device = [](const fs::path &file) { return is_for_devices(file.string()); };
        files.erase(std::remove_if(files.begin(), files.end(), device), files.end());
    }
    return names_of(files);
}

std::vector<std::string> RuntimeSources::headers() const {
    return names_of(files_in(include + "/sepconv", {".h", ".hpp"}));
}

Status Toolchain::run(const std::vector<std::string> &command) const {
    Status status = run_command(command, folder_).status();
    if (status.ok()) return status;
    return Status(status.code(),
                  fmt::format("{}\nthe command was: {}\nif the program is at fault, name another C "
                              "compiler by --cc or write C sources by --emit sources",
                              status.message(), fmt::join(command, " ")));
}

Status Toolchain::compile(const std::string &source, const std::string &object,
                          const std::vector<std::string> &flags) const {
    std::vector<std::string> command = {tools_.cc};
    const std::vector<std::string> own = flags_of(tools_.platform.format);
    for (const auto *more : {&tools_.cc_flags, &own, &flags}) {
        command.insert(command.end(), more->begin(), more->end());
    }
    command.insert(command.end(), {"-c", source, "-o", object});
    return run(command);
}

Status Toolchain::write_renames(const std::vector<Rename> &renames) const {
    const std::string prefix = symbol_prefix(tools_.platform.format);
    std::string text;
    for (const std::vector<Rename> *list : {&kernel_needs(), &renames}) {
        for (const Rename &rename : *list) {
            text += fmt::format("{0}{1} {0}{2}\n", prefix, rename.from, rename.to);
        }
    }
    return write_file(folder_ + "/renames.txt", text);
}

Status Toolchain::combine(const std::vector<std::string> &objects,
                          const std::vector<Rename> &renames, const std::vector<std::string> &keep,
                          const std::string &output) const {
    SEPCONV_RETURN_IF_ERROR(write_file(folder_ + "/objects.txt", response_text(objects)));
    SEPCONV_RETURN_IF_ERROR(run({tools_.ld, "-r", "-o", "combined.o", "@objects.txt"}));
    SEPCONV_RETURN_IF_ERROR(write_renames(renames));
    // By both names: GNU's objcopy looks at the new one, LLVM's at the old one.
    std::string kept = fmt::format("{}\n", fmt::join(keep, "\n"));
    for (const Rename &rename : renames) {
        if (std::find(keep.begin(), keep.end(), rename.to) != keep.end())
            kept += rename.from + "\n";
    }
    SEPCONV_RETURN_IF_ERROR(write_file(folder_ + "/keep.txt", kept));
    return run({tools_.objcopy, "--redefine-syms=renames.txt", "--keep-global-symbols=keep.txt",
                "combined.o", output});
}

Status Toolchain::collect(const std::vector<std::string> &objects,
                          const std::vector<Rename> &renames, const std::string &output) const {
    // Under names that do not depend on the cache's.
    std::vector<std::string> links;
    for (const std::string &object : objects) {
        links.push_back(fmt::format("kernel_{}.o", links.size()));
        std::error_code error;
        fs::create_symlink(object, folder_ + "/" + links.back(), error);
        if (error) return Status(StatusCode::kIo, "cannot link a kernel: " + error.message());
    }
    SEPCONV_RETURN_IF_ERROR(archive(links, "collected.a"));
    SEPCONV_RETURN_IF_ERROR(write_renames(renames));
    return run({tools_.objcopy, "-D", "--redefine-syms=renames.txt", "collected.a", output});
}

Status Toolchain::check_kernels(const std::string &object) const {
    const Result<std::string> listing =
        run_command({tools_.nm, "--undefined-only", "--format=posix", object}, folder_);
    if (!listing.ok()) return listing.status();
    const std::string prefix = symbol_prefix(tools_.platform.format);
    std::set<std::string> allowed = library_names(tools_.platform.format);
    for (const Rename &rename : kernel_needs()) allowed.insert(rename.to);
    std::istringstream lines(listing.value());
    for (std::string line; std::getline(lines, line);) {
        // "name U ..."; other lines name the members of an archive.
        const size_t space = line.find(' ');
        if (space == std::string::npos || line.compare(space, 2, " U") != 0) continue;
        const std::string name = line.substr(0, space);
        const bool ours = name.compare(0, prefix.size(), prefix) == 0;
        if (!ours || allowed.count(name.substr(prefix.size())) == 0) {
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
    SEPCONV_RETURN_IF_ERROR(write_file(folder_ + "/members.txt", response_text(objects)));
    return run({tools_.ar, "rcsD", output, "@members.txt"});
}

Status Toolchain::link_shared(const std::vector<std::string> &objects,
                              const std::vector<std::string> &exports,
                              const std::string &output) const {
    SEPCONV_RETURN_IF_ERROR(
        write_file(folder_ + "/exports.map",
                   fmt::format("{{ global: {}; local: *; }};\n", fmt::join(exports, "; "))));
    std::vector<std::string> command = {tools_.cc};
    command.insert(command.end(), tools_.cc_flags.begin(), tools_.cc_flags.end());
    command.insert(command.end(),
                   {"-shared", "-o", output, "-Wl,-soname," + output,
                    // Another copy of the runtime in the process is not ours.
                    "-Wl,-Bsymbolic", "-Wl,--version-script=exports.map", "-Wl,--no-undefined",
                    "-Wl,-z,noexecstack", "-Wl,--build-id=none"});
    command.insert(command.end(), objects.begin(), objects.end());
    command.insert(command.end(), {"-pthread", "-lm", "-ldl"});
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

Result<std::vector<std::string>> runtime_objects(const RuntimeSources &runtime, const Tools &tools,
                                                 const std::string &cache) {
    std::string text = fmt::format("{} {} {} {}\n{}", tools.platform.triple, tools.cc,
                                   fmt::join(tools.cc_flags, " "),
                                   fmt::join(flags_of(tools.platform.format), " "), tools.version);
    std::vector<fs::path> files = files_in(runtime.sources, {".c", ".h"});
    const std::vector<fs::path> headers = files_in(runtime.include + "/sepconv", {".h"});
    files.insert(files.end(), headers.begin(), headers.end());
    for (const fs::path &file : files) {
        const Result<std::string> bytes = read_file(file.string());
        if (!bytes.ok()) return bytes.status();
        text += file.filename().string() + "\n" + bytes.value();
    }
    const std::string hash = hash_of(text);
    const std::string folder = cache + "/runtime-" + hash;
    SEPCONV_RETURN_IF_ERROR(make_folder(folder));
    std::vector<std::string> objects;
    std::vector<RuntimeObject> missing;
    for (const fs::path &source : files_in(runtime.sources, {".c"})) {
        if (is_for_devices(source.string()) && tools.platform.format == ObjectFormat::kCoff)
            continue;
        const std::string name = "sepconv_" + source.stem().string();
        const CachedObject cached{fmt::format("{}/{}", folder, name), hash + name};
        objects.push_back(cached.object());
        if (!load_object(cached, nullptr, nullptr)) missing.push_back({source, cached});
    }
    if (missing.empty()) return objects;
    const Result<TemporaryFolder> work = TemporaryFolder::create(cache);
    if (!work.ok()) return work.status();
    const Toolchain toolchain(tools, work.value().path());
    for (const RuntimeObject &object : missing) {
        SEPCONV_RETURN_IF_ERROR(object.make(runtime, toolchain, work.value()));
    }
    return objects;
}

}  // namespace sepconv
