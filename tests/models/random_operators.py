"""What random_models.py draws: one function for each kind of operator, with all of its attributes.

A function adds one operator, or a few that belong together, to a Graph; `Unsuitable` where it does
not fit. Extents come from short lists, so that kernels repeat and the kernel cache serves them.
"""

import numpy as np

from random_constants import factors, int_constant, matrix, operand, weights
from random_graph import Graph, Unsuitable

SAMPLERS = []  # (function, weight, first operator set).


def draws(weight=1.0, since=7):
    def register(function):
        SAMPLERS.append((function, weight, since))
        return function
    return register


# Windows.

def pads_of(g, extents, reaches, small=False):
    """Begins, then ends; of pools smaller than the window."""
    limits = [reach - 1 if small else reach for reach in reaches]
    pads = [g.whole(0, max(0, limit)) for limit in limits]
    if g.chance(0.5):
        return pads + pads
    return pads + [g.whole(0, max(0, limit)) for limit in limits]


def window(g, spatial, kernel=None, dilated=True, small=False):
    """Attributes of a window over `spatial` extents."""
    kernel = kernel or [g.pick((1, 2, 3, 3, 3, 5)) for _ in spatial]
    strides = [g.pick((1, 1, 1, 2, 2, 3)) for _ in spatial]
    dilations = [g.pick((1, 1, 1, 2)) if dilated else 1 for _ in spatial]
    reaches = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    attributes = {"kernel_shape": kernel}
    if any(stride > 1 for stride in strides) or g.chance(0.5):
        attributes["strides"] = strides
    if dilated and (any(d > 1 for d in dilations) or g.chance(0.3)):
        attributes["dilations"] = dilations
    auto = g.pick(("", "", "", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"))
    if auto:
        attributes["auto_pad"] = auto
    if auto in ("", "NOTSET") and g.chance(0.8):
        attributes["pads"] = pads_of(g, spatial, [reach // 2 + 1 if not small else reach
                                                  for reach in reaches], small)
    return attributes


def group_of(g, channels):
    return g.pick([1, 1, channels, channels] + [d for d in (2, 3, 4) if channels % d == 0])


@draws(3)
def conv(g: Graph):
    x = g.tensor((3, 4, 4))
    channels, spatial = g.shape(x)[1], g.shape(x)[2:]
    group = group_of(g, channels)
    outs = group * g.pick((1, 1, 2)) if group > 1 else g.pick((3, 4, 8))
    kernel = [1 if extent == 1 and g.chance(0.8) else g.pick((1, 1, 2, 3, 3, 5))
              for extent in spatial]
    attributes = window(g, spatial, kernel)
    if g.chance(0.3):
        del attributes["kernel_shape"]
    if group > 1 or g.chance(0.3):
        attributes["group"] = group
    inputs = [x, weights(g, outs, channels // group, *kernel)]
    if g.chance(0.7):
        inputs.append(operand(g, (outs,)))
    return [g.node("Conv", *inputs, **attributes)]


@draws(1.5)
def conv_transpose(g: Graph):
    x = g.tensor((4,))
    channels, spatial = g.shape(x)[1], g.shape(x)[2:]
    group = group_of(g, channels)
    outs = group * g.pick((1, 2)) if group > 1 else g.pick((3, 4, 8))
    kernel = [g.pick((1, 2, 3, 4)) for _ in spatial]
    attributes = window(g, spatial, kernel)
    attributes["group"] = group
    strides = attributes.get("strides", [1, 1])
    dilations = attributes.get("dilations", [1, 1])
    if attributes.get("auto_pad", "").startswith("SAME") and any(
            (k - 1) * d + 1 < s for k, d, s in zip(kernel, dilations, strides)):
        raise Unsuitable("ONNX Runtime gives less than input times stride")
    if g.chance(0.3):
        attributes["output_padding"] = [g.whole(0, max(s, d) - 1)
                                        for s, d in zip(strides, dilations)]
    if g.chance(0.2) and "pads" not in attributes:
        attributes["output_shape"] = [
            max(1, (extent - 1) * s + (k - 1) * d + 1 - g.whole(0, 2))
            for extent, s, k, d in zip(spatial, strides, kernel, dilations)]
    inputs = [x, weights(g, channels, outs // group, *kernel)]
    if g.chance(0.6):
        inputs.append(operand(g, (outs,)))
    return [g.node("ConvTranspose", *inputs, **attributes)]


@draws(1.5)
def pool(g: Graph):
    x = g.tensor((3, 4, 4))
    operator = g.pick(("MaxPool", "AveragePool"))
    dilated = g.opset >= (10 if operator == "MaxPool" else 19)
    attributes = window(g, g.shape(x)[2:], dilated=dilated, small=True)
    dilations = attributes.get("dilations", [1, 1])
    if attributes.get("auto_pad", "").startswith("SAME") and max(dilations) > 1:
        raise Unsuitable("ONNX Runtime pads as if there were no dilation")
    spatial, pads = g.shape(x)[2:], attributes.get("pads", [0, 0, 0, 0])
    for i, (extent, kernel) in enumerate(zip(spatial, attributes["kernel_shape"])):
        reach = (kernel - 1) * dilations[i] + 1
        if extent + pads[i] + pads[i + len(spatial)] < reach:
            raise Unsuitable("ONNX Runtime takes windows larger than the padded image")
    if g.opset >= 10 and g.chance(0.4):
        attributes["ceil_mode"] = g.whole(0, 1)
    if operator == "AveragePool" and g.chance(0.5):
        attributes["count_include_pad"] = g.whole(0, 1)
    if operator == "MaxPool" and g.opset >= 8 and g.chance(0.1):
        attributes["storage_order"] = g.whole(0, 1)
    return [g.node(operator, x, **attributes)]


@draws(0.7)
def global_pool(g: Graph):
    x = g.tensor((3, 4, 4))
    return [g.node(g.pick(("GlobalAveragePool", "GlobalMaxPool")), x)]


@draws(0.7)
def batch_normalization(g: Graph):
    x = g.tensor((2, 3, 4, 5))
    channels = g.shape(x)[1]
    inputs = [operand(g, (channels,)) for _ in range(3)] + [factors(g, (channels,))]
    attributes = {"epsilon": g.pick((None, 1e-3, 0.1)), "momentum": g.pick((None, 0.5))}
    if g.opset < 9:
        attributes["spatial"] = g.pick((None, 1))
    if g.opset >= 14:
        attributes["training_mode"] = g.pick((None, 0))
    return [g.node("BatchNormalization", x, *inputs, **attributes)]


# Elementwise.

UNARY = {"Relu": 7, "Sigmoid": 7, "Tanh": 7, "Abs": 7, "Neg": 7, "Erf": 9, "HardSwish": 14,
         "Exp": 7, "Identity": 7, "Reciprocal": 7, "Sqrt": 7}


@draws(2)
def unary(g: Graph):
    x = g.tensor()
    operator = g.pick([name for name, since in UNARY.items() if g.opset >= since])
    if operator == "Sqrt":
        x = g.node("Abs", x)
    if operator == "Reciprocal":
        x = g.node("Add", g.node("Abs", x), g.constant(0.5))
    return [g.node(operator, x)]


@draws(2)
def activation(g: Graph):
    x = g.tensor()
    kinds = [lambda: g.node("LeakyRelu", x, alpha=g.pick((None, 0.2, -0.5, 1.5))),
             lambda: g.node("HardSigmoid", x, alpha=g.pick((None, 1 / 6, -0.3)),
                            beta=g.pick((None, 0.4)))]
    if g.opset >= 20:
        kinds.append(lambda: g.node("Gelu", x, approximate=g.pick((None, "none", "tanh"))))
    if g.opset >= 24:
        kinds.append(lambda: g.node("Swish", x, alpha=g.pick((None, 1.0))))
    return [g.pick(kinds)()]


@draws(1)
def written_out(g: Graph):
    """Activations as exporters write them."""
    x = g.tensor()

    def hard_sigmoid():
        y = clipped(g, g.node("Add", x, g.constant(3.0)), 0.0, 6.0)
        return g.pick((lambda: g.node("Div", y, g.constant(6.0)),
                       lambda: g.node("Mul", y, g.constant(1 / 6))))()

    def gelu():
        y = g.node("Erf", g.node("Div", x, g.constant(np.float32(np.sqrt(2)))))
        return g.node("Mul", g.node("Mul", x, g.node("Add", y, g.constant(1.0))), g.constant(0.5))

    kinds = [hard_sigmoid, lambda: g.node("Mul", hard_sigmoid(), x),
             lambda: g.node("Mul", x, g.node("Sigmoid", x)),
             lambda: g.node("Mul", g.node("HardSigmoid", x, alpha=1 / 6), x)]
    return [g.pick(kinds + [gelu] * (g.opset >= 9))()]


def clipped(g, x, low, high):
    if g.opset < 11:
        return g.node("Clip", x, min=low, max=high)
    bounds = ["" if bound is None else g.constant(bound) for bound in (low, high)]
    while bounds and not bounds[-1]:
        bounds.pop()
    return g.node("Clip", x, *bounds)


@draws(1)
def clip(g: Graph):
    x = g.tensor()
    low, high = g.pick((None, -1.0, -0.25, 0.0)), g.pick((None, 0.5, 1.0, 6.0, -0.5))
    if g.opset >= 11 and g.chance(0.3):
        mean = g.node("ReduceMean", x, keepdims=0)
        high = g.node("ReduceMax", x, keepdims=0)
        return [g.node("Clip", x, *g.pick(((mean,), ("", mean), (mean, high))))]
    return [clipped(g, x, low, high)]


@draws(0.7)
def prelu(g: Graph):
    x = g.tensor()
    shape = list(g.shape(x))
    cut = g.whole(0, len(shape))
    shape = [extent if g.chance(0.5) else 1 for extent in shape[cut:]]
    if g.rank(x) > 1 and g.chance(0.5):
        shape = [g.shape(x)[1], *[1] * (g.rank(x) - 2)]
    return [g.node("PRelu", x, operand(g, tuple(shape)))]


@draws(0.7)
def power(g: Graph):
    x = g.node("Add", g.node("Abs", g.tensor()), g.constant(0.3))
    exponent = g.pick((0.5, 1.0, 2.0, 3.0, -1.0, -0.5, -2.0, 4.0))
    dtype = np.float32
    if g.opset >= 12 and exponent == int(exponent) and g.chance(0.3):
        dtype = g.pick((np.int32, np.int64))
    return [g.node("Pow", x, g.constant(g.pick((exponent, [exponent])), dtype))]


@draws(0.8)
def softmax(g: Graph):
    x = g.tensor((1, 2, 3, 4, 5))
    rank = g.rank(x)
    return [g.node("Softmax", x, axis=g.pick([None, *range(-rank, rank)]))]


def partner(g, x):
    """Something that broadcasts with x: another tensor, a constant, or what x is reduced to."""
    kind = g.random.random()
    shape = g.shape(x)
    if kind < 0.4:
        others = [name for name in g.tensors if broadcasts(g.shape(name), shape)]
        if others:
            return g.pick(others)
    if kind < 0.65:
        axes = [axis for axis in range(len(shape)) if g.chance(0.5)]
        if axes:
            return reduced(g, x, axes, 1)
    return operand(g, broadcastable(g, shape))


def broadcastable(g, shape):
    kind = g.whole(0, 4)
    if kind == 0:
        return ()
    if kind == 1 and len(shape) > 1:
        return (shape[1], *[1] * (len(shape) - 2))
    if kind == 2:
        return shape
    some = tuple(extent if g.chance(0.5) else 1 for extent in shape)
    if kind == 3:
        return some[g.whole(0, len(some)):]
    return (1,) * (len(shape) < 5) + some


def broadcasts(a, b):
    return all(x in (y, 1) or y == 1 for x, y in zip(a[::-1], b[::-1]))


@draws(4)
def binary(g: Graph):
    x = g.tensor()
    y = partner(g, x)
    operator = g.pick(("Add", "Add", "Sub", "Mul", "Mul", "Div"))
    if operator == "Div":
        y = g.node("Add", g.node("Abs", y), g.constant(0.5))
        return [g.node("Div", x, y)]
    return [g.node(operator, *((x, y) if g.chance(0.6) else (y, x)))]


@draws(1.2)
def variadic(g: Graph):
    x = g.tensor()
    inputs = [x] + [partner(g, x) for _ in range(g.whole(0, 3))]
    g.random.shuffle(inputs)
    return [g.node(g.pick(("Min", "Max", "Sum", "Mean") if g.opset >= 8 else ("Sum", "Mean")),
                   *inputs)]


# Reductions and matrices.

def reduced(g, x, axes, keep, operator="ReduceMean"):
    axes = [axis - g.rank(x) if g.chance(0.3) else axis for axis in axes]
    if g.opset < 18:
        return g.node(operator, x, axes=axes or None, keepdims=keep)
    inputs = [x, int_constant(g, axes)] if axes or g.chance(0.3) else [x]
    return g.node(operator, *inputs, keepdims=keep)


@draws(1.5)
def reduce(g: Graph):
    x = g.tensor()
    axes = [axis for axis in range(g.rank(x)) if g.chance(0.5)]
    g.random.shuffle(axes)
    operator = g.pick(("ReduceMean", "ReduceMax"))
    if g.opset >= 18 and g.chance(0.1):
        return [g.node(operator, x, noop_with_empty_axes=g.whole(0, 1))]
    return [reduced(g, x, axes, g.pick((None, 0, 1)), operator)]


@draws(1.5)
def gemm(g: Graph):
    x = g.tensor()
    if g.rank(x) != 2:
        x = g.node("Flatten", x, axis=g.whole(0, g.rank(x)))
    turned_a, turned_b = g.pick((None, 0, 0, 1)), g.pick((None, 0, 1))
    rows, depth = g.shape(x)[::-1] if turned_a else g.shape(x)
    columns = g.pick((1, 3, 5, 8))
    shape = (columns, depth) if turned_b else (depth, columns)
    inputs = [x, matrix(g, *shape, depth=depth)]
    if g.opset >= 11 and g.chance(0.3):
        pass
    else:
        inputs.append(operand(g, g.pick(((columns,), (rows, columns), (rows, 1), (1, columns),
                                         (1, 1), (1,), ()))))
    return [g.node("Gemm", *inputs, transA=turned_a, transB=turned_b,
                   alpha=g.pick((None, 0.5, -2.0)), beta=g.pick((None, 0.5, 0.0, 2.0)))]


@draws(1.5)
def matmul(g: Graph):
    x = g.tensor((1, 2, 3, 4))
    depth = g.shape(x)[-1]
    second = matrix(g, depth, g.pick((1, 3, 5, 8)), depth=depth)
    y = g.node("MatMul", x, second)
    return [g.node("Add", y, operand(g, g.shape(y)[-1:]))] if g.chance(0.4) else [y]


@draws(1)
def products_meet(g: Graph):
    """Two products of matrices, of the same tensor or of its mean, in one Add or Mul."""
    x = g.tensor((2, 3, 4))
    depth, columns = g.shape(x)[-1], g.pick((3, 5, 8))
    other = x
    if g.chance(0.5):
        other = reduced(g, x, [g.whole(0, g.rank(x) - 2)], 1, g.pick(("ReduceMean", "ReduceMax")))
    first = g.node("MatMul", x, matrix(g, depth, columns, depth=depth))
    second = g.node("MatMul", other, matrix(g, depth, columns, depth=depth))
    if g.chance(0.4):
        second = g.node(g.pick(("Sigmoid", "Relu")), second)
    if g.chance(0.3):
        first = g.node("Add", first, operand(g, (columns,)))
    both = [first, second] if g.chance(0.5) else [second, first]
    return [g.node(g.pick(("Add", "Mul", "Max", "Sub")), *both)]


@draws(0.7)
def gemm_chain(g: Graph):
    x = g.node("Flatten", g.tensor(), axis=g.pick((None, 1)))
    for columns in (g.pick((5, 8)), g.pick((3, 5))):
        depth = g.shape(x)[1]
        x = g.node("Gemm", x, matrix(g, columns, depth, depth=depth), operand(g, (columns,)),
                   transB=1)
        x = g.node(g.pick(("Relu", "Tanh")), x) if g.chance(0.6) else x
    return [x]


# Blocks that fuse.

def pointwise(g, x, outs):
    return g.node("Conv", x, weights(g, outs, g.shape(x)[1], 1, 1), operand(g, (outs,)))


def depthwise(g, x, kernel=3, stride=1):
    channels = g.shape(x)[1]
    return g.node("Conv", x, weights(g, channels, 1, kernel, kernel), operand(g, (channels,)),
                  group=channels, strides=[stride] * 2, pads=[kernel // 2] * 4)


def maybe_activated(g, x):
    kind = g.whole(0, 3)
    if kind == 0:
        return clipped(g, x, 0.0, 6.0)
    return x if kind == 1 else g.node("Relu" if kind == 2 else "Sigmoid", x)


@draws(2)
def block(g: Graph):
    """Separable, inverted residual, squeeze-excite, Ghost module."""
    x = g.tensor((4,))
    y = x
    if g.chance(0.5):
        y = maybe_activated(g, pointwise(g, y, g.pick((8, 12))))
    y = maybe_activated(g, depthwise(g, y, g.pick((3, 5)), g.pick((1, 1, 2))))
    if g.chance(0.4):
        y = excited(g, y)
    if g.chance(0.2):
        cheap = maybe_activated(g, depthwise(g, y))
        return [g.node("Concat", y, cheap, axis=1)]
    y = pointwise(g, y, g.pick((g.shape(x)[1], 4, 8)))
    return [g.node("Add", y, x) if g.shape(y) == g.shape(x) else y]


def excited(g, x):
    channels = g.shape(x)[1]
    mean = g.node("GlobalAveragePool", x) if g.chance(0.6) else reduced(g, x, [2, 3], 1)
    y = g.node("Relu", pointwise(g, mean, 2))
    y = g.node(g.pick(("Sigmoid", "HardSigmoid")), pointwise(g, y, channels))
    if g.chance(0.2):
        y = g.node("Expand", y, g.node("Shape", x))
    return g.node("Mul", *((x, y) if g.chance(0.7) else (y, x)))


@draws(0.7)
def squeeze_excite(g: Graph):
    return [excited(g, g.tensor((4,)))]


@draws(1)
def residual(g: Graph):
    x = g.tensor()
    others = [name for name in g.tensors if g.shape(name) == g.shape(x)]
    y = g.node(g.pick(("Add", "Add", "Mul", "Sub")), x, g.pick(others))
    return [g.node("Relu", y) if g.chance(0.5) else y]
