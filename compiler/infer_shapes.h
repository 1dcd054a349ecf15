#ifndef SEPCONV_COMPILER_INFER_SHAPES_H_
#define SEPCONV_COMPILER_INFER_SHAPES_H_

#include <map>
#include <string>
#include <vector>

#include "compiler/graph.h"
#include "compiler/operator_fields.h"
#include "layer/status.h"

namespace sepconv {

/// Checks one node, whose inputs are values or constants of `graph`, against the operator's rules
/// and returns its outputs' shapes (not yet checked against limits; extents may be 0).
///
/// `node` is rewritten so that nothing behind it meets differences between operator sets:
/// - Every attribute is explicit, and constant inputs that are parameters become attributes.
/// - Conv, ConvTranspose, MaxPool, AveragePool: kernel_shape, strides, dilations, pads (top, left,
///   bottom, right; rank 3: left, right; auto_pad resolved), group; ConvTranspose: output_padding,
///   with output_shape resolved into pads; pools: ceil_mode, count_include_pad.
/// - Reshape, Flatten, Squeeze, Unsqueeze: "Reshape" of one input to the output's shape.
/// - Slice: starts, ends, axes, steps, one entry per axis (end -1: past the first element of a
///   descending slice). Split: axis, split. Concat: axis. Transpose: perm. Axes are non-negative.
/// - Expand: of one input to the output's shape; Tile of axes of extent 1 too. Tile: repeats.
///   Gather: axis, indices (not negative, row-major).
/// - Clip: min, max; absent or infinite bounds are -FLT_MAX and FLT_MAX. With a computed bound: no
///   attributes, both as inputs.
/// - Pad: pads (all begins, then all ends; negative ones crop), value, mode.
/// - Resize (Upsample too): mode, coordinate_transformation_mode, nearest_mode, cubic_coeff_a,
///   scales (4), roi (8, for tf_crop_and_resize), extrapolation_value, exclude_outside, antialias.
/// - ReduceMean, ReduceMax: axes, keepdims. Softmax: axis, coerced (1: over all axes from `axis`).
/// - DepthToSpace, SpaceToDepth: blocksize, mode. Gemm: alpha, beta, transA, transB.
/// - BatchNormalization: epsilon.
/// - Pow: exponent, a multiple of 0.5; by 2, 0.5, 1 and 0: Mul, Sqrt, Identity, Clip. Casts,
///   Dropout, Expand and Tile that change nothing and sums of one input: Identity.
Result<std::vector<Shape>> infer_node(const Graph &graph, Node &node);

/// Whether the operator is known, and the node has a number of inputs and attributes that its rule
/// allows in the graph's operator set. infer_node and fold_node begin with this.
Status check_node(const Graph &graph, const Node &node);

/// Drops what the node declares behind its first `count` outputs; an error if something reads that.
Status limit_outputs(Node &node, size_t count);

/// The known operators, those that are only folded too, with their attributes and optional inputs.
const std::map<std::string, std::vector<OperatorField>> &shape_rules();

/// Numpy's broadcast of two shapes, if there is one.
bool broadcast_shapes(const Shape &a, const Shape &b, Shape &result);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_INFER_SHAPES_H_
