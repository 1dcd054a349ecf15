#include <cmath>
#include <optional>

#include "compiler/passes/graph_index.h"
#include "compiler/passes/passes.h"

namespace sepconv {
namespace {

/// Exporters write 1/6 or sqrt(2) with 6 digits or more.
bool near(double value, double expected) {
    return std::fabs(value - expected) <= 1e-5 * std::fabs(expected);
}

/// coefficient * product of factors; at most two of them.
struct Product {
    double coefficient = 1.0;
    std::vector<std::string> factors;
};

class Recogniser {
public:
    explicit Recogniser(Graph &graph) : graph_(graph), index_(graph) {}

    void run() {
        for (Node &node : graph_.nodes) {
            if (node.op == "Mul" || node.op == "Div") {
                search({1.0, {node.outputs[0]}}, node, kDepth);
            }
        }
    }

private:
    // Gelu is a product of three Muls at most.
    static constexpr int kDepth = 3;

    /// Expands the products that stand for the node's value until one is an activation.
    bool search(const Product &product, Node &node, int depth) {
        if (product.factors.size() <= 2 && rewrite(product, node)) {
            return true;
        }
        for (size_t i = 0; i < product.factors.size() && depth > 0; ++i) {
            const std::optional<Product> expanded = expand(product, i);
            if (expanded && expanded->factors.size() <= 2 && search(*expanded, node, depth - 1)) {
                return true;
            }
        }
        return false;
    }

    std::optional<Product> expand(const Product &product, size_t at) const {
        const Node *node = producer(product.factors[at]);
        if (node == nullptr || (node->op != "Mul" && node->op != "Div")) {
            return std::nullopt;
        }
        Product result{product.coefficient, {}};
        for (size_t i = 0; i < product.factors.size(); ++i) {
            if (i != at) {
                result.factors.push_back(product.factors[i]);
            }
        }
        for (size_t i = 0; i < 2; ++i) {
            const float *scalar = scalar_of(graph_, node->input(i));
            if (node->op == "Div" && i == 1) {
                if (scalar == nullptr || *scalar == 0.0F) {
                    return std::nullopt;
                }
                result.coefficient /= *scalar;
            } else if (scalar != nullptr) {
                result.coefficient *= *scalar;
            } else {
                result.factors.push_back(node->input(i));
            }
        }
        return result;
    }

    bool rewrite(const Product &product, Node &node) {
        const double k = product.coefficient;
        if (product.factors.size() == 1 && near(k * 6.0, 1.0)) {
            const std::string x = shifted_relu6(product.factors[0]);
            return !x.empty() && become(node, "HardSigmoid", x);
        }
        if (product.factors.size() != 2) {
            return false;
        }
        for (const size_t i : {size_t{0}, size_t{1}}) {
            const std::string &x = product.factors[i];
            const std::string &gate = product.factors[1 - i];
            if ((near(k * 6.0, 1.0) && shifted_relu6(gate) == x) ||
                (near(k, 1.0) && hard_swish_gate(gate) == x)) {
                return become(node, "HardSwish", x);
            }
            if (near(k, 1.0) && sigmoid(gate) == x) {
                return become(node, "Silu", x);
            }
            if (near(k, 0.5) && gelu_gate(gate) == x) {
                return become(node, "Gelu", x);
            }
        }
        return false;
    }

    bool become(Node &node, const std::string &op, const std::string &x) {
        // A constant of higher rank may have broadcast x.
        if (graph_.shape_of(x) != graph_.shape_of(node.outputs[0])) {
            return false;
        }
        node.op = op;
        node.inputs = {x};
        node.attributes.clear();
        if (op == "HardSigmoid") {
            node.attributes["alpha"] = 1.0F / 6.0F;
            node.attributes["beta"] = 0.5F;
        } else if (op == "Gelu") {
            node.attributes["approximate"] = std::string("none");
        }
        return true;
    }

    // Each of the following returns x where `value` is the named function of x, else "".

    /// min(max(x + 3, 0), 6)
    std::string shifted_relu6(const std::string &value) const {
        const Node *clip = producer(value, "Clip");
        if (clip == nullptr || clip->attribute("min", -1.0F) != 0.0F ||
            clip->attribute("max", 0.0F) != 6.0F) {
            return "";
        }
        return plus(clip->input(0), 3.0);
    }

    /// min(max(x / 6 + 1 / 2, 0), 1)
    std::string hard_swish_gate(const std::string &value) const {
        const Node *gate = producer(value, "HardSigmoid");
        const bool fits = gate != nullptr && near(gate->attribute("alpha", 0.0F) * 6.0, 1.0) &&
                          near(gate->attribute("beta", 0.0F), 0.5);
        return fits ? gate->input(0) : "";
    }

    std::string sigmoid(const std::string &value) const {
        const Node *gate = producer(value, "Sigmoid");
        return gate != nullptr ? gate->input(0) : "";
    }

    /// 1 + erf(x / sqrt(2))
    std::string gelu_gate(const std::string &value) const {
        const std::string sum = plus(value, 1.0);
        const Node *erf = sum.empty() ? nullptr : producer(sum, "Erf");
        if (erf == nullptr) {
            return "";
        }
        const std::optional<Product> scaled = expand({1.0, {erf->input(0)}}, 0);
        const bool fits = scaled && scaled->factors.size() == 1 &&
                          near(scaled->coefficient * std::sqrt(2.0), 1.0);
        return fits ? scaled->factors[0] : "";
    }

    /// x + addend, in either order.
    std::string plus(const std::string &value, double addend) const {
        const Node *add = producer(value, "Add");
        for (size_t i = 0; add != nullptr && i < 2; ++i) {
            const float *scalar = scalar_of(graph_, add->input(i));
            if (scalar != nullptr && near(*scalar, addend)) {
                return add->input(1 - i);
            }
        }
        return "";
    }

    const Node *producer(const std::string &value, const char *op = nullptr) const {
        const int index = index_.producer(value);
        const Node *node = index < 0 ? nullptr : &graph_.nodes[static_cast<size_t>(index)];
        return node != nullptr && (op == nullptr || node->op == op) ? node : nullptr;
    }

    Graph &graph_;
    GraphIndex index_;  ///< Of the graph as it came; a rewritten node keeps its place and output.
};

}  // namespace

Graph recognise_activations(Graph graph) {
    Recogniser(graph).run();
    return remove_dead_nodes(std::move(graph));
}

}  // namespace sepconv
