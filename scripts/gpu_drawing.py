#!/usr/bin/env python3
"""Draws docs/gpu.svg: how one block of threads computes its tile of a separable block.

usage: scripts/gpu_drawing.py [--check]
  --check  changes nothing; fails where the file is not what would be drawn
"""

import pathlib
import sys
from html import escape

FILE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "gpu.svg"
WIDTH, HEIGHT, CELL = 860, 330, 12
INK, QUIET, GLOBAL, SHARED, REGISTERS = "#222222", "#777777", "#dfe7ef", "#f6d9a8", "#e7b0ae"


def text(x: float, y: float, content: str, color: str = INK, size: int = 12) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{color}">{escape(content)}</text>'


def box(x: float, y: float, width: float, height: float, fill: str, line: str = INK,
        thick: float = 1) -> str:
    return (f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}" '
            f'stroke="{line}" stroke-width="{thick:g}"/>')


def grid(x: float, y: float, columns: int, rows: int, fill: str) -> list[str]:
    return [box(x + CELL * column, y + CELL * row, CELL, CELL, fill, QUIET, 0.5)
            for row in range(rows) for column in range(columns)]


def stack(x: float, y: float, columns: int, rows: int, fill: str) -> list[str]:
    """A few sheets of channels, the front one with its pixels."""
    behind = [box(x + 4 * depth, y - 4 * depth, CELL * columns, CELL * rows, fill, QUIET, 0.5)
              for depth in (3, 2, 1)]
    return behind + grid(x, y, columns, rows, fill)


def arrow(x: float, y: float, length: float) -> str:
    return (f'<path d="M{x:g} {y:g} h{length:g} m-6 -4 l6 4 l-6 4" fill="none" stroke="{INK}" '
            'stroke-width="1.5"/>')


def legend() -> list[str]:
    lines = []
    for index, (fill, name) in enumerate(((GLOBAL, "global memory, by the L2 cache"),
                                          (SHARED, "shared memory"), (REGISTERS, "registers"))):
        x = 20 + 230 * index
        lines += [box(x, 300, 14, 14, fill), text(x + 20, 312, name)]
    return lines


def drawing() -> str:
    top = 80
    lines = [text(20, 24, "One block of threads of a separable block: 8 x 8 pixels, 3 x 3, stride 1",
                  size=15)]
    lines += [text(20, 52, "input"), text(20, 232, "10 x 10 pixels:"),
              text(20, 248, "tile and halo,"), text(20, 264, "read where needed", QUIET)]
    lines += stack(20, top, 10, 10, GLOBAL)
    lines.append(box(20 + CELL, top + CELL, 8 * CELL, 8 * CELL, "none", INK, 2))
    lines += [arrow(165, 140, 45), text(165, 128, "depthwise", size=11)]
    lines += [text(235, 52, "chunk of 32 channels"), text(235, 232, "8 x 8 x 32: 8 KB,"),
              text(235, 248, "lanes of a warp along c;"),
              text(235, 264, "a barrier before and after", QUIET)]
    lines += stack(235, top, 8, 8, SHARED)
    lines += [arrow(355, 140, 45), text(360, 128, "project", size=11),
              text(350, 165, "for each chunk", QUIET, 10)]
    lines += [text(430, 52, "sums"), text(430, 232, "32 x 4 x 4 threads at most,"),
              text(430, 248, "each 4 channels x 2 x 2 pixels:"),
              text(430, 264, "16 registers", QUIET)]
    lines += stack(430, top, 8, 8, REGISTERS)
    lines += [box(430, top, 2 * CELL, 2 * CELL, "none", INK, 2)]
    lines += [arrow(560, 140, 55), text(556, 128, "activation", size=11)]
    lines += [text(650, 52, "output"), text(650, 248, "the grid: channels, x, y;"),
              text(650, 264, "at an edge moved back inside", QUIET)]
    for row in range(3):
        for column in range(3):
            lines.append(box(650 + 48 * column, top + 48 * row, 48, 48, GLOBAL, QUIET))
    lines += [box(698, top + 48, 48, 48, GLOBAL, INK, 2), *legend()]
    body = "\n".join(lines)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'font-family="sans-serif">\n{box(0, 0, WIDTH, HEIGHT, "white", "white")}\n{body}\n'
            "</svg>\n")


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        if FILE.is_file() and FILE.read_text(encoding="utf-8") == drawing():
            return 0
        print(f"error: docs/{FILE.name}: expected what scripts/gpu_drawing.py draws; run it",
              file=sys.stderr)
        return 1
    FILE.write_text(drawing(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
