#include <cmath>
#include <unordered_set>

#include "compiler/passes/graph_index.h"
#include "compiler/passes/passes.h"

namespace sepconv {
namespace {

/// Appends the Mul, named `scale_name`, and the Add that compute `node` (y = x * scale + shift).
void append_affine(Graph &graph, const Node &node, const std::string &scale_name,
                   std::vector<Node> &nodes) {
    const std::vector<float> *parameters[4];
    for (size_t i = 0; i < 4; ++i) {
        parameters[i] = &graph.constant(node.input(i + 1))->floats();
    }
    const auto &[gamma, beta, mean, variance] = parameters;
    const auto epsilon = static_cast<double>(node.attribute("epsilon", 1e-5F));

    Constant scale;
    scale.shape = graph.shape_of(node.input(1));
    scale.shape.resize(graph.shape_of(node.input(0)).size() - 1, 1);
    Constant shift = scale;
    for (size_t c = 0; c < gamma->size(); ++c) {
        const double factor = (*gamma)[c] / std::sqrt((*variance)[c] + epsilon);
        scale.floats().push_back(static_cast<float>(factor));
        shift.floats().push_back(static_cast<float>((*beta)[c] - (*mean)[c] * factor));
    }

    const std::string scaled = unused_name(graph, node.outputs[0] + "_scaled");
    graph.values[scaled] = graph.values[node.outputs[0]];
    const std::string factors = unused_name(graph, node.outputs[0] + "_scale");
    graph.constants[factors] = std::move(scale);
    const std::string shifts = unused_name(graph, node.outputs[0] + "_shift");
    graph.constants[shifts] = std::move(shift);
    nodes.push_back({"Mul", scale_name, {node.input(0), factors}, {scaled}, {}});
    nodes.push_back({"Add", node.name, {scaled, shifts}, {node.outputs[0]}, {}});
}

}  // namespace

Graph lower_batch_normalization(Graph graph) {
    std::vector<Node> nodes;
    std::unordered_set<std::string> names;
    for (const Node &node : graph.nodes) {
        names.insert(node.name);
    }
    for (Node &node : graph.nodes) {
        // Any number of nodes may read the same parameters.
        const bool lowered = node.op == "BatchNormalization" && graph.budget >= 0;
        if (lowered) {
            graph.budget -=
                2 * element_count(graph.shape_of(node.input(1))) * int64_t{sizeof(float)};
            std::string scale_name = node.name + "_scale";
            while (!names.insert(scale_name).second) {
                scale_name += "_";
            }
            append_affine(graph, node, scale_name, nodes);
        } else {
            nodes.push_back(std::move(node));
        }
    }
    graph.nodes = std::move(nodes);
    return remove_dead_nodes(std::move(graph));
}

}  // namespace sepconv
