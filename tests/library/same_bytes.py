#!/usr/bin/env python3
"""A model compiled twice from nothing and once from the cache: the same bytes, small, few exports.

usage: same_bytes.py TOOL CENTERFACE.onnx WORK

Prints the seconds of each; asserts nothing about them.
"""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import time

NAME = "centerface"
SHAPE = "input.1=1x3x512x512"
FILES = (f"lib{NAME}.a", f"{NAME}.h", f"lib{NAME}.so")
CODE_LIMIT = 1_500_000  # Bytes of the archive that are not weights.


def compile_model(tool, model, work, output, cache):
    """The seconds it took, and {file: sha256}."""
    command = [tool, "compile", model, "--output", work / output, "--name", NAME, "--shared",
               "--isa", "sse41,avx2,avx512", "--input-shape", SHAPE, "--cache-dir", work / cache,
               "--quiet"]
    start = time.perf_counter()
    if subprocess.run(command, check=False).returncode != 0:
        sys.exit(f"{tool} failed for {output}")
    seconds = time.perf_counter() - start
    return seconds, {name: hashlib.sha256((work / output / name).read_bytes()).hexdigest()
                     for name in FILES}


def listed(path, *options):
    """Rows of nm in its portable format: name, type, value, size (hexadecimal)."""
    output = subprocess.run(["nm", "--format=posix", *options, str(path)], check=True,
                            capture_output=True, text=True).stdout
    return [line.split() for line in output.splitlines() if len(line.split()) >= 2]


def symbol_problems(path, *options):
    names = {row[0].split("@")[0]: row[1] for row in listed(path, *options)}
    exported = {name for name, kind in names.items() if kind.isupper() and kind != "U"}
    stray = {name for name in exported if not name.startswith(("sepconv_", f"{NAME}_"))}
    if f"{NAME}_model" not in exported or "sepconv_run" not in exported:
        yield f"{path.name}: {NAME}_model or sepconv_run is not exported"
    if stray:
        yield f"{path.name} exports {sorted(stray)}"
    halide = {name for name in names if name.startswith("halide_")}
    if halide:
        yield f"{path.name} has {sorted(halide)}"


def weights_bytes(archive):
    """The greatest symbol of the archive, which holds all weights."""
    return max(int(row[3], 16) for row in listed(archive) if len(row) == 4)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    tool, model, work = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    problems = []
    hashes = None
    for output, cache in (("first", "cache_a"), ("second", "cache_b"), ("cached", "cache_a")):
        seconds, current = compile_model(tool, model, work, output, cache)
        print(f"{output}: {seconds:.1f} s", flush=True)
        hashes = hashes or current
        problems += [f"{output}/{name} has other bytes than first/{name}"
                     for name in FILES if current[name] != hashes[name]]

    archive = work / "first" / f"lib{NAME}.a"
    weights = weights_bytes(archive)
    code = archive.stat().st_size - weights
    print(f"weights: {weights} bytes; all else: {code} bytes", flush=True)
    if code >= CODE_LIMIT:
        problems.append(f"{code} bytes beside the weights, which is not below {CODE_LIMIT}")
    # Fewer weights than half the model: not the symbol that was looked for.
    if weights < pathlib.Path(model).stat().st_size // 2:
        problems.append(f"the greatest symbol has only {weights} bytes")
    problems += symbol_problems(archive)
    problems += symbol_problems(work / "first" / f"lib{NAME}.so", "--dynamic")
    problems += symbol_problems(work / "first" / f"lib{NAME}.so")
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        shutil.rmtree(work)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
