#include "compiler/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>

namespace sepconv {
namespace {

constexpr int kExitError = 1, kExitIo = 74;  // The second as in sysexits.h.

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

/// Nothing to read, and the log to write to.
bool redirect(int log) {
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
           dup2(log, STDERR_FILENO) >= 0;
}

[[noreturn]] void be_child(const Child &child, int log, pid_t parent) {
    // A killed parent leaves nobody behind, even if it died before this line.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(kExitError);
    setpgid(0, 0);  // What it starts ends with it: a compiler's own programs, for example.
    if (!redirect(log)) _exit(kExitError);
    signal(SIGALRM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
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
    if (status.code() == StatusCode::kIo) _exit(kExitIo);
    _exit(status.ok() ? 0 : kExitError);
}

/// What a child writes, through a pipe: a full disk has no room for what is to be said of it. Of
/// more than this the end is kept.
class Log {
public:
    explicit Log(int file) : file_(file) { fcntl(file, F_SETFL, O_NONBLOCK); }

    int file() const { return file_; }
    const std::string &text() const { return text_; }

    /// Takes one chunk; false if there is none for now.
    bool take() {
        char chunk[1 << 16];
        const ssize_t count = read(file_, chunk, sizeof chunk);
        if (count < 0 && errno == EINTR) return true;
        if (count <= 0) return false;
        text_.append(chunk, static_cast<size_t>(count));
        if (text_.size() > 2 * kKept) text_.erase(0, text_.size() - kKept);
        return true;
    }

    /// Takes what is there, unless somebody goes on writing.
    void take_rest() {
        for (size_t i = 0; i < kKept / (1 << 16) && take(); ++i) {
        }
    }

private:
    static constexpr size_t kKept = 8U << 20;
    int file_;
    std::string text_;
};

std::string last_lines(std::string text) {
    constexpr size_t kShown = 4000;
    if (text.size() > kShown) text = "..." + text.substr(text.size() - kShown);
    for (char &c : text) {  // A NUL would end the message.
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') c = '?';
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

Status outcome(const Child &child, const std::string &log, int wait_status) {
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) {
        if (child.output != nullptr) *child.output = log;
        return Status();
    }
    std::string reason;
    StatusCode code = child.code;
    if (WIFSIGNALED(wait_status)) {
        const int number = WTERMSIG(wait_status);
        reason = number == SIGALRM
                     ? fmt::format("not done within {} s", child.seconds)
                     : fmt::format("killed by signal {} ({})", number, strsignal(number));
    } else {
        reason = fmt::format("failed with exit status {}", WEXITSTATUS(wait_status));
        if (WEXITSTATUS(wait_status) == kExitIo) code = StatusCode::kIo;
    }
    const std::string text = last_lines(log);
    return Status(code,
                  fmt::format("{}: {}{}{}", child.what, reason, text.empty() ? "" : ":\n", text));
}

/// Children that run now, by process id. Whatever is left is ended on the way out.
class Running {
public:
    Running() {
        signal(SIGCHLD, SIG_DFL);  // Ignored, as some parents leave it, it would reap our children.
        sigemptyset(&ends_);
        sigaddset(&ends_, SIGCHLD);
        sigprocmask(SIG_BLOCK, &ends_, &before_);
        sigset_t awaited = held_signals;
        sigaddset(&awaited, SIGCHLD);
        signals_ = signalfd(-1, &awaited, SFD_CLOEXEC);
    }
    Running(const Running &) = delete;
    Running &operator=(const Running &) = delete;
    ~Running() {
        end_all();
        if (signals_ >= 0) close(signals_);
        sigprocmask(SIG_SETMASK, &before_, nullptr);
    }

    size_t size() const { return children_.size(); }

    Status start(const Child &child, size_t index) {
        int log[2] = {-1, -1};
        std::fflush(nullptr);  // Else the child would write our pending output again.
        const pid_t parent = getpid();
        const bool ready = signals_ >= 0 && pipe2(log, O_CLOEXEC) == 0;
        const pid_t pid = ready ? fork() : -1;
        const int reason = errno;
        if (pid == 0) be_child(child, log[1], parent);
        if (log[1] >= 0) close(log[1]);
        if (pid < 0) {
            if (log[0] >= 0) close(log[0]);
            return Status(StatusCode::kIo, fmt::format("{}: cannot start a process: {}", child.what,
                                                       strerror(reason)));
        }
        setpgid(pid, pid);  // Whoever of the two is first.
        children_.emplace(pid, One{index, Log(log[0])});
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
            for (auto &[pid, one] : children_) one.log.take();
            const timespec now = {};
            sigtimedwait(&ends_, nullptr, &now);  // Those that come from here on end the poll.
            siginfo_t info = {};
            if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno != EINTR) {
                return Status(StatusCode::kIo,
                              fmt::format("cannot wait for a child: {}", strerror(errno)));
            }
            if (info.si_pid == 0) {
                wait_for_news();
                continue;
            }
            const auto found = children_.find(info.si_pid);
            if (found != children_.end()) return reap(found);
            waitpid(info.si_pid, nullptr, 0);
        }
    }

private:
    struct One {
        size_t index;
        Log log;
    };
    using Children = std::map<pid_t, One>;

    /// Output of a child, the end of one, or a signal that is held, which stays to be seen.
    void wait_for_news() {
        std::vector<pollfd> files = {{signals_, POLLIN, 0}};
        for (const auto &[pid, one] : children_) files.push_back({one.log.file(), POLLIN, 0});
        const auto news = [](const pollfd &file) { return (file.revents & POLLIN) != 0; };
        const auto closed = [](const pollfd &file) { return file.revents != 0; };
        while (poll(files.data(), files.size(), -1) > 0) {
            if (std::any_of(files.begin(), files.end(), news)) return;
            files.erase(std::remove_if(files.begin(), files.end(), closed), files.end());
        }
    }

    /// One that has ended. Before its number is free, whatever a failed one has started ends too.
    Ended reap(Children::iterator found) {
        const pid_t pid = found->first;
        siginfo_t info = {};
        waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
        if (info.si_code != CLD_EXITED || info.si_status != 0) kill(-pid, SIGKILL);
        found->second.log.take_rest();
        Ended ended{found->second.index, 0, found->second.log.text()};
        while (waitpid(pid, &ended.wait_status, 0) < 0 && errno == EINTR) {
        }
        close(found->second.log.file());
        children_.erase(found);
        return ended;
    }

    bool all_have_ended() const {
        return std::all_of(children_.begin(), children_.end(), [](const auto &child) {
            siginfo_t info = {};
            waitid(P_PID, static_cast<id_t>(child.first), &info, WEXITED | WNOHANG | WNOWAIT);
            return info.si_pid != 0;
        });
    }

    /// Gives them a moment to remove what is temporary.
    void end_all() {
        using Clock = std::chrono::steady_clock;
        constexpr std::chrono::seconds kMoment(2);
        for (const auto &[pid, one] : children_) kill(-pid, SIGTERM);
        for (const auto until = Clock::now() + kMoment;
             !all_have_ended() && Clock::now() < until;) {
            const timespec step = {0, 50'000'000};
            sigtimedwait(&ends_, nullptr, &step);
        }
        for (const auto &[pid, one] : children_) kill(-pid, SIGKILL);
        for (const auto &[pid, one] : children_) {
            while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
            }
            close(one.log.file());
        }
    }

    Children children_;
    sigset_t ends_ = {}, before_ = {};
    int signals_ = -1;  ///< Readable when a child has ended or a signal that is held has come.
};

}  // namespace

HeldSignals::HeldSignals() : outer_(held_signals) {
    sigemptyset(&held_signals);
    for (const int number : {SIGHUP, SIGINT, SIGTERM}) {
        struct sigaction action = {};
        sigaction(number, nullptr, &action);
        if (action.sa_handler != SIG_IGN) sigaddset(&held_signals, number);
    }
    sigprocmask(SIG_BLOCK, &held_signals, &before_);
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &before_pipe_);
}

HeldSignals::~HeldSignals() {
    held_signals = outer_;
    sigaction(SIGPIPE, &before_pipe_, nullptr);
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

Result<std::string> run_command(const std::vector<std::string> &command, const std::string &folder,
                                int seconds) {
    std::vector<char *> arguments;
    for (const std::string &argument : command) {
        arguments.push_back(const_cast<char *>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    Child child;
    child.what = command.front();
    child.seconds = seconds;
    child.code = StatusCode::kIo;
    child.work = [&]() -> Status {
        // Messages and times in the same words everywhere.
        setenv("LC_ALL", "C", 1);
        // What it leaves when it is killed goes with the folder.
        setenv("TMPDIR", folder.c_str(), 1);
        if (chdir(folder.c_str()) == 0) execvp(arguments[0], arguments.data());
        // Not kIo, for the exit status that a shell's users know.
        return Status(StatusCode::kInternal,
                      fmt::format("cannot start '{}': {}", command.front(), strerror(errno)));
    };
    std::string output;
    child.output = &output;
    SEPCONV_RETURN_IF_ERROR(run_children({child}, 1, [](size_t) { return Status(); }));
    return output;
}

}  // namespace sepconv
