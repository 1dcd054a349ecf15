"""What an engine must offer to be timed."""

import abc
import dataclasses
import hashlib
import importlib.metadata
import pathlib
import subprocess

import numpy as np

from model_suite import ROOT

CONVERSION_SECONDS = 600


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


def _stamp(command: list[str], source: pathlib.Path) -> str:
    """Changes with the model, the command and the converters' versions."""
    digest = hashlib.sha256(repr(command).encode() + source.read_bytes())
    for requirements in sorted((ROOT / "bench").glob("requirements*.txt")):
        digest.update(requirements.read_bytes())
    return digest.hexdigest()


def convert(command: list[str], source: pathlib.Path, produced: pathlib.Path) -> pathlib.Path:
    """Runs a converter in the folder of the file it makes, unless that was made of the same."""
    stamp = produced.with_name(produced.name + ".stamp")
    wanted = _stamp(command, source)
    if produced.exists() and stamp.exists() and stamp.read_text() == wanted:
        return produced
    produced.parent.mkdir(parents=True, exist_ok=True)
    produced.unlink(missing_ok=True)
    try:
        result = subprocess.run(command, cwd=produced.parent, capture_output=True, text=True,
                                check=False, timeout=CONVERSION_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ContenderError(f"conversion did not end within {CONVERSION_SECONDS} s") from error
    if result.returncode != 0 or not produced.exists():
        lines = (result.stderr.strip() or result.stdout.strip() or "no message").splitlines()
        raise ContenderError(f"conversion failed (status {result.returncode}): {lines[-1][:200]}")
    stamp.write_text(wanted)
    return produced
