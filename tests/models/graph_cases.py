"""Operators that become views, copies or other operators, or disappear: flips, repetitions, picks,
branches."""

import numpy as np
from onnx import TensorProto, helper

from case_builder import X, Case

INT64_MAX, INT64_MIN = 2**63 - 1, -2**63


def _slice(b, x, starts, ends, axes=None, steps=None):
    inputs = [b.constant(value, np.int64) if value is not None else ""
              for value in (starts, ends, axes, steps)]
    return b.node("Slice", x, *inputs)


def _flip(b, x, *axes):
    """x[..., ::-1, ...] along each of the axes, as exporters write it."""
    return _slice(b, x, [-1] * len(axes), [INT64_MIN] * len(axes), list(axes), [-1] * len(axes))


def flips():
    def sliced(name, starts, ends, axes, steps, shape=X):
        return Case(name, [shape], lambda b, x: _slice(b, x, starts, ends, axes, steps))

    def on_flip(name, make, axes=(3,), shape=X, **keywords):
        return Case(name, [shape], lambda b, x: make(b, _flip(b, x, *axes)), **keywords)

    def on_computed(name, make, axes=(3,)):
        """Of a convolution's output, whose layout is ours."""
        return Case(name, [X], lambda b, x: make(b, _flip(b, b.conv(x, 10, 13), *axes)))

    def itself(b, x):
        return x

    both = {"pads": [1, 1, 1, 1]}
    return [
        # Each axis alone, all at once, and other ranks.
        on_flip("flip_batch", itself, [0], (3, 5, 4, 6)),
        on_flip("flip_channels", itself, [1]), on_flip("flip_rows", itself, [2]),
        on_flip("flip_columns", itself, [3]), on_flip("flip_image", itself, [2, 3]),
        on_flip("flip_everything", itself, [0, 1, 2, 3], (2, 3, 4, 5)),
        on_flip("flip_vector", itself, [0], (37,)), on_flip("flip_matrix", itself, [1], (3, 37)),
        on_flip("flip_signal", itself, [2], (2, 5, 37)),
        on_flip("flip_five_axes", itself, [0, 2, 4], (2, 3, 4, 3, 5)),
        on_flip("flip_one", itself, [1], (1, 1, 5, 6)),
        on_flip("flip_wide", itself, [3], (1, 2, 2, 70)),
        # Starts, ends and steps as ONNX clamps them.
        sliced("back_by_2", [-1], [INT64_MIN], [3], [-2]),
        sliced("back_by_3_from_inside", [8], [0], [1], [-3]),
        sliced("back_from_beyond", [INT64_MAX], [2], [2], [-1]),
        sliced("back_to_minus_1", [5], [-9], [2], [-1]),
        sliced("back_to_itself", [3], [2], [2], [-1]),
        sliced("back_by_the_least_step", [4], [INT64_MIN], [2], [INT64_MIN]),
        sliced("back_by_a_large_step", [-1], [INT64_MIN], [3], [-10]),
        sliced("back_and_ahead", [1, 7, -2], [9, 0, 0], [3, 1, 2], [2, -3, -2]),
        Case("back_without_axes", [X], lambda b, x: _slice(
            b, x, [0, -1, 8, -1], [1, 2, 0, 3], None, [1, -1, -1, -2])),
        # What reads them.
        on_flip("bgr_to_rgb_conv", lambda b, x: b.conv(x, 8, 3, strides=[2, 2], **both), [1],
                (1, 3, 12, 10)),
        on_flip("flip_conv_batch", lambda b, x: b.conv(x, 8, 3, **both), [0], (3, 3, 6, 5)),
        on_computed("flip_depthwise", lambda b, x: b.conv(x, 10, 10, group=10, **both)),
        on_computed("flip_separable", lambda b, x: b.conv(
            b.conv(x, 10, 10, group=10, **both), 7, 10, kernel=(1, 1))),
        on_computed("flip_grouped", lambda b, x: b.conv(x, 6, 10, group=2, **both), [1]),
        on_computed("flip_pool", lambda b, x: b.node("MaxPool", x, kernel_shape=[2, 2])),
        on_computed("flip_global_pool", lambda b, x: b.node("GlobalAveragePool", x), [1]),
        on_computed("flip_reduce", lambda b, x: b.node("ReduceMax", x, axes=[1], keepdims=0),
                    [2, 3]),
        on_computed("flip_softmax", lambda b, x: b.node("Softmax", x, axis=1), [1]),
        on_computed("flip_relu", lambda b, x: b.node("Relu", x)),
        on_computed("flip_chain", lambda b, x: b.node("Mul", b.node("Sigmoid", x), b.weights(
            10, 1, 1)), [1]),
        on_computed("flip_first_of_two", lambda b, x: b.node("Sub", x, b.weights(10, 7, 9))),
        on_computed("flip_second_of_two", lambda b, x: b.node("Div", b.weights(1, 10, 7, 9), x)),
        on_computed("flip_average_with", lambda b, x: b.node("Add", x, _flip(b, x, 3))),
        on_computed("flip_twice", lambda b, x: _flip(b, x, 3)),
        on_computed("flip_then_slice", lambda b, x: _slice(b, x, [1], [6], [3], [2])),
        on_computed("flip_then_one", lambda b, x: _slice(b, x, [1], [2], [3])),
        on_computed("flip_then_one_conv", lambda b, x: b.conv(
            _slice(b, x, [1], [2], [3]), 4, 10, kernel=(1, 1))),
        on_computed("flip_transposed", lambda b, x: b.node("Transpose", x, perm=[0, 3, 1, 2])),
        on_computed("flip_reshaped", lambda b, x: b.node(
            "Reshape", x, b.constant([1, 5, 2, 63], np.int64))),
        on_computed("flip_flattened_dense", lambda b, x: b.node(
            "Gemm", b.node("Flatten", x), b.weights(630, 5)), [1, 2]),
        on_computed("flip_split", lambda b, x: b.node("Split", x, b.constant([3, 7], np.int64),
                                                      axis=1, outputs=2), [1]),
        on_computed("flip_pad", lambda b, x: b.node("Pad", x, b.constant(
            [0, 0, 1, 2, 0, 0, 0, 1], np.int64)), [1, 2]),
        on_computed("flip_pad_reflect", lambda b, x: b.node(
            "Pad", x, b.constant([0, 0, 1, 2, 0, 0, 0, 1], np.int64), mode="reflect"), [2]),
        on_computed("flip_depth_to_space", lambda b, x: b.node(
            "DepthToSpace", b.conv(x, 12, 10, kernel=(1, 1)), blocksize=2), [1]),
        on_computed("flip_resize", lambda b, x: b.node(
            "Resize", x, "", b.constant([1.0, 1.0, 2.0, 2.0]))),
        on_computed("flip_residual", lambda b, x: b.node(
            "Add", b.conv(x, 10, 10, **both), x), [2]),
        on_computed("flip_gate", lambda b, x: b.node("Mul", b.conv(x, 10, 10, **both), b.node(
            "Sigmoid", b.node("GlobalAveragePool", x))), [1]),
        on_computed("flip_of_a_gate", lambda b, x: b.node("Mul", x, _flip(b, b.node(
            "GlobalAveragePool", x), 1)), [1]),
        on_computed("flip_concat", lambda b, x: b.node("Concat", x, _flip(b, x, 1), x, axis=1)),
        on_computed("flip_concat_conv", lambda b, x: b.conv(b.node(
            "Concat", _flip(b, x, 1), x, axis=1), 6, 20, **both), [1]),
        on_computed("flip_two_outputs", lambda b, x: [x, b.node("Relu", x)]),
        Case("focus", [(1, 3, 8, 10)], lambda b, x: b.conv(b.node("Concat", *[_slice(
            b, x, [row, column], [INT64_MIN, INT64_MAX], [2, 3], [-2, 2])
            for row in (-1, -2) for column in (0, 1)], axis=1), 8, 12, **both)),
    ]


def repeats():
    """Expand and Tile of computed values: broadcast by the next operator, or needed as they are."""
    both = {"pads": [1, 1, 1, 1]}
    image, gate = (1, 10, 7, 9), (1, 10, 1, 1)

    def expand(b, x, *shape):
        return b.node("Expand", x, b.constant(list(shape), np.int64))

    def expand_as(b, x, like):
        return b.node("Expand", x, b.node("Shape", like))

    def tile(b, x, *counts):
        return b.node("Tile", x, b.constant(list(counts), np.int64))

    def on(name, shape, make, **keywords):
        return Case(name, [shape], make, **keywords)

    def squeeze_excite(b, x):
        x = b.conv(x, 10, 10, group=10, **both)
        y = b.node("Relu", b.conv(b.node("GlobalAveragePool", x), 4, 10, kernel=(1, 1)))
        y = b.node("HardSigmoid", b.conv(y, 10, 4, kernel=(1, 1)))
        return b.conv(b.node("Mul", x, expand_as(b, y, x)), 6, 10, kernel=(1, 1))

    def linear_gate(b, x):
        y = b.node("Reshape", b.node("GlobalAveragePool", x), b.constant([1, 10], np.int64))
        y = b.node("Sigmoid", b.node("Gemm", b.node("Relu", b.node("Gemm", y, b.weights(
            10, 4))), b.weights(4, 10)))
        y = b.node("Reshape", y, b.constant([1, 10, 1, 1], np.int64))
        return b.node("Mul", x, expand_as(b, y, x))

    def both_expand(b, x, y):
        small = b.node("Mul", expand(b, x, *image), expand(b, y, *image))
        return b.node("Add", b.node("Sigmoid", small), b.weights(*image))

    def upsampled(b, x):
        x = b.node("Reshape", x, b.constant([1, 5, 4, 1, 3, 1], np.int64))
        return b.node("Reshape", expand(b, x, 1, 5, 4, 2, 3, 2),
                      b.constant([1, 5, 8, 6], np.int64))

    return [
        on("expand_as_squeeze_excite", image, squeeze_excite),
        on("expand_as_linear_gate", image, linear_gate),
        on("expand_gate_first", image, lambda b, x: b.node(
            "Mul", expand_as(b, b.node("GlobalAveragePool", x), x), x)),
        on("expand_residual", image, lambda b, x: b.node("Add", b.conv(x, 10, 10, **both), expand(
            b, b.node("GlobalMaxPool", x), *image))),
        Case("expand_both", [gate, (1, 1, 7, 9)], lambda b, x, y: b.node(
            "Mul", expand(b, x, *image), expand(b, y, *image))),
        Case("expand_both_alike", [gate, gate], both_expand),
        Case("expand_to_more_than_needed", [gate, image], lambda b, x, y: b.node(
            "Sub", expand(b, x, 2, 10, 7, 9), y)),
        on("expand_sigmoid_output", gate, lambda b, x: b.node("Sigmoid", expand(b, x, *image))),
        Case("expand_read_twice", [gate, image], lambda b, x, y: [
            b.node("Mul", y, expanded := expand(b, x, *image)), b.node("Relu", expanded),
            expanded]),
        Case("expand_prelu", [gate, image], lambda b, x, y: b.node(
            "PRelu", expand(b, x, *image), b.weights(10, 1, 1))),
        Case("expand_prelu_wide", [gate], lambda b, x: b.node(
            "PRelu", expand(b, x, *image), b.weights(*image))),
        on("expand_output", gate, lambda b, x: expand(b, x, *image)),
        on("expand_rank", (10, 1), lambda b, x: expand(b, x, 2, 3, 10, 4)),
        on("expand_scalar", (1,), lambda b, x: expand(b, x, 3, 17)),
        on("expand_one_way", (1, 10, 7, 1), lambda b, x: expand(b, x, 1, 1, 1, 9)),
        on("expand_shorter_target", image, lambda b, x: expand(b, x, 9)),
        on("expand_conv", (1, 3, 1, 9), lambda b, x: b.conv(expand(b, x, 1, 3, 7, 9), 8, 3, **both)),
        on("expand_channels_conv", (1, 1, 7, 9), lambda b, x: b.conv(
            expand(b, x, 1, 3, 7, 9), 8, 3, **both)),
        on("expand_batch_conv", (1, 3, 7, 9), lambda b, x: b.conv(
            expand(b, x, 4, 3, 7, 9), 8, 3, kernel=(1, 1))),
        on("expand_depthwise", gate, lambda b, x: b.conv(
            expand(b, x, *image), 10, 10, group=10, **both)),
        on("expand_pool", gate, lambda b, x: b.node(
            "AveragePool", expand(b, x, *image), kernel_shape=[3, 3])),
        on("expand_reduce", gate, lambda b, x: b.node(
            "ReduceMean", expand(b, x, *image), axes=[1, 2], keepdims=0)),
        on("expand_softmax", (1, 10, 7, 1), lambda b, x: b.node(
            "Softmax", expand(b, x, *image), axis=1)),
        on("expand_resize", gate, lambda b, x: b.node("Resize", expand(b, x, *image), "", b.constant(
            [1.0, 1.0, 2.0, 2.0]))),
        on("expand_matmul", (1, 10), lambda b, x: b.node("MatMul", expand(b, x, 5, 10), b.weights(
            10, 6))),
        on("expand_concat", gate, lambda b, x: b.node("Concat", x, expand(b, x, 1, 10, 1, 6),
                                                      axis=3)),
        on("expand_concat_channels", image, lambda b, x: b.node("Concat", x, expand_as(
            b, b.node("GlobalAveragePool", x), x), axis=1)),
        on("expand_transpose_reshape", (1, 5, 1, 3), lambda b, x: b.node("Reshape", b.node(
            "Transpose", expand(b, x, 2, 5, 4, 3), perm=[0, 2, 1, 3]), b.constant(
                [8, 15], np.int64))),
        on("expand_flip", (1, 10, 7, 1), lambda b, x: _flip(b, expand(b, x, *image), 1, 3)),
        on("expand_pad", gate, lambda b, x: b.node("Pad", expand(b, x, *image), b.constant(
            [0, 0, 1, 1, 0, 0, 1, 1], np.int64), mode="edge")),
        on("expand_upsampling", (1, 5, 4, 3), upsampled),
        on("expand_nothing", image, lambda b, x: b.node("Relu", expand(b, x, 1, 1, 7, 1))),
        on("tile_channels", image, lambda b, x: tile(b, x, 1, 3, 1, 1)),
        on("tile_rows", image, lambda b, x: tile(b, x, 1, 1, 2, 1)),
        on("tile_columns", image, lambda b, x: tile(b, x, 1, 1, 1, 4)),
        on("tile_batch", (2, 3, 4, 5), lambda b, x: tile(b, x, 3, 1, 1, 1)),
        on("tile_image", image, lambda b, x: tile(b, x, 1, 1, 2, 3)),
        on("tile_everything", (2, 3, 4, 5), lambda b, x: tile(b, x, 2, 3, 2, 3)),
        on("tile_as_expand", gate, lambda b, x: tile(b, x, 1, 1, 7, 9)),
        on("tile_gate", image, lambda b, x: b.node("Mul", x, tile(
            b, b.node("GlobalAveragePool", x), 1, 1, 7, 9))),
        on("tile_vector", (37,), lambda b, x: tile(b, x, 3)),
        on("tile_five_axes", (2, 3, 1, 4, 2), lambda b, x: tile(b, x, 2, 1, 3, 2, 2)),
        on("tile_conv", (1, 3, 4, 5), lambda b, x: b.conv(tile(b, x, 1, 2, 2, 1), 8, 6, **both)),
        on("tile_of_a_conv", image, lambda b, x: tile(b, b.conv(x, 5, 10), 1, 2, 1, 1)),
        on("tile_concat", image, lambda b, x: b.node("Concat", tile(b, x, 1, 2, 1, 1), x, axis=1)),
        on("tile_flip", image, lambda b, x: tile(b, _flip(b, x, 3), 1, 1, 1, 2)),
        on("tile_once", image, lambda b, x: b.node("Relu", tile(b, x, 1, 1, 1, 1))),
    ]


def gathers():
    """Gather of computed values by constant indices."""
    both = {"pads": [1, 1, 1, 1]}

    def gather(b, x, indices, axis=0, kind=np.int64):
        return b.node("Gather", x, b.constant(indices, kind), axis=axis)

    def on(name, indices, axis, shape=X, **keywords):
        return Case(name, [shape], lambda b, x: gather(b, x, indices, axis), **keywords)

    def of_conv(name, indices, axis, make=lambda b, x: x):
        return Case(name, [X], lambda b, x: make(b, gather(b, b.conv(x, 10, 13), indices, axis)))

    def shuffled_halves(b, x):
        """megvii's ShuffleNetV2: every second channel to one branch, the others to the other."""
        x = b.node("Reshape", x, b.constant([6, 2, 63], np.int64))
        x = b.node("Transpose", x, perm=[1, 0, 2])
        x = b.node("Reshape", x, b.constant([2, 1, 6, 7, 9], np.int64))
        left, right = gather(b, x, 0), gather(b, x, 1)
        return b.node("Concat", left, b.conv(right, 6, 6, kernel=(1, 1)), axis=1)

    def anchors(b, x):
        """x[..., i] of five axes, as detection heads split boxes."""
        x = b.node("Transpose", b.node("Reshape", x, b.constant([1, 2, 6, 4, 5], np.int64)),
                   perm=[0, 1, 3, 4, 2])
        middle = b.node("Sigmoid", gather(b, x, [0, 1], 4))
        return b.node("Concat", middle, b.node("Exp", gather(b, x, [2, 3], 4)), gather(
            b, x, [-1], 4), axis=4)

    return [
        on("gather_scalar", 3, 1), on("gather_last", -1, 1), on("gather_first", 0, 0),
        on("gather_of_batch", 1, 0, (3, 5, 4, 6)), on("gather_row", 2, 2),
        on("gather_column", -2, -1), on("gather_one", [4], 1),
        on("gather_reversed", [2, 1, 0], 1, (1, 3, 8, 9)),
        on("gather_ascending", [1, 2, 3, 4], 1), on("gather_every_third", [0, 3, 6, 9], 1),
        on("gather_negative", [-1, -3, -2], 1), on("gather_arbitrary", [5, 0, 12, 7, 8, 9, 2], 1),
        on("gather_repeated", [2, 2, 2, 2], 1), on("gather_twice", [0, 1, 0, 1], 3),
        on("gather_rows", [8, 0, 4], 2), on("gather_columns", [0, 10, 1, 9, 2], 3),
        on("gather_batch", [2, 0, 0], 0, (3, 5, 4, 6)),
        on("gather_matrix_of_indices", [[0, 2], [1, 12]], 1),
        on("gather_matrix_in_a_row", [[0, 1, 2], [3, 4, 5]], 1),
        on("gather_cube_of_indices", [[[0], [2]]], 3),
        on("gather_of_a_vector", [3, 1, 36], 0, (37,)), on("gather_number", 5, 0, (37,)),
        on("gather_of_a_matrix", [0, 0, 4, 1], 0, (5, 9)),
        on("gather_signal", [1, -1], 2, (2, 5, 9)),
        Case("gather_int32", [X], lambda b, x: gather(b, x, [3, 1], 1, np.int32)),
        on("gather_opset_7", [3, 1], 1, opset=7), on("gather_opset_11", [-1, 1], 1, opset=11),
        of_conv("gather_conv_scalar", 2, 1), of_conv("gather_conv_permuted", [3, 1, 2, 0, 9], 1),
        of_conv("gather_conv_rows", [3, 1, 6], 2),
        of_conv("gather_swapped_conv", [2, 1, 0, 9, 8], 1,
                lambda b, x: b.conv(x, 6, 5, **both)),
        of_conv("gather_depthwise", [9, 2, 4, 5], 1,
                lambda b, x: b.conv(x, 4, 4, group=4, **both)),
        of_conv("gather_repeated_conv", [3, 3, 3], 1, lambda b, x: b.conv(x, 6, 3, **both)),
        of_conv("gather_relu", [9, 2, 4, 5], 1, lambda b, x: b.node("Relu", x)),
        of_conv("gather_mul", 4, 1, lambda b, x: b.node("Mul", x, b.weights(7, 9))),
        of_conv("gather_softmax", [9, 2, 4, 5], 1, lambda b, x: b.node("Softmax", x, axis=1)),
        of_conv("gather_then_gather", [9, 2, 4, 5], 1, lambda b, x: gather(b, x, [3, 0], 1)),
        of_conv("gather_concat", [9, 2, 4, 5], 1, lambda b, x: b.node(
            "Concat", x, b.node("Relu", x), gather(b, x, [3, 0], 1), axis=1)),
        of_conv("gather_two_outputs", [9, 2], 1, lambda b, x: [x, b.node("Relu", x)]),
        Case("gather_shuffle_net", [(1, 12, 7, 9)], shuffled_halves),
        Case("gather_anchors", [(1, 12, 4, 5)], anchors),
    ]


def declared_outputs():
    """What a node declares decides what it computes, whether or not anything reads it."""
    def split(name, wanted, count, shape=(1, 12, 5, 6), axis=1, opset=11, **attributes):
        def make(b, x):
            parts = b.node("Split", x, axis=axis, outputs=count, **attributes)
            return [parts[i] for i in wanted]
        return Case(name, [shape], make, opset=opset)

    def first_of(name, operator, outputs, shape=X, opset=17, parameters=lambda b: [],
                 **attributes):
        return Case(name, [shape], lambda b, x: b.node("Relu", b.node(
            operator, x, *parameters(b), outputs=outputs, **attributes)[0]), opset=opset)

    def statistics(*shape):
        return lambda b: [b.positive(*shape), b.weights(*shape), b.weights(*shape),
                          b.positive(*shape)]

    def spatial(name, shape, make=lambda b, x: x, opset=7):
        return Case(name, [shape], lambda b, x: make(b, b.node("BatchNormalization", x, *statistics(
            *shape[1:])(b), spatial=0)), opset=opset)

    return [
        split("split_last_unread", [0, 1], 3), split("split_first_alone", [0], 3),
        split("split_second_alone", [1], 4), split("split_last_alone", [3], 4),
        split("split_first_of_rows", [0], 5, axis=2),
        split("split_first_opset_7", [0], 2, opset=7),
        split("split_first_opset_13", [0], 3, opset=13),
        split("split_first_num_outputs", [0, 1], 4, opset=18, num_outputs=4),
        split("split_smaller_last", [1], 3, (1, 11, 5, 6), opset=18, num_outputs=3),
        first_of("max_pool_unread_indices", "MaxPool", 2, kernel_shape=[2, 2]),
        first_of("dropout_unread_mask", "Dropout", 2),
        first_of("dropout_unread_mask_opset_7", "Dropout", 2, opset=7),
        spatial("spatial_0_matrix", (3, 5)), spatial("spatial_0_matrix_opset_8", (3, 5), opset=8),
        spatial("spatial_0_pixel", (2, 5, 1, 1)), spatial("spatial_0_image", (2, 5, 4, 3)),
        spatial("spatial_0_signal", (2, 5, 9)),
        spatial("spatial_0_relu", (1, 5, 4, 3), lambda b, x: b.node("Relu", x)),
        Case("spatial_0_after_gemm", [(3, 7)], lambda b, x: b.node("BatchNormalization", b.node(
            "Gemm", x, b.weights(7, 5), b.weights(5)), *statistics(5)(b), spatial=0), opset=7),
        Case("spatial_0_after_conv", [X], lambda b, x: b.node("BatchNormalization", b.conv(
            x, 5, 13), *statistics(5, 7, 9)(b), spatial=0), opset=7),
    ]


def rewrites():
    """Operators that become others: Clip by computed bounds, Mean, Pow, Reciprocal."""
    def power(name, exponent, low=-2.0, high=2.0, shape=X, opset=17):
        return Case(name, [shape], lambda b, x: b.node("Pow", x, b.constant(exponent)), low=low,
                    high=high, opset=opset)

    def bound(b, x, operator="ReduceMean"):
        """A scalar that is computed."""
        return b.node("Mul", b.node(operator, x, keepdims=0), b.constant(0.5))

    def reduced(name, make):
        return Case(name, [X], make)

    def mean(name, *shapes, make=lambda b, x: x, opset=17):
        return Case(name, shapes, lambda b, *inputs: make(b, b.node("Mean", *inputs)), opset=opset)

    return [
        power("pow_3", 3.0), power("pow_4", 4.0), power("pow_5", 5.0), power("pow_6", 6.0),
        power("pow_7", 7.0), power("pow_8", 8.0), power("pow_0", 0.0),
        power("pow_minus_1", -1.0, 0.3), power("pow_minus_2", -2.0, 0.3),
        power("pow_minus_3_of_negatives", -3.0, -2.0, -0.3), power("pow_minus_8", -8.0, 0.5),
        power("pow_minus_half", -0.5, 0.1), power("pow_1_and_a_half", 1.5, 0.0),
        power("pow_minus_2_and_a_half", -2.5, 0.3), power("pow_7_and_a_half", 7.5, 0.0),
        power("pow_3_opset_7", 3.0, opset=7), power("pow_3_of_a_vector", 3.0, shape=(37,)),
        power("pow_list_of_one", [3.0]), power("pow_list_of_equals", [[[3.0]]] * 13),
        Case("pow_int64", [X], lambda b, x: b.node("Pow", x, b.constant(3, np.int64))),
        Case("pow_int32_minus_2", [X], lambda b, x: b.node("Pow", x, b.constant(-2, np.int32)),
             low=0.3),
        Case("pow_after_conv", [X], lambda b, x: b.node("Relu", b.node("Pow", b.conv(
            x, 5, 13), b.constant(3.0)))),
        Case("pow_rms_norm", [(2, 5, 16)], lambda b, x: b.node("Mul", x, b.node("Pow", b.node(
            "Add", b.node("ReduceMean", b.node("Pow", x, b.constant(2.0)), axes=[-1]),
            b.constant(1e-5)), b.constant(-0.5)))),
        Case("gelu_of_tanh_written_out", [X], lambda b, x: b.node("Mul", b.node(
            "Mul", x, b.constant(0.5)), b.node("Add", b.node("Tanh", b.node("Mul", b.node(
                "Add", x, b.node("Mul", b.node("Pow", x, b.constant(3.0)), b.constant(0.044715))),
                b.constant(0.7978846))), b.constant(1.0)))),
        Case("reciprocal", [X], lambda b, x: b.node("Reciprocal", x), low=0.2),
        Case("reciprocal_of_negatives", [X], lambda b, x: b.node("Reciprocal", x), high=-0.2),
        Case("reciprocal_opset_7", [X], lambda b, x: b.node("Reciprocal", x), low=0.2, opset=7),
        Case("reciprocal_square_root", [X], lambda b, x: b.node(
            "Reciprocal", b.node("Sqrt", x)), low=0.2),
        Case("reciprocal_after_conv", [X], lambda b, x: b.node("Reciprocal", b.node("Add", b.node(
            "Relu", b.conv(x, 5, 13)), b.constant(1.0)))),
        Case("reciprocal_of_a_gate", [X], lambda b, x: b.node("Mul", x, b.node(
            "Reciprocal", b.node("GlobalAveragePool", x))), low=0.2),
        Case("reciprocal_vector", [(1, 50)], lambda b, x: b.node("Reciprocal", x), low=0.2),
        mean("mean_2", X, X), mean("mean_3", X, X, X), mean("mean_1", X),
        mean("mean_broadcast", X, (13, 1, 1), (1, 1, 9, 1)), mean("mean_widens", (13, 1, 1), X),
        mean("mean_20", *[(1, 4, 3, 5)] * 20), mean("mean_opset_8", X, X, opset=8),
        mean("mean_relu", X, X, make=lambda b, x: b.node("Relu", x)),
        Case("mean_with_a_constant", [X, X], lambda b, x, y: b.node(
            "Mean", b.weights(13, 1, 1), x, y)),
        Case("mean_of_itself", [X], lambda b, x: b.node("Mean", x, x, x)),
        Case("mean_of_convs", [X], lambda b, x: b.node("Mean", b.conv(x, 5, 13), b.conv(x, 5, 13))),
        reduced("clip_computed_both", lambda b, x: b.node(
            "Clip", x, bound(b, x), bound(b, x, "ReduceMax"))),
        reduced("clip_computed_min", lambda b, x: b.node("Clip", x, bound(b, x))),
        reduced("clip_computed_max", lambda b, x: b.node("Clip", x, "", bound(b, x))),
        reduced("clip_computed_min_constant_max", lambda b, x: b.node(
            "Clip", x, bound(b, x), b.constant(0.75))),
        reduced("clip_constant_min_computed_max", lambda b, x: b.node(
            "Clip", x, b.constant(-0.75), bound(b, x, "ReduceMax"))),
        reduced("clip_crossed", lambda b, x: b.node(
            "Clip", x, bound(b, x, "ReduceMax"), bound(b, x))),
        Case("clip_by_inputs", [X, (), ()], lambda b, x, low, high: b.node("Clip", x, low, high),
             low=-1.0, high=1.0),
        Case("clip_opset_11", [X, ()], lambda b, x, low: b.node("Clip", x, low), opset=11),
        reduced("clip_after_conv", lambda b, x: b.node("Clip", b.conv(x, 5, 13), b.constant(0.0),
                                                       bound(b, x, "ReduceMax"))),
    ]


def empties():
    """Parts without elements, which are joined or not read."""
    def nothing(b, x, axis=1):
        return _slice(b, x, [0], [0], [axis])

    def joined(name, make, opset=17):
        return Case(name, [X], make, opset=opset)

    return [
        joined("empty_slice_first", lambda b, x: b.node("Concat", nothing(b, x), x, axis=1)),
        joined("empty_slice_last", lambda b, x: b.node("Concat", x, nothing(b, x), axis=1)),
        joined("empty_slice_between", lambda b, x: b.node(
            "Concat", x, nothing(b, x), b.node("Relu", x), axis=1)),
        joined("empty_slice_of_rows", lambda b, x: b.node("Concat", nothing(b, x, 2), x, axis=2)),
        joined("empty_slice_back", lambda b, x: b.node(
            "Concat", x, _slice(b, x, [0], [5], [1], [-1]), axis=1)),
        joined("empty_slice_relu", lambda b, x: b.node("Concat", x, b.node("Relu", nothing(
            b, x)), axis=1)),
        joined("empty_slice_unread", lambda b, x: (nothing(b, x), b.node("Relu", x))[1]),
        joined("empty_split_joined", lambda b, x: b.node("Concat", *b.node("Split", x, b.constant(
            [5, 0, 8], np.int64), axis=1, outputs=3), axis=1)),
        joined("empty_split_unread", lambda b, x: b.node("Split", x, b.constant(
            [0, 5, 0, 8], np.int64), axis=1, outputs=4)[1]),
        joined("empty_split_last", lambda b, x: b.node("Split", x, axis=2, num_outputs=4,
                                                       outputs=4)[1], opset=18),
        joined("empty_split_opset_11", lambda b, x: b.node("Concat", *b.node(
            "Split", x, split=[13, 0], axis=1, outputs=2)[::-1], axis=1), opset=11),
        joined("empty_constant", lambda b, x: b.node("Concat", x, b.constant(
            np.zeros((1, 0, 9, 11), np.float32)), axis=1)),
        joined("empty_constant_conv", lambda b, x: b.conv(b.node("Concat", b.constant(
            np.zeros((1, 0, 9, 11), np.float32)), x, axis=1), 5, 13)),
        joined("empty_gather", lambda b, x: b.node("Concat", x, b.node("Gather", x, b.constant(
            np.zeros((0,)), np.int64), axis=1), axis=1)),
    ]


def branches():
    """If with a condition that is known at the given shapes."""
    def graph(builder, make, *inputs):
        """A branch: what `make(builder, *inputs)` adds, with its constants inside."""
        inner = type(builder)(builder.prefix)
        inner._count = builder._count = builder._count + 100  # Names of its own.
        made = make(inner, *inputs)
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                   for name in (made if isinstance(made, list) else [made])]
        builder._count = inner._count
        return helper.make_graph(inner.nodes, "branch", [], outputs, inner.constants)

    def choose(b, condition, then, other, *inputs, outputs=1):
        return b.node("If", condition, then_branch=graph(b, then, *inputs),
                      else_branch=graph(b, other, *inputs), outputs=outputs)

    def truth(b, value):
        return b.constant(np.array(value))

    def extent_is(b, x, axis, extent):
        return b.node("Equal", b.node("Gather", b.node("Shape", x), b.constant(axis, np.int64)),
                      b.constant(extent, np.int64))

    def relu(b, x):
        return b.node("Relu", x)

    def conv(b, x):
        return b.conv(x, 5, 13)

    def squeezed(b, x, axis):
        """As PyTorch exports squeeze(axis) of a dynamic shape; both branches suit a static one too."""
        return choose(b, extent_is(b, x, axis, 1), lambda b, x: b.node(
            "Squeeze", _slice(b, x, [0], [1], [axis]), b.constant([axis], np.int64)),
                      lambda b, x: b.node("Identity", x), x)

    def nested(b, x):
        def outer(b, x):
            y = b.node("Relu", x)
            return choose(b, extent_is(b, x, 1, 13), lambda b, y: b.node("Neg", y),
                          lambda b, y: b.node("Exp", y), y)
        return choose(b, truth(b, True), outer, relu, x)

    def computed_condition_inside(b, x):
        return choose(b, truth(b, False), relu, lambda b, x: b.node(
            "Add", choose(b, b.node("Not", truth(b, True)), relu, conv, x), b.weights(5, 1, 1)), x)

    def captured(b, x):
        weights, y = b.weights(13, 1, 1), b.node("Sigmoid", x)
        return b.node("Mul", x, choose(b, truth(b, True), lambda b, y: b.node("Mul", y, weights),
                                       relu, y))

    def twice(b, x):
        condition = truth(b, True)
        return b.node("Add", choose(b, condition, conv, relu, x),
                      choose(b, condition, conv, relu, x))

    def read_by_the_other(b, x):
        y = b.conv(x, 13, 13, kernel=(1, 1))
        return choose(b, truth(b, True), lambda b, x, y: relu(b, x), lambda b, x, y: relu(b, y),
                      x, y)

    def on(name, make, shape=X, opset=17):
        return Case(name, [shape], make, opset=opset)

    both = (lambda b, x: [relu(b, x), b.node("Neg", x)], lambda b, x: [b.node("Exp", x), b.node("Identity", x)])
    return [
        on("if_true", lambda b, x: choose(b, truth(b, True), relu, conv, x)),
        on("if_false", lambda b, x: choose(b, truth(b, False), relu, conv, x)),
        on("if_list_of_one", lambda b, x: choose(b, truth(b, [True]), conv, relu, x)),
        on("if_opset_9", lambda b, x: choose(b, truth(b, False), relu, lambda b, x: b.node("Neg", x),
                                             x), opset=9),
        on("if_extent", lambda b, x: choose(b, extent_is(b, x, 2, 9), relu, conv, x)),
        on("if_squeeze", lambda b, x: relu(b, squeezed(b, x, 3)), shape=(1, 13, 9, 1)),
        on("if_no_squeeze", lambda b, x: relu(b, squeezed(b, x, 3))),
        on("if_two_outputs", lambda b, x: b.node("Sub", *choose(
            b, truth(b, True), *both, x, outputs=2))),
        on("if_second_output", lambda b, x: choose(b, truth(b, True), *both, x, outputs=2)[1]),
        on("if_all_outputs", lambda b, x: choose(b, truth(b, True), *both, x, outputs=2)),
        on("if_constant_branch", lambda b, x: b.node("Mul", x, choose(
            b, truth(b, True), lambda b: b.weights(13, 1, 1), lambda b: b.weights(1)))),
        on("if_nested", nested),
        on("if_nested_false", computed_condition_inside),
        on("if_captured", captured),
        on("if_twice", twice),
        on("if_read_by_the_other", read_by_the_other),
        on("if_then_conv", lambda b, x: conv(b, choose(b, truth(b, True), relu, conv, x))),
    ]


GROUPS = {"branches": branches, "empties": empties, "rewrites": rewrites, "declared_outputs": declared_outputs, "flips": flips, "repeats": repeats, "gathers": gathers}
