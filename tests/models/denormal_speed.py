#!/usr/bin/env python3
"""How much slower kernels are on denormals than on ordinary numbers, per ISA.

Seconds are of the CPU, of the fastest of twenty runs. --write puts the table into docs/numbers.md.
"""

import argparse
import pathlib

import numpy as np

import harness
from case_builder import Case, build_model

BEGIN, END = "<!-- denormals -->\n", "<!-- end of denormals -->\n"
SHAPE = (1, 128, 56, 56)
ROUNDS = 20


def on(name, make, shapes=(SHAPE,)):
    return Case(name, shapes, make)


# Without biases, which would leave no denormal behind the first layer.
CASES = [
    on("pointwise", lambda b, x: b.conv(x, 128, 128, kernel=(1, 1), bias=False)),
    on("depthwise", lambda b, x: b.conv(x, 128, 128, group=128, bias=False, pads=[1, 1, 1, 1])),
    on("dense_3x3", lambda b, x: b.conv(x, 32, 128, bias=False, pads=[1, 1, 1, 1])),
    on("inverted_residual", lambda b, x: b.conv(b.node("Relu", b.conv(
        b.node("Relu", b.conv(x, 128, 128, kernel=(1, 1), bias=False)), 128, 128, group=128,
        bias=False, pads=[1, 1, 1, 1])), 128, 128, kernel=(1, 1), bias=False)),
    on("average_pool", lambda b, x: b.node("AveragePool", x, kernel_shape=[3, 3])),
    on("linear_resize", lambda b, x: b.node("Resize", x, "", b.constant([1, 1, 2, 2], np.float32),
                                            mode="linear")),
    on("add", lambda b, x, y: b.node("Add", x, y), (SHAPE, SHAPE)),
    on("multiply", lambda b, x: b.node("Mul", x, b.constant(0.5))),
    on("sigmoid", lambda b, x: b.node("Sigmoid", x)),
    on("tanh", lambda b, x: b.node("Tanh", x)),
    on("hard_swish", lambda b, x: b.node("HardSwish", x)),
    on("softmax", lambda b, x: b.node("Softmax", x, axis=1)),
]


def table(rows):
    """One line a kernel: its ratio for every ISA."""
    kernels = list(dict.fromkeys(row[0] for row in rows[1:]))
    isas = list(dict.fromkeys(row[1] for row in rows[1:]))
    ratios = {(row[0], row[1]): row[-1] for row in rows[1:]}
    return ["| kernel | " + " | ".join(isas) + " |", "| --- " * (len(isas) + 1) + "|",
            *(f"| {kernel} | " + " | ".join(ratios[kernel, isa] for isa in isas) + " |"
              for kernel in kernels)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--write", type=pathlib.Path, help="docs/numbers.md")
    arguments = parser.parse_args()
    rows = [("kernel", "isa", "ordinary ms", "denormal ms", "ratio")]
    for case in CASES:
        model, values, _ = build_model([case])
        folder = arguments.work / case.name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "model.onnx"
        path.write_bytes(model.SerializeToString())
        library, _ = harness.compile_model(arguments.tool, path, folder, case.name)
        denormal = {name: value * np.float32(1e-39) for name, value in values.items()}
        for isa in library.isas():
            ordinary, slow = (1000 * library.best_seconds(inputs, isa, ROUNDS)
                              for inputs in (values, denormal))
            rows.append((case.name, isa, f"{ordinary:.2f}", f"{slow:.2f}",
                         f"{slow / ordinary:.1f}"))
    if arguments.write:
        text = arguments.write.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        block = BEGIN + "\n".join(table(rows)) + "\n" + END
        arguments.write.write_text(before + block + rest.split(END)[1], encoding="utf-8")
    harness.report(rows, [])


if __name__ == "__main__":
    main()
