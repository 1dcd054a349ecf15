#!/usr/bin/env python3
"""Runs a model compiled with `sepconv compile --shared`, with nothing but ctypes.

usage: run_model.py libNAME.so [NAME]

Prints inputs and outputs, runs once on a ramp from 0 to 1, prints time and first values.
"""

import array
import ctypes
import pathlib
import sys
import time


class Tensor(ctypes.Structure):
    """sepconv_tensor_t."""
    _fields_ = [("name", ctypes.c_char_p), ("layout", ctypes.c_char_p), ("rank", ctypes.c_int),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("bytes", ctypes.c_size_t)]

    def describe(self):
        shape = "x".join(str(self.shape[i]) for i in range(self.rank))
        return f"{self.name.decode()} {self.layout.decode()} {shape}, {self.bytes} bytes"


class Model:
    """A context of a compiled model. Not for two threads at once."""

    def __init__(self, path, name):
        self.library = library = ctypes.CDLL(str(path))
        handle = ctypes.c_void_p
        model_function = getattr(library, f"{name}_model")
        model_function.restype = handle
        for side in ("input", "output"):
            getattr(library, f"sepconv_model_{side}_count").argtypes = [handle]
            getter = getattr(library, f"sepconv_model_{side}")
            getter.argtypes = [handle, ctypes.c_int]
            getter.restype = ctypes.POINTER(Tensor)
        library.sepconv_status_message.restype = ctypes.c_char_p
        library.sepconv_context_create.argtypes = [handle, handle, ctypes.POINTER(handle)]
        library.sepconv_context_isa.argtypes = [handle]
        library.sepconv_context_isa.restype = ctypes.c_char_p
        library.sepconv_context_destroy.argtypes = [handle]
        library.sepconv_context_destroy.restype = None
        library.sepconv_run.argtypes = [handle, ctypes.POINTER(handle), ctypes.POINTER(handle)]

        model = model_function()
        self.inputs = [library.sepconv_model_input(model, i).contents
                       for i in range(library.sepconv_model_input_count(model))]
        self.outputs = [library.sepconv_model_output(model, i).contents
                        for i in range(library.sepconv_model_output_count(model))]
        self.context = handle()
        self.check(library.sepconv_context_create(model, None, ctypes.byref(self.context)))

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.library.sepconv_status_message(status).decode())

    def isa(self):
        return self.library.sepconv_context_isa(self.context).decode()

    def run(self, inputs):
        """One array.array("f") per input; returns one per output."""
        for values, tensor in zip(inputs, self.inputs, strict=True):
            if len(values) * values.itemsize != tensor.bytes:
                raise ValueError(f"{tensor.name.decode()} needs {tensor.bytes} bytes")
        outputs = [array.array("f", bytes(tensor.bytes)) for tensor in self.outputs]

        def pointers(buffers):
            addresses = [buffer.buffer_info()[0] for buffer in buffers]
            return (ctypes.c_void_p * len(addresses))(*addresses)

        self.check(self.library.sepconv_run(self.context, pointers(inputs), pointers(outputs)))
        return outputs

    def close(self):
        self.library.sepconv_context_destroy(self.context)
        self.context = None


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    path = pathlib.Path(sys.argv[1]).resolve()
    name = sys.argv[2] if len(sys.argv) == 3 else path.stem.removeprefix("lib")
    model = Model(path, name)
    for tensor in model.inputs:
        print("input", tensor.describe())
    inputs = []
    for tensor in model.inputs:
        count = tensor.bytes // 4
        inputs.append(array.array("f", (i / count for i in range(count))))
    start = time.perf_counter()
    outputs = model.run(inputs)
    taken = time.perf_counter() - start
    for tensor, values in zip(model.outputs, outputs):
        first = " ".join(f"{value:g}" for value in values[:3])
        print("output", tensor.describe() + ":", first)
    print(f"{taken * 1e3:.2f} ms, {model.isa()}")
    model.close()


if __name__ == "__main__":
    main()
