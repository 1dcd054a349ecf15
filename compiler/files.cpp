#include "compiler/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

namespace sepconv {
namespace fs = std::filesystem;
namespace {

Status io_error(const std::string &what, const std::string &path, const std::string &reason) {
    return Status(StatusCode::kIo, fmt::format("cannot {} '{}': {}", what, path, reason));
}

struct FileCloser {
    void operator()(std::FILE *file) const { std::fclose(file); }
};

/// 0, or the errno of what failed.
int write_whole(const std::string &path, std::string_view bytes, const char *mode = "wb") {
    std::FILE *file = std::fopen(path.c_str(), mode);
    if (file == nullptr) return errno;
    const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    const int reason = errno;
    if (std::fclose(file) != 0) return errno;
    return written ? 0 : reason;
}

/// How an attempt to lock a folder ended.
enum class Locked { kYes, kByAnother, kNever };

/// *file is a descriptor unless the folder cannot be opened.
Locked lock_folder(const std::string &path, int *file) {
    *file = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*file < 0) return errno == ENOENT ? Locked::kByAnother : Locked::kNever;
    if (flock(*file, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? Locked::kByAnother : Locked::kNever;
    }
    // Whoever had the lock before may have removed it.
    return exists(path) ? Locked::kYes : Locked::kByAnother;
}

/// A folder that this user has made, no link to one: another's may name what it wants removed.
bool is_own_folder(const std::string &path) {
    struct stat facts = {};
    return lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == geteuid();
}

/// Of every temporary folder, as mkdtemp wants it: its Xs become letters and digits. A name that
/// nobody gives a folder of theirs: what has it may be removed.
constexpr std::string_view kTemporaryName = ".sepconv-XXXXXX";

std::vector<std::string> temporary_folders(const std::string &parent) {
    const std::string_view prefix = kTemporaryName.substr(0, kTemporaryName.find('X'));
    std::vector<std::string> paths;
    std::error_code ignored;
    for (const fs::directory_entry &entry : fs::directory_iterator(parent, ignored)) {
        const std::string name = entry.path().filename().string();
        const bool named = name.size() == kTemporaryName.size() && name.rfind(prefix, 0) == 0;
        if (named && is_own_folder(entry.path().string())) paths.push_back(entry.path().string());
    }
    return paths;
}

bool is_kept(const std::string &folder) {
    return exists(folder + "/" + TemporaryFolder::kKept);
}

}  // namespace

void show(const std::string &text) {
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
}

Result<std::string> read_file(const std::string &path) {
    std::error_code error;
    if (fs::is_directory(path, error)) return io_error("read", path, "it is a folder");
    std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
    if (!file) return io_error("read", path, strerror(errno));
    std::string bytes;
    std::vector<char> chunk(1 << 16);
    size_t count = 0;
    while ((count = std::fread(chunk.data(), 1, chunk.size(), file.get())) > 0) {
        bytes.append(chunk.data(), count);
    }
    if (std::ferror(file.get()) != 0) return io_error("read", path, strerror(errno));
    return bytes;
}

Status write_file(const std::string &path, std::string_view bytes) {
    const int reason = write_whole(path, bytes);
    return reason == 0 ? Status() : io_error("write", path, strerror(reason));
}

Status append_to_file(const std::string &path, std::string_view bytes) {
    const int reason = write_whole(path, bytes, "ab");
    return reason == 0 ? Status() : io_error("write", path, strerror(reason));
}

Status replace_file(const std::string &path, std::string_view bytes) {
    const fs::path folder = fs::path(path).parent_path();
    const Result<TemporaryFolder> work =
        TemporaryFolder::create(folder.empty() ? "." : folder.string());
    if (!work.ok()) return io_error("write", path, work.status().message());
    const std::string fresh = work.value().file("new");
    const int reason = write_whole(fresh, bytes);
    return reason == 0 ? rename_path(fresh, path) : io_error("write", path, strerror(reason));
}

Status make_folder(const std::string &path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return io_error("make the folder", path, error.message());
    if (!fs::is_directory(path)) return io_error("make the folder", path, "a file is in its place");
    return Status();
}

Status rename_path(const std::string &from, const std::string &to) {
    std::error_code error;
    fs::rename(from, to, error);
    return error ? io_error("write", to, error.message()) : Status();
}

bool exists(const std::string &path) {
    std::error_code error;
    return fs::exists(path, error);
}

std::string hash_of(std::string_view bytes) {
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

Result<TemporaryFolder> TemporaryFolder::create(const std::string &parent) {
    SEPCONV_RETURN_IF_ERROR(make_folder(parent));
    remove_abandoned(parent);
    constexpr int kTries = 100;
    for (int i = 0; i < kTries; ++i) {
        std::string path = fs::absolute(parent).string() + "/" + std::string(kTemporaryName);
        if (mkdtemp(path.data()) == nullptr)
            return io_error("make a folder in", parent, strerror(errno));
        int file = -1;
        const Locked locked = lock_folder(path, &file);
        if (locked != Locked::kByAnother) return TemporaryFolder(path, file);
        // Somebody's remove_abandoned() was between the two lines above.
        if (file >= 0) close(file);
    }
    return io_error("make a folder in", parent, "others remove it");
}

std::optional<TemporaryFolder> TemporaryFolder::take_over(const std::string &path) {
    int file = -1;
    if (lock_folder(path, &file) == Locked::kYes) return TemporaryFolder(path, file);
    if (file >= 0) close(file);
    return std::nullopt;
}

void TemporaryFolder::remove_abandoned(const std::string &parent) {
    for (const std::string &path : temporary_folders(parent)) {
        // Not locked even for a moment: who repairs would take it for another's.
        if (is_kept(path)) continue;
        std::optional<TemporaryFolder> left = take_over(path);
        if (left && is_kept(path)) left->path_.clear();
    }
}

std::vector<TemporaryFolder> TemporaryFolder::abandoned(const std::string &parent) {
    std::vector<TemporaryFolder> folders;
    for (const std::string &path : temporary_folders(parent)) {
        if (std::optional<TemporaryFolder> left = take_over(path)) {
            folders.push_back(std::move(*left));
        }
    }
    return folders;
}

TemporaryFolder &TemporaryFolder::operator=(TemporaryFolder &&other) noexcept {
    std::swap(path_, other.path_);
    std::swap(lock_, other.lock_);
    return *this;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
    if (lock_ >= 0) close(lock_);
}

Result<std::string> cache_folder(const std::string &wanted) {
    const auto variable = [](const char *name) -> std::string {
        const char *value = std::getenv(name);
        return value == nullptr ? "" : value;
    };
    std::string path = wanted;
    if (path.empty()) path = variable("SEPCONV_CACHE_DIR");
    if (path.empty() && !variable("XDG_CACHE_HOME").empty()) {
        path = variable("XDG_CACHE_HOME") + "/sepconv";
    }
    if (path.empty() && !variable("HOME").empty()) path = variable("HOME") + "/.cache/sepconv";
    if (path.empty()) {
        return Status(StatusCode::kInvalidArgument,
                      "no folder for compiled kernels: HOME is not set; give --cache-dir");
    }
    SEPCONV_RETURN_IF_ERROR(make_folder(path));
    return fs::absolute(path).string();
}

std::string tool_path() {
    std::error_code error;
    return fs::read_symlink("/proc/self/exe", error).string();
}

std::string halide_path() {
    // The loaded one, not the one that some search path would give.
    std::string halide;
    dl_iterate_phdr(
        [](dl_phdr_info *info, size_t, void *found) {
            if (std::strstr(info->dlpi_name, "libHalide.") == nullptr) return 0;
            *static_cast<std::string *>(found) = info->dlpi_name;
            return 1;
        },
        &halide);
    return halide;
}

Result<std::string> tool_fingerprint() {
    const Result<std::string> program = read_file("/proc/self/exe");
    if (!program.ok()) return program.status();
    const std::string halide = halide_path();
    struct stat facts = {};
    if (!halide.empty() && stat(halide.c_str(), &facts) != 0) {
        return io_error("look at", halide, strerror(errno));
    }
    return fmt::format("{} {} {}.{}", hash_of(program.value()), facts.st_size, facts.st_mtim.tv_sec,
                       facts.st_mtim.tv_nsec);
}

}  // namespace sepconv
