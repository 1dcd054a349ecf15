#include "tests/support/task_conflicts.h"

namespace sepconv::testing {
namespace {

constexpr size_t kWordBytes = sizeof(uint32_t);

}  // namespace

void TaskConflicts::begin_loop() {
    ++loop_;
    words_.clear();
}

void TaskConflicts::read(const void *first, size_t bytes, const char *name) {
    if (task_ == kNobody) return;
    ++accesses_;
    const auto address = reinterpret_cast<uintptr_t>(first);
    for (size_t at = 0; at < bytes; at += kWordBytes) {
        Word &word = words_[address + at];
        if (word.writer != kNobody && word.writer != task_) {
            report("reads", name, "written", word.writer);
        }
        if (word.reader == kNobody) {
            word.reader = task_;
        } else if (word.reader != task_) {
            word.other_reader = task_;
        }
    }
}

void TaskConflicts::write(const void *first, size_t bytes, const char *name) {
    if (task_ == kNobody) return;
    ++accesses_;
    const auto address = reinterpret_cast<uintptr_t>(first);
    for (size_t at = 0; at < bytes; at += kWordBytes) {
        Word &word = words_[address + at];
        if (word.writer != kNobody && word.writer != task_) {
            report("writes", name, "written", word.writer);
        }
        for (const int reader : {word.reader, word.other_reader}) {
            if (reader != kNobody && reader != task_) report("writes", name, "read", reader);
        }
        word.writer = task_;
    }
}

void TaskConflicts::report(const char *what, const char *name, const char *did, int other) {
    if (count_++ > 0) return;
    first_ = "parallel loop " + std::to_string(loop_) + ": task " + std::to_string(task_) + " " +
             what + " a word of " + name + " that task " + std::to_string(other) + " has " + did;
}

}  // namespace sepconv::testing
