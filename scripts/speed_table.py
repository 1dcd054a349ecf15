#!/usr/bin/env python3
"""Puts the tables of bench/results into README.md, between the two marker comments.

usage: scripts/speed_table.py [--check]
  --check  changes nothing; fails where README.md does not hold what the CSV files say

Files are DATE-MACHINE-SHAPES-ISA.csv as bench/blocks.sh writes them; of several dates and machines
each set becomes a table with one column pair per ISA. DATE-MACHINE-models-THREADS.csv are what
bench/run.sh writes as models_THREADS.csv: each becomes a table with one column per engine.
"""

import csv
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN = "<!-- speed: made by scripts/speed_table.py -->"
END = "<!-- end of speed -->"
NAME = re.compile(r"(?P<run>\d{4}-\d{2}-\d{2}-.+)-(?P<isa>sse41|avx2|avx512)\.csv")
MODELS = re.compile(r"\d{4}-\d{2}-\d{2}-.+-models-\d+\.csv")
OURS = "sepconv"
ISAS = ["avx512", "avx2", "sse41"]


def read(path):
    """The facts in the comment lines, and the rows."""
    lines = path.read_text().splitlines()
    facts = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    return facts, list(csv.DictReader(line for line in lines if not line.startswith("#")))


def table(isas):
    """`isas`: ISA to (facts, rows)."""
    used = [isa for isa in ISAS if isa in isas]
    shapes = [row["shape"] for row in isas[used[0]][1]]
    for isa in used:
        if [row["shape"] for row in isas[isa][1]] != shapes:
            sys.exit(f"error: the {isa} table has other shapes")
    lines = ["| block | " + " | ".join(f"{isa} us | % peak" for isa in used) + " |",
             "| --- |" + " ---: | ---: |" * len(used)]
    for i, shape in enumerate(shapes):
        cells = []
        for isa in used:
            row = isas[isa][1][i]
            cells += [f"{float(row['median_us']):.0f}", f"{float(row['percent_of_peak']):.1f}"]
        strong = "**" if isas[used[0]][1][i]["block"] == "total" else ""
        name = f"total of {shape}" if strong else shape
        lines.append("| " + " | ".join(f"{strong}{cell}{strong}" for cell in [name] + cells) + " |")
    lines.append("")
    for isa in used:
        lines.append(f"- {isa}: peak {isas[isa][0]['peak']}; {isas[isa][0]['date']}")
    return lines


def model_table(facts, rows):
    """A line per model: milliseconds of every engine, and the best peer's time by ours."""
    models = {}
    for row in rows:
        models.setdefault(row["model"], {})[row["contender"]] = row
    engines = list(dict.fromkeys(row["contender"] for row in rows))
    lines = ["| model, ms | " + " | ".join(engines) + " | % peak | best peer / ours (95 %) |",
             "| --- |" + " ---: |" * (len(engines) + 2)]
    for model, own in models.items():
        timed = [row for row in own.values() if row["ratio"]]
        best = min(timed, key=lambda row: float(row["median_ms"]), default=None)
        cells = [f"{float(own[engine]['median_ms']):.2f}" if own[engine]["median_ms"] else "-"
                 for engine in engines]
        cells.append(own[OURS]["percent_of_peak"])
        cells.append(best and f"**{float(best['ratio']):.2f}** ({float(best['ratio_low']):.2f} to "
                     f"{float(best['ratio_high']):.2f})" or "-")
        lines.append("| " + " | ".join([model] + cells) + " |")
    failed = [f"{row['contender']} on {row['model']}: {row['note']}" for row in rows if row["note"]]
    lines += ["", f"- {facts['CPU']}, {facts['date']}; threads: {facts['threads']}; "
              f"peak: {facts['peak']}"]
    return lines + [f"- not timed: {text}" for text in failed]


def section():
    runs, models = {}, []
    for path in sorted((ROOT / "bench/results").glob("*.csv")):
        if MODELS.fullmatch(path.name):
            models.append(read(path))
            continue
        match = NAME.fullmatch(path.name)
        if match is None:
            sys.exit(f"error: {path.name}: expected DATE-MACHINE-SHAPES-ISA.csv or "
                     "DATE-MACHINE-models-THREADS.csv")
        runs.setdefault(match["run"], {})[match["isa"]] = read(path)
    lines = [BEGIN]
    for isas in runs.values():
        lines += [""] + table(isas)
    for facts, rows in models:
        lines += [""] + model_table(facts, rows)
    return "\n".join(lines + ["", END])


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    text = README.read_text()
    if BEGIN not in text or END not in text:
        sys.exit("error: README.md lacks the markers of the speed tables")
    before, rest = text.split(BEGIN, 1)
    wanted = before + section() + rest.split(END, 1)[1]
    if sys.argv[1:] == ["--check"]:
        if wanted != text:
            sys.exit("error: README.md differs from bench/results: run scripts/speed_table.py")
    else:
        README.write_text(wanted)


if __name__ == "__main__":
    main()
