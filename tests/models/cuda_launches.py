#!/usr/bin/env python3
"""A model compiled for CUDA, run on the stub driver of tests/runtime, which records every call.

Inputs go up, outputs come down; between them there are launches alone, all on one stream, and one
for each block, but for those that must know a whole image before they go on. Nothing is computed.
"""

import argparse
import ctypes
import json
import pathlib
import sys

import numpy as np

import harness

# Launches of a squeeze-excite: its input's channels, their row sums, totals, two small layers, the gate
# on the project's weights, the project.
MOST_LAUNCHES_OF_A_SQUEEZE = 7


class _Call(ctypes.Structure):
    """stub_call_t"""
    _fields_ = [("function", ctypes.c_char_p), ("stream", ctypes.c_void_p),
                ("kernel", ctypes.c_char_p), ("bytes", ctypes.c_size_t)]


_LAUNCH = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint,
                           ctypes.c_void_p)


class _Driver(ctypes.Structure):
    """stub_cuda_t"""
    _fields_ = [("driver_version", ctypes.c_int), ("device_count", ctypes.c_int),
                ("capabilities", ctypes.c_int * 2), ("launch", _LAUNCH),
                ("failing_function", ctypes.c_char_p), ("failing_result", ctypes.c_int),
                ("calls_before_failure", ctypes.c_int), ("contexts", ctypes.c_int),
                ("streams", ctypes.c_int), ("events", ctypes.c_int), ("modules", ctypes.c_int),
                ("allocations", ctypes.c_int), ("misuses", ctypes.c_int),
                ("call_count", ctypes.c_int), ("calls", _Call * 4096)]


class Library(harness.Library):
    """A library for CUDA."""

    def calls_of_a_run(self, driver):
        """[(function, stream)] of one profiled run: a cuEventRecord between every two steps."""
        options = harness.Options(profile=1, device=b"cuda")
        context = ctypes.c_void_p()
        self._check(self._library.sepconv_context_create(self._model, ctypes.byref(options),
                                                         ctypes.byref(context)))
        inputs = [np.zeros(shape, np.float32) for _, shape in self.inputs]
        outputs = [np.zeros(shape, np.float32) for _, shape in self.outputs]
        first = driver.call_count
        self._check(self._library.sepconv_run(context, harness.pointers(inputs),
                                              harness.pointers(outputs)))
        calls = [(call.function.decode(), call.stream)
                 for call in driver.calls[first:driver.call_count]]
        self._library.sepconv_context_destroy(context)
        return [call for call in calls if not call[0].startswith("cuCtxP")]


def launches_of_steps(calls, inputs, outputs):
    """The number of launches between every two marks; an error where there is anything else."""
    functions = [function for function, _ in calls]
    first = functions.index("cuEventRecord")
    last = len(functions) - functions[::-1].index("cuEventRecord")
    if functions[:first] != ["cuMemcpyHtoDAsync_v2"] * inputs:
        raise AssertionError(f"before the first step: {functions[:first]}")
    if functions[last:last + outputs + 1] != (["cuMemcpyDtoHAsync_v2"] * outputs +
                                              ["cuStreamSynchronize"]):
        raise AssertionError(f"after the last step: {functions[last:last + outputs + 1]}")
    steps = functions[first:last]
    if set(steps) != {"cuEventRecord", "cuLaunchKernel"}:
        raise AssertionError(f"in the steps: {sorted(set(steps))}")
    streams = {stream for _, stream in calls[:last + outputs + 1]}
    if len(streams) != 1 or None in streams:
        raise AssertionError(f"streams: {streams}")
    marks = [i for i, function in enumerate(steps) if function == "cuEventRecord"]
    return [after - before - 1 for before, after in zip(marks, marks[1:])]


def expected(kind, launches):
    """Whether a block of that kind may have so many."""
    if "squeeze" in kind:
        return 1 < launches <= MOST_LAUNCHES_OF_A_SQUEEZE
    return launches == 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("model", type=pathlib.Path)
    arguments = parser.parse_args()
    stub = ctypes.CDLL("libcuda.so.1")
    stub.stub_cuda.restype = ctypes.POINTER(_Driver)
    stub.stub_cuda_reset.restype = None
    stub.stub_cuda_reset()
    driver = stub.stub_cuda().contents
    driver.launch = _LAUNCH(lambda *_: None)
    name = arguments.model.stem
    folder = arguments.work / name
    folder.mkdir(parents=True, exist_ok=True)
    harness.compile_model(arguments.tool, arguments.model, folder, name, device="cuda")
    library = Library(folder / f"lib{name}.so", name, "cuda")
    calls = library.calls_of_a_run(driver)
    launches = launches_of_steps(calls, len(library.inputs), len(library.outputs))
    report = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    blocks = report["blocks"]
    if len(launches) != len(blocks):
        raise AssertionError(f"{len(blocks)} blocks and {len(launches)} steps")
    wrong = 0
    for block, count in zip(blocks, launches):
        verdict = "" if expected(block["kind"], count) else "   unexpected"
        wrong += bool(verdict)
        print(f"{count:3} launches  {block['kind']} {block['shape']}{verdict}")
    alive = (driver.contexts, driver.streams, driver.events, driver.modules, driver.allocations)
    if any(alive) or driver.misuses:
        raise AssertionError(f"alive at the end: {alive}, misuses: {driver.misuses}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
