#ifndef SEPCONV_COMPILER_PROCESS_H_
#define SEPCONV_COMPILER_PROCESS_H_

#include <signal.h>

#include <functional>
#include <string>
#include <vector>

#include "layer/status.h"

namespace sepconv {

/// Work that a forked child does on its own, so that a crash or an endless loop is a message. It
/// reads nothing; of what it writes the last MiB are kept. An error of kind kIo stays of that kind.
struct Child {
    std::string what;                         ///< Names the work in messages.
    std::function<Status()> work;             ///< Runs in the child; results go into files.
    int seconds = 120;                        ///< Time limit.
    StatusCode code = StatusCode::kInternal;  ///< Of an error: whose fault a failure is.
    std::string *output = nullptr;            ///< Takes its stdout and stderr, if it ends well.
};

/// While it lives, SIGHUP, SIGINT and SIGTERM wait: at one of them run_children() ends with an
/// error of kind kIo, and when all that is temporary has been removed, the end of this object lets
/// it through. SIGPIPE is ignored: nobody has to read the progress. One may live in another.
class HeldSignals {
public:
    HeldSignals();
    ~HeldSignals();
    HeldSignals(const HeldSignals &) = delete;
    HeldSignals &operator=(const HeldSignals &) = delete;

private:
    sigset_t outer_, before_ = {};
    struct sigaction before_pipe_ = {};
};

/// Runs all children, at most `jobs` at once, each with whatever it starts in a process group.
/// `on_done(i)` is called in the parent as child i ends well, in the order of ending; its first
/// error, or the first child that fails, is killed by a signal or exceeds its limit, ends the
/// others (SIGTERM, two seconds later SIGKILL) and is the result.
Status run_children(const std::vector<Child> &children, int jobs,
                    const std::function<Status(size_t)> &on_done);

/// Runs a program (looked up in PATH) in `folder`, which is also its folder for temporary files,
/// and returns what it wrote. An exit status other than 0 is an error with the same text.
Result<std::string> run_command(const std::vector<std::string> &command, const std::string &folder,
                                int seconds = 600);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_PROCESS_H_
