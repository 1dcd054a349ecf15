"""Operators on constants alone, as weights are prepared and positions computed, in every type."""

import numpy as np
from onnx import TensorProto

from case_builder import Case

FLOAT, DOUBLE, HALF = np.float32, np.float64, np.float16
TO_FLOAT, TO_DOUBLE, TO_INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64
SMALL = (1, 1, 1)


def _added(name, make, shape=SMALL, **keywords):
    """The input plus make(b), cast to float."""
    return Case(name, [shape],
                # The Identity keeps ONNX Runtime from dropping the rounding to half.
                lambda b, x: b.node("Add", x, b.node("Cast", b.node("Identity", make(b)), to=TO_FLOAT)),
                **keywords)


def _values(*shape, kind=FLOAT, low=-3.0, high=3.0):
    count = int(np.prod(shape))
    return np.linspace(low, high, count).reshape(shape).astype(kind)


def _unary(operator, kind=FLOAT, low=-3.0, high=3.0, opset=20, **attributes):
    name = f"{operator}_{np.dtype(kind).name}" + "".join(f"_{key}" for key in attributes)
    return _added(name.lower(), lambda b: b.node(
        operator, b.constant(_values(2, 3, 5, kind=kind, low=low, high=high), kind), **attributes),
                  opset=opset)


def folded():
    """What is supported on data, on constants."""
    def of(operator, *shapes, opset=17, low=-3.0, **attributes):
        """The operator of constants of these shapes."""
        name = "_".join([operator, *("x".join(map(str, shape)) for shape in shapes),
                         *(f"{key}{value}".replace(".", "_").replace("-", "m")
                           .replace("[", "").replace("]", "").replace(", ", "_")
                           for key, value in attributes.items()), str(opset)]).lower()
        return _added(name, lambda b: b.node(
            operator, *(b.constant(_values(*shape, low=low)) for shape in shapes), **attributes),
                      opset=opset)

    def clip(name, kind, low, high, opset=17):
        return _added(name, lambda b: b.node(
            "Clip", b.constant(_values(2, 5, 1, kind=kind, low=-100, high=100), kind),
            *("" if bound is None else b.constant(bound, kind) for bound in (low, high))),
                      opset=opset)

    def normalised(name, opset, shape=(1, 4, 6), outputs=1, **attributes):
        def make(b):
            y = b.node("BatchNormalization", b.constant(_values(*shape)), b.positive(shape[1]),
                       b.weights(shape[1]), b.weights(shape[1]), b.positive(shape[1]),
                       outputs=outputs, **attributes)
            return y if outputs == 1 else y[0]
        return _added(name, make, opset=opset)

    def padded(name, pads, mode="constant", value=None, kind=FLOAT):
        return _added(name, lambda b: b.node(
            "Pad", b.constant(_values(1, 2, 3, 4, kind=kind), kind), b.constant(pads, np.int64),
            "" if value is None else b.constant(value, kind), mode=mode))

    activations = [_unary(operator, kind) for operator in
                   ("Relu", "Sigmoid", "Tanh", "Erf", "Exp", "Abs", "Neg", "Floor", "Ceil", "Round",
                    "LeakyRelu", "HardSigmoid", "HardSwish", "Gelu", "Sign", "Sin", "Cos")
                   for kind in (FLOAT, HALF)]
    return activations + [
        _unary("Sqrt", low=0), _unary("Log", low=0.5), _unary("Reciprocal", low=0.5),
        _unary("LeakyRelu", alpha=0.3), _unary("HardSigmoid", alpha=0.1, beta=0.6),
        _unary("Gelu", approximate="tanh"),
        of("PRelu", (2, 3), (3,)), of("Pow", (2, 3), (3,), low=0.5),
        of("Min", (2, 3), (3,), (1, 1)), of("Max", (2, 3), (3,)), of("Sum", (2, 3), (3,), (2, 1)),
        of("Softmax", (2, 3, 4)), of("Softmax", (2, 3, 4), axis=1),
        of("Softmax", (2, 3, 4), axis=1, opset=11), of("Softmax", (2, 3, 4), axis=0, opset=12),
        of("MatMul", (2, 3), (3, 4)), of("MatMul", (3,), (3, 4)), of("MatMul", (2, 3), (3,)),
        of("MatMul", (3,), (3,)), of("MatMul", (2, 1, 2, 3), (2, 3, 2)), of("MatMul", (2, 3, 4), (4, 2)),
        of("Gemm", (2, 3), (3, 4)), of("Gemm", (2, 3), (3, 4), (2, 1), alpha=0.5, beta=2.0),
        of("Gemm", (3, 2), (4, 3), (4,), transA=1, transB=1),
        of("GlobalAveragePool", (1, 2, 3, 4)), of("GlobalMaxPool", (1, 2, 3, 4)),
        clip("clip_float", FLOAT, -20, 30), clip("clip_double", DOUBLE, -20, None),
        clip("clip_half", HALF, None, 30), clip("clip_int32", np.int32, -20, 30),
        clip("clip_int64", np.int64, None, 30), clip("clip_int8", np.int8, -5, 7),
        clip("clip_uint8", np.uint8, 60, 70), clip("clip_crossed", FLOAT, 30, -20),
        of("Clip", (2, 3), min=-1.0, max=2.0, opset=10),
        normalised("norm", 15), normalised("norm_epsilon", 9, epsilon=0.5),
        normalised("norm_training", 15, training_mode=1, outputs=3),
        normalised("norm_training_14", 14, training_mode=1, outputs=3, epsilon=0.1),
        normalised("norm_training_2d", 15, (5, 3), training_mode=1, outputs=3),
        normalised("norm_training_4d", 15, (2, 3, 4, 5), training_mode=1, outputs=3),
        _added("norm_running_mean", lambda b: b.node(
            "BatchNormalization", b.constant(_values(2, 3, 4)), b.positive(3), b.weights(3),
            b.weights(3), b.positive(3), outputs=3, training_mode=1, momentum=0.7)[1]),
        padded("pad", [0, 1, 2, 0, 0, 0, 1, 3]), padded("pad_value", [0, 0, 1, 1, 0, 0, 1, 1], value=2.5),
        padded("pad_crops", [0, 0, -1, 2, 0, 0, 1, -3]),
        padded("pad_int64", [0, 0, 1, 1, 0, 0, 1, 1], value=-7, kind=np.int64),
        padded("pad_edge", [0, 0, 1, 1, 0, 0, 2, 1], "edge"),
        padded("pad_reflect", [0, 0, 1, 1, 0, 0, 2, 1], "reflect"),
    ]


def reductions():
    """Of constants, in every type that ONNX allows."""
    names = ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp")
    cases = []
    for name in names:
        for kind in (FLOAT, DOUBLE, HALF):
            for axes, keep in (([1], 1), ([-1], 0), ([0, 2], 1)):
                cases.append(_added(
                    f"reduce_{name}_{np.dtype(kind).name}_{'_'.join(map(str, axes))}".lower().replace(
                        "-", "m"),
                    lambda b, name=name, kind=kind, axes=axes, keep=keep: b.node(
                        f"Reduce{name}", b.constant(_values(2, 3, 4, kind=kind, low=0.5), kind),
                        b.constant(axes, np.int64), keepdims=keep), opset=18))
    for name in ("Sum", "Mean", "Max", "Min", "Prod", "L1", "SumSquare"):
        cases.append(_added(f"reduce_{name}_int32".lower(), lambda b, name=name: b.node(
            f"Reduce{name}", b.constant(_values(2, 3, 4, kind=np.int32, low=-9, high=9), np.int32),
            b.constant([1], np.int64)), opset=18))
    return cases


def ranges():
    """Float ranges as exporters write anchors, and in the other types."""
    given = [(FLOAT, 0, 1, 0.1), (FLOAT, 0, 0.3, 0.1), (FLOAT, 0.5, 8.4, 1), (FLOAT, 8, 0, -0.7),
             (FLOAT, 0, 0, 1), (FLOAT, 5, 0, 1), (DOUBLE, 0, 1, 0.1), (DOUBLE, 0, 0.3, 0.1),
             (DOUBLE, 1e9, 1e9 + 1, 0.1), (np.int32, 10, -10, -3), (np.int64, 3, 20, 4)]
    random = np.random.default_rng(7)
    for kind in (FLOAT, DOUBLE):
        for _ in range(40):
            start, limit = random.uniform(-20, 20, 2)
            step = random.choice([0.1, 0.25, 0.3, 1 / 3, 0.7, 1.1, 2.5]) * np.sign(limit - start)
            given.append((kind, round(start, 2), round(limit, 1), step))
    return [_added(f"range_{i}_{np.dtype(kind).name}", lambda b, kind=kind, numbers=numbers: b.node(
        "Concat", b.node("Range", *(b.constant(number, kind) for number in numbers)),
        b.constant([4], kind), axis=0), shape=(1,)) for i, (kind, *numbers) in enumerate(given)]


def types():
    """Each type keeps and computes its own values."""
    def binary(operator, kind, left, right, opset=18, **attributes):
        name = f"{operator}_{np.dtype(kind).name}_{len(attributes)}".lower()
        return _added(name, lambda b: b.node(operator, b.constant([left], kind), b.constant([right], kind),
                                             **attributes), shape=(1,), opset=opset)

    def rows(b):
        """Cast(Shape, double) * 0.29 > Floor: how many of 100 rows are taken."""
        size = b.node("Cast", b.node("Shape", b.constant(np.zeros(100, FLOAT))), to=TO_DOUBLE)
        return b.node("Floor", b.node("Mul", size, b.constant(0.29, DOUBLE)))

    numbers = {FLOAT: ([7.5, -7.5, 16777216, 0.1], [2.5, 2, 1, 3]),
               DOUBLE: ([7.5, -7.5, 16777217, 0.1], [2.5, 2, 16777215, 3]),
               HALF: ([7.5, -7.5, 2048, 0.1], [2.5, 2, 1, 3]),
               np.int8: ([7, -7, 100, -128], [3, 3, 100, -1]),
               np.uint8: ([7, 200, 100, 3], [3, 100, 255, 5]),
               np.int32: ([7, -7, 2**31 - 1, -5], [3, 3, 1, -2]),
               np.int64: ([7, -7, 2**53 + 1, -5], [3, 3, 2**53, -2])}
    cases = [binary(operator, kind, left, right)
             for kind, (left, right) in numbers.items()
             for operator in ("Add", "Sub", "Mul", "Div", "Min", "Max", "Equal", "Less", "Greater",
                              "LessOrEqual", "GreaterOrEqual")]
    cases += [binary("Mod", kind, *numbers[kind]) for kind in (np.int8, np.uint8, np.int32, np.int64)]
    cases += [binary("Mod", kind, *numbers[kind], fmod=1)
              for kind in (FLOAT, DOUBLE, HALF, np.int8, np.int32, np.int64)]
    cases += [binary("Pow", kind, [2, 3, 7, 1], [3, 2, 4, 5]) for kind in (FLOAT, DOUBLE, np.int32, np.int64)]
    cases += [binary(operator, bool, [1, 1, 0, 0], [1, 0, 1, 0])
              for operator in ("And", "Or", "Xor", "Equal")]
    cases += [
        _added("rows_of_100", rows, shape=(1,)),
        _added("sizes", lambda b: b.node("Cast", b.node(
            "Mul", b.node("Cast", b.constant([100, 50, 25], np.int64), to=TO_DOUBLE),
            b.constant([0.29, 0.58, 1.16], DOUBLE)), to=TO_INT64), shape=(1,)),
        Case("slice_of_rows", [(100, 3)], lambda b, x: b.node(
            "Slice", x, b.constant([0], np.int64), b.node("Cast", b.node("Floor", b.node(
                "Mul", b.node("Cast", b.node("Slice", b.node("Shape", x), b.constant([0], np.int64),
                                             b.constant([1], np.int64)), to=TO_DOUBLE),
                b.constant([0.29], DOUBLE))), to=TO_INT64))),
        _added("double_difference", lambda b: b.node(
            "Sub", b.constant([16777217.0], DOUBLE), b.constant([16777215.0], DOUBLE)), shape=(1,)),
    ]
    everything = [*numbers, bool]
    for kind in everything:
        name = np.dtype(kind).name
        values = np.array([[0, 1, 1], [1, 0, 1]], kind)
        ones = [1, 1]
        cases += [
            _added(f"moves_{name}", lambda b, kind=kind, values=values: b.node(
                "Concat",
                b.node("Transpose", b.node("Gather", b.constant(values, kind), b.constant([1, 0], np.int64)),
                       perm=[1, 0]),
                b.node("Reshape", b.node("Slice", b.constant(values, kind), b.constant([0], np.int64),
                                         b.constant([1], np.int64)), b.constant([3, 1], np.int64)),
                axis=1), shape=(1,)),
            _added(f"expand_{name}", lambda b, kind=kind, ones=ones: b.node(
                "Tile", b.node("Expand", b.constant(ones, kind), b.constant([3, 2], np.int64)),
                b.constant([1, 2], np.int64)), shape=(1,)),
        ]
        if kind in (FLOAT, DOUBLE, HALF, np.uint8, np.int32, np.int64):  # ONNX Runtime's.
            cases.append(_added(f"where_{name}", lambda b, kind=kind, values=values: b.node(
                "Where", b.constant([True, False, True], bool), b.constant(values, kind),
                b.constant(1, kind)), shape=(1,)))
    for source in everything:
        for target in everything:
            cases.append(_added(
                f"cast_{np.dtype(source).name}_{np.dtype(target).name}",
                lambda b, source=source, target=target: b.node(
                    "Cast", b.constant(np.array([0, 1, 1, 100], source), source),
                    to=TensorProto.DataType.Value({"bool": "BOOL", "float32": "FLOAT", "float64": "DOUBLE"}
                                                  .get(np.dtype(target).name,
                                                       np.dtype(target).name.upper()))), shape=(1,)))
    return cases


def weights():
    """Weights as exporters leave them to the engine."""
    def norm_weights(b, shape, axes, opset=17):
        direction, length = b.weights(*shape), b.positive(shape[0], *[1] * (len(shape) - 1))
        norm = (b.node("ReduceL2", direction, axes=axes, keepdims=1) if opset < 18 else
                b.node("ReduceL2", direction, b.constant(axes, np.int64), keepdims=1))
        return b.node("Mul", length, b.node("Div", direction, norm))

    def weight_norm(name, x, shape, axes, opset=17):
        return Case(name, [x], lambda b, x: b.node("Conv", x, norm_weights(b, shape, axes, opset)),
                    opset=opset)

    def standardised(opset):
        def make(b, x):
            flat = b.node("Reshape", b.weights(6, 4, 3, 3), b.constant([1, 6, -1], np.int64))
            # Of their own: ONNX Runtime updates the mean in place.
            ones, mean, bias = (b.constant(np.full(6, value, FLOAT)) for value in (1, 0, 0))
            training = {"training_mode": 1} if opset >= 14 else {}
            flat = b.node("BatchNormalization", flat, b.positive(6), bias, mean, ones, epsilon=1e-6,
                          outputs=3 if opset >= 14 else 5, **training)[0]
            return b.node("Conv", x, b.node("Reshape", flat, b.constant([6, 4, 3, 3], np.int64)))
        return Case(f"standardised_{opset}", [(1, 4, 6, 5)], make, opset=opset)

    def half(name, make):
        return Case(name, [(1, 4, 6, 5)], lambda b, x: make(
            b, x, lambda *shape: b.node("Cast", b.constant(b.random.standard_normal(shape), HALF),
                                        to=TO_FLOAT)))

    def quantised(name, kind, scales, zeros, axis=None, opset=13, make=None):
        low, high = (0, 256) if kind == np.uint8 else (-128, 128)

        def made(b, x):
            inputs = [b.constant(b.random.integers(low, high, (6, 4, 3, 3)), kind), b.constant(scales, FLOAT)]
            if zeros is not None:
                inputs.append(b.constant(zeros, kind))
            given = {} if axis is None else {"axis": axis}
            return b.node("Conv", x, b.node("DequantizeLinear", *inputs, **given))
        return Case(name, [(1, 4, 6, 5)], make or made, opset=opset)

    per_channel = [0.01, 0.02, 0.015, 0.03, 0.005, 0.01]
    return [
        weight_norm("weight_norm", (1, 4, 6, 5), (6, 4, 3, 3), [1, 2, 3]),
        weight_norm("weight_norm_1d", (1, 4, 9), (6, 4, 3), [1, 2]),
        weight_norm("weight_norm_11", (1, 4, 9), (6, 4, 3), [1, 2], 11),
        weight_norm("weight_norm_18", (1, 4, 9), (6, 4, 3), [1, 2], 18),
        Case("weight_norm_linear", [(3, 5)], lambda b, x: b.node(
            "Gemm", x, norm_weights(b, (4, 5), [1]), transB=1)),
        Case("weight_norm_whole", [(3, 5)], lambda b, x: b.node(
            "MatMul", x, b.node("Transpose", norm_weights(b, (4, 5), [0, 1]), perm=[1, 0]))),
        standardised(15), standardised(14), standardised(13), standardised(9),
        Case("product_of_weights", [(3, 5)], lambda b, x: b.node(
            "MatMul", x, b.node("MatMul", b.weights(5, 2), b.weights(2, 7)))),
        Case("padded_weights", [(1, 4, 6, 5)], lambda b, x: b.node("Conv", x, b.node(
            "Pad", b.weights(6, 4, 1, 1), b.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64)))),
        half("half_conv", lambda b, x, of: b.node("Conv", x, of(6, 4, 3, 3), of(6))),
        half("half_scale", lambda b, x, of: b.node("Mul", x, of(4, 1, 1))),
        half("half_norm", lambda b, x, of: b.node(
            "BatchNormalization", x, of(4), of(4), of(4), b.node("Abs", of(4)))),
        half("half_gemm", lambda b, x, of: b.node("MatMul", x, of(5, 3))),
        half("half_attention", lambda b, x, of: b.node("Add", x, b.node("Softmax", of(6, 5)))),
        quantised("int8_tensor", np.int8, 0.02, 3), quantised("int8_no_zero", np.int8, 0.02, None),
        quantised("uint8_tensor", np.uint8, 0.02, 128), quantised("opset_10", np.uint8, 0.02, 120, opset=10),
        quantised("int8_channels", np.int8, per_channel, [0, 1, -2, 3, 0, 5], axis=0),
        quantised("uint8_channels", np.uint8, per_channel, [100, 128, 140, 0, 255, 7], axis=0),
        quantised("axis_1", np.int8, per_channel[:4], [0, 1, -2, 3]),
        quantised("axis_m4", np.int8, per_channel, [0] * 6, axis=-4),
        quantised("one_scale", np.int8, [0.02], [3], opset=19),
        quantised("opset_21", np.int8, per_channel, [0] * 6, axis=0, opset=21),
        quantised("int32_bias", None, None, None, make=lambda b, x: b.node(
            "Conv", x, b.weights(6, 4, 3, 3), b.node(
                "DequantizeLinear", b.constant([100, -200, 7, 0, 5, 2**30], np.int32),
                b.constant(1e-9, FLOAT)))),
        # Constants whose operators have a kernel.
        Case("conv_of_constant", [(1, 6, 4, 3)], lambda b, x: b.node(
            "Add", x, b.conv(b.weights(1, 4, 6, 5), 6, 4))),
        Case("pool_of_constant", [(1, 4, 3, 2)], lambda b, x: b.node(
            "Mul", x, b.node("MaxPool", b.weights(1, 4, 6, 5), kernel_shape=[2, 2], strides=[2, 2]))),
        Case("average_of_constant", [(1, 4, 3, 2)], lambda b, x: b.node(
            "Mul", x, b.node("AveragePool", b.weights(1, 4, 6, 5), kernel_shape=[2, 2], strides=[2, 2]))),
        Case("transposed_of_constant", [(1, 3, 7, 6)], lambda b, x: b.node(
            "Add", x, b.node("ConvTranspose", b.weights(1, 4, 6, 5), b.weights(4, 3, 2, 2)))),
        Case("positions_resized", [(1, 4, 8, 8)], lambda b, x: b.node("Add", x, b.node(
            "Resize", b.weights(1, 4, 4, 4), "", b.constant([1.0, 1.0, 2.0, 2.0], FLOAT), mode="linear"))),
        Case("depth_of_constant", [(1, 1, 8, 8)], lambda b, x: b.node("Add", x, b.node(
            "DepthToSpace", b.weights(1, 4, 4, 4), blocksize=2))),
    ]


GROUPS = {"constants": lambda: [*folded(), *weights()], "constant_types": types,
          "constant_ranges": ranges, "constant_reductions": reductions}
