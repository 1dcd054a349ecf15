#ifndef SEPCONV_COMPILER_REPORT_H_
#define SEPCONV_COMPILER_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/kernel_builder.h"
#include "compiler/plan.h"
#include "compiler/plan_memory.h"

namespace sepconv {

/// What there is to say about a model; without variants when nothing was compiled (inspect).
struct Report {
    std::string name;
    std::string source;  ///< File name of the model.
    const Plan *plan = nullptr;
    MemoryPlan memory;  ///< With scratch when compiled; else plan_tensors().
    std::vector<Variant> variants;
    int64_t archive_bytes = 0;
};

std::string report_json(const Report &report);
std::string report_html(const Report &report);  ///< One page, nothing loaded from elsewhere.
std::string report_text(const Report &report);  ///< A table for the terminal.

/// The essay's question, for a block that is a depthwise and a pointwise convolution: its MACs over
/// those of one standard convolution, beside 1/out_channels + 1/taps. 0 where there is no pair.
double separable_ratio(const PlanBlock &block);
double predicted_ratio(const PlanBlock &block);

/// MACs for each byte that a block must move at least.
double arithmetic_intensity(const PlanBlock &block);

/// The most scratch that one of the block's steps needs, in the arena.
int64_t scratch_bytes(const Report &report, size_t block);

/// Sum over all blocks.
Cost total_cost(const Plan &plan);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_REPORT_H_
