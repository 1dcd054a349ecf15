#include "compiler/fuse.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "compiler/limits.h"

namespace sepconv {
namespace {

class Fuser {
public:
    explicit Fuser(const Graph &graph) : graph_(graph), claimed_(graph.nodes.size(), false) {
        for (size_t i = 0; i < graph.nodes.size(); i++) {
            for (const std::string &input : graph.nodes[i].inputs) {
                consumers_[input].push_back(static_cast<int>(i));
            }
        }
        for (const std::string &output : graph.outputs) consumers_.erase(output);
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
    /// The nodes that read a value that is no output of the graph; else nothing.
    const std::vector<int> &consumers(const std::string &value) const {
        static const std::vector<int> none;
        auto found = consumers_.find(value);
        return found == consumers_.end() ? none : found->second;
    }

    /// The only node that reads the value, or -1.
    int sole_consumer(const std::string &value) const {
        const std::vector<int> &nodes = consumers(value);
        return nodes.size() != 1 || claimed_[nodes[0]] ? -1 : nodes[0];
    }

    /// The computed operands that the steps of an epilogue may have; constants are always allowed.
    struct Operands {
        bool tensors = false;
        bool gates = true;  ///< Computed, one value per channel and image.
    };

    /// Extends the group by elementwise nodes while one reads its output alone; `steps` are the
    /// group's last epilogue.
    void chain(Group &group, FusedSteps &steps, int channel_axis, Operands operands) const {
        for (int next = sole_consumer(group.output); next >= 0 && steps.size() < kMaxFusedSteps;
             next = sole_consumer(group.output)) {
            const Node &node = graph_.nodes[next];
            std::optional<FusedSteps> more =
                as_steps(graph_, node, group.output, graph_.shape_of(group.output), channel_axis,
                         operands.tensors);
            if (!more || (!operands.gates && has_gate(*more))) return;
            const size_t before = steps.size();
            steps.insert(steps.end(), more->begin(), more->end());
            if (!fits(group)) {
                steps.resize(before);
                return;
            }
            group.nodes.push_back(next);
            group.output = node.outputs[0];
        }
    }

    bool has_gate(const FusedSteps &steps) const {
        return std::any_of(steps.begin(), steps.end(), [&](const FusedStep &fused) {
            return fused.step.operand == Operand::kChannel && !graph_.is_constant(fused.operand);
        });
    }

    bool fits(const Group &group) const {
        return argument_count(graph_, group) <= kMaxKernelArguments;
    }

    Group group_at(int index) {
        const Node &node = graph_.nodes[index];
        Group group;
        group.anchor = index;
        group.nodes = {index};
        group.output = node.outputs[0];
        const int rank = static_cast<int>(graph_.shape_of(group.output).size());
        if (std::optional<Group> block = block_group(index)) return *block;
        if (node.op == "Conv" || node.op == "ConvTranspose") {
            chain(group, group.epilogue, 1, {true});
        } else if (node.op == "Gemm" || node.op == "MatMul") {
            chain(group, group.epilogue, rank - 1, {rank == 2});
        } else if (is_image_operator(node) && rank == 4) {
            chain(group, group.epilogue, 1, {false, false});
        } else if (is_elementwise(node)) {
            chain(group, group.epilogue, rank >= 3 ? 1 : rank - 1, {true});
        }
        return group;
    }

    bool pointwise(int node) const { return node >= 0 && is_pointwise(graph_, graph_.nodes[node]); }

    bool depthwise(int node) const { return node >= 0 && is_depthwise(graph_, graph_.nodes[node]); }

    int64_t multiplier(int depthwise) const {
        const Node &node = graph_.nodes[depthwise];
        return graph_.shape_of(node.input(1))[0] / graph_.shape_of(node.input(0))[1];
    }

    /// Adds the Conv that reads the group's output, and the elementwise nodes after it. The result
    /// may have too many arguments (fits()).
    void add_stage(Group &group, StageId id, int node, bool tensors) const {
        if (group.nodes.empty()) group.input = graph_.nodes[node].input(0);
        group.nodes.push_back(node);
        group.anchor = node;
        group.output = graph_.nodes[node].outputs[0];
        group.stages.push_back({id, node, {}});
        // A depthwise with multiplier computes whole vectors of its input's channels, where a
        // computed operand has no values; constants are packed for that.
        const bool plain = id != StageId::kDepthwise || multiplier(node) == 1;
        chain(group, group.stages.back().epilogue, 1, {tensors && plain, plain});
    }

    /// The block that begins at the node, if there is one with a depthwise or several stages. Each
    /// stage is read by the next alone.
    std::optional<Group> block_group(int index) const {
        if (is_pool(graph_.nodes[index])) return squeezed_group(index);
        if (pointwise(index)) {
            Group front;
            add_stage(front, StageId::kExpand, index, false);
            const int next = sole_consumer(front.output);
            if (depthwise(next) && multiplier(next) == 1) {
                std::optional<Group> inverted = depthwise_group(front, next);
                if (inverted && inverted->stage(StageId::kProject) != nullptr) return inverted;
            }
            Group alone;
            return ghost(alone, index);
        }
        if (!depthwise(index)) return std::nullopt;
        return depthwise_group(Group{}, index);
    }

    /// Behind `front`: depthwise, squeeze-excite if there is one, and what projects; or the
    /// depthwise alone.
    std::optional<Group> depthwise_group(const Group &front, int node) const {
        Group group = front;
        add_stage(group, StageId::kDepthwise, node, false);
        if (multiplier(node) == 1) {
            Group squeezed = group;
            if (add_squeeze(squeezed)) {
                if (std::optional<Group> whole = projected(squeezed, true)) return whole;
            }
        }
        if (std::optional<Group> whole = projected(group, false)) return whole;
        group = front;
        add_stage(group, StageId::kDepthwise, node, true);
        return group;
    }

    /// A squeeze-excite on a value that another group makes, and what projects behind it.
    std::optional<Group> squeezed_group(int pool) const {
        Group group;
        group.input = group.output = graph_.nodes[pool].input(0);
        if (graph_.shape_of(group.input).size() != 4 || !add_squeeze(group)) return std::nullopt;
        return projected(group, true);
    }

    /// The group with the pointwise Conv behind it, or with a Ghost module if `ghosts`.
    std::optional<Group> projected(const Group &front, bool ghosts) const {
        const int next = sole_consumer(front.output);
        if (!pointwise(next) || graph_.nodes[next].input(0) != front.output) return std::nullopt;
        if (ghosts) {
            if (std::optional<Group> whole = ghost(front, next)) return whole;
        }
        Group group = front;
        add_stage(group, StageId::kProject, next, true);
        if (!fits(group) || begins_inverted(group)) return std::nullopt;
        return group;
    }

    /// A project that is the expand of an inverted residual: it is better there, where its result
    /// never exists whole.
    bool begins_inverted(const Group &group) const {
        if (group.stages.front().id != StageId::kDepthwise || group.stages.size() != 2)
            return false;
        for (const FusedStep &fused : group.stages.back().epilogue) {
            if (fused.step.operand == Operand::kTensor) return false;  // None in an expand.
        }
        const int next = sole_consumer(group.output);
        if (!depthwise(next) || multiplier(next) != 1) return false;
        Group rest;
        add_stage(rest, StageId::kDepthwise, next, false);
        Group squeezed = rest;
        return pointwise(sole_consumer(add_squeeze(squeezed) ? squeezed.output : rest.output));
    }

    static bool is_pool(const Node &node) {
        return node.op == "GlobalAveragePool" ||
               (node.op == "ReduceMean" &&
                node.attribute("axes", std::vector<int64_t>{}) == std::vector<int64_t>{2, 3} &&
                node.attribute("keepdims", int64_t{1}) == 1);
    }

    /// Squeeze-excite on the group's output: a global pool, two pointwise Convs, and a Mul of their
    /// result with the output, which nobody else reads.
    bool add_squeeze(Group &group) const {
        const std::string squeezed = group.output;
        const std::vector<int> &readers = consumers(squeezed);
        if (readers.size() != 2 || claimed_[readers[0]] || claimed_[readers[1]]) return false;
        const bool first = is_pool(graph_.nodes[readers[0]]);
        const int pool = readers[first ? 0 : 1], gate = readers[first ? 1 : 0];
        const Node &product = graph_.nodes[gate];
        if (!is_pool(graph_.nodes[pool]) || product.op != "Mul") return false;
        group.nodes.push_back(pool);
        group.output = graph_.nodes[pool].outputs[0];
        for (const StageId id : {StageId::kReduce, StageId::kExcite}) {
            const int next = sole_consumer(group.output);
            if (!pointwise(next)) return false;
            add_stage(group, id, next, false);
            for (const FusedStep &fused : group.stages.back().epilogue) {
                if (!fused.operand.empty() && !graph_.is_constant(fused.operand)) return false;
            }
        }
        if (sole_consumer(group.output) != gate) return false;
        if (graph_.shape_of(group.output)[1] != graph_.shape_of(squeezed)[1]) return false;
        group.nodes.push_back(gate);
        group.output = product.outputs[0];
        return true;
    }

    /// A Ghost module behind `front`: the pointwise Conv `primary`, a depthwise that keeps its
    /// size, and the Concat of both.
    std::optional<Group> ghost(const Group &front, int primary) const {
        Group group = front;
        add_stage(group, StageId::kProject, primary, false);
        const std::string value = group.output;
        const std::vector<int> &readers = consumers(value);
        if (readers.size() != 2 || claimed_[readers[0]] || claimed_[readers[1]])
            return std::nullopt;
        const bool first = depthwise(readers[0]);
        const int cheap = readers[first ? 0 : 1], concat = readers[first ? 1 : 0];
        if (!depthwise(cheap) || multiplier(cheap) != 1) return std::nullopt;
        add_stage(group, StageId::kCheap, cheap, false);
        const Node &both = graph_.nodes[concat];
        if (both.op != "Concat" || both.attribute("axis", int64_t{0}) != 1 ||
            both.inputs != std::vector<std::string>{value, group.output} ||
            sole_consumer(group.output) != concat ||
            graph_.shape_of(value) != graph_.shape_of(group.output) || !fits(group)) {
            return std::nullopt;
        }
        group.nodes.push_back(concat);
        group.output = both.outputs[0];
        group.stages.push_back({StageId::kOutput, -1, {}});
        chain(group, group.stages.back().epilogue, 1, {true});
        if (group.stages.back().epilogue.empty()) group.stages.pop_back();
        return group;
    }

    const Graph &graph_;
    std::vector<bool> claimed_;
    std::unordered_map<std::string, std::vector<int>> consumers_;  ///< But of the graph's outputs.
};

}  // namespace

const FusedStage *Group::stage(StageId id) const {
    for (const FusedStage &stage : stages) {
        if (stage.id == id) return &stage;
    }
    return nullptr;
}

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

std::vector<Group> fuse(const Graph &graph) {
    return Fuser(graph).run();
}

}  // namespace sepconv
