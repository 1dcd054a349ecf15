"""Compiles models with the tool under test, runs them through ctypes, compares with a reference."""

import _ctypes
import contextlib
import ctypes
import os
import resource
import subprocess
import sys
import time

import numpy as np

import guarded

ISAS = ("sse41", "avx2", "avx512")
TOLERANCE = 1e-4  # Of the largest absolute value of an output.
# SEPCONV_TEST_SETUPS=all: every end, alignment, number of threads and arena with every other.
SETUPS = (guarded.ALL_SETUPS if os.environ.get("SEPCONV_TEST_SETUPS") == "all"
          else guarded.FEW_SETUPS)


class _Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("layout", ctypes.c_char_p), ("rank", ctypes.c_int),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("bytes", ctypes.c_size_t)]


class Options(ctypes.Structure):
    """sepconv_options_t"""
    _fields_ = [("num_threads", ctypes.c_int), ("parallel_for", ctypes.c_void_p),
                ("parallel_for_data", ctypes.c_void_p), ("arena", ctypes.c_void_p),
                ("arena_bytes", ctypes.c_size_t), ("profile", ctypes.c_int),
                ("device", ctypes.c_char_p), ("device_context", ctypes.c_void_p),
                ("device_queue", ctypes.c_void_p)]


class CompileError(Exception):
    """The tool's message."""


def enlarge_stacks():
    """Starts the program again with stacks of 512 MB for its threads.

    OpenCL on the CPU (PoCL) keeps the private values of a whole work group in the frame of one
    thread: more than the 8 MB that a thread has by default.
    """
    wanted = 512 << 20
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft in (wanted, resource.RLIM_INFINITY):
        return
    resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
    os.execv(sys.executable, [sys.executable, "-W", "ignore", *sys.argv])


def compile_model(tool, path, folder, name, shapes=None, layout=None, device=None, isas=ISAS):
    """Runs `sepconv compile --shared` for ISAs, or for a device alone.

    Returns the loaded Library and the seconds it took.
    """
    command = [str(tool), "compile", str(path), "--output", str(folder), "--name", name,
               "--shared", *(["--device", device] if device else ["--isa", ",".join(isas)])]
    for key, shape in (shapes or {}).items():
        command += ["--input-shape", f"{key}={'x'.join(map(str, shape))}"]
    if layout:
        command += ["--layout", layout]
    start = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise CompileError(f"exit status {result.returncode}: {result.stderr.strip()[-2000:]}")
    library = Library(folder / f"lib{name}.so", name, device)
    return library, time.perf_counter() - start


class Library:
    """A compiled model."""

    def __init__(self, path, name, device=None):
        self._device = device
        self._library = library = ctypes.CDLL(str(path), mode=os.RTLD_LOCAL)
        handle = ctypes.c_void_p
        model_function = getattr(library, f"{name}_model")
        model_function.restype = handle
        for side in ("input", "output"):
            getattr(library, f"sepconv_model_{side}_count").argtypes = [handle]
            getter = getattr(library, f"sepconv_model_{side}")
            getter.argtypes = [handle, ctypes.c_int]
            getter.restype = ctypes.POINTER(_Tensor)
        library.sepconv_status_message.restype = ctypes.c_char_p
        library.sepconv_isa_available.argtypes = [ctypes.c_char_p]
        library.sepconv_model_arena_bytes.argtypes = [handle, ctypes.c_int]
        library.sepconv_model_arena_bytes.restype = ctypes.c_size_t
        library.sepconv_context_create.argtypes = [handle, ctypes.POINTER(Options),
                                                   ctypes.POINTER(handle)]
        library.sepconv_context_isa.argtypes = [handle]
        library.sepconv_context_isa.restype = ctypes.c_char_p
        library.sepconv_context_destroy.argtypes = [handle]
        library.sepconv_context_destroy.restype = None
        library.sepconv_run.argtypes = [handle, ctypes.POINTER(handle), ctypes.POINTER(handle)]
        self._model = model_function()
        self.inputs = self._tensors("input")
        self.outputs = self._tensors("output")

    def _tensors(self, side):
        """[(name, shape)] in the model's order."""
        count = getattr(self._library, f"sepconv_model_{side}_count")(self._model)
        tensors = []
        for i in range(count):
            tensor = getattr(self._library, f"sepconv_model_{side}")(self._model, i).contents
            shape = tuple(tensor.shape[: tensor.rank])
            if tensor.bytes != 4 * int(np.prod(shape, dtype=np.int64)):
                raise AssertionError(f"{side} {i}: {tensor.bytes} bytes for the shape {shape}")
            tensors.append((tensor.name.decode(), shape))
        return tensors

    def isas(self):
        """Those that this machine runs; of a device's library the device."""
        if self._device:
            return [self._device]
        return [isa for isa in ISAS if self._library.sepconv_isa_available(isa.encode())]

    def run(self, inputs, isa, setups=tuple(SETUPS)):
        """Outputs by name from inputs by name, in every way of `setups`: all of its buffers between
        inaccessible pages. Every run must give the same bits and leave what lies around them."""
        arrays = self._ordered(inputs)
        setups = setups[:1] if self._device else setups
        answers = [self._run_guarded(arrays, isa, setup) for setup in setups]
        for answer, setup in zip(answers, setups):
            for (name, _), value, first in zip(self.outputs, answer, answers[0]):
                if not np.array_equal(value.view(np.int32), first.view(np.int32)):
                    raise AssertionError(f"{isa}, {setup}: {name} has other bits than at first")
        return {name: value for (name, _), value in zip(self.outputs, answers[0])}

    def close(self):
        """Unloads the library, so that another one may have its path."""
        _ctypes.dlclose(self._library._handle)

    def best_seconds(self, inputs, isa, rounds):
        """CPU seconds of the fastest of several runs on one thread."""
        arrays = self._ordered(inputs)
        outputs = [np.empty(shape, dtype=np.float32) for _, shape in self.outputs]
        best = np.inf
        with self._context(isa, Options()) as context:
            for _ in range(rounds):
                start = time.thread_time()
                self._check(self._library.sepconv_run(context, pointers(arrays),
                                                      pointers(outputs)))
                best = min(best, time.thread_time() - start)
        return best

    def _ordered(self, inputs):
        """The inputs in the model's order, of the right shape."""
        arrays = []
        for name, shape in self.inputs:
            value = np.array(inputs[name], dtype=np.float32, order="C")
            if value.shape != shape:
                raise AssertionError(f"input {name}: the model says {shape}, given {value.shape}")
            arrays.append(value)
        return arrays

    def _run_guarded(self, arrays, isa, setup):
        """The outputs' values in the model's order."""
        def guard(index, shape):
            return guarded.GuardedArray(shape, setup.at_end, setup.shift_of(index))

        inputs = [guard(i, array.shape) for i, array in enumerate(arrays)]
        for buffer, array in zip(inputs, arrays):
            buffer.array[...] = array
            buffer.make_read_only()
        outputs = [guard(len(inputs) + i, shape) for i, (_, shape) in enumerate(self.outputs)]
        options = Options(num_threads=setup.threads)
        given = [*outputs]
        if setup.arena_at_end is not None:
            options.arena_bytes = self._library.sepconv_model_arena_bytes(self._model,
                                                                          setup.threads)
            arena = guarded.GuardedArray((options.arena_bytes // 4,), setup.arena_at_end)
            options.arena = arena.array.ctypes.data
            given.append(arena)
        with self._context(isa, options) as context:
            self._check(self._library.sepconv_run(
                context, pointers([buffer.array for buffer in inputs]),
                pointers([buffer.array for buffer in outputs])))
        if not all(buffer.slack_is_untouched() for buffer in given):
            raise AssertionError(f"{isa}, {setup}: written beside an output or the arena")
        return [check_written(buffer.array.copy(), name)
                for buffer, (name, _) in zip(outputs, self.outputs)]

    @contextlib.contextmanager
    def _context(self, isa, options):
        context = ctypes.c_void_p()
        os.environ["SEPCONV_ISA"] = isa
        try:
            self._check(self._library.sepconv_context_create(
                self._model, ctypes.byref(options), ctypes.byref(context)))
        finally:
            del os.environ["SEPCONV_ISA"]
        try:
            chosen = self._library.sepconv_context_isa(context).decode()
            if chosen != isa:
                raise AssertionError(f"SEPCONV_ISA={isa} chose {chosen}")
            yield context
        finally:
            self._library.sepconv_context_destroy(context)

    def _check(self, status):
        if status != 0:
            raise AssertionError(self._library.sepconv_status_message(status).decode())


def check_written(value, name):
    """The value, in which no element is poison any more."""
    if np.any(value.view(np.uint32) == guarded.POISON):
        raise AssertionError(f"output {name} is not written everywhere")
    return value


def pointers(arrays):
    """The addresses, as sepconv_run takes them; they do not keep the arrays alive."""
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))


def relative_error(value, reference):
    """max|value - reference| / max|reference|; infinite when a shape differs or a NaN appears."""
    if value.shape != reference.shape or not np.isfinite(value).all():
        return np.inf
    difference = np.abs(value.astype(np.float64) - reference).max(initial=0)
    largest = np.abs(reference).max(initial=0)
    return float(difference / largest) if largest > 0 else float(difference)


def to_nhwc(value):
    return value.transpose(0, 2, 3, 1) if value.ndim == 4 else value


def report(rows, failures):
    """Prints rows of columns and ends the process: status 1 when there are failures."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{len(rows) - 1} rows, {len(failures)} failures", flush=True)
    sys.exit(1 if failures else 0)
