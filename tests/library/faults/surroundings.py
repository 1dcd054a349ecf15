#!/usr/bin/env python3
"""The tool among bad compilers, closed and full streams, and odd paths.

usage: surroundings.py TOOL WORK [SCENARIO..]

Scenarios (default: all): compilers hanging without_compiler streams paths
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).parent.parent))
import library_tool  # noqa: E402
import tiny_model  # noqa: E402

ADVICE = "--cc.*--emit sources"


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(0o755)
    return path


def expect_no_temporaries(lib, what):
    """Neither in the tool's folders nor in those of the programs that it runs."""
    lib.expect_tidy(what)
    left = list((lib.work / "tmp").iterdir())
    lib.expect(what, not left, f"left in TMPDIR: {left}")


def surroundings_of(lib):
    """An environment with an empty folder for temporary files."""
    temporary = lib.work / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    return {**os.environ, "TMPDIR": str(temporary)}


def compilers(lib):
    """C compilers that are not there, fail, crash or talk too much."""
    cc = shutil.which("cc")
    at = 'case "$*" in *"{}"*) {};; esac; exec ' + cc + ' "$@"'
    noise = "head -c 300000000 /dev/zero; echo the reason >&2; exit 4"
    # Where it is bad, what it does there, and what the message says of it.
    bad = {
        "is not there": ("", "", "cannot start"),
        "is no program": ("", "no-such-interpreter", "exit status 127"),
        "always fails": ("", "echo broken; exit 3", "exit status 3:\nbroken"),
        "always crashes": ("", "kill -SEGV $$", "killed by signal 11"),
        "fails at the runtime": ("context.c", "echo broken; exit 3", "-c .*context.c"),
        "crashes at the plan": ("net.c", "kill -SEGV $$", "-c net.c"),
        "makes no object": ("net.c", "exit 0", "net_plan.o"),
        "fails at the weights": ("net_weights.c", noise, "the reason\nthe command was: .*bad"),
        "crashes at the shared library": ("-shared", "kill -ABRT $$", "killed by signal 6"),
    }
    for name, (where, does, pattern) in bad.items():
        what = f"a C compiler that {name}"
        program = lib.work / "bad"
        program.unlink(missing_ok=True)
        if name != "is not there":
            script(program, at.format(where, does) if where else does)
        status, message = lib.run("new", more=["--cc", program], env=surroundings_of(lib))
        lib.expect_error(what, (status, message), f"(?s){pattern}.*{ADVICE}")
        lib.expect(what, str(program) in message or name == "makes no object", message)
        lib.expect(what, len(message) < 10000, f"a message of {len(message)} bytes")
        expect_no_temporaries(lib, what)
    lib.expect_recovery("after bad compilers")


def alive(pid):
    try:
        return ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False


def hanging(lib):
    """A C compiler that hangs, as does a program that it has started: both end with the tool, and
    so does what they have written. (That there is a limit, process_test.cpp shows.)"""
    cc = shutil.which("cc")
    mark = lib.work / "hangs"
    program = script(lib.work / "bad", f'case "$*" in *net.c*) sleep 1000 & echo $! > "{mark}.new"; '
                     f'echo x > "$TMPDIR/temporary"; mv "{mark}.new" "{mark}"; wait;; esac\n'
                     f'exec {cc} "$@"')
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        what = f"{number.name} when the C compiler hangs"
        mark.unlink(missing_ok=True)
        process = lib.start("new", more=["--cc", program], env=surroundings_of(lib))
        while process.poll() is None and not mark.exists():
            time.sleep(0.01)
        process.send_signal(number)
        status, message = lib.finish(process)
        lib.expect(what, status == -number, f"exit status {status}: {message}")
        lib.expect(what, lib.holds() == "old", lib.holds())
        expect_no_temporaries(lib, what)
        pid = int(mark.read_text(encoding="ascii"))
        for _ in range(100):
            if alive(pid):
                time.sleep(0.05)
        lib.expect(what, not alive(pid), "the compiler's child goes on")
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


def without_compiler(lib):
    """Sources need no C compiler, but GNU's or LLVM's programs for objects."""
    sources = library_tool.Library(lib.tool, lib.work / "sources", "sources")
    sources.problems = lib.problems
    gnu = ("ld", "objcopy", "nm", "ar")
    llvm = ("ld.lld", "llvm-objcopy", "llvm-nm", "llvm-ar")
    for programs in (gnu, llvm, ()):
        what = f"sources by {programs or 'no programs'} alone"
        path = lib.work / "path"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        if any(shutil.which(program) is None for program in programs):
            print(f"{what}: skipped, as they are not installed", flush=True)
            continue
        for program in programs:
            (path / program).symlink_to(shutil.which(program))
        result = sources.run("new", env={**surroundings_of(lib), "PATH": str(path)})
        if not programs:
            sources.expect_error(what, result, "neither the C compiler's ld nor ld.lld is there")
            continue
        sources.expect(what, result[0] == 0, result[1])
        if programs == gnu:  # The compiler's own, so the bytes are the same.
            sources.expect(what, sources.holds() == "new", sources.holds())
        finish = ("cc -std=c11 -O2 -I. -fPIC -c net.c net_weights.c runtime/*.c && cc -shared -o "
                  "net.so *.o -lm -lpthread")
        built = subprocess.run(["sh", "-c", finish], cwd=sources.out, check=False,
                               capture_output=True, text=True)
        sources.expect(what, built.returncode == 0, built.stderr)
        sources.restore()
    result = lib.run("new", env={**surroundings_of(lib), "PATH": str(lib.work / "path")})
    lib.expect_error("no compiler in PATH", result, f"cannot start 'cc'.*{ADVICE}")


def streams(lib):
    """Streams that are closed, full, or a pipe that nobody reads: progress that cannot be shown is
    left out; results that cannot be printed are an error, with the library whole before."""
    cases = {
        "stdout closed": (">&-", 1), "stdout full": (">/dev/full", 1),
        "stderr closed": ("2>&-", 0), "stderr full": ("2>/dev/full", 0),
        "stdin closed": ("<&-", 0), "all closed": ("<&- >&- 2>&-", 1),
        "stderr a broken pipe": ("", 0), "stdout a broken pipe": ("", -signal.SIGPIPE),
    }
    for what, (redirection, expected) in cases.items():
        lib.restore()
        if not what.startswith("std") or what.startswith("stderr"):
            lib.fresh_cache()  # So that there is progress.
        command = [word for word in lib.command("new") if word != "--quiet"]
        to = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        reader, writer = os.pipe()
        os.close(reader)
        if what.endswith("a broken pipe"):
            to[what.split()[0]] = writer
        done = subprocess.run(["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
                              check=False, text=True, **to)
        os.close(writer)
        lib.expect(what, done.returncode == expected, f"{done.returncode}: {done.stderr}")
        if what.startswith("stdout") and expected == 1:
            lib.expect(what, "error: cannot write to stdout: " in done.stderr, done.stderr)
        lib.expect(what, lib.holds() == "new", lib.holds())
        lib.expect_tidy(what)
    lib.restore()
    model = lib.work / "tiny.onnx"
    model.write_bytes(tiny_model.model_bytes())
    for command in (["--help"], ["--version"], ["layer", "--help"], ["inspect", model],
                    ["inspect", "--json", model]):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([lib.tool, *command], check=False, stdout=full, text=True,
                                  stderr=subprocess.PIPE)
        lib.expect(f"{command} to a full disk", done.returncode == 1 and
                   "cannot write to stdout: No space left" in done.stderr,
                   f"{done.returncode}: {done.stderr}")


def paths(lib):
    """Folders with odd names, behind links, made anew, and gone."""
    for name in (b"two words", b"quotes' \" and \\", b"line\nend", b"\xff\xfe", b"-o", b"@file", b"%s",
                 b"$HOME", "Gr\u00f6\u00dfe".encode()):
        lib.out, lib.cache = (pathlib.Path(os.fsdecode(bytes(lib.work) + b"/" + prefix + name))
                              for prefix in (b"out/", b"cache/"))
        what = f"a folder {name!r}"
        status, message = lib.run("new")
        lib.expect(what, status == 0, message)
        lib.expect(what, lib.holds() == "new", lib.holds())
        lib.expect_tidy(what)
    lib.out, lib.cache = lib.work / "link", lib.work / "cache"
    (lib.work / "real").mkdir()
    lib.out.symlink_to("real")
    status, message = lib.run("new")
    lib.expect("a link", status == 0 and lib.out.is_symlink(), message)
    lib.expect("a link", lib.holds(lib.work / "real") == "new", lib.holds(lib.work / "real"))
    lib.out = lib.work / "dangling"
    lib.out.symlink_to("nowhere")
    status, message = lib.run("new")
    lib.expect("a link to nothing", status == 1 and "dangling'" in message, f"{status}: {message}")
    # Folders that an error leaves empty go again, those that were there stay.
    fails_late = script(lib.work / "bad", 'case "$*" in *-shared*) exit 1;; esac; exec cc "$@"')
    (lib.work / "there").mkdir()
    lib.out = lib.work / "there/one/two"
    status, message = lib.run("new", more=["--cc", fails_late])
    lib.expect("new parents", status == 1 and list((lib.work / "there").iterdir()) == [],
               f"{status}: {list((lib.work / 'there').rglob('*'))}: {message}")
    lib.out = lib.work / "out"
    lib.restore()
    shutil.rmtree(lib.work / "cache", ignore_errors=True)
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("HOME", "XDG_CACHE_HOME", "SEPCONV_CACHE_DIR")}
    command = [word for word in lib.command("new") if word not in ("--cache-dir", lib.cache)]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    lib.expect_error("no HOME", (done.returncode, done.stderr), "HOME is not set; give --cache-dir")
    status, message = lib.run("new", env={**os.environ, "TMPDIR": "/no/such/folder"})
    lib.expect("TMPDIR is not there", status == 0 and lib.holds() == "new", message)
    lib.restore()
    gone = lib.work / "gone"
    gone.mkdir()
    done = subprocess.run(["sh", "-c", 'cd "$0" && rmdir "$0" && exec "$@"', gone,
                           *lib.command("new")], check=False, capture_output=True, text=True)
    lib.expect("a current folder that is gone", done.returncode == 0 and lib.holds() == "new",
               done.stderr)


SCENARIOS = (compilers, hanging, without_compiler, streams, paths)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    wanted = sys.argv[3:] or [scenario.__name__ for scenario in SCENARIOS]
    work = pathlib.Path(sys.argv[2]).absolute()
    problems = []
    for scenario in SCENARIOS:
        if scenario.__name__ in wanted:
            start = time.monotonic()
            lib = library_tool.Library(pathlib.Path(sys.argv[1]).absolute(), work)
            scenario(lib)
            problems += lib.problems
            print(f"{scenario.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    if not problems:
        shutil.rmtree(work)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
