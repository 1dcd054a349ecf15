#include "compiler/fuse.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace sepconv {
namespace {

const std::map<std::string, Op> &elementwise_operators() {
    static const std::map<std::string, Op> operators = {{"Relu", Op::kRelu},
                                                        {"Clip", Op::kClip},
                                                        {"LeakyRelu", Op::kLeakyRelu},
                                                        {"HardSigmoid", Op::kHardSigmoid},
                                                        {"HardSwish", Op::kHardSwish},
                                                        {"Sigmoid", Op::kSigmoid},
                                                        {"Tanh", Op::kTanh},
                                                        {"Silu", Op::kSilu},
                                                        {"Gelu", Op::kGelu},
                                                        {"Erf", Op::kErf},
                                                        {"Exp", Op::kExp},
                                                        {"Sqrt", Op::kSqrt},
                                                        {"Abs", Op::kAbs},
                                                        {"Neg", Op::kNegate},
                                                        {"Add", Op::kAdd},
                                                        {"Sum", Op::kAdd},
                                                        {"Sub", Op::kSubtract},
                                                        {"Mul", Op::kMultiply},
                                                        {"Div", Op::kDivide},
                                                        {"Min", Op::kMinimum},
                                                        {"Max", Op::kMaximum},
                                                        {"PRelu", Op::kPRelu}};
    return operators;
}

Elementwise unary_step(const Node &node, Op op) {
    Elementwise step;
    step.op = op;
    if (op == Op::kClip) {
        step.alpha = node.attribute("min", 0.0F), step.beta = node.attribute("max", 0.0F);
    } else if (op == Op::kLeakyRelu) {
        step.alpha = node.attribute("alpha", 0.01F);
    } else if (op == Op::kHardSigmoid) {
        step.alpha = node.attribute("alpha", 0.2F), step.beta = node.attribute("beta", 0.5F);
    } else if (op == Op::kGelu && node.attribute("approximate", std::string("none")) == "tanh") {
        step.op = Op::kGeluTanh;
    }
    return step;
}

/// How an operand of shape `operand` meets a running value of shape `shape`.
Operand classify(const Graph &graph, const std::string &name, const Shape &shape, int channel_axis,
                 bool tensors) {
    const Shape &operand = graph.shape_of(name);
    const bool constant = graph.is_constant(name);
    if (constant && element_count(operand) == 1) return Operand::kScalar;
    if (operand.size() > shape.size()) return Operand::kNone;
    const size_t missing = shape.size() - operand.size();
    bool per_channel = true;
    for (size_t d = 0; d < shape.size(); d++) {
        const int64_t extent = d < missing ? 1 : operand[d - missing];
        const bool free = static_cast<int>(d) == channel_axis;
        const bool batch = d == 0 && shape.size() > 2 && !constant;
        if (free || batch) per_channel = per_channel && extent == shape[d];
        if (!free && !batch) per_channel = per_channel && extent == 1;
    }
    if (per_channel && (constant || missing == 0)) return Operand::kChannel;
    if (tensors && operand == shape) return Operand::kTensor;
    return Operand::kNone;
}

class Fuser {
public:
    explicit Fuser(const Graph &graph) : graph_(graph), claimed_(graph.nodes.size(), false) {
        for (size_t i = 0; i < graph.nodes.size(); i++) {
            for (const std::string &input : graph.nodes[i].inputs) {
                uses_[input]++;
                consumer_[input] = static_cast<int>(i);
            }
        }
        for (const std::string &output : graph.outputs) uses_[output] += 2;
    }

    std::vector<Group> run() {
        std::vector<Group> groups;
        for (int i = 0; i < static_cast<int>(graph_.nodes.size()); i++) {
            if (claimed_[i]) continue;
            groups.push_back(group_at(i));
            for (int node : groups.back().nodes) claimed_[node] = true;
        }
        std::stable_sort(groups.begin(), groups.end(), [](const Group &a, const Group &b) {
            return a.nodes.back() < b.nodes.back();
        });
        return groups;
    }

private:
    /// The only node that reads the group's output, or -1.
    int sole_consumer(const std::string &value) const {
        auto uses = uses_.find(value);
        if (uses == uses_.end() || uses->second != 1) return -1;
        const int node = consumer_.at(value);
        return claimed_[node] ? -1 : node;
    }

    /// Extends the group by elementwise nodes while one reads its output alone.
    void chain(Group &group, FusedSteps &steps, int channel_axis, bool tensors) const {
        for (int next = sole_consumer(group.output); next >= 0;
             next = sole_consumer(group.output)) {
            const Node &node = graph_.nodes[next];
            std::optional<FusedSteps> more = as_steps(
                graph_, node, group.output, graph_.shape_of(group.output), channel_axis, tensors);
            if (!more) return;
            steps.insert(steps.end(), more->begin(), more->end());
            group.nodes.push_back(next);
            group.output = node.outputs[0];
        }
    }

    Group group_at(int index) {
        const Node &node = graph_.nodes[index];
        Group group;
        group.anchor = index;
        group.nodes = {index};
        group.output = node.outputs[0];
        const int rank = static_cast<int>(graph_.shape_of(group.output).size());
        if (is_depthwise(graph_, node)) return depthwise_group(group);
        if (std::optional<Group> inverted = inverted_group(group)) return *inverted;
        if (node.op == "Conv" || node.op == "ConvTranspose") {
            chain(group, group.epilogue, 1, true);
        } else if (node.op == "Gemm" || node.op == "MatMul") {
            chain(group, group.epilogue, rank - 1, rank == 2);
        } else if (is_image_operator(node) && rank == 4) {
            chain(group, group.epilogue, 1, false);
            drop_gates(group);
        } else if (elementwise_operators().count(node.op) != 0) {
            chain(group, group.epilogue, rank >= 3 ? 1 : rank - 1, true);
        }
        return group;
    }

    static bool is_image_operator(const Node &node) {
        static const std::set<std::string> operators = {
            "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Resize"};
        return operators.count(node.op) != 0;
    }

    /// Pools and resizes take constants only.
    void drop_gates(Group &group) const {
        for (const FusedStep &fused : group.epilogue) {
            if (fused.operand.empty() || graph_.is_constant(fused.operand)) continue;
            group.nodes.resize(1);
            group.epilogue.clear();
            group.output = graph_.nodes[group.anchor].outputs[0];
            return;
        }
    }

    /// Pointwise > depthwise > pointwise, each read by the next alone.
    std::optional<Group> inverted_group(const Group &alone) const {
        if (!is_pointwise(graph_, graph_.nodes[alone.anchor])) return std::nullopt;
        Group front = alone;
        chain(front, front.expand_epilogue, 1, false);
        const int next = sole_consumer(front.output);
        if (next < 0 || !is_depthwise(graph_, graph_.nodes[next])) return std::nullopt;
        const Node &depthwise = graph_.nodes[next];
        const Shape &weights = graph_.shape_of(depthwise.input(1));
        if (weights[0] != graph_.shape_of(front.output)[1]) return std::nullopt;
        front.expand = front.anchor;
        front.anchor = next;
        front.nodes.push_back(next);
        front.output = depthwise.outputs[0];
        Group group = depthwise_group(front);
        if (group.project < 0) return std::nullopt;
        return group;
    }

    Group depthwise_group(const Group &alone) const {
        Group group = alone;
        chain(group, group.epilogue, 1, false);
        const int next = sole_consumer(group.output);
        if (next >= 0 && is_pointwise(graph_, graph_.nodes[next]) &&
            graph_.nodes[next].input(0) == group.output) {
            group.project = next;
            group.nodes.push_back(next);
            group.output = graph_.nodes[next].outputs[0];
            chain(group, group.project_epilogue, 1, true);
            return group;
        }
        group = alone;
        chain(group, group.epilogue, 1, true);
        return group;
    }

    const Graph &graph_;
    std::vector<bool> claimed_;
    std::unordered_map<std::string, int> uses_;
    std::unordered_map<std::string, int> consumer_;
};

}  // namespace

bool is_depthwise(const Graph &graph, const Node &node) {
    if (node.op != "Conv" || !graph.is_constant(node.input(1))) return false;
    const int64_t group = node.attribute("group", int64_t{1});
    return group > 1 && group == graph.shape_of(node.input(0))[1] &&
           graph.shape_of(node.input(0)).size() == 4;
}

bool is_pointwise(const Graph &graph, const Node &node) {
    if (node.op != "Conv" || !graph.is_constant(node.input(1))) return false;
    const std::vector<int64_t> none;
    const auto all = [&](const char *key, int64_t wanted) {
        const std::vector<int64_t> values = node.attribute(key, none);
        return std::all_of(values.begin(), values.end(),
                           [&](int64_t value) { return value == wanted; });
    };
    return node.attribute("group", int64_t{1}) == 1 && all("kernel_shape", 1) &&
           all("strides", 1) && all("pads", 0);
}

std::optional<FusedSteps> as_steps(const Graph &graph, const Node &node, const std::string &running,
                                   const Shape &shape, int channel_axis, bool tensors) {
    auto found = elementwise_operators().find(node.op);
    if (found == elementwise_operators().end() || node.outputs.size() != 1) return std::nullopt;
    if (graph.shape_of(node.outputs[0]) != shape) return std::nullopt;
    const Op op = found->second;
    if (!is_binary(op)) return FusedSteps{{unary_step(node, op), ""}};
    if (op == Op::kPRelu && node.input(0) != running) return std::nullopt;
    FusedSteps steps;
    bool seen = false;
    for (const std::string &input : node.inputs) {
        if (input == running && !seen) {
            seen = true;
            continue;
        }
        FusedStep fused;
        fused.step.op = op;
        fused.step.operand = classify(graph, input, shape, channel_axis, tensors);
        fused.step.reversed = !seen && (op == Op::kSubtract || op == Op::kDivide);
        fused.operand = input;
        if (input == running || fused.step.operand == Operand::kNone) return std::nullopt;
        steps.push_back(fused);
    }
    if (!seen) return std::nullopt;
    return steps;
}

std::vector<Group> fuse(const Graph &graph) {
    return Fuser(graph).run();
}

}  // namespace sepconv
