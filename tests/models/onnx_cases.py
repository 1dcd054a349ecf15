"""The 2-D Conv cases of the onnx wheel's own backend tests, weights promoted to initialisers."""

import pathlib

import numpy as np
import onnx
import onnx.backend.test
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

from case_builder import Case


def _case(name, model, inputs, outputs):
    """Only the first input stays one; the others become constants. Expected values: the wheel's."""
    graph = model.graph
    given = dict(zip((value.name for value in graph.input), inputs))
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    names = [value.name for value in graph.input if value.name not in stored]
    data, promoted = names[0], {**stored, **{key: given[key] for key in names[1:]}}

    def make(builder, x):
        renamed = {data: x}
        for node in graph.node:
            sources = [renamed[key] if key in renamed else builder.constant(promoted[key])
                       for key in node.input]
            attributes = {attribute.name: onnx.helper.get_attribute_value(attribute)
                          for attribute in node.attribute}
            renamed[node.output[0]] = builder.node(node.op_type, *sources, **attributes)
        return renamed[graph.output[0].name]

    return Case("onnx_" + name.removeprefix("test_"), [given[data].shape], make,
                values=[given[data]], expected=outputs)


def _stored_cases():
    data = pathlib.Path(onnx.backend.test.__file__).parent / "data"
    folders = sorted(data.glob("pytorch-converted/test_Conv2d*"))
    folders += sorted(data.glob("pytorch-operator/test_operator_conv"))
    for folder in folders:
        def load(kind, folder=folder):
            paths = sorted((folder / "test_data_set_0").glob(f"{kind}_*.pb"))
            return [numpy_helper.to_array(onnx.load_tensor(path)) for path in paths]
        yield folder.name, onnx.load(folder / "model.onnx"), load("input"), load("output")


def onnx_convolutions():
    cases = [_case(*stored) for stored in _stored_cases()]
    with np.errstate(all="ignore"):
        for made in collect_testcases("Conv"):
            (inputs, outputs), = made.data_sets
            cases.append(_case(made.name, made.model, inputs, outputs))
    return cases
