#include "compiler/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

#include "compiler/files.h"

namespace sepconv {
namespace {

using testing::HasSubstr;

class ProcessTest : public testing::Test {
protected:
    Status run(const std::function<Status()> &work, int seconds = 60) {
        Child child;
        child.what = "the work";
        child.work = work;
        child.seconds = seconds;
        return run_children({child}, 1, [](size_t) { return Status(); });
    }

    TemporaryFolder folder_ = TemporaryFolder::create(testing::TempDir(), "process").value();
};

TEST_F(ProcessTest, WritesAFile) {
    EXPECT_TRUE(run([&] { return write_file(folder_.file("result"), "done"); }).ok());
    EXPECT_EQ(read_file(folder_.file("result")).value(), "done");
}

TEST_F(ProcessTest, AnErrorOfTheChildIsTheMessage) {
    const Status status = run([] { return Status(StatusCode::kInternal, "no such kernel"); });
    EXPECT_THAT(status.message(), HasSubstr("the work"));
    EXPECT_THAT(status.message(), HasSubstr("no such kernel"));
    EXPECT_THAT(run([]() -> Status { throw std::runtime_error("thrown"); }).message(),
                HasSubstr("thrown"));
}

TEST_F(ProcessTest, ASignalIsNamedAndTheOutputShown) {
    const Status status = run([]() -> Status {
        std::fputs("LLVM ERROR: cannot select", stderr);
        raise(SIGKILL);
        return Status();
    });
    EXPECT_THAT(status.message(), HasSubstr("the work: killed by signal 9"));
    EXPECT_THAT(status.message(), HasSubstr("LLVM ERROR: cannot select"));
}

TEST_F(ProcessTest, AnEndlessLoopIsStopped) {
    const auto forever = []() -> Status {
        for (;;) pause();
    };
    EXPECT_THAT(run(forever, 1).message(), HasSubstr("not done within 1 s"));
}

TEST_F(ProcessTest, TheFirstErrorEndsTheOthers) {
    std::vector<Child> children(2);
    for (size_t i = 0; i < 2; ++i) {
        children[i].what = "child " + std::to_string(i);
    }
    children[0].work = []() -> Status {
        for (;;) pause();
    };
    children[1].work = [] { return Status(StatusCode::kInternal, "broken"); };
    const Status status = run_children(children, 2, [](size_t) { return Status(); });
    EXPECT_THAT(status.message(), HasSubstr("child 1: failed with exit status 1:\nbroken"));
}

TEST_F(ProcessTest, CommandsReturnWhatTheyWrite) {
    EXPECT_EQ(run_command({"echo", "a  b", "$HOME"}, folder_.path()).value(), "a  b $HOME\n");
    EXPECT_THAT(
        run_command({"sh", "-c", "echo oops >&2; exit 3"}, folder_.path()).status().message(),
        HasSubstr("exit status 3:\noops"));
    EXPECT_THAT(run_command({"no-such-program"}, folder_.path()).status().message(),
                HasSubstr("cannot start 'no-such-program'"));
}

}  // namespace
}  // namespace sepconv
