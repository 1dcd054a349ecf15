#!/usr/bin/env python3
"""`sepconv layer --scheduler`: the values of every scheduler, its name in the report, its messages.

usage: scheduled_layers.py TOOL WORK_FOLDER
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
from harness import TOLERANCE, Library

BLOCK = ["separable", "--input", "14x14x24", "--out-channels", "40", "--kernel", "3",
         "--depthwise-activation", "relu6", "--activation", "relu6", "--isa", "sse41"]
SCHEDULERS = ("hand", "adams2019", "li2018", "mullapudi2016")
REFUSED = [  # Options, words of the message.
    (["--scheduler", "adams2020"], ["--scheduler", "adams2020", "adams2019"]),
    (["--scheduler", "anderson2021"], ["anderson2021", "cuda", "not for cpu"]),
    (["--scheduler", "adams2019", "--tuning", "table.json"], ["--tuning", "hand", "adams2019"]),
]


def run_tool(tool, *arguments):
    return subprocess.run([tool, "layer", *BLOCK, *arguments], capture_output=True, text=True,
                          check=False)


def compile_layer(tool, folder, scheduler, threads=1):
    """The library and the archive's bytes, compiled without a cache."""
    result = run_tool(tool, "--output", folder, "--name", "block", "--shared", "--quiet",
                      "--cache-dir", folder / "cache", "--scheduler", scheduler,
                      "--scheduler-threads", str(threads))
    if result.returncode != 0:
        sys.exit(f"error: {scheduler}: {result.stderr}")
    report = json.loads((folder / "block.json").read_text(encoding="utf-8"))
    named = {variant["scheduler"] for variant in report["variants"]}
    if named != {scheduler}:
        sys.exit(f"error: {scheduler}: the report names {named}")
    return Library(folder / "libblock.so", "block"), (folder / "libblock.a").read_bytes()


def check_values(tool, work):
    value = np.random.default_rng(1).standard_normal((1, 24, 14, 14), dtype=np.float32)
    expected, archives = None, {}
    for scheduler in SCHEDULERS:
        for threads in (1, 2):
            folder = work / f"{scheduler}_{threads}"
            library, archives[scheduler, threads] = compile_layer(tool, folder, scheduler, threads)
            [output] = library.run({library.inputs[0][0]: value}, "sse41").values()
            expected = output if expected is None else expected
            error = np.abs(output - expected).max() / np.abs(expected).max()
            print(f"{scheduler} for {threads}: {error:.1e}")
            if not error <= TOLERANCE:  # Also where it is no number.
                sys.exit(f"error: {scheduler}: off by {error}")
    if len({archives[scheduler, 1] for scheduler in SCHEDULERS}) != len(SCHEDULERS):
        sys.exit("error: two schedulers made the same library")
    for scheduler in SCHEDULERS:
        if compile_layer(tool, work / "again" / scheduler, scheduler)[1] != archives[scheduler, 1]:
            sys.exit(f"error: {scheduler}: another library the second time")


def check_messages(tool, work):
    for options, words in REFUSED:
        result = run_tool(tool, "--output", work / "refused", *options)
        missing = [word for word in words if word not in result.stderr]
        if result.returncode <= 0 or missing:
            sys.exit(f"error: {options}: exit status {result.returncode}, the message lacks "
                     f"{missing}: {result.stderr!r}")


def main():
    tool, work = sys.argv[1], pathlib.Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    check_messages(tool, work)
    check_values(tool, work)


if __name__ == "__main__":
    main()
