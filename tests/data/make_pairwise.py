#!/usr/bin/env python3
"""Writes pairwise.csv: kernels under test such that every value of every column, and every pair of
values of two columns that any kernel can have, appears in at least one row.

Usage: make_pairwise.py > pairwise.csv
"""
import itertools
import random
import sys

COLUMNS = {
    "operator": ["depthwise", "pointwise", "convolution", "separable"],
    "kernel_h": [1, 2, 3, 4, 5, 7],
    "kernel_w": [1, 2, 3, 4, 5, 7],
    "stride": [1, 2],
    "dilation": [1, 2],
    "size": ["15x7", "18x17", "25x33", "7x7", "14x14", "1x1"],
    "channels": [1, 2, 3, 4, 7, 8, 12, 13, 15, 16, 20, 42, 55, 72, 111, 113, 127, 129, 130, 255,
                 257, 511, 1000],
    "out_channels": [1, 3, 8, 16, 24, 40, 130],
    "multiplier": [1, 2, 3],
    "padding": ["same_upper", "same_lower", "valid", "half", "explicit"],
    "epilogue": ["none", "relu", "clip", "hard_swish", "leaky_relu", "affine", "residual"],
    "layout": ["exact", "padded", "planar_input", "planar_output", "sliced"],
}
NAMES = list(COLUMNS)
# The explicit padding's top, left, bottom and right; kernel_cases.h has the same.
EXPLICIT = (1, 2, 0, 1)
# Keeps a test, with its reference, near a second.
MOST_MACS = 25_000_000


def output_extent(row, axis):
    """Pixels of the output along axis 0 (rows) or 1 (columns); 0 when the window does not fit."""
    size = int(row["size"].split("x")[axis])
    kernel = row["kernel_h" if axis == 0 else "kernel_w"]
    stride, dilated = row["stride"], (kernel - 1) * row["dilation"] + 1
    if row["padding"].startswith("same"):
        return -(-size // stride)
    pads = 0
    if row["padding"] == "half":
        pads = 2 * int((kernel - stride + 1) / 2)
    elif row["padding"] == "explicit":
        pads = EXPLICIT[axis] + EXPLICIT[axis + 2]
    room = size + pads - dilated
    return room // stride + 1 if room >= 0 else 0


def macs(row):
    taps = row["kernel_h"] * row["kernel_w"]
    depthwise_channels = row["channels"] * row["multiplier"]
    per_pixel = {
        "depthwise": taps * depthwise_channels,
        "separable": taps * depthwise_channels + depthwise_channels * row["out_channels"],
        "pointwise": row["channels"] * row["out_channels"],
        "convolution": taps * row["channels"] * row["out_channels"],
    }[row["operator"]]
    return per_pixel * output_extent(row, 0) * output_extent(row, 1)


def is_valid(row):
    if row["operator"] == "pointwise":
        plain = row["kernel_h"] == row["kernel_w"] == row["stride"] == row["dilation"] == 1
        if not plain or row["padding"] != "valid":
            return False
    if row["operator"] in ("pointwise", "convolution") and row["multiplier"] != 1:
        return False
    if row["operator"] == "depthwise" and row["out_channels"] != 1:
        return False  # It has none of its own; one value stands for that.
    if output_extent(row, 0) < 1 or output_extent(row, 1) < 1:
        return False
    return macs(row) <= MOST_MACS


def pairs_of(row):
    return {(a, row[a], b, row[b]) for a, b in itertools.combinations(NAMES, 2)}


def complete(generator, fixed):
    """Rows that hold `fixed`, tried at random."""
    for _ in range(400):
        row = {name: fixed.get(name, generator.choice(COLUMNS[name])) for name in NAMES}
        # Most of a random row's conflicts come from these two.
        if row["operator"] == "pointwise":
            for name in ("kernel_h", "kernel_w", "stride", "dilation", "multiplier"):
                row[name] = fixed.get(name, 1)
            row["padding"] = fixed.get("padding", "valid")
        if row["operator"] == "convolution":
            row["multiplier"] = fixed.get("multiplier", 1)
        if row["operator"] == "depthwise":
            row["out_channels"] = fixed.get("out_channels", 1)
        if is_valid(row):
            yield row


def main():
    generator = random.Random(20)
    missing = set()
    for a, b in itertools.combinations(NAMES, 2):
        for x, y in itertools.product(COLUMNS[a], COLUMNS[b]):
            missing.add((a, x, b, y))
    rows, impossible = [], []
    for pair in sorted(missing, key=str):
        if pair not in missing:
            continue
        a, x, b, y = pair
        candidates = list(itertools.islice(complete(generator, {a: x, b: y}), 150))
        if not candidates:
            missing.discard(pair)
            impossible.append(pair)
            continue
        best = max(candidates, key=lambda row: len(pairs_of(row) & missing))
        rows.append(best)
        missing -= pairs_of(best)
    print(",".join(NAMES))
    for row in rows:
        print(",".join(str(row[name]) for name in NAMES))
    for a, x, b, y in impossible:
        print(f"no kernel has {a}={x} with {b}={y}", file=sys.stderr)
    print(f"{len(rows)} rows, {len(impossible)} impossible pairs", file=sys.stderr)


if __name__ == "__main__":
    main()
