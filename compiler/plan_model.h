#ifndef SEPCONV_COMPILER_PLAN_MODEL_H_
#define SEPCONV_COMPILER_PLAN_MODEL_H_

#include <string>
#include <string_view>

#include "compiler/graph.h"
#include "compiler/lower.h"
#include "compiler/plan.h"
#include "compiler/plan_memory.h"
#include "compiler/read_onnx.h"
#include "layer/status.h"

namespace sepconv {

/// A model before any of its kernels is compiled.
struct PlannedModel {
    Plan plan;
    MemoryPlan memory;  ///< plan_tensors() of it.
};

/// All that is done with untrusted bytes before a kernel is compiled or a file written:
/// read_onnx(), simplify(), lower(), plan_tensors(). What a model may cost here is in limits.h.
Result<PlannedModel> plan_model(std::string_view bytes, const ReadOptions &options, Layout edges);

/// The same of a file, in whose folder external data may lie.
Result<PlannedModel> plan_model_file(const std::string &path, const ReadOptions &options,
                                     Layout edges);

/// The same behind read_onnx().
Result<PlannedModel> plan_graph(Graph graph, Layout edges);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_PLAN_MODEL_H_
