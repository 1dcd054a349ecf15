#ifndef SEPCONV_TESTS_FUZZ_CHECK_PLAN_H_
#define SEPCONV_TESTS_FUZZ_CHECK_PLAN_H_

#include <string>

#include "compiler/plan_model.h"
#include "layer/status.h"

namespace sepconv {

/// What is wrong with a plan, or "": more than the runtime takes (sepconv/plan.h), a kernel's
/// argument that reaches outside its buffer or is not alive, an output that is not written, tensors
/// of the arena that overlap while both are alive.
std::string problem_of(const PlannedModel &model);

/// What is wrong with a refusal, or "": a defect of ours, no message, one that is too long for a
/// line or would move a terminal's cursor.
std::string problem_of(const Status &status);

}  // namespace sepconv

#endif  // SEPCONV_TESTS_FUZZ_CHECK_PLAN_H_
