#!/usr/bin/env python3
"""Models that the tool must refuse: exit status, one message that names node and operator, no file.

usage: refused_models.py TOOL WORK_FOLDER
"""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def model(operator, inputs=("x",), weights=None, shape=(1, 3, 8, 8), extra=(), **attributes):
    """One node named `culprit`."""
    node = helper.make_node(operator, list(inputs), ["y"], name="culprit", **attributes)
    constants = [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()]
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    values += [helper.make_tensor_value_info(name, TensorProto.FLOAT, extent)
               for name, extent in extra]
    graph = helper.make_graph([node], "refused", values,
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


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
    ]


def check(tool, work, name, content, words):
    """What is wrong with the refusal, or None."""
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
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


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tool, work = sys.argv[1], pathlib.Path(sys.argv[2])
    failures = 0
    for name, content, words in refused():
        problem = check(tool, work, name, content, words)
        failures += problem is not None
        print(f"{name}: {problem or 'refused'}", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
