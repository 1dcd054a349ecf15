"""One contender on one model in a fresh process: values, and memory that it takes.

Run as `python -m model_suite.probe` with a pickled Job on stdin; prints one JSON line. A crash or
an engine that gets stuck costs one row and not the run.
"""

import ctypes
import dataclasses
import gc
import json
import pathlib
import pickle
import signal
import subprocess
import sys

import numpy as np

import peers
from model_suite import values
from model_suite.contender import ContenderError, Model, Setup

RUNS = 3
SECONDS = 300
BENCH = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Load:
    """What a contender's constructor takes."""
    model: Model
    file: pathlib.Path
    image: np.ndarray


@dataclasses.dataclass(frozen=True)
class Job:
    contender: str
    setup: Setup
    tolerance: float
    tiny: Load                 # Run first, so that the engine's code and pools do not count.
    load: Load
    reference: list[np.ndarray]


def _status(field: str) -> int:
    """Bytes of a line of /proc/self/status."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise ContenderError(f"/proc/self/status lacks {field}")


def _resident_bytes() -> int:
    """What is resident; the peak starts again from here."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _measure(job: Job) -> dict[str, object]:
    kind = peers.peer(job.contender)
    tiny = kind(job.tiny.model, job.tiny.file, job.setup, job.tiny.image)
    tiny.run()
    image = job.load.image
    before = _resident_bytes()
    contender = kind(job.load.model, job.load.file, job.setup, image)
    for _ in range(RUNS):
        contender.run()
    peak = _status("VmHWM")
    after = _resident_bytes()
    error = values.largest_error(contender.outputs(), job.reference, job.tolerance)
    weights = job.load.model.weight_bytes
    return {"max_error": error, "isa": contender.isa, "own_bytes": contender.own_bytes(),
            "peak_bytes": peak - before - weights, "settled_bytes": after - before - weights}


def probe(job: Job) -> dict[str, object]:
    """Runs a Job in a child process. ContenderError: why it failed."""
    try:
        result = subprocess.run([sys.executable, "-m", "model_suite.probe"], cwd=BENCH,
                                input=pickle.dumps(job), capture_output=True, timeout=SECONDS,
                                check=False)
    except subprocess.TimeoutExpired as error:
        raise ContenderError(f"did not end within {SECONDS} s") from error
    if result.returncode < 0:
        raise ContenderError(f"crashed: {signal.Signals(-result.returncode).name}")
    lines = result.stdout.decode(errors="replace").strip().splitlines()
    if result.returncode != 0 or not lines:
        said = result.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise ContenderError(f"exit status {result.returncode}: {said[-1][:200]}")
    answer = json.loads(lines[-1])
    if "failure" in answer:
        raise ContenderError(answer["failure"])
    return answer


def main() -> None:
    job = pickle.load(sys.stdin.buffer)
    try:
        answer = _measure(job)
    except ContenderError as error:
        answer = {"failure": str(error)}
    print(f"\n{json.dumps(answer)}", flush=True)


if __name__ == "__main__":
    main()
