#ifndef SEPCONV_COMPILER_COMMANDS_LAYER_BUILDER_H_
#define SEPCONV_COMPILER_COMMANDS_LAYER_BUILDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/commands/layer_graph.h"
#include "compiler/graph.h"
#include "layer/layer.h"
#include "layer/status.h"

namespace sepconv {

/// splitmix64: the same weights on every machine and with every standard library.
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}

    /// Uniform in [-bound, bound).
    float next(double bound);

private:
    uint64_t state_;
};

/// Appends ONNX nodes to a graph, each behind the value that the one before made. After an error
/// nothing more is appended, and finish() returns the first one: blocks need not look at it.
class LayerBuilder {
public:
    /// Weights, biases and seed come from `spec`, which must outlive the builder.
    LayerBuilder(const LayerSpec &spec, const Shape &input);

    /// The value that the next node reads.
    const std::string &value() const { return value_; }
    const Shape &shape() const { return graph_.shape_of(value_); }
    /// Goes on behind an earlier value.
    void resume(const std::string &value) { value_ = value; }
    void fail(const std::string &message);

    void convolution(const std::string &stage, int64_t out_channels,
                     const Window &window = Window());
    void depthwise(const std::string &stage, const Window &window, int64_t multiplier = 1);
    /// Nothing for "" and "none"; `option` names it in messages.
    void activation(const std::string &option, const std::string &name);
    /// value * gate(mean of value over the image): stages "reduce" to `channels` and "excite".
    void squeeze(int64_t channels, const std::string &activation, const std::string &gate);
    void global_average_pool();
    /// Of equal shapes; `option` names the wish in messages.
    void add(const std::string &option, const std::string &other);
    /// `first`'s channels, then those of the running value.
    void concat(const std::string &first);

    Result<Graph> finish();

private:
    void append(const std::string &op, const std::string &name, std::vector<std::string> inputs,
                std::map<std::string, Attribute> attributes, const Shape &shape);
    /// A Conv of `group` groups with weights and bias of its own.
    void convolve(const std::string &stage, int64_t out_channels, int64_t group,
                  const Window &window);
    /// The given array of the stage, or random values in [-bound, bound).
    void constant(const std::string &option, const StageArrays &given, const std::string &stage,
                  const std::string &name, const Shape &shape, double bound);
    /// Every array belongs to a stage.
    Status check_arrays(const std::string &option, const StageArrays &arrays) const;
    void note(const Status &status);

    const LayerSpec &spec_;
    Random random_;
    Graph graph_;
    std::string value_ = "input";
    std::vector<std::string> stages_;  ///< With weights.
    Status status_;
};

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_COMMANDS_LAYER_BUILDER_H_
