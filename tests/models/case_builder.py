"""Small ONNX models: a Case makes nodes in a Builder; cases of one group share one model.

One compilation and one run per ISA then test a whole group; when the group does not compile, its
cases are compiled one by one, so that the report names the one at fault.
"""

import dataclasses
import typing
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

X = (1, 13, 9, 11)  # Batch, channels, height, width: no multiple of a vector anywhere.


@dataclasses.dataclass
class Case:
    """`make(builder, *inputs)` returns the name, or a list of names, of the outputs."""
    name: str
    shapes: typing.Sequence[tuple]
    make: typing.Callable
    opset: int = 17
    low: float = -2.0
    high: float = 2.0
    expected: typing.Optional[list] = None  # Values to compare with; default: ONNX Runtime's.
    values: typing.Optional[list] = None    # The inputs; default: random.

    def inputs(self):
        if self.values is not None:
            return self.values
        random = np.random.default_rng(zlib.crc32(self.name.encode()))
        return [random.uniform(self.low, self.high, shape).astype(np.float32)
                for shape in self.shapes]


class Builder:
    """Collects nodes and constants; every name starts with the case's."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.random = np.random.default_rng(zlib.crc32(prefix.encode()) + 1)
        self.nodes = []
        self.constants = []
        self._count = 0

    def _name(self, kind):
        self._count += 1
        return f"{self.prefix}__{kind}{self._count}"

    def constant(self, value, dtype=None):
        name = self._name("constant")
        array = np.array(value, dtype=dtype)
        if dtype is None and array.dtype == np.float64:
            array = array.astype(np.float32)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weights(self, *shape, scale=1.0):
        return self.constant((scale * self.random.standard_normal(shape)).astype(np.float32))

    def positive(self, *shape):
        return self.constant(self.random.uniform(0.5, 2, shape).astype(np.float32))

    def node(self, operator, *inputs, outputs=1, **attributes):
        """The output's name, or the list of names when there is more than one."""
        names = [self._name(operator.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names,
                                           name=self._name("node"), **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, out_channels, in_channels, kernel=(3, 3), bias=True, group=1, scale=1.0,
             **attributes):
        inputs = [x, self.weights(out_channels, in_channels // group, *kernel, scale=scale)]
        if bias:
            inputs.append(self.weights(out_channels))
        return self.node("Conv", *inputs, group=group, **attributes)


def build_model(cases):
    """A model of all cases (one opset), its inputs by name, and the output names of every case."""
    nodes, constants, inputs, outputs, values, names = [], [], [], [], {}, {}
    for case in cases:
        builder = Builder(case.name)
        own = [f"{case.name}__input{i}" for i in range(len(case.shapes))]
        for name, shape, value in zip(own, case.shapes, case.inputs()):
            inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
            values[name] = value
        made = case.make(builder, *own)
        names[case.name] = made if isinstance(made, list) else [made]
        nodes += builder.nodes
        constants += builder.constants
        outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                    for name in names[case.name]]
    graph = helper.make_graph(nodes, "cases", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", cases[0].opset)],
                              ir_version=8)
    # With every shape written down, as exporters do; but a branch that is not taken may have none.
    if all(node.op_type != "If" for node in nodes):
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        onnx.checker.check_model(model)
    return model, values, names
