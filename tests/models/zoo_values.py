#!/usr/bin/env python3
"""The models of bench/zoo in ONNX Runtime: logits of unit scale, and no layer constant or huge.

A layer is a Conv, a Gemm or an activation; pictures differ from those that the zoo was built with.
"""

import argparse
import csv
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import helper

import compare_models
import harness

LAYERS = {"Conv", "Gemm", "Relu", "Clip", "HardSigmoid", "HardSwish", "Erf", "Concat", "Mul"}
LOGITS = (0.1, 10)   # Standard deviation.
LAYER = (0.01, 100)
DEAD = 0.05          # Share of the channels that are the same at every pixel.


def layers(path):
    """(operator, name, value) of every layer's output."""
    model = onnx.load(path)
    outputs = {node.output[0]: node.op_type for node in model.graph.node
               if node.op_type in LAYERS or node.output[0] == "logits"}
    model.graph.output.extend(helper.make_empty_tensor_value_info(name)
                              for name in outputs if name != "logits")
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    image = compare_models.smooth_image((1, 3, 224, 224), -2, 2, seed=1)
    for name, value in zip(outputs, session.run(list(outputs), {"input": image})):
        yield outputs[name], name, value.astype(np.float64)


def check(path, rows, failures):
    deviations, largest_dead = [], 0.0
    for operator, name, value in layers(path):
        low, high = LOGITS if name == "logits" else LAYER
        deviations.append(value.std())
        if not low <= deviations[-1] <= high:
            failures.append(f"{path.stem} {name} ({operator}): standard deviation "
                            f"{deviations[-1]:.3g}, expected {low:g} to {high:g}")
        if value.ndim == 4 and value[0, 0].size > 1:
            dead = float((np.ptp(value[0], axis=(1, 2)) == 0).mean())
            largest_dead = max(largest_dead, dead)
            if dead > DEAD:
                failures.append(f"{path.stem} {name} ({operator}): {100 * dead:.0f} % of the "
                                f"channels are constant, expected at most {100 * DEAD:g} %")
    rows.append((path.stem, f"{deviations[-1]:.2f}", f"{min(deviations):.2f}",
                 f"{max(deviations):.2f}", f"{100 * largest_dead:.1f}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.glob("*.onnx"))
    rows = [("model", "std of logits", "smallest", "largest", "% constant channels")]
    failures = [] if paths else [f"no model in {arguments.folder}"]
    with pathlib.Path(__file__).with_name("models.csv").open(newline="", encoding="utf-8") as file:
        compared = {row["name"] for row in csv.DictReader(file)}
    failures += [f"{path.stem}: expected a row in models.csv" for path in paths
                 if path.stem not in compared]
    for path in paths:
        check(path, rows, failures)
    harness.report(rows, failures)


if __name__ == "__main__":
    main()
