#!/usr/bin/env python3
"""Whole models against double precision, per ISA: the table of docs/numbers.md.

The same model with all constants as doubles, run by onnx's ReferenceEvaluator, is what fp32
arithmetic approximates. Printed: the largest difference of any output, relative to the output's
largest value, for every ISA, for those of emulated machines, and for ONNX Runtime.
"""

import argparse
import csv
import pathlib

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

import compare_models
import emulator
import harness

BEGIN, END = "<!-- error -->\n", "<!-- end of error -->\n"


def widen(tensor):
    if tensor.data_type == TensorProto.FLOAT:
        value = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))


def widen_node(node):
    for attribute in node.attribute:
        if attribute.type == AttributeProto.TENSOR:
            widen(attribute.t)
        if node.op_type == "Cast" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.DOUBLE
    if node.op_type == "BatchNormalization":
        # With another momentum the evaluator trains: see docs/face_detection.md.
        for attribute in node.attribute:
            if attribute.name == "momentum":
                attribute.f = 1.0


def in_doubles(data, name, image):
    """The outputs of the model in `data`, computed in double precision."""
    model = onnx.load_from_string(data)
    for tensor in model.graph.initializer:
        widen(tensor)
    for node in model.graph.node:
        widen_node(node)
    for value in (*model.graph.input, *model.graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    names = [output.name for output in model.graph.output]
    outputs = ReferenceEvaluator(model).run(None, {name: image.astype(np.float64)})
    if any(output.dtype != np.float64 for output in outputs):
        raise AssertionError("the evaluator left double precision")
    return dict(zip(names, outputs))


def errors(row, folder, tool, work, machines):
    """{who: the largest relative error of any output}"""
    shape = tuple(int(extent) for extent in row["shape"].split("x"))
    path = folder / row["file"]
    image = compare_models.input_of(row, folder, shape)
    exact = in_doubles(compare_models.resized(path, row["input"], shape), row["input"], image)
    work.mkdir(parents=True, exist_ok=True)
    library, _ = harness.compile_model(tool, path, work, row["name"], {row["input"]: shape})
    outputs = {isa: library.run({row["input"]: image}, isa) for isa in library.isas()}
    for machine in machines:
        isa = machine["isas"].split("+")[0]
        emulated = emulator.EmulatedLibrary(tool, path, work / isa, row["name"], machine, isa,
                                            {row["input"]: shape})
        outputs[isa] = emulated.run({row["input"]: image}, isa)
    outputs["ONNX Runtime"] = compare_models.reference(path, row["input"], shape, image)
    return {who: max(harness.relative_error(values[name], exact[name]) for name in exact)
            for who, values in outputs.items()}


def table(rows):
    columns = list(rows[0][1])
    lines = ["| model | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{found[who]:.1e}" for who in columns) + " |"
              for name, found in rows]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=pathlib.Path, action="append", required=True,
                        help="a folder with models; others of models.csv are left out")
    parser.add_argument("--machine", type=emulator.machine_named, action="append", default=[],
                        help="a row of tests/cross/machines.csv: its first variant, emulated")
    parser.add_argument("--write", type=pathlib.Path, help="put the table into docs/numbers.md")
    arguments = parser.parse_args()
    rows = []
    with pathlib.Path(__file__).with_name("models.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for folder in arguments.models:
                if (folder / row["file"]).is_file():
                    found = errors(row, folder, arguments.tool, arguments.work / row["name"],
                                   arguments.machine)
                    rows.append((row["name"], found))
                    break
    print(table(rows), end="")
    if arguments.write:
        before, rest = arguments.write.read_text(encoding="utf-8").split(BEGIN)
        text = before + BEGIN + table(rows) + END + rest.split(END)[1]
        arguments.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
