"""ncnn, converted by pnnx; options as in its benchncnn."""

import importlib.util
import pathlib

import ncnn
import numpy as np

from model_suite.contender import Contender, ContenderError, Model, Setup, convert


class Peer(Contender):
    DISTRIBUTION = "ncnn"
    SETTINGS = ("pnnx optlevel 2 with fp16=0; fp16 and bf16 off, Winograd, sgemm and packing on, "
                "light mode, pooled allocators")

    @classmethod
    def prepare(cls, model: Model, setup: Setup) -> pathlib.Path:
        program = pathlib.Path(importlib.util.find_spec("pnnx").origin).with_name("pnnx")
        folder = setup.work / "ncnn" / model.name
        shape = ",".join(map(str, model.shape))
        produced = {kind: folder / f"{model.name}.{kind}" for kind in (
            "pnnx.param", "pnnx.bin", "pnnx.onnx", "pnnx.py", "ncnn.py", "ncnn.bin", "ncnn.param")}
        options = {"inputshape": f"[{shape}]", "fp16": 0, "optlevel": 2}
        names = {"pnnxparam": "pnnx.param", "pnnxbin": "pnnx.bin", "pnnxpy": "pnnx.py",
                 "pnnxonnx": "pnnx.onnx", "ncnnparam": "ncnn.param", "ncnnbin": "ncnn.bin",
                 "ncnnpy": "ncnn.py"}
        options |= {option: produced[kind] for option, kind in names.items()}
        return convert([str(program), str(model.path)]
                       + [f"{key}={value}" for key, value in options.items()],
                       model.path, produced["ncnn.param"])

    def __init__(self, model: Model, file: pathlib.Path, setup: Setup, image: np.ndarray) -> None:
        net = self._net = ncnn.Net()
        net.opt.num_threads = setup.threads
        net.opt.lightmode = True
        for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
            setattr(net.opt, f"use_{name}", False)
        self._pools = ncnn.UnlockedPoolAllocator(), ncnn.PoolAllocator()
        net.opt.blob_allocator, net.opt.workspace_allocator = self._pools
        if net.load_param(str(file)) != 0 or net.load_model(str(file.with_suffix(".bin"))) != 0:
            raise ContenderError("ncnn cannot load what pnnx wrote")
        self._input = ncnn.Mat(image[0])
        self._names = net.input_names()[0], net.output_names()
        self._outputs: list[ncnn.Mat] = []

    def run(self) -> None:
        extractor = self._net.create_extractor()
        extractor.input(self._names[0], self._input)
        results = [extractor.extract(name) for name in self._names[1]]
        if any(status != 0 for status, _ in results):
            raise ContenderError("ncnn's extract failed")
        self._outputs = [value for _, value in results]

    def outputs(self) -> list[np.ndarray]:
        return [np.array(value) for value in self._outputs]

    def close(self) -> None:
        self._outputs = []
        self._net.clear()
