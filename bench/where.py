#!/usr/bin/env python3
"""Where the time of our models goes: every block of the plan against its limit, on one thread.

A block's limit is the larger of what the FMA units need for its multiply-accumulates and what a
copy needs for its bytes; peak and copies are measured in the same run. See bench/README.md.
"""

import argparse
import csv
import datetime
import json
import pathlib
import sys
import time

import matplotlib
import numpy as np

import peers
from model_suite import limits, sources, timing, values
from model_suite.contender import ContenderError, Setup
from model_suite.limits import Line
from models import cpu, finish_parse, pin, progress, shared_parser

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  The backend is chosen first.

COPY_SECONDS = 0.01
COPY_SAMPLES = 9
COPY_LEAST_BYTES = 1 << 16  # Below, the call itself would count.
COLUMNS = ("model", "index", "kind", "shape", "macs", "parameters", "bytes", "median_us", "p10_us",
           "p90_us", "fma_us", "memory_us", "weights_us", "limit_us", "time_by_limit",
           "share_percent", "percent_of_peak", "explanation")


class Bandwidth:
    """Bytes a second that numpy's copy reads and writes, within a set of a given size."""

    def __init__(self) -> None:
        self._known: dict[int, float] = {}

    def __call__(self, size: int) -> float:
        size = max(size, COPY_LEAST_BYTES)
        if size not in self._known:
            self._known[size] = self._measure(size // 8)
        return self._known[size]

    @staticmethod
    def _measure(count: int) -> float:
        """Half of the set is read, the other half written, again and again."""
        source, target = np.ones(count, np.float32), np.zeros(count, np.float32)
        start = time.perf_counter()
        np.copyto(target, source)
        calls = max(1, min(1000, int(COPY_SECONDS / COPY_SAMPLES /
                                     max(time.perf_counter() - start, 1e-7))))
        samples = []
        for _ in range(COPY_SAMPLES):
            start = time.perf_counter()
            for _ in range(calls):
                np.copyto(target, source)
            samples.append((time.perf_counter() - start) / calls)
        return 8 * count / timing.quantile(samples, 0.5)


class Measured:
    """One model: a line for each block, and the whole."""

    def __init__(self, name: str, lines: list[Line], run: float, gflops: float) -> None:
        self.name = name
        self.lines = lines
        self.run = run        # Microseconds of a run without the profile.
        self.gflops = gflops  # The peak beside it.
        self.worst = limits.worst(lines)

    def total(self, field: str) -> float:
        return sum(getattr(line, field) for line in self.lines)


def measure(name: str, setup: Setup, rounds: int, peak: timing.Peak,
            bandwidth: Bandwidth) -> Measured:
    """Runs with and without the profile by turns; values are compared first."""
    model, image = sources.load(name, setup)
    kind = peers.peer(peers.OURS)
    file = kind.prepare(model, setup)
    report = json.loads(file.with_name(f"{name}.json").read_text(encoding="utf-8"))
    blocks = [limits.block_of(row) for row in report["blocks"]]
    plain = kind(model, file, setup, image)
    profiled = kind(model, file, setup, image, profile=True)
    profiled.run()
    values.largest_error(profiled.outputs(), peers.reference(model, image), values.OUR_TOLERANCE)
    peaks, runs, times = [peak.measure()], [], []
    for index in range(rounds):
        plain.run()
        start = time.perf_counter()
        plain.run()
        runs.append(1e6 * (time.perf_counter() - start))
        profiled.run()
        profiled.run()
        times.append(profiled.block_nanoseconds(len(blocks)))
        if index + 1 in (rounds // 2, rounds):
            peaks.append(peak.measure())
    model_bytes = report["weights_bytes"] + plain.own_bytes()
    plain.close()
    profiled.close()
    if None in peaks:
        raise ContenderError("sepconv_bench does not measure the peak")
    machine = limits.Machine(timing.quantile(peaks, 0.5), bandwidth)
    spreads = [tuple(timing.quantile(own, share) / 1e3 for share in (0.5, 0.1, 0.9))
               for own in zip(*times)]
    lines = [limits.line(index, block, spread, machine, model_bytes)
             for index, (block, spread) in enumerate(zip(blocks, spreads))]
    return Measured(name, lines, timing.quantile(runs, 0.5), machine.gflops)


def peak_share(line: Line) -> float:
    return 100 * line.fma / line.time if line.time else 0.0


def by_limit(time_us: float, limit: float, digits: int) -> str:
    """Empty where there is too little to compare with."""
    return f"{time_us / limit:.{digits}f}" if limit >= 0.1 else ""


def section(model: Measured) -> list[str]:
    """Markdown of one model."""
    time_us, limit = model.total("time"), model.total("limit")
    lines = [f"## {model.name}", "",
             f"Blocks {time_us / 1e3:.3f} ms, a run without the profile {model.run / 1e3:.3f} ms; "
             f"limits {limit / 1e3:.3f} ms, the FMA units alone {model.total('fma') / 1e3:.3f} ms "
             f"at {model.gflops:.1f} GFLOP/s.", "",
             "| | block | shape | MMACs | us | % of all | FMA us | memory us | limit us | "
             "time / limit | weights us |",
             "| ---: | --- | --- |" + " ---: |" * 8]
    for line in model.lines:
        mark = "**" if line in model.worst else ""
        cells = [f"{mark}{line.index}{mark}", line.block.kind, line.block.shape,
                 f"{line.block.macs / 1e6:.2f}", f"{mark}{line.time:.1f}{mark}",
                 f"{100 * line.time / time_us:.1f}", f"{line.fma:.1f}", f"{line.memory:.1f}",
                 f"{line.limit:.1f}", by_limit(line.time, line.limit, 2),
                 f"{line.weights:.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    cells = ["", "**total**", f"{len(model.lines)} blocks",
             f"{sum(line.block.macs for line in model.lines) / 1e6:.2f}", f"**{time_us:.1f}**",
             "100", f"{model.total('fma'):.1f}", f"{model.total('memory'):.1f}", f"{limit:.1f}",
             by_limit(time_us, limit, 2), f"{model.total('weights'):.1f}"]
    lines += ["| " + " | ".join(cells) + " |", "", "Most time above the limit:", ""]
    lines += [f"- block {line.index}, {line.block.kind} {line.block.shape}: {line.excess:.0f} us "
              f"above its limit ({100 * line.excess / time_us:.1f} % of the model): "
              f"{limits.explain(line)}" for line in model.worst]
    return lines + [""]


def write_csv(path: pathlib.Path, facts: dict[str, str], models: list[Measured]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {name}: {value}\n" for name, value in facts.items())
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for model in models:
            time_us = model.total("time")
            for line in model.lines:
                block = line.block
                numbers = (line.time, line.p10, line.p90, line.fma, line.memory, line.weights,
                           line.limit)
                writer.writerow([
                    model.name, line.index, block.kind, block.shape, block.macs, block.parameters,
                    block.bytes, *(f"{number:.3f}" for number in numbers),
                    by_limit(line.time, line.limit, 3), f"{100 * line.time / time_us:.2f}",
                    f"{peak_share(line):.1f}", limits.explain(line) if line.time else ""])


def write_chart(path: pathlib.Path, title: str, model: Measured) -> None:
    """A bar of time for each block, and in it a darker one of its limit."""
    matplotlib.rcParams["svg.hashsalt"] = "sepconv"
    lines = model.lines[::-1]  # The first block on top.
    places = range(len(lines))
    figure, axis = pyplot.subplots(figsize=(9, 1.2 + 0.2 * len(lines)), layout="constrained")
    colors = ["#d1495b" if line in model.worst else "#8d99ae" for line in lines]
    bars = axis.barh(places, [line.time for line in lines], height=0.8, color=colors)
    axis.barh(places, [line.limit for line in lines], height=0.35, color="#2b2d42",
              label="limit: FMA units or memory")
    axis.bar_label(bars, [f"{line.time:.0f}" for line in lines], padding=2, fontsize=7)
    axis.set_yticks(places, [f"{line.block.kind} {line.block.shape}  {line.index}"
                             for line in lines], fontsize=7)
    axis.set_ylim(-0.6, len(lines) - 0.4)
    axis.margins(x=0.08)
    axis.set_xlabel("us; red: the most time above the limit", fontsize=8)
    axis.tick_params(axis="x", labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, loc="lower right", frameon=False)
    figure.suptitle(title, fontsize=9)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def write(folder: pathlib.Path, facts: dict[str, str], models: list[Measured]) -> None:
    """where.csv and where.md of all, the chart of the last."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "where.csv", facts, models)
    lines = [f"- {name}: {value}" for name, value in facts.items()] + [""]
    for model in models:
        lines += section(model)
    (folder / "where.md").write_text("\n".join(lines), encoding="utf-8")
    last = models[-1]
    write_chart(folder / f"where_{last.name}.svg",
                f"{last.name}, {last.total('time') / 1e3:.2f} ms, {facts['CPU']}, {facts['ISA']}, "
                "1 thread, fp32", last)


def facts_of(arguments: argparse.Namespace, setup: Setup, cores: list[int],
             models: list[Measured]) -> dict[str, str]:
    peaks = [model.gflops for model in models]
    return {
        "CPU": cpu(),
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "command": " ".join(["bench/run.sh --suite where", *arguments.shown]),
        "sepconv": peers.peer(peers.OURS).version(setup),
        "ISA": setup.isa,
        "threads": f"1, on processor {cores[0]}",
        "peak": f"{min(peaks):.1f} to {max(peaks):.1f} GFLOP/s, the median of three samples beside "
                "each model",
        "us": f"median of {arguments.rounds} runs of the whole model with options.profile, each "
              "behind an untimed one",
        "FMA us": "2 * MACs / peak",
        "memory us": "input, operands, weights and output, each once, at the speed of a copy by "
                     "numpy, repeated, that reads and writes as many bytes together (at least "
                     f"{COPY_LEAST_BYTES >> 10} KiB); who only reads may be faster",
        "limit": "the larger of both",
        "weights us": "not in the limit: the block's weights at the speed of a copy that touches "
                      "as many bytes as the whole model's weights and arena",
    }


def parse() -> argparse.Namespace:
    return finish_parse(shared_parser("bench/run.sh --suite where", f"{__doc__}", rounds=50),
                        least_rounds=2)


def main() -> None:
    arguments = parse()
    cores = pin(1, arguments.core)
    setup = Setup(1, arguments.isa or "", arguments.build.resolve(),
                  (arguments.build / "bench" / "models").resolve())
    setup = peers.with_isa(setup, sources.tiny(setup)[0])
    peak = timing.Peak(setup.build / "bin" / "sepconv_bench", setup.isa, cores)
    bandwidth = Bandwidth()
    models: list[Measured] = []
    for index, name in enumerate(arguments.models):
        progress(f"[{index + 1}/{len(arguments.models)}] {name}")
        try:
            models.append(measure(name, setup, arguments.rounds, peak, bandwidth))
        except ContenderError as error:
            sys.exit(f"error: {name}: {error}")
        write(arguments.output, facts_of(arguments, setup, cores, models), models)
    print((arguments.output / "where.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
