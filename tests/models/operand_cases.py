"""Operands of every shape that broadcasts, and more of them than one kernel has arguments for."""

import itertools

import numpy as np

from case_builder import Case
from fused_cases import depthwise, ghost, pointwise, squeezed


def arguments():
    """The runtime gives a kernel 24 arguments (SEPCONV_MAX_KERNEL_ARGS)."""
    small = (1, 4, 2, 3)

    def inverted(b, x):
        return pointwise(b, depthwise(b, pointwise(b, x, 4, 4), 4), 4, 4)

    def separable(b, x):
        return pointwise(b, depthwise(b, x, 4), 4, 4)

    def excited(b, x):
        return pointwise(b, squeezed(b, depthwise(b, x, 4), 4), 4, 4)

    def many(operator, count):
        return Case(f"{operator.lower()}_of_{count}", [small] * count,
                    lambda b, *xs: b.node(operator, *xs))

    def followed(name, front, count, shape=small):
        """`count` computed operands, alternating between three operators that nothing folds."""
        def make(b, x, *operands):
            y = front(b, x)
            for operator, operand in zip(itertools.cycle(("Add", "Mul", "Max")), operands):
                y = b.node(operator, y, operand)
            return y
        return Case(f"{name}_and_{count}", [small] + [shape] * count, make)

    def constants(name, front, count):
        """The same with constants: scalars and one per channel in turn."""
        def make(b, x):
            y = front(b, x)
            for i in range(count):
                y = b.node("Max", y, b.weights(*((4, 1, 1) if i % 2 else ())))
            return y
        return Case(f"{name}_and_{count}_constants", [small], make)

    return [
        many("Sum", 23), many("Sum", 24), many("Sum", 28), many("Sum", 70), many("Max", 46),
        followed("conv", lambda b, x: b.conv(x, 4, 4, pads=[1, 1, 1, 1]), 30),
        followed("pointwise_gates", lambda b, x: pointwise(b, x, 4, 4), 25, (1, 4, 1, 1)),
        followed("depthwise", lambda b, x: depthwise(b, x, 4), 21),
        followed("separable", separable, 22),
        followed("inverted", inverted, 26),
        followed("squeezed", excited, 24),
        followed("ghost", lambda b, x: ghost(b, x, 2, 4), 23),
        followed("pool", lambda b, x: b.node("MaxPool", x, kernel_shape=[1, 1]), 24),
        constants("inverted", inverted, 24),
        constants("pool", lambda b, x: b.node("MaxPool", x, kernel_shape=[1, 1]), 25),
    ]


def broadcastable(full):
    """The shapes that broadcast to `full`: axes of 1, with leading ones and without."""
    shapes = set()
    for kept in itertools.product((False, True), repeat=len(full)):
        shape = tuple(extent if keep else 1 for extent, keep in zip(full, kept))
        first = kept.index(True) if any(kept) else len(full)
        shapes |= {shape, shape[first:]}
    return sorted(shapes)


def gemms():
    """C of every shape, with everything that might make another shape of it."""
    def gemm(rows, columns, shape, number, computed):
        flags = {"transA": number % 2, "transB": number // 2 % 2}
        factors = ({}, {"alpha": 0.5}, {"beta": -2.0}, {"alpha": 3.0, "beta": 0.5},
                   {"beta": 0.0})[number % 5]

        def make(b, x, *c):
            matrix = b.weights(*((columns, 7) if flags["transB"] else (7, columns)))
            y = b.node("Gemm", x, matrix, *(c or [b.weights(*shape)]), **flags, **factors)
            after = number % 4
            if after == 1:
                y = b.node("Relu", y)
            if after >= 2:
                y = b.node("BatchNormalization", y, b.positive(columns), b.weights(columns),
                           b.weights(columns), b.positive(columns))
            return b.node("Relu", y) if after == 3 else y

        text = "x".join(map(str, shape)) or "scalar"
        kind = "computed" if computed else "constant"
        return Case(f"gemm_{rows}x{columns}_c_{text}_{kind}_{number}",
                    [(7, rows) if flags["transA"] else (rows, 7)] + [shape] * computed, make)

    cases = []
    for rows, columns in ((2, 2), (3, 5), (4, 1), (1, 4)):
        for shape in broadcastable((rows, columns)):
            for computed in (False, True):
                if shape or not computed:
                    cases.append(gemm(rows, columns, shape, len(cases), computed))
    cases += [gemm(2, 2, (2, 1), number, False) for number in range(1000, 1020)]
    return cases


def operands():
    """What follows a matrix product or a convolution, by the axes of its operand. Extents are equal
    where an element count might be taken for an axis."""
    anchors = {
        "matrix": ((5, 7), (5, 5), lambda b, x: b.node("MatMul", x, b.weights(7, 5))),
        "matrices": ((3, 3, 7), (3, 3, 3), lambda b, x: b.node("MatMul", x, b.weights(7, 3))),
        "conv": ((2, 3, 2, 3), (2, 2, 2, 3), lambda b, x: b.conv(x, 2, 3, kernel=(1, 1))),
        "depthwise": ((2, 3, 3, 1), (2, 3, 3, 1), lambda b, x: depthwise(b, x, 3)),
        "multiplier": ((2, 2, 4, 2), (2, 4, 4, 2),
                       lambda b, x: depthwise(b, x, 2, multiplier=2)),
        "transposed": ((2, 3, 1, 2), (2, 2, 2, 4), lambda b, x: b.node(
            "ConvTranspose", x, b.weights(3, 2, 2, 2), strides=[2, 2])),
    }
    cases = []
    for name, (shape, full, make) in anchors.items():
        for k, operand in enumerate(broadcastable(full)):
            text = "x".join(map(str, operand)) or "scalar"
            operator = ("Add", "Mul", "PRelu", "Max")[k % 4]
            cases.append(Case(
                f"{name}_{operator}_{text}_constant", [shape],
                lambda b, x, op=operator, make=make, s=operand: b.node(op, make(b, x),
                                                                       b.weights(*s))))
            if operand and k % 2 == 0 or len(operand) == len(full):
                cases.append(Case(
                    f"{name}_Sub_{text}_computed", [shape, operand],
                    lambda b, x, y, make=make: b.node("Sub", make(b, x), y)))
    return cases + gemms()
