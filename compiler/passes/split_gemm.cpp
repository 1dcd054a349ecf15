#include <algorithm>

#include "compiler/passes/graph_index.h"
#include "compiler/passes/passes.h"

namespace sepconv {
namespace {

/// beta * C
Constant scaled(const Constant &c, float beta) {
    Constant result = c;
    for (float &value : result.floats()) value *= beta;
    return result;
}

/// Appends the Gemm without its third input, and the Add of what that was.
void append_split(Graph &graph, Node gemm, std::vector<Node> &nodes) {
    const std::string sum = gemm.outputs[0];
    const float beta = gemm.attribute("beta", 1.0F);
    std::string c = gemm.input(2);
    gemm.inputs.resize(2);
    if (beta == 0.0F) {
        nodes.push_back(std::move(gemm));
        return;
    }
    const auto value_named = [&](const char *suffix, const Shape &shape) {
        std::string name = unused_name(graph, sum + suffix);
        graph.values[name].shape = shape;
        return name;
    };
    const std::string product = value_named("_product", graph.shape_of(sum));
    gemm.outputs = {product};
    const std::string name = gemm.name;
    nodes.push_back(std::move(gemm));
    if (beta != 1.0F && graph.is_constant(c)) {
        graph.budget -= element_count(graph.shape_of(c)) * int64_t{sizeof(float)};
        const std::string scaled_c = unused_name(graph, sum + "_c");
        graph.constants[scaled_c] = scaled(*graph.constant(c), beta);
        c = scaled_c;
    } else if (beta != 1.0F) {
        const std::string factor = unused_name(graph, sum + "_beta");
        Constant &constant = graph.constants[factor];
        constant.floats().push_back(beta);
        const std::string scaled_c = value_named("_c", graph.shape_of(c));
        nodes.push_back({"Mul", name, {c, factor}, {scaled_c}, {}});
        c = scaled_c;
    }
    nodes.push_back({"Add", name, {product, c}, {sum}, {}});
}

}  // namespace

bool adds_per_column(const Graph &graph, const Node &gemm) {
    if (gemm.input(2).empty()) return true;
    const Shape &c = graph.shape_of(gemm.input(2));
    return graph.is_constant(gemm.input(2)) &&
           std::all_of(c.begin(), c.empty() ? c.end() : c.end() - 1,
                       [](int64_t extent) { return extent == 1; });
}

Graph split_gemm(Graph graph) {
    std::vector<Node> nodes;
    for (Node &node : graph.nodes) {
        if (node.op == "Gemm" && graph.budget >= 0 && !adds_per_column(graph, node)) {
            append_split(graph, std::move(node), nodes);
        } else {
            nodes.push_back(std::move(node));
        }
    }
    graph.nodes = std::move(nodes);
    return remove_dead_nodes(std::move(graph));
}

}  // namespace sepconv
