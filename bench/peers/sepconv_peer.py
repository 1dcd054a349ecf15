"""sepconv: the shared library that `sepconv compile --shared` writes, through ctypes."""

import ctypes
import os
import pathlib
import subprocess

import numpy as np

from model_suite.contender import Contender, ContenderError, Model, Setup

import harness  # Of tests/models.


class _Library(harness.Library):
    """Keeps one context, and the arrays that it runs on, between runs."""

    def open(self, isa: str, threads: int, profile: bool) -> None:
        library = self._library
        library.sepconv_model_arena_bytes.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.sepconv_model_arena_bytes.restype = ctypes.c_size_t
        library.sepconv_context_block_nanoseconds.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.sepconv_context_block_nanoseconds.restype = ctypes.c_uint64
        self.arena_bytes = library.sepconv_model_arena_bytes(self._model, threads)
        self.context = ctypes.c_void_p()
        options = harness.Options(num_threads=threads, profile=profile)
        os.environ["SEPCONV_ISA"] = isa
        try:
            self._check(library.sepconv_context_create(self._model, ctypes.byref(options),
                                                       ctypes.byref(self.context)))
        finally:
            del os.environ["SEPCONV_ISA"]
        self.isa = library.sepconv_context_isa(self.context).decode()

    def bind(self, inputs: list[np.ndarray], outputs: list[np.ndarray]) -> None:
        """What `call` reads and writes; the caller keeps the arrays alive."""
        self._arguments = (self.context, harness.pointers(inputs), harness.pointers(outputs))

    def call(self) -> None:
        self._check(self._library.sepconv_run(*self._arguments))

    def block_nanoseconds(self, count: int) -> list[int]:
        return [self._library.sepconv_context_block_nanoseconds(self.context, index)
                for index in range(count)]

    def close(self) -> None:
        self._library.sepconv_context_destroy(self.context)


class Peer(Contender):
    SETTINGS = "one context, its pool of threads; NCHW at the edges; weights in the library"

    @classmethod
    def version(cls, setup: Setup) -> str:
        return subprocess.run([setup.tool, "--version"], capture_output=True, text=True,
                              check=True).stdout.split()[-1]

    @classmethod
    def prepare(cls, model: Model, setup: Setup) -> pathlib.Path:
        """Always compiles: the tool may be another one. Its cache makes that quick."""
        folder = setup.work / "sepconv"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            harness.compile_model(setup.tool, model.path, folder, model.name)
        except harness.CompileError as error:
            raise ContenderError(str(error)) from error
        return folder / f"lib{model.name}.so"

    def __init__(self, model: Model, file: pathlib.Path, setup: Setup, image: np.ndarray,
                 profile: bool = False) -> None:
        self._library = _Library(file, model.name)
        self._library.open(setup.isa, setup.threads, profile)
        self.isa = self._library.isa
        self._image = image
        self._outputs = [np.full(shape, np.nan, np.float32) for _, shape in self._library.outputs]
        self._library.bind([image], self._outputs)

    def run(self) -> None:
        self._library.call()

    def outputs(self) -> list[np.ndarray]:
        return self._outputs

    def block_nanoseconds(self, count: int) -> list[int]:
        """Of the first `count` blocks of the plan in the last run, where `profile` was given."""
        return self._library.block_nanoseconds(count)

    def own_bytes(self) -> int:
        return self._library.arena_bytes

    def close(self) -> None:
        self._library.close()


def available_isas(file: pathlib.Path, name: str) -> list[str]:
    """Those of a compiled library that this CPU runs."""
    return harness.Library(file, name).isas()
