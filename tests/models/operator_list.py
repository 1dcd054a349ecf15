"""The operators and their variants, by group: odd channel counts, odd sizes, random weights."""

import math
from fractions import Fraction

import numpy as np

from case_builder import X, Case
from fused_cases import fused
from operand_cases import arguments, operands


def convolutions():
    def conv(name, shape, *arguments, opset=17, **keywords):
        return Case(name, [shape], lambda b, x: b.conv(x, *arguments, **keywords), opset=opset)

    both = {"pads": [1, 1, 1, 1]}
    return [
        conv("dense_3x3", X, 17, 13, **both),
        conv("dense_stride_2", X, 20, 13, strides=[2, 2], **both),
        conv("dense_valid", X, 7, 13, bias=False),
        conv("dense_1x7", X, 5, 13, kernel=(1, 7), pads=[0, 3, 0, 3]),
        conv("dense_7x1", X, 5, 13, kernel=(7, 1), pads=[3, 0, 3, 0]),
        conv("dense_dilated", X, 6, 13, dilations=[2, 2], pads=[2, 2, 2, 2]),
        conv("dense_asymmetric", X, 6, 13, strides=[2, 1], pads=[0, 1, 1, 2]),
        conv("dense_same_upper", (1, 3, 10, 15), 8, 3, strides=[2, 2], auto_pad="SAME_UPPER"),
        conv("dense_same_lower", (1, 3, 10, 15), 8, 3, strides=[2, 2], auto_pad="SAME_LOWER"),
        conv("dense_auto_valid", (1, 3, 10, 15), 8, 3, auto_pad="VALID"),
        conv("dense_even_kernel", X, 6, 13, kernel=(2, 4), pads=[1, 1, 0, 2]),
        conv("dense_batch", (3, 5, 7, 6), 4, 5, **both),
        conv("grouped", (1, 12, 9, 8), 18, 12, group=3, **both),
        conv("grouped_pointwise", (1, 12, 9, 8), 8, 12, kernel=(1, 1), group=4),
        conv("depthwise", X, 13, 13, group=13, **both),
        conv("depthwise_stride_2", X, 13, 13, group=13, strides=[2, 2], **both),
        conv("depthwise_5x5", X, 13, 13, kernel=(5, 5), group=13, pads=[2, 2, 2, 2]),
        conv("depthwise_7x7", X, 13, 13, kernel=(7, 7), group=13, pads=[3, 3, 3, 3]),
        conv("depthwise_multiplier_2", X, 26, 13, group=13, **both),
        conv("depthwise_multiplier_3", (1, 5, 8, 8), 15, 5, kernel=(5, 5), group=5),
        conv("depthwise_dilated", X, 13, 13, group=13, dilations=[2, 3], pads=[2, 3, 2, 3]),
        conv("depthwise_batch", (2, 7, 6, 9), 7, 7, group=7, **both),
        conv("pointwise", X, 33, 13, kernel=(1, 1)),
        conv("pointwise_stride_2", X, 19, 13, kernel=(1, 1), strides=[2, 2]),
        conv("pointwise_padded", X, 19, 13, kernel=(1, 1), pads=[1, 0, 0, 1]),
        conv("pointwise_one_pixel", (1, 40, 1, 1), 10, 40, kernel=(1, 1)),
        conv("one_channel", (1, 1, 9, 9), 1, 1, **both),
        conv("opset_7", X, 17, 13, opset=7, **both),
        Case("weights_as_constant_node", [X], lambda b, x: b.node(
            "Conv", x, b.node("Constant", value=_tensor(b.random, 4, 13, 1, 1)))),
    ]


def _tensor(random, *shape):
    from onnx import numpy_helper
    return numpy_helper.from_array(random.standard_normal(shape).astype(np.float32))


def activations():
    def on(name, operator, opset=17, **attributes):
        return Case(name, [X], lambda b, x: b.node(operator, x, **attributes), opset=opset,
                    low=-6, high=6)

    def gelu(b, x):
        erf = b.node("Erf", b.node("Div", x, b.constant(np.sqrt(2).astype(np.float32))))
        return b.node("Mul", b.node("Mul", x, b.node("Add", erf, b.constant(1.0))),
                      b.constant(0.5))

    return [
        on("relu", "Relu"), on("sigmoid", "Sigmoid"), on("tanh", "Tanh"), on("erf", "Erf"),
        on("hard_swish", "HardSwish"), on("hard_sigmoid", "HardSigmoid"),
        on("hard_sigmoid_sixth", "HardSigmoid", alpha=1 / 6, beta=0.4),
        on("leaky_relu", "LeakyRelu"), on("leaky_relu_02", "LeakyRelu", alpha=0.2),
        on("clip_opset_6", "Clip", opset=9, min=0.0, max=6.0),
        on("exp", "Exp"), on("abs", "Abs"), on("neg", "Neg"),
        Case("sqrt", [X], lambda b, x: b.node("Sqrt", x), low=0, high=6),
        Case("pow_2", [X], lambda b, x: b.node("Pow", x, b.constant(2.0))),
        Case("pow_half", [X], lambda b, x: b.node("Pow", x, b.constant(0.5)), low=0.1, high=6),
        on("gelu", "Gelu", opset=20), on("gelu_tanh", "Gelu", opset=20, approximate="tanh"),
        Case("gelu_written_out", [X], gelu, low=-4, high=4),
        Case("clip", [X], lambda b, x: b.node("Clip", x, b.constant(-0.5), b.constant(1.5))),
        Case("clip_min", [X], lambda b, x: b.node("Clip", x, b.constant(-0.5))),
        Case("clip_max", [X], lambda b, x: b.node("Clip", x, "", b.constant(0.5))),
        Case("prelu", [X], lambda b, x: b.node("PRelu", x, b.weights(13, 1, 1))),
        Case("prelu_scalar", [X], lambda b, x: b.node("PRelu", x, b.weights(1))),
        Case("silu", [X], lambda b, x: b.node("Mul", x, b.node("Sigmoid", x))),
        on("softmax_channels", "Softmax", axis=1),
        on("softmax_width", "Softmax", axis=3),
        on("softmax_default", "Softmax"),
        Case("softmax_vector", [(1, 37)], lambda b, x: b.node("Softmax", x)),
        Case("softmax_vector_opset_11", [(1, 37)], lambda b, x: b.node("Softmax", x), opset=11),
        Case("batch_norm", [X], lambda b, x: b.node(
            "BatchNormalization", x, b.positive(13), b.weights(13), b.weights(13),
            b.positive(13))),
        Case("batch_norm_opset_7", [X], lambda b, x: b.node(
            "BatchNormalization", x, b.positive(13), b.weights(13), b.weights(13),
            b.positive(13), epsilon=1e-2), opset=7),
    ]


def elementwise():
    cases = []
    second = {
        "same": X, "gate": (1, 13, 1, 1),
    }
    for operator in ("Add", "Sub", "Mul", "Min", "Max"):
        for kind, shape in second.items():
            cases.append(Case(f"{operator.lower()}_{kind}", [X, shape],
                              lambda b, x, y, op=operator: b.node(op, x, y)))
    for operator in ("Add", "Sub", "Mul", "Div"):
        for kind, shape in {"scalar": (), "channel": (13, 1, 1), "one": (1,),
                            "full": X}.items():
            cases.append(Case(f"{operator.lower()}_constant_{kind}", [X],
                              lambda b, x, op=operator, shape=shape: b.node(
                                  op, x, b.positive(*shape))))
        cases.append(Case(f"{operator.lower()}_constant_first", [X],
                          lambda b, x, op=operator: b.node(op, b.constant(1.5), x),
                          low=0.5, high=3))
    cases += [
        Case("div_same", [X, X], lambda b, x, y: b.node("Div", x, y), low=0.5, high=3),
        Case("div_gate", [X, (1, 13, 1, 1)], lambda b, x, y: b.node("Div", x, y), low=0.5,
             high=3),
        Case("gate_first", [(1, 13, 1, 1), X], lambda b, x, y: b.node("Mul", x, y)),
        Case("add_itself", [X], lambda b, x: b.node("Add", x, x)),
        Case("sum_3", [X, X, X], lambda b, x, y, z: b.node("Sum", x, y, z)),
        Case("max_3", [X, X, X], lambda b, x, y, z: b.node("Max", x, y, z)),
        Case("min_constant", [X], lambda b, x: b.node("Min", x, b.constant(0.25))),
        Case("add_opset_7", [X, X], lambda b, x, y: b.node("Add", x, y), opset=7),
        Case("vectors", [(1, 50), (1, 50)], lambda b, x, y: b.node("Mul", x, y)),
    ]
    return cases


def pools():
    def pool(name, operator, opset=17, shape=X, **attributes):
        return Case(name, [shape], lambda b, x: b.node(operator, x, **attributes), opset=opset)

    k3 = {"kernel_shape": [3, 3]}
    return [
        pool("global_average", "GlobalAveragePool"),
        pool("global_average_batch", "GlobalAveragePool", shape=(2, 5, 4, 7)),
        Case("global_average_batch_fused", [(2, 5, 4, 7)], lambda b, x: b.node(
            "Mul", b.node("GlobalAveragePool", x), b.weights(5, 1, 1))),
        Case("global_max_batch_fused", [(3, 17, 4, 7)], lambda b, x: b.node(
            "HardSwish", b.node("GlobalMaxPool", x))),
        pool("global_max", "GlobalMaxPool"),
        pool("max_3x3", "MaxPool", **k3),
        pool("max_stride_2", "MaxPool", strides=[2, 2], pads=[1, 1, 1, 1], **k3),
        pool("max_2x2", "MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
        pool("max_ceil", "MaxPool", strides=[2, 2], ceil_mode=1, **k3),
        pool("max_same", "MaxPool", strides=[2, 2], auto_pad="SAME_UPPER", **k3),
        pool("max_dilated", "MaxPool", dilations=[2, 2], **k3),
        pool("max_opset_8", "MaxPool", opset=8, strides=[2, 2], **k3),
        pool("average_3x3", "AveragePool", **k3),
        pool("average_padded", "AveragePool", strides=[2, 2], pads=[1, 1, 1, 1], **k3),
        pool("average_count_pad", "AveragePool", strides=[2, 2], pads=[1, 1, 1, 1],
             count_include_pad=1, **k3),
        pool("average_same", "AveragePool", strides=[2, 2], auto_pad="SAME_LOWER", **k3),
        pool("average_ceil", "AveragePool", strides=[2, 2], ceil_mode=1, **k3),
        pool("average_opset_7", "AveragePool", opset=7, pads=[1, 0, 1, 0], **k3),
        pool("mean_keep", "ReduceMean", axes=[2, 3], keepdims=1),
        pool("mean_drop", "ReduceMean", axes=[2, 3], keepdims=0),
        pool("mean_negative_axes", "ReduceMean", axes=[-1, -2]),
        pool("reduce_max", "ReduceMax", axes=[2, 3]),
        Case("mean_opset_18", [X], lambda b, x: b.node(
            "ReduceMean", x, b.constant([2, 3], np.int64)), opset=18),
    ]


def dense():
    def gemm(b, x, **attributes):
        shape = (20, 37) if attributes.get("transB") else (37, 20)
        return b.node("Gemm", x, b.weights(*shape), b.weights(20), **attributes)

    def flattened(b, x):
        return b.node("Gemm", b.node("Flatten", x), b.weights(10, 13 * 9 * 11, scale=0.05),
                      b.weights(10), transB=1)

    def reshaped(b, x):
        x = b.node("Reshape", x, b.constant([1, -1], np.int64))
        return b.node("MatMul", x, b.weights(13 * 9 * 11, 7, scale=0.05))

    def pooled(b, x):
        x = b.node("Squeeze", b.node("GlobalAveragePool", x), b.constant([2, 3], np.int64))
        return b.node("Softmax", b.node("Gemm", x, b.weights(13, 5), b.weights(5)))

    def gated(name, shape, axis):
        """A matrix product times another one of x's mean over an axis, with 20 columns each."""
        def build(b, x):
            mean = b.node("ReduceMean", x, axes=[axis]) if axis is not None else x
            gate = b.node("Sigmoid", b.node("MatMul", mean, b.weights(37, 20)))
            return b.node("Mul", b.node("MatMul", x, b.weights(37, 20)), gate)
        return Case(f"matmul_gated_{name}", [shape], build)

    return [
        gated("vector", (37,), None),
        gated("row", (1, 37), 0),
        gated("rows", (3, 37), 0),
        gated("batch_of_one", (1, 3, 37), 1),
        gated("batch", (2, 3, 37), 1),
        gated("batch_4d", (2, 1, 4, 37), 2),
        Case("gemm", [(1, 37)], gemm),
        Case("gemm_transposed", [(1, 37)], lambda b, x: gemm(b, x, transB=1)),
        Case("gemm_scaled", [(1, 37)], lambda b, x: gemm(b, x, alpha=0.5, beta=2.0)),
        Case("gemm_no_bias", [(1, 37)], lambda b, x: b.node("Gemm", x, b.weights(37, 20)),
             opset=13),
        Case("gemm_rows", [(4, 37)], gemm),
        Case("gemm_opset_7", [(1, 37)], gemm, opset=7),
        Case("matmul", [(1, 37)], lambda b, x: b.node("MatMul", x, b.weights(37, 20))),
        Case("matmul_add", [(1, 37)], lambda b, x: b.node(
            "Add", b.node("MatMul", x, b.weights(37, 20)), b.weights(20))),
        Case("flatten_gemm", [X], flattened),
        Case("reshape_matmul", [X], reshaped),
        Case("pool_gemm_softmax", [X], pooled),
    ]


def movements():
    def shuffle(b, x):
        x = b.node("Reshape", x, b.constant([1, 3, 4, 9, 8], np.int64))
        x = b.node("Transpose", x, perm=[0, 2, 1, 3, 4])
        return b.node("Reshape", x, b.constant([1, 12, 9, 8], np.int64))

    def shape_subgraph(b, x):
        shape = b.node("Shape", x)
        batch = b.node("Slice", shape, b.constant([0], np.int64), b.constant([1], np.int64))
        return b.node("Reshape", x, b.node("Concat", batch, b.constant([-1], np.int64), axis=0))

    def split_join(b, x):
        first, second = b.node("Split", x, b.constant([5, 8], np.int64), axis=1, outputs=2)
        return b.node("Concat", b.node("Relu", second), first, axis=1)

    def slice_(b, x, starts, ends, axes, steps=None):
        inputs = [b.constant(value, np.int64)
                  for value in (starts, ends, axes, steps) if value is not None]
        return b.node("Slice", x, *inputs)

    def pad(b, x, pads, *value, mode="constant"):
        return b.node("Pad", x, b.constant(pads, np.int64), *value, mode=mode)

    def many(b, *inputs):
        return b.node("Split", b.node("Concat", *inputs, axis=0), axis=0, outputs=len(inputs),
                      num_outputs=len(inputs))

    return [
        Case("inputs_and_outputs_300", [(1, 3)] * 300, many, opset=18),
        Case("concat", [X, (1, 5, 9, 11), (1, 3, 9, 11)],
             lambda b, x, y, z: b.node("Concat", x, y, z, axis=1)),
        Case("concat_rows", [X, (1, 13, 2, 11)], lambda b, x, y: b.node("Concat", x, y, axis=2)),
        Case("concat_itself", [X], lambda b, x: b.node("Concat", x, x, axis=1)),
        Case("concat_conv", [X], lambda b, x: b.node(
            "Concat", b.conv(x, 5, 13, kernel=(1, 1)), b.conv(x, 6, 13, pads=[1, 1, 1, 1]),
            axis=1)),
        Case("split", [X], lambda b, x: b.node("Split", x, b.constant([5, 8], np.int64), axis=1,
                                               outputs=2)),
        Case("split_rows", [X], lambda b, x: b.node("Split", x, b.constant([4, 5], np.int64),
                                                    axis=2, outputs=2)),
        Case("split_equal_opset_11", [(1, 12, 5, 6)], lambda b, x: b.node(
            "Split", x, axis=1, outputs=3), opset=11),
        Case("split_join", [X], split_join),
        Case("slice_channels", [X], lambda b, x: slice_(b, x, [2], [9], [1])),
        Case("slice_rows", [X], lambda b, x: slice_(b, x, [1], [-1], [2])),
        Case("slice_to_end", [X], lambda b, x: slice_(b, x, [3], [2**63 - 1], [1])),
        Case("slice_opset_9", [X], lambda b, x: b.node("Slice", x, starts=[2], ends=[9],
                                                       axes=[1]), opset=9),
        Case("channel_shuffle", [(1, 12, 9, 8)], shuffle),
        Case("shape_subgraph", [X], shape_subgraph),
        Case("flatten", [X], lambda b, x: b.node("Flatten", x)),
        Case("transpose_nhwc", [X], lambda b, x: b.node("Transpose", x, perm=[0, 2, 3, 1])),
        Case("squeeze_opset_11", [(1, 9, 1, 1)], lambda b, x: b.node("Squeeze", x, axes=[2, 3]),
             opset=11),
        Case("unsqueeze", [(1, 9)], lambda b, x: b.node(
            "Unsqueeze", x, b.constant([2, 3], np.int64))),
        Case("reshape_zero", [X], lambda b, x: b.node(
            "Reshape", x, b.constant([0, 0, -1], np.int64))),
        Case("pad", [X], lambda b, x: pad(b, x, [0, 0, 1, 2, 0, 0, 3, 0])),
        Case("pad_value", [X], lambda b, x: pad(b, x, [0, 0, 1, 1, 0, 0, 1, 1],
                                                b.constant(1.5))),
        Case("pad_channels", [X], lambda b, x: pad(b, x, [0, 0, 0, 0, 0, 6, 0, 0])),
        Case("pad_reflect", [X], lambda b, x: pad(b, x, [0, 0, 3, 2, 0, 0, 1, 4], mode="reflect")),
        Case("pad_edge", [X], lambda b, x: pad(b, x, [0, 0, 1, 2, 0, 0, 3, 0], mode="edge")),
        Case("pad_opset_10", [X], lambda b, x: b.node("Pad", x, pads=[0, 0, 1, 1, 0, 0, 1, 1]),
             opset=10),
        Case("pad_conv", [X], lambda b, x: b.conv(pad(b, x, [0, 0, 0, 0, 0, 0, 1, 1]), 5, 13,
                                                  strides=[2, 2])),
        Case("depth_to_space", [(1, 12, 5, 7)], lambda b, x: b.node("DepthToSpace", x,
                                                                    blocksize=2)),
        Case("space_to_depth", [(1, 5, 8, 6)], lambda b, x: b.node("SpaceToDepth", x,
                                                                   blocksize=2)),
        Case("space_to_depth_crd", [(1, 2, 4, 6)], lambda b, x: b.node(
            "SpaceToDepth", x, blocksize=2, mode="CRD"), opset=28),
        Case("depth_to_space_crd", [(1, 12, 5, 7)], lambda b, x: b.node(
            "DepthToSpace", x, blocksize=2, mode="CRD")),
        Case("identity", [X], lambda b, x: b.node("Identity", b.node("Relu", x))),
        Case("dropout", [X], lambda b, x: b.node("Relu", b.node("Dropout", x))),
        Case("cast_constant", [X], lambda b, x: b.node(
            "Mul", x, b.node("Cast", b.constant([3], np.int64), to=1))),
    ]


def nearest_pixel(x, in_extent, out_extent, coordinates, rounding):
    """Of output position x, by ONNX's formulas and the scale out_extent / in_extent."""
    scale = Fraction(out_extent, in_extent)
    half = Fraction(1, 2)
    position = {"asymmetric": x / scale}.get(coordinates, (x + half) / scale - half)
    pixel = {"floor": math.floor(position), "ceil": math.ceil(position),
             "round_prefer_floor": math.ceil(position - half),
             "round_prefer_ceil": math.floor(position + half)}[rounding]
    return min(max(pixel, 0), in_extent - 1)


def resizes():
    def resize(name, mode, coordinates, factors=(1, 1, 2, 2), opset=17, **attributes):
        return Case(name, [(1, 5, 6, 7)], lambda b, x: b.node(
            "Resize", x, "", b.constant(factors, np.float32), mode=mode,
            coordinate_transformation_mode=coordinates, **attributes), opset=opset)

    def nearest(ins, outs, coordinates, rounding, by="sizes", opset=17):
        """Height and width from `ins` to `outs`; the value is exact, not ONNX Runtime's."""
        def make(b, x):
            scales = b.constant([1, 1, *(o / i for i, o in zip(ins, outs))], np.float32)
            attributes = {"mode": "nearest", "coordinate_transformation_mode": coordinates,
                          "nearest_mode": rounding}
            if by == "scales":
                return b.node("Resize", x, "", scales, **attributes)
            return b.node("Resize", x, "", "", b.constant([1, 3, *outs], np.int64), **attributes)

        name = f"exact_{coordinates}_{rounding}_{by}_" + "_".join(
            f"{i}_to_{o}" for i, o in zip(ins, outs))
        case = Case(name, [(1, 3, *ins)], make, opset=opset)
        rows, columns = ([nearest_pixel(x, i, o, coordinates, rounding) for x in range(o)]
                         for i, o in zip(ins, outs))
        case.expected = [case.inputs()[0][:, :, rows][:, :, :, columns]]
        return case

    cases = [
        nearest((20, 14), (6, 2), "half_pixel", "round_prefer_ceil"),
        nearest((20, 14), (6, 2), "asymmetric", "floor"),
        nearest((30, 36), (9, 10), "half_pixel", "round_prefer_ceil"),
        nearest((36, 40), (21, 26), "half_pixel", "round_prefer_floor"),
        nearest((7, 10), (1, 6), "half_pixel", "floor"),
        nearest((7, 10), (19, 26), "half_pixel", "ceil"),
        nearest((3, 7), (11, 71), "half_pixel_symmetric", "floor", opset=19),
        nearest((28, 26), (8, 28), "asymmetric", "round_prefer_ceil"),
        nearest((14, 18), (38, 42), "asymmetric", "ceil"),
        nearest((38, 49), (12, 54), "asymmetric", "round_prefer_floor"),
        nearest((7, 40), (39, 12), "pytorch_half_pixel", "round_prefer_ceil"),
        nearest((20, 12), (5, 18), "half_pixel", "round_prefer_ceil", by="scales"),
        nearest((20, 14), (5, 7), "asymmetric", "floor", by="scales"),
    ]
    for coordinates in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"):
        cases.append(resize(f"linear_{coordinates}", "linear", coordinates))
        cases.append(resize(f"linear_{coordinates}_odd", "linear", coordinates,
                            factors=(1, 1, 1.5, 3)))
        for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            cases.append(resize(f"nearest_{coordinates}_{nearest}", "nearest", coordinates,
                                nearest_mode=nearest))
    cases += [
        resize("nearest_x4", "nearest", "asymmetric", factors=(1, 1, 4, 4),
               nearest_mode="floor"),
        resize("cubic_half_pixel", "cubic", "half_pixel"),
        resize("cubic_down", "cubic", "align_corners", factors=(1, 1, 0.5, 0.7)),
        resize("linear_down", "linear", "half_pixel", factors=(1, 1, 0.5, 0.5)),
        resize("half_pixel_symmetric", "linear", "half_pixel_symmetric", opset=19,
               factors=(1, 1, 1.6, 1.6)),
        Case("linear_sizes", [(1, 5, 6, 7)], lambda b, x: b.node(
            "Resize", x, "", "", b.constant([1, 5, 11, 13], np.int64), mode="linear")),
        Case("nearest_opset_10", [(1, 5, 6, 7)], lambda b, x: b.node(
            "Resize", x, b.constant([1, 1, 2, 2], np.float32), mode="nearest"), opset=10),
        Case("crop_and_resize", [(1, 5, 6, 7)], lambda b, x: b.node(
            "Resize", x, b.constant([0, 0, 0.1, 0.2, 1, 1, 0.8, 0.9], np.float32),
            "", b.constant([1, 5, 12, 14], np.int64), mode="linear",
            coordinate_transformation_mode="tf_crop_and_resize")),
    ]
    return cases


def transposed():
    def deconv(name, shape, out_channels, kernel, group=1, bias=True, **attributes):
        def make(b, x):
            inputs = [x, b.weights(shape[1], out_channels // group, *kernel)]
            if bias:
                inputs.append(b.weights(out_channels))
            return b.node("ConvTranspose", *inputs, group=group, **attributes)
        return Case(name, [shape], make)

    small = (1, 7, 5, 6)
    return [
        deconv("deconv_2x2", small, 9, (2, 2), strides=[2, 2]),
        deconv("deconv_3x3", small, 5, (3, 3)),
        deconv("deconv_3x3_stride_2", small, 5, (3, 3), strides=[2, 2], pads=[1, 1, 1, 1]),
        deconv("deconv_output_padding", small, 5, (3, 3), strides=[2, 2], pads=[1, 1, 1, 1],
               output_padding=[1, 1]),
        deconv("deconv_asymmetric", small, 5, (4, 3), strides=[2, 1], pads=[1, 0, 2, 1]),
        deconv("deconv_same", small, 5, (3, 3), strides=[2, 2], auto_pad="SAME_UPPER"),
        deconv("deconv_output_shape", small, 5, (3, 3), strides=[2, 2], output_shape=[10, 12]),
        deconv("deconv_1x1_cropped", small, 5, (1, 1), output_shape=[4, 5],
               auto_pad="SAME_UPPER"),
        deconv("deconv_1x1_cropped_lower", small, 5, (1, 1), output_shape=[4, 5],
               auto_pad="SAME_LOWER"),
        deconv("deconv_1x1_cropped_right", small, 5, (1, 1), pads=[0, 0, 0, 2]),
        deconv("deconv_1x1_cropped_below", small, 5, (1, 1), pads=[0, 0, 2, 0]),
        deconv("deconv_1x1_cropped_around", small, 5, (1, 1), pads=[1, 1, 1, 1]),
        deconv("deconv_1x1_cropped_stride_2", small, 5, (1, 1), strides=[1, 2], pads=[0, 0, 0, 3]),
        deconv("deconv_1x1_cropped_depthwise", small, 7, (1, 1), group=7, pads=[0, 0, 1, 1]),
        deconv("deconv_dilated", small, 5, (3, 3), dilations=[2, 2]),
        deconv("deconv_grouped", (1, 6, 5, 4), 9, (3, 3), group=3, strides=[2, 2]),
        # Strides that are longer than kernels, or share no tap with a dilation: some rows or columns
        # meet no tap while the other axis reads beyond the image.
        deconv("deconv_untapped_columns", (1, 2, 1, 1), 8, (4, 1), group=2, bias=False,
               strides=[3, 2], dilations=[2, 2], pads=[1, 0, 1, 0], output_padding=[0, 1]),
        deconv("deconv_untapped_rows", (2, 2, 3, 2), 6, (1, 3), group=2, strides=[2, 4],
               dilations=[2, 3]),
        deconv("deconv_untapped_both", (2, 6, 2, 2), 3, (3, 4), group=3, strides=[4, 3],
               dilations=[2, 2]),
        deconv("deconv_untapped_padded", (1, 1, 4, 2), 2, (4, 3), strides=[2, 2],
               dilations=[2, 3], pads=[4, 1, 5, 2], output_padding=[1, 0]),
        deconv("deconv_untapped_valid", (2, 1, 1, 3), 3, (4, 2), strides=[3, 4],
               dilations=[2, 2], output_padding=[2, 0], auto_pad="VALID"),
        deconv("deconv_untapped_output_shape", (1, 2, 1, 4), 2, (4, 1), group=2, strides=[4, 3],
               dilations=[3, 3], output_shape=[8, 10]),
        deconv("deconv_untapped_output_padding", (1, 2, 2, 4), 3, (2, 4), strides=[4, 2],
               dilations=[1, 3], output_padding=[2, 0]),
        deconv("deconv_stride_only", (1, 3, 3, 2), 4, (1, 1), strides=[3, 2],
               output_padding=[2, 1]),
        deconv("deconv_cropped_columns", (1, 2, 4, 2), 2, (2, 2), strides=[2, 2],
               dilations=[3, 3], pads=[0, 3, 4, 2]),
        deconv("deconv_same_short_kernel", (1, 3, 4, 3), 2, (1, 2), strides=[2, 3],
               auto_pad="SAME_LOWER"),
        deconv("deconv_output_shape_beyond", (1, 3, 4, 3), 2, (1, 2), strides=[2, 3],
               output_shape=[8, 9]),
        deconv("deconv_depthwise", small, 7, (4, 4), group=7, strides=[2, 2],
               pads=[1, 1, 1, 1], bias=False),
    ]


GROUPS = {
    "convolutions": convolutions, "fused": fused, "activations": activations,
    "elementwise": elementwise, "pools": pools, "dense": dense, "movements": movements,
    "resizes": resizes, "transposed": transposed, "arguments": arguments, "operands": operands,
}
