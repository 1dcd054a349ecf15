"""What a row of the operator table is, and how rows are written down (attribute_list.py).

Plain data without packages: scripts/operator_table.py reads it with any Python.
"""

import dataclasses
import typing

FIRST, LAST = 7, 28  # Operator sets.


@dataclasses.dataclass(frozen=True)
class Constant:
    """An input of these values; numbers stand for a scalar."""
    values: typing.Any
    kind: str = "int64"


@dataclasses.dataclass(frozen=True)
class Weights:
    """A constant input of random values within [low, high]."""
    shape: tuple
    low: float = -1.0
    high: float = 1.0


@dataclasses.dataclass(frozen=True)
class Parameter:
    """The place of an input that the row's value becomes; without a value the input is absent.

    kind "shape": random weights of that shape; "data": an input of the model of that shape.
    """
    kind: str = "int64"


class _Absent:
    """Of an attribute: not written down."""

    def __repr__(self):
        return "absent"


ABSENT = _Absent()


@dataclasses.dataclass(frozen=True)
class Row:
    """A node with `attribute` = `value`, between operator sets `since` and `until`.

    Its result must be ONNX's, and differ from that with `otherwise` in the attribute's place: so the
    attribute is read. Where that is not so, `same` says why; "required" where nothing else can stand
    there. `refused` has words of the tool's message where it does not compile the node, `invalid` where
    ONNX excludes the value.
    """
    operator: str
    attribute: str
    value: object
    since: int
    until: int
    inputs: tuple        # Shapes of inputs, None (absent), Constant, Weights or Parameter.
    given: dict          # The node's other attributes.
    otherwise: object = ABSENT
    same: str = ""
    refused: str = ""
    invalid: str = ""
    outputs: int = 1     # Of the node.
    read: typing.Optional[tuple] = None  # Those that the model has; default: all.
    low: float = -2.0    # Of the inputs.
    high: float = 2.0
    after_conv: bool = False  # The first input goes through a 1x1 Conv: one kernel with the node.
    note: str = ""       # Tells rows of one value apart.
    oracle: str = "onnxruntime"  # Or "onnx": the reference evaluator, where ONNX Runtime lacks it.
    meant: typing.Optional[dict] = None  # Or: attributes that ONNX defines this value by.

    def name(self):
        words = [f"{self.operator} {self.attribute}".strip()]
        if self.attribute:
            words[0] += f" {shown(self.value)}"
        words += [self.note] if self.note else []
        opsets = opset_range(self.since, self.until)
        words += [f"opset {opsets}"] if opsets else []
        return ", ".join(words)

    def failure(self):
        """Words of the message by which the tool refuses it; empty where it does not."""
        return self.refused or self.invalid


def opset_range(since, until):
    """"11 to 12", or nothing where all have it."""
    if (since, until) == (FIRST, LAST):
        return ""
    if since == until:
        return str(since)
    return f"from {since}" if until == LAST else f"{since} to {until}"


def shown(value):
    """The value in tables and names."""
    if isinstance(value, Constant):
        return f"{value.kind} {shown(value.values)}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(shown, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


class Operator:
    """Adds rows of one operator, which share inputs and other attributes.

    `call(attribute, *values)` adds a row for each value; every field of Row may be given, inputs as a
    list, and other names are further attributes of the node.
    """

    ALL = []  # Every row, in order.

    def __init__(self, operator, *inputs, **fields):
        self._operator = operator
        self._inputs = inputs
        self._fields = fields

    def __call__(self, attribute="", *values, inputs=None, **fields):
        fields = {**self._fields, **fields}
        own = {name: fields.pop(name) for name in list(fields)
               if name in {field.name for field in dataclasses.fields(Row)}}
        own.setdefault("since", FIRST)
        own.setdefault("until", LAST)
        for value in values or (ABSENT,):
            given = {key: number for key, number in fields.items()
                     if key != attribute and number is not ABSENT}
            Operator.ALL.append(Row(self._operator, attribute, value, given=given,
                                    inputs=tuple(self._inputs if inputs is None else inputs),
                                    **own))

    def default(self, attribute, value, **fields):
        """A row of the value that ONNX takes where the attribute is absent."""
        self(attribute, value, same="the default", **fields)
