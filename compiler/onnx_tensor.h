#ifndef SEPCONV_COMPILER_ONNX_TENSOR_H_
#define SEPCONV_COMPILER_ONNX_TENSOR_H_

#include <optional>
#include <string>

#include "compiler/graph.h"
#include "compiler/limits.h"
#include "layer/status.h"
#include "onnx/onnx.pb.h"

namespace sepconv {

/// The graph's element type for a TensorProto::DataType, if it has one.
std::optional<ElementType> element_type(int data_type);

/// "float16" for messages.
std::string data_type_name(int data_type);

/// Decodes a tensor; its values must match its shape exactly. `what` names it in messages. External
/// data is read from files inside `folder` only, and refused when that is empty. `budget` is
/// reduced by the bytes that integers grow by, and by those read.
Result<Constant> read_tensor(const onnx::TensorProto &tensor, const std::string &what,
                             const std::string &folder, ConstantBudget &budget);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_ONNX_TENSOR_H_
