"""A random graph that grows node by node; ONNX Runtime computes every node as soon as it is made.

So a graph is valid by construction, every value is known while the next node is drawn, and the
effect of rounding can be measured: `noise` computes the nodes again with every result off by some
units in the last place.
"""

import dataclasses

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

LARGEST_VALUE = 100.0     # Of any intermediate.
LARGEST_COUNT = 6000      # Elements of any intermediate.
UNITS = 2.0 ** -22        # What `noise` scatters every result by, relative.

NOT_IN_RUNTIME = {("Swish", None), ("SpaceToDepth", "CRD")}  # Operator, mode.


class Unsuitable(Exception):
    """ONNX Runtime refuses the node, or its values are no use."""


@dataclasses.dataclass
class Node:
    proto: onnx.NodeProto
    reads: list             # Names, without "", with what a subgraph captures.
    session: object         # Of this node alone.


def tensor_type(array):
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def value_info(name, array, shape=None):
    return helper.make_tensor_value_info(name, tensor_type(array),
                                         array.shape if shape is None else shape)


def make_session(nodes, inputs, outputs, constants, opset):
    """A session of ONNX Runtime, unoptimised."""
    graph = helper.make_graph(nodes, "graph", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_mem_reuse = False  # Its shape inference may be wrong about a ConvTranspose.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


class Reference:
    """ONNX's own evaluator in the place of a session, for what ONNX Runtime lacks."""

    def __init__(self, proto, inputs, outputs, opset):
        graph = helper.make_graph([proto], "node", inputs, outputs)
        self._evaluator = ReferenceEvaluator(helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8))

    def run(self, names, values):
        return self._evaluator.run(names, values)


class Graph:
    """`tensors` are the float values that a later node may read, `values` every name's value."""

    def __init__(self, prefix, opset, random):
        self.prefix = prefix
        self.opset = opset
        self.random = random
        self.nodes = []
        self.inputs = []          # Names.
        self.outputs = []
        self.constants = {}       # Initialisers, by name.
        self.values = {}
        self.tensors = []
        self.layout = "nchw"
        self.open_batch = False    # Declares a batch of 1 as any number.
        self.by_reference = False  # ONNX Runtime cannot run it as a whole.
        self.folded = set()       # Names whose values the shapes alone tell.
        self._count = 0

    # Choices.

    def pick(self, values):
        return values[int(self.random.integers(len(values)))]

    def chance(self, probability):
        return self.random.random() < probability

    def whole(self, low, high):
        """In [low, high]."""
        return int(self.random.integers(low, high + 1))

    def shape(self, name):
        return self.values[name].shape

    def rank(self, name):
        return self.values[name].ndim

    def declared_shape(self, name):
        """Of an input."""
        shape = self.shape(name)
        return ("N", *shape[1:]) if self.open_batch and shape[:1] == (1,) else shape

    def tensor(self, ranks=None, fits=None):
        """A tensor, more often a late one, of one of `ranks` and of a shape for which `fits`."""
        found = [name for name in self.tensors
                 if (ranks is None or self.rank(name) in ranks)
                 and (fits is None or fits(self.shape(name)))]
        if not found:
            raise Unsuitable("no such tensor")
        late = max(self.random.random(), self.random.random())
        return found[int(late * len(found))]

    # Growing.

    def name(self, kind):
        self._count += 1
        return f"{self.prefix}__{kind}{self._count}"

    def input(self, shape, dtype=np.float32, low=-2, high=2):
        name = self.name("input")
        self.inputs.append(name)
        if dtype == np.float32:
            self.values[name] = np.asarray(self.random.uniform(low, high, shape), dtype)
            self.tensors.append(name)
        else:
            self.values[name] = self.random.integers(0, 9, shape).astype(dtype)
        return name

    def constant(self, value, dtype=None):
        """An initialiser, or a Constant node."""
        array = np.array(value, dtype=dtype)
        if dtype is None and array.dtype == np.float64:
            array = array.astype(np.float32)
        name = self.name("constant")
        if self.chance(0.1):
            proto = helper.make_node("Constant", [], [name], name=self.name("node"),
                                     value=numpy_helper.from_array(array))
            self.nodes.append(Node(proto, [], None))
        else:
            self.constants[name] = array
        self.values[name] = array
        self.folded.add(name)
        return name

    def node(self, operator, *inputs, outputs=1, captures=(), **attributes):
        """The output's name, or the list of names when there is more than one."""
        names = [self.name(operator.lower()) for _ in range(outputs)]
        proto = helper.make_node(operator, list(inputs), names, name=self.name("node"),
                                 **{key: value for key, value in attributes.items()
                                    if value is not None})
        reads = [name for name in dict.fromkeys([*inputs, *captures]) if name]
        declared = ([value_info(name, self.values[name]) for name in reads],
                    [onnx.ValueInfoProto(name=name) for name in names])
        try:
            if (operator, attributes.get("mode")) in NOT_IN_RUNTIME:
                session = Reference(proto, *declared, self.opset)
                self.by_reference = True
            else:
                session = make_session([proto], *declared, [], self.opset)
            values = session.run(names, {name: self.values[name] for name in reads})
        except Exception as error:  # ONNX Runtime has no common class of its errors.
            raise Unsuitable(str(error)) from error
        values = [np.asarray(value) for value in values]
        for value in values:
            check_value(value)
        self.nodes.append(Node(proto, reads, session))
        self.values.update(zip(names, values))
        if operator in ("Shape", "Size") or all(name in self.folded for name in reads):
            self.folded.update(names)
        return names[0] if outputs == 1 else names

    def keep(self, *names):
        """From here on later nodes may read these."""
        self.tensors += [name for name in names if self.values[name].size > 0]

    # What came of it.

    def dump(self):
        """A mark for `restore`."""
        return len(self.nodes), list(self.tensors), list(self.inputs)

    def restore(self, mark):
        """Forgets the nodes that were made since."""
        count, self.tensors, self.inputs = mark
        del self.nodes[count:]

    def ancestors(self, outputs, cut=()):
        """The nodes that `outputs` need, in order; what is in `cut` is an input."""
        wanted, chosen = set(outputs) - set(cut), []
        for node in reversed(self.nodes):
            if wanted.intersection(node.proto.output):
                chosen.append(node)
                wanted.update(set(node.reads) - set(cut))
        return chosen[::-1]

    def noise(self):
        """{output: largest change} when every result is off by UNITS."""
        changes = dict.fromkeys(self.outputs, 0.0)
        for _ in range(3):
            values = dict(self.values)
            for node in self.nodes:
                if node.session is None or set(node.proto.output) <= self.folded:
                    continue
                results = node.session.run(list(node.proto.output),
                                           {name: values[name] for name in node.reads})
                for name, value in zip(node.proto.output, map(np.asarray, results)):
                    if value.dtype == np.float32:
                        scatter = self.random.uniform(-UNITS, UNITS, value.shape)
                        value = np.asarray(value * (1 + scatter), np.float32)
                    values[name] = value
            for name in changes:
                change = np.abs(values[name] - self.values[name]).max(initial=0)
                changes[name] = max(changes[name], float(change))
        return changes


def check_value(value):
    if value.size > LARGEST_COUNT or value.ndim > 6:
        raise Unsuitable("too large")
    if value.dtype == np.float32 and not np.all(np.abs(value) <= LARGEST_VALUE):
        raise Unsuitable("values are too large")


def model_of(graphs, inputs=None, outputs=None, cut=None, shapes=True):
    """One model of all graphs; for one graph its inputs and outputs can be given."""
    nodes, constants, declared, results = [], [], [], []
    for graph in graphs:
        chosen = graph.nodes if outputs is None else graph.ancestors(outputs, cut)
        nodes += [node.proto for node in chosen]
        reads = {name for node in chosen for name in node.reads}
        constants += [numpy_helper.from_array(value, name)
                      for name, value in graph.constants.items()
                      if outputs is None or name in reads]
        declared += [value_info(name, graph.values[name], graph.declared_shape(name))
                     for name in (graph.inputs if inputs is None else inputs)]
        results += [helper.make_tensor_value_info(
            name, TensorProto.FLOAT, None if graph.open_batch else graph.shape(name))
                    for name in (graph.outputs if outputs is None else outputs)]
    model = helper.make_model(
        helper.make_graph(nodes, "random", declared, results, constants),
        opset_imports=[helper.make_opsetid("", graphs[0].opset)], ir_version=8)
    # With every shape written down, as exporters do, or with none.
    return onnx.shape_inference.infer_shapes(model, data_prop=True) if shapes else model
