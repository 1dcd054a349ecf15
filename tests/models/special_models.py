#!/usr/bin/env python3
"""NaN, infinities and denormals in whole models, per ISA: as docs/numbers.md says.

One value in the middle of the input is replaced, or the whole input scaled to denormals, for which
the answer must be that for zeros. A run must end, write every output and nothing else, and give the
same bits on any buffers and threads.
"""

import argparse
import csv
import pathlib

import numpy as np

import compare_models
import harness
from special_values import DENORMAL_SCALE, alike, cell, classes

BEGIN, END = "<!-- special models -->\n", "<!-- end of special models -->\n"
SPECIAL = {"NaN": np.nan, "+inf": np.inf, "-inf": -np.inf}


def found_in(outputs):
    """What is among the values of all outputs, named as in the table of operators."""
    return classes(np.concatenate([value.ravel() for value in outputs.values()]))


def cells_of(row, folder, tool, work):
    """{column: cell} of one model."""
    shape = tuple(int(extent) for extent in row["shape"].split("x"))
    path = folder / row["file"]
    work.mkdir(parents=True, exist_ok=True)
    library, _ = harness.compile_model(tool, path, work, row["name"], {row["input"]: shape})

    def run(image, isa):
        # Own arena and a caller's, one thread and two; compare_models.py has the rest.
        return library.run({row["input"]: image}, isa, harness.SETUPS[1:3])

    base, cells = compare_models.input_of(row, folder, shape), {}
    for column, value in SPECIAL.items():
        image = base.copy()
        image[tuple(extent // 2 for extent in shape)] = value
        theirs = found_in(compare_models.reference(path, row["input"], shape, image))
        found = {isa: found_in(run(image, isa)) for isa in library.isas()}
        cells[column] = cell(found, theirs, set(found.values()) == {theirs})
    image = base * np.float32(6 * DENORMAL_SCALE / np.abs(base).max())
    found = {}
    for isa in library.isas():
        ours, zeros = run(image, isa), run(np.zeros_like(base), isa)
        same = all(alike(ours[name], value) for name, value in zeros.items())
        found[isa] = "as zeros" if same else found_in(ours)
    cells["denormals"] = cell(found, "", True)
    return cells


def line_of(name, cells):
    return f"| {name} | " + " | ".join(cells.values()) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=pathlib.Path, action="append", required=True,
                        help="a folder with models")
    parser.add_argument("--write", action="store_true", help="write the rows instead")
    parser.add_argument("document", type=pathlib.Path, help="docs/numbers.md")
    parser.add_argument("names", nargs="*", help="rows of models.csv; default: all")
    arguments = parser.parse_args()
    text = arguments.document.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    lines, failures = table.splitlines(), []
    with pathlib.Path(__file__).with_name("models.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file)
                if not arguments.names or row["name"] in arguments.names]
    written = ["| model | " + " | ".join([*SPECIAL, "denormals"]) + " |", "| --- " * 5 + "|"]
    for row in rows:
        folder = next(path for path in arguments.models if (path / row["file"]).is_file())
        cells = cells_of(row, folder, arguments.tool, arguments.work / row["name"])
        written.append(line_of(row["name"], cells))
    if arguments.write:
        block = BEGIN + "\n".join(written) + "\n" + END
        arguments.document.write_text(before + block + after, encoding="utf-8")
        lines = written
    failures += [f"{arguments.document} lacks: {line}" for line in written if line not in lines]
    harness.report([("model",), *((row["name"],) for row in rows)], failures)


if __name__ == "__main__":
    main()
