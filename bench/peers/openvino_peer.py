"""OpenVINO's CPU device: latency hint, https://docs.openvino.ai (optimizing for latency)"""

import pathlib

import numpy as np
import openvino

from model_suite.contender import Contender, Model, Setup


class Peer(Contender):
    DISTRIBUTION = "openvino"
    # Pinning by OpenVINO itself is off: the process is bound to its processors already.
    SETTINGS = ("latency hint, one stream, inference precision f32, one infer request with its "
                "input tensor set once, outputs not copied")

    @classmethod
    def prepare(cls, model: Model, setup: Setup) -> pathlib.Path:
        return model.path

    def __init__(self, model: Model, file: pathlib.Path, setup: Setup, image: np.ndarray) -> None:
        self._core = openvino.Core()
        self._compiled = self._core.compile_model(file, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": setup.threads, "ENABLE_CPU_PINNING": False})
        self._request = self._compiled.create_infer_request()
        self._input = openvino.Tensor(image, shared_memory=True)
        self._request.set_input_tensor(self._input)
        self.isa = self._most_frequent_isa()

    def run(self) -> None:
        self._request.infer(share_inputs=True, share_outputs=True)

    def outputs(self) -> list[np.ndarray]:
        return [self._request.get_tensor(output).data for output in self._compiled.outputs]

    def _most_frequent_isa(self) -> str:
        """Of the kernels that its executed graph names, such as brgconv_avx512_f32."""
        names: list[str] = []
        for node in self._compiled.get_runtime_model().get_ops():
            kind = node.get_rt_info()["primitiveType"]
            words = (kind.astype(str) if hasattr(kind, "astype") else str(kind)).split("_")
            names += [word for word in words if word.startswith(("avx", "sse"))]
        return max(set(names), key=names.count) if names else ""
