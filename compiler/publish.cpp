#include "compiler/publish.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>

#include "compiler/files.h"

namespace sepconv {
namespace fs = std::filesystem;
namespace {

/// Where it stands can be seen on disk, so that who comes after a killed process can put things
/// right: a file is gone from `work` when it is moved, and in `old` when there was one before it.
class Publication {
public:
    Publication(const std::vector<std::string> &files, const std::string &work,
                const std::string &folder)
        : files_(files), work_(work), old_(fs::path(work) / ".old"), folder_(folder) {}

    Status run() {
        Status status = prepare();
        for (const std::string &file : files_) {
            if (status.ok()) {
                status = rename_path((work_ / file).string(), (folder_ / file).string());
            }
        }
        if (!status.ok()) put_back();
        return status;
    }

    void put_back() const {
        std::error_code ignored;
        for (const std::string &file : files_) {
            if (fs::exists(work_ / file, ignored)) continue;
            if (fs::exists(old_ / file, ignored)) {
                fs::rename(old_ / file, folder_ / file, ignored);
            } else {
                fs::remove(folder_ / file, ignored);
            }
        }
        for (const fs::path &made : made_) fs::remove(made, ignored);
    }

private:
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
            fs::create_hard_link(folder_ / file, old_ / file, error);
            // Some file systems have no second names.
            if (error)
                fs::copy(folder_ / file, old_ / file, fs::copy_options::copy_symlinks, error);
            if (error) {
                return Status(StatusCode::kIo,
                              fmt::format("cannot keep '{}': {}", (folder_ / file).string(),
                                          error.message()));
            }
        }
        return Status();
    }

    const std::vector<std::string> &files_;
    const fs::path work_, old_, folder_;
    std::set<fs::path> made_;
};

[[noreturn]] void be_publisher(Publication publication, const std::string &folder, int answer) {
    setsid();
    const int lock = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0) flock(lock, LOCK_EX);  // Where there are no locks, there are none.
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
