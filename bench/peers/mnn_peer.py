"""MNN's session API: https://mnn-docs.readthedocs.io

A session reuses its input's memory for later tensors, so every run has to copy the input in: 1 % of
the time. The module API, which needs no copy, is not faster.
"""

import pathlib
import sys

import MNN
import numpy as np
import onnx

from model_suite.contender import Contender, ContenderError, Model, Setup, convert

_MEMORY = 0  # Interpreter::SessionInfoCode


class Peer(Contender):
    DISTRIBUTION = "MNN"
    SETTINGS = ("converted by MNNConvert; precision high (fp32), one session; copying the input in "
                "is part of a run")

    @classmethod
    def prepare(cls, model: Model, setup: Setup) -> pathlib.Path:
        produced = setup.work / "mnn" / f"{model.name}.mnn"
        return convert([sys.executable, "-m", "MNN.tools.mnnconvert", "-f", "ONNX", "--modelFile",
                        str(model.path), "--MNNModel", str(produced), "--bizCode", "bench"],
                       model.path, produced)

    def __init__(self, model: Model, file: pathlib.Path, setup: Setup, image: np.ndarray) -> None:
        self._interpreter = MNN.Interpreter(str(file))
        self._session = self._interpreter.createSession(
            {"backend": "CPU", "precision": "high", "numThread": setup.threads})
        if self._session is None:
            raise ContenderError("MNN cannot make a session")
        self._target = self._interpreter.getSessionInput(self._session)
        self._input = MNN.Tensor(model.shape, MNN.Halide_Type_Float, image,
                                 MNN.Tensor_DimensionType_Caffe)
        self._weight_bytes = model.weight_bytes
        graph = onnx.load(model.path, load_external_data=False).graph
        self._names = [output.name for output in graph.output]

    def run(self) -> None:
        self._target.copyFrom(self._input)
        self._interpreter.runSession(self._session)

    def outputs(self) -> list[np.ndarray]:
        values = []
        for name in self._names:
            tensor = self._interpreter.getSessionOutput(self._session, name)
            shape = tensor.getShape()
            copy = MNN.Tensor(shape, MNN.Halide_Type_Float, np.zeros(shape, np.float32),
                              MNN.Tensor_DimensionType_Caffe)
            tensor.copyToHostTensor(copy)
            values.append(np.array(copy.getData(), np.float32).reshape(shape))
        return values

    def own_bytes(self) -> int:
        """Its session's memory, which counts the weights."""
        megabytes = self._interpreter.getSessionInfo(self._session, _MEMORY)
        return round(megabytes * 2**20) - self._weight_bytes
