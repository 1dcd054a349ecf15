#include "compiler/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>

#include "compiler/files.h"

namespace sepconv {
namespace {

constexpr int kExitError = 1;

[[noreturn]] void be_child(const Child &child, pid_t parent) {
    // A killed parent leaves nobody behind, even if it died before this line.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(kExitError);
    const int log = open(child.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) {
        _exit(kExitError);
    }
    signal(SIGALRM, SIG_DFL);
    alarm(static_cast<unsigned>(child.seconds));
    Status status;
    try {
        status = child.work();
    } catch (const std::exception &error) {
        status = Status(StatusCode::kInternal, error.what());
    }
    if (!status.ok()) {
        std::fputs(status.message().c_str(), stderr);
    }
    std::fflush(nullptr);
    // No destructors: the parent's temporary folders are not the child's to remove.
    _exit(status.ok() ? 0 : kExitError);
}

std::string last_lines(const std::string &path) {
    constexpr size_t kShown = 4000;
    Result<std::string> text = read_file(path);
    if (!text.ok()) return "";
    std::string shown = std::move(text).value();
    if (shown.size() > kShown) shown = "..." + shown.substr(shown.size() - kShown);
    while (!shown.empty() && (shown.back() == '\n' || shown.back() == ' ')) shown.pop_back();
    return shown;
}

Status outcome(const Child &child, int wait_status) {
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) return Status();
    std::string reason;
    if (WIFSIGNALED(wait_status)) {
        const int number = WTERMSIG(wait_status);
        reason = number == SIGALRM
                     ? fmt::format("not done within {} s", child.seconds)
                     : fmt::format("killed by signal {} ({})", number, strsignal(number));
    } else {
        reason = fmt::format("failed with exit status {}", WEXITSTATUS(wait_status));
    }
    const std::string text = last_lines(child.log);
    return Status(child.code,
                  fmt::format("{}: {}{}{}", child.what, reason, text.empty() ? "" : ":\n", text));
}

/// Children that run now, by process id. Whatever is left is killed on the way out.
class Running {
public:
    Running() = default;
    Running(const Running &) = delete;
    Running &operator=(const Running &) = delete;
    ~Running() {
        for (const auto &[pid, index] : children_) kill(pid, SIGKILL);
        for (const auto &[pid, index] : children_) {
            while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
            }
        }
    }

    size_t size() const { return children_.size(); }

    Status start(const Child &child, size_t index) {
        std::fflush(nullptr);  // Else the child would write our pending output again.
        const pid_t parent = getpid();
        const pid_t pid = fork();
        if (pid < 0) {
            return Status(StatusCode::kIo,
                          fmt::format("{}: cannot fork: {}", child.what, strerror(errno)));
        }
        if (pid == 0) be_child(child, parent);
        children_[pid] = index;
        return Status();
    }

    /// Waits for one of ours: its index and wait status.
    Result<std::pair<size_t, int>> wait_one() {
        for (;;) {
            int status = 0;
            const pid_t pid = waitpid(-1, &status, 0);
            if (pid < 0 && errno == EINTR) continue;
            if (pid < 0) {
                return Status(StatusCode::kIo,
                              fmt::format("cannot wait for a child: {}", strerror(errno)));
            }
            const auto found = children_.find(pid);
            if (found == children_.end()) continue;
            const size_t index = found->second;
            children_.erase(found);
            return std::make_pair(index, status);
        }
    }

private:
    std::map<pid_t, size_t> children_;
};

}  // namespace

Status run_children(const std::vector<Child> &children, int jobs,
                    const std::function<Status(size_t)> &on_done) {
    Running running;
    size_t next = 0;
    const auto limit = static_cast<size_t>(std::max(jobs, 1));
    while (next < children.size() || running.size() > 0) {
        if (next < children.size() && running.size() < limit) {
            SEPCONV_RETURN_IF_ERROR(running.start(children[next], next));
            ++next;
            continue;
        }
        const Result<std::pair<size_t, int>> ended = running.wait_one();
        if (!ended.ok()) return ended.status();
        const auto [index, wait_status] = ended.value();
        SEPCONV_RETURN_IF_ERROR(outcome(children[index], wait_status));
        SEPCONV_RETURN_IF_ERROR(on_done(index));
    }
    return Status();
}

Result<std::string> run_command(const std::vector<std::string> &command,
                                const std::string &folder) {
    std::vector<char *> arguments;
    for (const std::string &argument : command) {
        arguments.push_back(const_cast<char *>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    Child child;
    child.what = command.front();
    child.seconds = 600;
    child.code = StatusCode::kIo;
    child.log = folder + "/command.log";
    child.work = [&]() -> Status {
        // Messages and times in the same words everywhere.
        setenv("LC_ALL", "C", 1);
        if (chdir(folder.c_str()) == 0) execvp(arguments[0], arguments.data());
        return Status(StatusCode::kIo,
                      fmt::format("cannot start '{}': {}", command.front(), strerror(errno)));
    };
    std::string output;
    SEPCONV_RETURN_IF_ERROR(run_children({child}, 1, [&](size_t) -> Status {
        Result<std::string> text = read_file(child.log);
        if (!text.ok()) return text.status();
        output = std::move(text).value();
        return Status();
    }));
    return output;
}

}  // namespace sepconv
