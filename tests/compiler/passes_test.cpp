#include "compiler/passes/passes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "compiler/read_onnx.h"
#include "tests/compiler/model_builder.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using B = ModelBuilder;

Graph read(const ModelBuilder &builder) {
    Result<Graph> graph = read_onnx(builder.bytes(), {});
    EXPECT_TRUE(graph.ok()) << graph.status().message();
    return graph.ok() ? std::move(graph).value() : Graph();
}

std::vector<std::string> ops(const Graph &graph) {
    std::vector<std::string> names;
    for (const Node &node : graph.nodes) {
        names.push_back(node.op);
    }
    return names;
}

using Ops = std::vector<std::string>;

/// Checks that every read value has one producer and nothing dead is left.
void expect_valid(const Graph &graph) {
    std::map<std::string, int> produced;
    for (const std::string &input : graph.inputs) {
        ++produced[input];
    }
    for (const Node &node : graph.nodes) {
        for (const std::string &input : node.inputs) {
            const bool known = produced[input] == 1 || graph.is_constant(input) || input.empty();
            EXPECT_TRUE(known) << input;
        }
        for (const std::string &output : node.outputs) {
            EXPECT_EQ(++produced[output], 1) << output;
            EXPECT_EQ(graph.values.count(output), 1U) << output;
        }
    }
    for (const auto &[name, constant] : graph.constants) {
        EXPECT_GT(graph.use_count(name), 0) << name;
    }
}

void expect_near(const Floats &values, const Floats &expected) {
    ASSERT_EQ(values.size(), expected.size());
    for (size_t i = 0; i < values.size(); ++i) {
        EXPECT_NEAR(values[i], expected[i], 1e-6 * std::max(1.0F, std::fabs(expected[i]))) << i;
    }
}

TEST(LowerBatchNormalization, BecomesMulAndAdd) {
    B builder;
    builder.input("x", {1, 2, 3, 3}).floats("g", {2}, {2, 3}).floats("b", {2}, {1, -1});
    builder.floats("m", {2}, {4, 5}).floats("v", {2}, {3, 8});
    builder.node("BatchNormalization", {"x", "g", "b", "m", "v"}, {"y"}).with("epsilon", 1.0F);
    const Graph graph = lower_batch_normalization(read(builder.output("y")));
    expect_valid(graph);
    ASSERT_EQ(ops(graph), (Ops{"Mul", "Add"}));
    const Constant *scale = graph.constant(graph.nodes[0].inputs[1]);
    const Constant *shift = graph.constant(graph.nodes[1].inputs[1]);
    EXPECT_EQ(scale->shape, (Shape{2, 1, 1}));
    expect_near(scale->floats(), {1, 1});
    expect_near(shift->floats(), {-3, -6});
}

/// An activation written out on x; what it becomes.
struct Written {
    const char *name;
    const char *op;  ///< "" if it must stay as it is.
    std::function<void(ModelBuilder &)> build;
};

class RecogniseActivations : public testing::TestWithParam<Written> {};

TEST_P(RecogniseActivations, FindsIt) {
    B builder;
    builder.input("x", {1, 4, 3, 3}).output("y");
    for (const auto &[name, value] : {std::pair<const char *, float>("three", 3),
                                      {"six", 6},
                                      {"zero", 0},
                                      {"one", 1},
                                      {"half", 0.5F},
                                      {"sixth", 1.0F / 6},
                                      {"root", std::sqrt(2.0F)},
                                      {"two", 2}}) {
        builder.floats(name, {}, {value});
    }
    GetParam().build(builder);
    const Graph before = read(builder);
    const Graph graph = recognise_activations(before);
    expect_valid(graph);
    if (*GetParam().op == '\0') {
        EXPECT_EQ(ops(graph), ops(before));
    } else {
        ASSERT_EQ(ops(graph), Ops{GetParam().op});
        EXPECT_EQ(graph.nodes[0].inputs, std::vector<std::string>{"x"});
        EXPECT_EQ(graph.nodes[0].outputs, std::vector<std::string>{"y"});
    }
}

B &relu6(B &b) {
    return b.node("Add", {"x", "three"}, {"a"}).node("Clip", {"a", "zero", "six"}, {"c"});
}

const Written kWritten[] = {
    {"HardSwishMulDiv", "HardSwish",
     [](B &b) {
         relu6(b).node("Mul", {"x", "c"}, {"m"}).node("Div", {"m", "six"}, {"y"});
     }},
    {"HardSwishDivMul", "HardSwish",
     [](B &b) {
         relu6(b).node("Div", {"c", "six"}, {"d"}).node("Mul", {"d", "x"}, {"y"});
     }},
    {"HardSwishBySixth", "HardSwish",
     [](B &b) {
         relu6(b).node("Mul", {"sixth", "c"}, {"d"}).node("Mul", {"x", "d"}, {"y"});
     }},
    {"HardSwishScaledInput", "HardSwish",
     [](B &b) {
         relu6(b).node("Div", {"x", "six"}, {"d"}).node("Mul", {"d", "c"}, {"y"});
     }},
    {"HardSwishOfHardSigmoid", "HardSwish",
     [](B &b) {
         b.node("HardSigmoid", {"x"}, {"h"}).with("alpha", 1.0F / 6).with("beta", 0.5F);
         b.node("Mul", {"x", "h"}, {"y"});
     }},
    {"HardSigmoid", "HardSigmoid",
     [](B &b) {
         relu6(b).node("Div", {"c", "six"}, {"y"});
     }},
    {"Silu", "Silu",
     [](B &b) {
         b.node("Sigmoid", {"x"}, {"s"}).node("Mul", {"s", "x"}, {"y"});
     }},
    {"GeluHalfLast", "Gelu",
     [](B &b) {
         b.node("Div", {"x", "root"}, {"d"}).node("Erf", {"d"}, {"e"});
         b.node("Add", {"e", "one"}, {"p"}).node("Mul", {"x", "p"}, {"m"});
         b.node("Mul", {"m", "half"}, {"y"});
     }},
    {"GeluHalfFirst", "Gelu",
     [](B &b) {
         b.node("Div", {"x", "root"}, {"d"}).node("Erf", {"d"}, {"e"});
         b.node("Add", {"one", "e"}, {"p"}).node("Mul", {"half", "x"}, {"m"});
         b.node("Mul", {"m", "p"}, {"y"});
     }},
    {"OtherDivisor", "",
     [](B &b) {
         relu6(b).node("Mul", {"x", "c"}, {"m"}).node("Div", {"m", "two"}, {"y"});
     }},
    {"OtherGate", "",
     [](B &b) {
         b.node("Abs", {"x"}, {"g"}).node("Sigmoid", {"g"}, {"s"}).node("Mul", {"s", "x"}, {"y"});
     }},
    {"OtherHardSigmoid", "",
     [](B &b) {
         b.node("HardSigmoid", {"x"}, {"h"}).node("Mul", {"x", "h"}, {"y"});
     }},
};

INSTANTIATE_TEST_SUITE_P(Written, RecogniseActivations, testing::ValuesIn(kWritten),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(FoldAffine, GoesIntoConvsWeightsAndBias) {
    B builder;
    builder.input("x", {1, 1, 2, 2}).floats("w", {2, 1, 1, 1}, {2, 3}).floats("b", {2}, {1, 2});
    builder.floats("add", {1, 2, 1, 1}, {10, 20}).floats("mul", {2, 1, 1}, {2, 4});
    builder.floats("sub", {}, {1}).floats("div", {1}, {2}).output("y");
    builder.node("Conv", {"x", "w", "b"}, {"c"}).node("Add", {"add", "c"}, {"d"});
    builder.node("Mul", {"d", "mul"}, {"e"}).node("Sub", {"sub", "e"}, {"f"});
    builder.node("Div", {"f", "div"}, {"y"});
    const Graph graph = fold_affine(read(builder));
    expect_valid(graph);
    ASSERT_EQ(ops(graph), Ops{"Conv"});
    // (1 - (w x + b + add) * mul) / 2
    expect_near(graph.constant(graph.nodes[0].inputs[1])->floats(), {-2, -6});
    expect_near(graph.constant(graph.nodes[0].inputs[2])->floats(), {-10.5F, -43.5F});
    EXPECT_EQ(graph.nodes[0].outputs[0], "y");
}

TEST(FoldAffine, KnowsTheChannelsOfGroupedTransposedWeights) {
    B builder;
    builder.input("x", {1, 4, 2, 2}).floats("w", {4, 2, 1, 1}, {1}).output("y");
    builder.floats("m", {4, 1, 1}, {1, 2, 3, 4}).node("ConvTranspose", {"x", "w"}, {"c"});
    builder.with("group", int64_t{2}).node("Mul", {"c", "m"}, {"y"});
    const Graph graph = fold_affine(read(builder));
    ASSERT_EQ(ops(graph), Ops{"ConvTranspose"});
    // Inputs 0 and 1 feed outputs 0 and 1; inputs 2 and 3 feed outputs 2 and 3.
    expect_near(graph.constant(graph.nodes[0].inputs[1])->floats(), {1, 2, 1, 2, 3, 4, 3, 4});
    EXPECT_EQ(graph.nodes[0].inputs.size(), 2U);
}

TEST(FoldAffine, MatMulAndAddBecomeGemm) {
    B builder;
    builder.input("x", {1, 2}).floats("w", {2, 3}).floats("b", {3}, {7, 8, 9}).output("y");
    builder.node("MatMul", {"x", "w"}, {"m"}).node("Add", {"m", "b"}, {"y"});
    const Graph graph = fold_affine(read(builder));
    expect_valid(graph);
    ASSERT_EQ(ops(graph), Ops{"Gemm"});
    expect_near(graph.constant(graph.nodes[0].inputs[2])->floats(), {7, 8, 9});
}

TEST(FoldAffine, ScalesGemmsBetaAndTransposedWeights) {
    B builder;
    builder.input("x", {1, 2}).floats("w", {3, 2}, {1}).floats("b", {3}, {1, 2, 3}).output("y");
    builder.floats("m", {1, 3}, {2, 3, 4}).node("Gemm", {"x", "w", "b"}, {"g"});
    builder.with("beta", 2.0F).with("alpha", 5.0F).with("transB", int64_t{1});
    builder.node("Mul", {"g", "m"}, {"y"});
    const Graph graph = fold_affine(read(builder));
    ASSERT_EQ(ops(graph), Ops{"Gemm"});
    expect_near(graph.constant(graph.nodes[0].inputs[1])->floats(), {2, 2, 3, 3, 4, 4});
    expect_near(graph.constant(graph.nodes[0].inputs[2])->floats(), {4, 12, 24});
    EXPECT_EQ(graph.nodes[0].attribute("beta", 0.0F), 1.0F);
    EXPECT_EQ(graph.nodes[0].attribute("alpha", 0.0F), 5.0F);
}

TEST(FoldAffine, LeavesWhatItMayNotTouch) {
    const auto conv = [](const std::function<void(B &)> &behind) {
        B builder;
        builder.input("x", {1, 2, 3, 3}).floats("w", {2, 2, 1, 1}).output("y");
        builder.floats("zero", {}, {0}).floats("row", {3}).floats("big", {2, 2, 3, 3});
        builder.node("Conv", {"x", "w"}, {"c"});
        behind(builder);
        const Graph before = read(builder);
        const Graph graph = fold_affine(before);
        expect_valid(graph);
        EXPECT_EQ(ops(graph), ops(before));
    };
    conv([](B &b) { b.node("Add", {"c", "row"}, {"y"}); });
    conv([](B &b) { b.node("Add", {"c", "big"}, {"y"}); });
    conv([](B &b) { b.node("Div", {"c", "zero"}, {"y"}); });
    conv([](B &b) { b.node("Div", {"row", "c"}, {"y"}); });
    conv([](B &b) { b.node("Add", {"c", "c"}, {"y"}); });
    conv([](B &b) { b.node("Mul", {"c", "zero"}, {"y"}).output("c"); });
    conv([](B &b) { b.node("Mul", {"c", "zero"}, {"m"}).node("Add", {"c", "m"}, {"y"}); });
}

TEST(FoldAffine, SharedWeightsStayForTheOther) {
    B builder;
    builder.input("x", {1, 1, 2, 2}).floats("w", {1, 1, 1, 1}, {3}).floats("two", {}, {2});
    builder.node("Conv", {"x", "w"}, {"a"}).node("Mul", {"a", "two"}, {"y"});
    builder.node("Conv", {"x", "w"}, {"z"}).output("y").output("z");
    const Graph graph = fold_affine(read(builder));
    expect_valid(graph);
    EXPECT_EQ(graph.constant(graph.producer("y")->inputs[1])->floats()[0], 6.0F);
    EXPECT_EQ(graph.constant(graph.producer("z")->inputs[1])->floats()[0], 3.0F);
}

TEST(FoldPadding, GoesIntoConvAndPool) {
    B builder;
    builder.input("x", {1, 2, 5, 5}).floats("w", {2, 1, 3, 3}).output("y").output("z");
    builder.ints("p", {0, 0, 1, 2, 0, 0, 0, 1}).node("Pad", {"x", "p"}, {"a"});
    builder.node("Conv", {"a", "w"}, {"y"}).with("pads", Ints{1, 0, 0, 0});
    builder.with("group", int64_t{2});
    builder.node("AveragePool", {"a"}, {"z"}).with("kernel_shape", Ints{3, 3});
    const Graph graph = fold_padding(read(builder));
    expect_valid(graph);
    ASSERT_EQ(ops(graph), (Ops{"Conv", "AveragePool"}));
    EXPECT_EQ(graph.nodes[0].attribute("pads", Ints()), (Ints{2, 2, 0, 1}));
    EXPECT_EQ(graph.nodes[1].attribute("pads", Ints()), (Ints{1, 2, 0, 1}));
    EXPECT_EQ(graph.nodes[1].attribute("count_include_pad", int64_t{0}), 1);
}

TEST(FoldPadding, LeavesOtherPads) {
    const auto stays = [](const Ints &pads, float value, const char *op) {
        B builder;
        builder.input("x", {1, 2, 5, 5}).floats("v", {}, {value}).ints("p", pads).output("y");
        builder.node("Pad", {"x", "p", "v"}, {"a"}).node(op, {"a"}, {"y"});
        builder.with("kernel_shape", Ints{3, 3});
        EXPECT_EQ(ops(fold_padding(read(builder))), (Ops{"Pad", op}));
    };
    stays({0, 1, 1, 1, 0, 0, 1, 1}, 0, "AveragePool");
    stays({0, 0, 1, 1, 0, 0, 1, -1}, 0, "AveragePool");
    stays({0, 0, 1, 1, 0, 0, 1, 1}, 1, "AveragePool");
    stays({0, 0, 3, 1, 0, 0, 1, 1}, 0, "AveragePool");
    stays({0, 0, 1, 1, 0, 0, 1, 1}, 0, "MaxPool");
}

TEST(LowerArithmetic, PowersAreProductsOfSquares) {
    B builder;
    builder.input("x", {4}).floats("e", {}, {-5.5F}).node("Pow", {"x", "e"}, {"y"}).output("y");
    builder.floats("f", {}, {4.0F}).node("Pow", {"x", "f"}, {"z"}).output("z");
    const Graph graph = lower_arithmetic(read(builder));
    expect_valid(graph);
    // x^4 by two squares, times x, times a root; its reciprocal.
    EXPECT_EQ(ops(graph), (Ops{"Mul", "Mul", "Mul", "Sqrt", "Mul", "Div", "Mul", "Mul"}));
}

TEST(LowerArithmetic, OfClipMeanAndReciprocal) {
    B builder;
    builder.input("x", {4}).input("a", {}).input("b", {}).output("y").output("z").output("r");
    builder.node("Clip", {"x", "a", "b"}, {"y"}).node("Mean", {"x", "a", "b"}, {"z"});
    builder.node("Reciprocal", {"x"}, {"r"});
    const Graph graph = lower_arithmetic(read(builder));
    expect_valid(graph);
    EXPECT_EQ(ops(graph), (Ops{"Max", "Min", "Add", "Add", "Mul", "Div"}));
}

TEST(SinkExpands, ReadsUnexpandedWhatIsBroadcastAnyway) {
    B builder;
    builder.input("x", {1, 2, 5, 5}).input("g", {1, 2, 1, 1}).ints("s", {1, 2, 5, 5}).output("y");
    builder.node("Expand", {"g", "s"}, {"e"}).node("Mul", {"e", "x"}, {"y"});
    const Graph graph = sink_expands(read(builder));
    expect_valid(graph);
    ASSERT_EQ(ops(graph), Ops{"Mul"});
    EXPECT_EQ(graph.nodes[0].inputs, (Ops{"g", "x"}));
}

TEST(SinkExpands, FollowsWhatIsComputedOfFewValues) {
    B builder;
    builder.input("x", {1, 2, 5, 5}).input("g", {1, 2, 1, 1}).ints("s", {1, 2, 5, 5}).output("y");
    builder.node("Expand", {"g", "s"}, {"e"}).node("Sigmoid", {"e"}, {"f"});
    builder.node("Add", {"f", "x"}, {"y"}).node("Neg", {"f"}, {"z"}).output("z");
    const Graph graph = sink_expands(read(builder));
    expect_valid(graph);
    ASSERT_EQ(ops(graph), (Ops{"Sigmoid", "Expand", "Add", "Neg"}));
    EXPECT_EQ(graph.shape_of(graph.nodes[0].outputs[0]), (Shape{1, 2, 1, 1}));
    EXPECT_EQ(graph.nodes[2].inputs[0], graph.nodes[0].outputs[0]);
    EXPECT_EQ(graph.nodes[3].inputs[0], "f");
}

TEST(SinkExpands, LeavesWhatOthersRead) {
    B builder;
    builder.input("x", {1, 2, 1, 5}).ints("s", {1, 2, 5, 5}).output("y");
    builder.node("Expand", {"x", "s"}, {"e"}).node("Relu", {"e"}, {"r"});
    builder.node("MaxPool", {"r"}, {"y"}).with("kernel_shape", Ints{2, 2});
    EXPECT_EQ(ops(sink_expands(read(builder))), (Ops{"Expand", "Relu", "MaxPool"}));
}

TEST(RemoveDeadNodes, KeepsInputsAndOutputs) {
    B builder;
    builder.input("x", {2}).input("unused", {3}).node("Relu", {"x"}, {"y"}).output("y");
    Graph graph = read(builder);
    graph.nodes.push_back({"Abs", "dead", {"y"}, {"d"}, {}});
    graph.values["d"] = graph.values["y"];
    graph = remove_dead_nodes(graph);
    EXPECT_EQ(ops(graph), Ops{"Relu"});
    EXPECT_EQ(graph.inputs.size(), 2U);
    EXPECT_EQ(graph.values.count("unused"), 1U);
    EXPECT_EQ(graph.values.count("d"), 0U);
}

TEST(Simplify, MakesOneConvOfConvBatchNormAndActivation) {
    B builder;
    builder.input("x", {1, 2, 5, 5}).floats("w", {2, 1, 3, 3}).output("y");
    builder.ints("p", {0, 0, 1, 1, 0, 0, 1, 1}).node("Pad", {"x", "p"}, {"a"});
    builder.node("Conv", {"a", "w"}, {"c"}).with("group", int64_t{2});
    builder.floats("g", {2}, {1}).floats("s", {2}, {1}).floats("m", {2}, {1}).floats("v", {2}, {1});
    builder.node("BatchNormalization", {"c", "g", "s", "m", "v"}, {"n"});
    builder.node("Sigmoid", {"n"}, {"h"}).node("Mul", {"n", "h"}, {"y"});
    const Graph graph = simplify(read(builder));
    expect_valid(graph);
    EXPECT_EQ(ops(graph), (Ops{"Conv", "Silu"}));
    EXPECT_EQ(graph.shape_of("y"), (Shape{1, 2, 5, 5}));
}

}  // namespace
}  // namespace sepconv
