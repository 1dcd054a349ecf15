// What looks like a pattern of fuse() and is none.
#include <gtest/gtest.h>

#include <functional>

#include "tests/compiler/fused_net.h"

namespace sepconv {
namespace {

/// A net that looks like a pattern and is none: the values that its groups make.
struct NearMiss {
    const char *name;
    std::function<void(Net &)> build;
    Texts outputs;
};

void expect_left_alone(const std::vector<NearMiss> &cases) {
    for (const NearMiss &near_miss : cases) {
        SCOPED_TRACE(near_miss.name);
        Net net;
        near_miss.build(net);
        EXPECT_EQ(outputs_of(groups_of(net.output("y").graph())), near_miss.outputs);
    }
}

TEST(FuseNearMiss, LeavesOtherInvertedResidualsAlone) {
    expect_left_alone({
        {"expand read twice",
         [](Net &net) {
             net.pointwise("x", "expanded", 8).depthwise("expanded", "deep");
             net.pointwise("deep", "projected", 8).node("Add", {"projected", "expanded"}, "y");
         },
         {"expanded", "y"}},
        {"expand is an output",
         [](Net &net) {
             net.pointwise("x", "expanded", 24).depthwise("expanded", "deep");
             net.pointwise("deep", "y", 8).output("expanded");
         },
         {"expanded", "y"}},
        {"depthwise read twice",
         [](Net &net) {
             net.pointwise("x", "expanded", 8).depthwise("expanded", "deep");
             net.pointwise("deep", "projected", 8).node("Add", {"projected", "deep"}, "y");
         },
         {"expanded", "deep", "y"}},
        {"multiplier 2",
         [](Net &net) {
             net.pointwise("x", "expanded", 8).depthwise("expanded", "deep", {1, 2});
             net.pointwise("deep", "y", 8);
         },
         {"expanded", "y"}},
        {"a second pair with multiplier 2",
         [](Net &net) {
             net.depthwise("x", "deep1").pointwise("deep1", "projected", 8);
             net.depthwise("projected", "deep2", {1, 2}).pointwise("deep2", "y", 8);
         },
         {"projected", "y"}},
        {"a sum behind the expand",
         [](Net &net) {
             net.pointwise("x", "expanded", 8).node("Add", {"expanded", "x"}, "sum");
             net.depthwise("sum", "deep").pointwise("deep", "y", 8);
         },
         {"sum", "y"}},
    });
}

TEST(FuseNearMiss, LeavesOtherGatesAlone) {
    expect_left_alone({
        {"the mean of another value",
         [](Net &net) {
             net.depthwise("x", "deep").excited("x").node("Mul", {"deep", "gate"}, "gated");
             net.pointwise("gated", "y", 5);
         },
         {"mean", "positive", "gate", "y"}},
        {"read a third time",
         [](Net &net) {
             net.depthwise("x", "deep").squeezed("deep").pointwise("gated", "projected", 8);
             net.node("Add", {"projected", "deep"}, "y");
         },
         {"deep", "mean", "positive", "gate", "gated", "y"}},
        {"read by an output",
         [](Net &net) {
             net.depthwise("x", "deep").squeezed("deep").pointwise("gated", "y", 8).output("deep");
         },
         {"deep", "mean", "positive", "gate", "gated", "y"}},
        {"the gate is an output",
         [](Net &net) {
             net.depthwise("x", "deep").squeezed("deep").pointwise("gated", "y", 8).output("gate");
         },
         {"deep", "mean", "positive", "gate", "gated", "y"}},
        {"reduce times a value",
         [](Net &net) {
             net.input("factor", {1, 2, 1, 1}).depthwise("x", "deep");
             net.node("GlobalAveragePool", {"deep"}, "mean").pointwise("mean", "reduced", 2);
             net.node("Mul", {"reduced", "factor"}, "scaled").pointwise("scaled", "gate", 8);
             net.node("Mul", {"deep", "gate"}, "gated").pointwise("gated", "y", 5);
         },
         {"deep", "mean", "scaled", "gate", "gated", "y"}},
        {"excite plus a value",
         [](Net &net) {
             net.input("shift", {1, 8, 1, 1}).depthwise("x", "deep").excited("deep");
             net.node("Add", {"gate", "shift"}, "shifted");
             net.node("Mul", {"deep", "shifted"}, "gated").pointwise("gated", "y", 5);
         },
         {"deep", "mean", "positive", "shifted", "gated", "y"}},
        {"one gate for all channels",
         [](Net &net) {
             net.depthwise("x", "deep").excited("deep", 1).node("Mul", {"deep", "gate"}, "gated");
             net.pointwise("gated", "y", 5);
         },
         {"deep", "mean", "positive", "gate", "gated", "y"}},
        {"an activation between Mul and project",
         [](Net &net) {
             net.depthwise("x", "deep").squeezed("deep").node("Relu", {"gated"}, "between");
             net.pointwise("between", "y", 5);
         },
         {"deep", "mean", "positive", "gate", "between", "y"}},
        {"the gate added",
         [](Net &net) {
             net.depthwise("x", "deep").excited("deep").node("Add", {"deep", "gate"}, "gated");
             net.pointwise("gated", "y", 5);
         },
         {"deep", "mean", "positive", "gate", "gated", "y"}},
        {"nothing that projects",
         [](Net &net) {
             net.depthwise("x", "deep").excited("deep").node("Mul", {"deep", "gate"}, "y");
         },
         {"deep", "mean", "positive", "gate", "y"}},
    });
}

TEST(FuseNearMiss, LeavesOtherConcatenationsAlone) {
    expect_left_alone({
        {"cheap first",
         [](Net &net) {
             net.halves("x").concat({"cheap", "primary"}, "y");
         },
         {"primary", "cheap", "y"}},
        {"three inputs",
         [](Net &net) {
             net.halves("x").concat({"primary", "cheap", "x"}, "y");
         },
         {"primary", "cheap", "y"}},
        {"of rows",
         [](Net &net) {
             net.halves("x").concat({"primary", "cheap"}, "y", 2);
         },
         {"primary", "cheap", "y"}},
        {"cheap of stride 2",
         [](Net &net) {
             net.pointwise("x", "primary", 4).depthwise("primary", "cheap", {2});
             net.node("MaxPool", {"primary"}, "pooled").model().with("kernel_shape", Ints{1, 1});
             net.model().with("strides", Ints{2, 2});
             net.concat({"pooled", "cheap"}, "y");
         },
         {"primary", "cheap", "pooled", "y"}},
        {"cheap with multiplier 2",
         [](Net &net) {
             net.halves("x", {1, 2}).concat({"primary", "cheap"}, "y");
         },
         {"primary", "cheap", "y"}},
        {"primary is an output",
         [](Net &net) {
             net.halves("x").concat({"primary", "cheap"}, "y").output("primary");
         },
         {"primary", "cheap", "y"}},
        {"primary read a third time",
         [](Net &net) {
             net.halves("x").concat({"primary", "cheap"}, "both");
             net.pointwise("both", "z", 4).node("Add", {"z", "primary"}, "y");
         },
         {"primary", "cheap", "both", "y"}},
        {"cheap read twice",
         [](Net &net) {
             net.halves("x").concat({"primary", "cheap"}, "both");
             net.pointwise("both", "z", 4).node("Add", {"z", "cheap"}, "y");
         },
         {"primary", "cheap", "both", "y"}},
        {"behind a depthwise without a squeeze",
         [](Net &net) {
             net.depthwise("x", "deep").halves("deep").concat({"primary", "cheap"}, "y");
         },
         {"primary", "cheap", "y"}},
    });
}

}  // namespace
}  // namespace sepconv
