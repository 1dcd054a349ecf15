#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "compiler/fuse.h"
#include "compiler/infer_shapes.h"
#include "compiler/passes/graph_index.h"
#include "compiler/passes/passes.h"

namespace sepconv {
namespace {

class Sinker {
public:
    explicit Sinker(Graph &graph) : graph_(graph), index_(graph) {
        for (const Node &node : graph.nodes) {
            names_.insert(node.name);
            elementwise_.push_back(is_elementwise(node));
        }
    }

    void run() {
        std::vector<Node> nodes;
        for (Node &node : graph_.nodes) {
            std::optional<Node> expand;
            if (node.op == "Expand") {
                sources_[node.outputs[0]] = node.input(0);
            } else if (is_elementwise(node) && node.outputs.size() == 1) {
                expand = pass_by(node);
            }
            nodes.push_back(std::move(node));
            if (expand) nodes.push_back(std::move(*expand));
        }
        graph_.nodes = std::move(nodes);
    }

private:
    /// Lets the node read what its inputs expand. Where it then makes less, returns the Expand that
    /// is to follow it.
    std::optional<Node> pass_by(Node &node) {
        std::vector<std::string> inputs = node.inputs;
        for (std::string &input : inputs) {
            if (const auto found = sources_.find(input); found != sources_.end()) {
                input = found->second;
            }
        }
        if (inputs == node.inputs) return std::nullopt;
        Shape shape;
        for (const std::string &input : inputs) {
            broadcast_shapes(Shape(shape), graph_.shape_of(input), shape);
        }
        const std::string output = node.outputs[0];
        if (shape != graph_.shape_of(output)) return sunk(node, inputs, shape);
        node.inputs = std::move(inputs);
        return std::nullopt;
    }

    /// Computes a node whose inputs are all expanded on the unexpanded values, and returns the
    /// Expand of its result.
    std::optional<Node> sunk(Node &node, std::vector<std::string> &inputs, const Shape &shape) {
        const std::string output = node.outputs[0];
        if (!only_elementwise_reads(output)) return std::nullopt;
        node.inputs = std::move(inputs);
        node.outputs[0] = unused_name(graph_, output + "_small");
        graph_.values[node.outputs[0]] = Value{graph_.values[output].type, shape};
        sources_[output] = node.outputs[0];
        Node expand{"Expand", node.name + "_expand", {node.outputs[0]}, {output}, {}};
        while (!names_.insert(expand.name).second) expand.name += "_";
        return expand;
    }

    bool only_elementwise_reads(const std::string &value) const {
        const std::vector<int> &readers = index_.readers(value);
        return !index_.is_output(value) &&
               std::all_of(readers.begin(), readers.end(),
                           [&](int node) { return elementwise_[static_cast<size_t>(node)]; });
    }

    Graph &graph_;
    const GraphIndex index_;
    std::vector<bool> elementwise_;  ///< Of each node that index_ names.
    std::unordered_set<std::string> names_;
    std::unordered_map<std::string, std::string> sources_;  ///< What an Expand's result expands.
};

}  // namespace

Graph sink_expands(Graph graph) {
    const bool any = std::any_of(graph.nodes.begin(), graph.nodes.end(),
                                 [](const Node &node) { return node.op == "Expand"; });
    if (!any) return graph;
    Sinker(graph).run();
    return remove_dead_nodes(std::move(graph));
}

}  // namespace sepconv
