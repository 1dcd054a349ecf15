"""Interleaved timing, the FMA peak, and distribution-free statistics."""

import gc
import json
import math
import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence

from model_suite.contender import Contender

CONFIDENCE = 0.95
LONG_CALL_SECONDS = 0.03     # From here on one timed call a round is enough.
CALLS = 3
QUIET_SHARE = 0.1            # Of a processor: less than this and no thread spins any more.
LONGEST_PAUSE_SECONDS = 1.0


def settle() -> None:
    """Waits until no thread of this process spins, so that no pool disturbs its neighbour."""
    end = time.perf_counter() + LONGEST_PAUSE_SECONDS
    while time.perf_counter() < end:
        start, used = time.perf_counter(), time.process_time()
        time.sleep(0.002)
        if time.process_time() - used < QUIET_SHARE * (time.perf_counter() - start):
            return


def _sample(contender: Contender, calls: int) -> float:
    """Seconds of a call, the mean of `calls`, after one that wakes its threads and caches."""
    contender.run()
    start = time.perf_counter()
    for _ in range(calls):
        contender.run()
    seconds = (time.perf_counter() - start) / calls
    settle()
    return seconds


class Peak:
    """Samples of the FMA peak of some processors at once, by the C++ suite's program."""

    def __init__(self, program: pathlib.Path, isa: str, cores: Sequence[int]) -> None:
        self._commands = [[str(program), "--peak-only", "--isa", isa, "--core", str(core)]
                          for core in cores]

    def measure(self) -> float | None:
        """GFLOP/s of all together; None where the program is missing or refuses."""
        try:
            running = [subprocess.Popen(command, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
                       for command in self._commands]
            texts = [process.communicate()[0] for process in running]
            return sum(json.loads(text.splitlines()[-1])["gflops"] for text in texts)
        except (OSError, ValueError, IndexError, KeyError):
            return None


def interleave(contenders: dict[str, Contender], rounds: int, peak: Peak,
               ) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds of every contender, one sample a round, the order rotated; samples of the peak.

    The peak is taken before, in the middle and after.
    """
    calls = {}
    for name, contender in contenders.items():
        _sample(contender, 1)
        calls[name] = CALLS if _sample(contender, 1) < LONG_CALL_SECONDS else 1
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    peaks = [peak.measure()]
    gc.collect()
    gc.disable()
    try:
        for index in range(rounds):
            first = index % len(order)
            for name in order[first:] + order[:first]:
                samples[name].append(_sample(contenders[name], calls[name]))
            if index + 1 in (rounds // 2, rounds):
                peaks.append(peak.measure())
            print(f"\r  round {index + 1}/{rounds}", end="", file=sys.stderr, flush=True)
    finally:
        gc.enable()
        print(file=sys.stderr)
    return samples, [value for value in peaks if value is not None]


def quantile(samples: Sequence[float], share: float) -> float:
    """Linear between the order statistics."""
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def median_interval(samples: Sequence[float]) -> tuple[float, float, float]:
    """The median, and its interval of 95 % by order statistics, which assumes no distribution.

    The interval is [x(k), x(n+1-k)] with the greatest k for which both tails of a binomial with
    p = 1/2 together hold at most 5 %. Below 6 samples there is none: the whole range is given.
    """
    ordered = sorted(samples)
    count = len(ordered)
    k, tail = 0, 1.0
    while 2 * tail / 2**count <= 1 - CONFIDENCE:
        k += 1
        tail += math.comb(count, k)
    k = max(k, 1)
    return quantile(ordered, 0.5), ordered[k - 1], ordered[count - k]
