#ifndef SEPCONV_TESTS_SUPPORT_TASK_CONFLICTS_H_
#define SEPCONV_TESTS_SUPPORT_TASK_CONFLICTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace sepconv::testing {

/// Finds what would be a race if the tasks of a parallel loop ran at once: one writes a word of 32
/// bits that another one reads or writes. It goes by addresses alone, so the tasks run one after
/// another, in any order, and everything is found in one run. For one thread.
class TaskConflicts {
public:
    /// Accesses from here on are of one task of the loop that began last.
    void begin_loop();
    void begin_task(int task) { task_ = task; }
    /// The tasks have been waited for: later accesses conflict with none.
    void end_loop() { task_ = kNobody; }

    void read(const void *first, size_t bytes, const char *name);
    void write(const void *first, size_t bytes, const char *name);

    /// Accesses by tasks.
    int accesses() const { return accesses_; }
    /// Conflicts of an access with an earlier one.
    int count() const { return count_; }
    /// The first of them in words, with the `name` it came with; empty if there is none.
    const std::string &first() const { return first_; }

private:
    static constexpr int kNobody = -1;
    struct Word {
        int writer = kNobody;
        int reader = kNobody;        ///< The first one.
        int other_reader = kNobody;  ///< The first one that is not `reader`.
    };

    void report(const char *what, const char *name, const char *did, int other);

    int loop_ = -1;
    int task_ = kNobody;
    std::unordered_map<uintptr_t, Word> words_;
    int accesses_ = 0;
    int count_ = 0;
    std::string first_;
};

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_TASK_CONFLICTS_H_
