// `sepconv layer`: which ONNX nodes each operator makes, and which requests it refuses.
#include "compiler/commands/layer_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <stdexcept>

#include "compiler/commands/layer_operators.h"
#include "compiler/fuse.h"
#include "compiler/infer_shapes.h"

namespace sepconv {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

LayerSpec spec_of(const std::string &op, const std::string &input, int64_t out_channels) {
    LayerSpec spec;
    spec.op = op;
    spec.input = input;
    spec.out_channels = out_channels;
    return spec;
}

LayerSpec inverted_residual() {
    LayerSpec spec = spec_of("inverted_residual", "14x14x8", 8);
    spec.expand = 24;
    spec.expand_activation = "hard_swish";
    spec.depthwise_activation = "relu6";
    return spec;
}

Graph graph_of(const LayerSpec &spec) {
    Result<Graph> graph = layer_graph(spec);
    EXPECT_TRUE(graph.ok()) << graph.status().message();
    return graph.ok() ? std::move(graph).value() : Graph();
}

std::string error_of(const LayerSpec &spec) {
    return layer_graph(spec).status().message();
}

std::vector<std::string> operators_of(const Graph &graph) {
    std::vector<std::string> names;
    for (const Node &node : graph.nodes) names.push_back(node.op);
    return names;
}

const Node &node_of(const Graph &graph, const std::string &name) {
    for (const Node &node : graph.nodes) {
        if (node.name == name) return node;
    }
    throw std::out_of_range("no node " + name);
}

/// The graph's shapes are those that the reader's rules would find, in an operator set in which
/// Clip's bounds are attributes, as they are in graphs.
void expect_shapes(Graph graph) {
    graph.opset = 10;
    for (Node node : graph.nodes) {
        const Result<std::vector<Shape>> shapes = infer_node(graph, node);
        ASSERT_TRUE(shapes.ok()) << node.name << ": " << shapes.status().message();
        EXPECT_EQ(shapes.value()[0], graph.shape_of(node.outputs[0])) << node.name;
    }
}

/// The arguments of an operator's example.
LayerSpec example_of(const LayerOperator &op) {
    LayerSpec spec;
    spec.op = op.name;
    CLI::App app;
    app.add_option("--input", spec.input);
    app.add_option("--out-channels", spec.out_channels);
    app.add_option("--expand", spec.expand);
    app.add_option("--squeeze", spec.squeeze);
    app.add_option("--kernel", spec.kernel);
    app.add_option("--stride", spec.stride);
    app.add_option("--padding", spec.padding);
    app.add_option("--activation", spec.activation);
    app.add_option("--expand-activation", spec.expand_activation);
    app.add_option("--depthwise-activation", spec.depthwise_activation);
    app.add_flag("--residual", spec.residual);
    app.parse(op.example);
    return spec;
}

TEST(LayerGraph, EveryExampleIsAGraph) {
    for (const LayerOperator &op : layer_operators()) {
        SCOPED_TRACE(op.name);
        const Graph graph = graph_of(example_of(op));
        EXPECT_THAT(graph.inputs, ElementsAre("input"));
        EXPECT_THAT(graph.outputs, ElementsAre("output"));
        expect_shapes(graph);
    }
}

TEST(LayerGraph, InvertedResidual) {
    LayerSpec spec = inverted_residual();
    spec.kernel = "5";
    spec.residual = true;
    const Graph graph = graph_of(spec);
    EXPECT_THAT(operators_of(graph),
                ElementsAre("Conv", "HardSwish", "Conv", "Clip", "Conv", "Add"));
    EXPECT_THAT(node_of(graph, "add").inputs, Contains("input"));
    EXPECT_EQ(graph.shape_of("depthwise_weights"), (Shape{24, 1, 5, 5}));
    EXPECT_EQ(graph.shape_of("project_weights"), (Shape{8, 24, 1, 1}));
    EXPECT_EQ(graph.shape_of("output"), (Shape{1, 8, 14, 14}));
    EXPECT_EQ(fuse(graph).size(), 1U);
    expect_shapes(graph);
}

TEST(LayerGraph, SqueezeGatesWhatItPools) {
    LayerSpec spec = inverted_residual();
    spec.squeeze = 6;
    const Graph graph = graph_of(spec);
    EXPECT_THAT(operators_of(graph),
                ElementsAre("Conv", "HardSwish", "Conv", "Clip", "GlobalAveragePool", "Conv",
                            "Relu", "Conv", "HardSigmoid", "Mul", "Conv"));
    EXPECT_EQ(node_of(graph, "pool").inputs[0], node_of(graph, "gate").inputs[0]);
    EXPECT_EQ(graph.shape_of("reduce_weights"), (Shape{6, 24, 1, 1}));
    EXPECT_EQ(graph.shape_of("excite_weights"), (Shape{24, 6, 1, 1}));
    spec.gate = "sigmoid";
    spec.squeeze_activation = "silu";
    const std::vector<std::string> others = operators_of(graph_of(spec));
    EXPECT_THAT(others, Contains("Sigmoid"));
    EXPECT_THAT(others, Contains("Silu"));
}

TEST(LayerGraph, GhostConcatenatesBothHalves) {
    LayerSpec spec = spec_of("ghost", "7x9x12", 12);
    spec.activation = "relu";
    spec.residual = true;
    const Graph graph = graph_of(spec);
    EXPECT_THAT(operators_of(graph), ElementsAre("Conv", "Relu", "Conv", "Relu", "Concat", "Add"));
    const Node &concat = graph.nodes.at(4);
    EXPECT_EQ(concat.inputs,
              (std::vector<std::string>{graph.nodes[1].outputs[0], graph.nodes[3].outputs[0]}));
    EXPECT_EQ(node_of(graph, "cheap").inputs[0], concat.inputs[0]);
    EXPECT_EQ(graph.shape_of("cheap_weights"), (Shape{6, 1, 3, 3}));
    EXPECT_EQ(graph.shape_of("output"), (Shape{1, 12, 7, 9}));
}

TEST(LayerGraph, GhostBehindASqueeze) {
    LayerSpec spec = spec_of("ghost", "7x7x12", 8);
    spec.squeeze = 3;
    const Graph graph = graph_of(spec);
    EXPECT_THAT(operators_of(graph), ElementsAre("GlobalAveragePool", "Conv", "Relu", "Conv",
                                                 "HardSigmoid", "Mul", "Conv", "Conv", "Concat"));
    EXPECT_THAT(node_of(graph, "primary").inputs, Contains(node_of(graph, "gate").outputs[0]));
}

TEST(LayerGraph, GhostBottleneckTakesTheInputWhereItFits) {
    LayerSpec spec = spec_of("ghost_bottleneck", "14x14x8", 8);
    spec.expand = 20;
    const Graph identity = graph_of(spec);
    EXPECT_THAT(operators_of(identity),
                ElementsAre("Conv", "Conv", "Concat", "Conv", "Conv", "Concat", "Add"));
    EXPECT_THAT(node_of(identity, "add").inputs, Contains("input"));
    spec.stride = "2";
    spec.kernel = "5";
    spec.squeeze = 4;
    const Graph strided = graph_of(spec);
    EXPECT_EQ(node_of(strided, "shortcut_depthwise").inputs[0], "input");
    EXPECT_EQ(strided.shape_of("depthwise_weights"), (Shape{20, 1, 5, 5}));
    EXPECT_EQ(strided.shape_of("expand_cheap_weights"), (Shape{10, 1, 3, 3}));
    EXPECT_EQ(strided.shape_of("output"), (Shape{1, 8, 7, 7}));
    expect_shapes(strided);
    spec.stride = "";
    spec.out_channels = 10;  // Stride 1, but other channels.
    EXPECT_EQ(node_of(graph_of(spec), "shortcut_project").op, "Conv");
}

TEST(LayerGraph, WeightsGoToTheirStage) {
    LayerSpec spec = inverted_residual();
    spec.weights["project"] = {{8, 24}, std::vector<float>(8 * 24, 3.0F)};
    const Graph graph = graph_of(spec);
    EXPECT_EQ(graph.constant("project_weights")->floats(), spec.weights["project"].values);
    EXPECT_EQ(graph.constant("project_bias")->floats(), std::vector<float>(8, 0.0F));
    EXPECT_NE(graph.constant("expand_bias")->floats(), std::vector<float>(24, 0.0F));
    LayerSpec one = spec_of("pointwise", "3x3x2", 1);
    one.weights[""] = {{1, 2}, {5, 6}};
    EXPECT_THAT(graph_of(one).constant("pointwise_weights")->floats(), ElementsAre(5, 6));
}

TEST(LayerGraph, RefusalsNameTheOption) {
    const auto refuses = [](const auto &change, const std::string &text) {
        LayerSpec spec = inverted_residual();
        change(&spec);
        EXPECT_THAT(error_of(spec), HasSubstr(text));
    };
    refuses([](auto *spec) { spec->expand = 0; }, "--expand: inverted_residual needs it");
    refuses([](auto *spec) { spec->out_channels = 0; }, "--out-channels: inverted_residual needs");
    refuses([](auto *spec) { spec->multiplier = 2; }, "--multiplier: inverted_residual does not");
    refuses([](auto *spec) { spec->gate = "sigmoid"; }, "--gate: only together with --squeeze");
    refuses([](auto *spec) { spec->expand_activation = "x"; }, "--expand-activation: expected one");
    refuses([](auto *spec) { spec->padding = "1,1"; }, "--padding: expected same_upper");
    refuses([](auto *spec) { spec->kernel = "99", spec->padding = "valid"; },
            "--kernel: 99x99 does not fit");
    refuses([](auto *spec) { spec->input = "14x14"; }, "--input: expected HxWxC");
    refuses([](auto *spec) { spec->op = "dense"; }, "OPERATOR: there is no 'dense'");
    refuses([](auto *spec) { spec->residual = true, spec->stride = "2"; },
            "--residual: only equal shapes can be added, got 1x8x14x14 and 1x8x7x7");
    refuses(
        [](auto *spec) { spec->weights["cheap"] = {}; },
        "--weights: expected STAGE=FILE with a stage of expand, depthwise, project, got 'cheap'");
    refuses(
        [](auto *spec) {
            spec->bias["expand"] = {{3}, {1, 2, 3}};
        },
        "--bias: stage expand is 24, got 3");
}

TEST(LayerGraph, UnnamedWeightsNeedOneStage) {
    LayerSpec spec = inverted_residual();
    spec.weights[""] = {{24, 8}, std::vector<float>(24 * 8)};
    EXPECT_THAT(error_of(spec), HasSubstr("--weights: "));
}

TEST(LayerGraph, GhostRefusals) {
    EXPECT_THAT(error_of(spec_of("ghost", "7x7x4", 9)), HasSubstr("--out-channels: a Ghost"));
    LayerSpec spec = spec_of("ghost", "7x7x4", 8);
    spec.padding = "valid";
    EXPECT_THAT(error_of(spec), HasSubstr("--padding: a Ghost module must keep"));
    LayerSpec bottleneck = spec_of("ghost_bottleneck", "7x7x4", 8);
    bottleneck.expand = 9;
    EXPECT_THAT(error_of(bottleneck), HasSubstr("--expand: a Ghost"));
}

}  // namespace
}  // namespace sepconv
