#ifndef SEPCONV_COMPILER_ONNX_PARSE_H_
#define SEPCONV_COMPILER_ONNX_PARSE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/graph.h"
#include "compiler/limits.h"
#include "layer/status.h"

namespace sepconv {

/// An input as the model declares it; -1 for an extent that is symbolic or not positive.
struct DeclaredInput {
    std::string name;
    std::optional<Shape> shape;
};

/// A model's own words in our types: structure checked, nothing inferred or normalised.
/// Nodes are in topological order, named uniquely, and each is needed by an output; value names are
/// unique and every input of a node is declared, produced or constant. A node has as many outputs
/// as the model declares, which can decide what it computes; those that nothing reads are "".
struct ParsedModel {
    std::string name;
    int64_t opset = 0;
    std::vector<DeclaredInput> inputs;  ///< Without initialisers.
    std::vector<std::string> outputs;
    std::vector<Node> nodes;
    std::map<std::string, Constant> constants;  ///< The initialisers that nodes or outputs read.
    ConstantBudget budget;
};

/// Decodes and checks untrusted bytes. `folder` is where external data may lie; empty: refused.
Result<ParsedModel> parse_onnx(std::string_view bytes, const std::string &folder);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_ONNX_PARSE_H_
