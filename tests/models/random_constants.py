"""Constants of random graphs: stored, or worked out from others by operators that sepconv folds."""

import numpy as np
from onnx import TensorProto, numpy_helper


def spread(g, shape, scale=1.0):
    return (scale * g.random.uniform(-1.5, 1.5, shape)).astype(np.float32)


def operand(g, shape):
    """Floats of any sign."""
    return computed(g, spread(g, shape)) if g.chance(0.15) else g.constant(spread(g, shape))


def factors(g, shape):
    """Floats from 0.5 to 2."""
    return g.constant(g.random.uniform(0.5, 2, shape).astype(np.float32))


def weights(g, *shape):
    """Of a convolution: results of about the size of the input."""
    value = spread(g, shape, 1.2 * max(1, int(np.prod(shape[1:]))) ** -0.5)
    return computed(g, value) if g.chance(0.15) else g.constant(value)


def matrix(g, *shape, depth):
    value = spread(g, shape, 1.2 * depth ** -0.5)
    return computed(g, value) if g.chance(0.15) else g.constant(value)


def computed(g, value):
    """A float constant of value's shape that has to be folded."""
    kinds = [cast, arithmetic, moved, activated, narrow, rounded]
    if g.opset >= 9:
        kinds += [chosen, filled]
    if g.opset >= 11:
        kinds += [compared, counted]
    if value.ndim > 1:
        kinds += [normalised, joined, reduced_rows]
        if g.opset >= 13:
            kinds.append(dequantised)
    return g.pick(kinds)(g, value)


def cast(g, value):
    """Through another type."""
    kind = g.whole(0, 2)
    if kind == 0:
        return g.node("Cast", g.constant(value.astype(np.float64)), to=TensorProto.FLOAT)
    if kind == 1:
        whole = g.constant(np.round(4 * value).astype(g.pick((np.int32, np.int64))))
        return g.node("Mul", g.node("Cast", whole, to=TensorProto.FLOAT), g.constant(0.25))
    return g.node("Cast", g.constant(value > 0), to=TensorProto.FLOAT)


def arithmetic(g, value):
    other = g.constant(spread(g, value.shape[-1:]))
    y = g.node(g.pick(("Add", "Sub", "Mul", "Min", "Max") if g.opset >= 8 else ("Add", "Mul")),
               g.constant(value), other)
    return g.node("Div", y, g.constant(2.0)) if g.chance(0.5) else y


def moved(g, value):
    if value.ndim < 2:
        return g.node("Identity", g.constant(value))
    perm = [int(axis) for axis in g.random.permutation(value.ndim)]
    back = [int(axis) for axis in np.argsort(perm)]
    turned = g.constant(np.ascontiguousarray(value.transpose(perm)))
    if g.chance(0.5):
        return g.node("Transpose", turned, perm=back)
    flat = g.node("Reshape", g.constant(value), int_constant(g, [-1]))
    return g.node("Reshape", flat, int_constant(g, list(value.shape)))


def rounded(g, value):
    """To quarters."""
    operator = g.pick(("Floor", "Ceil", "Round") if g.opset >= 11 else ("Floor", "Ceil"))
    whole = g.node(operator, g.constant(4 * value))
    return g.node("Div", whole, g.constant(4.0))


def compared(g, value):
    """Where two comparisons agree, or not."""
    operators = ["Less", "Greater", "Equal"]
    if g.opset >= 12:
        operators += ["LessOrEqual", "GreaterOrEqual"]
    x = g.constant(value)
    masks = [g.node(g.pick(operators), x, g.constant(spread(g, value.shape[-1:])))
             for _ in range(2)]
    mask = g.node(g.pick(("And", "Or")), *masks)
    mask = g.node("Not", mask) if g.chance(0.5) else mask
    return g.node("Where", mask, x, g.constant(0.5))


def filled(g, value):
    """One number everywhere, or a row in every place."""
    shape = list(value.shape)
    if g.chance(0.5):
        number = numpy_helper.from_array(np.array([0.75], np.float32))
        return g.node("ConstantOfShape", g.constant(shape, np.int64), value=number)
    row = g.constant(value.reshape(-1)[:shape[-1] if shape else 1].reshape(
        [1] * max(0, len(shape) - 1) + (shape[-1:] if shape else [])))
    if g.chance(0.5):
        return g.node("Expand", row, g.constant(shape, np.int64))
    return g.node("Tile", row, g.constant([*shape[:-1], *([1] if shape else [])], np.int64))


def counted(g, value):
    """From a Range."""
    if g.chance(0.5):
        numbers = g.node("Range", g.constant(0, np.int64), g.constant(value.size, np.int64),
                         g.constant(1, np.int64))
        if g.chance(0.5):
            numbers = g.node("Mod", numbers, g.constant(5, np.int64))
        numbers = g.node("Cast", numbers, to=TensorProto.FLOAT)
    else:
        numbers = g.node("Range", g.constant(-0.5), g.constant(value.size - 0.75), g.constant(1.0))
    numbers = g.node("Mul", numbers, g.constant(1.0 / max(1, value.size)))
    return g.node("Reshape", numbers, g.constant(list(value.shape), np.int64))


def reduced_rows(g, value):
    """Off from what its rows come to, in one of the ways to reduce them."""
    operator = g.pick(("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"))
    x, axes = g.constant(value), [int(g.pick(range(value.ndim)))]
    by_input = g.opset >= (13 if operator == "ReduceSum" else 18)
    row = (g.node(operator, x, int_constant(g, axes), keepdims=1) if by_input else
           g.node(operator, x, axes=axes, keepdims=1))
    return g.node("Sub", x, g.node("Tanh", row))


def chosen(g, value):
    condition = g.node("Greater", g.constant(value), g.constant(0.25))
    return g.node("Where", condition, g.constant(value), g.constant(-value))


def activated(g, value):
    x = g.constant(value)
    kinds = [("Sigmoid", {}), ("Tanh", {}), ("Relu", {}), ("Neg", {}), ("Exp", {}),
             ("LeakyRelu", {"alpha": 0.3}), ("HardSigmoid", {})]
    operator, attributes = g.pick(kinds)
    return g.node(operator, x, **attributes)


def narrow(g, value):
    """Stored as half precision."""
    return g.node("Cast", g.constant(value.astype(np.float16)), to=TensorProto.FLOAT)


def normalised(g, value):
    """weight_norm: g * v / ReduceL2(v)."""
    v = g.constant(value + np.float32(0.01))
    axes = list(range(1, value.ndim))
    if g.opset < 18:
        norm = g.node("ReduceL2", v, axes=axes, keepdims=1)
    else:
        norm = g.node("ReduceL2", v, int_constant(g, axes), keepdims=1)
    length = g.constant(g.random.uniform(0.5, 1.5, (value.shape[0], *[1] * len(axes)))
                        .astype(np.float32))
    if g.chance(0.5):
        return g.node("Mul", v, g.node("Div", length, norm))
    return g.node("Div", g.node("Mul", length, v), norm)


def joined(g, value):
    axis = g.whole(0, value.ndim - 1)
    if value.shape[axis] < 2:
        return g.node("Identity", g.constant(value))
    parts = np.array_split(value, 2, axis)
    return g.node("Concat", *(g.constant(part) for part in parts), axis=axis)


def dequantised(g, value):
    """8-bit weights with a scale for each row."""
    dtype = g.pick((np.int8, np.uint8))
    zero = 0 if dtype == np.int8 else 128
    scale = (np.abs(value).reshape(value.shape[0], -1).max(axis=1) / 127 + 1e-3)
    wide = value / scale.reshape(-1, *[1] * (value.ndim - 1))
    stored = g.constant((np.round(wide) + zero).astype(dtype))
    zeros = g.constant(np.full(value.shape[0], zero, dtype))
    return g.node("DequantizeLinear", stored, g.constant(scale.astype(np.float32)), zeros, axis=0)


def int_constant(g, numbers, dtype=np.int64):
    """A list of integers, stored or worked out."""
    array = np.array(numbers, dtype)
    if array.size == 0 or not g.chance(0.2):
        return g.constant(array)
    kind = g.whole(0, 3)
    if kind == 0:
        other = g.random.integers(-5, 6, array.shape).astype(dtype)
        return g.node("Add", g.constant(array - other), g.constant(other))
    if kind == 1 and array.size > 1:
        return g.node("Concat", g.constant(array[:1]), g.constant(array[1:]), axis=0)
    if kind == 2:
        return g.node("Cast", g.constant(array.astype(np.int32)), to=TensorProto.INT64)
    order = g.random.permutation(array.size)
    return g.node("Gather", g.constant(array[order]),
                  g.constant(np.argsort(order).astype(np.int64)), axis=0)


def shape_like(g, x, numbers):
    """The list `numbers` as exporters write it: what equals an extent of x comes from its Shape."""
    shape = g.node("Shape", x)
    parts = []
    for i, number in enumerate(numbers):
        if i < g.rank(x) and number == g.shape(x)[i] and g.chance(0.7):
            if g.chance(0.5):
                one = g.node("Gather", shape, g.constant(i, np.int64), axis=0)
                parts.append(unsqueezed(g, one))
            elif g.opset >= 10:
                parts.append(g.node("Slice", shape, g.constant([i], np.int64),
                                    g.constant([i + 1], np.int64)))
            else:
                parts.append(g.node("Slice", shape, starts=[i], ends=[i + 1]))
        else:
            parts.append(g.constant([number], np.int64))
    return g.node("Concat", *parts, axis=0)


def share(g, x, axis):
    """[a rounded share of an extent], at least 1: floating point on what Shape gives."""
    extent = g.node("Gather", g.node("Shape", x), g.constant(axis, np.int64), axis=0)
    kind = g.pick((TensorProto.FLOAT, TensorProto.DOUBLE))
    dtype = np.float32 if kind == TensorProto.FLOAT else np.float64
    part = g.node("Mul", g.node("Cast", extent, to=kind),
                  g.constant(g.pick((0.5, 0.29, 0.7, 0.9, 1 / 3)), dtype))
    part = g.node(g.pick(("Floor", "Ceil")), part)
    part = g.node("Cast", part, to=TensorProto.INT64)
    if g.opset >= 12:
        part = g.node("Max", part, g.constant(1, np.int64))
    return unsqueezed(g, part)


def unsqueezed(g, x):
    if g.opset < 13:
        return g.node("Unsqueeze", x, axes=[0])
    return g.node("Unsqueeze", x, g.constant([0], np.int64))
