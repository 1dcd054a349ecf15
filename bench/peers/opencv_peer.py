"""OpenCV's dnn module with the graph engine that it chooses; its older one is slower throughout."""

import pathlib

import cv2
import numpy as np

from model_suite.contender import Contender, ContenderError, Model, Setup


class Peer(Contender):
    DISTRIBUTION = "opencv-python-headless"
    SETTINGS = ("its own CPU backend (fp32), graph engine, Winograd and fusion as by default, "
                "input set once")

    @classmethod
    def prepare(cls, model: Model, setup: Setup) -> pathlib.Path:
        return model.path

    def __init__(self, model: Model, file: pathlib.Path, setup: Setup, image: np.ndarray) -> None:
        cv2.setNumThreads(setup.threads)
        self._values: list[np.ndarray] = []
        try:
            self._net = cv2.dnn.readNetFromONNX(str(file))
            self._net.setInput(image)
            self._names = self._net.getUnconnectedOutLayersNames()
            self.run()
        except cv2.error as error:
            raise ContenderError(str(error)) from error

    def run(self) -> None:
        self._values = self._net.forward(self._names)

    def outputs(self) -> list[np.ndarray]:
        return list(self._values)
