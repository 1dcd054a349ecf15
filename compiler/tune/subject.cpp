#include "compiler/tune/subject.h"

#include "compiler/tune/kernel_plan.h"

namespace sepconv {

std::vector<Subject> subjects_of(const Plan &plan, const std::string &isa,
                                 const std::string &halide_target) {
    std::vector<Subject> subjects;
    for (size_t k = 0; k < plan.kernels.size(); ++k) {
        const auto *block = std::get_if<Block>(&plan.kernels[k]);
        if (block == nullptr) continue;
        Subject subject{&plan.kernels[k], key_of(plan.kernels[k], isa), one_kernel_plan(*block),
                        Candidates(*block, halide_target), ""};
        for (const PlanStep &step : plan.steps) {
            if (static_cast<size_t>(step.kernel) != k) continue;
            subject.calls += static_cast<double>(step.repeat);
            subject.plan.blocks[0] = plan.blocks[static_cast<size_t>(step.block)];
            subject.plan.blocks[0].kernel = 0;
        }
        subjects.push_back(std::move(subject));
    }
    return subjects;
}

}  // namespace sepconv
