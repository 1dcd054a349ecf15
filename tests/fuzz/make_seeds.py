#!/usr/bin/env python3
"""Seeds and the dictionary of the fuzzer: small models, and ONNX's words.

usage: make_seeds.py OUTPUT_FOLDER [MODEL.onnx]...

OUTPUT_FOLDER/seeds gets the onnx wheel's tests of single operators, the operator cases of tests/models,
and windows of a few nodes out of the models, all extents divided by 8. OUTPUT_FOLDER/words.dict gets
the names of operators, attributes and their values.
"""

import hashlib
import math
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference
from onnx.backend.test.case.node import collect_testcases

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "models"))

import operator_list  # noqa: E402
from case_builder import build_model  # noqa: E402

MAX_BYTES = 4096
WINDOW = 8   # Nodes of a piece of a model.
SHRINK = 8


def wheel_models():
    """The wheel's tests whose inputs are floats; the other inputs become constants."""
    with np.errstate(all="ignore"):
        cases = collect_testcases(None)
    for case in cases:
        if case.model is None or not case.data_sets:
            continue
        model = onnx.ModelProto()
        model.CopyFrom(case.model)
        values = case.data_sets[0][0]
        kept = []
        for index, (info, value) in enumerate(zip(model.graph.input, values)):
            if isinstance(value, np.ndarray) and (index > 0 or value.dtype != np.float32):
                model.graph.initializer.append(numpy_helper.from_array(value, info.name))
            else:
                kept.append(info)
        del model.graph.input[:]
        model.graph.input.extend(kept)
        yield model


def case_models():
    for group in operator_list.GROUPS.values():
        for case in group():
            yield build_model([case])[0]


def shrunk(extent):
    return extent if extent < SHRINK else math.ceil(extent / SHRINK)


def small_constant(tensor, random):
    """The same rank with small extents; integers, and what is small already, stay."""
    if tensor.data_type != TensorProto.FLOAT or math.prod(tensor.dims) < SHRINK:
        return tensor
    shape = [shrunk(extent) for extent in tensor.dims]
    return numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), tensor.name)


def windows(model):
    """Pieces of WINDOW nodes with shrunk weights and inputs; a group count shrinks as channels do."""
    model = shape_inference.infer_shapes(model)
    random = np.random.default_rng(1)
    constants = {tensor.name: small_constant(tensor, random)
                 for tensor in model.graph.initializer}
    shapes = {info.name: [shrunk(dim.dim_value or 1) for dim in info.type.tensor_type.shape.dim]
              for info in [*model.graph.value_info, *model.graph.input]}
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "group":
                attribute.i = shrunk(attribute.i)
    nodes = list(model.graph.node)
    for start in range(0, len(nodes), WINDOW // 2):
        chosen = nodes[start:start + WINDOW]
        made = {name for node in chosen for name in node.output}
        read = {name for node in chosen for name in node.input if name}
        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name])
                  for name in sorted(read - made) if name in shapes and name not in constants]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                   for name in sorted(made - read)]
        graph = helper.make_graph(chosen, "window", inputs, outputs,
                                  [constants[name] for name in sorted(read) if name in constants])
        yield helper.make_model(graph, opset_imports=model.opset_import, ir_version=8)


def plain(model):
    """Without what the compiler does not read."""
    model.ClearField("doc_string")
    model.ClearField("producer_name")
    del model.graph.value_info[:]
    return model.SerializeToString(deterministic=True)


def write_seeds(folder, models):
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for source in models:
        for model in source:
            data = plain(model)
            if len(data) <= MAX_BYTES:
                name = hashlib.sha1(data).hexdigest()
                (folder / name).write_bytes(data)
                count += 1
    return count


def words():
    """Names of operators, attributes and strings, and keys of the messages' fields."""
    found = {"ai.onnx", "com.example", "location", "offset", "length", "data.bin"}
    for schema in onnx.defs.get_all_schemas():
        if schema.domain == "":
            found.add(schema.name)
            found.update(schema.attributes)
    yield from sorted(found)
    # A field's number and its wire type: as in onnx.proto.
    for number in range(1, 16):
        for kind in (0, 2, 5):
            yield chr(number << 3 | kind)


def write_dictionary(path):
    path.write_text("".join(
        '"' + "".join(c if c.isalnum() or c in "._" else f"\\x{ord(c):02x}" for c in word) + '"\n'
        for word in words()))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    loaded = [windows(onnx.load(path)) for path in sys.argv[2:]]
    count = write_seeds(folder / "seeds", [wheel_models(), case_models(), *loaded])
    write_dictionary(folder / "words.dict")
    print(f"{count} seeds")


if __name__ == "__main__":
    main()
