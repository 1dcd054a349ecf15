#include "compiler/publish.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>
#include <sstream>
#include <system_error>

namespace sepconv {
namespace fs = std::filesystem;
namespace {

/// Or a copy: some file systems have no second names.
std::error_code give_second_name(const fs::path &file, const fs::path &name) {
    std::error_code error;
    fs::create_hard_link(file, name, error);
    if (error) fs::copy(file, name, fs::copy_options::copy_symlinks, error);
    return error;
}

/// Where it stands can be seen on disk, so that who comes after a killed process can put things
/// right: a file is gone from `work` when it is moved, and in `old` when there was one before it.
/// While it is under way, TemporaryFolder::kKept lists the files.
class Publication {
public:
    Publication(const std::vector<std::string> &files, const std::string &work,
                const std::string &folder)
        : files_(files), work_(work), old_(fs::path(work) / ".old"), folder_(folder) {}

    Status run() {
        Status status = prepare();
        if (status.ok())
            status = replace_file(list(), fmt::format("{}\n", fmt::join(files_, "\n")));
        for (const std::string &file : files_) {
            if (status.ok()) {
                status = rename_path((work_ / file).string(), (folder_ / file).string());
            }
        }
        if (status.ok() && unlink(list().c_str()) != 0) {
            status = Status(StatusCode::kIo,
                            fmt::format("cannot remove '{}': {}", list(), strerror(errno)));
        }
        if (!status.ok()) put_back();
        return status;
    }

    /// May be stopped anywhere and begun again, so what is in `old` stays there.
    void put_back() const {
        std::error_code ignored;
        for (const std::string &file : files_) {
            if (fs::exists(work_ / file, ignored)) continue;
            if (!fs::exists(fs::symlink_status(old_ / file, ignored))) {
                fs::remove(folder_ / file, ignored);
                continue;
            }
            const fs::path back = work_ / ".back";
            fs::remove(back, ignored);
            const bool kept = !give_second_name(old_ / file, back);
            fs::rename(kept ? back : old_ / file, folder_ / file, ignored);
        }
        for (const fs::path &made : made_) fs::remove(made, ignored);
        fs::remove(list(), ignored);
    }

private:
    std::string list() const { return (work_ / TemporaryFolder::kKept).string(); }

    /// Folders, and a second name for every file that will be replaced.
    Status prepare() {
        for (const std::string &file : files_) {
            const fs::path parent = (folder_ / file).parent_path();
            if (!exists(parent.string())) made_.insert(parent);
            SEPCONV_RETURN_IF_ERROR(make_folder(parent.string()));
            SEPCONV_RETURN_IF_ERROR(make_folder((old_ / file).parent_path().string()));
            std::error_code error;
            const fs::file_status found = fs::symlink_status(folder_ / file, error);
            if (!fs::exists(found)) continue;
            if (fs::is_directory(found)) {
                return Status(StatusCode::kIo, fmt::format("cannot write '{}': a folder is in its "
                                                           "place",
                                                           (folder_ / file).string()));
            }
            if (const std::error_code failed = give_second_name(folder_ / file, old_ / file)) {
                return Status(StatusCode::kIo,
                              fmt::format("cannot keep '{}': {}", (folder_ / file).string(),
                                          failed.message()));
            }
        }
        return Status();
    }

    const std::vector<std::string> &files_;
    const fs::path work_, old_, folder_;
    std::set<fs::path> made_;
};

/// Held while it lives, where the file system has locks.
class FolderLock {
public:
    explicit FolderLock(const std::string &folder)
        : file_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        if (file_ >= 0) flock(file_, LOCK_EX);
    }
    ~FolderLock() {
        if (file_ >= 0) close(file_);
    }
    FolderLock(const FolderLock &) = delete;
    FolderLock &operator=(const FolderLock &) = delete;

private:
    int file_;
};

/// A name inside of the folder, as publish_files() has written it.
bool is_inside(const fs::path &file) {
    return !file.empty() && !file.is_absolute() &&
           std::find(file.begin(), file.end(), "..") == file.end();
}

/// The caller has the lock, so that nobody has published since.
void repair_locked(const std::string &folder) {
    for (const TemporaryFolder &left : TemporaryFolder::abandoned(folder)) {
        const Result<std::string> list = read_file(left.file(TemporaryFolder::kKept));
        if (!list.ok()) continue;
        std::vector<std::string> files;
        std::istringstream lines(list.value());
        for (std::string line; std::getline(lines, line);) {
            if (is_inside(line)) files.push_back(line);
        }
        Publication(files, left.path(), folder).put_back();
    }
}

[[noreturn]] void be_publisher(Publication publication, const std::string &folder, int answer) {
    setsid();
    const FolderLock lock(folder);
    repair_locked(folder);
    const Status status = publication.run();
    const std::string &text = status.message();
    const bool told = write(answer, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(status.ok() && told ? 0 : 1);
}

std::string read_all(int file) {
    std::string text;
    char chunk[512];
    for (;;) {
        const ssize_t count = read(file, chunk, sizeof chunk);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return text;
        text.append(chunk, static_cast<size_t>(count));
    }
}

}  // namespace

void repair_published(const std::string &folder) {
    const FolderLock lock(folder);
    repair_locked(folder);
}

Status publish_files(const std::vector<std::string> &files, const std::string &work,
                     const std::string &folder) {
    const Publication publication(files, work, folder);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return Status(StatusCode::kIo, fmt::format("cannot make a pipe: {}", strerror(errno)));
    }
    std::fflush(nullptr);  // Else the child would write our pending output again.
    const pid_t pid = fork();
    if (pid == 0) be_publisher(publication, folder, ends[1]);
    const int reason = errno;
    close(ends[1]);
    const std::string text = pid > 0 ? read_all(ends[0]) : "";
    close(ends[0]);
    if (pid < 0) return Status(StatusCode::kIo, fmt::format("cannot fork: {}", strerror(reason)));
    int ended = 0;
    while (waitpid(pid, &ended, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) return Status();
    if (WIFEXITED(ended)) return Status(StatusCode::kIo, text);
    publication.put_back();
    return Status(StatusCode::kIo,
                  fmt::format("writing to '{}': killed by signal {}", folder, WTERMSIG(ended)));
}

}  // namespace sepconv
