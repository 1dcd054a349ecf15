#!/usr/bin/env python3
"""Fits the weights of schedules/cost_model.cpp to measured trials, and shows what they are worth.

usage: fit_cost_model.py CSV...     as `sepconv tune --csv` writes them

A kernel's trials are fitted as parts of its default's time, so that every kernel counts the same.
Leave-one-out: for each kernel the weights are fitted to all others; the choice they put first among
its measured trials is compared with what tuning chose. Weights are not negative.
"""

import argparse
import collections
import csv

import numpy as np

FIRST_TERM = 11  # The columns behind "estimate".


def read_kernels(paths):
    """({(hash, isa): [row]}, names of the terms); of a kernel's trials the newest file's count."""
    kernels, names = {}, []
    for path in paths:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames[FIRST_TERM:]
            found = collections.defaultdict(list)
            for row in reader:
                if row["outcome"] != "dropped":
                    found[row["hash"], row["isa"], row["threads"]].append(row)
            kernels.update(found)
    return {key: rows for key, rows in kernels.items() if len(rows) > 2}, names


def matrix(rows, names):
    """(terms as parts of the default's time in nanoseconds, times as parts of the default's)."""
    nanoseconds = 1000 * float(rows[0]["microseconds"])
    terms = np.array([[float(row[name]) for name in names] for row in rows]) / nanoseconds
    return terms, np.array([float(row["of_default"]) for row in rows])


def fit(kernels, names):
    """Weights by least squares of the differences from the kernel's default; what does not vary
    within a kernel has no say. Negative ones are set to 0 and the others fitted again."""
    left, right = [], []
    for rows in kernels:
        terms, times = matrix(rows, names)
        # Far slower ones need not be told apart.
        near = times < 1.5
        left.append((terms - terms[0])[near] / np.sqrt(near.sum()))
        right.append((times - 1)[near] / np.sqrt(near.sum()))
    left, right = np.concatenate(left), np.concatenate(right)
    free = np.ones(len(names), bool)
    while True:
        weights = np.zeros(len(names))
        ridge = 1e-3 * np.eye(free.sum()) * np.trace(left[:, free].T @ left[:, free]) / max(1, free.sum())
        weights[free] = np.linalg.solve(left[:, free].T @ left[:, free] + ridge,
                                        left[:, free].T @ right)
        if (weights >= 0).all():
            return weights
        free &= weights > 0


def first_choice(rows, names, weights, believed):
    """(time as a part of the default's, row) of what the weights put first: the default, unless another one's estimated gain of the
    default's time is at least `believed`."""
    terms, times = matrix(rows, names)
    gains = (terms[0] - terms) @ weights
    best = int(np.argmax(gains))
    return times[best if gains[best] >= believed else 0], rows[best if gains[best] >= believed else 0]


def tuned_time(rows):
    """Of the default's: what was confirmed in other processes last, or the default itself."""
    return min([float(row["of_default"]) for row in rows if row["outcome"] == "best"] + [1.0])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", nargs="+")
    parser.add_argument("--believed", type=float, default=0.05,
                        help="estimated gain below which the default is kept (%(default)s)")
    arguments = parser.parse_args()
    kernels, names = read_kernels(arguments.csv)
    keys = list(kernels)
    losses = []
    print("kernel,trials,first choice,its time / default,tuned / default,loss")
    for key in keys:
        weights = fit([kernels[other] for other in keys if other != key], names)
        time, row = first_choice(kernels[key], names, weights, arguments.believed)
        tuned = tuned_time(kernels[key])
        losses.append(time / tuned)
        print(f"\"{row['kernel']}\",{len(kernels[key])},{row['tuning'] or 'default'},{time:.3f},"
              f"{tuned:.3f},{losses[-1]:.3f}")
    losses = np.array(losses)
    print(f"\nleave one out: {len(losses)} kernels, geometric mean {np.exp(np.log(losses).mean()):.3f}, "
          f"within 5 %: {(losses <= 1.05).sum()}, worst {losses.max():.3f}")
    print("weights of all:")
    for name, weight in zip(names, fit(list(kernels.values()), names)):
        print(f"    {{\"{name}\", {weight:.3f}}},")


if __name__ == "__main__":
    main()
