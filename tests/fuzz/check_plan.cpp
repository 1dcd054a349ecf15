#include "tests/fuzz/check_plan.h"

#include <algorithm>
#include <vector>

#include "layer/arguments.h"
#include "layer/shape.h"
#include "sepconv/plan.h"

namespace sepconv {
namespace {

/// Tensors above that are not compared pair by pair.
constexpr size_t kMaxPairs = 2000;
constexpr size_t kMaxMessageBytes = 2000;

/// Checks the arguments of every step.
class StepChecker {
public:
    explicit StepChecker(const Plan &plan) : plan_(plan), written_(plan.outputs.size(), false) {}

    std::string run() {
        for (size_t i = 0; i < plan_.steps.size(); ++i) {
            const PlanStep &step = plan_.steps[i];
            if (!is_index(step.kernel, plan_.kernels) || !is_index(step.block, plan_.blocks) ||
                step.repeat < 1) {
                return "step " + std::to_string(i) + " names no kernel or block";
            }
            const Kernel &kernel = plan_.kernels[static_cast<size_t>(step.kernel)];
            const std::vector<KernelArgument> arguments = arguments_of(kernel);
            if (arguments.size() != step.args.size()) return describe(kernel) + ": arguments";
            if (arguments.size() > SEPCONV_MAX_KERNEL_ARGS) {
                return describe(kernel) + ": " + std::to_string(arguments.size()) + " arguments";
            }
            for (size_t k = 0; k < arguments.size(); ++k) {
                const std::string problem = problem_of(arguments[k], step, step.args[k], i);
                if (!problem.empty()) {
                    return describe(kernel) + ": " + arguments[k].name + " " + problem;
                }
            }
        }
        for (const bool written : written_) {
            if (!written) return "an output is not written";
        }
        return "";
    }

private:
    template<typename T>
    static bool is_index(int index, const std::vector<T> &list) {
        return index >= 0 && static_cast<size_t>(index) < list.size();
    }

    std::string problem_of(const KernelArgument &argument, const PlanStep &step,
                           const Location &location, size_t at) {
        const bool writes = argument.role == Role::kOutput;
        int64_t bytes = 0;
        switch (location.space) {
            case Space::kWeights:
                bytes = static_cast<int64_t>(plan_.weights.size());
                if (writes) return "writes weights";
                break;
            case Space::kInput:
                if (!is_index(location.index, plan_.inputs)) return "names no input";
                bytes = plan_.inputs[static_cast<size_t>(location.index)].bytes;
                if (writes) return "writes an input";
                break;
            case Space::kOutput:
                if (!is_index(location.index, plan_.outputs)) return "names no output";
                bytes = plan_.outputs[static_cast<size_t>(location.index)].bytes;
                if (writes) written_[static_cast<size_t>(location.index)] = true;
                break;
            case Space::kArena: {
                if (!is_index(location.index, plan_.tensors)) return "names no tensor";
                const Lifetime &tensor = plan_.tensors[static_cast<size_t>(location.index)];
                if (static_cast<int>(at) < tensor.first_step ||
                    static_cast<int>(at) > tensor.last_step) {
                    return "lies in a tensor that is not alive";
                }
                bytes = tensor.bytes;
                break;
            }
        }
        const int64_t end = location.offset + (step.repeat - 1) * location.advance +
                            argument.elements * static_cast<int64_t>(sizeof(float));
        const bool inside =
            location.offset >= 0 && location.advance >= 0 && argument.elements >= 1 && end <= bytes;
        if (inside) return "";
        return "ends at byte " + std::to_string(end) + " of " + std::to_string(bytes) +
               ", offset " + std::to_string(location.offset);
    }

    const Plan &plan_;
    std::vector<bool> written_;
};

bool overlap(const Lifetime &a, int64_t a_offset, const Lifetime &b, int64_t b_offset) {
    const bool together = a.first_step <= b.last_step && b.first_step <= a.last_step;
    return together && a_offset < b_offset + b.bytes && b_offset < a_offset + a.bytes;
}

std::string memory_problem(const PlannedModel &model) {
    const std::vector<Lifetime> &tensors = model.plan.tensors;
    const std::vector<int64_t> &offsets = model.memory.tensors;
    if (offsets.size() != tensors.size()) return "a tensor has no place";
    for (size_t i = 0; i < tensors.size(); ++i) {
        if (offsets[i] < 0 || offsets[i] % 64 != 0 ||
            offsets[i] + tensors[i].bytes > model.memory.bytes) {
            return "a tensor lies outside the arena";
        }
        for (size_t k = 0; k < i && tensors.size() <= kMaxPairs; ++k) {
            if (overlap(tensors[i], offsets[i], tensors[k], offsets[k])) return "tensors overlap";
        }
    }
    return "";
}

}  // namespace

std::string problem_of(const PlannedModel &model) {
    const std::string problem = StepChecker(model.plan).run();
    return problem.empty() ? memory_problem(model) : problem;
}

std::string problem_of(const Status &status) {
    const std::string &message = status.message();
    if (status.code() == StatusCode::kInternal) return "a defect: " + message;
    if (message.empty()) return "no message";
    if (message.size() > kMaxMessageBytes) return "a long message: " + message;
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    if (std::any_of(message.begin(), message.end(), is_control)) return "control: " + message;
    return "";
}

}  // namespace sepconv
