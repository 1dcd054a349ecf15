"""Operators that move values, for random_operators.py: slices, joins, reshapes, resizes, pads."""

import numpy as np
from onnx import TensorProto, helper

from random_constants import int_constant, operand, shape_like, share
from random_graph import Graph, Unsuitable
from random_operators import draws, partner

FAR = 2 ** 63 - 1


# Reshapes.

def factored(g, count):
    """Extents whose product is `count`, of rank 1 to 5."""
    extents, rest = [], count
    for _ in range(g.whole(0, 4)):
        factor = g.pick([f for f in range(1, rest + 1) if rest % f == 0])
        extents.append(factor)
        rest //= factor
    extents.append(rest)
    g.random.shuffle(extents)
    return [int(extent) for extent in extents]


@draws(1.2)
def reshape(g: Graph):
    x = g.tensor()
    shape = list(g.shape(x))
    target = factored(g, g.values[x].size)
    if len(shape) > 1 and g.chance(0.5):
        at = g.whole(0, len(shape) - 2)
        target = [*shape[:at], shape[at] * shape[at + 1], *shape[at + 2:]]
    if not g.chance(0.4):
        return [g.node("Reshape", x, shape_like(g, x, with_rest(g, target)))]
    zeros = [0 if i < len(shape) and extent == shape[i] and g.chance(0.4) else extent
             for i, extent in enumerate(target)]
    attributes = {"allowzero": g.pick((None, 0))} if g.opset >= 14 else {}
    return [g.node("Reshape", x, int_constant(g, with_rest(g, zeros)), **attributes)]


def with_rest(g, target):
    """With one -1, perhaps."""
    if g.chance(0.5):
        at = g.whole(0, len(target) - 1)
        return [*target[:at], -1, *target[at + 1:]]
    return target


@draws(0.5)
def flatten(g: Graph):
    x = g.tensor()
    low = -g.rank(x) if g.opset >= 11 else 0
    return [g.node("Flatten", x, axis=g.pick((None, g.whole(low, g.rank(x)))))]


def with_axes(g, operator, x, axes):
    if g.opset < 13:
        return g.node(operator, x, axes=axes or None)
    return g.node(operator, *([x, int_constant(g, axes)] if axes else [x]))


@draws(0.7)
def squeeze(g: Graph):
    x = g.tensor(fits=lambda shape: 1 in shape)
    ones = [axis for axis, extent in enumerate(g.shape(x)) if extent == 1]
    axes = [axis for axis in ones if g.chance(0.6)]
    if g.opset >= 11:
        axes = [axis - g.rank(x) if g.chance(0.3) else axis for axis in axes]
    return [with_axes(g, "Squeeze", x, axes)]


@draws(0.7)
def unsqueeze(g: Graph):
    x = g.tensor((0, 1, 2, 3, 4))
    count = g.whole(1, min(2, 5 - g.rank(x)))
    rank = g.rank(x) + count
    axes = [int(axis) for axis in g.random.permutation(rank)[:count]]
    if g.opset >= 11 and g.chance(0.4):
        axes[0] -= rank
    if g.opset < 11:
        axes.sort()
    return [with_axes(g, "Unsqueeze", x, axes)]


@draws(1)
def transpose(g: Graph):
    x = g.tensor((1, 2, 3, 4, 5))
    perm = [int(axis) for axis in g.random.permutation(g.rank(x))]
    return [g.node("Transpose", x, perm=g.pick((None, perm, perm)))]


@draws(0.7)
def shuffle(g: Graph):
    """Channel shuffle; or in megvii's form, whose halves are x[0] and x[1]."""
    x = g.tensor((4,), fits=lambda shape: shape[1] % 2 == 0)
    n, c, h, w = g.shape(x)
    if g.chance(0.5):
        y = g.node("Reshape", x, int_constant(g, [n, 2, c // 2, h, w]))
        y = g.node("Transpose", y, perm=[0, 2, 1, 3, 4])
        return [g.node("Reshape", y, int_constant(g, [n, -1, h, w]))]
    y = g.node("Reshape", x, int_constant(g, [n * c // 2, 2, h * w]))
    y = g.node("Transpose", y, perm=[1, 0, 2])
    y = g.node("Reshape", y, int_constant(g, [2, -1, c // 2, h, w]))
    return [g.node("Gather", y, g.constant(i, np.int64), axis=0) for i in range(2)]


# Parts and joins.

def slice_inputs(g, shape, axes):
    """Starts, ends, steps of `axes`, so that something is left of each."""
    starts, ends, steps = [], [], []
    for axis in axes:
        extent = shape[axis]
        length = g.whole(max(1, extent // 2), extent)
        first = g.whole(0, extent - length)
        step = g.pick((1, 1, 2, -1, -2, 3)) if g.opset >= 10 else 1
        if step > 0:
            start, end = first, first + length
            end = FAR if end == extent and g.chance(0.3) else end
            start = start - extent if g.chance(0.3) else start
            end = end - extent if end < extent and g.chance(0.3) else end
        else:
            start, end = first + length - 1, first - 1
            start = g.pick((FAR, -1)) if start == extent - 1 and g.chance(0.5) else start
            end = -FAR if end < 0 else end
        starts.append(start)
        ends.append(end)
        steps.append(step)
    return starts, ends, steps


@draws(2)
def slice_(g: Graph):
    x = g.tensor((1, 2, 3, 4, 5))
    shape = g.shape(x)
    axes = sorted({g.whole(0, len(shape) - 1) for _ in range(g.whole(1, 2))})
    if g.chance(0.2):
        axes = list(range(len(shape)))
    starts, ends, steps = slice_inputs(g, shape, axes)
    default = axes == list(range(len(axes))) and g.chance(0.5)
    if g.opset < 10:
        return [g.node("Slice", x, starts=starts, ends=ends, axes=None if default else axes)]
    axes = [axis - len(shape) if g.chance(0.3) else axis for axis in axes]
    dtype = np.int64
    inputs = [int_constant(g, starts, dtype), int_constant(g, ends, dtype)]
    if any(step != 1 for step in steps) or g.chance(0.3):
        inputs += ["" if default else int_constant(g, axes), int_constant(g, steps)]
    elif not default:
        inputs.append(int_constant(g, axes))
    return [g.node("Slice", x, *inputs)]


@draws(0.5, since=10)
def slice_share(g: Graph):
    """The first rows, as many as a share of the extent comes to."""
    x = g.tensor((1, 2, 3, 4))
    axis = g.whole(0, g.rank(x) - 1)
    return [g.node("Slice", x, g.constant([0], np.int64), share(g, x, axis),
                   g.constant([axis], np.int64))]


@draws(1)
def gather(g: Graph):
    x = g.tensor((1, 2, 3, 4))
    axis = g.whole(0, g.rank(x) - 1)
    extent = g.shape(x)[axis]
    kind = g.whole(0, 2)
    if kind == 0:
        indices = g.whole(-extent, extent - 1)
    elif kind == 1:
        indices = list(range(extent))[::-1]
    else:
        indices = [g.whole(-extent, extent - 1) for _ in range(g.whole(1, 3))]
    dtype = g.pick((np.int64, np.int64, np.int32))
    return [g.node("Gather", x, g.constant(indices, dtype), axis=axis if axis else None)]


@draws(1.5)
def concat(g: Graph):
    x = g.tensor((1, 2, 3, 4, 5))
    axis = g.whole(0, g.rank(x) - 1)

    def fits(name):
        other = g.shape(name)
        return len(other) == g.rank(x) and all(
            a == b or i == axis for i, (a, b) in enumerate(zip(other, g.shape(x))))

    others = [name for name in g.tensors if fits(name)]
    inputs = [x] + [g.pick(others) for _ in range(g.whole(0, 2))]
    if g.chance(0.3):
        shape = list(g.shape(x))
        shape[axis] = g.pick((1, 2))
        inputs.append(operand(g, tuple(shape)))
    g.random.shuffle(inputs)
    return [g.node("Concat", *inputs, axis=axis - g.rank(x) if g.opset >= 11 and g.chance(0.3)
                   else axis)]


@draws(1.2)
def split(g: Graph):
    x = g.tensor((1, 2, 3, 4, 5), fits=lambda shape: max(shape) > 1)
    shape = g.shape(x)
    axis = g.pick([axis for axis, extent in enumerate(shape) if extent > 1])
    extent = shape[axis]
    parts = g.whole(2, min(3, extent))
    cuts = sorted(int(cut) for cut in g.random.permutation(extent - 1)[:parts - 1] + 1)
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, extent])]
    written = axis - g.rank(x) if g.opset >= 11 and g.chance(0.3) else axis
    if g.opset >= 18 and g.chance(0.5):
        parts = g.whole(1, min(4, extent))
        made = g.node("Split", x, axis=written, num_outputs=parts, outputs=parts)
    elif extent % parts == 0 and g.opset < 18 and g.chance(0.5):
        made = g.node("Split", x, axis=written, outputs=parts)
    elif g.opset < 13:
        made = g.node("Split", x, axis=written, split=sizes, outputs=parts)
    else:
        made = g.node("Split", x, int_constant(g, sizes), axis=written, outputs=parts)
    made = made if isinstance(made, list) else [made]
    if g.chance(0.3) and len(made) > 1:
        first = g.node("Relu", made[0])
        return [g.node("Concat", *made[1:], first, axis=axis)]
    return made


@draws(0.7)
def expand(g: Graph):
    """Expand or Tile of what the next operator broadcasts anyway; or of a constant."""
    x = g.tensor((2, 3, 4))
    y = partner(g, x)
    shape = g.shape(x)
    target = np.broadcast_shapes(g.shape(y), shape)
    if g.opset >= 8 and g.chance(0.6):
        where = int_constant(g, list(target)) if g.chance(0.5) else g.node("Shape", x)
        y = g.node("Expand", y, where)
    elif g.rank(y) == len(target):
        y = g.node("Tile", y, int_constant(g, [t // e for t, e in zip(target, g.shape(y))]))
    return [g.node(g.pick(("Mul", "Add")), *((x, y) if g.chance(0.6) else (y, x)))]


@draws(0.5)
def space(g: Graph):
    block = g.pick((2, 2, 3))
    if g.chance(0.5):
        x = g.tensor((4,), fits=lambda shape: shape[1] % block ** 2 == 0)
        mode = g.pick((None, "DCR", "CRD")) if g.opset >= 11 else None
        return [g.node("DepthToSpace", x, blocksize=block, mode=mode)]
    x = g.tensor((4,), fits=lambda shape: shape[2] % block == 0 and shape[3] % block == 0)
    mode = g.pick((None, "DCR", "CRD")) if g.opset >= 28 else None
    return [g.node("SpaceToDepth", x, blocksize=block, mode=mode)]


# Resizes and pads.

COORDINATES = {"half_pixel": 11, "pytorch_half_pixel": 11, "align_corners": 11, "asymmetric": 11,
               "tf_half_pixel_for_nn": 11, "tf_crop_and_resize": 11, "half_pixel_symmetric": 19}
EXACT = (2.0, 2.0, 3.0, 1.0, 1.5, 0.5)   # Scales without rounding.


@draws(1.3)
def resize(g: Graph):
    x = g.tensor((4,))
    if g.opset < 11:
        return [old_resize(g, x)]
    coordinates = g.pick([name for name, since in COORDINATES.items()
                          if g.opset >= since and (g.opset < 13 or name != "tf_half_pixel_for_nn")])
    mode = g.pick(("nearest", "nearest", "linear", "linear", "cubic"))
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
    if g.chance(0.1) and mode == "nearest":
        del attributes["mode"]
    if mode == "nearest":
        attributes["nearest_mode"] = g.pick((None, "round_prefer_floor", "round_prefer_ceil",
                                             "floor", "ceil"))
    if mode == "cubic":
        attributes["cubic_coeff_a"] = g.pick((None, -0.5))
        attributes["exclude_outside"] = g.pick((None, 0, 1))
    # The crop must stay inside; values from outside are not supported but for 0.
    part = coordinates == "tf_crop_and_resize"
    inputs = ["", *request(g, x, attributes, part)]
    if part:
        inputs[0] = g.constant([0, 0, 0.125, 0.25, 1, 1, 0.75, 1], np.float32)
    if g.opset < 13:  # Where no input may be missing, but empty.
        inputs = [name or g.constant([], np.float32) for name in inputs]
    return [g.node("Resize", x, *inputs, **attributes)]


def request(g, x, attributes, part):
    """Scales or sizes, of all axes or (from operator set 18 on) of the last two."""
    axes = slice(0, 4)
    if g.opset >= 18 and not part and g.chance(0.3):
        attributes["axes"] = g.pick(([2, 3], [-2, -1]))
        axes = slice(2, 4)
    # ONNX Runtime leaves an axis alone whose extent stays, also where these would move it.
    moves = part or attributes["coordinate_transformation_mode"] == "tf_half_pixel_for_nn"
    factors = (2.0, 3.0, 1.5) if moves else EXACT
    if g.chance(0.5) and not part:  # With scales ONNX Runtime takes the extent of the whole input.
        return [g.constant([1, 1, g.pick(factors), g.pick(factors)][axes], np.float32)]
    scaled = [extent * g.pick(factors) for extent in g.shape(x)[2:]]
    # Its nearest pixel is not always the exact one of other factors: resize_positions.py.
    nearest = attributes.get("mode", "nearest") == "nearest"
    if nearest and any(extent != int(extent) for extent in scaled):
        raise Unsuitable("no exact factor")
    sizes = [*g.shape(x)[:2], *(max(1, int(extent)) for extent in scaled)]
    if moves and any(size == extent for size, extent in zip(sizes[2:], g.shape(x)[2:])):
        raise Unsuitable("an axis keeps its extent")
    # With a policy it leaves negative axes alone.
    if attributes.get("axes") == [2, 3] and not nearest and g.chance(0.5):
        attributes["keep_aspect_ratio_policy"] = g.pick(("stretch", "not_larger", "not_smaller"))
    given = shape_like(g, x, sizes) if axes.start == 0 and g.chance(0.3) else \
        int_constant(g, sizes[axes])
    return ["", given]


def old_resize(g, x):
    """Upsample, and Resize of operator set 10."""
    mode = g.pick((None, "nearest", "linear"))
    scales = [1.0, 1.0, g.pick((1.0, 2.0, 3.0)), g.pick((1.0, 2.0))]
    if g.opset == 10:
        if g.chance(0.3):
            scales = [1.0, 1.0, 0.5, 0.5]
        return g.node("Resize", x, g.constant(scales, np.float32), mode=mode)
    if g.opset == 9:
        return g.node("Upsample", x, g.constant(scales, np.float32), mode=mode)
    return g.node("Upsample", x, scales=scales, mode=mode)


@draws(1.2)
def pad(g: Graph):
    mode = g.pick(("constant", "constant", "reflect", "edge"))
    x = g.tensor((4,) if mode != "constant" else (1, 2, 3, 4, 5))
    shape = g.shape(x)
    axes = [axis for axis in range(len(shape)) if g.chance(0.5)]
    if mode != "constant":
        axes = [axis for axis in (2, 3) if shape[axis] > 2 and g.chance(0.8)]
    if not axes:
        raise Unsuitable("no axis")

    def extent(axis):
        if mode == "constant" and shape[axis] > 3 and g.chance(0.2):
            return -1
        return g.whole(0, 2)

    begins, ends = {a: extent(a) for a in axes}, {a: extent(a) for a in axes}
    pads = [side.get(axis, 0) for side in (begins, ends) for axis in range(len(shape))]
    value = g.pick((None, 0.0, 1.5)) if mode == "constant" else None
    mode = g.pick((None, mode)) if mode == "constant" else mode
    if g.opset < 11:
        return [g.node("Pad", x, pads=pads, mode=mode, value=value)]
    inputs = [int_constant(g, pads)]
    if g.opset >= 18 and g.chance(0.3):
        inputs = [int_constant(g, [side[axis] for side in (begins, ends) for axis in axes]),
                  "" if value is None else g.constant(value),
                  int_constant(g, [axis - len(shape) if g.chance(0.3) else axis for axis in axes])]
    elif value is not None:
        inputs.append(g.constant(value))
    return [g.node("Pad", x, *inputs, mode=mode)]


# What disappears.

@draws(0.5)
def nothing(g: Graph):
    x = g.tensor()
    kinds = [lambda: g.node("Identity", x), lambda: g.node("Cast", x, to=TensorProto.FLOAT)]
    if g.opset < 12:
        kinds.append(lambda: g.node("Dropout", x, ratio=g.pick((None, 0.3))))
    else:
        kinds.append(lambda: g.node("Dropout", x, g.constant(0.3)))
        kinds.append(lambda: g.node("Dropout", x, g.constant(0.3), g.constant(False)))
    return [g.pick(kinds)()]


@draws(0.3)
def condition(g: Graph):
    """If of a constant, whose branches read the graph's values."""
    x = g.tensor()

    def branch(operator):
        name = g.name("branch")
        nodes = [helper.make_node(operator, [x], [name])]
        return helper.make_graph(nodes, operator, [], [helper.make_tensor_value_info(
            name, TensorProto.FLOAT, None)])

    flag = g.constant(np.array(g.chance(0.5)))
    return [g.node("If", flag, captures=[x], then_branch=branch("Relu"),
                   else_branch=branch("Neg"))]


@draws(0.4)
def anchors(g: Graph):
    """A grid of floats by Range, which is added to a row."""
    x = g.tensor((1, 2, 3, 4))
    extent = g.shape(x)[-1]
    if g.opset < 11:
        raise Unsuitable("no Range")
    if g.chance(0.5):
        row = g.node("Range", g.constant(0.5), g.constant(extent + 0.25), g.constant(1.0))
    else:
        row = g.node("Range", g.constant(0, np.int64), g.constant(extent, np.int64),
                     g.constant(1, np.int64))
        row = g.node("Cast", row, to=TensorProto.FLOAT)
    return [g.node("Add", x, g.node("Mul", row, g.constant(0.125)))]
