#include "compiler/tune/kernel_plan.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compiler/commands/layer_builder.h"
#include "layer/arguments.h"
#include "layer/shape.h"

namespace sepconv {
namespace {

constexpr int64_t kSlackElements = 64;
constexpr int64_t kAlignment = 64;

/// Appends so many random values, and zeros up to the next multiple of 64 bytes: where they begin.
int64_t append_weights(int64_t elements, double bound, Random *random,
                       std::vector<uint8_t> *weights) {
    const auto at = static_cast<int64_t>(weights->size());
    std::vector<float> values(static_cast<size_t>(elements));
    for (float &value : values) value = random->next(bound);
    const int64_t bytes = elements * static_cast<int64_t>(sizeof(float));
    const int64_t end = (at + bytes + kAlignment - 1) / kAlignment * kAlignment + kAlignment;
    weights->resize(static_cast<size_t>(end));
    std::memcpy(weights->data() + at, values.data(), static_cast<size_t>(bytes));
    return at;
}

PlanTensor tensor_of(const KernelArgument &argument) {
    return {argument.name,
            "",
            {argument.elements},
            argument.elements * static_cast<int64_t>(sizeof(float))};
}

/// Keeps sums of products near 1 whatever their number.
double weight_bound(const Block &block, StageId stage) {
    for (const StageRef &ref : stages_of(block)) {
        if (ref.id != stage) continue;
        const double terms = ref.depthwise != nullptr
                                 ? ref.depthwise->window.taps()
                                 : static_cast<double>(ref.convolution->window.taps()) *
                                       ref.convolution->in_channels;
        return std::sqrt(3 / terms);
    }
    return 1;
}

}  // namespace

Plan one_kernel_plan(const Block &block) {
    Plan plan;
    Random random(1);
    PlanStep step;
    plan.kernels.emplace_back(block);
    for (const KernelArgument &argument : arguments_of(plan.kernels[0])) {
        Location location;
        if (argument.role == Role::kInput || argument.role == Role::kTensor) {
            location.space = Space::kInput;
            location.index = static_cast<int>(plan.inputs.size());
            plan.inputs.push_back(tensor_of(argument));
        } else if (argument.role == Role::kOutput) {
            location.space = Space::kOutput;
            plan.outputs.push_back(tensor_of(argument));
        } else {
            const double bound =
                argument.role == Role::kWeights ? weight_bound(block, argument.stage) : 0.5;
            location.space = Space::kWeights;
            location.offset = append_weights(argument.elements, bound, &random, &plan.weights);
        }
        step.args.push_back(location);
    }
    plan.steps.push_back(step);
    PlanBlock whole;
    whole.name = whole.kind = "block";
    whole.shape = "alone";
    whole.cost = cost_of(plan.kernels[0]);
    plan.blocks.push_back(whole);
    return plan;
}

std::vector<std::vector<float>> random_inputs(const Plan &plan) {
    Random random(2);
    std::vector<std::vector<float>> inputs;
    for (const PlanTensor &tensor : plan.inputs) {
        inputs.emplace_back(static_cast<size_t>(tensor.shape[0] + kSlackElements));
        for (float &value : inputs.back()) value = random.next(1);
    }
    return inputs;
}

}  // namespace sepconv
