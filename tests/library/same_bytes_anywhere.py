#!/usr/bin/env python3
"""A model compiled by tools at three paths, in different environments, by any number of jobs.

usage: same_bytes_anywhere.py TOOL PREFIX WORK

TOOL is that of the build tree, PREFIX an installed one, which is also copied elsewhere. Every file that
the tool writes has the same bytes, except that the report names the model's file.
"""

import itertools
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import tiny_model  # noqa: E402

TARGETS = {
    "x86-64-linux": ["--isa", "sse41,avx2", "--shared"],
    "arm-64-linux": ["--shared"],
    "x86-64-windows": ["--isa", "sse41"],
    "arm-64-osx": ["--emit", "sources"],
}
COMPILERS = {"arm-64-linux": "aarch64-linux-gnu-gcc",
             "x86-64-windows": "x86_64-w64-mingw32-gcc-posix"}


class Place:
    """A tool, and what is around it."""

    def __init__(self, name, tool, folder, variables, umask, jobs):
        self.name, self.tool, self.folder = name, tool, folder
        self.variables, self.umask, self.jobs = variables, umask, jobs
        folder.mkdir(parents=True)

    def compile(self, target, model, cache, output):
        command = [self.tool, "compile", model, "--output", output, "--name", "tiny", "--target",
                   target, "--cache-dir", cache, "--quiet", "--jobs", str(self.jobs),
                   *TARGETS[target]]
        if target in COMPILERS:
            command += ["--cc", COMPILERS[target]]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=self.folder,
                              env=self.variables, umask=self.umask)
        if done.returncode != 0:
            sys.exit(f"{self.name}, {target}: {done.stderr}")
        root = self.folder / output
        return {str(path.relative_to(root)): path.read_bytes()
                for path in sorted(root.rglob("*")) if path.is_file()}


def places(tool, prefix, work):
    """Three of them, as different as can be."""
    copied = work / "another place" / "with a much longer path" / "sepconv"
    copied.parent.mkdir(parents=True)
    # Second names of the same files, where the file system has them.
    if subprocess.run(["cp", "-rl", prefix, copied.parent], check=False).returncode != 0:
        shutil.copytree(prefix, copied.parent / prefix.name)
    (copied.parent / prefix.name).rename(copied)
    path = os.environ["PATH"]
    for folder in ("home", "temporary"):
        (work / folder).mkdir()
    return [
        Place("build tree", tool, work / "a", dict(os.environ), 0o022, 2),
        Place("installed", prefix / "bin" / "sepconv", work / "b" / "deep" / "er", {
            "PATH": path, "HOME": str(work / "home"), "LANG": "de_DE.UTF-8", "LC_ALL": "tr_TR.UTF-8",
            "TZ": "Pacific/Kiritimati", "TMPDIR": str(work / "temporary"),
            "SOURCE_DATE_EPOCH": "1000000000", "HL_LLVM_ARGS": "-no-such-option",
            "HL_DEBUG_CODEGEN": "1", "COLUMNS": "7"}, 0o077, 7),
        Place("copied", copied / "bin" / "sepconv", work / "c", {"PATH": path}, 0o000, 1),
    ]


def differences(what, wanted, found):
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            yield f"{what}: {name} differs"


def without_report(files):
    return {name: data for name, data in files.items() if not name.endswith((".json", ".html"))}


def check_target(target, everywhere, model, work):
    """Cold and then warm in every place, relative and absolute paths, another file name."""
    wanted = everywhere[0].compile(target, model, work / "cache 0", f"out-{target}")
    assert any(name.endswith((".a", ".o")) for name in wanted), sorted(wanted)
    for i, place in enumerate(everywhere):
        what = f"{target}, {place.name}"
        relative = os.path.relpath(model, place.folder)
        cache = work / f"cache {i}"
        if i > 0:
            found = place.compile(target, relative, cache, f"cold-{target}")
            yield from differences(what, wanted, found)
        found = place.compile(target, model, os.path.relpath(cache, place.folder),
                              place.folder / f"warm-{target}")
        yield from differences(f"{what}, from the cache", wanted, found)
        renamed = place.folder / "another-name.onnx"
        shutil.copy(model, renamed)
        found = place.compile(target, renamed.name, cache, f"renamed-{target}")
        yield from differences(f"{what}, another file name", without_report(wanted),
                               without_report(found))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    tool, prefix, work = (pathlib.Path(word).absolute() for word in sys.argv[1:])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    model = work / "tiny.onnx"
    model.write_bytes(tiny_model.model_bytes())
    everywhere = places(tool, prefix, work)
    targets = [target for target in TARGETS
               if target not in COMPILERS or shutil.which(COMPILERS[target])]
    print(f"targets: {', '.join(targets)}", flush=True)
    problems = list(itertools.chain.from_iterable(
        check_target(target, everywhere, model, work) for target in targets))
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        shutil.rmtree(work)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
