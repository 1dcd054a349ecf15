#!/usr/bin/env python3
"""Random graphs over all listed operators and attributes against ONNX Runtime.

    random_models.py --tool build/bin/sepconv --work FOLDER [--seed N] [--count N]

A number is a graph of 3 to 9 operators or blocks: --seed N --count 1 draws graph N again. Eight
graphs share one model and one library. A graph that fails is reduced: FOLDER/N.onnx and N.txt hold
the smallest part that still fails; values computed before it are its inputs. A refusal is a failure
too, unless it matches DOCUMENTED. 2,000 graphs with one ISA, about a quarter of an hour on two cores:

    random_models.py --tool build/bin/sepconv --work FOLDER --isa avx2 --seed 0 --count 2000
"""

import argparse
import collections
import multiprocessing
import pathlib
import re
import sys
import tempfile
import time

import numpy as np
import onnxruntime
from onnx import helper

import harness
import random_movements  # noqa: F401  (These two add to SAMPLERS.)
import random_rows  # noqa: F401
from attribute_list import NOTES
from random_graph import Graph, Unsuitable, make_session, model_of
from random_operators import SAMPLERS

AT_ONCE = 8
OPSETS = (17, 7, 11, 13, 18, 9, 20, 10, 15, 12, 21, 8, 14, 16, 19, 22, 23, 24, 25, 26, 27, 28)
SHAPES = ((1, 4, 6, 7), (1, 8, 6, 7), (2, 4, 5, 6), (1, 3, 8, 8), (1, 8, 1, 1), (1, 12, 5, 6),
          (1, 8, 16), (2, 4, 9), (4, 8), (1, 12), (3, 5), (8,), (1, 2, 4, 5, 6))
RELATIVE, NOISES = 1e-5, 32     # Of the largest value of an output; of what rounding changes there.
ABSOLUTE = 1e-8                 # ONNX Runtime's Sigmoid ends in 0.
FOR_EACH_OPERATOR = 1000        # So many graphs have every operator.
LARGEST_NOISE = 1e-5            # Of the largest value: more says nothing about a compiler.
# Patterns of messages that refuse what is documented as not supported.
DOCUMENTED = ()


class Difference(Exception):
    """What is wrong."""


def opset_of(number):
    return OPSETS[number // AT_ONCE % len(OPSETS)]


def draw(number):
    """The graph with this number; None when nothing came of it."""
    random = np.random.default_rng((number, 2))
    graph = Graph(f"g{number}", opset_of(number), random)
    graph.layout = "nhwc" if number // AT_ONCE % 4 == 3 else "nchw"
    graph.open_batch = graph.chance(0.2)
    for _ in range(graph.pick((1, 1, 1, 2, 3))):
        graph.input(graph.pick(SHAPES[:6] if graph.chance(0.6) else SHAPES))
    chosen = [(function, weight) for function, weight, since in SAMPLERS if graph.opset >= since]
    shares = np.array([weight for _, weight in chosen])
    goal, tries = graph.whole(3, 9), 0
    while goal > 0 and tries < 60:
        tries += 1
        mark = graph.dump()
        try:
            graph.keep(*chosen[int(random.choice(len(chosen), p=shares / shares.sum()))][0](graph))
            goal -= 1
        except Unsuitable:
            graph.restore(mark)
    return finished(graph)


def finished(graph):
    """With outputs; None when there are none, or rounding alone changes too much."""
    read = {name for node in graph.nodes for name in node.reads}
    computed = [name for name in graph.tensors
                if name not in graph.folded and name not in graph.inputs]
    if not computed:
        return None
    graph.outputs = [name for name in computed if name not in read or graph.chance(0.06)]
    if not graph.outputs:
        graph.outputs = computed[-1:]
    if graph.chance(0.03):
        graph.outputs.append(graph.inputs[0])
    if graph.chance(0.03):
        graph.input((2, 3), np.int64)
    noise = graph.noise()
    if not graph.by_reference and not expect_whole(graph):
        return None
    for name, change in noise.items():
        if change > LARGEST_NOISE * np.abs(graph.values[name]).max(initial=0):
            return None
    graph.allowed = {name: ABSOLUTE + RELATIVE * np.abs(graph.values[name]).max(initial=0) +
                           NOISES * change
                     for name, change in noise.items()}
    return graph


def expect_whole(graph):
    """The outputs' values become those of ONNX Runtime for the whole graph; False if it refuses."""
    model = model_of([graph], shapes=False).graph
    try:
        session = make_session(model.node, model.input, model.output, model.initializer,
                               graph.opset)
        found = session.run(graph.outputs, {name: graph.values[name] for name in graph.inputs})
    except Exception:  # ONNX Runtime has no common class of its errors.
        return False
    graph.values.update(zip(graph.outputs, map(np.asarray, found)))
    return True


def run(model, graphs, arguments):
    """{output: value} per ISA of the compiled model; harness.CompileError when it is refused."""
    values = {name: value for graph in graphs for name, value in graph.values.items()}
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        folder = pathlib.Path(folder)
        path = folder / "random.onnx"
        path.write_bytes(model.SerializeToString())
        library, _ = harness.compile_model(arguments.tool, path, folder, "random",
                                           layout=graphs[0].layout, isas=arguments.isa)
        given = {name: in_layout(graphs[0], values[name]) for name, _ in library.inputs}
        answers = in_child(lambda: {isa: library.run(given, isa, harness.SETUPS[:3])
                                    for isa in library.isas() if isa in arguments.isa})
        library.close()
        return answers


def in_child(function):
    """What `function` returns or raises in a forked process: a fault there is a Difference here."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def call():
        try:
            sender.send((function(), None))
        except Exception as error:
            sender.send((None, error))

    child = multiprocessing.get_context("fork").Process(target=call)
    child.start()
    sender.close()
    try:
        result, error = receiver.recv()
    except EOFError:
        child.join()
        raise Difference(f"the library ended the process: exit code {child.exitcode}") from None
    child.join()
    if error is not None:
        raise error
    return result


def in_layout(graph, value):
    return harness.to_nhwc(value) if graph.layout == "nhwc" else value


def check(graph, name, answers, allowed):
    expected = in_layout(graph, graph.values[name])
    for isa, outputs in answers.items():
        value = outputs[name]
        if value.shape != expected.shape:
            raise Difference(f"{isa} {name}: shape {value.shape}, expected {expected.shape}")
        error = np.abs(value.astype(np.float64) - expected)
        if not np.all(error <= allowed):
            worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)),
                                     error.shape)
            raise Difference(f"{isa} {name}{list(map(int, worst))}: {value[worst]!r}, expected "
                             f"{expected[worst]!r}, allowed {allowed:.1e}")


def compare(graphs, arguments):
    """Raises Difference or harness.CompileError."""
    model = model_of(graphs, shapes=graphs[0].opset % 2 == 0)
    answers = run(model, graphs, arguments)
    for graph in graphs:
        for name in graph.outputs:
            check(graph, name, answers, graph.allowed[name])


def fails(graph, arguments, output, cut):
    """What is wrong with `output` alone when the tensors of `cut` are inputs; None if nothing."""
    nodes = graph.ancestors([output], cut)
    reads = {name for node in nodes for name in node.reads}
    inputs = [name for name in dict.fromkeys([*graph.inputs, *cut]) if name in reads]
    model = model_of([graph], inputs, [output], cut)
    try:
        answers = run(model, [graph], arguments)
        allowed = graph.allowed.get(output, 1e-4 * np.abs(graph.values[output]).max(initial=0))
        check(graph, output, answers, allowed)
    except (Difference, harness.CompileError, AssertionError) as error:
        return model, str(error)
    return None


def shrink(graph, arguments):
    """The smallest part that fails: (model, what is wrong), or None when no part does."""
    tensors = [name for node in graph.nodes for name in node.proto.output
               if name not in graph.folded and graph.values[name].dtype == np.float32]
    for output in tensors:
        worst = fails(graph, arguments, output, ())
        if worst is None:
            continue
        cut = []
        for name in reversed(tensors[:tensors.index(output)]):
            smaller = fails(graph, arguments, output, [*cut, name])
            if smaller is not None:
                cut, worst = [*cut, name], smaller
        return worst
    return None


def text_of(model):
    lines = []
    for node in model.graph.node:
        attributes = re.sub(r"\s+", " ", ", ".join(
            f"{a.name}={'graph' if a.HasField('g') else helper.get_attribute_value(a)}"
            for a in node.attribute))
        lines.append(f"{', '.join(node.output)} = {node.op_type}({', '.join(node.input)}) "
                     f"{attributes}")
    for constant in model.graph.initializer:
        lines.append(f"{constant.name}: {list(constant.dims)}")
    for value in [*model.graph.input, *model.graph.output]:
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        lines.append(f"{value.name}: {dims}")
    return f"opset {model.opset_import[0].version}\n" + "\n".join(lines)


def report_failure(graph, number, error, arguments, failures):
    small = shrink(graph, arguments) if arguments.shrink else None
    model, text = small or (model_of([graph]), error + " (no part fails alone)")
    path = arguments.work / f"{number}.onnx"
    path.write_bytes(model.SerializeToString())
    path.with_suffix(".txt").write_text(f"{text}\n{text_of(model)}\n", encoding="utf-8")
    line = f"graph {number}, {path}: {text}"
    failures.append(line)
    print(f"FAILED: {line}\n{text_of(model)}", flush=True)


def try_graphs(graphs, arguments, counts, failures):
    """Compares all graphs of one model; those that fail one by one."""
    try:
        compare(list(graphs.values()), arguments)
        counts["equal"] += len(graphs)
        return
    except (Difference, harness.CompileError, AssertionError):
        pass
    for number, graph in graphs.items():
        try:
            compare([graph], arguments)
            counts["equal"] += 1
        except (Difference, harness.CompileError, AssertionError) as error:
            if any(re.search(pattern, str(error)) for pattern in DOCUMENTED):
                counts["refused as documented"] += 1
                print(f"graph {number}: {error}")
                continue
            counts["failed"] += 1
            report_failure(graph, number, str(error), arguments, failures)


def never_drawn(operators):
    """Listed operators (attribute_list.py) that no graph had."""
    listed = {name for names, _ in NOTES for name in names}
    return sorted(listed - set(operators))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=0, help="the first number")
    parser.add_argument("--count", type=int, default=4 * AT_ONCE)
    parser.add_argument("--isa", type=lambda text: text.split(","), default=list(harness.ISAS))
    parser.add_argument("--no-shrink", dest="shrink", action="store_false",
                        help="report failing graphs whole")
    return parser.parse_args()


def main():
    arguments = parse()
    onnxruntime.set_default_logger_severity(4)
    arguments.work.mkdir(parents=True, exist_ok=True)
    counts, operators, seconds = (collections.Counter() for _ in range(3))
    failures, end = [], arguments.seed + arguments.count
    for first in range(arguments.seed - arguments.seed % AT_ONCE, end, AT_ONCE):
        start = time.perf_counter()
        numbers = range(max(first, arguments.seed), min(first + AT_ONCE, end))
        drawn = {number: draw(number) for number in numbers}
        graphs = {number: graph for number, graph in drawn.items() if graph is not None}
        counts["discarded"] += len(drawn) - len(graphs)
        for graph in graphs.values():
            operators.update(node.proto.op_type for node in graph.nodes)
        seconds["draw"] += time.perf_counter() - start
        start = time.perf_counter()
        if graphs:
            try_graphs(graphs, arguments, counts, failures)
        seconds["compile and run"] += time.perf_counter() - start
        if first // AT_ONCE % 10 == 9:
            print(f"before {numbers.stop}: {dict(counts)}", flush=True)
    if arguments.count >= FOR_EACH_OPERATOR:
        failures += [f"no graph has a {name}" for name in never_drawn(operators)]
    print("operators:", ", ".join(f"{name} {count}" for name, count in sorted(operators.items())))
    print("seconds:", ", ".join(f"{name} {value:.0f}" for name, value in seconds.items()))
    print(", ".join(f"{count} {name}" for name, count in counts.items()))
    for failure in failures:
        print(f"FAILED: {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
