#ifndef SEPCONV_SCHEDULES_COST_MODEL_H_
#define SEPCONV_SCHEDULES_COST_MODEL_H_

#include <array>

#include "layer/layer.h"
#include "schedules/block_choice.h"
#include "schedules/target_facts.h"

namespace sepconv {

/// What the estimate is a weighted sum of, in cycles of one thread. docs/tuning.md has the
/// formulas.
enum class CostTerm {
    kProject,     ///< Reduction steps of the register tiles.
    kStripInput,  ///< Input read again by every tile of channels, where a strip exceeds L1.
    kWeights,     ///< Packed weights read again by every strip, where they exceed L1.
    kFarWeights,  ///< The same bytes once more, where they exceed L2.
    kDepthwise,   ///< Loads or multiply-adds of the depthwise.
    kBorder,      ///< Multiply-adds of it that test for the border, because no loop is without.
    kCount,
};
constexpr size_t kCostTerms = static_cast<size_t>(CostTerm::kCount);
using CostTerms = std::array<double, kCostTerms>;

/// "project", "strip_input", ...: its column in the CSV of trials.
const char *name_of(CostTerm term);

CostTerms cost_terms(const Block &block, const BlockChoice &choice, const TargetFacts &facts);

/// Cycles of one thread that distinguish one choice for a block from another: an order to try
/// candidates in, not a time.
double estimated_cycles(const Block &block, const BlockChoice &choice, const TargetFacts &facts);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_COST_MODEL_H_
