#!/usr/bin/env python3
"""Every operator and attribute variant against ONNX Runtime, per ISA, in a few merged models."""

import argparse
import itertools
import pathlib

import onnxruntime

import constant_cases
import graph_cases
import harness
import network_cases
import onnx_cases
import operator_list
from case_builder import build_model

GROUPS = {**operator_list.GROUPS, **graph_cases.GROUPS, **constant_cases.GROUPS,
          "networks": network_cases.networks,
          "onnx_convolutions": onnx_cases.onnx_convolutions}


class Expected:
    """Outputs of all cases by case name: a case's own expected values, or ONNX Runtime's."""

    def __init__(self, cases, model, values, names):
        onnxruntime.set_default_logger_severity(3)
        # Unoptimised: the plain meaning of every node.
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        wanted = [name for case in cases for name in names[case.name]]
        self.values = dict(zip(wanted, session.run(wanted, values)))
        for case in cases:
            if case.expected is not None:
                self.values.update(zip(names[case.name], case.expected))


def run_cases(cases, tool, folder, layout, rows, failures):
    """Compiles and compares; CompileError when the tool refuses the model."""
    model, values, names = build_model(cases)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cases.onnx"
    path.write_bytes(model.SerializeToString())
    expected = Expected(cases, model, values, names).values
    change = harness.to_nhwc if layout == "nhwc" else lambda value: value
    library, _ = harness.compile_model(tool, path, folder, "cases", layout=layout)
    inputs = {name: change(value) for name, value in values.items()}
    for isa in library.isas():
        outputs = library.run(inputs, isa)
        for case in cases:
            error = max(harness.relative_error(outputs[name], change(expected[name]))
                        for name in names[case.name])
            rows.append((case.name, case.opset, layout, isa, f"{error:.2e}"))
            if not error <= harness.TOLERANCE:
                failures.append(f"{case.name} {layout} {isa}: {error:.2e}")


def run_one_by_one(cases, tool, folder, layout, rows, failures):
    for case in cases:
        try:
            run_cases([case], tool, folder / case.name, layout, rows, failures)
        except (harness.CompileError, AssertionError) as error:
            failures.append(f"{case.name}: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", type=pathlib.Path, help="without: only ONNX Runtime is run")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--layout", choices=("nchw", "nhwc"), default="nchw")
    parser.add_argument("--case", action="append", help="only these cases")
    parser.add_argument("groups", nargs="+", choices=sorted(GROUPS))
    arguments = parser.parse_args()
    rows, failures = [("case", "opset", "layout", "isa", "error")], []
    for group in arguments.groups:
        cases = [case for case in GROUPS[group]()
                 if not arguments.case or case.name in arguments.case]
        cases.sort(key=lambda case: case.opset)
        for opset, same_opset in itertools.groupby(cases, key=lambda case: case.opset):
            chosen = list(same_opset)
            if arguments.tool is None:
                Expected(chosen, *build_model(chosen))
                rows += [(case.name, opset, "", "", "") for case in chosen]
                continue
            folder = arguments.work / group / arguments.layout / f"opset_{opset}"
            run = (chosen, arguments.tool, folder, arguments.layout, rows, failures)
            try:
                run_cases(*run)
            except harness.CompileError:
                run_one_by_one(*run)
    harness.report(rows, failures)


if __name__ == "__main__":
    main()
