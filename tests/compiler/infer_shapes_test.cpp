// Each operator's output shape and what its attributes are normalised to.
#include "compiler/infer_shapes.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <functional>

#include "compiler/read_onnx.h"
#include "tests/compiler/model_builder.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

/// One operator on the input x of shape `input`, producing y.
struct Case {
    const char *name;
    int64_t opset;
    Shape input;
    std::function<void(ModelBuilder &)> build;
    Shape output;
    const char *op;  ///< Of the only node afterwards.
    std::map<std::string, Attribute> attributes;
};

class InferShapes : public testing::TestWithParam<Case> {};

bool equal(const Attribute &a, const Attribute &b) {
    return a.index() == b.index() && std::visit(
                                         [&b](const auto &value) {
                                             using T = std::decay_t<decltype(value)>;
                                             if constexpr (std::is_same_v<T, Constant>) {
                                                 return false;
                                             } else {
                                                 return value == std::get<T>(b);
                                             }
                                         },
                                         a);
}

TEST_P(InferShapes, GivesShapeAndAttributes) {
    const Case &test = GetParam();
    ModelBuilder builder(test.opset);
    builder.input("x", test.input).output("y");
    test.build(builder);
    const Result<Graph> graph = read_onnx(builder.bytes(), {});
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    EXPECT_EQ(graph.value().shape_of("y"), test.output);
    ASSERT_EQ(graph.value().nodes.size(), 1U);
    const Node &node = graph.value().nodes[0];
    EXPECT_EQ(node.op, test.op);
    for (const auto &[key, value] : test.attributes) {
        ASSERT_TRUE(node.has(key)) << key;
        EXPECT_TRUE(equal(node.attributes.at(key), value)) << key;
    }
}

using B = ModelBuilder;

const Case kWindowCases[] = {
    {"ConvDefaults",
     13,
     {1, 2, 5, 6},
     [](B &b) {
         b.floats("w", {4, 2, 3, 3}).node("Conv", {"x", "w"}, {"y"});
     },
     {1, 4, 3, 4},
     "Conv",
     {{"pads", Ints{0, 0, 0, 0}},
      {"strides", Ints{1, 1}},
      {"dilations", Ints{1, 1}},
      {"kernel_shape", Ints{3, 3}},
      {"group", int64_t{1}}}},
    {"ConvSameUpper",
     13,
     {1, 2, 5, 6},
     [](B &b) {
         b.floats("w", {4, 1, 3, 3}).node("Conv", {"x", "w"}, {"y"}).with("group", int64_t{2});
         b.with("auto_pad", "SAME_UPPER").with("strides", Ints{2, 2});
     },
     {1, 4, 3, 3},
     "Conv",
     {{"pads", Ints{1, 0, 1, 1}}}},
    {"ConvSameLower",
     13,
     {1, 2, 5, 6},
     [](B &b) {
         b.floats("w", {4, 2, 3, 3}).node("Conv", {"x", "w"}, {"y"});
         b.with("auto_pad", "SAME_LOWER").with("strides", Ints{2, 2});
     },
     {1, 4, 3, 3},
     "Conv",
     {{"pads", Ints{1, 1, 1, 0}}}},
    {"ConvOneAxis",
     13,
     {1, 2, 9},
     [](B &b) {
         b.floats("w", {4, 2, 3}).node("Conv", {"x", "w"}, {"y"}).with("pads", Ints{1, 2});
     },
     {1, 4, 10},
     "Conv",
     {{"pads", Ints{1, 2}}}},
    {"ConvTranspose",
     13,
     {1, 4, 3, 3},
     [](B &b) {
         b.floats("w", {4, 2, 2, 2}).node("ConvTranspose", {"x", "w"}, {"y"});
         b.with("strides", Ints{2, 2}).with("group", int64_t{2});
     },
     {1, 4, 6, 6},
     "ConvTranspose",
     {{"output_padding", Ints{0, 0}}}},
    {"ConvTransposeOutputShape",
     13,
     {1, 1, 3, 3},
     [](B &b) {
         b.floats("w", {1, 2, 3, 3}).node("ConvTranspose", {"x", "w"}, {"y"});
         b.with("strides", Ints{3, 2}).with("output_shape", Ints{10, 8});
     },
     {1, 2, 10, 8},
     "ConvTranspose",
     {{"pads", Ints{0, 0, 0, 0}}, {"output_padding", Ints{1, 1}}}},
    {"MaxPoolCeil",
     13,
     {1, 1, 4, 4},
     [](B &b) {
         b.node("MaxPool", {"x"}, {"y"}).with("kernel_shape", Ints{3, 3});
         b.with("strides", Ints{2, 2}).with("ceil_mode", int64_t{1});
     },
     {1, 1, 2, 2},
     "MaxPool",
     {{"ceil_mode", int64_t{1}}}},
    {"GlobalAveragePool",
     13,
     {2, 3, 4, 5},
     [](B &b) { b.node("GlobalAveragePool", {"x"}, {"y"}); },
     {2, 3, 1, 1},
     "GlobalAveragePool",
     {}},
};

const Case kMovementCases[] = {
    {"ReshapeInferred",
     13,
     {2, 3, 4},
     [](B &b) {
         b.ints("s", {0, -1}).node("Reshape", {"x", "s"}, {"y"});
     },
     {2, 12},
     "Reshape",
     {}},
    {"FlattenNegativeAxis",
     13,
     {2, 3, 4, 5},
     [](B &b) { b.node("Flatten", {"x"}, {"y"}).with("axis", int64_t{-1}); },
     {24, 5},
     "Reshape",
     {}},
    {"SqueezeAttribute",
     11,
     {1, 3, 1, 4},
     [](B &b) { b.node("Squeeze", {"x"}, {"y"}).with("axes", Ints{2}); },
     {1, 3, 4},
     "Reshape",
     {}},
    {"SqueezeInput",
     13,
     {1, 3, 1, 4},
     [](B &b) {
         b.ints("a", {-2}).node("Squeeze", {"x", "a"}, {"y"});
     },
     {1, 3, 4},
     "Reshape",
     {}},
    {"Unsqueeze",
     13,
     {3, 4},
     [](B &b) {
         b.ints("a", {0, -1}).node("Unsqueeze", {"x", "a"}, {"y"});
     },
     {1, 3, 4, 1},
     "Reshape",
     {}},
    {"TransposeDefault",
     13,
     {2, 3, 4},
     [](B &b) { b.node("Transpose", {"x"}, {"y"}); },
     {4, 3, 2},
     "Transpose",
     {{"perm", Ints{2, 1, 0}}}},
    {"SliceReversed",
     13,
     {2, 5},
     [](B &b) {
         b.ints("s", {-1}).ints("e", {INT64_MIN}).ints("a", {1}).ints("t", {-2});
         b.node("Slice", {"x", "s", "e", "a", "t"}, {"y"});
     },
     {2, 3},
     "Slice",
     {{"starts", Ints{0, 4}}, {"ends", Ints{2, -1}}, {"axes", Ints{0, 1}}, {"steps", Ints{1, -2}}}},
    {"SliceAttributes",
     9,
     {2, 5},
     [](B &b) {
         b.node("Slice", {"x"}, {"y"}).with("starts", Ints{1}).with("ends", Ints{INT64_MAX});
         b.with("axes", Ints{1});
     },
     {2, 4},
     "Slice",
     {{"starts", Ints{0, 1}}, {"ends", Ints{2, 5}}}},
    {"SplitUneven",
     18,
     {1, 5},
     [](B &b) {
         b.node("Split", {"x"}, {"y", "z"}).with("axis", int64_t{-1});
         b.with("num_outputs", int64_t{2}).output("z");
     },
     {1, 3},
     "Split",
     {{"axis", int64_t{1}}, {"split", Ints{3, 2}}}},
    {"Concat",
     13,
     {1, 2, 3},
     [](B &b) {
         b.floats("c", {1, 4, 3}).node("Concat", {"x", "c"}, {"y"}).with("axis", int64_t{-2});
     },
     {1, 6, 3},
     "Concat",
     {{"axis", int64_t{1}}}},
    {"DepthToSpace",
     13,
     {1, 8, 2, 3},
     [](B &b) { b.node("DepthToSpace", {"x"}, {"y"}).with("blocksize", int64_t{2}); },
     {1, 2, 4, 6},
     "DepthToSpace",
     {{"mode", std::string("DCR")}}},
    {"PadAxes",
     18,
     {1, 2, 3, 3},
     [](B &b) {
         b.ints("p", {1, 2}).ints("a", {-1}).node("Pad", {"x", "p", "", "a"}, {"y"});
     },
     {1, 2, 3, 6},
     "Pad",
     {{"pads", Ints{0, 0, 0, 1, 0, 0, 0, 2}}, {"value", 0.0F}}},
    {"ResizeSizes",
     13,
     {1, 2, 4, 4},
     [](B &b) {
         b.ints("s", {1, 2, 8, 2}).node("Resize", {"x", "", "", "s"}, {"y"});
         b.with("mode", "linear");
     },
     {1, 2, 8, 2},
     "Resize",
     {{"scale_numerators", Ints{1, 2, 8, 2}},
      {"scale_denominators", Ints{1, 2, 4, 4}},
      {"coordinate_transformation_mode", std::string("half_pixel")}}},
    {"ResizeScales",
     13,
     {1, 2, 4, 10},
     [](B &b) {
         b.floats("s", {4}, {1, 1, 2.5F, 0.7F}).node("Resize", {"x", "", "s"}, {"y"});
     },
     {1, 2, 10, 7},
     "Resize",
     {{"scale_numerators", Ints{1, 1, 5, 11744051}},
      {"scale_denominators", Ints{1, 1, 2, 16777216}}}},
    {"ResizeNotLarger",  // 7/12 of 54 is 31.5; in single precision it is less.
     18,
     {1, 2, 12, 54},
     [](B &b) {
         b.ints("s", {7, 40}).node("Resize", {"x", "", "", "s"}, {"y"});
         b.with("keep_aspect_ratio_policy", "not_larger").with("axes", Ints{2, 3});
     },
     {1, 2, 7, 32},
     "Resize",
     {{"scale_numerators", Ints{1, 1, 7, 7}}, {"scale_denominators", Ints{1, 1, 12, 12}}}},
    {"ResizeNotSmaller",
     18,
     {1, 2, 12, 54},
     [](B &b) {
         b.ints("s", {7, 10}).node("Resize", {"x", "", "", "s"}, {"y"});
         b.with("keep_aspect_ratio_policy", "not_smaller").with("axes", Ints{2, 3});
     },
     {1, 2, 7, 32},
     "Resize",
     {{"scale_numerators", Ints{1, 1, 7, 7}}, {"scale_denominators", Ints{1, 1, 12, 12}}}},
    {"UpsampleAttribute",
     7,
     {1, 2, 4, 4},
     [](B &b) {
         b.node("Upsample", {"x"}, {"y"}).with("scales", Floats{1, 1, 2, 3});
     },
     {1, 2, 8, 12},
     "Resize",
     {{"coordinate_transformation_mode", std::string("asymmetric")},
      {"nearest_mode", std::string("floor")}}},
};

const Case kValueCases[] = {
    {"ClipAttributes",
     7,
     {2, 3},
     [](B &b) { b.node("Clip", {"x"}, {"y"}).with("min", 0.0F).with("max", 6.0F); },
     {2, 3},
     "Clip",
     {{"min", 0.0F}, {"max", 6.0F}}},
    {"ClipInputs",
     13,
     {2, 3},
     [](B &b) {
         b.floats("h", {}, {1.0F}).node("Clip", {"x", "", "h"}, {"y"});
     },
     {2, 3},
     "Clip",
     {{"min", -FLT_MAX}, {"max", 1.0F}}},
    {"SoftmaxCoerced",
     11,
     {2, 3, 4},
     [](B &b) { b.node("Softmax", {"x"}, {"y"}); },
     {2, 3, 4},
     "Softmax",
     {{"axis", int64_t{1}}, {"coerced", int64_t{1}}}},
    {"Softmax",
     13,
     {2, 3, 4},
     [](B &b) { b.node("Softmax", {"x"}, {"y"}); },
     {2, 3, 4},
     "Softmax",
     {{"axis", int64_t{2}}, {"coerced", int64_t{0}}}},
    {"ReduceMeanInput",
     18,
     {1, 2, 3, 4},
     [](B &b) {
         b.ints("a", {-1, 2}).node("ReduceMean", {"x", "a"}, {"y"}).with("keepdims", int64_t{0});
     },
     {1, 2},
     "ReduceMean",
     {{"axes", Ints{2, 3}}, {"keepdims", int64_t{0}}}},
    {"Gemm",
     13,
     {2, 3},
     [](B &b) {
         b.floats("w", {4, 3}).node("Gemm", {"x", "w"}, {"y"}).with("transB", int64_t{1});
     },
     {2, 4},
     "Gemm",
     {{"alpha", 1.0F}, {"transA", int64_t{0}}, {"transB", int64_t{1}}}},
    {"MatMulBatch",
     13,
     {5, 2, 3},
     [](B &b) {
         b.floats("w", {3, 4}).node("MatMul", {"x", "w"}, {"y"});
     },
     {5, 2, 4},
     "MatMul",
     {}},
    {"PowSquare",
     13,
     {2, 3},
     [](B &b) {
         b.floats("e", {}, {2.0F}).node("Pow", {"x", "e"}, {"y"});
     },
     {2, 3},
     "Mul",
     {}},
    {"PowRoot",
     13,
     {2, 3},
     [](B &b) {
         b.floats("e", {1}, {0.5F}).node("Pow", {"x", "e"}, {"y"});
     },
     {2, 3},
     "Sqrt",
     {}},
    {"HardSigmoidDefaults",
     13,
     {2},
     [](B &b) { b.node("HardSigmoid", {"x"}, {"y"}); },
     {2},
     "HardSigmoid",
     {{"alpha", 0.2F}, {"beta", 0.5F}}},
    {"AddBroadcasts",
     13,
     {2, 1, 4},
     [](B &b) {
         b.floats("c", {3, 1}).node("Add", {"x", "c"}, {"y"});
     },
     {2, 3, 4},
     "Add",
     {}},
    {"SumOfTwo",
     13,
     {2, 3},
     [](B &b) {
         b.floats("c", {3}).node("Sum", {"c", "x"}, {"y"});
     },
     {2, 3},
     "Add",
     {}},
};

std::string name_of_case(const testing::TestParamInfo<Case> &info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Windows, InferShapes, testing::ValuesIn(kWindowCases), name_of_case);
INSTANTIATE_TEST_SUITE_P(Movements, InferShapes, testing::ValuesIn(kMovementCases), name_of_case);
INSTANTIATE_TEST_SUITE_P(Values, InferShapes, testing::ValuesIn(kValueCases), name_of_case);

TEST(BroadcastShapes, FollowsNumpy) {
    Shape result;
    EXPECT_TRUE(broadcast_shapes({3, 1, 5}, {4, 1}, result));
    EXPECT_EQ(result, (Shape{3, 4, 5}));
    EXPECT_TRUE(broadcast_shapes({}, {2}, result));
    EXPECT_EQ(result, (Shape{2}));
    EXPECT_FALSE(broadcast_shapes({3}, {4}, result));
}

}  // namespace
}  // namespace sepconv
