#ifndef SEPCONV_COMPILER_GRAPH_H_
#define SEPCONV_COMPILER_GRAPH_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/constant.h"
#include "layer/status.h"

namespace sepconv {

struct Branch;
using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>,
                               std::vector<float>, Constant, std::shared_ptr<const Branch>>;

/// One ONNX operator. Inputs and outputs are value names; "" is an omitted optional input.
struct Node {
    std::string op;    ///< ONNX operator type: "Conv".
    std::string name;  ///< ONNX node name; made up as "Conv_17" where the model has none.
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::map<std::string, Attribute> attributes;

    /// The attribute, or `otherwise` when it is absent or of another type.
    int64_t attribute(const std::string &key, int64_t otherwise) const;
    float attribute(const std::string &key, float otherwise) const;
    std::string attribute(const std::string &key, const std::string &otherwise) const;
    std::vector<int64_t> attribute(const std::string &key,
                                   const std::vector<int64_t> &otherwise) const;
    std::vector<float> attribute(const std::string &key, const std::vector<float> &otherwise) const;
    bool has(const std::string &key) const { return attributes.count(key) != 0; }
    /// Input i, or "" when the node has fewer.
    const std::string &input(size_t i) const;
};

/// What one side of an If computes. Its nodes, in topological order, read values of their own, of
/// the constants and of the graphs around it; an output may be any of these.
struct Branch {
    Status status;  ///< Why the branch cannot be taken; then the rest is empty.
    std::vector<Node> nodes;
    std::vector<std::string> outputs;
    std::map<std::string, Constant> constants;
};

/// A named value at the graph's edge, or between nodes.
struct Value {
    ElementType type = ElementType::kFloat;
    Shape shape;
};

/// A model in ONNX's meaning (logical NCHW shapes). Nodes are in topological order, every value has
/// one producer, all shapes are static, positive and known.
struct Graph {
    std::string name;
    int64_t opset = 0;
    std::vector<std::string> inputs;   ///< Names; without initialisers.
    std::vector<std::string> outputs;  ///< Names.
    /// The callers' names of outputs whose values are copies of inputs of that name.
    std::map<std::string, std::string> output_names;
    std::vector<Node> nodes;
    std::map<std::string, Value> values;        ///< Inputs and all nodes' outputs.
    std::map<std::string, Constant> constants;  ///< By value name; disjoint from `values`.
    /// Bytes that may still be made of constants (limits.h); below 0 the model is to be refused.
    int64_t budget = std::numeric_limits<int64_t>::max();

    bool is_constant(const std::string &value) const { return constants.count(value) != 0; }
    /// Shape of a value or constant.
    const Shape &shape_of(const std::string &value) const;
    /// The constant's, or null.
    const Constant *constant(const std::string &value) const;
    /// How many node inputs and graph outputs read the value.
    int use_count(const std::string &value) const;
    /// The node that produces it, or null for inputs and constants.
    const Node *producer(const std::string &value) const;
};

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_GRAPH_H_
