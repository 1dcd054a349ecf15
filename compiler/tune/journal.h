#ifndef SEPCONV_COMPILER_TUNE_JOURNAL_H_
#define SEPCONV_COMPILER_TUNE_JOURNAL_H_

#include <string>
#include <vector>

#include "compiler/tune/measure.h"
#include "compiler/tune/table.h"

namespace sepconv {

/// What became of one candidate.
struct Trial {
    KernelKey kernel;
    Tuning tuning;
    std::string outcome;    ///< "best" (so far), "slower", "same" (object) or "dropped".
    std::string detail;     ///< Why it was dropped.
    Measurement measured;   ///< Against the best so far; of a best one against the default.
    double of_default = 1;  ///< Its time as a part of the default's.
};

/// The trials of a tuning run, a line of JSON each behind a first line that says what they depend
/// on. A line that a killed run left half written does not count.
class Journal {
public:
    /// Goes on with the file if its first line is `head`, else begins it anew.
    static Result<Journal> open(const std::string &path, const std::string &head);

    const std::vector<Trial> &trials() const { return trials_; }
    const Trial *find(const KernelKey &kernel, const Tuning &tuning) const;
    /// The newest best of a kernel; null: its default.
    const Trial *best_of(const KernelKey &kernel) const;
    /// On disk when this returns.
    Status add(const Trial &trial);

private:
    explicit Journal(std::string path) : path_(std::move(path)) {}

    std::string path_;
    std::vector<Trial> trials_;
};

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_JOURNAL_H_
