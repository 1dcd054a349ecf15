#ifndef SEPCONV_COMPILER_INFER_RULES_H_
#define SEPCONV_COMPILER_INFER_RULES_H_

#include <string>
#include <vector>

#include "compiler/diagnostic.h"
#include "compiler/graph.h"
#include "layer/status.h"

namespace sepconv {

/// What a shape rule sees of one node, and what it leaves behind.
struct NodeContext {
    const Graph &graph;
    Node &node;
    std::vector<Shape> outputs;

    int64_t opset() const { return graph.opset; }
    const Shape &shape(size_t input) const { return graph.shape_of(node.input(input)); }
    int64_t rank(size_t input) const { return static_cast<int64_t>(shape(input).size()); }
    bool has_input(size_t input) const { return !node.input(input).empty(); }
    const Constant *constant(size_t input) const { return graph.constant(node.input(input)); }

    Status invalid(const std::string &text) const;
    Status unsupported(const std::string &text) const;

    /// A parameter input: a constant list (or scalar) of integers. `what` names it in messages.
    Result<std::vector<int64_t>> constant_ints(size_t input, const std::string &what) const;
    Result<std::vector<float>> constant_floats(size_t input, const std::string &what) const;

    /// `axis` counted from the front, or an error unless -rank <= axis < rank.
    Result<int64_t> resolve_axis(int64_t axis, int64_t rank) const;
    /// Every axis resolved; an axis that occurs twice is an error. Order is kept.
    Result<std::vector<int64_t>> resolve_axes(const std::vector<int64_t> &axes, int64_t rank) const;

    /// Makes the node `op` of its first input alone, without attributes.
    void become_unary(const std::string &op);
};

// One rule per operator, by family.
Status infer_reduce(NodeContext &c);  ///< "Identity" where nothing is reduced.

Status infer_conv(NodeContext &c);
Status infer_conv_transpose(NodeContext &c);
Status infer_pool(NodeContext &c);
Status infer_global_pool(NodeContext &c);

Status infer_reshape(NodeContext &c);
Status infer_flatten(NodeContext &c);
Status infer_squeeze(NodeContext &c);
Status infer_unsqueeze(NodeContext &c);
Status infer_transpose(NodeContext &c);
Status infer_concat(NodeContext &c);
Status infer_split(NodeContext &c);
Status infer_slice(NodeContext &c);
Status infer_depth_to_space(NodeContext &c);
Status infer_space_to_depth(NodeContext &c);

Status infer_expand(NodeContext &c);
Status infer_tile(NodeContext &c);
Status infer_gather(NodeContext &c);

Status infer_clip(NodeContext &c);
Status infer_pow(NodeContext &c);

Status infer_resize(NodeContext &c);
Status infer_upsample(NodeContext &c);
Status infer_pad(NodeContext &c);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_INFER_RULES_H_
