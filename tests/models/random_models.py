#!/usr/bin/env python3
"""Small random models, eight of them in one library, against ONNX Runtime, per ISA.

Chains of three to eight layers of every kind with branches, sums and joins, on images of odd sizes.
A number is a model: whatever fails can be made again with --seed N --count 1.
"""

import argparse
import pathlib

import numpy as np

import harness
import operator_cases
from case_builder import Case
from fused_cases import depthwise, ghost, pointwise, squeezed

AT_ONCE = 8
ACTIVATIONS = ["", "Relu", "HardSwish", "Sigmoid", "LeakyRelu", "Tanh"]


class Network:
    """Grows layer by layer; `tensors` are all that a later layer may read: (name, shape)."""

    def __init__(self, builder, name, shape, random):
        self.b = builder
        self.random = random
        self.tensors = [(name, shape)]

    def layer(self):
        """Puts one more behind the last tensor, if the kind that was drawn fits there."""
        kinds = (self.dense, self.separable, self.inverted, self.squeeze, self.ghost, self.pool,
                 self.resize, self.sum, self.join, self.transposed, self.gate, self.slice)
        made = self.pick(kinds)(*self.tensors[-1])
        if made is not None:
            self.tensors.append(made)

    def pick(self, values):
        return values[self.random.integers(len(values))]

    def channels(self):
        return int(self.pick((1, 3, 5, 8, 13, 16, 17, 24, 33)))

    def activated(self, x):
        activation = self.pick(ACTIVATIONS)
        return self.b.node(activation, x) if activation else x

    def windowed(self, shape, kernel):
        """Padding, stride and dilation of a window, and the extents of what it gives."""
        stride, dilation = self.pick(((1, 1), (1, 1), (2, 1), (1, 2)))
        reach = (kernel - 1) * dilation
        pads = [int(self.random.integers(reach + 1)) for _ in range(2)]
        pads += [max(0, reach - pad) for pad in pads]
        extents = [(extent - 1) // stride + 1 for extent in shape[2:]]
        return {"strides": [stride] * 2, "dilations": [dilation] * 2, "pads": pads}, extents

    def dense(self, x, shape):
        kernel, outs = int(self.pick((1, 2, 3, 5))), self.channels()
        window, extents = self.windowed(shape, kernel)
        scale = (shape[1] * kernel * kernel) ** -0.5
        y = self.b.conv(x, outs, shape[1], (kernel, kernel), scale=scale, **window)
        return self.activated(y), (shape[0], outs, *extents)

    def separable(self, x, shape):
        kernel, outs = int(self.pick((3, 5, 7))), self.channels()
        window, extents = self.windowed(shape, kernel)
        y = self.b.conv(x, shape[1], shape[1], (kernel, kernel), group=shape[1], scale=1 / kernel,
                        **window)
        if self.pick((True, False)):
            return self.activated(y), (*shape[:2], *extents)
        return pointwise(self.b, self.activated(y), outs, shape[1]), (shape[0], outs, *extents)

    def inverted(self, x, shape):
        expanded = self.channels() + shape[1]
        y = pointwise(self.b, x, expanded, shape[1], "Relu")
        y = depthwise(self.b, y, expanded, "HardSwish")
        y = pointwise(self.b, y, shape[1], expanded)
        return (self.b.node("Add", y, x) if self.pick((True, False)) else y), shape

    def squeeze(self, x, shape):
        y = squeezed(self.b, x, shape[1])
        outs = self.channels()
        return pointwise(self.b, y, outs, shape[1]), (shape[0], outs, *shape[2:])

    def ghost(self, x, shape):
        outs = self.channels()
        return ghost(self.b, x, outs, shape[1]), (shape[0], 2 * outs, *shape[2:])

    def pool(self, x, shape):
        if min(shape[2:]) < 3:
            return None
        operator = self.pick(("MaxPool", "AveragePool"))
        y = self.b.node(operator, x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1])
        return y, (*shape[:2], *((extent - 2) // 2 + 1 for extent in shape[2:]))

    def resize(self, x, shape):
        if shape[2] * shape[3] > 200:
            return None
        y = self.b.node("Resize", x, "", self.b.constant([1, 1, 2, 2], np.float32),
                        mode=self.pick(("linear", "nearest")))
        return y, (*shape[:2], 2 * shape[2], 2 * shape[3])

    def sum(self, x, shape):
        others = [name for name, other in self.tensors[:-1] if other == shape]
        return (self.activated(self.b.node("Add", x, self.pick(others))), shape) if others else None

    def join(self, x, shape):
        others = [(name, other) for name, other in self.tensors[:-1] if other[2:] == shape[2:]]
        if not others:
            return None
        name, other = self.pick(others)
        return self.b.node("Concat", name, x, axis=1), (shape[0], shape[1] + other[1], *shape[2:])

    def transposed(self, x, shape):
        if shape[2] * shape[3] > 200:
            return None
        outs = self.channels()
        weights = self.b.weights(shape[1], outs, 2, 2, scale=shape[1] ** -0.5)
        y = self.b.node("ConvTranspose", x, weights, strides=[2, 2])
        return y, (shape[0], outs, 2 * shape[2], 2 * shape[3])

    def gate(self, x, shape):
        return self.b.node("Mul", x, self.b.node("GlobalAveragePool", x)), shape

    def slice(self, x, shape):
        if shape[1] < 2:
            return None
        bounds = (self.b.constant([value], np.int64) for value in (1, shape[1], 1))
        return self.b.node("Slice", x, *bounds), (shape[0], shape[1] - 1, *shape[2:])


def random_case(number):
    random = np.random.default_rng(number)
    shape = (int(random.integers(1, 3)), int(random.choice((1, 3, 8, 13, 20))),
             *(int(extent) for extent in random.integers(1, 20, 2)))

    def make(builder, x):
        network = Network(builder, x, shape, np.random.default_rng((number, 1)))
        layers = network.random.integers(3, 9)
        while len(network.tensors) <= layers:
            network.layer()
        # What is between may be an output too.
        between = [network.pick(network.tensors[1:-1])[0]] if number % 3 == 0 else []
        return list(dict.fromkeys([network.tensors[-1][0], *between]))

    return Case(f"random_{number}", [shape], make)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=0, help="the first number")
    parser.add_argument("--count", type=int, default=AT_ONCE)
    arguments = parser.parse_args()
    rows, failures = [("case", "opset", "layout", "isa", "error")], []
    end = arguments.seed + arguments.count
    for first in range(arguments.seed, end, AT_ONCE):
        cases = [random_case(number) for number in range(first, min(first + AT_ONCE, end))]
        run = (cases, arguments.tool, arguments.work / str(first), "nchw", rows, failures)
        try:
            operator_cases.run_cases(*run)
        except (harness.CompileError, AssertionError):
            operator_cases.run_one_by_one(*run)
    harness.report(rows, failures)


if __name__ == "__main__":
    main()
