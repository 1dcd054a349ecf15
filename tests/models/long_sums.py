#!/usr/bin/env python3
"""Means, matrix products and Softmax over many terms against exact sums, per ISA or on a device.

Every case is run on constant, letterboxed, rising and random data. Equal terms are the hard ones:
all of their roundings go the same way.
"""

import argparse
import dataclasses
import math
import pathlib
import typing

import numpy as np

import emulator
import harness
from case_builder import Case, build_model


@dataclasses.dataclass
class Sum:
    """`exact(x)` in double precision from `make`'s only input; `limit` is relative to each value."""
    name: str
    shape: tuple
    make: typing.Callable
    exact: typing.Callable
    limit: float


def constant(shape, _):
    return np.full(shape, 0.7)


def letterboxed(shape, random):
    """A picture between two bars of grey."""
    values = random.uniform(0, 1, shape)
    longest = int(np.argmax(shape))
    bar = shape[longest] // 4
    np.moveaxis(values, longest, 0)[:bar] = 114 / 255
    np.moveaxis(values, longest, 0)[shape[longest] - bar:] = 114 / 255
    return values


def half_zero(shape, random):
    values = random.uniform(0, 1, shape)
    longest = int(np.argmax(shape))
    np.moveaxis(values, longest, 0)[shape[longest] // 2:] = 0
    return values


def rising(shape, _):
    return np.linspace(0, 1, math.prod(shape)).reshape(shape)


def random_values(shape, random):
    return random.uniform(0, 1, shape)


DATA = (constant, letterboxed, half_zero, rising, random_values)


def mean_limit(terms):
    """What layer/sums.h promises of a mean: 7 roundings of a chunk, 3 of what follows."""
    return 10 * 2.0**-24 if terms > 64 else (terms + 3) * 2.0**-24


def mean(name, shape, axes, make):
    terms = math.prod(shape[axis] for axis in axes)
    return Sum(name, shape, make, lambda x: x.mean(axes, keepdims=True), mean_limit(terms))


def global_mean(*shape):
    return mean(f"global_{'x'.join(map(str, shape))}", shape, tuple(range(2, len(shape))),
                lambda b, x: b.node("GlobalAveragePool", x))


def reduce_mean(shape, axes):
    name = f"reduce_{'x'.join(map(str, shape))}_over_{'_'.join(map(str, axes))}"
    return mean(name, shape, axes, lambda b, x: b.node("ReduceMean", x, axes=list(axes)))


def average_pool(shape, **attributes):
    name = f"pool_{'x'.join(map(str, shape))}_of_{'x'.join(map(str, attributes['kernel_shape']))}"
    return mean(name, shape, (2, 3), lambda b, x: b.node("AveragePool", x, **attributes))


def padded_pool(include):
    """Windows that overlap each side of the image."""
    def exact(x):
        padded = np.pad(x, ((0, 0), (0, 0), (5, 5), (7, 7)))
        taken = np.pad(np.ones_like(x), ((0, 0), (0, 0), (5, 5), (7, 7)))
        rows, columns = range(0, 31, 15), range(0, 41, 20)
        sums = np.array([[[padded[0, c, i:i + 20, j:j + 24].sum() for j in columns] for i in rows]
                         for c in range(x.shape[1])])[None]
        counts = np.array([[taken[0, 0, i:i + 20, j:j + 24].sum() for j in columns] for i in rows])
        return sums / (20 * 24 if include else counts)

    return Sum(f"pool_padded_{include}", (1, 3, 40, 50),
               lambda b, x: b.node("AveragePool", x, kernel_shape=[20, 24], strides=[15, 20],
                                   pads=[5, 7, 5, 7], count_include_pad=include),
               exact, mean_limit(480))


def identity(builder, x, channels):
    return builder.node("Conv", x, builder.constant(
        np.eye(channels, dtype=np.float32).reshape(channels, channels, 1, 1)))


def gated(builder, x, channels):
    """x * mean(x) by a squeeze-excite, and a project, whose weights are ones of an identity."""
    gate = builder.node("GlobalAveragePool", x)
    gate = identity(builder, identity(builder, gate, channels), channels)
    return identity(builder, builder.node("Mul", x, gate), channels)


def squeeze_excite(*shape):
    """x * mean(x), as one kernel: all weights are ones of an identity."""
    def make(builder, x):
        channels = shape[1]
        return gated(builder, x, channels)

    return Sum(f"squeeze_{'x'.join(map(str, shape))}", shape, make,
               lambda x: x * x.mean((2, 3), keepdims=True), 14 * 2.0**-24)


def squeezed_depthwise(*shape):
    """The same after a depthwise whose middle tap alone is not zero."""
    def make(builder, x):
        channels = shape[1]
        taps = np.zeros((channels, 1, 3, 3), np.float32)
        taps[:, :, 1, 1] = 1
        x = builder.node("Conv", x, builder.constant(taps), group=channels, pads=[1, 1, 1, 1])
        return gated(builder, x, channels)

    return Sum(f"squeezed_depthwise_{'x'.join(map(str, shape))}", shape, make,
               lambda x: x * x.mean((2, 3), keepdims=True), 14 * 2.0**-24)


def ghost_excite(*shape):
    """A Ghost module that reads x * mean(x): the second half is the first once more."""
    def make(builder, x):
        channels = shape[1]
        first = gated(builder, x, channels)
        taps = np.zeros((channels, 1, 3, 3), np.float32)
        taps[:, :, 1, 1] = 1
        second = builder.node("Conv", first, builder.constant(taps), group=channels,
                              pads=[1, 1, 1, 1])
        return builder.node("Concat", first, second, axis=1)

    def exact(x):
        half = x * x.mean((2, 3), keepdims=True)
        return np.concatenate([half, half], axis=1)

    return Sum(f"ghost_{'x'.join(map(str, shape))}", shape, make, exact, 14 * 2.0**-24)


def product_limit(terms):
    """What layer/sums.h promises of chunks of 256 products; and their roundings and the bias's.
    Equal or random terms err by at most half of the first."""
    return (128 + terms / 512 + 2) * 2.0**-24 if terms > 2048 else (terms + 1) * 2.0**-24


def products(operator, rows, terms, columns, weights):
    """`weights`: their values by their shape. Equal weights make equal products of equal values."""
    w = weights((terms, columns)).astype(np.float32)

    def make(builder, x):
        return builder.node(operator, x, builder.constant(w))

    return Sum(f"{operator.lower()}_{rows}x{terms}x{columns}_{weights.__name__}", (rows, terms),
               make, lambda x: x @ w.astype(np.float64), product_limit(terms))


def convolution(shape, out_channels, kernel, weights, **attributes):
    """`pads`: of all four sides."""
    pads = attributes.get("pads", [0])[0]
    w = weights((out_channels, shape[1], *kernel)).astype(np.float32)

    def make(builder, x):
        return builder.node("Conv", x, builder.constant(w), **attributes)

    def exact(x):
        x = np.pad(x, ((0, 0), (0, 0), (pads, pads), (pads, pads)))
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))
        return np.einsum("nchwij,ocij->nohw", windows, w.astype(np.float64))

    name = f"conv_{'x'.join(map(str, shape))}_{'x'.join(map(str, kernel))}_{weights.__name__}"
    return Sum(name, shape, make, exact, product_limit(math.prod(w.shape[1:])))


def equal(shape):
    return np.full(shape, 0.3)


def positive(shape):
    return np.random.default_rng(3).uniform(0.5, 1.5, shape)


def softmax(shape, axis):
    """The largest of the exponentials is 1 or near it; exp is good to a few roundings."""
    def exact(x):
        powers = np.exp(x - x.max(axis, keepdims=True))
        return powers / powers.sum(axis, keepdims=True)

    return Sum(f"softmax_{'x'.join(map(str, shape))}_axis_{axis}", shape,
               lambda b, x: b.node("Softmax", x, axis=axis), exact, 20 * 2.0**-24)


def sums():
    return [
        global_mean(1, 1, 1024, 1024), global_mean(1, 4, 160, 160), global_mean(1, 3, 161, 157),
        global_mean(1, 19, 224, 224), global_mean(1, 2, 512, 512), global_mean(2, 3, 5, 13),
        global_mean(1, 2, 1000, 3), global_mean(1, 2, 3, 1000), global_mean(1, 5, 8, 8),
        global_mean(1, 3, 4099),
        reduce_mean((1, 1000000), (1,)), reduce_mean((3, 10007), (1,)),
        reduce_mean((1, 4, 160, 160), (2, 3)), reduce_mean((1, 4, 160, 160), (3,)),
        reduce_mean((1, 4, 160, 160), (2,)), reduce_mean((1, 2000, 3, 5), (1,)),
        reduce_mean((1, 3, 160, 160), (1, 2, 3)), reduce_mean((2, 3, 40, 50), (0, 1, 2, 3)),
        reduce_mean((1, 3, 160, 160), (1, 3)), reduce_mean((300, 7), (0,)),
        average_pool((1, 3, 160, 160), kernel_shape=[160, 160]),
        average_pool((1, 2, 97, 224), kernel_shape=[97, 224]),
        padded_pool(0), padded_pool(1),
        squeeze_excite(1, 4, 160, 160), squeeze_excite(1, 20, 65, 7), squeeze_excite(1, 3, 5, 131),
        squeezed_depthwise(1, 8, 160, 160), ghost_excite(1, 8, 160, 160),
        products("Gemm", 1, 25088, 3, equal), products("Gemm", 1, 65536, 2, equal),
        products("Gemm", 2, 65536, 1, positive), products("MatMul", 5, 4099, 17, equal),
        products("MatMul", 33, 2049, 5, positive), products("Gemm", 1, 2048, 3, equal),
        convolution((1, 512, 7, 6), 20, (3, 3), equal, pads=[1, 1, 1, 1]),
        convolution((1, 300, 9, 8), 5, (5, 5), positive),
        convolution((1, 3, 40, 41), 4, (37, 37), equal),
        convolution((1, 8192, 2, 3), 3, (1, 1), equal),
        softmax((1, 65536), 1), softmax((3, 4099), 1), softmax((1, 2000, 3, 5), 1),
        softmax((1, 20000, 2, 17), 1),
    ]


def compiled(path, folder, arguments):
    """The library: of all ISAs of this machine, of a device, or of another machine's first ISA."""
    if arguments.machine is None:
        return harness.compile_model(arguments.tool, path, folder, "sums",
                                     device=arguments.device)[0]
    machine = emulator.machine_named(arguments.machine)
    return emulator.EmulatedLibrary(arguments.tool, path, folder, "sums", machine,
                                    machine["isas"].split("+")[0])


def run(cases, arguments, rows, failures):
    """All cases in one model, once for each kind of data."""
    made = [Case(case.name, [case.shape], case.make, values=[np.zeros(case.shape, np.float32)])
            for case in cases]
    model, _, names = build_model(made)
    arguments.work.mkdir(parents=True, exist_ok=True)
    path = arguments.work / "sums.onnx"
    path.write_bytes(model.SerializeToString())
    library = compiled(path, arguments.work, arguments)
    for data in DATA:
        values = {case.name: data(case.shape, np.random.default_rng(1)).astype(np.float32)
                  for case in cases}
        exact = {case.name: case.exact(values[case.name].astype(np.float64)) for case in cases}
        inputs = {f"{name}__input0": value for name, value in values.items()}
        for isa in library.isas():
            outputs = library.run(inputs, isa)
            for case in cases:
                check(case, data.__name__, isa, outputs[names[case.name][0]], exact[case.name],
                      rows, failures)


def check(case, data, isa, got, exact, rows, failures):
    exact = exact.reshape(got.shape)
    # A value of 0 is exact.
    error = np.abs(got - exact) / np.where(exact == 0, np.finfo(np.float32).tiny, np.abs(exact))
    rows.append((case.name, data, isa, f"{error.max():.2e}", f"{case.limit:.2e}"))
    if not error.max() <= case.limit:
        failures.append(f"{case.name} {data} {isa}: {error.max():.2e}, limit {case.limit:.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--device", choices=("opencl",))
    parser.add_argument("--machine", help="a row of tests/cross/machines.csv, under its emulator")
    parser.add_argument("--case", action="append", help="only these cases")
    arguments = parser.parse_args()
    if arguments.device:
        harness.enlarge_stacks()
    cases = [case for case in sums() if not arguments.case or case.name in arguments.case]
    rows, failures = [("case", "data", "isa", "error", "limit")], []
    run(cases, arguments, rows, failures)
    harness.report(rows, failures)


if __name__ == "__main__":
    main()
