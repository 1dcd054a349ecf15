#!/usr/bin/env python3
"""Every row of attribute_list.py, compiled and run, against ONNX Runtime.

A row is tried with every version that ONNX has of its operator. Its result must be ONNX's; that the
value matters is shown where ONNX's result with another value differs. Refused rows must fail with the
node's name and the row's words. Rows of one operator set share one library.

Every operator, attribute and string that the compiler's rules know (--rules prints them) needs rows,
and every attribute that ONNX has of these operators.
"""

import argparse
import collections
import dataclasses
import pathlib
import subprocess
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import guarded
import harness
from attribute_list import NOTES, ROWS
from attribute_rows import ABSENT, FIRST, LAST, Constant, Parameter, Weights

TOLERANCE = 1e-5  # Of the largest value.
MATTERS = 1e-4    # By which results of different values must differ.
SETUPS = (guarded.Setup(True, 0, 1, None), guarded.Setup(False, 0, 1, True))


def schemas():
    """{operator: [schemas by version]}"""
    found = collections.defaultdict(list)
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            found[schema.name].append(schema)
    return {name: sorted(versions, key=lambda schema: schema.since_version)
            for name, versions in found.items()}


def versions(row, known):
    """[(first, last operator set, schema)] of the versions within the row's range."""
    found = known[row.operator]
    ends = [schema.since_version - 1 for schema in found[1:]] + [LAST]
    return [(max(schema.since_version, row.since), min(end, row.until), schema)
            for schema, end in zip(found, ends)
            if schema.since_version <= row.until and end >= row.since]


def chosen_opsets(rows, known):
    """The fewest operator sets with one in every version of every row: {opset: rows}."""
    ranges = sorted({(last, first) for row in rows for first, last, _ in versions(row, known)})
    points = []
    for last, first in ranges:
        if not points or points[-1] < first:
            points.append(last)
    return {point: [row for row in rows
                    if any(first <= point <= last and
                           not any(first <= other < point for other in points)
                           for first, last, _ in versions(row, known))]
            for point in points}


class Node:
    """One row's node, or with `otherwise` in the value's place; unique names by prefix."""

    def __init__(self, row, prefix, value, **changed):
        self.row, self.prefix = row, prefix
        self.random = np.random.default_rng(zlib.crc32(row.name().encode()))
        self.inputs, self.values, self.constants, self.nodes = [], {}, [], []
        names = [self._input(i, given, value) for i, given in enumerate(row.inputs)]
        while names and not names[-1]:
            names.pop()
        if row.after_conv:
            names[0] = self._convolved(names[0], row.inputs[0][1])
        outputs = [f"{prefix}_y{i}" for i in range(row.outputs)]
        attributes = {key: given for key, given in {**row.given, **changed}.items()
                      if given is not ABSENT}
        if changed.get(row.attribute) is not ABSENT and row.attribute and value is not ABSENT and not any(
                isinstance(given, Parameter) for given in row.inputs):
            attributes[row.attribute] = attribute_of(row, value)
        self.nodes.append(helper.make_node(row.operator, names, outputs, name=row.name(),
                                           **attributes))
        if not self.values or row.operator in ("Shape", "Size"):
            self.nodes += [helper.make_node("Cast", [name], [name + "_float"], to=1)
                           for name in outputs]
            outputs = [name + "_float" for name in outputs]
        self.outputs = [outputs[i] for i in row.read or range(row.outputs)]

    def _convolved(self, name, channels):
        weights = self.random.uniform(-1, 1, (channels, channels, 1, 1))
        self.constants.append(numpy_helper.from_array(np.float32(weights), f"{self.prefix}_w"))
        self.nodes.append(helper.make_node("Conv", [name, f"{self.prefix}_w"],
                                           [f"{self.prefix}_c"]))
        return f"{self.prefix}_c"

    def _input(self, i, given, value):
        """The name of the node's input i, which is made."""
        name = f"{self.prefix}_x{i}"
        row = self.row
        if isinstance(given, Parameter):
            if value is ABSENT:
                return ""
            given = (value if given.kind == "data" else Weights(value) if given.kind == "shape"
                     else Constant(value, given.kind))
        if given is None:
            return ""
        if isinstance(given, Constant):
            self.constants.append(tensor(given, name))
        elif isinstance(given, Weights):
            values = self.random.uniform(given.low, given.high, given.shape)
            self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32),
                                                          name))
        else:
            values = self.random.uniform(row.low, row.high, given)
            self.values[name] = np.asarray(values, np.float32)
            self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, given))
        return name


def tensor(constant, name):
    return numpy_helper.from_array(np.array(constant.values, constant.kind), name)


def attribute_of(row, value):
    if row.attribute == "sparse_value":
        return helper.make_sparse_tensor(
            tensor(Constant([value.values[1]], value.kind), "values"),
            tensor(Constant([1]), "indices"), [2])
    return tensor(value, row.attribute) if isinstance(value, Constant) else value


def model_of(nodes, opset, outputs):
    graph = helper.make_graph(
        [proto for node in nodes for proto in node.nodes], "walk",
        [value for node in nodes for value in node.inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [constant for node in nodes for constant in node.constants])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def meaning(nodes, opset):
    """Outputs by name as ONNX has them, and what cannot be run: {prefix: message}."""
    names = [name for node in nodes for name in node.outputs]
    values = {name: value for node in nodes for name, value in node.values.items()}
    model = model_of(nodes, opset, names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        return dict(zip(names, session.run(names, values))), {}
    except Exception as error:  # pylint: disable=broad-except  # ONNX Runtime has no common class.
        if len(nodes) == 1:
            return {}, {nodes[0].prefix: str(error)[:300]}
    results, failed = {}, {}
    half = len(nodes) // 2
    for part in (nodes[:half], nodes[half:]):
        some, messages = meaning(part, opset)
        results.update(some)
        failed.update(messages)
    return results, failed


def reference(node, opset):
    """Outputs by name of ONNX's own evaluator."""
    evaluator = ReferenceEvaluator(model_of([node], opset, node.outputs))
    return dict(zip(node.outputs, evaluator.run(None, node.values)))


class Walk:
    """The rows of one operator set."""

    def __init__(self, opset, rows, arguments, failures):
        self.opset, self.arguments, self.failures = opset, arguments, failures
        self.folder = arguments.work / f"opset_{opset}"
        self.folder.mkdir(parents=True, exist_ok=True)
        computed = [row for row in rows if not row.failure()]
        self.nodes = [Node(row, f"r{i}", row.value) for i, row in enumerate(computed)]
        self.others = {f"r{i}": Node(row, f"o{i}", row.otherwise)
                       for i, row in enumerate(computed)
                       if row.attribute and row.same != "required"}
        self.refused = [row for row in rows if row.failure()]

    def fail(self, row, message):
        self.failures.append(f"{row.name()} (opset {self.opset}): {message}")

    def run(self):
        self.expect()
        if self.arguments.tool:
            self.compare()
            for row in self.refused:
                self.refuse(row)

    def expect(self):
        """ONNX's results, and that the rows' values matter."""
        self.expected, failed = meaning([*self.nodes, *self.others.values()], self.opset)
        for node in list(self.nodes):
            if node.row.meant:
                same = Node(node.row, node.prefix, node.row.value, **node.row.meant)
                results, messages = meaning([same], self.opset)
                failed.pop(node.prefix, None)
                failed.update(messages)
                self.expected.update(results)
            if node.row.oracle == "onnx":
                failed.pop(node.prefix, None)
                self.expected.update(reference(node, self.opset))
            if node.prefix in failed:
                self.fail(node.row, f"ONNX Runtime: {failed[node.prefix]}")
                self.nodes.remove(node)
                continue
            other = self.others.get(node.prefix)
            if other is None:
                continue
            if other.prefix in failed:
                self.fail(node.row, f"ONNX Runtime, {node.row.otherwise}: {failed[other.prefix]}")
                continue
            difference = self.error(node, {mine: self.expected[theirs] for mine, theirs in
                                           zip(node.outputs, other.outputs)})
            if node.row.same and difference > TOLERANCE:
                self.fail(node.row, f"is not the same as {node.row.otherwise}: {difference:.2e}")
            if not node.row.same and difference < MATTERS:
                self.fail(node.row, f"does not differ from {node.row.otherwise}: {difference:.2e}")

    def error(self, node, outputs):
        return max(harness.relative_error(outputs[name], self.expected[name])
                   for name in node.outputs)

    def compare(self):
        """All in one library; a row that the tool refuses is named and left out."""
        nodes = list(self.nodes)
        while nodes:
            try:
                library = self.compile(nodes)
            except harness.CompileError as error:
                at_fault = [node for node in nodes if f"node '{node.row.name()}'" in str(error)]
                if not at_fault:
                    self.failures.append(f"opset {self.opset}: {error}")
                    return
                self.fail(at_fault[0].row, str(error))
                nodes.remove(at_fault[0])
                continue
            values = {name: value for node in nodes for name, value in node.values.items()}
            outputs = library.run(values, self.arguments.isa, SETUPS)
            for node in nodes:
                error = self.error(node, outputs)
                if not error <= TOLERANCE:
                    self.fail(node.row, f"differs from ONNX by {error:.2e}")
            return

    def compile(self, nodes, name="walk"):
        model = model_of(nodes, self.opset, [name for node in nodes for name in node.outputs])
        path = self.folder / "walk.onnx"
        path.write_bytes(model.SerializeToString())
        return harness.compile_model(self.arguments.tool, path, self.folder, name,
                                     isas=[self.arguments.isa])[0]

    def refuse(self, row):
        node = Node(row, "r", row.value)
        path = self.folder / "refused.onnx"
        path.write_bytes(model_of([node], self.opset, node.outputs[:1] if row.outputs == 1 else
                                  node.outputs).SerializeToString())
        result = subprocess.run(
            [self.arguments.tool, "compile", path, "--output", self.folder / "refused", "--isa",
             self.arguments.isa], capture_output=True, text=True, check=False)
        if (result.returncode != 1 or f"node '{row.name()}'" not in result.stderr or
                row.failure() not in result.stderr.split("): ", 1)[-1]):
            self.fail(row, f"expected to be refused with {row.failure()!r}: exit status "
                           f"{result.returncode}: {result.stderr.strip()[-300:]}")


@dataclasses.dataclass
class Field:
    """An attribute or (kind "x") optional input that the compiler knows."""
    name: str
    kind: str
    since: int
    until: int
    values: list

    def opsets(self):
        return {opset for opset in range(FIRST, LAST + 1)
                if opset >= self.since and self.until in (0, *range(opset, LAST + 1))}


def known_rules(program):
    """{operator: fields} of the compiler."""
    text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    rules = {}
    for line in text.splitlines():
        words = line.split()
        if line.startswith(" "):
            rules[operator].append(Field(*words[:2], *map(int, words[2:4]), words[4:]))
        else:
            operator = words[0]
            rules[operator] = []
    return rules


def fields_of(schema):
    """(names of attributes, names of inputs)"""
    return set(schema.attributes), {given.name for given in schema.inputs}


def opsets_with(name, by_input, found):
    """The operator sets in which ONNX has the attribute or input."""
    ends = [schema.since_version - 1 for schema in found[1:]] + [LAST]
    return {opset for schema, end in zip(found, ends) for opset in
            range(max(schema.since_version, FIRST), end + 1)
            if name in fields_of(schema)[by_input]}


def known_sets(fields, name, by_input):
    """The operator sets in which the compiler knows the attribute or input."""
    return set().union(*(field.opsets() for field in fields
                         if field.name == name and (field.kind == "x") == by_input))


def unlisted(operator, fields, found):
    """Attributes, inputs and strings without rows; operator sets that differ from ONNX's."""
    problems = []
    rows = [row for row in ROWS if row.operator == operator]
    names = {field.name for field in fields}
    for schema in found:
        if schema is found[-1] or any(schema is used for row in rows
                                      for _, _, used in versions(row, {operator: found})):
            names |= set(schema.attributes)
    problems += [f"{operator}: no row for {name}" for name in sorted(names)
                 if not any(row.attribute == name for row in rows)]
    for field in fields:
        first = min(opset for opset in range(FIRST, LAST + 1) if opset >= found[0].since_version)
        by_input = field.kind == "x"
        ours = {opset for opset in known_sets(fields, field.name, by_input) if opset >= first}
        theirs = opsets_with(field.name, by_input, found)
        if ours != theirs:
            problems.append(f"{operator}: {field.name} in operator sets {sorted(ours)}, "
                            f"ONNX {sorted(theirs)}")
        if field.values:
            computed = {row.value for row in rows
                        if row.attribute == field.name and not row.failure()}
            problems += [f"{operator}: {field.name} {value}: the compiler knows it: "
                         f"{value in field.values}, rows: {value in computed}"
                         for value in sorted(set(field.values) ^ computed)]
    return problems


def incomplete(rules, known):
    """What has no rows, and rows of what does not exist."""
    problems = []
    noted = [operator for operators, _ in NOTES for operator in operators]
    listed = list(dict.fromkeys(row.operator for row in ROWS))
    for operator in {*rules, *noted, *listed}:
        counts = (operator in rules, noted.count(operator), operator in listed)
        if counts != (True, 1, True):
            problems.append(f"{operator}: the compiler knows it: {counts[0]}, notes: {counts[1]}, "
                            f"rows: {counts[2]}")
    for operator, fields in rules.items():
        problems += unlisted(operator, fields, known[operator])
    names = collections.Counter(row.name() for row in ROWS)
    problems += [f"two rows are named {name}" for name, count in names.items() if count > 1]
    for row in ROWS:
        by_input = any(isinstance(given, Parameter) for given in row.inputs)
        for first, _, schema in versions(row, known):
            if row.attribute and not by_input and not row.failure() and (
                    row.attribute not in schema.attributes):
                problems.append(f"{row.name()}: ONNX has no such attribute in operator set {first}")
    return problems


def misplaced(rules, known, arguments, failures):
    """What ONNX has in some operator sets is refused in the next ones. Returns how many were tried."""
    tried = 0
    for operator, fields in rules.items():
        for field in fields:
            by_input = field.kind == "x"
            sets = known_sets(fields, field.name, by_input)
            rows = [row for row in ROWS if (row.operator, row.attribute) == (operator, field.name)
                    and not row.failure() and any(isinstance(given, Parameter)
                                                  for given in row.inputs) == by_input]
            beside = {min(sets) - 1, max(sets) + 1} & set(range(FIRST, LAST + 1))
            for opset in beside:
                if rows and opset >= known[operator][0].since_version:
                    reason = f"in operator set {opset}"  # Of it or of another one beside it.
                    row = dataclasses.replace(rows[0], invalid=reason)
                    Walk(opset, [], arguments, failures).refuse(row)
                    tried += 1
    return tried


def best_isa():
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    return "avx2" if " avx2" in flags else "sse41"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", type=pathlib.Path, help="without: only ONNX Runtime is run")
    parser.add_argument("--rules", type=pathlib.Path, help="the program operator_rules")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--isa", default=best_isa())
    parser.add_argument("operators", nargs="*", help="default: all")
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)
    known = schemas()
    rules = known_rules(arguments.rules) if arguments.rules else {}
    failures = incomplete(rules, known) if rules else []
    rows = [row for row in ROWS if not arguments.operators or row.operator in arguments.operators]
    table = [("opset", "computed", "refused")]
    for opset, chosen in chosen_opsets(rows, known).items():
        Walk(opset, chosen, arguments, failures).run()
        refused = sum(bool(row.failure()) for row in chosen)
        table.append((opset, len(chosen) - refused, refused))
    if arguments.tool and rules and not arguments.operators:
        table.append(("others", 0, misplaced(rules, known, arguments, failures)))
    harness.report(table, failures)


if __name__ == "__main__":
    main()
