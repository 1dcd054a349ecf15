#ifndef SEPCONV_COMPILER_COMMANDS_LAYER_OPERATORS_H_
#define SEPCONV_COMPILER_COMMANDS_LAYER_OPERATORS_H_

#include <set>
#include <string>
#include <vector>

#include "compiler/commands/layer_builder.h"
#include "compiler/commands/layer_graph.h"
#include "layer/layer.h"

namespace sepconv {

/// What `sepconv layer` makes. All have --input, --batch, --activation, --seed, --weights, --bias.
struct LayerOperator {
    std::string name;
    std::string stages;           ///< What it computes, one line.
    std::string example;          ///< Arguments behind the name.
    std::set<std::string> needs;  ///< Further options that must be given,
    std::set<std::string> takes;  ///< and those that may be.
    struct {
        std::string kernel, stride, padding;
    } otherwise;  ///< Where not given.
    /// `window` is that of kernel, stride, dilation and padding over the input.
    void (*build)(const LayerSpec &spec, const Window &window, LayerBuilder *builder);
};

/// The one list of them.
const std::vector<LayerOperator> &layer_operators();

/// Null if there is none of that name.
const LayerOperator *find_layer_operator(const std::string &name);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_COMMANDS_LAYER_OPERATORS_H_
