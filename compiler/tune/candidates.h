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
/// default's; those first that estimated_cycles() holds to be fast.
class Candidates {
public:
    /// `block` must outlive it.
    Candidates(const Block &block, const std::string &halide_target);

    /// At most `most`, of all combinations of fields.
    std::vector<Tuning> all(size_t most) const;
    /// Those that change one field of `tuning`, or set it free.
    std::vector<Tuning> neighbours(const Tuning &tuning) const;
    /// What the estimate of a tuning is made of, and their sum.
    CostTerms terms(const Tuning &tuning) const;
    double estimate(const Tuning &tuning) const;

private:
    std::vector<Tuning> distinct(const std::vector<Tuning> &tunings, size_t most) const;

    const Block *block_;
    TargetFacts facts_;
    std::string target_;
};

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_CANDIDATES_H_
