#ifndef SEPCONV_COMPILER_READ_ONNX_H_
#define SEPCONV_COMPILER_READ_ONNX_H_

#include <map>
#include <string>
#include <string_view>

#include "compiler/graph.h"
#include "layer/status.h"

namespace sepconv {

struct ReadOptions {
    /// Shapes that replace the declared ones, by input name. Must name an input of the model.
    std::map<std::string, Shape> input_shapes;
    /// Folder of the model file, for external data; empty: external data is refused.
    std::string folder;
};

/// Untrusted bytes to a graph: parse (protobuf, pinned onnx.proto), validate, infer every shape,
/// fold constants and Shape subgraphs at the given input shapes, and replace each If by the branch
/// it takes. Afterwards a node has only constant inputs where fold_node() leaves it to a kernel,
/// and Constant, Identity, Dropout, Shape, ConstantOfShape, Cast of constants and If are gone. A
/// dimension that stays unknown is an error that names the input and --input-shape (a symbolic or
/// non-positive first dimension, the batch, becomes 1).
Result<Graph> read_onnx(std::string_view bytes, const ReadOptions &options);

/// Reads the file and calls read_onnx.
Result<Graph> read_onnx_file(const std::string &path, ReadOptions options);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_READ_ONNX_H_
