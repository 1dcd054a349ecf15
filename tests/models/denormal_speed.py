#!/usr/bin/env python3
"""How much slower kernels are on denormals than on ordinary numbers, per ISA."""

import argparse
import pathlib
import time

import numpy as np

import harness
from case_builder import Case, build_model

SHAPE = (1, 128, 56, 56)
ROUNDS = 20
CASES = [
    Case("pointwise", [SHAPE], lambda b, x: b.conv(x, 128, 128, kernel=(1, 1), bias=False)),
    Case("depthwise", [SHAPE], lambda b, x: b.conv(x, 128, 128, group=128, bias=False,
                                                   pads=[1, 1, 1, 1])),
]


def best_seconds(library, inputs, isa):
    best = np.inf
    for _ in range(ROUNDS):
        start = time.perf_counter()
        library.run(inputs, isa)
        best = min(best, time.perf_counter() - start)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
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
            ordinary, slow = (1000 * best_seconds(library, inputs, isa)
                              for inputs in (values, denormal))
            rows.append((case.name, isa, f"{ordinary:.2f}", f"{slow:.2f}",
                         f"{slow / ordinary:.1f}"))
    harness.report(rows, [])


if __name__ == "__main__":
    main()
