#include "compiler/plan_model.h"

#include <utility>

#include "compiler/diagnostic.h"
#include "compiler/passes/passes.h"

namespace sepconv {

Result<PlannedModel> plan_graph(Graph graph, Layout edges) {
    const Graph simplified = simplify(std::move(graph));
    if (simplified.budget < 0) return over_budget("the model");
    Result<Plan> plan = lower(simplified, edges);
    if (!plan.ok()) return plan.status();
    PlannedModel model;
    model.plan = std::move(plan).value();
    model.memory = plan_tensors(model.plan);
    return model;
}

Result<PlannedModel> plan_model(std::string_view bytes, const ReadOptions &options, Layout edges) {
    Result<Graph> graph = read_onnx(bytes, options);
    if (!graph.ok()) return graph.status();
    return plan_graph(std::move(graph).value(), edges);
}

Result<PlannedModel> plan_model_file(const std::string &path, const ReadOptions &options,
                                     Layout edges) {
    Result<Graph> graph = read_onnx_file(path, options);
    if (!graph.ok()) return graph.status();
    return plan_graph(std::move(graph).value(), edges);
}

}  // namespace sepconv
