#ifndef SEPCONV_TESTS_COMPILER_FUSED_NET_H_
#define SEPCONV_TESTS_COMPILER_FUSED_NET_H_

#include <map>
#include <string>
#include <vector>

#include "compiler/fuse.h"
#include "tests/compiler/model_builder.h"

namespace sepconv {

using Texts = std::vector<std::string>;
using Ints = std::vector<int64_t>;

/// A depthwise Conv 3x3, padded by 1.
struct Deep {
    int64_t stride = 1;
    int64_t multiplier = 1;
};

/// A model on x, 1x8x7x7, in which values have names and channels are remembered.
class Net {
public:
    Net() {
        model_.input("x", {1, 8, 7, 7});
        channels_["x"] = 8;
    }

    Net &pointwise(const std::string &in, const std::string &out, int64_t channels) {
        model_.floats(out + "_weights", {channels, channels_.at(in), 1, 1}, {0.5F});
        model_.node("Conv", {in, out + "_weights"}, {out});
        channels_[out] = channels;
        return *this;
    }
    /// A Conv 3x3 of stride 2.
    Net &stem(const std::string &in, const std::string &out, int64_t channels) {
        model_.floats(out + "_weights", {channels, channels_.at(in), 3, 3}, {0.5F});
        model_.node("Conv", {in, out + "_weights"}, {out}).with("strides", Ints(2, 2));
        channels_[out] = channels;
        return *this;
    }
    Net &depthwise(const std::string &in, const std::string &out, const Deep &deep = {}) {
        const int64_t group = channels_.at(in);
        model_.floats(out + "_weights", {group * deep.multiplier, 1, 3, 3}, {0.5F});
        model_.node("Conv", {in, out + "_weights"}, {out}).with("group", group);
        model_.with("pads", Ints(4, 1)).with("strides", Ints(2, deep.stride));
        channels_[out] = group * deep.multiplier;
        return *this;
    }
    /// Of one operator that keeps the channels of its first input.
    Net &node(const std::string &op, const Texts &in, const std::string &out) {
        model_.node(op, in, {out});
        channels_[out] = channels_.at(in[0]);
        return *this;
    }
    Net &concat(const Texts &in, const std::string &out, int64_t axis = 1) {
        model_.node("Concat", in, {out}).with("axis", axis);
        channels_[out] = 0;
        for (const std::string &value : in) channels_[out] += channels_.at(value);
        if (axis != 1) channels_[out] = channels_.at(in[0]);
        return *this;
    }
    /// Another input of the model: x is 1x8x7x7.
    Net &input(const std::string &name, const Shape &shape) {
        model_.input(name, shape);
        channels_[name] = shape[1];
        return *this;
    }
    Net &output(const std::string &name) {
        model_.output(name);
        return *this;
    }
    /// `in` is pooled and excited to `gate`, which has `channels`, or as many as `in`.
    Net &excited(const std::string &in, int64_t channels = 0) {
        node("GlobalAveragePool", {in}, "mean").pointwise("mean", "reduced", 2);
        node("Relu", {"reduced"}, "positive");
        pointwise("positive", "excited", channels == 0 ? channels_.at(in) : channels);
        return node("HardSigmoid", {"excited"}, "gate");
    }
    /// `in` times its gate is `gated`.
    Net &squeezed(const std::string &in) { return excited(in).node("Mul", {in, "gate"}, "gated"); }

    /// A Ghost module's primary and cheap on `in`.
    Net &halves(const std::string &in, const Deep &deep = {}) {
        pointwise(in, "linear", 4).node("Relu", {"linear"}, "primary");
        return depthwise("primary", "deep_primary", deep).node("Relu", {"deep_primary"}, "cheap");
    }

    ModelBuilder &model() { return model_; }

    Graph graph() const;  ///< Simplified.

private:
    ModelBuilder model_;
    std::map<std::string, int64_t> channels_;
};

/// The groups of the graph, which are consistent: every node is in one, each reads what is there by
/// then, and the plan can be made.
std::vector<Group> groups_of(const Graph &graph);

/// The values that groups make, in order.
Texts outputs_of(const std::vector<Group> &groups);

}  // namespace sepconv

#endif  // SEPCONV_TESTS_COMPILER_FUSED_NET_H_
