#ifndef SEPCONV_COMPILER_FILES_H_
#define SEPCONV_COMPILER_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "layer/status.h"

namespace sepconv {

/// To stderr; what cannot be written is left out, as the work does not depend on its reader.
void show(const std::string &text);

Result<std::string> read_file(const std::string &path);

/// Writes the whole file; a full disk is an error.
Status write_file(const std::string &path, std::string_view bytes);
Status append_to_file(const std::string &path, std::string_view bytes);

/// The same, whole or not at all, whoever else does it at once: by a file in a temporary folder
/// beside it, which is renamed.
Status replace_file(const std::string &path, std::string_view bytes);

Status make_folder(const std::string &path);  ///< With its parents; existing ones are fine.
Status rename_path(const std::string &from, const std::string &to);
bool exists(const std::string &path);

/// XXH3-128 in 32 hexadecimal digits.
std::string hash_of(std::string_view bytes);

/// A new folder PARENT/.sepconv-XXXXXX that is removed with all it holds. It is locked while this
/// process or a child of it lives: whoever makes the next one, whatever for, removes those that
/// killed processes have left, unless they hold a file of the name kKept.
class TemporaryFolder {
public:
    static constexpr const char *kKept = ".kept";

    static Result<TemporaryFolder> create(const std::string &parent);

    /// What killed processes have left, kept or not; now this process's.
    static std::vector<TemporaryFolder> abandoned(const std::string &parent);

    TemporaryFolder(TemporaryFolder &&other) noexcept
        : path_(std::exchange(other.path_, "")), lock_(std::exchange(other.lock_, -1)) {}
    TemporaryFolder &operator=(TemporaryFolder &&other) noexcept;
    TemporaryFolder(const TemporaryFolder &) = delete;
    TemporaryFolder &operator=(const TemporaryFolder &) = delete;
    ~TemporaryFolder();

    const std::string &path() const { return path_; }
    std::string file(const std::string &name) const { return path_ + "/" + name; }

private:
    TemporaryFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

    /// A killed process's, unless it lives.
    static std::optional<TemporaryFolder> take_over(const std::string &path);
    static void remove_abandoned(const std::string &parent);

    std::string path_;
    int lock_ = -1;  ///< A file descriptor; -1 on file systems without locks.
};

/// The folder for compiled kernels: `wanted`, or else $SEPCONV_CACHE_DIR,
/// $XDG_CACHE_HOME/sepconv, ~/.cache/sepconv. Made if missing; absolute.
Result<std::string> cache_folder(const std::string &wanted);

/// The Halide library that this program has loaded; empty if it is part of the program.
std::string halide_path();

/// Changes with every build of this program and of the Halide library that it has loaded.
Result<std::string> tool_fingerprint();

/// The path of this program.
std::string tool_path();

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_FILES_H_
