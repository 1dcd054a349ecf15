"""sepconv on a device: a block as `sepconv layer --device cuda --shared` writes it, through ctypes.

Inputs and outputs are device pointers; nothing is copied or waited for.
"""

import ctypes
import pathlib
import subprocess

import numpy as np

from model_suite.contender import ContenderError
from model_suite.gpu_blocks import GpuBlock

import harness  # Of tests/models.

SETTINGS = ("sepconv_run_on_device, channels last at the edges, weights and context made before; fp32 "
            "without tensor cores")


def compile_block(tool: pathlib.Path, block: GpuBlock, weights: dict[str, pathlib.Path],
                  biases: dict[str, pathlib.Path], folder: pathlib.Path,
                  capability: int) -> pathlib.Path:
    """The shared library; ContenderError with the tool's message."""
    command = [str(tool), "layer", "separable", "--input",
               f"{block.height}x{block.width}x{block.in_channels}",
               "--out-channels", str(block.out_channels), "--kernel", str(block.kernel),
               "--stride", str(block.stride), "--padding", "half",
               "--depthwise-activation", block.depthwise_activation,
               "--activation", block.activation, "--layout", "nhwc", "--device", "cuda",
               "--cuda-capability", str(capability), "--shared", "--quiet", "--name", block.name,
               "--output", str(folder)]
    for option, files in (("--weights", weights), ("--bias", biases)):
        for stage, file in files.items():
            command += [option, f"{stage}={file}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ContenderError(f"{block.name}: {result.stderr.strip()}")
    return folder / f"lib{block.name}.so"


class DeviceLibrary(harness.Library):
    """One context on the caller's CUDA context and stream."""

    def open(self, device_context: int | None, stream: int | None) -> None:
        library = self._library
        library.sepconv_run_on_device.argtypes = library.sepconv_run.argtypes
        options = harness.Options(device=b"cuda", device_context=device_context, device_queue=stream)
        self._context_pointer = ctypes.c_void_p()
        self._check(library.sepconv_context_create(self._model, ctypes.byref(options),
                                                   ctypes.byref(self._context_pointer)))

    def bind(self, inputs: list[int], outputs: list[int]) -> None:
        """Device pointers that `call` reads and writes."""
        self._arguments = (self._context_pointer, (ctypes.c_void_p * len(inputs))(*inputs),
                           (ctypes.c_void_p * len(outputs))(*outputs))

    def call(self) -> None:
        """Queues one run."""
        self._check(self._library.sepconv_run_on_device(*self._arguments))

    def close(self) -> None:
        self._library.sepconv_context_destroy(self._context_pointer)


def write_parameters(block: GpuBlock, folder: pathlib.Path
                     ) -> tuple[dict[str, np.ndarray], dict[str, pathlib.Path]]:
    """Random weights and biases by "STAGE.weight" and "STAGE.bias", and their .npy files."""
    arrays = block.parameters()
    files = {}
    for name, array in arrays.items():
        files[name] = folder / f"{block.name}_{name}.npy"
        np.save(files[name], array)
    return arrays, files
