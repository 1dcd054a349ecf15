#include "tests/compiler/fused_net.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "compiler/lower.h"
#include "compiler/passes/passes.h"
#include "compiler/read_onnx.h"

namespace sepconv {
namespace {

void expect_consistent(const Graph &graph, const std::vector<Group> &groups) {
    std::set<std::string> known(graph.inputs.begin(), graph.inputs.end());
    std::multiset<int> claimed;
    for (const Group &group : groups) {
        EXPECT_TRUE(std::is_sorted(group.nodes.begin(), group.nodes.end())) << group.output;
        EXPECT_EQ(graph.nodes[group.nodes.back()].outputs[0], group.output);
        std::set<std::string> inside = known;
        for (const int node : group.nodes) {
            claimed.insert(node);
            for (const std::string &input : graph.nodes[node].inputs) {
                const bool readable =
                    input.empty() || graph.is_constant(input) || inside.count(input) == 1;
                EXPECT_TRUE(readable) << input << " of the group that makes " << group.output;
            }
            inside.insert(graph.nodes[node].outputs.begin(), graph.nodes[node].outputs.end());
        }
        known.insert(graph.nodes[group.nodes.back()].outputs.begin(),
                     graph.nodes[group.nodes.back()].outputs.end());
    }
    ASSERT_EQ(claimed.size(), graph.nodes.size());
    for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
        EXPECT_EQ(claimed.count(i), 1U) << graph.nodes[i].name;
    }
    if (testing::Test::HasFailure()) {
        return;  // lower() relies on what was checked.
    }
    for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
        const Result<Plan> plan = lower(graph, layout);
        EXPECT_TRUE(plan.ok()) << plan.status().message();
    }
}

}  // namespace

Graph Net::graph() const {
    Result<Graph> read = read_onnx(model_.bytes(), {});
    EXPECT_TRUE(read.ok()) << read.status().message();
    return read.ok() ? simplify(std::move(read).value()) : Graph();
}

std::vector<Group> groups_of(const Graph &graph) {
    std::vector<Group> groups = fuse(graph);
    expect_consistent(graph, groups);
    return groups;
}

Texts outputs_of(const std::vector<Group> &groups) {
    Texts outputs;
    for (const Group &group : groups) outputs.push_back(group.output);
    return outputs;
}

}  // namespace sepconv
