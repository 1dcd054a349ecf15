"""Operators that become views, copies or other operators: flips of computed values."""

import numpy as np

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


GROUPS = {"flips": flips}
