"""What an engine must offer to be timed."""

import abc
import dataclasses
import importlib.metadata
import pathlib
import subprocess

import numpy as np


@dataclasses.dataclass(frozen=True)
class Model:
    """An ONNX file with every extent fixed and one input, and what is known of it."""
    name: str
    path: pathlib.Path
    input_name: str
    shape: tuple[int, ...]
    macs: int
    weight_bytes: int


@dataclasses.dataclass(frozen=True)
class Setup:
    """How a contender is to run."""
    threads: int
    isa: str                # Of our library; peers choose for themselves.
    build: pathlib.Path     # The build folder: bin/, bench-convert-venv/.
    work: pathlib.Path      # Where converted and compiled models lie.

    @property
    def tool(self) -> pathlib.Path:
        return self.build / "bin" / "sepconv"


class ContenderError(Exception):
    """Why an engine cannot be compared on a model: one sentence."""


class Contender(abc.ABC):
    """An engine with one model, loaded and with its input set, ready to run again and again."""

    DISTRIBUTION: str  # On PyPI.
    SETTINGS: str      # One line: what makes these the engine's best public settings.
    isa = ""           # Where the engine tells.

    @classmethod
    def version(cls, setup: Setup) -> str:
        return importlib.metadata.version(cls.DISTRIBUTION)

    @classmethod
    @abc.abstractmethod
    def prepare(cls, model: Model, setup: Setup) -> pathlib.Path:
        """Converts or compiles, if that was not done before; the file that `__init__` loads."""

    @abc.abstractmethod
    def __init__(self, model: Model, file: pathlib.Path, setup: Setup, image: np.ndarray) -> None:
        """Loads the file and sets the input."""

    @abc.abstractmethod
    def run(self) -> None:
        """Computes every output. All that is timed."""

    @abc.abstractmethod
    def outputs(self) -> list[np.ndarray]:
        """Of the last run, in the model's order."""

    def own_bytes(self) -> int | None:
        """What the engine itself says it allocates for one inference, where it does."""
        return None

    def close(self) -> None:
        """Frees what the garbage collector does not."""


def convert(command: list[str], produced: pathlib.Path) -> pathlib.Path:
    """Runs a converter in the folder of the file it makes, unless the file is there."""
    if produced.exists():
        return produced
    produced.parent.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(command, cwd=produced.parent, capture_output=True, text=True,
                            check=False, timeout=600)
    if result.returncode != 0 or not produced.exists():
        lines = (result.stderr.strip() or result.stdout.strip() or "no message").splitlines()
        raise ContenderError(f"conversion failed (status {result.returncode}): {lines[-1][:200]}")
    return produced
