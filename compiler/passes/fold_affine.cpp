#include <algorithm>
#include <cmath>
#include <optional>

#include "compiler/passes/graph_index.h"
#include "compiler/passes/passes.h"

namespace sepconv {
namespace {

using Doubles = std::vector<double>;

/// y = x * scale + shift, one pair for each output channel.
struct Affine {
    Doubles scale, shift;
};

/// Where the channels of an output and of the weights lie.
struct Layout {
    size_t output_axis = 1;  ///< Axis of the output that is its channels.
    size_t channels = 0;
};

std::optional<Layout> layout_of(const Graph &graph, const Node &node) {
    const Shape &output = graph.shape_of(node.outputs[0]);
    const Constant *weights = graph.constant(node.input(1));
    if (weights == nullptr || output.size() < 2) {
        return std::nullopt;
    }
    if (node.op == "Conv" || node.op == "ConvTranspose") {
        return Layout{1, static_cast<size_t>(output[1])};
    }
    // A stack of matrices has no one channel axis in its weights.
    if ((node.op == "MatMul" && weights->shape.size() == 2) || node.op == "Gemm") {
        return Layout{output.size() - 1, static_cast<size_t>(output.back())};
    }
    return std::nullopt;
}

/// The output channel that weight number `i` belongs to.
size_t channel_of(const Node &node, const Shape &weights, size_t channels, size_t i) {
    if (node.op == "Conv") {
        return i / (static_cast<size_t>(element_count(weights)) / channels);
    }
    if (node.op == "ConvTranspose") {
        const auto group = static_cast<size_t>(node.attribute("group", int64_t{1}));
        const auto per_input = static_cast<size_t>(element_count(weights) / weights[0]);
        const size_t per_group = channels / group;
        const size_t inputs_per_group = static_cast<size_t>(weights[0]) / group;
        const size_t taps = per_input / per_group;
        return i / per_input / inputs_per_group * per_group + i % per_input / taps;
    }
    const auto columns = static_cast<size_t>(weights[1]);
    return node.op == "Gemm" && node.attribute("transB", int64_t{0}) != 0 ? i / columns
                                                                          : i % columns;
}

/// A constant operand as one number a channel, if it is a scalar or per channel and does not
/// enlarge the output.
std::optional<Doubles> per_channel(const Graph &graph, const std::string &value,
                                   const Shape &output, const Layout &layout) {
    const Constant *constant = graph.constant(value);
    if (constant == nullptr || constant->shape.size() > output.size()) {
        return std::nullopt;
    }
    const size_t lead = output.size() - constant->shape.size();
    for (size_t i = 0; i < constant->shape.size(); ++i) {
        if (constant->shape[i] != 1 && i + lead != layout.output_axis) {
            return std::nullopt;
        }
    }
    Doubles numbers(constant->floats().begin(), constant->floats().end());
    if (numbers.size() == 1) {
        numbers.resize(layout.channels, numbers[0]);
    }
    return numbers.size() == layout.channels ? std::optional(numbers) : std::nullopt;
}

/// Applies the operator `node` with operand `v`, which stands on the left if `reversed`.
bool compose(const std::string &op, const Doubles &v, bool reversed, Affine &affine) {
    for (size_t c = 0; c < v.size(); ++c) {
        double &scale = affine.scale[c];
        double &shift = affine.shift[c];
        if (op == "Add") {
            shift += v[c];
        } else if (op == "Sub") {
            scale = reversed ? -scale : scale;
            shift = reversed ? v[c] - shift : shift - v[c];
        } else if (op == "Mul" || (op == "Div" && !reversed && v[c] != 0.0)) {
            const double factor = op == "Mul" ? v[c] : 1.0 / v[c];
            scale *= factor;
            shift *= factor;
        } else {
            return false;
        }
    }
    return true;
}

bool is_zero(const Doubles &numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](double x) { return x == 0.0; });
}

bool all_finite(const std::vector<float> &numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
}

class AffineFolder {
public:
    explicit AffineFolder(Graph graph)
        : graph_(std::move(graph)), index_(graph_), removed_(graph_.nodes.size(), false) {}

    Graph run() {
        for (Node &node : graph_.nodes) {
            if (const std::optional<Layout> layout = layout_of(graph_, node)) {
                while (fold_reader(node, *layout)) {
                }
            }
        }
        std::vector<Node> kept;
        for (size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (!removed_[i]) {
                kept.push_back(std::move(graph_.nodes[i]));
            }
        }
        graph_.nodes = std::move(kept);
        return remove_dead_nodes(std::move(graph_));
    }

private:
    /// Takes so many numbers' bytes from the budget; false, and the graph is to be refused, when
    /// there are fewer. A constant may have any number of readers, of which each gets a copy.
    bool claim(size_t numbers) {
        graph_.budget -= static_cast<int64_t>(numbers * sizeof(double));
        return graph_.budget >= 0;
    }

    /// Folds the row of affine operators behind `node`; false if there is none that can be.
    bool fold_reader(Node &node, const Layout &layout) {
        if (index_.sole_reader(node.outputs[0]) < 0 || !claim(2 * layout.channels)) return false;
        Affine affine{Doubles(layout.channels, 1.0), Doubles(layout.channels, 0.0)};
        const Shape shape = graph_.shape_of(node.outputs[0]);
        std::vector<int> row;
        std::string last = node.outputs[0];
        for (int reader = index_.sole_reader(last); reader >= 0;
             reader = index_.sole_reader(last)) {
            const Node &next = graph_.nodes[static_cast<size_t>(reader)];
            if (!claim(4 * layout.channels)) return false;
            Affine extended = affine;
            if (!extend(next, last, shape, layout, extended) || !can_hold(node, extended)) {
                break;
            }
            affine = std::move(extended);
            row.push_back(reader);
            last = next.outputs[0];
        }
        if (row.empty() || !apply(node, layout, affine)) {
            return false;
        }
        for (const int reader : row) {
            removed_[static_cast<size_t>(reader)] = true;
        }
        node.outputs[0] = last;
        return true;
    }

    bool extend(const Node &next, const std::string &value, const Shape &shape,
                const Layout &layout, Affine &affine) const {
        if (next.inputs.size() != 2 || graph_.shape_of(next.outputs[0]) != shape) {
            return false;
        }
        const bool reversed = next.inputs[1] == value;
        const std::optional<Doubles> operand =
            per_channel(graph_, next.inputs[reversed ? 0 : 1], shape, layout);
        return operand && compose(next.op, *operand, reversed, affine);
    }

    /// MatMul takes a shift only where it can become a Gemm; Gemm only if its own third input is
    /// one number a column.
    bool can_hold(const Node &node, const Affine &affine) const {
        if (node.op == "MatMul") {
            return is_zero(affine.shift) || graph_.shape_of(node.input(0)).size() == 2;
        }
        if (node.op == "Gemm" && !node.input(2).empty()) {
            return bias_of(node, affine.scale.size()).has_value();
        }
        return true;
    }

    /// The node's own bias, beta included.
    std::optional<Doubles> bias_of(const Node &node, size_t channels) const {
        if (node.input(2).empty()) {
            return Doubles(channels, 0.0);
        }
        if (node.op != "Gemm") {
            const std::vector<float> &floats = graph_.constant(node.input(2))->floats();
            return Doubles(floats.begin(), floats.end());
        }
        const Layout layout{1, channels};
        std::optional<Doubles> bias =
            per_channel(graph_, node.input(2), graph_.shape_of(node.outputs[0]), layout);
        if (bias) {
            const auto beta = static_cast<double>(node.attribute("beta", 1.0F));
            std::for_each(bias->begin(), bias->end(), [beta](double &x) { x *= beta; });
        }
        return bias;
    }

    bool apply(Node &node, const Layout &layout, const Affine &affine) {
        if (!claim(graph_.constant(node.input(1))->floats().size() + 2 * layout.channels))
            return false;
        const std::optional<Doubles> bias = bias_of(node, layout.channels);
        Constant weights = *graph_.constant(node.input(1));
        for (size_t i = 0; i < weights.floats().size(); ++i) {
            const size_t channel = channel_of(node, weights.shape, layout.channels, i);
            weights.floats()[i] = static_cast<float>(weights.floats()[i] * affine.scale[channel]);
        }
        Constant sum;
        sum.shape = {static_cast<int64_t>(layout.channels)};
        for (size_t c = 0; bias && c < layout.channels; ++c) {
            sum.floats().push_back(
                static_cast<float>((*bias)[c] * affine.scale[c] + affine.shift[c]));
        }
        // Infinite weights would turn zeros into NaN.
        if (!bias || !all_finite(weights.floats()) || !all_finite(sum.floats())) {
            return false;
        }
        const bool shifts = !node.input(2).empty() || !is_zero(affine.shift);
        if (!is_one(affine.scale)) {
            replace_constant(node, 1, std::move(weights), "_weights");
        }
        if (node.op == "MatMul" && shifts) {
            node.op = "Gemm";
            node.attributes = {
                {"alpha", 1.0F}, {"beta", 1.0F}, {"transA", int64_t{0}}, {"transB", int64_t{0}}};
        }
        if (shifts) {
            if (node.op == "Gemm") {
                node.attributes["beta"] = 1.0F;
            }
            replace_constant(node, 2, std::move(sum), "_bias");
        }
        return true;
    }

    static bool is_one(const Doubles &numbers) {
        return std::all_of(numbers.begin(), numbers.end(), [](double x) { return x == 1.0; });
    }

    void replace_constant(Node &node, size_t input, Constant value, const std::string &suffix) {
        const std::string name = unused_name(graph_, node.name + suffix);
        graph_.constants[name] = std::move(value);
        if (node.inputs.size() <= input) {
            node.inputs.resize(input + 1);
        } else if (index_.reads(node.inputs[input]) == 1) {
            graph_.constants.erase(node.inputs[input]);
        }
        node.inputs[input] = name;
    }

    Graph graph_;
    GraphIndex index_;  ///< Of the graph as it came; folded nodes only take later outputs over.
    std::vector<bool> removed_;
};

}  // namespace

Graph fold_affine(Graph graph) {
    return AffineFolder(std::move(graph)).run();
}

}  // namespace sepconv
