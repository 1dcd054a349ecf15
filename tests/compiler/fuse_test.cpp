// Patterns that become one kernel.
#include "compiler/fuse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compiler/fused_net.h"

namespace sepconv {
namespace {

using testing::ElementsAre;

using Stages = std::vector<StageId>;

constexpr auto kExpand = StageId::kExpand;
constexpr auto kDepthwise = StageId::kDepthwise;
constexpr auto kReduce = StageId::kReduce;
constexpr auto kExcite = StageId::kExcite;
constexpr auto kProject = StageId::kProject;
constexpr auto kCheap = StageId::kCheap;
constexpr auto kOutput = StageId::kOutput;

Stages stages_of(const Group &group) {
    Stages stages;
    for (const FusedStage &stage : group.stages) stages.push_back(stage.id);
    return stages;
}

/// How many steps stand behind each stage.
std::vector<size_t> steps_of(const Group &group) {
    std::vector<size_t> steps;
    for (const FusedStage &stage : group.stages) steps.push_back(stage.epilogue.size());
    return steps;
}

/// The only group of the net; an empty one where there is another number.
Group only_group(const Net &net) {
    const std::vector<Group> groups = groups_of(net.graph());
    EXPECT_THAT(outputs_of(groups), ElementsAre(testing::_));
    return groups.size() == 1 ? groups[0] : Group();
}

TEST(Fuse, InvertedResidualWithItsSum) {
    Net net;
    net.pointwise("x", "expanded", 24).node("Relu", {"expanded"}, "positive");
    net.depthwise("positive", "deep").node("HardSwish", {"deep"}, "swished");
    net.pointwise("swished", "projected", 8).node("Add", {"x", "projected"}, "sum");
    const Group group = only_group(net.node("Relu", {"sum"}, "y").output("y"));
    EXPECT_EQ(stages_of(group), (Stages{kExpand, kDepthwise, kProject}));
    ASSERT_THAT(steps_of(group), ElementsAre(1, 1, 2));
    EXPECT_EQ(group.input, "x");
    EXPECT_EQ(group.output, "y");
    EXPECT_EQ(group.stage(kProject)->epilogue[0].operand, "x");
}

TEST(Fuse, SqueezeBetweenDepthwiseAndProject) {
    for (const bool gate_first : {false, true}) {
        Net net;
        net.pointwise("x", "expanded", 24).depthwise("expanded", "deep").excited("deep");
        net.node("Mul", gate_first ? Texts{"gate", "deep"} : Texts{"deep", "gate"}, "gated");
        const Group group = only_group(net.pointwise("gated", "y", 8).output("y"));
        EXPECT_EQ(stages_of(group), (Stages{kExpand, kDepthwise, kReduce, kExcite, kProject}));
        EXPECT_THAT(steps_of(group), ElementsAre(0, 0, 1, 1, 0));
    }
}

TEST(Fuse, SqueezeWhoseGateIsExpanded) {
    Net net;
    net.pointwise("x", "expanded", 24).depthwise("expanded", "deep").excited("deep");
    net.node("Shape", {"deep"}, "shape").node("Expand", {"gate", "shape"}, "wide");
    net.node("Mul", {"deep", "wide"}, "gated").pointwise("gated", "y", 8).output("y");
    const Group group = only_group(net);
    EXPECT_EQ(stages_of(group), (Stages{kExpand, kDepthwise, kReduce, kExcite, kProject}));
}

TEST(Fuse, SqueezeByReduceMean) {
    Net net;
    net.depthwise("x", "deep");
    net.node("ReduceMean", {"deep"}, "mean").model().with("axes", Ints{-1, -2});
    net.pointwise("mean", "reduced", 2).pointwise("reduced", "gate", 8);
    net.node("Mul", {"deep", "gate"}, "gated").pointwise("gated", "y", 5).output("y");
    EXPECT_EQ(stages_of(only_group(net)), (Stages{kDepthwise, kReduce, kExcite, kProject}));
}

TEST(Fuse, SqueezeOnAnotherGroupsValue) {
    Net net;
    net.node("MaxPool", {"x"}, "pooled").model().with("kernel_shape", Ints{3, 3});
    net.squeezed("pooled").pointwise("gated", "projected", 8);
    net.node("Relu", {"projected"}, "y").output("y");
    const std::vector<Group> groups = groups_of(net.graph());
    ASSERT_THAT(outputs_of(groups), ElementsAre("pooled", "y"));
    EXPECT_EQ(stages_of(groups[1]), (Stages{kReduce, kExcite, kProject}));
    EXPECT_EQ(groups[1].input, "pooled");
}

TEST(Fuse, SqueezeOnTheGraphsInput) {
    const Group group = only_group(Net().squeezed("x").pointwise("gated", "y", 5).output("y"));
    EXPECT_EQ(stages_of(group), (Stages{kReduce, kExcite, kProject}));
    EXPECT_EQ(group.input, "x");
}

TEST(Fuse, SqueezeBehindADepthwiseWithMultiplier) {
    Net net;
    net.depthwise("x", "deep", {1, 2}).squeezed("deep").pointwise("gated", "y", 5).output("y");
    const std::vector<Group> groups = groups_of(net.graph());
    ASSERT_THAT(outputs_of(groups), ElementsAre("deep", "y"));
    EXPECT_EQ(stages_of(groups[0]), (Stages{kDepthwise}));
    EXPECT_EQ(stages_of(groups[1]), (Stages{kReduce, kExcite, kProject}));
}

TEST(Fuse, GhostModule) {
    Net net;
    const Group group = only_group(net.halves("x").concat({"primary", "cheap"}, "y").output("y"));
    EXPECT_EQ(stages_of(group), (Stages{kProject, kCheap}));
    EXPECT_THAT(steps_of(group), ElementsAre(1, 1));
    EXPECT_EQ(group.input, "x");
}

TEST(Fuse, GhostModuleWithASumBehind) {
    Net net;
    net.halves("x").concat({"primary", "cheap"}, "both").node("Add", {"both", "x"}, "y");
    const Group group = only_group(net.output("y"));
    EXPECT_EQ(stages_of(group), (Stages{kProject, kCheap, kOutput}));
    ASSERT_THAT(steps_of(group), ElementsAre(1, 1, 1));
    EXPECT_EQ(group.stage(kOutput)->epilogue[0].step.operand, Operand::kTensor);
}

TEST(Fuse, GhostBottleneckOfStrideTwo) {
    Net net;
    net.depthwise("x", "deep", {2}).squeezed("deep");
    const Group group =
        only_group(net.halves("gated").concat({"primary", "cheap"}, "y").output("y"));
    EXPECT_EQ(stages_of(group), (Stages{kDepthwise, kReduce, kExcite, kProject, kCheap}));
    EXPECT_THAT(steps_of(group), ElementsAre(0, 1, 1, 1, 1));
}

TEST(Fuse, TheSecondOfTwoPairsIsAnInvertedResidual) {
    Net net;
    net.depthwise("x", "deep1").pointwise("deep1", "wide", 24);
    net.depthwise("wide", "deep2").pointwise("deep2", "y", 8).output("y");
    const std::vector<Group> groups = groups_of(net.graph());
    ASSERT_THAT(outputs_of(groups), ElementsAre("deep1", "y"));
    EXPECT_EQ(stages_of(groups[0]), (Stages{kDepthwise}));
    EXPECT_EQ(stages_of(groups[1]), (Stages{kExpand, kDepthwise, kProject}));
}

TEST(Fuse, TheSecondOfTwoPairsMayBeSqueezed) {
    Net net;
    net.depthwise("x", "deep1").pointwise("deep1", "wide", 24);
    net.depthwise("wide", "deep2").squeezed("deep2").pointwise("gated", "y", 8).output("y");
    const std::vector<Group> groups = groups_of(net.graph());
    ASSERT_THAT(outputs_of(groups), ElementsAre("deep1", "y"));
    EXPECT_EQ(stages_of(groups[1]), (Stages{kExpand, kDepthwise, kReduce, kExcite, kProject}));
}

TEST(Fuse, TwoPairsWithASumBetweenStayPairs) {
    Net net;
    net.depthwise("x", "deep1").pointwise("deep1", "linear", 8).node("Add", {"linear", "x"}, "sum");
    net.depthwise("sum", "deep2").pointwise("deep2", "y", 8).output("y");
    EXPECT_THAT(outputs_of(groups_of(net.graph())), ElementsAre("sum", "y"));
}

TEST(Fuse, AStemStaysAlone) {  // docs/decisions.md
    Net net;
    net.input("picture", {1, 3, 15, 15}).stem("picture", "features", 8);
    net.depthwise("features", "deep").pointwise("deep", "y", 4).output("y");
    EXPECT_THAT(outputs_of(groups_of(net.graph())), ElementsAre("features", "y"));
}

}  // namespace
}  // namespace sepconv
