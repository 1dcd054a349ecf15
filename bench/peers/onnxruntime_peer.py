"""ONNX Runtime: https://onnxruntime.ai/docs/performance/tune-performance"""

import pathlib

import numpy as np
import onnxruntime

from model_suite.contender import Contender, Model, Setup

onnxruntime.set_default_logger_severity(3)


def session(path: pathlib.Path, threads: int, level: onnxruntime.GraphOptimizationLevel,
            ) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def reference(model: Model, image: np.ndarray) -> list[np.ndarray]:
    """What all are compared with: node by node, no graph optimisation."""
    plain = session(model.path, 1, onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    return plain.run(None, {model.input_name: image})


class Peer(Contender):
    DISTRIBUTION = "onnxruntime"
    # Spinning between operators stays on, as it is by default and faster; the harness waits until
    # no thread spins before it times the next contender.
    SETTINGS = ("all graph optimisations (NCHWc), sequential, inputs and outputs bound once by "
                "IOBinding, spinning as by default")

    @classmethod
    def prepare(cls, model: Model, setup: Setup) -> pathlib.Path:
        return model.path

    def __init__(self, model: Model, file: pathlib.Path, setup: Setup, image: np.ndarray) -> None:
        self._session = session(file, setup.threads,
                                onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL)
        self._binding = self._session.io_binding()
        self._input = onnxruntime.OrtValue.ortvalue_from_numpy(image)
        self._binding.bind_ortvalue_input(model.input_name, self._input)
        first = self._session.run(None, {model.input_name: image})
        self._outputs = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in first]
        for output, value in zip(self._session.get_outputs(), self._outputs):
            self._binding.bind_ortvalue_output(output.name, value)

    def run(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def outputs(self) -> list[np.ndarray]:
        return [value.numpy() for value in self._outputs]
