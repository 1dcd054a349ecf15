// No kernel has more arguments than the runtime takes, however many operands follow its stages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "compiler/plan_model.h"
#include "layer/arguments.h"
#include "sepconv/plan.h"
#include "tests/compiler/fused_net.h"
#include "tests/fuzz/check_plan.h"

namespace sepconv {
namespace {

constexpr size_t kMaximum = SEPCONV_MAX_KERNEL_ARGS;
constexpr int kMostOperands = 70;

/// The arguments of each kernel call of the model's plan, which the fuzzer's checks pass.
std::vector<size_t> arguments_of_calls(Net &net) {
    const Result<PlannedModel> model = plan_model(net.model().bytes(), {}, Layout::kNchw);
    EXPECT_TRUE(model.ok()) << model.status().message();
    if (!model.ok()) return {};
    EXPECT_EQ(problem_of(model.value()), "");
    std::vector<size_t> counts;
    for (const PlanStep &step : model.value().plan.steps) counts.push_back(step.args.size());
    return counts;
}

/// Steps that nothing folds: `Max` with another operand each.
std::string operands_after(Net &net, const std::string &value, int count, const Shape &shape,
                           bool constant) {
    std::string last = value;
    for (int i = 0; i < count; ++i) {
        const std::string name = value + "_" + std::to_string(i), operand = name + "_operand";
        if (constant) {
            net.model().floats(operand, shape);
        } else {
            net.input(operand, shape);
        }
        net.node("Max", {last, operand}, name);
        last = name;
    }
    return last;
}

struct Operands {
    const char *name;
    Shape shape;
    bool constant;
};

constexpr int64_t kChannels = 8;  // Of every value of the nets below, but a Ghost module's halves.

/// What may follow every stage.
std::vector<Operands> constant_operands() {
    return {{"scalar", {}, true}, {"per channel", {kChannels, 1, 1}, true}};
}

struct Pattern {
    const char *name;
    /// Builds the pattern with `follow` after each stage; returns its last value.
    std::function<std::string(Net &, const std::function<std::string(std::string)> &follow)> build;
};

std::vector<Pattern> patterns() {
    using Follow = std::function<std::string(std::string)>;
    const auto separable = [](Net &net, const std::string &in, const Follow &follow) {
        net.depthwise(in, "deep");
        net.pointwise(follow("deep"), "projected", kChannels);
        return follow("projected");
    };
    const auto gated = [](Net &net, const std::string &in, const Follow &follow) {
        net.node("GlobalAveragePool", {in}, "mean").pointwise("mean", "reduced", kChannels);
        net.pointwise(follow("reduced"), "excited", kChannels);
        return net.node("Mul", {in, follow("excited")}, "gated"), std::string("gated");
    };
    return {
        {"pointwise",
         [](Net &net, const Follow &follow) {
             net.pointwise("x", "y0", kChannels);
             return follow("y0");
         }},
        {"stem",
         [](Net &net, const Follow &follow) {
             net.stem("x", "y0", kChannels);
             return follow("y0");
         }},
        {"depthwise",
         [](Net &net, const Follow &follow) {
             net.depthwise("x", "y0");
             return follow("y0");
         }},
        {"elementwise",
         [](Net &net, const Follow &follow) {
             net.node("Sigmoid", {"x"}, "y0");
             return follow("y0");
         }},
        {"pool",
         [](Net &net, const Follow &follow) {
             net.node("MaxPool", {"x"}, "y0").model().with("kernel_shape", Ints{1, 1});
             return follow("y0");
         }},
        {"separable", [=](Net &net, const Follow &follow) { return separable(net, "x", follow); }},
        {"inverted residual",
         [=](Net &net, const Follow &follow) {
             net.pointwise("x", "expanded", kChannels);
             return separable(net, follow("expanded"), follow);
         }},
        {"squeeze-excite",
         [=](Net &net, const Follow &follow) {
             net.depthwise("x", "deep");
             const std::string value = gated(net, follow("deep"), follow);
             net.pointwise(value, "projected", kChannels);
             return follow("projected");
         }},
        {"ghost module",
         [=](Net &net, const Follow &follow) {
             const std::string value = gated(net, "x", follow);
             net.pointwise(value, "first", kChannels);
             const std::string primary = follow("first");
             net.depthwise(primary, "second");
             return net.concat({primary, follow("second")}, "both"), std::string("both");
         }},
    };
}

TEST(KernelArguments, FitTheRuntimeAfterEveryStage) {
    for (const Pattern &pattern : patterns()) {
        for (const Operands &operands : constant_operands()) {
            for (int count = 0; count <= kMostOperands; count += count < 25 ? 1 : 9) {
                SCOPED_TRACE(fmt::format("{}, {} {}", pattern.name, count, operands.name));
                Net net;
                const auto follow = [&](const std::string &value) {
                    return operands_after(net, value, count, operands.shape, operands.constant);
                };
                net.output(pattern.build(net, follow));
                for (const size_t arguments : arguments_of_calls(net)) {
                    EXPECT_LE(arguments, kMaximum);
                }
            }
        }
    }
}

TEST(KernelArguments, FitTheRuntimeWithComputedOperands) {
    for (const Pattern &pattern : patterns()) {
        for (const bool gates : {false, true}) {
            for (int count = 0; count <= kMostOperands; count += count < 25 ? 1 : 9) {
                SCOPED_TRACE(fmt::format("{}, {} {}", pattern.name, count, gates ? "gates" : ""));
                Net net;
                const std::string last = pattern.build(net, [](auto value) { return value; });
                const int64_t channels = last == "both" ? 2 * kChannels : kChannels;
                const int64_t extent = gates ? 1 : pattern.name == std::string("stem") ? 3 : 7;
                net.output(operands_after(net, last, count, {1, channels, extent, extent}, false));
                for (const size_t arguments : arguments_of_calls(net)) {
                    EXPECT_LE(arguments, kMaximum);
                }
            }
        }
    }
}

/// A sum's kernel has an argument for each input and its output.
TEST(KernelArguments, AreUsedUp) {
    for (const std::string op : {"Sum", "Max", "Min"}) {
        for (int count = 2; count <= kMostOperands; ++count) {
            SCOPED_TRACE(fmt::format("{} of {}", op, count));
            Net net;
            Texts inputs = {"x"};
            for (int i = 1; i < count; ++i) {
                inputs.push_back("x" + std::to_string(i));
                net.input(inputs.back(), {1, 8, 7, 7});
            }
            net.node(op, inputs, "y").output("y");
            const std::vector<size_t> calls = arguments_of_calls(net);
            const size_t operands = kMaximum - 2;  // Of one call, besides its input and output.
            EXPECT_EQ(calls.size(), (static_cast<size_t>(count) - 1 + operands - 1) / operands);
            for (const size_t arguments : calls) EXPECT_LE(arguments, kMaximum);
            EXPECT_EQ(calls.front(), std::min<size_t>(kMaximum, count + 1));
        }
    }
}

}  // namespace
}  // namespace sepconv
