#!/usr/bin/env python3
"""Checks that folders include only leftwards, and that algorithms/ schedules nothing.

layer <- algorithms <- schedules <- generators <- compiler; runtime stands alone, and only the compiler
includes its headers, as "sepconv/...".
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE = ["layer", "algorithms", "schedules", "generators", "compiler"]
SUFFIXES = {".c", ".cpp", ".h", ".hpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
SCHEDULING = re.compile(
    r"\.(split|tile|fuse|vectorize|unroll|parallel|reorder|compute_at|compute_root|store_at|"
    r"store_in|fold_storage|compute_with|gpu_\w+|bound_extent|hoist_storage|rfactor)\s*\(")


def allowed(folder):
    """Folders that a file of `folder` may include from."""
    if folder == "runtime":
        return {"runtime"}
    return set(LINE[:LINE.index(folder) + 1])


def problems(path, folder):
    name = path.relative_to(ROOT)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        included = INCLUDE.match(line)
        if included:
            target = included.group(1)
            top = target.split("/")[0]
            if top in set(LINE) | {"runtime"} and top not in allowed(folder):
                yield f"{name}:{number}: {folder}/ may not include {target}"
            if top == "sepconv" and folder not in ("compiler", "runtime"):
                yield f"{name}:{number}: {folder}/ may not include {target}"
            if folder in ("layer", "runtime") and top.startswith("Halide"):
                yield f"{name}:{number}: {folder}/ may not include {target}"
        elif folder == "algorithms" and SCHEDULING.search(line.split("//")[0]):
            yield f"{name}:{number}: algorithms/ may not schedule: {line.strip()}"


def main():
    found = [problem
             for folder in LINE + ["runtime"]
             for path in sorted((ROOT / folder).rglob("*")) if path.suffix in SUFFIXES
             for problem in problems(path, folder)]
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
