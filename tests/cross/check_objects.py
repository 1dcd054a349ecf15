#!/usr/bin/env python3
"""Libraries for systems that nothing here emulates: the kernels have the system's object format,
kernels and runtime need exactly the names that docs/cross-compiling.md lists, weights and header
are those of x86-64 Linux, and the whole links.

usage: check_objects.py TOOL WORK TRIPLE [ZIG..]

TRIPLE is a row of objects.csv. ZIG is the command of zig, whose C compiler has the headers and
libraries of macOS and of MinGW; without it nothing but the kernels is looked at. Android's libraries
are not free to ship: there a shared library is linked against stubs that define the listed names
and no other, with glibc's headers.
"""

import csv
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "cross-compiling.md"
NAME = "block"
LAYER = ("layer inverted_residual --input 30x30x24 --expand 144 --squeeze 16 --out-channels 24 "
         "--kernel 3 --residual --activation gelu --expand-activation silu --seed 3")
WARNINGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
OWN = ("sepconv_", f"{NAME}_")


def run(*command, cwd=None):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            check=False, cwd=cwd)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {result.returncode}\n"
                 f"{result.stdout[-1000:]}{result.stderr[-3000:]}")
    return result.stdout


def llvm(name):
    """LLVM's program by its plain name or the newest of Debian's."""
    for candidate in [name] + [f"{name}-{version}" for version in range(30, 18, -1)]:
        if shutil.which(candidate):
            return candidate
    sys.exit(f"{name} is missing: install llvm-19 and lld-19")


def documented(label):
    """The names in the row of the document's table that begins with `label`."""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 2 and cells[1] == label:
            return set(re.findall(r"`(\w+)`", cells[2]))
    sys.exit(f"{DOCUMENT.name} has no row '{label}'")


def undefined(files, prefix):
    """Undefined names of all files together that none of them defines, as C knows them."""
    listings = [run(llvm("llvm-nm"), "--format=posix", file) for file in files]
    rows = [line.split() for listing in listings for line in listing.splitlines()]
    rows = [row for row in rows if len(row) > 1]
    defined = {row[0] for row in rows if row[1].isupper() and row[1] != "U"}
    needed = {row[0] for row in rows if row[1] == "U"} - defined - {"_GLOBAL_OFFSET_TABLE_"}
    stray = {name for name in needed if not name.startswith(prefix)}
    if stray:
        sys.exit(f"names without the prefix of C: {sorted(stray)}")
    return {name[len(prefix):] for name in needed}


def emit(tool, triple, folder):
    shutil.rmtree(folder, ignore_errors=True)
    run(tool, *LAYER.split(), "--name", NAME, "--output", folder, "--quiet", "--target", triple,
        "--emit", "sources")
    kernels = folder / f"{NAME}_kernels.o"
    return kernels if kernels.exists() else folder / f"lib{NAME}_kernels.a"


def check_kernels(kernels, row, system):
    """Format, and needs: of the runtime all, of libraries what is documented."""
    formats = set(re.findall(r"^Format: (.*)$", run(llvm("llvm-readobj"), "--file-headers", kernels),
                             re.MULTILINE))
    if formats != {row["format"]}:
        yield f"format {sorted(formats)}, expected {row['format']}"
    needed = undefined([kernels], prefix_of(system))
    runtime = {name for name in needed if name.startswith("sepconv_")}
    if runtime != documented("kernels: runtime"):
        yield f"kernels need {sorted(runtime)} of the runtime"
    stray = needed - runtime - documented("kernels: libraries") - documented(f"kernels: {system}")
    if stray:
        yield f"kernels need {sorted(stray)}, which is not documented"


def check_same(folder, reference):
    for file in (f"{NAME}_weights.bin", f"{NAME}_weights.c", "sepconv/sepconv.h"):
        if (folder / file).read_bytes() != (reference / file).read_bytes():
            yield f"{file} differs from that of x86-64-linux"
    # Scratch is the one thing that depends on the target.
    texts = [re.sub(r"_(ARENA|WORKER)_BYTES \d+", "", (path / f"{NAME}.h").read_text("utf-8"))
             for path in (folder, reference)]
    if texts[0] != texts[1]:
        yield f"{NAME}.h differs from that of x86-64-linux"


def prefix_of(system):
    return "_" if system == "osx" else ""


def compile_sources(zig, row, folder):
    """Plan, weights and runtime, each without a warning; the objects."""
    objects = []
    for source in [folder / f"{NAME}.c", folder / f"{NAME}_weights.c",
                   *sorted((folder / "runtime").glob("*.c"))]:
        objects.append(source.with_suffix(".o"))
        pic = [] if row["triple"].endswith("windows") else ["-fPIC"]
        run(*zig, "cc", "-target", row["zig"], *row["flags"].split(), *WARNINGS, *pic, "-I", folder,
            "-c", source, "-o", objects[-1], cwd=folder)
    return objects


def check_needs(files, triple, system):
    """Exactly the documented names: of the runtime all, of the kernels' some."""
    needed = undefined(files, prefix_of(system))
    runtime = documented("runtime") | documented(f"runtime: {triple}")
    kernels = documented("kernels: libraries") | documented(f"kernels: {system}")
    if needed - runtime - kernels:
        yield f"needs {sorted(needed - runtime - kernels)}, which is not documented"
    if runtime - needed:
        yield f"does not need {sorted(runtime - needed)}, which is documented"


def link_android(zig, row, files, folder):
    """A shared library against stubs; it asks for nothing else and exports the API alone."""
    names = (documented("runtime") | documented(f"runtime: {row['triple']}")
             | documented("kernels: libraries"))
    stub = folder / "stub.c"
    stub.write_text("".join(f"void {name}(void) {{}}\n" for name in sorted(names)), "utf-8")
    run(*zig, "cc", "-target", row["zig"], "-ffreestanding", "-fno-builtin", "-fPIC", "-w", "-c",
        stub, "-o", folder / "stub.o")
    link = [llvm("ld.lld"), "-shared", "--no-undefined", "-z", "text"]
    run(*link, "-soname", "libc.so", folder / "stub.o", "-o", folder / "libc.so")
    library = folder / f"lib{NAME}.so"
    run(*link, *files, "-L", folder, "-lc", "-o", library)
    needed = re.findall(r"^\s+(\S+)$", run(llvm("llvm-readobj"), "--needed-libs", library),
                        re.MULTILINE)
    if [name for name in needed if name not in ("[", "]")] != ["libc.so"]:
        yield f"the shared library needs {needed}"
    listing = run(llvm("llvm-nm"), "--dynamic", "--defined-only", "--format=posix", library)
    exported = {line.split()[0] for line in listing.splitlines()}
    stray = {name for name in exported if not name.startswith("sepconv_")} - {f"{NAME}_model"}
    if stray or f"{NAME}_model" not in exported:
        yield f"the shared library exports {sorted(stray)}"


def link_program(zig, row, files, folder):
    """A program with the system's own libraries, in their format."""
    run(*zig, "cc", "-target", row["zig"], "-I", folder, "-include", f"{NAME}.h",
        f"-DMODEL={NAME}_model", "-O1", HERE / "run_raw.c", *files, "-lm", "-lpthread", "-o",
        folder / "program.exe", cwd=folder)
    headers = run(llvm("llvm-readobj"), "--file-headers", folder / "program.exe")
    if f"Format: {row['format']}\n" not in headers:
        yield f"the program's format is not {row['format']}: {headers[:200]}"


def check_library(tool, zig, row, folder):
    """The form that the tool finishes itself, with zig as its compiler: one archive."""
    flags = [*zig[1:], "cc", "-target", row["zig"], *row["flags"].split()]
    shutil.rmtree(folder, ignore_errors=True)
    run(tool, *LAYER.split(), "--name", NAME, "--output", folder, "--quiet", "--target",
        row["triple"], "--cc", zig[0], *[f"--cc-flag={flag}" for flag in flags])
    archive = folder / f"lib{NAME}.a"
    formats = set(re.findall(r"^Format: (.*)$", run(llvm("llvm-readobj"), "--file-headers", archive),
                             re.MULTILINE))
    if formats != {row["format"]}:
        yield f"the library has the formats {sorted(formats)}, expected {row['format']}"
    if not row["triple"].endswith("android"):
        yield from link_program(zig, row, [archive], folder)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    tool, work, triple, zig = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
    with (HERE / "objects.csv").open(newline="", encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["triple"] == triple)
    system = triple.rsplit("-", maxsplit=1)[1]
    folder, reference = work / triple, work / f"reference-{triple}"
    kernels = emit(tool, triple, folder)
    emit(tool, "x86-64-linux", reference)
    problems = [*check_kernels(kernels, row, system), *check_same(folder, reference)]
    if zig:
        files = [*compile_sources(zig, row, folder), kernels]
        problems += check_needs(files, triple, system)
        if system == "android":
            problems += link_android(zig, row, files, folder)
        else:
            problems += link_program(zig, row, files, folder)
        problems += check_library(tool, zig, row, work / f"library-{triple}")
    else:
        print("no zig: plan, weights and runtime not compiled, nothing linked")
    for problem in problems:
        print(f"FAILED: {triple}: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
