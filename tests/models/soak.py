#!/usr/bin/env python3
"""Many runs of a small network: every answer is compared, and nothing may grow (soak.c).

usage: soak.py TOOL C_COMPILER WORK_FOLDER RUNS
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

INPUTS = 61  # A prime: the order of inputs meets every context at another place.
SHAPE = (1, 3, 16, 16)


class Network:
    """Nodes in a row, with random weights."""

    def __init__(self):
        self.random = np.random.default_rng(8)
        self.nodes, self.weights, self.last = [], [], "image"

    def add(self, operator, *weights, second=None, **attributes):
        """One node behind the last, or behind it and `second`; returns its output's name."""
        name = f"{operator.lower()}_{len(self.nodes)}"
        inputs = [self.last] + ([second] if second else [])
        for i, weight in enumerate(weights):
            inputs.append(f"{name}_{i}")
            self.weights.append(numpy_helper.from_array(np.asarray(weight, np.float32), inputs[-1]))
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        self.last = name
        return name

    def convolution(self, channels_in, channels, kernel, stride=1, group=1, activation=None):
        fan_in = channels_in // group * kernel * kernel
        weights = self.random.normal(0, (2 / fan_in) ** 0.5,
                                     (channels, channels_in // group, kernel, kernel))
        self.add("Conv", weights, self.random.normal(0, 0.1, channels), strides=[stride, stride],
                 pads=[kernel // 2] * 4, group=group)
        if activation:
            self.add(activation)


def network():
    """A stem, a separable block, an inverted residual with its addition, a pool and a classifier."""
    net = Network()
    net.convolution(3, 16, 3, stride=2, activation="Relu")
    net.convolution(16, 16, 3, group=16, activation="HardSwish")
    net.convolution(16, 24, 1)
    before = net.last
    net.convolution(24, 72, 1, activation="Relu")
    net.convolution(72, 72, 3, group=72, activation="Relu")
    net.convolution(72, 24, 1)
    net.add("Add", second=before)
    net.add("GlobalAveragePool")
    net.add("Flatten")
    net.add("Gemm", net.random.normal(0, 0.5, (10, 24)), net.random.normal(0, 0.1, 10), transB=1)
    net.add("Softmax")
    graph = helper.make_graph(
        net.nodes, "soak", [helper.make_tensor_value_info("image", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info(net.last, TensorProto.FLOAT, None)], net.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(*command, **variables):
    subprocess.run([str(word) for word in command], check=True, env={**os.environ, **variables})


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    tool, compiler, work, runs = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4]
    work.mkdir(parents=True, exist_ok=True)
    model = network()
    onnx.save(model, work / "soak.onnx")
    inputs = np.random.default_rng(10).uniform(-2, 2, (INPUTS, *SHAPE)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    expected = [session.run(None, {"image": image})[0] for image in inputs]
    inputs.tofile(work / "inputs.bin")
    np.stack(expected).astype(np.float32).tofile(work / "expected.bin")

    run(tool, "compile", work / "soak.onnx", "--output", work / "library", "--name", "soak",
        "--cc", compiler)
    source = pathlib.Path(__file__).with_suffix(".c")
    include = pathlib.Path(__file__).resolve().parents[2] / "runtime/include"
    run(compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{include}",
        f"-I{work / 'library'}", source, work / "library/libsoak.a", "-pthread", "-lm", "-ldl",
        "-o", work / "soak")
    run(work / "soak", runs, work / "inputs.bin", work / "expected.bin",
        GLIBC_TUNABLES="glibc.malloc.tcache_count=0")


if __name__ == "__main__":
    main()
