#!/usr/bin/env python3
"""Whole models: sepconv and other engines, interleaved in one process, against the FMA peak.

Every contender is first tried in a process of its own, which compares its values with ONNX
Runtime's and measures its memory; who fails is listed and not timed. See bench/README.md.
"""

import argparse
import datetime
import os
import pathlib
import platform
import sys

import numpy as np

import peers
from model_suite import probe, report, sources, timing, values
from model_suite.contender import Contender, ContenderError, Model, Setup
from model_suite.report import Row


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def cpu() -> str:
    """The name alone says little on virtual machines."""
    facts = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    return (f"{facts.get('model name', platform.machine())} (family {facts.get('cpu family')}, "
            f"model {facts.get('model')})")


def pin(threads: int, first: int | None) -> list[int]:
    """Binds the process, and all threads to come, to as many processors."""
    available = sorted(os.sched_getaffinity(0))
    wanted = available[-threads:] if first is None else list(range(first, first + threads))
    if len(wanted) != threads or not set(wanted) <= set(available):
        sys.exit(f"error: {threads} threads: this process may use the processors {available}")
    os.sched_setaffinity(0, wanted)
    return wanted


class Suite:
    """What one run of the program knows."""

    def __init__(self, setup: Setup, contenders: list[str]) -> None:
        self.setup = setup
        self.contenders = contenders
        self.versions = {name: peers.peer(name).version(setup) for name in contenders}
        self.tiny_model, self.tiny_image = sources.tiny(setup)

    def _prepared(self, name: str, model: Model, image: np.ndarray) -> probe.Load:
        return probe.Load(model, peers.peer(name).prepare(model, self.setup), image)

    def _tried(self, name: str, model: Model, image: np.ndarray, reference: list[np.ndarray],
               row: Row) -> pathlib.Path:
        """Fills in values and memory; the file to load."""
        tolerance = values.OUR_TOLERANCE if name == peers.OURS else values.PEER_TOLERANCE
        tiny = self._prepared(name, self.tiny_model, self.tiny_image)
        load = self._prepared(name, model, image)
        answer = probe.probe(probe.Job(name, self.setup, tolerance, tiny, load, reference))
        for key, value in answer.items():
            setattr(row, key, value)
        return load.file

    def model(self, name: str, rounds: int, peak: timing.Peak) -> tuple[list[Row], list[float]]:
        """Rows of one model, and the samples of the peak."""
        model, image = sources.load(name, self.setup)
        reference = peers.reference(model, image)
        rows, loaded = {}, {}
        for contender in self.contenders:
            row = rows[contender] = Row(name, contender, self.versions[contender], "",
                                        self.setup.threads, model.macs)
            progress(f"  {contender} {row.version}: compiling or converting, comparing")
            try:
                file = self._tried(contender, model, image, reference, row)
                loaded[contender] = peers.peer(contender)(model, file, self.setup, image)
            except ContenderError as error:
                row.note = str(error).splitlines()[-1]
                progress(f"  {contender}: NOT TIMED: {error}")
        if not loaded:
            return list(rows.values()), []
        samples, peaks = timing.interleave(loaded, rounds, peak)
        fill(rows, loaded, samples, peaks, reference)
        for contender in loaded.values():
            contender.close()
        return list(rows.values()), peaks


def fill(rows: dict[str, Row], loaded: dict[str, Contender], samples: dict[str, list[float]],
         peaks: list[float], reference: list[np.ndarray]) -> None:
    """Statistics of the samples; the outputs of the last timed run are compared once more."""
    for name, times in samples.items():
        row = rows[name]
        tolerance = values.OUR_TOLERANCE if name == peers.OURS else values.PEER_TOLERANCE
        row.max_error = values.largest_error(loaded[name].outputs(), reference, tolerance)
        row.median_ms, row.p10_ms, row.p90_ms = (
            1e3 * timing.quantile(times, share) for share in (0.5, 0.1, 0.9))
        if name != peers.OURS and peers.OURS in samples:
            row.ratio, row.ratio_low, row.ratio_high = timing.median_interval(
                [theirs / ours for theirs, ours in zip(times, samples[peers.OURS])])
        if peaks:
            row.limit_ms = 2e-6 * row.macs / timing.quantile(peaks, 0.5)
            row.percent_of_peak = 100 * row.limit_ms / row.median_ms


def write(folder: pathlib.Path, facts: dict[str, str], rows: list[Row], threads: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"models_{threads}"
    report.write_csv(stem.with_suffix(".csv"), facts, rows)
    report.write_markdown(stem.with_suffix(".md"), facts, rows)
    title = f"{facts['CPU']}, {threads} thread{'s' * (threads > 1)}, fp32, less is better"
    report.write_chart(stem.with_suffix(".svg"), title, rows, peers.OURS)


def facts_of(arguments: argparse.Namespace, suite: Suite, cores: list[int],
             peaks: list[float]) -> dict[str, str]:
    peak = (f"{timing.quantile(peaks, 0.5):.1f} GFLOP/s (p10 {timing.quantile(peaks, 0.1):.1f}, "
            f"p90 {timing.quantile(peaks, 0.9):.1f}, {len(peaks)} samples, all processors together)"
            if peaks else "not measured")
    facts = {
        "CPU": cpu(),
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "command": " ".join(["bench/run.sh", *arguments.shown]),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "threads": f"{len(cores)}, on processors {', '.join(map(str, cores))}",
        "ISA of sepconv": f"{suite.setup.isa}; the peers choose for themselves",
        "peak": peak,
        "in the timer": "one inference, fp32, inputs set before; weights warm by one call before",
        "samples": f"{arguments.rounds} rounds, order rotated; a sample is the mean of "
                   f"{timing.CALLS} calls (one from {1e3 * timing.LONG_CALL_SECONDS:.0f} ms on)",
        "interval": "95 % of the median of the paired ratios, by order statistics",
        "values": f"of the largest output: ours within {values.OUR_TOLERANCE:g} of ONNX Runtime "
                  f"without optimisations, peers within {values.PEER_TOLERANCE:g}",
    }
    return facts | {f"{name} {suite.versions[name]}": peers.peer(name).SETTINGS
                    for name in suite.contenders}


def shared_parser(prog: str, description: str, rounds: int) -> argparse.ArgumentParser:
    """The options of every suite that runs models; see finish_parse()."""
    parser = argparse.ArgumentParser(prog=prog, description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("--core", type=int, help="first processor (default: the last ones)")
    parser.add_argument("--isa", help="of our library (default: the best of this CPU)")
    parser.add_argument("--models", nargs="+", choices=sources.NAMES, default=sources.NAMES,
                        metavar="NAME", help=f"default: {' '.join(sources.NAMES)}")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"default: {rounds}")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=pathlib.Path, help="folder (default: build/bench)")
    return parser


def finish_parse(parser: argparse.ArgumentParser, least_rounds: int) -> argparse.Namespace:
    """The arguments; `shown` are those that a reader would type."""
    arguments = parser.parse_args()
    if arguments.rounds < least_rounds:
        parser.error(f"--rounds: expected at least {least_rounds}")
    arguments.output = arguments.output or arguments.build / "bench"
    build = sys.argv.index("--build")  # Put there by run.sh, and a path of this machine.
    arguments.shown = sys.argv[1:build] + sys.argv[build + 2:]
    return arguments


def parse() -> argparse.Namespace:
    parser = shared_parser("bench/run.sh", f"{__doc__}", rounds=40)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peers", nargs="*", choices=peers.NAMES[1:], default=peers.NAMES[1:],
                        metavar="NAME", help=f"default: {' '.join(peers.NAMES[1:])}")
    arguments = finish_parse(parser, least_rounds=1)
    if arguments.threads < 1:
        parser.error("--threads: expected at least 1")
    return arguments


def main() -> None:
    arguments = parse()
    cores = pin(arguments.threads, arguments.core)
    progress(f"pinned to processors {', '.join(map(str, cores))}")
    setup = Setup(arguments.threads, arguments.isa or "", arguments.build.resolve(),
                  arguments.output.resolve() / "models")
    setup = peers.with_isa(setup, sources.tiny(setup)[0])
    suite = Suite(setup, [peers.OURS, *arguments.peers])
    peak = timing.Peak(setup.build / "bin" / "sepconv_bench", setup.isa, cores)
    rows, peaks = [], []
    for index, name in enumerate(arguments.models):
        progress(f"[{index + 1}/{len(arguments.models)}] {name}")
        new_rows, new_peaks = suite.model(name, arguments.rounds, peak)
        rows += new_rows
        peaks += new_peaks
        facts = facts_of(arguments, suite, cores, peaks)
        write(arguments.output, facts, rows, arguments.threads)  # Whatever happens next.
        for row in new_rows:
            if row.ratio is not None:
                progress(f"  {row.contender}: {row.median_ms:.3f} ms, {row.ratio:.3f} of ours")
    print((arguments.output / f"models_{arguments.threads}.md").read_text(encoding="utf-8"))
    if any(row.contender == peers.OURS and row.note for row in rows):
        sys.exit("error: sepconv itself failed on a model: see the notes")


if __name__ == "__main__":
    main()
