"""Rows of results as CSV, Markdown and a bar chart."""

import csv
import dataclasses
import pathlib
from collections.abc import Callable, Sequence

import matplotlib
matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  The backend is chosen first.


@dataclasses.dataclass
class Row:
    """One contender on one model. What is None was not measured; `note` says why."""
    model: str
    contender: str
    version: str
    isa: str
    threads: int
    macs: int
    median_ms: float | None = None
    p10_ms: float | None = None
    p90_ms: float | None = None
    ratio: float | None = None        # Time / ours, median of the pairs; and its 95 % interval.
    ratio_low: float | None = None
    ratio_high: float | None = None
    percent_of_peak: float | None = None
    limit_ms: float | None = None     # What the FMA units alone need.
    max_error: float | None = None
    peak_bytes: int | None = None
    settled_bytes: int | None = None
    own_bytes: int | None = None
    note: str = ""


FORMATS: dict[str, str] = {
    "median_ms": ".4f", "p10_ms": ".4f", "p90_ms": ".4f", "ratio": ".4f", "ratio_low": ".4f",
    "ratio_high": ".4f", "percent_of_peak": ".1f", "limit_ms": ".4f", "max_error": ".1e"}


def _text(value: object, form: str = "") -> str:
    return "" if value is None else format(value, form)


def write_csv(path: pathlib.Path, facts: dict[str, str], rows: Sequence[Row]) -> None:
    names = [field.name for field in dataclasses.fields(Row)]
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {name}: {value}\n" for name, value in facts.items())
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow([_text(getattr(row, name), FORMATS.get(name, "")) for name in names])


def _by_model(rows: Sequence[Row]) -> dict[str, list[Row]]:
    models: dict[str, list[Row]] = {}
    for row in rows:
        models.setdefault(row.model, []).append(row)
    return models


def best_peer(rows: Sequence[Row]) -> Row | None:
    """Of one model: the fastest that is not ours."""
    timed = [row for row in rows if row.ratio is not None]
    return min(timed, key=lambda row: row.median_ms, default=None)


def _table(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Text columns first: those whose head has no colon at its end."""
    ruler = ["---:" if head.endswith(":") else "---" for head in heads]
    names = [head.rstrip(":") for head in heads]
    return ["| " + " | ".join(line) + " |" for line in (names, ruler, *cells)] + [""]


def _interval(row: Row) -> str:
    return ("" if row.ratio is None
            else f"{row.ratio:.3f} ({row.ratio_low:.3f} to {row.ratio_high:.3f})")


def _times(rows: Sequence[Row]) -> list[str]:
    lines = []
    for model, own in _by_model(rows).items():
        lines += [f"### {model}", ""]
        lines += _table(
            ["engine", "version", "ISA", "ms:", "p10:", "p90:", "time / ours (95 %):", "% peak:",
             "error:"],
            [[row.contender, row.version, row.isa, _text(row.median_ms, ".3f"),
              _text(row.p10_ms, ".3f"), _text(row.p90_ms, ".3f"), _interval(row),
              _text(row.percent_of_peak, ".1f"), _text(row.max_error, ".0e")]
             for row in own if row.median_ms is not None])
        lines += [f"- {row.contender} {row.version}: not timed: {row.note}"
                  for row in own if row.median_ms is None]
        best = best_peer(own)
        if best is not None:
            lines += [f"- best peer / ours: **{best.ratio:.3f}** "
                      f"({best.ratio_low:.3f} to {best.ratio_high:.3f}), {best.contender}"]
        limit = own[0].limit_ms
        lines += [f"- {own[0].macs / 1e6:.1f} M multiply-accumulates" + (
            f"; the FMA units alone need {limit:.3f} ms" if limit is not None else ""), ""]
    return lines


def _memory(rows: Sequence[Row]) -> list[str]:
    def megabytes(value: int | None) -> str:
        return "" if value is None else f"{value / 1e6:.2f}"

    return _table(["model", "engine", "own number, MB:", "peak, MB:", "settled, MB:"],
                  [[row.model, row.contender, megabytes(row.own_bytes), megabytes(row.peak_bytes),
                    megabytes(row.settled_bytes)]
                   for row in rows if row.peak_bytes is not None])


MEMORY_TEXT = """\
Own number: what the engine states, less the weights; ours is the arena with the workers' scratch,
everything that running needs beside the weights and the caller's tensors. Peak and settled: growth
of the resident set of a fresh process that has already run another model, while it creates the
session and runs it three times, and what of it remains, less one copy of the float weights (so what
is mapped but not read makes it smaller).
"""


def write_markdown(path: pathlib.Path, facts: dict[str, str], rows: Sequence[Row]) -> None:
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", "## Time", "", *_times(rows), "## Memory", "", *MEMORY_TEXT.splitlines(), ""]
    path.write_text("\n".join(lines + _memory(rows)).rstrip() + "\n", encoding="utf-8")


def write_chart(path: pathlib.Path, title: str, rows: Sequence[Row], ours: str) -> None:
    """Bars of milliseconds, one panel a model; a dashed line where the FMA units alone would be."""
    panels = {model: timed for model, own in _by_model(rows).items()
              if (timed := [row for row in own if row.median_ms is not None])}
    if not panels:
        return
    matplotlib.rcParams["svg.hashsalt"] = "sepconv"
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure, axes = pyplot.subplots(lines, columns, figsize=(4.2 * columns, 2.6 * lines),
                                   squeeze=False, layout="constrained")
    for axis in axes.flat[len(panels):]:
        axis.set_visible(False)
    color: Callable[[Row], str] = lambda row: "#d1495b" if row.contender == ours else "#8d99ae"
    for axis, (model, timed) in zip(axes.flat, panels.items()):
        timed = sorted(timed, key=lambda row: -row.median_ms)
        bars = axis.barh([row.contender for row in timed], [row.median_ms for row in timed],
                         color=[color(row) for row in timed])
        axis.bar_label(bars, fmt="%.2f", padding=2, fontsize=8)
        if timed[0].limit_ms is not None:
            axis.axvline(timed[0].limit_ms, color="black", linestyle="--", linewidth=1)
        axis.margins(x=0.18)
        axis.set_title(model, fontsize=10)
        axis.set_xlabel("ms", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
