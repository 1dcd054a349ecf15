#!/usr/bin/env python3
"""Puts the tables of bench/results into README.md, between the two marker comments.

usage: scripts/speed_table.py [--check]
  --check  changes nothing; fails where README.md does not hold what the CSV files say

The files are what bench/run.sh (whole models) and bench/blocks.sh (blocks) write as CSV, under any
name; lines with '#' tell CPU, ISA and threads. Each CPU gets a table of models and one of blocks.
"""

import csv
import dataclasses
import math
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
RESULTS = "bench/results"
BEGIN = "<!-- speed: made by scripts/speed_table.py -->"
END = "<!-- end of speed -->"
OURS = "sepconv"
MOST_NAMES = 4  # Of blocks in a cell.
ISAS = ("avx512", "avx2", "sse41")  # The order of the tables.


@dataclasses.dataclass(frozen=True)
class Result:
    """A file: the facts in its comment lines, and its rows."""
    name: str
    facts: dict[str, str]
    rows: list[dict[str, str]]

    @property
    def is_models(self) -> bool:
        return "contender" in self.rows[0]

    @property
    def isa(self) -> str:
        return self.facts["ISA of sepconv" if self.is_models else "ISA"].split(";")[0]

    @property
    def threads(self) -> int:
        return int(self.facts["threads"].split(",")[0])

    @property
    def setting(self) -> str:
        """"avx512, 2 threads"; one file of a CPU has it."""
        return f"{self.isa}, {self.threads} thread{'s' * (self.threads > 1)}"

    def place(self) -> tuple[int, int]:
        return self.threads, ISAS.index(self.isa)


def read(path: pathlib.Path) -> Result:
    lines = path.read_text(encoding="utf-8").splitlines()
    facts = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    missing = {"CPU", "date", "command", "peak", "threads"} - set(facts)
    if missing or not rows or not {"contender", "table"} & set(rows[0]):
        sys.exit(f"error: {path.name}: expected a CSV of bench/run.sh or bench/blocks.sh; missing: "
                 f"{', '.join(sorted(missing)) or 'rows'}")
    return Result(path.name, facts, rows)


def grid(heads: list[str], texts: int, cells: list[list[str]]) -> list[str]:
    """A Markdown table; the first `texts` columns are not numbers."""
    ruler = ["---"] * texts + ["---:"] * (len(heads) - texts)
    return ["| " + " | ".join(line) + " |" for line in (heads, ruler, *cells)]


def interval(row: dict[str, str], prefix: str = "") -> str:
    low, high = float(row[prefix + "ratio_low"]), float(row[prefix + "ratio_high"])
    return f"{float(row[prefix + 'ratio']):.3f} ({low:.3f} to {high:.3f})"


def facts_lines(results: list[Result]) -> list[str]:
    return ["", *(f"- {result.setting}: {result.facts['date']}, `{result.facts['command']}`, peak "
                  f"{result.facts['peak']}; [numbers]({RESULTS}/{result.name})"
                  for result in results)]


def model_cells(rows: list[dict[str, str]]) -> list[str]:
    """Of one model and one file: our milliseconds, % of peak, the best peer."""
    ours = next((row for row in rows if row["contender"] == OURS and row["median_ms"]), None)
    timed = [row for row in rows if row["ratio"]]
    best = min(timed, key=lambda row: float(row["median_ms"]), default=None)
    return [f"{float(ours['median_ms']):.2f}" if ours else "-",
            ours["percent_of_peak"] if ours else "-",
            f"{best['contender']} {interval(best)}" if best else "-"]


def model_table(results: list[Result]) -> list[str]:
    """A line per model; our time, its share of the peak and the best peer in every setting."""
    names = list(dict.fromkeys(row["model"] for result in results for row in result.rows))
    heads = ["model"]
    for result in results:
        heads += [f"{result.setting}: ms", "% of peak", "best peer's time / ours (95 %)"]
    cells = [[name] + [cell for result in results for cell in model_cells(
        [row for row in result.rows if row["model"] == name])] for name in names]
    failed: dict[str, dict[str, None]] = {}
    for row in (row for result in results for row in result.rows if row["note"]):
        failed.setdefault(f"{row['contender']}, {row['note']}", {})[row["model"]] = None
    return (grid(heads, 1, cells) + facts_lines(results) +
            [f"- not timed: {reason}: {', '.join(models)}" for reason, models in failed.items()])


def losses(rows: list[dict[str, str]]) -> tuple[str, str, str]:
    """Of blocks: the geometric mean of the best peers' ratios, how many are below 1.00, and who
    is with the whole interval."""
    best = [(row["block"], *(float(row[f"{row['best_peer']}_{column}"])
                             for column in ("ratio", "ratio_high")))
            for row in rows if row["best_peer"]]
    if not best:
        return "-", "-", "-"
    mean = math.exp(sum(math.log(ratio) for _, ratio, _ in best) / len(best))
    lost = [name for name, _, high in best if high < 1]
    names = ", ".join(lost) if len(lost) <= MOST_NAMES else f"{len(lost)}, see the file"
    return f"{mean:.3f}", str(sum(ratio < 1 for _, ratio, _ in best)), names or "none"


def block_lines(result: Result) -> list[list[str]]:
    """A line per network and one of all."""
    cells, blocks = [], [row for row in result.rows if row["block"] != "total"]
    for total in (row for row in result.rows if row["block"] == "total"):
        peer = total["best_peer"]
        mean, below, lost = losses([row for row in blocks if row["table"] == total["table"]])
        cells.append([total["table"], result.setting, total["shape"].split()[0],
                      f"{float(total['median_us']):.0f}",
                      f"{float(total['percent_of_peak']):.1f}",
                      f"{peer} {float(total[f'{peer}_ratio']):.3f}" if peer else "-", mean,
                      below, lost])
    if len(cells) > 1:
        mean, below, lost = losses(blocks)
        cells.append(["**all**", result.setting, str(sum(int(line[2]) for line in cells)), "", "",
                      "", f"**{mean}** of {len(blocks)} rows", below, ""])
    return cells


def block_table(results: list[Result]) -> list[str]:
    heads = ["blocks of", "", "blocks", "total us", "% of peak", "best peer's total / ours",
             "geometric mean of the best", "rows below 1.00", "with the whole interval"]
    return grid(heads, 2, [line for result in results for line in block_lines(result)]) + (
        facts_lines(results))


def section(folder: pathlib.Path) -> str:
    """What stands between the markers."""
    tables: dict[tuple[str, bool], list[Result]] = {}
    for path in sorted(folder.glob("*.csv")):
        result = read(path)
        tables.setdefault((result.facts["CPU"], not result.is_models), []).append(result)
    lines = [BEGIN]
    for (cpu, blocks), results in sorted(tables.items()):
        results.sort(key=Result.place)
        for one, other in zip(results, results[1:]):
            if one.setting == other.setting:
                sys.exit(f"error: {one.name}, {other.name}: both are {one.setting} on {cpu}")
        lines += ["", f"{cpu}, {'single blocks' if blocks else 'whole models'}:", "",
                  *(block_table if blocks else model_table)(results)]
    return "\n".join(lines + ["", END])


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    text = README.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        sys.exit("error: README.md lacks the markers of the speed tables")
    before, rest = text.split(BEGIN, 1)
    wanted = before + section(ROOT / RESULTS) + rest.split(END, 1)[1]
    if sys.argv[1:] == ["--check"]:
        if wanted != text:
            sys.exit("error: README.md differs from bench/results: run scripts/speed_table.py")
    else:
        README.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
