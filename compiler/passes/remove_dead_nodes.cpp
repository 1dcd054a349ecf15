#include <unordered_set>

#include "compiler/passes/passes.h"

namespace sepconv {

Graph remove_dead_nodes(Graph graph) {
    std::unordered_set<std::string> read(graph.outputs.begin(), graph.outputs.end());
    std::vector<Node> kept;
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
        bool needed = false;
        for (const std::string &output : node->outputs) {
            needed = needed || read.count(output) != 0;
        }
        if (needed) {
            read.insert(node->inputs.begin(), node->inputs.end());
            kept.push_back(std::move(*node));
        }
    }
    graph.nodes.assign(std::make_move_iterator(kept.rbegin()),
                       std::make_move_iterator(kept.rend()));

    std::unordered_set<std::string> known(graph.inputs.begin(), graph.inputs.end());
    for (const Node &node : graph.nodes) {
        known.insert(node.outputs.begin(), node.outputs.end());
    }
    for (auto it = graph.values.begin(); it != graph.values.end();) {
        it = known.count(it->first) != 0 ? std::next(it) : graph.values.erase(it);
    }
    for (auto it = graph.constants.begin(); it != graph.constants.end();) {
        it = read.count(it->first) != 0 ? std::next(it) : graph.constants.erase(it);
    }
    return graph;
}

}  // namespace sepconv
