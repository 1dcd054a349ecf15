// Operators on constants, each type in its own arithmetic.
#include "compiler/fold_constants.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "compiler/diagnostic.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;
using Attributes = std::map<std::string, Attribute>;

constexpr int64_t kOpset = 18;

Result<std::vector<Constant>> folded(const std::string &op, const std::vector<Constant> &inputs,
                                     const Attributes &attributes = {}, int64_t opset = kOpset) {
    Graph graph;
    graph.opset = opset;
    Node node{op, "n", {}, {"y"}, attributes};
    for (const Constant &input : inputs) {
        node.inputs.push_back("x" + std::to_string(node.inputs.size()));
        graph.constants[node.inputs.back()] = input;
    }
    int64_t budget = 1 << 20;
    return fold_node(graph, node, budget);
}

template<typename T>
Constant list(std::vector<T> values) {
    const auto count = static_cast<int64_t>(values.size());
    return Constant({count}, std::move(values));
}

Constant halves(const std::vector<float> &values) {
    return cast_constant(list(values), ElementType::kFloat16);
}

Constant bools(const std::vector<int64_t> &values) {
    return cast_constant(list(values), ElementType::kBool);
}

/// The elements in a type that holds them all, and the type.
void expect_equal(const Constant &value, const Constant &expected) {
    EXPECT_STREQ(name_of(value.type()), name_of(expected.type()));
    EXPECT_EQ(value.shape, expected.shape);
    if (!value.is_floating()) {
        EXPECT_EQ(value.converted<int64_t>(), expected.converted<int64_t>());
        return;
    }
    const auto values = value.converted<double>();
    const auto wanted = expected.converted<double>();
    ASSERT_EQ(values.size(), wanted.size());
    for (size_t i = 0; i < values.size(); ++i) {
        const bool nans = std::isnan(values[i]) && std::isnan(wanted[i]);
        EXPECT_TRUE(nans || values[i] == wanted[i]) << values[i] << " for " << wanted[i];
    }
}

struct Case {
    const char *name;
    const char *op;
    std::vector<Constant> inputs;
    Constant expected;
    Attributes attributes = {};
};

std::string name_of_case(const testing::TestParamInfo<Case> &info) {
    return info.param.name;
}

class Folds : public testing::TestWithParam<Case> {};

TEST_P(Folds, InItsOwnArithmetic) {
    const Case &test = GetParam();
    const auto values = folded(test.op, test.inputs, test.attributes);
    ASSERT_TRUE(values.ok()) << values.status().message();
    expect_equal(values.value()[0], test.expected);
}

constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
constexpr int32_t kMin32 = std::numeric_limits<int32_t>::min();
constexpr int32_t kMax32 = std::numeric_limits<int32_t>::max();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using F = std::vector<float>;
using D = std::vector<double>;
using I8 = std::vector<int8_t>;
using U8 = std::vector<uint8_t>;
using I32 = std::vector<int32_t>;

const Case kDoubles[] = {
    {"Sub", "Sub", {list(D{16777217}), list(D{16777215})}, list(D{2})},
    {"MulRoundsOnce", "Mul", {list(D{100}), list(D{0.29})}, list(D{28.999999999999996})},
    {"Floor", "Floor", {list(D{28.999999999999996})}, list(D{28})},
    {"Ceil", "Ceil", {list(D{29.000000000000004})}, list(D{30})},
    {"Round", "Round", {list(D{0.5, 1.5, 4503599627370495.5})}, list(D{0, 2, 4503599627370496})},
    {"Less", "Less", {list(D{0.1}), list(D{0.1000000000000001})}, bools({1})},
    {"Equal", "Equal", {list(D{16777216}), list(D{16777217})}, bools({0})},
    {"Sqrt", "Sqrt", {list(D{2})}, list(D{1.4142135623730951})},
    {"Pow", "Pow", {list(D{10}), list(D{-9})}, list(D{1e-9})},
    {"Max", "Max", {list(D{1e300, kNan}), list(D{1e301, 1})}, list(D{1e301, kNan})},
    {"Fmod", "Mod", {list(D{-1e17}), list(D{3})}, list(D{-1}), {{"fmod", int64_t{1}}}},
    {"ReduceMean", "ReduceMean", {list(D{16777216, 16777218})}, list(D{16777217})},
    {"Concat", "Concat", {list(D{0.1}), list(D{0.2})}, list(D{0.1, 0.2}), {{"axis", int64_t{0}}}},
    {"Gather", "Gather", {list(D{0.1, 0.2}), list(Ints{-1})}, list(D{0.2})},
    {"Where", "Where", {bools({1, 0}), list(D{0.1}), list(D{0.2})}, list(D{0.1, 0.2})},
};

const Case kFloats[] = {
    {"Sub", "Sub", {list(F{16777217.0F}), list(F{16777215.0F})}, list(F{1})},
    {"MulRoundsToFloat", "Mul", {list(F{100}), list(F{0.29F})}, list(F{29})},
    {"Add", "Add", {list(F{0.1F}), list(F{0.2F})}, list(F{0.1F + 0.2F})},
    {"Max", "Max", {list(F{1, NAN, 3}), list(F{NAN, 1, 2})}, list(F{NAN, NAN, 3})},
    {"Fmod",
     "Mod",
     {list(F{-3.5F, 3.5F}), list(F{3, -3})},
     list(F{-0.5F, 0.5F}),
     {{"fmod", int64_t{1}}}},
    {"PowOfIntegers", "Pow", {list(F{2, 3}), list(Ints{-1, 3})}, list(F{0.5F, 27})},
    {"ReduceSumInDouble", "ReduceSum", {list(F{1e8F, 1, -1e8F})}, list(F{1})},
};

// Arithmetic in float, each result rounded to half.
const Case kHalves[] = {
    {"AddRounds", "Add", {halves({2048}), halves({1})}, halves({2048})},
    {"AddRoundsToEven", "Add", {halves({2048}), halves({3})}, halves({2052})},
    {"MulOverflows", "Mul", {halves({300}), halves({300})}, halves({HUGE_VALF})},
    {"Div", "Div", {halves({1}), halves({3})}, halves({0.33325195F})},
    {"Exp", "Exp", {halves({7})}, halves({1097})},
    {"Less", "Less", {halves({1}), halves({1.5F})}, bools({1})},
    {"ReduceMean", "ReduceMean", {halves({7, 5, 100})}, halves({37.34375F})},
};

const Case kIntegers[] = {
    {"AddWraps64", "Add", {list(Ints{kMax64}), list(Ints{1})}, list(Ints{kMin64})},
    {"AddWraps32", "Add", {list(I32{kMax32}), list(I32{1})}, list(I32{kMin32})},
    {"MulWraps8", "Mul", {list(I8{100}), list(I8{3})}, list(I8{44})},
    {"SubWrapsUnsigned", "Sub", {list(U8{3}), list(U8{5})}, list(U8{254})},
    {"MulIsExact",
     "Mul",
     {list(Ints{3037000499}), list(Ints{3037000499})},
     list(Ints{9223372030926249001})},
    {"DivTruncates",
     "Div",
     {list(Ints{-7, 7, -7, 7}), list(Ints{3, -3, -3, 3})},
     list(Ints{-2, -2, 2, 2})},
    {"DivOverflows", "Div", {list(Ints{kMin64}), list(Ints{-1})}, list(Ints{kMin64})},
    {"DivOverflows8", "Div", {list(I8{-128}), list(I8{-1})}, list(I8{-128})},
    {"DivOfUnsigned", "Div", {list(U8{200}), list(U8{255})}, list(U8{0})},
    {"ModHasTheDivisorsSign",
     "Mod",
     {list(Ints{-7, 7, -7, 7}), list(Ints{3, -3, -3, 3})},
     list(Ints{2, -2, -1, 1})},
    {"FmodHasTheDividendsSign",
     "Mod",
     {list(I32{-7, 7, -7, 7}), list(I32{3, -3, -3, 3})},
     list(I32{-1, 1, -1, 1}),
     {{"fmod", int64_t{1}}}},
    {"ModOverflows", "Mod", {list(I32{kMin32}), list(I32{-1})}, list(I32{0})},
    {"PowIsExact",
     "Pow",
     {list(Ints{3, -7}), list(Ints{39, 21})},
     list(Ints{4052555153018976267, -558545864083284007})},
    {"PowOfNegative",
     "Pow",
     {list(Ints{2, -1, -1, 1, 0}), list(Ints{-1, -3, -2, -9, -1})},
     list(Ints{0, -1, 1, 1, kMin64})},
    {"PowOfFloats", "Pow", {list(Ints{2, 9}), list(F{2, 0.5F})}, list(Ints{4, 3})},
    {"NegWraps", "Neg", {list(I8{-128, 5})}, list(I8{-128, -5})},
    {"AbsWraps", "Abs", {list(I32{kMin32, -5})}, list(I32{kMin32, 5})},
    {"Equal64", "Equal", {list(Ints{(1LL << 53) + 1}), list(Ints{1LL << 53})}, bools({0})},
    {"LessOfUnsigned", "Less", {list(U8{200}), list(U8{100})}, bools({0})},
    {"Max", "Max", {list(I8{-3}), list(I8{2})}, list(I8{2})},
    {"ReduceSum", "ReduceSum", {list(Ints{(1LL << 53) + 1, 2})}, list(Ints{(1LL << 53) + 3})},
    {"ReduceMean", "ReduceMean", {list(I32{7, 5, 100})}, list(I32{37})},
    {"ReduceMax", "ReduceMax", {list(U8{7, 200})}, list(U8{200})},
    {"ReduceProdOfNothing", "ReduceProd", {list(Ints{})}, list(Ints{1})},
    {"ShiftLeft",
     "BitShift",
     {list(U8{200, 1}), list(U8{1, 9})},
     list(U8{144, 0}),
     {{"direction", std::string("LEFT")}}},
};

const Case kBooleans[] = {
    {"And", "And", {bools({1, 1, 0, 0}), bools({1, 0, 1, 0})}, bools({1, 0, 0, 0})},
    {"Or", "Or", {bools({1, 1, 0, 0}), bools({1, 0, 1, 0})}, bools({1, 1, 1, 0})},
    {"Xor", "Xor", {bools({1, 1, 0, 0}), bools({1, 0, 1, 0})}, bools({0, 1, 1, 0})},
    {"Equal", "Equal", {bools({1, 1, 0, 0}), bools({1, 0, 1, 0})}, bools({1, 0, 0, 1})},
    {"Not", "Not", {bools({1, 0})}, bools({0, 1})},
    {"Where", "Where", {bools({1, 0}), bools({0}), bools({1})}, bools({0, 1})},
};

INSTANTIATE_TEST_SUITE_P(Doubles, Folds, testing::ValuesIn(kDoubles), name_of_case);
INSTANTIATE_TEST_SUITE_P(Floats, Folds, testing::ValuesIn(kFloats), name_of_case);
INSTANTIATE_TEST_SUITE_P(Halves, Folds, testing::ValuesIn(kHalves), name_of_case);
INSTANTIATE_TEST_SUITE_P(Integers, Folds, testing::ValuesIn(kIntegers), name_of_case);
INSTANTIATE_TEST_SUITE_P(Booleans, Folds, testing::ValuesIn(kBooleans), name_of_case);

template<typename T>
Constant number(T value) {
    return Constant({}, std::vector<T>{value});
}

TEST(Ranges, CountTheirElementsExactly) {
    const auto range = [](auto start, auto limit, auto delta) {
        return folded("Range", {number(start), number(limit), number(delta)});
    };
    const auto count = [&](auto start, auto limit, auto delta) {
        const auto values = range(start, limit, delta);
        return values.ok() ? element_count(values.value()[0].shape) : -1;
    };
    EXPECT_EQ(count(int64_t{1} << 62, (int64_t{1} << 62) + 1, int64_t{1}), 1);
    EXPECT_EQ(count(kMin64, kMax64, kMax64), 3);
    EXPECT_EQ(count(kMax64, kMin64, kMin64), 2);
    EXPECT_EQ(count(kMin64, kMax64, int64_t{1}), -1);
    EXPECT_EQ(count(int64_t{0}, int64_t{4}, int64_t{0}), -1);
    EXPECT_EQ(count(int32_t{5}, int32_t{-5}, int32_t{-3}), 4);
    EXPECT_EQ(count(0.0F, 0.3F, 0.1F), 4);  // 0.3F / 0.1F is above 3.
    EXPECT_EQ(count(0.0, 0.3, 0.1), 3);
    EXPECT_EQ(count(0.0F, 1.0F, 0.0F), -1);
    EXPECT_EQ(count(1.0F, 0.0F, 1.0F), 0);
    EXPECT_EQ(count(0.0F, HUGE_VALF, 1.0F), -1);
    EXPECT_EQ(count(0.0F, NAN, 1.0F), 0);
    expect_equal(range(0.5F, 3.0F, 0.7F).value()[0],
                 list(F{0.5F, 0.5F + 0.7F, 0.5F + 2 * 0.7F, 0.5F + 3 * 0.7F}));
}

Constant empty(Shape shape) {
    return Constant::zeros(ElementType::kFloat, std::move(shape));
}

struct EmptyCase {
    const char *name;
    const char *op;
    std::vector<Constant> inputs;
    Shape shape;  ///< Of zeros.
    Attributes attributes = {};
};

const EmptyCase kEmpty[] = {
    {"Softmax", "Softmax", {empty({2, 0})}, {2, 0}},
    {"MatMulOfNothing", "MatMul", {empty({2, 0}), empty({0, 3})}, {2, 3}},
    {"MatMulToNothing", "MatMul", {empty({5, 0, 4}), empty({4, 3})}, {5, 0, 3}},
    {"Gemm", "Gemm", {empty({0, 2}), empty({2, 3}), empty({3})}, {0, 3}},
    {"BatchNormalization",
     "BatchNormalization",
     {empty({2, 0, 3}), empty({0}), empty({0}), empty({0}), empty({0})},
     {2, 0, 3},
     {{"training_mode", int64_t{1}}}},
    {"Dequantize",
     "DequantizeLinear",
     {Constant::zeros(ElementType::kInt8, {2, 0}), empty({0}),
      Constant::zeros(ElementType::kInt8, {0})},
     {2, 0}},
    {"Clip", "Clip", {empty({0, 4}), number(1.0F), number(2.0F)}, {0, 4}},
    {"Add", "Add", {empty({0, 4}), empty({1, 1})}, {0, 4}},
    {"LeakyRelu", "LeakyRelu", {empty({0})}, {0}},
    {"Where", "Where", {Constant::zeros(ElementType::kBool, {0}), empty({1}), empty({1})}, {0}},
};

class FoldsEmpty : public testing::TestWithParam<EmptyCase> {};

TEST_P(FoldsEmpty, ToZeros) {
    const EmptyCase &test = GetParam();
    const auto values = folded(test.op, test.inputs, test.attributes);
    ASSERT_TRUE(values.ok()) << values.status().message();
    expect_equal(values.value()[0], empty(test.shape));
}

INSTANTIATE_TEST_SUITE_P(Operators, FoldsEmpty, testing::ValuesIn(kEmpty),
                         [](const auto &info) { return info.param.name; });

TEST(FoldNode, ProductsStayWithinTheBudget) {
    const auto multiply = [](int64_t n) {
        return folded("MatMul", {empty({n, n}), empty({n, n})}).status().message();
    };
    EXPECT_EQ(multiply(64), "");
    EXPECT_NE(multiply(512).find("what is made of"), std::string::npos) << multiply(512);
}

constexpr int64_t kOnnxTypes[] = {1, 11, 10, 3, 2, 6, 7, 9};
constexpr int kTypes = 8;

/// From every type to every other one.
class Casts : public testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(Casts, SmallValuesUnchanged) {
    const auto [from, to] = GetParam();
    const Constant value = cast_constant(list(Ints{0, 1, 1}), static_cast<ElementType>(from));
    const auto values = folded("Cast", {value}, {{"to", kOnnxTypes[to]}});
    ASSERT_TRUE(values.ok()) << values.status().message();
    EXPECT_EQ(values.value()[0].type(), static_cast<ElementType>(to));
    EXPECT_EQ(values.value()[0].converted<int64_t>(), (Ints{0, 1, 1}));
}

INSTANTIATE_TEST_SUITE_P(Types, Casts,
                         testing::Combine(testing::Range(0, kTypes), testing::Range(0, kTypes)));

// What ONNX Runtime 1.32 gives on x86-64.
TEST(CastConstant, FloatsOutsideOfIntegers) {
    const D values{kNan, kInf, -kInf, -0.7, 128, -129, 255.5, 300, 2147483648.0, 1e19, -1e19};
    const auto cast = [&](ElementType to) {
        return cast_constant(list(values), to).converted<int64_t>();
    };
    EXPECT_EQ(cast(ElementType::kInt8), (Ints{0, 0, 0, 0, -128, 127, -1, 44, 0, 0, 0}));
    EXPECT_EQ(cast(ElementType::kUint8), (Ints{0, 0, 0, 0, 128, 127, 255, 44, 0, 0, 0}));
    EXPECT_EQ(cast(ElementType::kInt32),
              (Ints{kMin32, kMin32, kMin32, 0, 128, -129, 255, 300, kMin32, kMin32, kMin32}));
    EXPECT_EQ(cast(ElementType::kInt64),
              (Ints{kMin64, kMin64, kMin64, 0, 128, -129, 255, 300, 2147483648, kMin64, kMin64}));
    EXPECT_EQ(cast(ElementType::kBool), (Ints{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
}

TEST(CastConstant, IntegersWrap) {
    const Ints values{255, 300, 1LL << 31, (1LL << 32) + 5, kMin64};
    EXPECT_EQ(cast_constant(list(values), ElementType::kInt8).values<int8_t>(),
              (I8{-1, 44, 0, 5, 0}));
    EXPECT_EQ(cast_constant(list(values), ElementType::kInt32).values<int32_t>(),
              (I32{255, 300, kMin32, 5, 0}));
}

TEST(CastConstant, DoubleBeyondFloat) {
    EXPECT_EQ(cast_constant(list(D{1e39, -1e39, 0.1}), ElementType::kFloat).floats(),
              (F{HUGE_VALF, -HUGE_VALF, 0.1F}));
}

TEST(Halves, RoundTripAllBits) {
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
        Half half;
        half.bits = static_cast<uint16_t>(bits);
        const auto value = static_cast<float>(half);
        if (std::isnan(value)) {
            EXPECT_GT(bits & 0x7FFFU, 0x7C00U);
            EXPECT_TRUE(std::isnan(static_cast<float>(Half(value))));
        } else {
            EXPECT_EQ(Half(value).bits, bits);
        }
    }
}

TEST(Halves, RoundToNearestEven) {
    const std::pair<float, float> kRounded[] = {{65519, 65504},
                                                {65520, HUGE_VALF},
                                                {-65520, -HUGE_VALF},
                                                {2049, 2048},
                                                {2051, 2052},
                                                {0x1.002p0F, 1},
                                                {0x1.00201p0F, 0x1.004p0F},
                                                {0x1p-25F, 0},
                                                {0x1.8p-25F, 0x1p-24F},
                                                {0x1.8p-24F, 0x1p-23F},
                                                {0x1.FFFp-15F, 0x1p-14F},
                                                {1e30F, HUGE_VALF}};
    for (const auto &[value, rounded] : kRounded) {
        EXPECT_EQ(static_cast<float>(Half(value)), rounded) << value;
    }
}

}  // namespace
}  // namespace sepconv
