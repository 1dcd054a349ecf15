"""Rows of the operator table (attribute_list.py) as parts of random graphs: an operator with each
attribute and each value that it has."""

import numpy as np
from onnx import TensorProto

import attribute_walk
from attribute_list import ROWS
from attribute_rows import ABSENT, Constant, Parameter, Weights
from random_graph import LARGEST_VALUE, Graph, Unsuitable
from random_operators import draws


@draws(5)
def listed(g: Graph):
    rows = [row for row in ROWS if row.since <= g.opset <= row.until and not row.failure()
            and row.oracle == "onnxruntime" and row.meant is None]
    operator = g.pick(sorted({row.operator for row in rows}))
    row = g.pick([row for row in rows if row.operator == operator])
    inputs = [input_of(g, row, given) for given in row.inputs]
    while inputs and not inputs[-1]:
        inputs.pop()
    attributes = {key: value for key, value in row.given.items() if value is not ABSENT}
    parameters = any(isinstance(given, Parameter) for given in row.inputs)
    if row.attribute and row.value is not ABSENT and not parameters:
        attributes[row.attribute] = attribute_walk.attribute_of(row, row.value)
    made = g.node(row.operator, *inputs, outputs=row.outputs, **attributes)
    made = made if isinstance(made, list) else [made]
    return [as_float(g, made[i]) for i in row.read or range(row.outputs)]


def input_of(g, row, given):
    if isinstance(given, Parameter):
        if row.value is ABSENT:
            return ""
        given = {"data": lambda: row.value, "shape": lambda: Weights(row.value)}.get(
            given.kind, lambda: Constant(row.value, given.kind))()
    if given is None:
        return ""
    if isinstance(given, Constant):
        return g.constant(np.array(given.values, given.kind))
    if isinstance(given, Weights):
        values = g.random.uniform(given.low, given.high, given.shape)
        return g.constant(np.asarray(values, np.float32))
    fitting = [name for name in g.tensors if g.shape(name) == tuple(given)]
    if fitting and (row.low, row.high) == (-2.0, 2.0):
        return g.pick(fitting)
    if len(g.inputs) > 5:
        raise Unsuitable("more than enough inputs")
    return g.input(given, low=row.low, high=row.high)


def as_float(g, name):
    value = g.values[name]
    if value.dtype == np.float32:
        return name
    if value.dtype == np.int64 and np.abs(value).max(initial=0) > LARGEST_VALUE:
        name = g.node("Div", name, g.constant(16, np.int64))
    return g.node("Cast", name, to=TensorProto.FLOAT)
