#!/usr/bin/env python3
"""Whole models for another machine, under its emulator, against ONNX Runtime on this one: every
output within 1e-4 of its largest value.

usage: emulated_values.py --tool TOOL --models DIR --work DIR --machine MACHINE NAME..

NAME is a row of tests/models/models.csv, MACHINE one of machines.csv.
"""

import argparse
import csv
import os
import pathlib
import subprocess
import sys
import zlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))

import compare_models  # noqa: E402
import harness  # noqa: E402


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run(command, **variables):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            check=False, env={**os.environ, **variables})
    if result.returncode != 0:
        raise harness.CompileError(f"{' '.join(map(str, command))}: exit status "
                                   f"{result.returncode}: {result.stderr.strip()[-2000:]}")
    return result.stdout


def build(tool, model, machine, isa, folder):
    """The library by the tool, and a program of it by the machine's own compiler."""
    name = model["name"]
    run([tool, "compile", model["path"], "--output", folder, "--name", name, "--quiet",
         "--target", machine["triple"], "--cc", machine["cc"], "--isa", isa,
         "--input-shape", f"{model['input']}={model['shape']}"])
    program = folder / "run_raw.exe"
    run([machine["cc"], "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-I", folder, "-include",
         f"{name}.h", f"-DMODEL={name}_model", HERE / "run_raw.c", folder / f"lib{name}.a", "-lm",
         "-pthread", *machine["flags"].split(), "-o", program])
    return program


def outputs_of(program, machine, isa, image, shapes, folder):
    """The outputs of a run under the emulator, in the model's order."""
    image.tofile(folder / "input.bin")
    chosen = run([*machine["emulator"].split(), program, folder, folder / "input.bin"],
                 SEPCONV_ISA=isa).strip()
    if chosen != isa:
        raise harness.CompileError(f"SEPCONV_ISA={isa} chose {chosen}")
    return [np.fromfile(folder / f"{i}.bin", dtype=np.float32).reshape(shape)
            for i, shape in enumerate(shapes)]


def compare(model, machine, arguments, rows, failures):
    shape = tuple(int(extent) for extent in model["shape"].split("x"))
    model["path"] = arguments.models / model["file"]
    low, high = float(model["low"]), float(model["high"])
    if model["picture"]:
        image = compare_models.picture(arguments.models / model["picture"], shape, low, high)
    else:
        image = compare_models.smooth_image(shape, low, high, zlib.crc32(model["name"].encode()))
    expected = compare_models.reference(model["path"], model["input"], shape, image)
    for isa in machine["isas"].split("+"):
        folder = arguments.work / machine["machine"] / model["name"] / isa
        folder.mkdir(parents=True, exist_ok=True)
        try:
            program = build(arguments.tool, model, machine, isa, folder)
            values = outputs_of(program, machine, isa, image,
                                [value.shape for value in expected.values()], folder)
        except harness.CompileError as error:
            failures.append(f"{model['name']} {isa}: {error}")
            continue
        for (name, reference), value in zip(expected.items(), values):
            error = harness.relative_error(value, reference)
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
    machine = next(row for row in rows_of(HERE / "machines.csv")
                   if row["machine"] == arguments.machine)
    rows = [("machine", "model", "isa", "output", "error")]
    failures = []
    chosen = [row for row in rows_of(HERE.parent / "models" / "models.csv")
              if row["name"] in arguments.names]
    if len(chosen) != len(arguments.names):
        failures.append("no such model")
    for model in chosen:
        compare(model, machine, arguments, rows, failures)
    harness.report(rows, failures)


if __name__ == "__main__":
    main()
