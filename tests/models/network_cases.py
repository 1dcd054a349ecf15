"""Small networks with random weights in the form that exporters give popular code: `networks`."""

import zlib

import numpy as np

from case_builder import Case
from compare_models import smooth_image


def ints(b, *values):
    return b.constant(list(values), np.int64)


def conv(b, x, outs, ins, kernel=1, activation="Relu", *, stride=1, group=1, pads=None, norm=False):
    """Convolution; `kernel` is an extent or (height, width). norm: with BatchNormalization."""
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    fan_in = ins // group * height * width
    y = b.conv(x, outs, ins, (height, width), bias=not norm, group=group, strides=[stride] * 2,
               scale=(2 / fan_in) ** 0.5,
               pads=pads or [height // 2, width // 2] * 2)
    if norm:
        y = b.node("BatchNormalization", y, b.positive(outs), b.weights(outs, scale=0.2),
                   b.weights(outs, scale=0.2), b.positive(outs))
    return b.node(activation, y) if activation else y


def depthwise(b, x, channels, kernel=3, activation="", **keywords):
    return conv(b, x, channels, channels, kernel, activation, group=channels, **keywords)


def extent(b, x, axis):
    """x.shape[axis] as exporters write it: a scalar."""
    return b.node("Gather", b.node("Shape", x), b.constant(axis, np.int64), axis=0)


def listed(b, *scalars):
    """A shape from scalars."""
    return b.node("Concat", *(b.node("Unsqueeze", scalar, ints(b, 0)) for scalar in scalars),
                  axis=0)


# ShuffleNetV2 as in megvii-model/ShuffleNet-Series, with the heads of Yolo-Fastest.

def shuffled_halves(b, x):
    """x.reshape(n * c // 2, 2, h * w).permute(1, 0, 2).reshape(2, -1, c // 2, h, w)[0] and [1]"""
    batch, channels, height, width = (extent(b, x, axis) for axis in range(4))
    half = b.node("Div", b.node("Mul", batch, channels), b.constant(2, np.int64))
    y = b.node("Reshape", x, listed(b, half, b.constant(2, np.int64),
                                    b.node("Mul", height, width)))
    y = b.node("Transpose", y, perm=[1, 0, 2])
    y = b.node("Reshape", y, listed(
        b, b.constant(2, np.int64), b.constant(-1, np.int64),
        b.node("Div", channels, b.constant(2, np.int64)), height, width))
    return [b.node("Gather", y, b.constant(i, np.int64), axis=0) for i in range(2)]


def shuffle_block(b, x, channels):
    kept, y = shuffled_halves(b, x)
    half = channels // 2
    y = depthwise(b, conv(b, y, half, half), half)
    return b.node("Concat", kept, conv(b, y, half, half), axis=1)


def shuffle_down(b, x, outs, ins):
    kept = conv(b, depthwise(b, x, ins, stride=2), ins, ins)
    y = depthwise(b, conv(b, x, outs - ins, ins), outs - ins, stride=2)
    return b.node("Concat", kept, conv(b, y, outs - ins, outs - ins), axis=1)


def yolo_head(b, x, channels, anchors=3, classes=5):
    """Boxes and objectness by Sigmoid, classes by Softmax, in rows: two towers."""
    def tower():
        y = depthwise(b, x, channels, 5, "Relu")
        return depthwise(b, conv(b, y, channels, channels, activation=""), channels, 5, "Relu")

    boxes = tower()
    made = [b.node("Sigmoid", conv(b, boxes, 4 * anchors, channels, activation="")),
            b.node("Sigmoid", conv(b, boxes, anchors, channels, activation="")),
            b.node("Softmax", conv(b, tower(), classes, channels, activation=""), axis=1)]
    return b.node("Transpose", b.node("Concat", *made, axis=1), perm=[0, 2, 3, 1])


def yolo_fastest(b, x):
    y = conv(b, x, 8, 3, 3, stride=2)
    y = b.node("MaxPool", y, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    y = shuffle_block(b, shuffle_down(b, y, 16, 8), 16)
    fine = shuffle_block(b, shuffle_block(b, shuffle_down(b, y, 24, 16), 24), 24)
    coarse = shuffle_block(b, shuffle_down(b, fine, 48, 24), 48)
    low = conv(b, coarse, 16, 48)
    up = b.node("Resize", low, "", b.constant([1, 1, 2, 2], np.float32), mode="nearest",
                coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    high = conv(b, b.node("Concat", up, fine, axis=1), 16, 40)
    return [yolo_head(b, high, 16), yolo_head(b, low, 16)]


# MobileNetV3 whose SELayer ends in x * y.expand_as(x).

def hard_sigmoid(b, x):
    y = b.node("Clip", b.node("Add", x, b.constant(3.0)), b.constant(0.0), b.constant(6.0))
    return b.node("Div", y, b.constant(6.0))


def linear(b, x, outs, ins):
    return b.node("Gemm", x, b.weights(outs, ins, scale=(2 / ins) ** 0.5),
                  b.weights(outs, scale=0.2), transB=1)


def se_layer(b, x, channels, guarded):
    """fc on a vector, view(b, c, 1, 1), expand_as. guarded: with the exporter's Where for -1."""
    batch, count = extent(b, x, 0), extent(b, x, 1)
    y = b.node("Reshape", b.node("GlobalAveragePool", x), listed(b, batch, count))
    y = hard_sigmoid(b, linear(b, b.node("Relu", linear(b, y, channels // 4, channels)), channels,
                               channels // 4))
    one = b.constant(1, np.int64)
    y = b.node("Reshape", y, listed(b, batch, count, one, one))
    shape = b.node("Shape", x)
    if guarded:
        ones = b.node("ConstantOfShape", b.node("Shape", shape), value=_one())
        shape = b.node("Where", b.node("Equal", shape, b.node("Mul", ones, ints(b, -1))), ones,
                       shape)
    return b.node("Mul", x, b.node("Expand", y, shape))


def _one():
    from onnx import numpy_helper
    return numpy_helper.from_array(np.array([1], np.int64))


def mobile_block(b, x, ins, wide, outs, kernel, stride, activation, excite):
    y = conv(b, x, wide, ins, activation=activation, norm=True)
    y = depthwise(b, y, wide, kernel, stride=stride, norm=True)
    if excite:
        y = se_layer(b, y, wide, excite == "guarded")
    y = conv(b, b.node(activation, y), outs, wide, activation="", norm=True)
    return b.node("Add", x, y) if stride == 1 and ins == outs else y


def mobilenet_v3(b, x):
    y = conv(b, x, 8, 3, 3, "HardSwish", stride=2, norm=True)
    for row in ((8, 16, 8, 3, 1, "Relu", "plain"), (8, 24, 12, 3, 2, "Relu", ""),
                (12, 32, 16, 5, 2, "HardSwish", "guarded"),
                (16, 48, 16, 5, 1, "HardSwish", "plain")):
        y = mobile_block(b, y, *row)
    y = b.node("GlobalAveragePool", conv(b, y, 48, 16, activation="HardSwish", norm=True))
    y = b.node("HardSwish", linear(b, b.node("Flatten", y), 40, 48))
    return linear(b, y, 10, 40)


# A temporal convolutional network with weight_norm.

def weight_norm(b, *shape, axes_as_input):
    """g * v / ||v||"""
    v = b.weights(*shape)
    g = b.positive(shape[0], *[1] * (len(shape) - 1))
    axes = list(range(1, len(shape)))
    norm = (b.node("ReduceL2", v, ints(b, *axes), keepdims=1) if axes_as_input else
            b.node("ReduceL2", v, axes=axes, keepdims=1))
    return b.node("Mul", v, b.node("Div", g, norm))


def tcn(b, x, channels=(6, 16, 16, 12), kernel=3, axes_as_input=False):
    """Dilated convolutions, padded on both sides; Chomp1d cuts what looks into the future."""
    y = x
    for level, (ins, outs) in enumerate(zip(channels, channels[1:])):
        dilation = 2 ** level
        pad = (kernel - 1) * dilation
        inner = y
        for count in (ins, outs):
            w = weight_norm(b, outs, count, kernel, axes_as_input=axes_as_input)
            inner = b.node("Conv", inner, w, b.weights(outs, scale=0.2), dilations=[dilation],
                           pads=[pad, pad], kernel_shape=[kernel])
            inner = b.node("Slice", inner, ints(b, 0), ints(b, -pad), ints(b, 2))
            inner = b.node("Dropout", b.node("Relu", inner))
        if ins != outs:
            y = b.node("Conv", y, b.weights(outs, ins, 1, scale=ins ** -0.5), b.weights(outs))
        y = b.node("Relu", b.node("Add", inner, y))
    last = b.node("Slice", y, ints(b, -1), ints(b, 2 ** 63 - 1), ints(b, 2))
    return [y, linear(b, b.node("Squeeze", last, ints(b, 2)), 5, channels[-1])]


# GhostNetV2: a Ghost module under decoupled fully connected attention.

def ghost_v2(b, x, ins, outs):
    """cat(primary, cheap)[:, :outs] * interpolate(sigmoid(short_conv(avg_pool2d(x, 2, 2))))"""
    gate = b.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    gate = conv(b, gate, outs, ins, activation="", norm=True)
    gate = depthwise(b, gate, outs, (1, 5), norm=True)
    gate = b.node("Sigmoid", depthwise(b, gate, outs, (5, 1), norm=True))
    half = -(-outs // 2)
    primary = conv(b, x, half, ins, norm=True)
    y = b.node("Concat", primary, depthwise(b, primary, half, 3, "Relu", norm=True), axis=1)
    sizes = b.node("Concat", b.node("Slice", b.node("Shape", gate), ints(b, 0), ints(b, 2)),
                   b.node("Slice", b.node("Shape", y), ints(b, 2), ints(b, 4)), axis=0)
    gate = b.node("Resize", gate, "", "", sizes, mode="nearest",
                  coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    y = b.node("Slice", y, ints(b, 0), ints(b, outs), ints(b, 1))
    return b.node("Mul", y, gate)


def ghost_v2_bottleneck(b, x, channels=12, wide=36):
    y = ghost_v2(b, x, channels, wide)
    primary = conv(b, y, channels // 2, wide, activation="", norm=True)
    y = b.node("Concat", primary, depthwise(b, primary, channels // 2, norm=True), axis=1)
    return b.node("Add", y, x)


def networks():
    def on(name, shape, make, **keywords):
        """A network on pictures."""
        image = smooth_image(shape, -2, 2, zlib.crc32(name.encode()))
        return Case(name, [shape], make, values=[image], **keywords)

    return [
        on("yolo_fastest", (1, 3, 64, 96), yolo_fastest),
        on("yolo_fastest_batch", (2, 3, 32, 32), yolo_fastest),
        on("mobilenet_v3_expand_as", (1, 3, 48, 48), mobilenet_v3),
        on("mobilenet_v3_expand_as_batch", (2, 3, 32, 40), mobilenet_v3),
        Case("tcn_weight_norm", [(1, 6, 50)], tcn),
        Case("tcn_weight_norm_opset_18", [(2, 6, 33)],
             lambda b, x: tcn(b, x, axes_as_input=True), opset=18),
        on("ghost_v2_attention", (1, 12, 20, 28), lambda b, x: ghost_v2(b, x, 12, 36)),
        on("ghost_v2_odd", (1, 12, 15, 21), lambda b, x: ghost_v2(b, x, 12, 17)),
        on("ghost_v2_bottleneck", (2, 12, 14, 14), ghost_v2_bottleneck),
    ]
