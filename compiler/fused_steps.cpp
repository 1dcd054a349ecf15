// Elementwise nodes as steps of an epilogue, and what arguments a kernel with these has.
#include <map>
#include <set>

#include "compiler/fuse.h"
#include "layer/arguments.h"

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
    // What is computed, a gate, has the layout of an image: (n, c, ...). Of a matrix product's rows
    // each batch would need its own.
    if (per_channel && (constant || (missing == 0 && channel_axis == 1))) return Operand::kChannel;
    if (tensors && operand == shape) return Operand::kTensor;
    return Operand::kNone;
}

Epilogue steps_of(const FusedSteps &fused) {
    Epilogue epilogue;
    for (const FusedStep &step : fused) epilogue.push_back(step.step);
    return epilogue;
}

/// Neither an expand nor a squeeze is the last stage: a project follows.
Block block_of(const Group &group) {
    Block block;
    for (const FusedStage &stage : group.stages) {
        const Epilogue epilogue = steps_of(stage.epilogue);
        switch (stage.id) {
            case StageId::kExpand:
                block.expand.emplace().epilogue = epilogue;
                break;
            case StageId::kDepthwise:
                block.depthwise.emplace().epilogue = epilogue;
                break;
            case StageId::kReduce:
                block.squeeze.emplace().reduce.epilogue = epilogue;
                break;
            case StageId::kExcite:
                block.squeeze->excite.epilogue = epilogue;
                break;
            case StageId::kProject:
                block.project.emplace().epilogue = epilogue;
                break;
            case StageId::kCheap:
                block.cheap.emplace().epilogue = epilogue;
                break;
            case StageId::kOutput:
                block.epilogue = epilogue;
                break;
        }
    }
    if (!block.depthwise && !block.project) block.project.emplace();
    return block;
}

/// The kernel of a group without extents.
Kernel outline_of(const Graph &graph, const Group &group) {
    if (!group.stages.empty()) return block_of(group);
    const Node &node = graph.nodes[group.anchor];
    const Epilogue epilogue = steps_of(group.epilogue);
    if (node.op == "Resize") {
        Resize resize;
        resize.epilogue = epilogue;
        return resize;
    }
    if (is_image_operator(node)) {
        Pool pool;
        pool.epilogue = epilogue;
        return pool;
    }
    if (is_elementwise(node)) {
        Map map;
        map.epilogue.assign(node.inputs.size() - 1, {Op::kAdd, Operand::kTensor});
        map.epilogue.insert(map.epilogue.end(), epilogue.begin(), epilogue.end());
        return map;
    }
    Block block;
    block.project.emplace().epilogue = epilogue;
    return block;
}

}  // namespace

bool is_image_operator(const Node &node) {
    static const std::set<std::string> operators = {"MaxPool", "AveragePool", "GlobalAveragePool",
                                                    "GlobalMaxPool", "Resize"};
    return operators.count(node.op) != 0;
}

size_t argument_count(const Graph &graph, const Group &group) {
    return arguments_of(outline_of(graph, group)).size();
}

bool is_elementwise(const Node &node) {
    return elementwise_operators().count(node.op) != 0;
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

}  // namespace sepconv
