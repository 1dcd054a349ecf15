#ifndef SEPCONV_COMPILER_PASSES_PASSES_H_
#define SEPCONV_COMPILER_PASSES_PASSES_H_

#include "compiler/graph.h"

namespace sepconv {

// Each pass is a pure function on a valid graph and keeps the meaning of every graph output.
// One file each.

/// BatchNormalization becomes Mul and Add by constants, [C, 1, 1] where they are one a channel
/// (computed in double).
[[nodiscard]] Graph lower_batch_normalization(Graph graph);

/// Reciprocal becomes a Div, Mean Adds and a Mul, Pow Muls, a Sqrt and a Div, and a Clip whose
/// bounds are inputs Max and Min.
[[nodiscard]] Graph lower_arithmetic(Graph graph);

/// Whether a Gemm's third input is a constant that adds one number per column, or one to all; also
/// where it has none.
bool adds_per_column(const Graph &graph, const Node &gemm);

/// Any other third input of a Gemm becomes an Add after it, of beta times that input.
[[nodiscard]] Graph split_gemm(Graph graph);

/// What an Expand repeats and elementwise operators would broadcast anyway, they read unexpanded.
/// Where nothing else gives them their shape they compute the few values, and the Expand follows
/// them.
[[nodiscard]] Graph sink_expands(Graph graph);

/// Add 3 > Clip 0 6 > Mul x > Div 6 (any order of the last two, Mul by 1/6 too) becomes HardSwish;
/// x * Sigmoid(x) becomes Silu; Div sqrt2 > Erf > Add 1 > Mul x > Mul 0.5 (any order) becomes Gelu;
/// x * HardSigmoid(1/6, 1/2)(x) becomes HardSwish.
[[nodiscard]] Graph recognise_activations(Graph graph);

/// Add, Sub, Mul, Div by a scalar or per-channel constant behind a Conv, ConvTranspose or constant
/// Gemm/MatMul that nothing else reads are folded into weights and bias (in double); what cannot be
/// folded stays. Bias that comes as a separate Add becomes the Conv's.
[[nodiscard]] Graph fold_affine(Graph graph);

/// A zero Pad over H and W in front of a Conv or average-including-pad pool becomes its padding.
[[nodiscard]] Graph fold_padding(Graph graph);

/// Nodes and constants that no output needs are removed.
[[nodiscard]] Graph remove_dead_nodes(Graph graph);

/// All of the above in order. What passes make of constants they take from Graph::budget; below 0
/// they stop, and the graph is to be refused.
[[nodiscard]] Graph simplify(Graph graph);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_PASSES_PASSES_H_
