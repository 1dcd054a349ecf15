"""LiteRT, whose CPU kernels are XNNPACK's; converted by onnx2tf in an environment of its own."""

import pathlib

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from model_suite.contender import Contender, Model, Setup, convert


class Peer(Contender):
    DISTRIBUTION = "ai-edge-litert"
    SETTINGS = "onnx2tf, float32; XNNPACK delegate as by default, NHWC at the edges, input set once"

    @classmethod
    def prepare(cls, model: Model, setup: Setup) -> pathlib.Path:
        produced = setup.work / "litert" / f"{model.path.stem}_float32.tflite"
        program = setup.build / "bench-convert-venv" / "bin" / "onnx2tf"
        return convert([str(program), "-i", str(model.path), "-o", str(produced.parent), "-n"],
                       model.path, produced)

    def __init__(self, model: Model, file: pathlib.Path, setup: Setup, image: np.ndarray) -> None:
        self._interpreter = Interpreter(str(file), num_threads=setup.threads)
        self._interpreter.allocate_tensors()
        target, = self._interpreter.get_input_details()
        if tuple(target["shape"]) != image.shape:
            image = np.ascontiguousarray(image.transpose(0, 2, 3, 1))
        self._interpreter.set_tensor(target["index"], image)

    def run(self) -> None:
        self._interpreter.invoke()

    def outputs(self) -> list[np.ndarray]:
        """4-D outputs are NHWC: the harness knows the shape that it wants."""
        return [self._interpreter.get_tensor(output["index"])
                for output in self._interpreter.get_output_details()]
