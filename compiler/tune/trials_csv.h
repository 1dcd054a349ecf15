#ifndef SEPCONV_COMPILER_TUNE_TRIALS_CSV_H_
#define SEPCONV_COMPILER_TUNE_TRIALS_CSV_H_

#include <string>
#include <vector>

#include "compiler/tune/journal.h"
#include "compiler/tune/subject.h"

namespace sepconv {

/// A row for each subject's default and for each of its trials: kernel, hash, isa, threads, tuning,
/// outcome, microseconds, of_default (time as a part of the default's), low and high of what was
/// measured, estimate (as a part of the default's), and the terms of the estimate in cycles.
std::string trials_csv(const std::vector<Subject> &subjects, const Journal &journal, int threads);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_TRIALS_CSV_H_
