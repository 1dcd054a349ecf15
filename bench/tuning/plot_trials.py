#!/usr/bin/env python3
"""Draws measured schedules of one kernel: what the cost model estimated, and what was measured.

usage: plot_trials.py CSV KERNEL SVG [--check]     CSV as `sepconv tune --csv` writes it; KERNEL is a
                                                  part of its name, such as "1x96x14x14"
  --check  changes nothing; fails where the file is not what would be drawn
"""

import argparse
import csv
import pathlib
import sys
from html import escape

WIDTH, HEIGHT = 860, 430
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 60, 60
INK, QUIET, DEFAULT, BEST = "#222222", "#b0b0b0", "#222222", "#c03028"
COLORS = {"sliding": "#d08a1c", "channels": "#3f6fb0", "": "#7a9a4a"}
LEGEND = {"": "order left to the schedule", "sliding": "order sliding", "channels": "order channels"}


def text(x, y, content, anchor="start", color=INK, size=12):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}" '
            f'text-anchor="{anchor}">{escape(content)}</text>')


def dot(x, y, color, title, radius=4.5, line="none"):
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{color}" fill-opacity="0.75" '
            f'stroke="{line}" stroke-width="2"><title>{escape(title)}</title></circle>')


class Axes:
    """Data to pixels, both ways from the smallest to the largest value."""

    def __init__(self, rows):
        values = [(float(row["estimate"]), float(row["of_default"])) for row in rows]
        self.low = [min(axis) - 0.03 for axis in zip(*values)]
        self.high = [max(axis) + 0.03 for axis in zip(*values)]

    def x(self, value):
        share = (value - self.low[0]) / (self.high[0] - self.low[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        share = (value - self.low[1]) / (self.high[1] - self.low[1])
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def ticks(self, axis):
        step = next(step for step in (0.05, 0.1, 0.2, 0.5, 1, 2, 5)
                    if (self.high[axis] - self.low[axis]) / step <= 10)
        first = int(self.low[axis] / step) + 1
        return [i * step for i in range(first, int(self.high[axis] / step) + 1)]


def frame(axes):
    lines = []
    for value in axes.ticks(0):
        x = axes.x(value)
        lines.append(f'<path d="M{x:.1f} {TOP} V{HEIGHT - BOTTOM}" stroke="{QUIET}" stroke-width="0.4"/>')
        lines.append(text(x, HEIGHT - BOTTOM + 16, f"{value:.2f}", "middle"))
    for value in axes.ticks(1):
        y = axes.y(value)
        lines.append(f'<path d="M{LEFT} {y:.1f} H{WIDTH - RIGHT}" stroke="{QUIET}" stroke-width="0.4"/>')
        lines.append(text(LEFT - 8, y + 4, f"{value:.2f}", "end"))
    lines.append(text(LEFT, HEIGHT - 18, "estimated cycles, as a part of the default's"))
    lines.append(text(12, TOP - 12, "measured time, as a part of the default's"))
    return lines


def legend():
    lines, x = [], 380
    for order, words in LEGEND.items():
        lines += [dot(x, TOP - 16, COLORS[order], words), text(x + 9, TOP - 12, words)]
        x += 24 + 6.3 * len(words)
    return lines


def order_of(row):
    words = row["tuning"].split()
    return words[words.index("order") + 1] if "order" in words else ""


def drawing(rows):
    axes = Axes(rows)
    lines = [text(12, 24, f"{rows[0]['kernel']}, {rows[0]['isa']}: {len(rows) - 1} schedules", size=15)]
    lines += frame(axes) + legend()
    best = [row for row in rows if row["outcome"] == "best"]
    for row in rows:
        x, y = axes.x(float(row["estimate"])), axes.y(float(row["of_default"]))
        title = f"{row['tuning'] or 'default'}: {row['of_default']} of the default"
        if row["outcome"] == "default":
            lines += [dot(x, y, "none", title, 8, DEFAULT), text(x + 12, y + 4, "default")]
        else:
            lines.append(dot(x, y, COLORS[order_of(row)], title))
    if best:
        x, y = axes.x(float(best[-1]["estimate"])), axes.y(float(best[-1]["of_default"]))
        lines += [dot(x, y, "none", best[-1]["tuning"], 8, BEST),
                  text(*((x - 12, y + 4, best[-1]["tuning"], "end") if x > WIDTH / 2 else
                         (x + 12, y + 4, best[-1]["tuning"])), color=BEST)]
    body = "\n".join(lines)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'font-family="sans-serif">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
            f"{body}\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv")
    parser.add_argument("kernel")
    parser.add_argument("svg", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    with open(arguments.csv, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file)
                if arguments.kernel in row["kernel"] and row["outcome"] != "dropped"]
    rows = [row for row in rows if row["hash"] == rows[0]["hash"]]
    if not rows:
        sys.exit(f"{arguments.csv}: no kernel has '{arguments.kernel}' in its name")
    wanted = drawing(rows)
    if not arguments.check:
        arguments.svg.write_text(wanted, encoding="utf-8")
    elif not arguments.svg.exists() or arguments.svg.read_text(encoding="utf-8") != wanted:
        sys.exit(f"{arguments.svg} is not what plot_trials.py draws: run it without --check")


if __name__ == "__main__":
    main()
