// Whole models from strangers, all the way to the plan: what they may cost, and with which words
// they are refused. What one node may not say is in read_onnx_test.cpp.
#include <gtest/gtest.h>

#include <ctime>
#include <functional>

#include "compiler/limits.h"
#include "compiler/onnx_tensor.h"
#include "compiler/plan_model.h"
#include "tests/compiler/model_builder.h"
#include "tests/fuzz/check_plan.h"

namespace sepconv {
namespace {

using B = ModelBuilder;
using Ints = std::vector<int64_t>;

constexpr int kNodes = static_cast<int>(kMaxNodes);

/// Of the process: what else the machine does is none of it.
constexpr double kMaxSeconds = 20;

double seconds_now() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

struct HostileModel {
    const char *name;
    StatusCode code;   ///< kOk: it must be planned.
    const char *text;  ///< Part of the message.
    std::function<void(ModelBuilder &)> build;
};

class HostileModels : public testing::TestWithParam<HostileModel> {};

TEST_P(HostileModels, CostLittle) {
    B builder;
    GetParam().build(builder);
    const std::string bytes = builder.bytes();
    const double start = seconds_now();
    const Result<PlannedModel> model = plan_model(bytes, {}, Layout::kNchw);
    EXPECT_LT(seconds_now() - start, kMaxSeconds);
    EXPECT_EQ(model.status().code(), GetParam().code) << model.status().message();
    EXPECT_NE(model.status().message().find(GetParam().text), std::string::npos)
        << model.status().message();
    EXPECT_EQ(model.ok() ? problem_of(model.value()) : problem_of(model.status()), "");
}

constexpr StatusCode kOk = StatusCode::kOk;
constexpr StatusCode kInvalid = StatusCode::kInvalidModel;
constexpr StatusCode kUnsupported = StatusCode::kUnsupported;
constexpr StatusCode kExhausted = StatusCode::kResourceExhausted;

std::string value(int i) {
    return i < 0 ? "x" : "v" + std::to_string(i);
}

/// kNodes of the operator, each reading the one before and then `more`.
B &chain(B &b, const std::string &op, const std::vector<std::string> &more = {}) {
    b.input("x", {1, 4, 8, 8}).output(value(kNodes - 1));
    for (int i = 0; i < kNodes; ++i) {
        std::vector<std::string> inputs{value(i - 1)};
        inputs.insert(inputs.end(), more.begin(), more.end());
        b.node(op, inputs, {value(i)});
    }
    return b;
}

/// As many nodes as are allowed, in every way that they can hang together.
const HostileModel kManyNodes[] = {
    {"Relus", kOk, "", [](B &b) { chain(b, "Relu"); }},
    {"Identities", kOk, "", [](B &b) { chain(b, "Identity"); }},
    {"GlobalPools", kOk, "", [](B &b) { chain(b, "GlobalAveragePool"); }},
    {"Pointwise", kOk, "",
     [](B &b) {
         chain(b.floats("w", {4, 4, 1, 1}), "Conv", {"w"});
     }},
    {"BatchNormalizations", kOk, "",
     [](B &b) {
         chain(b.floats("p", {4}), "BatchNormalization", {"p", "p", "p", "p"});
     }},
    {"ScaledConvolution", kOk, "",
     [](B &b) {
         b.input("x", {1, 4, 8, 8}).floats("w", {4, 4, 1, 1}).floats("k", {4, 1, 1}, {1});
         b.node("Conv", {"x", "w"}, {value(0)}).output(value(kNodes - 1));
         for (int i = 1; i < kNodes; ++i) b.node("Mul", {value(i - 1), "k"}, {value(i)});
     }},
    {"Sums", kOk, "",
     [](B &b) {
         b.input("x", {1, 4, 8, 8}).output(value(kNodes - 1));
         for (int i = 0; i < kNodes; ++i) {
             b.node("Add", {value(i - 1), value(std::max(-1, i - 2))}, {value(i)});
         }
     }},
    {"AllReadOne", kOk, "",
     [](B &b) {
         b.input("x", {1, 4, 8, 8});
         for (int i = 0; i < kNodes; ++i) {
             b.node(i % 2 == 0 ? "GlobalAveragePool" : "Relu", {"x"}, {value(i)}).output(value(i));
         }
     }},
    {"Constants", kOk, "",
     [](B &b) {
         b.input("x", {2}).floats("c", {2}).node("Add", {"c", "c"}, {value(0)}).output("y");
         for (int i = 1; i < kNodes - 1; ++i) {
             b.node("Mul", {value(i - 1), "c"}, {value(i)});
         }
         b.node("Add", {"x", value(kNodes - 2)}, {"y"});
     }},
};

/// A Conv's weights of 2^22 floats that are a few bytes in the file.
B &large_weights(B &b) {
    b.input("x", {1, 1024, 1, 1}).ints("s", {4096, 1024, 1, 1});
    return b.node("ConstantOfShape", {"s"}, {"w"});
}

B &transposed(B &b, const std::string &from, const std::string &to, int64_t stride) {
    b.node("ConvTranspose", {from, "w"}, {to}, to).with("strides", Ints{stride, stride});
    return b.with("output_padding", Ints{stride - 1, stride - 1}).output(to);
}

/// A few bytes that ask for much.
const HostileModel kAmplifiers[] = {
    {"SharedWeightsArePackedOften", kExhausted,
     "(Conv): what is made of the model's constants would exceed 134217728 bytes and 64 for each",
     [](B &b) {
         large_weights(b);
         for (int i = 0; i < 100; ++i) b.node("Conv", {"x", "w"}, {value(i)}).output(value(i));
     }},
    {"SharedWeightsAreScaledOften", kExhausted, "the model: what is made of the model's constants",
     [](B &b) {
         large_weights(b).floats("k", {}, {2});
         for (int i = 0; i < 100; ++i) {
             b.node("Conv", {"x", "w"}, {"c" + std::to_string(i)});
             b.node("Mul", {"c" + std::to_string(i), "k"}, {value(i)}).output(value(i));
         }
     }},
    {"SharedParametersAreFoldedOften", kExhausted, "the model: what is made of the model's",
     [](B &b) {
         b.input("x", {1, 1 << 20, 1, 1}).ints("s", {1 << 20});
         b.node("ConstantOfShape", {"s"}, {"p"});
         for (int i = 0; i < 100; ++i) {
             b.node("BatchNormalization", {"x", "p", "p", "p", "p"}, {value(i)}).output(value(i));
         }
     }},
    {"FoldsTooMuch", kExhausted, "(ConstantOfShape): what is made of the model's constants",
     [](B &b) {
         b.input("x", {2}).ints("s", {1 << 13, 1 << 13}).node("ConstantOfShape", {"s"}, {"c"});
         b.node("Add", {"x", "c"}, {"y"}).output("y");
     }},
    {"TilesToTheLimit", kOk, "",
     [](B &b) {
         b.floats("c", Ints(kMaxRank, 1)).ints("r", Ints(kMaxRank, 8));
         b.input("x", {1}).node("Tile", {"c", "r"}, {"t"});
         b.node("Add", {"x", "t"}, {"y"}).output("y");
     }},
    {"ConcatenatesToTheLimit", kOk, "",
     [](B &b) {
         b.ints("s", {1 << 21, 1}).node("ConstantOfShape", {"s"}, {"c"});
         b.input("x", {1}).node("Concat", {"c", "c", "c"}, {"t"}).with("axis", int64_t{1});
         b.node("Add", {"x", "t"}, {"y"}).output("y");
     }},
    {"ResizesToTheLimit", kExhausted, "(Resize): what is made of the model's constants",
     [](B &b) {
         b.input("x", {1, 1, 1, 1}).ints("s", {1, 1, 1, kMaxExtent}).output("y");
         b.node("Resize", {"x", "", "", "s"}, {"y"}).with("mode", "cubic");
     }},
    {"ResizesManyRows", kOk, "",
     [](B &b) {
         b.input("x", {1, 1, 1 << 20, 1}).ints("s", {1, 1, 15 << 20, 1}).output("y");
         b.node("Resize", {"x", "", "", "s"}, {"y"}).with("mode", "nearest");
     }},
    {"ReflectsManyRows", kOk, "",
     [](B &b) {
         b.input("x", {1, 1, 1 << 23, 1}).ints("p", {0, 0, 1 << 22, 0, 0, 0, 0, 0}).output("y");
         b.node("Pad", {"x", "p"}, {"y"}).with("mode", "reflect");
     }},
    {"ReflectsToTheLimit", kExhausted, "(Pad): what is made of the model's constants",
     [](B &b) {
         b.input("x", {1, 1, 1, 1 << 30}).ints("p", {0, 0, 0, 1 << 29, 0, 0, 0, 0}).output("y");
         b.node("Pad", {"x", "p"}, {"y"}).with("mode", "reflect");
     }},
    {"StridesMakeTooManyParts", kUnsupported, "strides 30000x30000 are too large",
     [](B &b) {
         transposed(b.input("x", {1, 1, 1, 1}).floats("w", {1, 1, 1, 1}), "x", "y", 30000);
     }},
    {"StridesMakeManyParts", kUnsupported, "strides 300x300 are too large",
     [](B &b) {
         transposed(b.input("x", {1, 1, 1, 1}).floats("w", {1, 1, 1, 1}), "x", "y", 300);
     }},
    {"TooManyCalls", kExhausted, "the model needs more than 32772 kernel calls",
     [](B &b) {
         transposed(b.input("x", {1, 1, 1, 1}).floats("w", {1, 1, 1, 1}), "x", "y", 150);
         transposed(b, "x", "z", 160);
     }},
};

/// Few bytes, ordinary operators, values that no ordinary model has.
const HostileModel kFarValues[] = {
    {"ExpandsToARankOf1000", kInvalid, "to 7x7x7x7x7x7x7x7x... of rank 1000",
     [](B &b) {
         b.input("x", {2}).ints("s", Ints(1000, 7)).output("y");
         b.node("Expand", {"x", "s"}, {"y"});
     }},
    {"CropsFarOutside", kOk, "",
     [](B &b) {
         b.input("x", {1, 1, 4, 4}).ints("s", {1, 1, 3, 3}).output("y");
         b.floats("roi", {8}, {0, 0, 3e38F, 3e30F, 1, 1, -3e38F, 1});
         b.node("Resize", {"x", "roi", "", "s"}, {"y"})
             .with("coordinate_transformation_mode", "tf_crop_and_resize");
     }},
};

void nest(onnx::NodeProto &node, int depth) {
    onnx::NodeProto *inner = &node;
    for (int i = 0; i < depth; ++i) {
        inner->set_op_type("If");
        auto *branch = inner->add_attribute();
        branch->set_name("then_branch");
        branch->set_type(onnx::AttributeProto::GRAPH);
        inner = branch->mutable_g()->add_node();
    }
}

void function(B &b, const std::string &domain) {
    onnx::FunctionProto &made = *b.model().add_functions();
    made.set_name("F");
    made.set_domain(domain);
    onnx::NodeProto &node = *made.add_node();
    node.set_op_type("F");
    node.set_domain(domain);
}

const HostileModel kStructures[] = {
    {"NegativeExtents", StatusCode::kInvalidArgument,
     "input 'x' has unknown extents: give them with --input-shape 'x=1x4x?x8'",
     [](B &b) {
         b.input("x", {-5, 4, -7, 8}).node("Relu", {"x"}, {"y"}).output("y");
     }},
    {"SelfLoop", kInvalid, "node 'y' (Relu): depends on its own output (a cycle)",
     [](B &b) { b.input("x", {2}).node("Relu", {"y"}, {"y"}).output("y"); }},
    {"Loop", kUnsupported, "attribute 'body' is a subgraph; of control flow only If is supported",
     [](B &b) {
         b.input("x", {2}).node("Loop", {"x"}, {"y"}).output("y");
         auto *body = b.graph().mutable_node(0)->add_attribute();
         body->set_name("body");
         body->set_type(onnx::AttributeProto::GRAPH);
     }},
    {"NestedSubgraphs", kUnsupported, "the condition is not constant at the given input shapes",
     [](B &b) {
         b.input("x", {2}).node("If", {"x"}, {"y"}).output("y");
         nest(*b.graph().mutable_node(0), 20);
     }},
    {"SubgraphsNestedTooDeep", kInvalid, "are not a protobuf message of the kind ModelProto",
     [](B &b) {
         b.input("x", {2}).node("If", {"x"}, {"y"}).output("y");
         nest(*b.graph().mutable_node(0), 2000);
     }},
    {"RecursiveFunction", kUnsupported, "node 'F_0' (F): the operator is not supported",
     [](B &b) {
         b.input("x", {2}).node("F", {"x"}, {"y"}).output("y");
         function(b, "");
     }},
    {"RecursiveFunctionOfADomain", kUnsupported, "operators of the domain 'own' are not supported",
     [](B &b) {
         b.input("x", {2}).node("F", {"x"}, {"y"}).output("y");
         b.graph().mutable_node(0)->set_domain("own");
         function(b, "own");
     }},
    {"AVectorGatesAVector", kOk, "",
     [](B &b) {
         b.input("x", {4}).floats("w", {4, 3}).node("MatMul", {"x", "w"}, {"a"}).output("y");
         b.node("Relu", {"a"}, {"b"}).node("MatMul", {"x", "w"}, {"c"});
         b.node("Mul", {"c", "b"}, {"y"});
     }},
    {"CopiesOfAConstantUnderTwoNames", kUnsupported, "(Identity): output 1 is not supported",
     [](B &b) {
         b.floats("w", {2}).node("Identity", {"w"}, {"a"}).input("x", {2}).output("y");
         b.graph().mutable_node(0)->add_output("b");
         b.node("Gelu", {"b"}, {"c"}).node("Add", {"x", "c"}, {"y"});
     }},
    {"ControlCharactersInAnOperator", kUnsupported, "(Relu\\x0a\\x1b[2J): the operator is not",
     [](B &b) { b.input("x", {2}).node("Relu\n\x1b[2J", {"x"}, {"y"}).output("y"); }},
};

std::string name_of_model(const testing::TestParamInfo<HostileModel> &info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(ManyNodes, HostileModels, testing::ValuesIn(kManyNodes), name_of_model);
INSTANTIATE_TEST_SUITE_P(Amplifiers, HostileModels, testing::ValuesIn(kAmplifiers), name_of_model);
INSTANTIATE_TEST_SUITE_P(FarValues, HostileModels, testing::ValuesIn(kFarValues), name_of_model);
INSTANTIATE_TEST_SUITE_P(Structures, HostileModels, testing::ValuesIn(kStructures), name_of_model);

TEST(HostileBytes, AreRefusedWithTheirNumber) {
    B builder;
    builder.input("x", {2}).node("Relu", {"x"}, {"y"}).output("y");
    const std::string whole = builder.bytes();
    for (const std::string &bytes : {std::string(), std::string("not a model"), whole + '\x07',
                                     whole.substr(0, whole.size() - 3)}) {
        const Status status = plan_model(bytes, {}, Layout::kNchw).status();
        EXPECT_EQ(status.message(), "not an ONNX model: the " + std::to_string(bytes.size()) +
                                        " bytes are not a protobuf message of the kind ModelProto");
    }
}

TEST(HostileTensors, ReadNoMoreThanTheirBudget) {
    onnx::TensorProto tensor;
    tensor.add_dims(4);
    tensor.set_data_type(onnx::TensorProto::BOOL);
    tensor.set_raw_data("1234");
    ConstantBudget budget{3, 0};
    EXPECT_NE(read_tensor(tensor, "t", "", budget).status().message().find("t: what is made of"),
              std::string::npos);
    budget = {4, 0};
    EXPECT_TRUE(read_tensor(tensor, "t", "", budget).ok());
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    budget = {32, 15};
    EXPECT_EQ(read_tensor(tensor, "t", ".", budget).status().message(),
              "t: external data exceeds 4294967296 bytes");
}

/// A plan of two kernels with a tensor between them, to be spoilt.
PlannedModel small_model() {
    B builder;
    builder.input("x", {1, 4, 8, 8}).floats("w", {4, 4, 3, 3}).output("z");
    builder.node("Conv", {"x", "w"}, {"y"}).node("GlobalAveragePool", {"y"}, {"z"});
    return plan_model(builder.bytes(), {}, Layout::kNchw).value();
}

TEST(CheckPlan, FindsWhatIsWrong) {
    EXPECT_EQ(problem_of(small_model()), "");
    const auto problem_after = [](const std::function<void(PlannedModel &)> &spoil) {
        PlannedModel model = small_model();
        spoil(model);
        return problem_of(model);
    };
    const auto expect = [&](const char *text, const std::function<void(PlannedModel &)> &spoil) {
        const std::string problem = problem_after(spoil);
        EXPECT_NE(problem.find(text), std::string::npos) << problem;
    };
    expect("ends at byte", [](auto &m) { m.plan.steps[0].args[0].offset += 4; });
    expect("ends at byte", [](auto &m) { m.plan.steps[1].args.back().offset -= 4; });
    expect("ends at byte", [](auto &m) { m.plan.weights.resize(m.plan.weights.size() / 2); });
    expect("ends at byte", [](auto &m) { m.plan.inputs[0].bytes -= 4; });
    expect("ends at byte",
           [](auto &m) { m.plan.steps[0].repeat = 2, m.plan.steps[0].args[0].advance = 4; });
    expect("not alive", [](auto &m) { m.plan.tensors[0].last_step = 0; });
    expect("not written", [](auto &m) { m.plan.steps.pop_back(); });
    expect("writes an input", [](auto &m) { m.plan.steps[1].args.back().space = Space::kInput; });
    expect("outside the arena", [](auto &m) { m.memory.bytes -= 64; });
    expect("overlap", [](auto &m) {
        m.plan.tensors.push_back(m.plan.tensors[0]);
        m.memory.tensors.push_back(m.memory.tensors[0]);
    });
    EXPECT_NE(problem_of(Status(StatusCode::kInternal, "why")), "");
    EXPECT_NE(problem_of(Status(kInvalid, "two\nlines")), "");
    EXPECT_NE(problem_of(Status(kInvalid, "")), "");
    EXPECT_EQ(problem_of(Status(kInvalid, "node 'x'")), "");
}

}  // namespace
}  // namespace sepconv
