#!/usr/bin/env python3
"""Writes the tables of operators: docs/operators.md, and README.md between its two marker comments.

usage: scripts/operator_table.py [--check]
  --check  changes nothing; fails where a file does not hold what the rows say

The rows are those of tests/models/attribute_list.py, which attribute_walk.py compiles, runs and
compares with ONNX Runtime.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/models"))

# pylint: disable=wrong-import-position
from attribute_list import NOTES, ROWS  # noqa: E402
from attribute_rows import FIRST, LAST, opset_range, shown  # noqa: E402

README = ROOT / "README.md"
DOCUMENT = ROOT / "docs/operators.md"
BEGIN = "<!-- operators: made by scripts/operator_table.py -->"
END = "<!-- end of operators -->"

HEAD = f"""# Operators

Made by `scripts/operator_table.py` from [attribute_list.py](../tests/models/attribute_list.py), whose
rows [attribute_walk.py](../tests/models/attribute_walk.py) compiles, runs and compares with ONNX
Runtime, with every version that ONNX has of the operator from operator set {FIRST} to {LAST}. That test
also demands rows for every operator, attribute and string that the compiler's rules know.

- **computed**: the result is ONNX's, and differs from that with another value.
- **computed, the default**: the same as without the attribute, or equal to what that means.
- **no effect**: the result is ONNX's; why the value does not change it here.
- **refused**, **invalid**: one message names node and reason, and no file is written; invalid is what
  ONNX excludes.

Attributes that became inputs (`axes`, `pads`, `scales`, ...) must be constant there. Other inputs stand
in the table where their shape or value decides what is computed. Numbers are examples: those between
behave alike.

| operator | attribute or input | value | operator sets | result |
| --- | --- | --- | --- | --- |
"""


def unique(values):
    return list(dict.fromkeys(values))


def verdict(rows):
    """Of the rows with one value."""
    words = []
    if any(row.same in ("", "required") and not row.failure() for row in rows):
        words.append("computed")
    else:
        words += ["computed, the default" if row.same == "the default" else f"no effect: {row.same}"
                  for row in rows if row.same and not row.failure()]
    for row in rows:
        if row.failure():
            words.append("invalid" if row.invalid else "refused")
            some = row.note or f"operator sets {opset_range(row.since, row.until)}"
            words[-1] += f" ({some})" if len(rows) > 1 or not row.attribute else ""
    return "; ".join(unique(words))


def sets_of(rows):
    """"7 to 8, from 11": ranges of operator sets that do not touch stay apart."""
    ranges = []
    for since, until in sorted((row.since, row.until) for row in rows):
        if ranges and since <= ranges[-1][1] + 1:
            ranges[-1][1] = max(ranges[-1][1], until)
        else:
            ranges.append([since, until])
    return ", ".join(opset_range(*one) or "all" for one in ranges)


def document():
    lines = []
    for operator in (operator for operators, _ in NOTES for operator in operators):
        groups = {}
        for row in ROWS:
            if row.operator == operator:
                value = "" if row.attribute == "" else f"`{shown(row.value)}`"
                groups.setdefault((row.attribute, value), []).append(row)
        for (attribute, value), rows in sorted(groups.items(), key=lambda item: item[0][0]):
            cells = [operator, f"`{attribute}`" if attribute else "", value, sets_of(rows),
                     verdict(rows)]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return HEAD + "\n".join(lines) + "\n"


def attributes_of(operators):
    """The attributes of a line of README.md; of strings the values too."""
    words = []
    rows = [row for row in ROWS if row.operator in operators]
    for attribute in unique(row.attribute for row in rows if row.attribute):
        own = [row for row in rows if row.attribute == attribute]
        computed = [row for row in own if not row.failure()]
        strings = unique(row.value for row in computed if isinstance(row.value, str))
        if computed and strings:
            words.append(f"{attribute} ({', '.join(strings)})")
        elif computed:
            words.append(attribute)
    return ", ".join(words)


def refused_of(operators):
    words = []
    rows = [row for row in ROWS if row.operator in operators]
    for attribute in unique(row.attribute for row in rows):
        own = [row for row in rows if row.attribute == attribute]
        computed = [row.value for row in own if not row.failure()]
        values = [row for row in own if row.refused]
        words += unique(f"{attribute} {shown(row.value)}" + (
            f" ({row.note})" if row.note and row.value in computed else "")
                        if attribute else row.note for row in values)
    return ", ".join(words)


def section():
    """What stands between the markers of README.md."""
    lines = [BEGIN, "", "| operators | computed | attributes and inputs | refused |",
             "| --- | --- | --- | --- |"]
    for operators, note in NOTES:
        lines.append(f"| {', '.join(operators)} | {note} | {attributes_of(operators)} | "
                     f"{refused_of(operators)} |")
    return "\n".join([*lines, "", END])


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    text = README.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        sys.exit("error: README.md lacks the markers of the operator table")
    before, rest = text.split(BEGIN, 1)
    wanted = {README: before + section() + rest.split(END, 1)[1], DOCUMENT: document()}
    for path, content in wanted.items():
        if sys.argv[1:] == ["--check"]:
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                sys.exit(f"error: {path.relative_to(ROOT)} differs from "
                         "tests/models/attribute_list.py: run scripts/operator_table.py")
        else:
            path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
