#!/usr/bin/env python3
"""NaN, infinities and denormals, per operator and ISA: what comes out is what docs/numbers.md says.

One value of a random input is replaced, in the middle of the image. Outputs that no change of this
value reaches must keep every bit; what the others become is the table's cell. The denormals' column
has the whole input scaled to denormals, compared with ONNX Runtime.

With --machine the same of the first variant of a machine of tests/cross/machines.csv, under its
emulator; its table has the rows that differ from the table of this one's variants.
"""

import argparse
import collections
import itertools
import pathlib

import numpy as np
import onnxruntime

import emulator
import harness
import operator_list
from case_builder import build_model

BEGIN, END = "<!-- special values{} -->\n", "<!-- end of special values{} -->\n"
SPECIAL = {"NaN": np.nan, "+inf": np.inf, "-inf": -np.inf, "1e10": 1e10, "-1e10": -1e10}
FINITE = (1e6, -1e6, 0.37, -0.37)
DENORMAL_SCALE = 2e-39  # The inputs are below 6, the smallest normal number is 1.2e-38.

# Cases of operator_list by group, and in the table's words.
CHOSEN = {
    "convolutions": {
        "dense_valid": "Conv 3x3", "depthwise": "Conv 3x3 depthwise",
        "depthwise_7x7": "Conv 7x7 depthwise", "pointwise": "Conv 1x1"},
    "fused": {
        "separable": "separable", "separable_relu": "separable, Relu between",
        "inverted_residual": "inverted residual", "squeeze_excite": "squeeze-excite",
        "ghost": "Ghost module", "conv_norm_relu": "Conv and Relu"},
    "activations": {
        "relu": "Relu", "clip": "Clip to -0.5..1.5", "leaky_relu_02": "LeakyRelu, alpha 0.2",
        "prelu": "PRelu", "hard_sigmoid": "HardSigmoid", "hard_swish": "HardSwish",
        "sigmoid": "Sigmoid", "silu": "x * Sigmoid(x)", "tanh": "Tanh", "erf": "Erf",
        "gelu": "Gelu", "gelu_tanh": "Gelu, tanh", "exp": "Exp", "sqrt": "Sqrt", "abs": "Abs",
        "neg": "Neg", "pow_2": "Pow, 2", "pow_half": "Pow, 0.5",
        "batch_norm": "BatchNormalization", "softmax_channels": "Softmax of channels",
        "softmax_vector": "Softmax of a vector"},
    "elementwise": {
        "add_same": "Add", "sub_same": "Sub", "mul_same": "Mul", "div_same": "Div",
        "min_same": "Min", "max_same": "Max", "sum_3": "Sum"},
    "pools": {
        "global_max": "GlobalMaxPool", "mean_keep": "ReduceMean", "reduce_max": "ReduceMax",
        "max_3x3": "MaxPool", "max_stride_2": "MaxPool, padded", "average_3x3": "AveragePool",
        "average_padded": "AveragePool, padded", "global_average": "GlobalAveragePool"},
    "dense": {"gemm": "Gemm", "matmul": "MatMul"},
    "transposed": {"deconv_3x3_stride_2": "ConvTranspose"},
    "movements": {
        "concat": "Concat", "split": "Split", "slice_channels": "Slice",
        "transpose_nhwc": "Transpose", "channel_shuffle": "channel shuffle", "pad": "Pad",
        "pad_reflect": "Pad, reflect", "depth_to_space": "DepthToSpace",
        "space_to_depth": "SpaceToDepth", "flatten": "Flatten"},
    "resizes": {"nearest_asymmetric_floor": "Resize, nearest",
                "linear_half_pixel": "Resize, linear", "cubic_half_pixel": "Resize, cubic"},
}


def chosen_cases():
    """[(words, Case)]"""
    return [(words, case) for group, names in CHOSEN.items()
            for case in operator_list.GROUPS[group]()
            for words in [names.get(case.name)] if words]


class Runner:
    """The cases of one operator set: by ONNX Runtime and, per ISA, by the library."""

    def __init__(self, cases, folder, open_library):
        self.cases = cases
        self.model, self.values, self.names = build_model(cases)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "special.onnx"
        path.write_bytes(self.model.SerializeToString())
        self.library = open_library(path, folder)
        self.isas = self.library.isas()
        onnxruntime.set_default_logger_severity(3)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self._session = onnxruntime.InferenceSession(self.model.SerializeToString(), options)
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, inputs, who):
        """Outputs by name; `who` is an ISA or "ort"."""
        if who == "ort":
            return dict(zip(self._outputs, self._session.run(None, inputs)))
        return self.library.run(inputs, who)

    def with_value(self, value, ordinal):
        """Inputs in which the middle value of each case's input `ordinal` is `value`."""
        inputs = {name: array.copy() for name, array in self.values.items()}
        for case in self.cases:
            if ordinal < len(case.shapes):
                array = inputs[f"{case.name}__input{ordinal}"]
                array[tuple(extent // 2 for extent in array.shape)] = value
        return inputs

    def ordinals(self):
        return range(min(2, max(len(case.shapes) for case in self.cases)))


def classes(values):
    """"NaN, +inf, 6": what is among the values; a single finite one as a number."""
    found = [word for word, mask in (("NaN", np.isnan(values)), ("+inf", values == np.inf),
                                     ("-inf", values == -np.inf)) if mask.any()]
    finite = values[np.isfinite(values)]
    if values.size == 1 and finite.size == 1:
        found.append(f"{finite[0] + 0.0:.4g}")
    elif finite.size:
        found.append("finite")
    return ", ".join(found)


def alike(ours, theirs):
    """Same classes element by element, finite values within the tolerance."""
    if not all(np.array_equal(same(ours), same(theirs))
               for same in (np.isnan, np.isposinf, np.isneginf)):
        return False
    finite = np.isfinite(theirs)
    return harness.relative_error(ours[finite], theirs[finite]) <= harness.TOLERANCE


def cell(by_isa, theirs, same):
    """"0, ONNX Runtime: NaN": the ISAs apart only where they differ."""
    isas = collections.defaultdict(list)
    for isa, text in by_isa.items():
        isas[text].append(isa)
    if len(isas) == 1:
        text = next(iter(isas))
    else:
        text = "; ".join(f"{'/'.join(names)}: {text}" for text, names in isas.items())
    if same:
        return text
    return f"{text} (ONNX Runtime: {'others' if text == theirs else theirs})"


def reached(runner, ordinal, baseline):
    """For each output, which of its values the replaced one reaches: some finite change of it
    changes them, or a NaN, which goes through a Relu that is 0 for every number."""
    masks = {name: np.zeros(value.shape, bool) for name, value in baseline.items()}
    for value in (*FINITE, np.nan):
        outputs = runner.run(runner.with_value(value, ordinal), "ort")
        for name, mask in masks.items():
            mask |= outputs[name] != baseline[name]
    return masks


def joined(outputs, names, masks=None):
    """The case's outputs as one vector: all values, or those under the masks."""
    return np.concatenate([outputs[name][masks[name]] if masks else outputs[name].ravel()
                           for name in names])


def special_cells(runner, words, ordinal, cells, failures):
    """Fills cells[row][column] for the special values at one input of every case."""
    base = {who: runner.run(runner.values, who) for who in ("ort", *runner.isas)}
    masks = reached(runner, ordinal, base["ort"])
    for column, value in SPECIAL.items():
        inputs = runner.with_value(value, ordinal)
        outputs = {who: runner.run(inputs, who) for who in ("ort", *runner.isas)}
        for case in runner.cases:
            if ordinal >= len(case.shapes):
                continue
            names = runner.names[case.name]
            theirs = joined(outputs["ort"], names, masks)
            found, same = {}, True
            for isa in runner.isas:
                ours = joined(outputs[isa], names, masks)
                found[isa] = classes(ours)
                same &= alike(ours, theirs)
                for name in names:
                    kept = outputs[isa][name].view(np.int32) == base[isa][name].view(np.int32)
                    if not kept[~masks[name]].all():
                        failures.append(f"{case.name} {isa} {column}: a value changes that the "
                                        "replaced one does not reach")
            row = words[case.name] + (", second input" if ordinal == 1 else "")
            cells[row][column] = cell(found, classes(theirs), same)


def denormal_cells(runner, words, cells):
    inputs = {name: value * np.float32(DENORMAL_SCALE) for name, value in runner.values.items()}
    outputs = {who: runner.run(inputs, who) for who in ("ort", *runner.isas)}
    for case in runner.cases:
        theirs = joined(outputs["ort"], runner.names[case.name])
        found, same = {}, True
        for isa in runner.isas:
            ours = joined(outputs[isa], runner.names[case.name])
            kept = alike(ours, theirs)
            same &= kept
            found[isa] = "kept" if kept else classes(ours)
        cells[words[case.name]]["denormals"] = cell(found, classes(theirs), same)


def opener(tool, machine):
    """(path, folder) -> the library of this machine, or of the first variant of another."""
    if machine is None:
        return lambda path, folder: harness.compile_model(tool, path, folder, "special")[0]
    row = emulator.machine_named(machine)
    return lambda path, folder: emulator.EmulatedLibrary(
        tool, path, folder / machine, "special", row, row["isas"].split("+")[0])


def measure(open_library, work):
    """The table's rows {words: {column: cell}}, and failures."""
    cells, failures = collections.defaultdict(dict), []
    chosen = sorted(chosen_cases(), key=lambda pair: pair[1].opset)
    for opset, pairs in itertools.groupby(chosen, key=lambda pair: pair[1].opset):
        pairs = list(pairs)
        words = {case.name: text for text, case in pairs}
        runner = Runner([case for _, case in pairs], work / f"opset_{opset}", open_library)
        for ordinal in runner.ordinals():
            special_cells(runner, words, ordinal, cells, failures)
        denormal_cells(runner, words, cells)
    order = [words for names in CHOSEN.values() for words in names.values()]
    rows = sorted(cells, key=lambda row: order.index(row.removesuffix(", second input")))
    return {row: cells[row] for row in rows}, failures


def table(cells):
    """Its lines: two of head, one a row."""
    columns = [*SPECIAL, "denormals"]
    lines = ["| operator | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    for row, values in cells.items():
        lines.append(f"| {row} | " + " | ".join(values.get(key, "") for key in columns) + " |")
    return lines


def documented(text, name):
    """What stands before the table of that name, its lines, and what stands behind it."""
    before, rest = text.split(BEGIN.format(name))
    lines, after = rest.split(END.format(name))
    return before, lines.splitlines(), after


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--machine", help="a row of tests/cross/machines.csv")
    parser.add_argument("--write", action="store_true", help="write the table instead")
    parser.add_argument("document", type=pathlib.Path, help="docs/numbers.md")
    arguments = parser.parse_args()
    cells, failures = measure(opener(arguments.tool, arguments.machine), arguments.work)
    lines = table(cells)
    text = arguments.document.read_text(encoding="utf-8")
    name = f" of {arguments.machine}" if arguments.machine else ""
    if arguments.machine:
        here = documented(text, "")[1]
        lines = lines[:2] + [line for line in lines[2:] if line not in here]
    before, found, after = documented(text, name)
    if arguments.write:
        block = BEGIN.format(name) + "\n".join(lines) + "\n" + END.format(name)
        arguments.document.write_text(before + block + after, encoding="utf-8")
        found = lines
    failures += [f"{arguments.document} lacks: {line}" for line in lines if line not in found]
    failures += [f"{arguments.document} has: {line}" for line in found if line not in lines]
    harness.report([("operator",), *((row,) for row in cells)], failures)


if __name__ == "__main__":
    main()
