#!/usr/bin/env python3
"""Models that the tool must refuse: exit status, one message that names node and operator, no file.
And models with odd names, which must not: the library is built and run.

usage: hostile_models.py TOOL WORK_FOLDER
"""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, external_data_helper, helper, numpy_helper

import harness

# What would end a C string, a comment, a line, an assembler's string or a path.
ODD = '"*/\n/*\\??/\'%s{}$(id)<b>../\t'


def model(operator, inputs=("x",), weights=None, shape=(1, 3, 8, 8), extra=(), **attributes):
    """One node named `culprit`."""
    attributes = {"name": "culprit", **attributes}
    node = helper.make_node(operator, list(inputs), ["y"], **attributes)
    constants = [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()]
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    values += [helper.make_tensor_value_info(name, TensorProto.FLOAT, extent)
               for name, extent in extra]
    graph = helper.make_graph([node], "refused", values,
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def external(location):
    """A Conv whose weights lie in another file."""
    made = model("Conv", ("x", "w"), {"w": np.ones((4, 3, 3, 3), np.float32)})
    external_data_helper.set_external_data(made.graph.initializer[0], location)
    made.graph.initializer[0].ClearField("raw_data")
    return made


def refused():
    """(name, bytes, words that the message must hold)."""
    kernel = np.ones((4, 3, 3, 3), np.float32)
    wrong = np.ones((4, 5, 3, 3), np.float32)
    good = model("Conv", ("x", "w"), {"w": kernel})
    unknown = model("Relu", shape=("batch", 3, "height", 8))
    return [
        ("unsupported_operator", model("Hardmax"), ["culprit", "Hardmax"]),
        ("weights_not_constant", model("Conv", ("x", "w"), extra=[("w", (4, 3, 3, 3))]),
         ["culprit", "Conv"]),
        ("channels_do_not_fit", model("Conv", ("x", "w"), {"w": wrong}), ["culprit", "Conv"]),
        ("unknown_extent", unknown, ["x", "--input-shape"]),
        ("missing_value", model("Conv", ("x", "nowhere")), ["nowhere"]),
        ("truncated", good.SerializeToString()[:-40], []),
        ("not_a_model", b"this is no protocol buffer", []),
        ("empty", b"", []),
        ("nul_in_a_name", model("Relu", name="a\0b").SerializeToString(), ["a\\x00b", "NUL"]),
        ("external_above", external("../secret.bin"), ["'w'", "outside the model's folder"]),
        ("external_absolute", external("/etc/passwd"), ["'w'", "outside the model's folder"]),
        ("external_link", external("link.bin"), ["'w'", "outside the model's folder"]),
    ]


def check(tool, work, name, content, words):
    """What is wrong with the refusal, or None."""
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "link.bin").unlink(missing_ok=True)
    (folder / "link.bin").symlink_to("/etc/passwd")
    path = folder / "model.onnx"
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    result = subprocess.run([tool, "compile", path, "--output", folder / "out", "--name", "model"],
                            capture_output=True, text=True, check=False, timeout=60)
    if result.returncode <= 0:
        return f"exit status {result.returncode}"
    missing = [word for word in words if word not in result.stderr]
    if missing:
        return f"the message lacks {missing}: {result.stderr!r}"
    if not result.stderr.strip():
        return "no message"
    left = [str(file) for file in (folder / "out").rglob("*") if file.is_file()]
    return f"files were left: {left}" if left else None


def odd_names(work):
    """A model whose every name is odd, in a file of such a name; its node's is not even UTF-8."""
    nodes = [helper.make_node("Conv", ["in" + ODD, "w" + ODD], ["middle" + ODD], name="NODE"),
             helper.make_node("Relu", ["middle" + ODD], ["out" + ODD], name=ODD)]
    weights = numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w" + ODD)
    graph = helper.make_graph(
        nodes, ODD, [helper.make_tensor_value_info("in" + ODD, TensorProto.FLOAT, (1, 3, 8, 8))],
        [helper.make_tensor_value_info("out" + ODD, TensorProto.FLOAT, None)], [weights])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = work / 'odd "\n$(id)\'.onnx'
    path.write_bytes(made.SerializeToString().replace(b"NODE", b"\xff\xfe\"\n"))
    return path


def check_odd_names(tool, work):
    """What is wrong with the library of odd_names(), or None."""
    work.mkdir(parents=True, exist_ok=True)
    path = odd_names(work)
    try:
        library, _ = harness.compile_model(tool, path, work / "out", "odd")
    except harness.CompileError as error:
        return str(error)
    if library.inputs[0][0] != "in" + ODD or library.outputs[0][0] != "out" + ODD:
        return f"the names are {library.inputs} and {library.outputs}"
    outputs = library.run({"in" + ODD: np.ones((1, 3, 8, 8), np.float32)}, library.isas()[0])
    if not (outputs["out" + ODD] == 27).all():
        return f"the output is {outputs}"
    # Without --name, the library's is made of the file's.
    result = subprocess.run([tool, "compile", path, "--output", work / "unnamed"],
                            capture_output=True, text=True, check=False, timeout=60)
    made = sorted(file.name for file in (work / "unnamed").glob("*.a"))
    return None if made == ["libodd_____id__.a"] else f"made {made}: {result.stderr}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tool, work = sys.argv[1], pathlib.Path(sys.argv[2])
    problem = check_odd_names(tool, work / "odd_names")
    failures = int(problem is not None)
    print(f"odd_names: {problem or 'compiled and run'}", flush=True)
    for name, content, words in refused():
        problem = check(tool, work, name, content, words)
        failures += problem is not None
        print(f"{name}: {problem or 'refused'}", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
