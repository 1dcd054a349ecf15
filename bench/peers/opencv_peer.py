"""OpenCV's dnn module; of its graph engines the one that is faster on the model."""

import pathlib
import time

import cv2
import numpy as np

from model_suite.contender import Contender, ContenderError, Model, Setup


def _milliseconds(net: cv2.dnn.Net, names: tuple[str, ...]) -> float:
    times = []
    for _ in range(4):
        start = time.perf_counter()
        net.forward(names)
        times.append(time.perf_counter() - start)
    return min(times)


class Peer(Contender):
    DISTRIBUTION = "opencv-python-headless"
    SETTINGS = ("OPENCV backend, CPU target (fp32), Winograd and fusion on, the faster of its two "
                "graph engines, input set once")

    @classmethod
    def prepare(cls, model: Model, setup: Setup) -> pathlib.Path:
        return model.path

    def __init__(self, model: Model, file: pathlib.Path, setup: Setup, image: np.ndarray) -> None:
        cv2.setNumThreads(setup.threads)
        candidates, errors = [], []
        for engine in (cv2.dnn.ENGINE_CLASSIC, cv2.dnn.ENGINE_NEW):
            try:
                net = cv2.dnn.readNetFromONNX(str(file), engine)
                net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
                net.setPreferableTarget(cv2.dnn.DNN_TARGET_CPU)
                net.setInput(image)
                names = net.getUnconnectedOutLayersNames()
                candidates.append((_milliseconds(net, names), net, names))
            except cv2.error as error:
                errors.append(str(error).strip().splitlines()[-1])
        if not candidates:
            raise ContenderError(f"OpenCV: {errors[-1]}")
        _, self._net, self._names = min(candidates, key=lambda candidate: candidate[0])
        self._values: list[np.ndarray] = []

    def run(self) -> None:
        self._values = self._net.forward(self._names)

    def outputs(self) -> list[np.ndarray]:
        return list(self._values)
