#!/usr/bin/env python3
"""Symbols of a compiled library: exports only sepconv_* and NAME_*, needs only libc, libm, threads.

usage: check_symbols.py FOLDER NAME
"""

import pathlib
import subprocess
import sys


def symbols(path, *options):
    listed = subprocess.run(["nm", "--format=posix", *options, str(path)], check=True,
                            capture_output=True, text=True).stdout
    rows = [line.split() for line in listed.splitlines() if len(line.split()) >= 2]
    return {row[0].split("@")[0] for row in rows}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    problems = []
    for path, option in ((folder / f"lib{name}.so", "--dynamic"), (folder / f"lib{name}.a", None)):
        options = [option] if option else ["--extern-only"]
        own = ("sepconv_", f"{name}_")
        stray = {symbol for symbol in symbols(path, "--defined-only", *options)
                 if not symbol.startswith(own)}
        needs = {symbol for symbol in symbols(path, "--undefined-only", *options)
                 if symbol.startswith(("halide_", "_Z", "__cxa_throw", "__gxx"))}
        if stray:
            problems.append(f"{path.name} exports {sorted(stray)}")
        if needs:
            problems.append(f"{path.name} needs {sorted(needs)}")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
