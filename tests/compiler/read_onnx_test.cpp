// Whole models: what is folded away, what keeps its name, and what is refused with which words.
#include "compiler/read_onnx.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include "compiler/passes/passes.h"
#include "tests/compiler/model_builder.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;
using B = ModelBuilder;

Graph read(const ModelBuilder &builder, const ReadOptions &options = {}) {
    Result<Graph> graph = read_onnx(builder.bytes(), options);
    EXPECT_TRUE(graph.ok()) << graph.status().message();
    return graph.ok() ? std::move(graph).value() : Graph();
}

TEST(ReadOnnx, SkipsUnusedInitialisersListedAsInputs) {
    B builder(9);
    builder.input("x", {1, 1, 4, 4}).input("w", {2, 1, 3, 3}).input("count", {});
    builder.floats("w", {2, 1, 3, 3}).tensor_of("count", {}, onnx::TensorProto::UINT8);
    builder.node("Conv", {"x", "w"}, {"y"}).output("y");
    const Graph graph = read(builder);
    EXPECT_EQ(graph.inputs, std::vector<std::string>{"x"});
    EXPECT_EQ(graph.constants.size(), 1U);
    EXPECT_EQ(graph.nodes[0].name, "Conv_0");
}

TEST(ReadOnnx, SortsNodes) {
    B builder;
    builder.input("x", {2}).node("Relu", {"a"}, {"y"}).node("Abs", {"x"}, {"a"}).output("y");
    const Graph graph = read(builder);
    ASSERT_EQ(graph.nodes.size(), 2U);
    EXPECT_EQ(graph.nodes[0].op, "Abs");
}

TEST(ReadOnnx, FoldsShapeArithmetic) {
    B builder;
    builder.input("x", {-1, 3, 4, 5}).ints("zero", {0}).ints("one", {1}).ints("rest", {-1});
    builder.node("Shape", {"x"}, {"s"});
    builder.node("Slice", {"s", "zero", "one", "zero"}, {"n"});
    builder.node("Cast", {"n"}, {"c"}).with("to", int64_t{onnx::TensorProto::INT64});
    builder.node("Concat", {"c", "rest"}, {"t"}).with("axis", int64_t{0});
    builder.node("Reshape", {"x", "t"}, {"y"}).output("y");
    const Graph graph = read(builder);
    ASSERT_EQ(graph.nodes.size(), 1U);
    EXPECT_EQ(graph.nodes[0].inputs, std::vector<std::string>{"x"});
    EXPECT_EQ(graph.shape_of("y"), (Shape{1, 60}));
    EXPECT_TRUE(graph.constants.empty());
}

TEST(ReadOnnx, FoldsGatherRangeAndWhere) {
    B builder;
    builder.input("x", {4, 6}).ints("one", {1}).ints("two", {2}).ints("none", {-1});
    builder.node("Shape", {"x"}, {"s"}).node("Gather", {"s", "one"}, {"g"});
    builder.node("Div", {"g", "two"}, {"h"}).node("Equal", {"h", "two"}, {"e"});
    builder.node("Where", {"e", "two", "h"}, {"w"});
    builder.node("Concat", {"w", "none"}, {"t"}).with("axis", int64_t{0});
    builder.node("Reshape", {"x", "t"}, {"y"}).output("y");
    EXPECT_EQ(read(builder).shape_of("y"), (Shape{3, 8}));
}

TEST(ReadOnnx, FoldsTile) {
    B builder;
    builder.input("x", {36}).ints("list", {2, 3}).ints("column", {2, 1}).ints("flat", {-1});
    builder.node("Reshape", {"list", "column"}, {"c"}).node("Tile", {"c", "column"}, {"tall"});
    builder.node("Reshape", {"tall", "flat"}, {"t"});
    builder.node("Reshape", {"x", "t"}, {"a"});
    builder.ints("row", {1, 2}).node("Tile", {"c", "row"}, {"wide"});
    builder.node("Reshape", {"wide", "flat"}, {"w"});
    builder.node("Reshape", {"a", "w"}, {"y"}).output("a").output("y");
    const Graph graph = read(builder);
    EXPECT_EQ(graph.shape_of("a"), (Shape{2, 3, 2, 3}));
    EXPECT_EQ(graph.shape_of("y"), (Shape{2, 2, 3, 3}));
}

TEST(ReadOnnx, IdentityHandsItsOutputNameOn) {
    B builder;
    builder.input("x", {2}).node("Relu", {"x"}, {"a"}).node("Identity", {"a"}, {"y"});
    builder.node("Abs", {"a"}, {"z"}).output("y").output("z");
    const Graph graph = read(builder);
    ASSERT_EQ(graph.nodes.size(), 2U);
    EXPECT_EQ(graph.nodes[0].outputs[0], "y");
    EXPECT_EQ(graph.nodes[1].inputs[0], "y");
    EXPECT_EQ(graph.values.count("a"), 0U);
}

TEST(ReadOnnx, IdentityStaysBehindInputsConstantsAndOutputs) {
    B builder;
    builder.input("x", {2}).floats("c", {3}).node("Relu", {"x"}, {"a"});
    builder.node("Identity", {"x"}, {"b"}).node("Dropout", {"a"}, {"d"});
    builder.node("Identity", {"c"}, {"e"});
    builder.output("a").output("b").output("d").output("e").output("c");
    const Graph graph = read(builder);
    EXPECT_EQ(graph.nodes.size(), 5U);
    for (const char *output : {"a", "b", "d", "e", "c"}) {
        ASSERT_NE(graph.producer(output), nullptr) << output;
    }
    EXPECT_EQ(graph.producer("b")->inputs[0], "x");
    EXPECT_EQ(graph.producer("d")->inputs[0], "a");
    EXPECT_TRUE(graph.is_constant(graph.producer("e")->inputs[0]));
    EXPECT_TRUE(graph.is_constant(graph.producer("c")->inputs[0]));
}

TEST(ReadOnnx, SumsOfManyBecomeARow) {
    B builder;
    builder.input("x", {2, 3}).floats("c", {3}).node("Abs", {"x"}, {"a"});
    builder.node("Sum", {"c", "x", "a"}, {"y"}).output("y");
    const Graph graph = read(builder);
    ASSERT_EQ(graph.nodes.size(), 3U);
    EXPECT_EQ(graph.nodes[1].inputs, (std::vector<std::string>{"x", "a"}));
    EXPECT_EQ(graph.nodes[2].inputs[1], "c");
    EXPECT_EQ(graph.nodes[2].outputs[0], "y");
}

TEST(ReadOnnx, NamesAreUnique) {
    B builder;
    builder.input("x", {2}).node("Relu", {"x"}, {"a"}, "n").node("Abs", {"a"}, {"y"}, "n");
    const Graph graph = read(builder.output("y"));
    EXPECT_NE(graph.nodes[0].name, graph.nodes[1].name);
}

TEST(ReadOnnx, NamesMayHoldQuotesAndNewlines) {
    const std::string odd = "a\"b\nc'";
    B builder;
    builder.input("x", {2}).node("Relu", {"x"}, {odd}, odd).output(odd);
    EXPECT_EQ(read(builder).outputs[0], odd);
}

TEST(ReadOnnx, InputShapesReplaceDeclaredOnes) {
    B builder;
    builder.input("x", {10, 3, 32, -1}).node("Relu", {"x"}, {"y"}).output("y");
    EXPECT_EQ(read(builder, {{{"x", {1, 3, 8, 9}}}, ""}).shape_of("y"), (Shape{1, 3, 8, 9}));
    const auto message = [&](const ReadOptions &options) {
        return read_onnx(builder.bytes(), options).status().message();
    };
    EXPECT_NE(message({}).find("--input-shape 'x=10x3x32x?'"), std::string::npos) << message({});
    EXPECT_NE(message({{{"z", {1}}}, ""}).find("no input of the model"), std::string::npos);
    EXPECT_NE(message({{{"x", {1, 2}}}, ""}).find("rank 2"), std::string::npos);
    EXPECT_NE(message({{{"x", {1, 2, 0, 4}}}, ""}).find("positive"), std::string::npos);
}

/// A model that must be refused.
struct Refusal {
    const char *name;
    StatusCode code;
    const char *text;  ///< Part of the message.
    std::function<void(ModelBuilder &)> build;
};

class ReadOnnxRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(ReadOnnxRefuses, WithItsReason) {
    B builder;
    GetParam().build(builder);
    const Status status = read_onnx(builder.bytes(), {}).status();
    EXPECT_EQ(status.code(), GetParam().code) << status.message();
    EXPECT_NE(status.message().find(GetParam().text), std::string::npos) << status.message();
}

/// A 3x3 Conv named "conv" on x [1, 4, 5, 5]; attributes may follow.
B &conv(B &b, const Shape &weights) {
    b.input("x", {1, 4, 5, 5}).floats("w", weights).output("y");
    return b.node("Conv", {"x", "w"}, {"y"}, "conv");
}

constexpr StatusCode kInvalid = StatusCode::kInvalidModel;
constexpr StatusCode kUnsupported = StatusCode::kUnsupported;
constexpr StatusCode kExhausted = StatusCode::kResourceExhausted;

const Refusal kConvRefusals[] = {
    {"KernelTooLarge", kInvalid,
     "node 'conv' (Conv): the kernel's extent 6 is larger than the "
     "padded input's 5",
     [](B &b) {
         conv(b, {4, 4, 6, 6});
     }},
    {"StrideZero", kInvalid, "strides[1] is 0, expected at least 1",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("strides", Ints{1, 0});
     }},
    {"DilationNegative", kInvalid, "dilations[0] is -1",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("dilations", Ints{-1, 1});
     }},
    {"PadNegative", kInvalid, "pads[2] is -1",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("pads", Ints{0, 0, -1, 0});
     }},
    {"PadsTooFew", kInvalid, "pads has 2 numbers, expected 4",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("pads", Ints{0, 0});
     }},
    {"GroupZero", kInvalid, "group is 0",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("group", int64_t{0});
     }},
    {"ChannelsNotDivisible", kInvalid, "not divisible by group 4",
     [](B &b) {
         conv(b, {6, 1, 3, 3}).with("group", int64_t{4});
     }},
    {"ChannelsDiffer", kInvalid, "the input has 4 channels",
     [](B &b) {
         conv(b, {4, 3, 3, 3});
     }},
    {"KernelShapeDiffers", kInvalid, "kernel_shape is 2x3, the weights have 3x3",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("kernel_shape", Ints{2, 3});
     }},
    {"AttributeType", kInvalid, "attribute 'strides' has the wrong type",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("strides", int64_t{1});
     }},
    {"AttributeUnknown", kUnsupported, "attribute 'magic' is not known",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("magic", int64_t{1});
     }},
    {"AttributeValue", kUnsupported,
     "node 'pad' (Pad): mode 'wrap' is not supported; supported: constant, reflect, edge",
     [](B &b) {
         b.input("x", {4}).ints("p", {1, 0}).node("Pad", {"x", "p"}, {"y"}, "pad").output("y");
         b.with("mode", "wrap");
     }},
    {"AttributeValueOfTwo", kUnsupported, "auto_pad 'VALID|NOTSET' is not supported",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("auto_pad", "VALID|NOTSET");
     }},
    {"AttributeOfAConstantUnknown", kUnsupported,
     "node 'part' (Gather): attribute 'batch_dims' is not known",
     [](B &b) {
         b.input("x", {3}).floats("c", {3}).ints("i", {0}).node("Gather", {"c", "i"}, {"p"},
                                                                "part");
         b.with("batch_dims", int64_t{1}).node("Add", {"x", "p"}, {"y"}).output("y");
     }},
    {"ConstantOnly", kUnsupported,
     "node 'log' (Log): is computed only where its inputs are constant at the given input shapes",
     [](B &b) { b.input("x", {3}).node("Log", {"x"}, {"y"}, "log").output("y"); }},
    {"AttributeTwice", kInvalid, "attribute 'group' occurs twice",
     [](B &b) {
         conv(b, {4, 4, 3, 3}).with("group", int64_t{1}).with("group", int64_t{1});
     }},
    {"WeightsNotConstant", kUnsupported, "weights and bias must be constants",
     [](B &b) {
         b.input("x", {1, 4, 5, 5}).input("w", {4, 4, 3, 3}).node("Conv", {"x", "w"}, {"y"});
         b.output("y");
     }},
    {"ThreeSpatialAxes", kUnsupported, "3 spatial axes",
     [](B &b) {
         b.input("x", {1, 1, 4, 4, 4}).floats("w", {1, 1, 2, 2, 2}).output("y");
         b.node("Conv", {"x", "w"}, {"y"});
     }},
};

/// Adds a subgraph to the last node, which returns what "Relu" makes of `input`.
void branch(B &b, const std::string &name, const std::string &input = "x") {
    auto *attribute = b.graph().mutable_node(b.graph().node_size() - 1)->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::GRAPH);
    auto *node = attribute->mutable_g()->add_node();
    node->set_op_type("Relu");
    node->add_input(input);
    node->add_output(name + "_y");
    attribute->mutable_g()->add_output()->set_name(name + "_y");
}

/// y = If(condition) with a then_branch of x.
B &choice(B &b, const std::string &condition) {
    b.input("x", {2}).node("If", {condition}, {"y"}).output("y");
    branch(b, "then_branch");
    return b;
}

B &condition(B &b, const Shape &shape, onnx::TensorProto::DataType type) {
    auto *tensor = b.graph().add_initializer();
    tensor->set_name("c");
    tensor->set_data_type(type);
    for (const int64_t extent : shape) tensor->add_dims(extent);
    for (int64_t i = 0; i < element_count(shape); ++i) tensor->add_int32_data(1);
    return b;
}

constexpr auto kBool = onnx::TensorProto::BOOL;

const Refusal kBranchRefusals[] = {
    {"ComputedCondition", kUnsupported, "(If): the condition is not constant at the given input",
     [](B &b) { choice(b, "x"); }},
    {"NoCondition", kUnsupported, "(If): the condition is not constant at the given input",
     [](B &b) { choice(b, ""); }},
    {"ConditionOfInts", kInvalid, "condition is of type INT32 and shape 1, expected one BOOL",
     [](B &b) { choice(condition(b, {1}, onnx::TensorProto::INT32), "c"); }},
    {"TwoConditions", kInvalid, "condition is of type BOOL and shape 2, expected one BOOL",
     [](B &b) { choice(condition(b, {2}, kBool), "c"); }},
    {"NoBranch", kInvalid, "(If): then_branch is missing",
     [](B &b) { condition(b, {}, kBool).input("x", {2}).node("If", {"c"}, {"y"}).output("y"); }},
    {"NoSubgraph", kInvalid, "(If): then_branch is missing",
     [](B &b) {
         condition(b, {}, kBool).input("x", {2}).node("If", {"c"}, {"y"}).output("y");
         b.with("then_branch", int64_t{1});
     }},
    {"UnknownNameInBranch", kInvalid, "input 'nothing' is produced by no node",
     [](B &b) {
         condition(b, {}, kBool).input("x", {2}).node("If", {"c"}, {"y"}).output("y");
         branch(b, "then_branch", "nothing");
     }},
    {"BranchReadsItsResult", kInvalid, "depends on its own output (a cycle)",
     [](B &b) {
         condition(b, {}, kBool).input("x", {2}).node("If", {"c"}, {"y"}).output("y");
         branch(b, "then_branch", "y");
     }},
    {"BranchWithInputs", kInvalid, "of an If has inputs",
     [](B &b) {
         choice(condition(b, {}, kBool), "c");
         b.graph().mutable_node(0)->mutable_attribute(0)->mutable_g()->add_input()->set_name("in");
     }},
    {"BranchWithMoreOutputs", kInvalid, "then_branch has 2 outputs, expected 1",
     [](B &b) {
         choice(condition(b, {}, kBool), "c");
         auto *graph = b.graph().mutable_node(0)->mutable_attribute(0)->mutable_g();
         graph->add_output()->set_name("x");
     }},
    {"UnknownOperatorInBranch", kUnsupported, "the operator is not supported",
     [](B &b) {
         choice(condition(b, {}, kBool), "c");
         auto *graph = b.graph().mutable_node(0)->mutable_attribute(0)->mutable_g();
         graph->mutable_node(0)->set_op_type("NonMaxSuppression");
     }},
};

const Refusal kStructureRefusals[] = {
    {"Cycle", kInvalid, "a cycle",
     [](B &b) {
         b.input("x", {2}).node("Add", {"x", "b"}, {"a"}).node("Relu", {"a"}, {"b"}).output("b");
     }},
    {"MissingValue", kInvalid, "input 'nowhere' is produced by no node",
     [](B &b) {
         b.input("x", {2}).node("Add", {"x", "nowhere"}, {"y"}).output("y");
     }},
    {"MissingOutput", kInvalid, "output 'z' is produced by no node",
     [](B &b) { b.input("x", {2}).node("Relu", {"x"}, {"y"}).output("z"); }},
    {"DuplicateValue", kInvalid, "'y' already names",
     [](B &b) {
         b.input("x", {2}).node("Relu", {"x"}, {"y"}).node("Abs", {"x"}, {"y"}).output("y");
     }},
    {"DuplicateInput", kInvalid, "two inputs are named 'x'",
     [](B &b) { b.input("x", {2}).input("x", {2}).node("Relu", {"x"}, {"y"}).output("y"); }},
    {"DuplicateInitialiser", kInvalid, "two initialisers are named 'c'",
     [](B &b) {
         b.input("x", {2}).floats("c", {2}).floats("c", {2}).node("Add", {"x", "c"}, {"y"});
         b.output("y");
     }},
    {"NoOutput", kInvalid, "no graph with an output", [](B &b) { b.input("x", {2}); }},
    {"UnknownOperator", kUnsupported, "node 'odd' (NonMaxSuppression): the operator is not",
     [](B &b) { b.input("x", {2}).node("NonMaxSuppression", {"x"}, {"y"}, "odd").output("y"); }},
    {"UnknownDomain", kUnsupported, "operators of the domain 'com.example' are not supported",
     [](B &b) {
         b.input("x", {2}).node("Relu", {"x"}, {"y"}).output("y");
         b.graph().mutable_node(0)->set_domain("com.example");
     }},
    {"Loop", kUnsupported, "attribute 'body' is a subgraph; of control flow only If is supported",
     [](B &b) {
         b.input("x", {2}).node("Loop", {"x"}, {"y"}).output("y");
         branch(b, "body");
     }},
    {"NulInName", kInvalid, "value 'a\\x00b' has a NUL byte",
     [](B &b) {
         const std::string name("a\0b", 3);
         b.input("x", {2}).node("Relu", {"x"}, {name}).output(name);
     }},
    {"LongName", kExhausted, "a name of 5000 bytes",
     [](B &b) {
         const std::string name(5000, 'a');
         b.input("x", {2}).node("Relu", {"x"}, {name}).output(name);
     }},
    {"OldOpset", kUnsupported, "operator set 6, supported are 7 to",
     [](B &b) {
         b.input("x", {2}).node("Relu", {"x"}, {"y"}).output("y");
         b.model().mutable_opset_import(0)->set_version(6);
     }},
    {"NewOpset", kUnsupported, "operator set 1000",
     [](B &b) {
         b.input("x", {2}).node("Relu", {"x"}, {"y"}).output("y");
         b.model().mutable_opset_import(0)->set_version(1000);
     }},
    {"TooManyNodes", kExhausted, "has 100001 nodes",
     [](B &b) {
         b.input("x", {2}).output("v100000");
         for (int i = 0; i <= 100000; ++i) {
             b.node("Relu", {i == 0 ? "x" : "v" + std::to_string(i - 1)},
                    {"v" + std::to_string(i)});
         }
     }},
};

const Refusal kTensorRefusals[] = {
    {"RawBytesTooFew", kInvalid, "initialiser 'c': has 4 bytes of data, its shape 2 needs 8",
     [](B &b) {
         b.input("x", {2}).tensor_of("c", {2}, onnx::TensorProto::FLOAT).set_raw_data("1234");
         b.node("Add", {"x", "c"}, {"y"}).output("y");
     }},
    {"ValuesTooMany", kInvalid, "has 3 values, its shape 2 needs 2",
     [](B &b) {
         onnx::TensorProto &c = b.input("x", {2}).tensor_of("c", {2}, onnx::TensorProto::FLOAT);
         c.add_float_data(1), c.add_float_data(2), c.add_float_data(3);
         b.node("Add", {"x", "c"}, {"y"}).output("y");
     }},
    {"NegativeExtent", kInvalid, "negative extent",
     [](B &b) {
         b.input("x", {2}).tensor_of("c", {-2}, onnx::TensorProto::FLOAT);
         b.node("Add", {"x", "c"}, {"y"}).output("y");
     }},
    {"HugeExtent", kExhausted, "extent above 2^31 - 1",
     [](B &b) {
         b.input("x", {1, INT64_MAX}).node("Relu", {"x"}, {"y"}).output("y");
     }},
    {"ProductOverflows", kExhausted, "more than 2^31 - 1 elements",
     [](B &b) {
         b.input("x", {1 << 30, 1 << 30, 1 << 30, 1 << 30}).node("Relu", {"x"}, {"y"});
         b.output("y");
     }},
    {"RankTooHigh", kUnsupported, "rank 9",
     [](B &b) { b.input("x", Shape(9, 1)).node("Relu", {"x"}, {"y"}).output("y"); }},
    {"Bfloat16", kUnsupported, "element type BFLOAT16",
     [](B &b) {
         b.input("x", {2}).tensor_of("c", {2}, onnx::TensorProto::BFLOAT16).set_raw_data("1234");
         b.node("Add", {"x", "c"}, {"y"}).output("y");
     }},
    {"Float16", kUnsupported, "input 1 is a constant of type FLOAT16, expected FLOAT",
     [](B &b) {
         b.input("x", {2}).tensor_of("c", {2}, onnx::TensorProto::FLOAT16).set_raw_data("1234");
         b.node("Add", {"x", "c"}, {"y"}).output("y");
     }},
    {"IntegerInput", kUnsupported, "input 'x' has element type INT64",
     [](B &b) {
         b.input("x", {2}).node("Relu", {"x"}, {"y"}).output("y");
         b.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(7);
     }},
    {"ExternalWithoutFolder", kUnsupported, "has external data",
     [](B &b) {
         onnx::TensorProto &c = b.input("x", {2}).tensor_of("c", {2}, onnx::TensorProto::FLOAT);
         c.set_data_location(onnx::TensorProto::EXTERNAL);
         b.node("Add", {"x", "c"}, {"y"}).output("y");
     }},
    {"ReshapeDiffers", kInvalid, "cannot reshape 2x3 to 4x2",
     [](B &b) {
         b.input("x", {2, 3}).ints("s", {4, 2}).node("Reshape", {"x", "s"}, {"y"}).output("y");
     }},
    {"EmptySlice", kUnsupported, "shape 0, expected FLOAT, not empty",
     [](B &b) {
         b.input("x", {4}).ints("s", {3}).ints("e", {1}).node("Slice", {"x", "s", "e"}, {"y"});
         b.output("y");
     }},
    {"ScaleNotANumber", kInvalid, "scales[2] is nan",
     [](B &b) {
         b.input("x", {1, 1, 2, 2}).floats("s", {4}, {1, 1, std::nanf(""), 2}).output("y");
         b.node("Resize", {"x", "", "s"}, {"y"});
     }},
    {"DivisionByZero", kInvalid, "divides an integer by zero",
     [](B &b) {
         b.input("x", {4}).ints("a", {4}).ints("z", {0}).node("Div", {"a", "z"}, {"s"});
         b.node("Reshape", {"x", "s"}, {"y"}).output("y");
     }},
};

std::string name_of_refusal(const testing::TestParamInfo<Refusal> &info) {
    return info.param.name;
}

TEST(ReadOnnx, AnUnreadInputMayBeOfAnyType) {
    B builder;
    builder.input("x", {2}).input("ids", {-1, 3}).output("y").node("Relu", {"x"}, {"y"});
    builder.graph().mutable_input(1)->mutable_type()->mutable_tensor_type()->set_elem_type(
        onnx::TensorProto::INT64);
    const Result<Graph> graph = read_onnx(builder.bytes(), {});
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    EXPECT_EQ(graph.value().inputs, (std::vector<std::string>{"x"}));
}

TEST(ReadOnnx, AReadInputOfAnotherTypeIsRefused) {
    B builder;
    builder.input("x", {2}).output("y").node("Relu", {"x"}, {"y"});
    builder.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
        onnx::TensorProto::INT64);
    const Status status = read_onnx(builder.bytes(), {}).status();
    EXPECT_NE(status.message().find("input 'x' has element type INT64"), std::string::npos)
        << status.message();
}

TEST(ReadOnnx, AnInputMayBeAnOutput) {
    B builder;
    builder.input("x", {2}).output("x").output("y").node("Identity", {"x"}, {"y"});
    const Result<Graph> graph = read_onnx(builder.bytes(), {});
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    ASSERT_EQ(graph.value().outputs.size(), 2U);
    EXPECT_EQ(graph.value().output_names.at(graph.value().outputs[0]), "x");
    EXPECT_EQ(graph.value().outputs[1], "y");
}

/// A BatchNormalization of x [1, 2, 3, 3] with these outputs, of which y is read.
B &norm(B &b, const std::vector<std::string> &outputs) {
    b.input("x", {1, 2, 3, 3}).floats("p", {2}).output("y");
    return b.node("BatchNormalization", {"x", "p", "p", "p", "p"}, outputs, "norm");
}

const Refusal kOutputRefusals[] = {
    {"TrainingByFiveOutputs", kUnsupported,
     "node 'norm' (BatchNormalization): declares 5 outputs, which is training mode before operator "
     "set 14",
     [](B &b) {
         norm(b, {"y", "m", "v", "sm", "sv"});
     }},
    {"TrainingByUnnamedOutputs", kUnsupported, "declares 5 outputs",
     [](B &b) {
         norm(b, {"y", "", "", "", ""});
     }},
    {"TrainingByTheLastOutput", kUnsupported, "declares 5 outputs",
     [](B &b) {
         norm(b, {"y", "", "", "", "sv"});
     }},
    {"TrainingByTwoOutputs", kUnsupported, "declares 2 outputs",
     [](B &b) {
         norm(b, {"y", "m"});
     }},
    {"TrainingWhoseMeanIsRead", kUnsupported, "declares 5 outputs",
     [](B &b) {
         norm(b, {"y", "m", "v", "sm", "sv"}).output("m");
     }},
    {"TrainingModeOfSet14", kUnsupported, "training_mode 1 is not supported",
     [](B &b) {
         b.model().mutable_opset_import(0)->set_version(15);
         norm(b, {"y", "m", "v"}).with("training_mode", int64_t{1});
     }},
    {"MeanInInference", kUnsupported, "node 'norm' (BatchNormalization): output 1 is not supported",
     [](B &b) {
         b.model().mutable_opset_import(0)->set_version(15);
         norm(b, {"y", "m", "v"}).output("m");
     }},
    {"DropoutMask", kUnsupported, "node 'drop' (Dropout): output 1 is not supported",
     [](B &b) {
         b.input("x", {2}).output("y").output("m").node("Dropout", {"x"}, {"y", "m"}, "drop");
     }},
    {"DropoutTrains", kUnsupported, "node 'drop' (Dropout): training_mode (input 2)",
     [](B &b) {
         b.input("x", {2}).output("y").floats("r", {}, {0.5F});
         b.tensor_of("t", {}, onnx::TensorProto::BOOL).add_int32_data(1);
         b.node("Dropout", {"x", "r", "t"}, {"y"}, "drop");
     }},
    {"MaxPoolIndices", kUnsupported, "node 'pool' (MaxPool): output 1 is not supported",
     [](B &b) {
         b.input("x", {1, 2, 4, 4}).output("y").output("i");
         b.node("MaxPool", {"x"}, {"y", "i"}, "pool").with("kernel_shape", Ints{2, 2});
     }},
    {"SplitIntoUnequalParts", kInvalid, "extent 4 does not split into 3 equal parts",
     [](B &b) {
         b.input("x", {4}).output("a").node("Split", {"x"}, {"a", "b", "c"}, "split");
     }},
};

INSTANTIATE_TEST_SUITE_P(Branch, ReadOnnxRefuses, testing::ValuesIn(kBranchRefusals),
                         name_of_refusal);
INSTANTIATE_TEST_SUITE_P(Conv, ReadOnnxRefuses, testing::ValuesIn(kConvRefusals), name_of_refusal);
INSTANTIATE_TEST_SUITE_P(Outputs, ReadOnnxRefuses, testing::ValuesIn(kOutputRefusals),
                         name_of_refusal);
INSTANTIATE_TEST_SUITE_P(Structure, ReadOnnxRefuses, testing::ValuesIn(kStructureRefusals),
                         name_of_refusal);
INSTANTIATE_TEST_SUITE_P(Tensor, ReadOnnxRefuses, testing::ValuesIn(kTensorRefusals),
                         name_of_refusal);

TEST(ReadOnnx, ReadsAsManyNodesAsAreAllowed) {
    B builder;
    builder.input("x", {2}).output("v99999");
    for (int i = 0; i < 100000; ++i) {
        builder.node("Relu", {i == 0 ? "x" : "v" + std::to_string(i - 1)},
                     {"v" + std::to_string(i)});
    }
    EXPECT_EQ(simplify(read(builder)).nodes.size(), 100000U);
}

TEST(ReadOnnx, RefusesWhatIsNoModel) {
    B builder;
    builder.input("x", {2}).node("Relu", {"x"}, {"y"}).output("y");
    const std::string whole = builder.bytes();
    std::string deep(200000, '\x3a');  // Field 7, the graph, again and again.
    for (const std::string &bytes :
         {std::string(), std::string("not a model"), whole.substr(0, whole.size() - 3), deep}) {
        EXPECT_EQ(read_onnx(bytes, {}).status().code(), kInvalid);
    }
    for (size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(read_onnx(std::string_view(whole).substr(0, length), {}).ok()) << length;
    }
    EXPECT_EQ(read_onnx_file("no/such/file.onnx", {}).status().code(), StatusCode::kIo);
}

/// A folder with a model whose initialiser lies in another file.
class ExternalData : public testing::Test {
protected:
    void SetUp() override {
        root_ = std::filesystem::temp_directory_path() /
                ("sepconv_external_" +
                 std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "_" +
                 testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_ / "model");
        const float values[] = {1, 2, 3};
        for (const char *path : {"model/data.bin", "secret.bin"}) {
            std::ofstream file(root_ / path, std::ios::binary);
            file.write(reinterpret_cast<const char *>(values), sizeof(values));
        }
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    Result<Graph> read_at(const std::string &location, const std::string &offset) {
        B builder;
        builder.input("x", {2}).node("Add", {"x", "c"}, {"y"}).output("y");
        onnx::TensorProto &c = builder.tensor_of("c", {2}, onnx::TensorProto::FLOAT);
        c.set_data_location(onnx::TensorProto::EXTERNAL);
        for (const auto &[key, value] :
             {std::pair<const char *, std::string>("location", location), {"offset", offset}}) {
            auto *entry = c.add_external_data();
            entry->set_key(key);
            entry->set_value(value);
        }
        ReadOptions options;
        options.folder = (root_ / "model").string();
        return read_onnx(builder.bytes(), options);
    }

    std::filesystem::path root_;
};

TEST_F(ExternalData, IsReadInsideTheFolder) {
    const Result<Graph> graph = read_at("data.bin", "4");
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    EXPECT_EQ(graph.value().constant("c")->floats(), (std::vector<float>{2, 3}));
}

TEST_F(ExternalData, IsRefusedElsewhere) {
    std::filesystem::create_symlink("../secret.bin", root_ / "model/link.bin");
    const std::string absolute = (root_ / "secret.bin").string();
    for (const std::string &location :
         {std::string("../secret.bin"), absolute, std::string("link.bin")}) {
        const Status status = read_at(location, "0").status();
        EXPECT_NE(status.message().find("outside the model's folder"), std::string::npos)
            << status.message();
    }
    EXPECT_EQ(read_at("data.bin", "8").status().code(), kInvalid);
    EXPECT_EQ(read_at("data.bin", "18446744073709551615").status().code(), kInvalid);
    EXPECT_EQ(read_at("data.bin", "-1").status().code(), kInvalid);
    EXPECT_EQ(read_at("missing.bin", "0").status().code(), StatusCode::kIo);
    EXPECT_FALSE(read_at(".", "0").ok());
}

}  // namespace
}  // namespace sepconv
