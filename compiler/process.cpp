#include "compiler/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
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

namespace sepconv {
namespace {

constexpr int kExitError = 1;

/// The signals of HeldSignals, where there is one: blocked, and not ignored.
sigset_t held_signals = {};

/// One of them that has come, or 0.
int signal_that_came() {
    sigset_t pending;
    sigpending(&pending);
    for (const int number : {SIGHUP, SIGINT, SIGTERM}) {
        if (sigismember(&held_signals, number) == 1 && sigismember(&pending, number) == 1)
            return number;
    }
    return 0;
}

[[noreturn]] void be_child(const Child &child, int log, pid_t parent) {
    // A killed parent leaves nobody behind, even if it died before this line.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(kExitError);
    if (dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) _exit(kExitError);
    signal(SIGALRM, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    held_signals = none;
    alarm(static_cast<unsigned>(child.seconds));
    Status status;
    try {
        status = child.work();
    } catch (const std::exception &error) {
        status = Status(StatusCode::kInternal, error.what());
    } catch (...) {  // Else it would go through the parent's frames, which the child has too.
        status = Status(StatusCode::kInternal, "an exception that is no std::exception");
    }
    if (!status.ok()) {
        std::fputs(status.message().c_str(), stderr);
    }
    std::fflush(nullptr);
    // No destructors: the parent's temporary folders are not the child's to remove.
    _exit(status.ok() ? 0 : kExitError);
}

std::string read_log(int log) {
    std::string text;
    char chunk[4096];
    for (;;) {
        const ssize_t count = pread(log, chunk, sizeof chunk, static_cast<off_t>(text.size()));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return text;
        text.append(chunk, static_cast<size_t>(count));
    }
}

std::string last_lines(std::string text) {
    constexpr size_t kShown = 4000;
    if (text.size() > kShown) text = "..." + text.substr(text.size() - kShown);
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

Status outcome(const Child &child, const std::string &log, int wait_status) {
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) {
        if (child.output != nullptr) *child.output = log;
        return Status();
    }
    std::string reason;
    if (WIFSIGNALED(wait_status)) {
        const int number = WTERMSIG(wait_status);
        reason = number == SIGALRM
                     ? fmt::format("not done within {} s", child.seconds)
                     : fmt::format("killed by signal {} ({})", number, strsignal(number));
    } else {
        reason = fmt::format("failed with exit status {}", WEXITSTATUS(wait_status));
    }
    const std::string text = last_lines(log);
    return Status(child.code,
                  fmt::format("{}: {}{}{}", child.what, reason, text.empty() ? "" : ":\n", text));
}

/// Children that run now, by process id. Whatever is left is killed on the way out.
class Running {
public:
    Running() {
        signal(SIGCHLD, SIG_DFL);  // Ignored, as some parents leave it, it would reap our children.
        sigset_t ends;
        sigemptyset(&ends);
        sigaddset(&ends, SIGCHLD);
        sigprocmask(SIG_BLOCK, &ends, &before_);
    }
    Running(const Running &) = delete;
    Running &operator=(const Running &) = delete;
    ~Running() {
        for (const auto &[pid, one] : children_) kill(pid, SIGKILL);
        for (const auto &[pid, one] : children_) {
            while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
            }
            close(one.log);
        }
        sigprocmask(SIG_SETMASK, &before_, nullptr);
    }

    size_t size() const { return children_.size(); }

    Status start(const Child &child, size_t index) {
        // In memory: a full disk has no room for what is to be said of it.
        const int log = memfd_create("log", MFD_CLOEXEC);
        std::fflush(nullptr);  // Else the child would write our pending output again.
        const pid_t parent = getpid();
        const pid_t pid = log < 0 ? -1 : fork();
        if (pid < 0) {
            const int reason = errno;
            if (log >= 0) close(log);
            return Status(StatusCode::kIo,
                          fmt::format("{}: cannot fork: {}", child.what, strerror(reason)));
        }
        if (pid == 0) be_child(child, log, parent);
        children_[pid] = {index, log};
        return Status();
    }

    struct Ended {
        size_t index;
        int wait_status;
        std::string log;
    };

    /// Waits for one of ours.
    Result<Ended> wait_one() {
        for (;;) {
            if (const int number = signal_that_came(); number != 0) {
                return Status(StatusCode::kIo,
                              fmt::format("ended by signal {} ({})", number, strsignal(number)));
            }
            int status = 0;
            const pid_t pid = waitpid(-1, &status, WNOHANG);
            if (pid == 0) wait_for_signal();
            if (pid == 0 || (pid < 0 && errno == EINTR)) continue;
            if (pid < 0) {
                return Status(StatusCode::kIo,
                              fmt::format("cannot wait for a child: {}", strerror(errno)));
            }
            const auto found = children_.find(pid);
            if (found == children_.end()) continue;
            const One one = found->second;
            children_.erase(found);
            Ended ended{one.index, status, read_log(one.log)};
            close(one.log);
            return ended;
        }
    }

private:
    /// The end of a child, or one that is held, which stays to be seen.
    static void wait_for_signal() {
        sigset_t awaited = held_signals;
        sigaddset(&awaited, SIGCHLD);
        const int number = sigwaitinfo(&awaited, nullptr);
        if (number > 0 && number != SIGCHLD) raise(number);
    }

    struct One {
        size_t index;
        int log;
    };
    std::map<pid_t, One> children_;
    sigset_t before_ = {};
};

}  // namespace

HeldSignals::HeldSignals() {
    sigemptyset(&held_signals);
    for (const int number : {SIGHUP, SIGINT, SIGTERM}) {
        struct sigaction action = {};
        sigaction(number, nullptr, &action);
        if (action.sa_handler != SIG_IGN) sigaddset(&held_signals, number);
    }
    sigprocmask(SIG_BLOCK, &held_signals, &before_);
}

HeldSignals::~HeldSignals() {
    sigemptyset(&held_signals);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

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
        const auto ended = running.wait_one();
        if (!ended.ok()) return ended.status();
        const auto &[index, wait_status, log] = ended.value();
        SEPCONV_RETURN_IF_ERROR(outcome(children[index], log, wait_status));
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
    child.work = [&]() -> Status {
        // Messages and times in the same words everywhere.
        setenv("LC_ALL", "C", 1);
        if (chdir(folder.c_str()) == 0) execvp(arguments[0], arguments.data());
        return Status(StatusCode::kIo,
                      fmt::format("cannot start '{}': {}", command.front(), strerror(errno)));
    };
    std::string output;
    child.output = &output;
    SEPCONV_RETURN_IF_ERROR(run_children({child}, 1, [](size_t) { return Status(); }));
    return output;
}

}  // namespace sepconv
