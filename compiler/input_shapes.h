#ifndef SEPCONV_COMPILER_INPUT_SHAPES_H_
#define SEPCONV_COMPILER_INPUT_SHAPES_H_

#include <map>
#include <string>
#include <vector>

#include "compiler/onnx_parse.h"
#include "layer/status.h"

namespace sepconv {

/// The shapes of a model's inputs, in their order: `given` by name, or else as declared with a
/// batch of 1 where it is open. A given name that no input has, a rank or extent that does not fit
/// and an extent that stays unknown are errors that name the input and --input-shape.
Result<std::vector<Shape>> input_shapes(const std::vector<DeclaredInput> &inputs,
                                        const std::map<std::string, Shape> &given);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_INPUT_SHAPES_H_
