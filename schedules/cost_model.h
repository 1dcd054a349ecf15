#ifndef SEPCONV_SCHEDULES_COST_MODEL_H_
#define SEPCONV_SCHEDULES_COST_MODEL_H_

#include <string>

#include "layer/layer.h"
#include "schedules/tuning.h"

namespace sepconv {

/// Cycles of one thread for a block under a legal tuning: an order to try candidates in, not a
/// time. The formula stands in docs/tuning.md.
double estimated_cycles(const Block &block, const Tuning &tuning, const std::string &halide_target);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_COST_MODEL_H_
