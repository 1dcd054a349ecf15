#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "compiler/infer_shapes.h"
#include "compiler/passes/graph_index.h"
#include "compiler/passes/passes.h"

namespace sepconv {
namespace {

class Lowerer {
public:
    explicit Lowerer(Graph &graph) : graph_(graph) {
        for (const Node &node : graph.nodes) names_.insert(node.name);
    }

    void run() {
        for (Node &node : graph_.nodes) {
            node_ = &node;
            if (node.op == "Reciprocal") {
                finish("Div", {scalar(1.0F), node.input(0)});
            } else if (node.op == "Pow") {
                lower_power();
            } else if (node.op == "Mean") {
                lower_mean();
            } else if (node.op == "Clip" && node.inputs.size() > 1) {
                lower_clip();
            } else {
                nodes_.push_back(std::move(node));
            }
        }
        graph_.nodes = std::move(nodes_);
    }

private:
    /// x to the power of a multiple of 0.5: squares, multiplied where the exponent has a bit.
    void lower_power() {
        const float exponent = node_->attribute("exponent", 1.0F);
        const float size = std::fabs(exponent);
        std::string product;
        const auto multiply = [&](const std::string &factor) {
            product = product.empty() ? factor : step("Mul", {product, factor});
        };
        std::string square = node_->input(0);
        for (int bits = static_cast<int>(size); bits != 0; bits >>= 1) {
            if ((bits & 1) != 0) multiply(square);
            if (bits > 1) square = step("Mul", {square, square});
        }
        if (size != std::trunc(size)) multiply(step("Sqrt", {node_->input(0)}));
        if (exponent < 0) {
            finish("Div", {scalar(1.0F), product});
        } else {
            rename(product);
        }
    }

    void lower_mean() {
        std::vector<std::string> inputs = node_->inputs;
        std::stable_partition(inputs.begin(), inputs.end(),
                              [&](const std::string &input) { return !graph_.is_constant(input); });
        std::string sum = inputs[0];
        for (size_t i = 1; i < inputs.size(); ++i) sum = step("Add", {sum, inputs[i]});
        finish("Mul", {sum, scalar(1.0F / static_cast<float>(inputs.size()))});
    }

    /// Where the bounds cross the upper one is the result.
    void lower_clip() {
        const std::string &low = node_->input(1);
        const std::string &high = node_->input(2);
        if (high.empty()) {
            finish("Max", {node_->input(0), low});
        } else {
            const std::string &x = node_->input(0);
            finish("Min", {low.empty() ? x : step("Max", {x, low}), high});
        }
    }

    std::string scalar(float value) {
        std::string name = unused_name(graph_, node_->outputs[0] + "_constant");
        graph_.constants[name] = Constant(Shape{}, std::vector<float>{value});
        return name;
    }

    /// Adds a node before what computes the output; returns its value.
    std::string step(const std::string &op, std::vector<std::string> inputs) {
        Shape shape;
        for (const std::string &input : inputs) {
            broadcast_shapes(Shape(shape), graph_.shape_of(input), shape);
        }
        std::string value = unused_name(graph_, node_->outputs[0] + "_" + op);
        graph_.values[value] = Value{ElementType::kFloat, shape};
        std::string name = node_->name + "_" + op;
        while (!names_.insert(name).second) name += "_";
        nodes_.push_back({op, name, std::move(inputs), {value}, {}});
        return value;
    }

    void finish(const std::string &op, std::vector<std::string> inputs) {
        nodes_.push_back({op, node_->name, std::move(inputs), {node_->outputs[0]}, {}});
    }

    /// The last step's value becomes the node's output.
    void rename(const std::string &value) {
        graph_.values.erase(value);
        nodes_.back().outputs[0] = node_->outputs[0];
        nodes_.back().name = node_->name;
    }

    Graph &graph_;
    const Node *node_ = nullptr;  ///< That is being lowered.
    std::vector<Node> nodes_;
    std::unordered_set<std::string> names_;
};

}  // namespace

Graph lower_arithmetic(Graph graph) {
    Lowerer(graph).run();
    return graph;
}

}  // namespace sepconv
