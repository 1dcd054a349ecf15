#!/usr/bin/env python3
"""Whole models for another machine, under its emulator, against ONNX Runtime on this one: every
output within 1e-4 of its largest value.

usage: emulated_values.py --tool TOOL --models DIR --work DIR --machine MACHINE NAME..

NAME is a row of tests/models/models.csv, MACHINE one of machines.csv.
"""

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))

import compare_models  # noqa: E402
import emulator  # noqa: E402
import harness  # noqa: E402


def compare(model, machine, arguments, rows, failures):
    shape = tuple(int(extent) for extent in model["shape"].split("x"))
    model["path"] = arguments.models / model["file"]
    image = compare_models.input_of(model, arguments.models, shape)
    expected = compare_models.reference(model["path"], model["input"], shape, image)
    for isa in machine["isas"].split("+"):
        folder = arguments.work / machine["machine"] / model["name"] / isa
        try:
            library = emulator.EmulatedLibrary(arguments.tool, model["path"], folder, model["name"],
                                               machine, isa, {model["input"]: shape})
            values = library.run({model["input"]: image}, isa)
        except harness.CompileError as error:
            failures.append(f"{model['name']} {isa}: {error}")
            continue
        for name, reference in expected.items():
            error = harness.relative_error(values[name], reference)
            rows.append((machine["machine"], model["name"], isa, name, f"{error:.2e}"))
            if not error <= harness.TOLERANCE:
                failures.append(f"{model['name']} {isa} output {name}: {error:.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--machine", required=True, help="a row of machines.csv")
    parser.add_argument("names", nargs="+", help="rows of models.csv")
    arguments = parser.parse_args()
    machine = emulator.machine_named(arguments.machine)
    rows = [("machine", "model", "isa", "output", "error")]
    failures = []
    chosen = [row for row in emulator.rows_of(HERE.parent / "models" / "models.csv")
              if row["name"] in arguments.names]
    if len(chosen) != len(arguments.names):
        failures.append("no such model")
    for model in chosen:
        compare(model, machine, arguments, rows, failures)
    harness.report(rows, failures)


if __name__ == "__main__":
    main()
