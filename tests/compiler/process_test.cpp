#include "compiler/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <thread>

#include "compiler/files.h"

namespace sepconv {
namespace {

using testing::HasSubstr;

/// Until it holds, or for ten seconds.
bool soon(const std::function<bool()> &holds) {
    for (int i = 0; i < 200 && !holds(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return holds();
}

/// Whether a process runs: it may be there yet, for its new parent to look at.
bool runs(const std::string &pid) {
    const Result<std::string> stat = read_file("/proc/" + pid + "/stat");
    return stat.ok() && stat.value().find(") Z ") == std::string::npos;
}

class ProcessTest : public testing::Test {
protected:
    Status run(const std::function<Status()> &work, int seconds = 60) {
        Child child;
        child.what = "the work";
        child.work = work;
        child.seconds = seconds;
        return run_children({child}, 1, [](size_t) { return Status(); });
    }

    TemporaryFolder folder_ = TemporaryFolder::create(testing::TempDir()).value();
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

TEST_F(ProcessTest, TheOthersMayTidyUpBeforeTheyEnd) {
    std::vector<Child> children(3);
    const std::string mark = folder_.file("mark");
    children[0].work = [&mark]() -> Status {
        execlp("sh", "sh", "-c",
               "trap 'rm \"$0\"; exit 1' TERM; touch \"$0\"; while :; do sleep 0.01; done",
               mark.c_str(), nullptr);
        return Status(StatusCode::kInternal, "no sh");
    };
    children[1].work = []() -> Status {  // Does not want to end at all.
        signal(SIGTERM, SIG_IGN);
        for (;;) pause();
    };
    children[2].work = [&mark] {
        return Status(StatusCode::kInternal,
                      soon([&] { return exists(mark); }) ? "marked" : "late");
    };
    const Status status = run_children(children, 3, [](size_t) { return Status(); });
    EXPECT_THAT(status.message(), HasSubstr("marked"));
    EXPECT_FALSE(exists(mark));
}

TEST_F(ProcessTest, WhatAFailedCommandHasStartedEndsToo) {
    for (const std::string end : {"wait", "kill -SEGV $$", "exit 3"}) {
        const std::string pid_file = folder_.file("pid");
        const auto result = run_command(
            {"sh", "-c", "sleep 1000 & echo $! > '" + pid_file + "'; " + end}, folder_.path(), 1);
        EXPECT_FALSE(result.ok());
        const std::string text = read_file(pid_file).value();
        const std::string pid = text.substr(0, text.find('\n'));
        EXPECT_TRUE(soon([&] { return !runs(pid); })) << end;
    }
}

TEST_F(ProcessTest, EndlessOutputTakesLittleMemoryAndItsEndIsShown) {
    rusage before = {}, after = {};
    getrusage(RUSAGE_SELF, &before);
    const Status endless = run_command({"yes"}, folder_.path(), 2).status();
    const Status failed =
        run_command({"sh", "-c", "head -c 300000000 /dev/zero; echo the end; exit 1"},
                    folder_.path())
            .status();
    getrusage(RUSAGE_SELF, &after);
    EXPECT_THAT(endless.message(), HasSubstr("yes: not done within 2 s:\n...y"));
    EXPECT_THAT(failed.message(), HasSubstr("the end"));
    EXPECT_LT(endless.message().size(), 5000U);
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 100 << 10);  // KiB.
}

TEST_F(ProcessTest, CommandsReadNothing) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const int before = dup(STDIN_FILENO);
    ASSERT_EQ(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    const Result<std::string> read = run_command({"cat"}, folder_.path(), 10);
    ASSERT_EQ(dup2(before, STDIN_FILENO), STDIN_FILENO);
    for (const int file : {before, ends[0], ends[1]}) close(file);
    EXPECT_TRUE(read.ok()) << read.status().message();
}

TEST_F(ProcessTest, TemporaryFilesOfCommandsAreInTheirFolder) {
    EXPECT_EQ(run_command({"sh", "-c", "echo $TMPDIR"}, folder_.path()).value(),
              folder_.path() + "\n");
}

TEST_F(ProcessTest, ErrorsOfInputAndOutputStayWhatTheyAre) {
    EXPECT_EQ(run([] { return Status(StatusCode::kIo, "full"); }).code(), StatusCode::kIo);
    EXPECT_EQ(run([] { return Status(StatusCode::kInvalidModel, "?"); }).code(),
              StatusCode::kInternal);
}

TEST_F(ProcessTest, ASignalThatIsHeldEndsTheChildrenAndWaits) {
    const HeldSignals held;
    { const HeldSignals inner; }
    Child child;
    child.work = []() -> Status {
        kill(getppid(), SIGTERM);
        for (;;) pause();
    };
    const auto nothing = [](size_t) { return Status(); };
    for (int i = 0; i < 2; ++i) {
        const Status status = run_children({child}, 1, nothing);
        EXPECT_EQ(status.code(), StatusCode::kIo);
        EXPECT_THAT(status.message(), HasSubstr("ended by signal 15"));
    }
    sigset_t number;
    sigemptyset(&number);
    sigaddset(&number, SIGTERM);
    const timespec now = {};
    EXPECT_EQ(sigtimedwait(&number, nullptr, &now), SIGTERM);
}

TEST_F(ProcessTest, ABrokenPipeEndsACommandButNotTheCaller) {
    const HeldSignals held;
    EXPECT_THAT(
        run_command({"sh", "-c", "kill -PIPE $$; echo alive"}, folder_.path()).status().message(),
        HasSubstr("killed by signal 13"));
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    close(ends[0]);
    EXPECT_LT(write(ends[1], "x", 1), 0);
    close(ends[1]);
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
