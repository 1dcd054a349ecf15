#include "compiler/passes/graph_index.h"

namespace sepconv {

GraphIndex::GraphIndex(const Graph &graph) : outputs_(graph.outputs.begin(), graph.outputs.end()) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
        for (const std::string &output : graph.nodes[i].outputs) {
            producers_.emplace(output, static_cast<int>(i));
        }
        for (const std::string &input : graph.nodes[i].inputs) {
            readers_[input].push_back(static_cast<int>(i));
        }
    }
}

int GraphIndex::producer(const std::string &value) const {
    const auto found = producers_.find(value);
    return found == producers_.end() ? -1 : found->second;
}

int GraphIndex::sole_reader(const std::string &value) const {
    const std::vector<int> &nodes = readers(value);
    return nodes.size() == 1 && !is_output(value) ? nodes[0] : -1;
}

const std::vector<int> &GraphIndex::readers(const std::string &value) const {
    static const std::vector<int> none;
    const auto found = readers_.find(value);
    return found == readers_.end() ? none : found->second;
}

std::string unused_name(const Graph &graph, std::string base) {
    while (graph.values.count(base) != 0 || graph.constants.count(base) != 0) {
        base += "_";
    }
    return base;
}

const float *scalar_of(const Graph &graph, const std::string &value) {
    const Constant *constant = graph.constant(value);
    const bool scalar = constant != nullptr && constant->type() == ElementType::kFloat &&
                        constant->floats().size() == 1;
    return scalar ? constant->floats().data() : nullptr;
}

}  // namespace sepconv
