#ifndef SEPCONV_BENCH_VALUES_H_
#define SEPCONV_BENCH_VALUES_H_

#include <string>
#include <utility>
#include <vector>

#include "bench/shapes.h"
#include "layer/layer.h"
#include "layer/status.h"

namespace sepconv::bench {

/// A float tensor in ONNX's order and the option of `sepconv layer` that takes it.
struct Parameter {
    std::string option;  ///< --weights or --bias
    std::string stage;   ///< As the option names it: "" in a block of one stage.
    std::vector<int> shape;
    std::vector<float> values;
};

/// Random values of a block.
struct Values {
    std::vector<float> input;
    /// Weights, then bias, of each stage in the order of stages_of().
    std::vector<Parameter> parameters;
};

/// The same for the same name; outputs stay near 1, so that activations show.
Values random_values(const std::string &name, const Block &block);

Status write_npy(const std::string &path, const Parameter &parameter);

/// Tensors that the block adds are its input. The largest absolute error of `output` against the
/// double-precision reference of the tests; an error where an element is further off than float
/// arithmetic explains.
Result<double> check(const Block &block, const Values &values, const float *output);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_VALUES_H_
