#ifndef SEPCONV_COMPILER_TUNE_SUBJECT_H_
#define SEPCONV_COMPILER_TUNE_SUBJECT_H_

#include <string>
#include <vector>

#include "compiler/plan.h"
#include "compiler/tune/candidates.h"
#include "compiler/tune/table.h"

namespace sepconv {

/// One distinct block of a model: what is tuned.
struct Subject {
    const Kernel *kernel = nullptr;
    KernelKey key;
    Plan plan;  ///< Of it alone.
    Candidates candidates;
    std::string library;      ///< The default's.
    double microseconds = 0;  ///< The default's.
    double calls = 0;         ///< In one run of the model.

    double share() const { return calls * microseconds; }
    const Block &block() const { return std::get<Block>(*kernel); }
    std::string name() const { return plan.blocks[0].kind + " " + plan.blocks[0].shape; }
};

/// The blocks of the plan, which must outlive them; other kernels are not tuned.
std::vector<Subject> subjects_of(const Plan &plan, const std::string &isa,
                                 const std::string &halide_target);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_SUBJECT_H_
