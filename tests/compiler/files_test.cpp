/// Files that are whole or not there: temporary folders, the cache's objects, and what is
/// published.
#include "compiler/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "compiler/object_cache.h"
#include "compiler/publish.h"

namespace sepconv {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FilesTest : public testing::Test {
protected:
    std::string put(const std::string &name, const std::string &bytes) {
        const std::string path = folder_.file(name);
        EXPECT_TRUE(make_folder(fs::path(path).parent_path().string()).ok());
        EXPECT_TRUE(write_file(path, bytes).ok());
        return path;
    }
    std::string get(const std::string &name) {
        const Result<std::string> bytes = read_file(folder_.file(name));
        return bytes.ok() ? bytes.value() : "(missing)";
    }

    TemporaryFolder folder_ = TemporaryFolder::create(testing::TempDir()).value();
};

TEST_F(FilesTest, WhatAKilledProcessLeavesIsRemovedByTheNext) {
    put("parent/.sepconv-notes0", "a file of the user");
    put("parent/.sepconv-abcdefg/file", "a name of another length");
    put("parent/build-shared/file", "a folder of the user");
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        const auto mine = TemporaryFolder::create(folder_.file("parent"));
        const std::string &path = mine.value().path();
        const bool told = write(ends[1], path.data(), path.size()) > 0;
        for (; told;) pause();
        _exit(1);
    }
    char chunk[4096] = {};
    ASSERT_GT(read(ends[0], chunk, sizeof chunk - 1), 0);
    const std::string left = chunk;
    // While it lives its folder stays.
    ASSERT_TRUE(TemporaryFolder::create(folder_.file("parent")).ok());
    EXPECT_TRUE(exists(left));
    kill(pid, SIGKILL);
    ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
    EXPECT_TRUE(exists(left));
    ASSERT_TRUE(TemporaryFolder::create(folder_.file("parent")).ok());
    EXPECT_FALSE(exists(left));
    EXPECT_EQ(get("parent/.sepconv-notes0"), "a file of the user");
    EXPECT_EQ(get("parent/.sepconv-abcdefg/file"), "a name of another length");
    EXPECT_EQ(get("parent/build-shared/file"), "a folder of the user");
    close(ends[0]);
    close(ends[1]);
}

TEST_F(FilesTest, ReplacingAFileIsWholeOrNothing) {
    const std::string path = put("table", "old");
    rlimit before = {};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    const rlimit small = {100, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const Status status = replace_file(path, std::string(1000, 'x'));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    EXPECT_EQ(status.message(), "cannot write '" + path + "': File too large");
    EXPECT_EQ(get("table"), "old");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1);
    EXPECT_TRUE(replace_file(path, "new").ok());
    EXPECT_EQ(get("table"), "new");
}

TEST_F(FilesTest, AFileThatManyReplaceAtOnceIsOfOneOfThem) {
    constexpr size_t kBytes = 1 << 20;
    const std::string path = put("table", std::string(kBytes, 'a'));
    std::vector<pid_t> writers;
    for (const char letter : {'b', 'c', 'd'}) {
        writers.push_back(fork());
        if (writers.back() != 0) continue;
        for (int i = 0; i < 30; ++i) {
            if (!replace_file(path, std::string(kBytes, letter)).ok()) _exit(1);
        }
        _exit(0);
    }
    for (const pid_t writer : writers) {
        int status = 0;
        while (waitpid(writer, &status, WNOHANG) == 0) {
            const std::string text = get("table");
            ASSERT_EQ(text.size(), kBytes);
            ASSERT_EQ(text.find_first_not_of(text[0]), std::string::npos);
        }
        EXPECT_EQ(status, 0);
    }
}

TEST_F(FilesTest, ACachedObjectIsWholeAndOfItsKey) {
    const CachedObject cached{folder_.file("entry"), "key"};
    EXPECT_FALSE(load_object(cached, nullptr, nullptr));
    ASSERT_TRUE(store_object(cached, put("made.o", "object"), "12 34").ok());
    std::string facts, bytes;
    ASSERT_TRUE(load_object(cached, &facts, &bytes));
    EXPECT_EQ(facts, "12 34");
    EXPECT_EQ(bytes, "object");
    EXPECT_FALSE(load_object({cached.path, "another key"}, nullptr, nullptr));
    const std::string seal = get("entry.facts").substr(facts.size());
    for (const auto &[name, wrong] : {std::pair("entry.facts", "92 34" + seal),
                                      {"entry.facts", "12 34\n"},
                                      {"entry.facts", ""},
                                      {"entry.o", std::string("objecT")},
                                      {"entry.o", std::string("objec")}}) {
        const std::string right = get(name);
        put(name, wrong);
        EXPECT_FALSE(load_object(cached, &facts, &bytes)) << name << ": " << wrong;
        put(name, right);
        EXPECT_TRUE(load_object(cached, &facts, &bytes));
    }
}

TEST_F(FilesTest, WhatIsNotUsedForAMonthLeavesTheCache) {
    const std::string hash = "0123456789abcdef0123456789abcdef", young = "f" + hash.substr(1);
    const std::vector<std::string> gone = {"kernels/" + hash + ".o", "kernels/" + hash + ".facts",
                                           "runtime-" + hash + "/sepconv_x.o"};
    const std::vector<std::string> kept = {"kernels/mine.o", "kernels/" + hash + ".txt",
                                           "runtime-mine/sepconv_x.o", "other/" + hash + ".o",
                                           "runtime-" + hash + "/mine.o"};
    const auto now = fs::file_time_type::clock::now();
    for (const auto *files : {&gone, &kept}) {
        for (const std::string &file : *files) {
            fs::last_write_time(put(file, "x"), now - std::chrono::hours(31 * 24));
        }
    }
    const CachedObject used{folder_.file("kernels/" + young), "key"};
    ASSERT_TRUE(store_object(used, put("made.o", "object"), "facts").ok());
    fs::last_write_time(used.object(), now - std::chrono::hours(31 * 24));
    fs::last_write_time(used.facts(), now - std::chrono::hours(31 * 24));
    ASSERT_TRUE(load_object(used, nullptr, nullptr));
    trim_cache(folder_.path());
    for (const std::string &file : gone) EXPECT_FALSE(exists(folder_.file(file))) << file;
    for (const std::string &file : kept) EXPECT_TRUE(exists(folder_.file(file))) << file;
    EXPECT_TRUE(load_object(used, nullptr, nullptr));
}

class PublishTest : public FilesTest {
protected:
    void SetUp() override {
        for (const std::string &file : files_) put("work/" + file, "new " + file);
        put("out/b", "old b");
        put("out/other", "of the user");
    }
    Status publish() { return publish_files(files_, folder_.file("work"), folder_.file("out")); }

    const std::vector<std::string> files_ = {"a", "b", "sub/c", "d"};
};

TEST_F(PublishTest, AllFilesMove) {
    ASSERT_TRUE(publish().ok());
    for (const std::string &file : files_) EXPECT_EQ(get("out/" + file), "new " + file);
    EXPECT_EQ(get("out/other"), "of the user");
}

TEST_F(PublishTest, OneThatCannotIsAnErrorAndNoneHasMoved) {
    fs::remove(folder_.file("work/d"));  // Fails at the last.
    const Status status = publish();
    EXPECT_THAT(status.message(), HasSubstr("cannot write '" + folder_.file("out/d")));
    EXPECT_EQ(status.code(), StatusCode::kIo);
    EXPECT_EQ(get("out/a"), "(missing)");
    EXPECT_EQ(get("out/b"), "old b");
    EXPECT_FALSE(exists(folder_.file("out/sub")));
    EXPECT_EQ(get("out/other"), "of the user");
}

TEST_F(PublishTest, AFolderInTheWayIsNamed) {
    put("out/d/file", "of the user");
    EXPECT_THAT(publish().message(), HasSubstr("out/d': a folder is in its place"));
    EXPECT_EQ(get("out/b"), "old b");
    EXPECT_EQ(get("out/d/file"), "of the user");
}

/// What is left when caller and process end behind the third of four renames.
class StoppedPublishTest : public PublishTest {
protected:
    void SetUp() override {
        PublishTest::SetUp();
        for (const std::string file : {"a", "b", "sub/c"}) put("out/" + file, "half " + file);
        put("out/.sepconv-abcdef/.kept", "a\nb\nsub/c\nd\n");
        put("out/.sepconv-abcdef/.old/b", "old b");
        put("out/.sepconv-abcdef/d", "half d");
    }
    void expect_old() {
        EXPECT_EQ(get("out/a"), "(missing)");
        EXPECT_EQ(get("out/b"), "old b");
        EXPECT_EQ(get("out/sub/c"), "(missing)");
        EXPECT_EQ(get("out/d"), "(missing)");
        EXPECT_EQ(get("out/other"), "of the user");
        EXPECT_FALSE(exists(folder_.file("out/.sepconv-abcdef")));
    }
};

TEST_F(StoppedPublishTest, IsPutBack) {
    ASSERT_TRUE(TemporaryFolder::create(folder_.file("out")).ok());  // Leaves it where it is.
    repair_published(folder_.file("out"));
    expect_old();
}

TEST_F(StoppedPublishTest, IsPutBackByTheNextPublicationIfThatFails) {
    fs::remove(folder_.file("work/d"));
    EXPECT_FALSE(publish().ok());
    expect_old();
}

TEST_F(StoppedPublishTest, IsPutBackWhereThatWasStoppedToo) {
    put("out/b", "old b");
    fs::create_hard_link(folder_.file("out/b"), folder_.file("out/.sepconv-abcdef/.back"));
    repair_published(folder_.file("out"));
    expect_old();
}

TEST_F(StoppedPublishTest, NothingOutsideIsTouched) {
    put("out/.sepconv-abcdef/.kept", "../victim\n" + folder_.file("victim") + "\na\n");
    put("victim", "of the user");
    repair_published(folder_.file("out"));
    EXPECT_EQ(get("victim"), "of the user");
    EXPECT_EQ(get("out/a"), "(missing)");
}

TEST_F(StoppedPublishTest, ALinkToAFolderIsNotFollowed) {
    fs::rename(folder_.file("out/.sepconv-abcdef"), folder_.file("elsewhere"));
    fs::create_directory_symlink("../elsewhere", folder_.file("out/.sepconv-abcdef"));
    repair_published(folder_.file("out"));
    EXPECT_EQ(get("out/a"), "half a");
}

TEST_F(PublishTest, ALinkIsReplacedAndWhatItPointsToStays) {
    fs::remove(folder_.file("out/b"));
    fs::create_symlink("other", folder_.file("out/b"));
    ASSERT_TRUE(publish().ok());
    EXPECT_EQ(get("out/b"), "new b");
    EXPECT_EQ(get("out/other"), "of the user");
}

}  // namespace
}  // namespace sepconv
