#include "compiler/tune/trials_csv.h"

#include <fmt/format.h>

namespace sepconv {
namespace {

std::string row_of(const Subject &subject, const Trial &trial, int threads) {
    const double estimate = subject.candidates.estimate(trial.tuning);
    std::string row = fmt::format(
        "\"{}\",{},{},{},{},{},{:.2f},{:.4f},{:.4f},{:.4f},{:.4f}", subject.name(),
        subject.key.first, subject.key.second, threads, describe(trial.tuning), trial.outcome,
        trial.measured.microseconds, trial.of_default, trial.measured.low, trial.measured.high,
        estimate / subject.candidates.estimate(Tuning{}));
    for (const double cycles : subject.candidates.terms(trial.tuning)) {
        row += fmt::format(",{:.0f}", cycles);
    }
    return row + "\n";
}

}  // namespace

std::string trials_csv(const std::vector<Subject> &subjects, const Journal &journal, int threads) {
    std::string text =
        "kernel,hash,isa,threads,tuning,outcome,microseconds,of_default,low,high,estimate";
    for (size_t i = 0; i < kCostTerms; ++i) {
        text += fmt::format(",{}", name_of(static_cast<CostTerm>(i)));
    }
    text += "\n";
    for (const Subject &subject : subjects) {
        Trial whole{subject.key, {}, "default", "", {subject.microseconds, 1, 1, 1}};
        text += row_of(subject, whole, threads);
        for (const Trial &trial : journal.trials()) {
            if (trial.kernel == subject.key) text += row_of(subject, trial, threads);
        }
    }
    return text;
}

}  // namespace sepconv
