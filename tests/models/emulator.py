"""Compiled models for another machine, run under its emulator."""

import csv
import os
import pathlib
import subprocess

import numpy as np

import harness

CROSS = pathlib.Path(__file__).resolve().parent.parent / "cross"


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def machine_named(name):
    """The row of machines.csv."""
    return next(row for row in rows_of(CROSS / "machines.csv") if row["machine"] == name)


def run(command, **variables):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            check=False, env={**os.environ, **variables})
    if result.returncode != 0:
        raise harness.CompileError(f"{' '.join(map(str, command))}: exit status "
                                   f"{result.returncode}: {result.stderr.strip()[-2000:]}")
    return result.stdout


class EmulatedLibrary:
    """What harness.Library is on this machine: a library by the tool, and run_raw.c with it as a
    program by the machine's own compiler."""

    def __init__(self, tool, path, folder, name, machine, isa, shapes=None):
        self._folder, self._isa = folder, isa
        self._emulator = machine["emulator"].split()
        self._program = folder / "run_raw.exe"
        folder.mkdir(parents=True, exist_ok=True)
        sizes = [f"--input-shape={key}={'x'.join(map(str, shape))}"
                 for key, shape in (shapes or {}).items()]
        run([tool, "compile", path, "--output", folder, "--name", name, "--quiet",
             "--target", machine["triple"], "--cc", machine["cc"], "--isa", isa, *sizes])
        run([machine["cc"], "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-I", folder,
             "-include", f"{name}.h", f"-DMODEL={name}_model", CROSS / "run_raw.c",
             folder / f"lib{name}.a", "-lm", "-pthread", *machine["flags"].split(),
             "-o", self._program])
        self.inputs, self.outputs = self._tensors("input"), self._tensors("output")

    def _tensors(self, side):
        """[(name, shape)] in the model's order."""
        tensors = []
        for line in run([*self._emulator, self._program, "--describe"]).splitlines():
            kind, shape, name = line.split(" ", maxsplit=2)
            if kind == side:
                tensors.append((name, tuple(int(extent) for extent in shape.split("x")[:-1])))
        return tensors

    def isas(self):
        return [self._isa]

    def run(self, inputs, isa):
        """Outputs by name from inputs by name."""
        paths = [self._folder / f"input{i}.bin" for i in range(len(self.inputs))]
        for path, (name, shape) in zip(paths, self.inputs):
            value = np.ascontiguousarray(inputs[name], dtype=np.float32)
            if value.shape != shape:
                raise AssertionError(f"input {name}: the model says {shape}, given {value.shape}")
            value.tofile(path)
        chosen = run([*self._emulator, self._program, self._folder, *paths], SEPCONV_ISA=isa)
        if chosen.strip() != isa:
            raise harness.CompileError(f"SEPCONV_ISA={isa} chose {chosen.strip()}")
        return {name: np.fromfile(self._folder / f"{i}.bin", dtype=np.float32).reshape(shape)
                for i, (name, shape) in enumerate(self.outputs)}
