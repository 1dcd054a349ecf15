#!/usr/bin/env python3
"""The tables of Resize against exact arithmetic, and where ONNX Runtime rounds another way.

All pairs of extents below 72 by sizes, all of them by 18 scales, in every coordinate mode, rounding
and interpolation. The oracle has positions as fractions of integers. ONNX Runtime computes them in
single precision, and takes x itself where an extent stays the same, even of a crop. Every pair of
extents for which one of its nearest pixels is not the exact one stands in resize_differences.csv, and
no other (--write makes the list anew).
"""

import argparse
import csv
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

LIMIT = 72
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
SCALES = np.array([0.1, 0.29, 0.3, 0.5, 0.6, 0.7, 0.75, 0.9, 1.0, 1.1, 1.25, 1.3, 1.5, 1.6, 1.75,
                   2.0, 2.3, 3.0], np.float32)
CROPS = ((0.0, 1.0), (0.25, 0.75), (0.1, 0.8))
COORDINATES = [(mode, (0.0, 1.0)) for mode in (
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
    "tf_half_pixel_for_nn")] + [("tf_crop_and_resize", crop) for crop in CROPS]
DIFFERENCES = pathlib.Path(__file__).parent / "resize_differences.csv"


class Positions:
    """Every output position of many resized axes, one after the other."""

    def __init__(self, axes):
        """`axes`: rows of in, out and the scale's numerator and denominator."""
        self.axes = axes
        counts = [axis[1] for axis in axes]
        self.first = np.cumsum([0] + counts)
        self.axis = np.repeat(np.arange(len(axes)), counts)
        self.ins, self.outs, self.numerators, self.denominators = (
            np.array(axes, dtype=np.int64)[self.axis].T)
        self.x = np.arange(len(self.axis)) - self.first[self.axis]

    def exact(self, mode, crop):
        """Numerators and (positive) denominators of the positions in the input."""
        x, ins, outs, p, q = self.x, self.ins, self.outs, self.numerators, self.denominators
        alone = outs == 1
        if mode == "half_pixel":
            return (2 * x + 1) * q - p, 2 * p
        if mode == "pytorch_half_pixel":
            return np.where(alone, 0, (2 * x + 1) * q - p), 2 * p
        if mode == "half_pixel_symmetric":
            return (ins - 1) * p + (2 * x + 1 - outs) * q, 2 * p
        if mode == "align_corners":
            return np.where(alone, 0, x * (ins - 1)), np.maximum(outs - 1, 1)
        if mode == "asymmetric":
            return x * q, p
        if mode == "tf_half_pixel_for_nn":
            return (2 * x + 1) * q, 2 * p
        unit = 2 ** 28  # Of which the ends of all crops are multiples.
        start, end = (int(np.float64(np.float32(part)) * unit) for part in crop)
        inside = (start * (outs - 1 - x) + end * x) * (ins - 1)
        return (np.where(alone, (start + end) * (ins - 1), inside),
                np.where(alone, 2, outs - 1) * unit)

    def split(self, table, taps):
        """Indices and weights [tap, position] of what resize_tables wrote for the axes."""
        index, weight = np.empty((2, taps, len(self.x)), np.int32)
        words = table[:2 * taps * len(self.x)]
        for first, last in zip(self.first, self.first[1:]):
            count = taps * (last - first)
            both = words[2 * taps * first:2 * taps * last].reshape(2, count)
            index[:, first:last], weight[:, first:last] = both.reshape(2, taps, -1)
        return index, weight.view(np.float32)


def by_sizes():
    return Positions([(i, o, o, i) for i in range(1, LIMIT) for o in range(1, LIMIT)])


def by_scales():
    axes = []
    for scale in SCALES:
        p, q = float(scale).as_integer_ratio()
        outs = [int(np.float32(i) * scale) for i in range(1, LIMIT)]
        axes += [(i, o, p, q) for i, o in enumerate(outs, 1) if o > 0]
    return Positions(axes)


def rounded(rounding, n, d):
    return {"floor": n // d, "ceil": -(-n // d), "round_prefer_floor": -((d - 2 * n) // (2 * d)),
            "round_prefer_ceil": (2 * n + d) // (2 * d)}[rounding]


def taps_of(method, n, d, ins):
    """Indices and weights [tap, position]."""
    whole = n // d
    t = (n - whole * d) / d
    if method == "linear":
        whole, t = (np.where(n < 0, 0, np.where(whole >= ins - 1, ins - 1, whole)),
                    np.where((n < 0) | (whole >= ins - 1), 0, t))
        first, weights = whole, [1 - t, t]
    elif method == "cubic":
        a, u = -0.75, 1 - t
        first, weights = whole - 1, [
            ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a,
            ((a + 2) * t - (a + 3)) * t * t + 1, ((a + 2) * u - (a + 3)) * u * u + 1,
            ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a]
    else:
        first, weights = rounded(method, n, d), [np.ones(len(n))]
    index = np.array([np.clip(first + k, 0, ins - 1) for k in range(len(weights))])
    return index, np.array(weights)


def check_tables(tables):
    """What the tool's tables have other than the oracle."""
    words = np.frombuffer(tables, np.int32)
    failures, at = [], 0
    for mode, crop in COORDINATES:
        for method in (*ROUNDINGS, "linear", "cubic"):
            for kind, positions in (("sizes", by_sizes()), ("scales", by_scales())):
                index, weight = taps_of(method, *positions.exact(mode, crop), positions.ins)
                found = positions.split(words[at:], len(index))
                at += 2 * index.size
                wrong = (found[0] != index) | (np.abs(found[1] - weight) > 1e-7)
                for k in np.flatnonzero(wrong.any(axis=0))[:3]:
                    failures.append(f"{mode} {crop} {method} {kind} {positions.axes[positions.axis[k]]} "
                                    f"x {positions.x[k]}: {found[0][:, k]}, exact {index[:, k]}")
    if at != len(words):
        failures.append(f"{len(words)} words of tables, expected {at}")
    return failures


def session_of(mode, rounding, crop):
    node = helper.make_node("Resize", ["x", "roi", "", "sizes"], ["y"], mode="nearest",
                            coordinate_transformation_mode=mode, nearest_mode=rounding)
    opset = 19
    constants = [helper.make_tensor("roi", TensorProto.FLOAT, [8],
                                    [0, 0, crop[0], 0, 1, 1, crop[1], 1])]
    if mode == "tf_half_pixel_for_nn":  # Of operator set 11 alone, where scales may not be omitted.
        opset, node.input[2] = 11, "none"
        constants.append(helper.make_tensor("none", TensorProto.FLOAT, [0], []))
    graph = helper.make_graph(
        [node], "resize",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, None, 1]),
         helper.make_tensor_value_info("sizes", TensorProto.INT64, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def runtime_differences():
    """[mode, crop, rounding, "in>out ..."]: where ONNX Runtime takes another pixel."""
    onnxruntime.set_default_logger_severity(3)
    rows = []
    positions = by_sizes()
    for mode, crop in COORDINATES[:-1]:  # With a roi of few bits: else nearly all pairs differ.
        n, d = positions.exact(mode, crop)
        for rounding in ROUNDINGS:
            exact = np.clip(rounded(rounding, n, d), 0, positions.ins - 1)
            session = session_of(mode, rounding, crop)
            pairs = []
            for k, (i, o, *_) in enumerate(positions.axes):
                pixels = np.arange(i, dtype=np.float32).reshape(1, 1, i, 1)
                sizes = np.array([1, 1, o, 1], np.int64)
                found = session.run(None, {"x": pixels, "sizes": sizes})[0].ravel()
                if (found != exact[positions.first[k]:positions.first[k + 1]]).any():
                    pairs.append(f"{i}>{o}")
            if pairs:
                rows.append([mode, f"{crop[0]} {crop[1]}", rounding, " ".join(pairs)])
    return rows


def check_differences(write):
    rows = runtime_differences()
    if write:
        with DIFFERENCES.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                [["coordinates", "crop", "rounding", "in>out"], *rows])
    with DIFFERENCES.open(newline="") as file:
        listed = {tuple(row[:3]): set(row[3].split()) for row in list(csv.reader(file))[1:]}
    found = {tuple(row[:3]): set(row[3].split()) for row in rows}
    failures = []
    for key in sorted({*listed, *found}):
        for pair in sorted(listed.get(key, set()) ^ found.get(key, set())):
            side = "is listed, but agrees" if pair in listed.get(key, set()) else "is not listed"
            failures.append(f"{' '.join(key)} {pair} {side}")
    print(sum(map(len, found.values())), "pairs of extents where ONNX Runtime takes another pixel")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--write", action="store_true", help=f"write {DIFFERENCES.name}")
    parser.add_argument("program", help="resize_tables")
    arguments = parser.parse_args()
    tables = subprocess.run([arguments.program], check=True, stdout=subprocess.PIPE).stdout
    failures = check_tables(tables) + check_differences(arguments.write)
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{len(tables)} bytes of tables, {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
