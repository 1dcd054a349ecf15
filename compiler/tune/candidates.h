#ifndef SEPCONV_COMPILER_TUNE_CANDIDATES_H_
#define SEPCONV_COMPILER_TUNE_CANDIDATES_H_

#include <string>
#include <vector>

#include "layer/layer.h"
#include "schedules/cost_model.h"
#include "schedules/target_facts.h"
#include "schedules/tuning.h"

namespace sepconv {

/// Legal tunings of one block for one CPU. No two of them have the same loop nest, and none has the
/// default's.
class Candidates {
public:
    /// `block` must outlive it.
    Candidates(const Block &block, const std::string &halide_target);

    /// Of all combinations of fields the `most` that estimated_cycles() holds to be fastest, the
    /// fastest first.
    std::vector<Tuning> all(size_t most) const;
    /// At most `most` that change one field of `tuning`, or set it free, and are not of a loop nest
    /// that was `tried`: the fields in turn, of each the fastest first, or the many tiles would
    /// leave no room for the other fields.
    std::vector<Tuning> neighbours(const Tuning &tuning, std::vector<Tuning> tried,
                                   size_t most) const;
    /// What the estimate of a tuning is made of, and their sum.
    CostTerms terms(const Tuning &tuning) const;
    double estimate(const Tuning &tuning) const;

private:
    std::vector<Tuning> by_estimate(const std::vector<Tuning> &tunings) const;
    /// The first `most` whose loop nests differ from each other's and from those `tried`.
    std::vector<Tuning> distinct(const std::vector<Tuning> &tunings,
                                 const std::vector<Tuning> &tried, size_t most) const;

    const Block *block_;
    TargetFacts facts_;
    std::string target_;
};

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_CANDIDATES_H_
