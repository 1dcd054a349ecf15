#ifndef SEPCONV_TESTS_FUZZ_MODEL_MUTATOR_H_
#define SEPCONV_TESTS_FUZZ_MODEL_MUTATOR_H_

#include "onnx/onnx.pb.h"

namespace sepconv {

/// Changes the model in one to four places: a node, an attribute, a shape, a constant, how values
/// are connected. Random bytes seldom stay a model, this does. The same seed, the same change.
void mutate_model(onnx::ModelProto &model, unsigned seed);

/// Appends nodes of `other`, with what they read, to the model; they read values of the model where
/// `other` has its inputs.
void join_models(onnx::ModelProto &model, const onnx::ModelProto &other, unsigned seed);

}  // namespace sepconv

#endif  // SEPCONV_TESTS_FUZZ_MODEL_MUTATOR_H_
