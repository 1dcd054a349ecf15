#!/usr/bin/env python3
"""The tool under faults: the output folder has the old library or the new one, the cache is right.

usage: no_half_results.py TOOL WORK FORM [SCENARIO..]

FORM is --emit's: library or sources. Scenarios (default: all): size_limit disk_full permission
in_the_way killed_at_calls killed_at_times interrupted at_once garbled_cache
"""

import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import library_tool  # noqa: E402


def size_limit(lib):
    """No file may grow over a limit: every write of every program in the tool's way fails once."""
    def limited(limit):
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    largest = max(len(data) for data in lib.whole["new"].values())
    steps = [0, 100, 1000, 3000, 6000, 9000, 12000, 18000, 24000, largest - 1]
    failed = 0
    for cold in (True, False):
        for limit in [step for step in steps if step < largest][::1 if cold else 2]:
            what = f"files of at most {limit} bytes, {'cold' if cold else 'warm'} cache"
            if cold:
                lib.fresh_cache()
            result = lib.run("new", preexec_fn=limited(limit))
            lib.expect_error(what, result, "File too large|No space left")  # As GNU ld calls it.
            failed += 1
            lib.expect_recovery(what)
    # LLVM, which writes kernels, does not say it as an error of ours.
    shutil.rmtree(lib.cache / "kernels")
    lib.expect_error("kernels on a full disk", lib.run("new", preexec_fn=limited(1000)),
                     "(?s)error: compiling .*IO failure on output stream: File too large")
    lib.expect_recovery("kernels on a full disk")
    print(f"{failed} limits", flush=True)


def disk_full(lib):
    """A small file system for output and cache, where mounting is allowed."""
    mount = ["unshare", "--mount"] if library_tool.is_root() else ["unshare", "-r", "--mount"]
    disk = lib.work / "disk"
    disk.mkdir(exist_ok=True)
    script = ('mount -t tmpfs -o size="$1" none "$2" && cp -r "$3" "$2/out" && shift 3 && "$@"; '
              'status=$?; rm -rf "$KEEP"; cp -r "$DISK/out" "$KEEP"; exit $status')
    if subprocess.run([*mount, "mount", "-t", "tmpfs", "none", disk], check=False,
                      capture_output=True).returncode != 0:
        print("disk_full: skipped, as this place allows no mounts (size_limit has run)", flush=True)
        return
    keep = lib.work / "kept"
    old_out, old_cache = lib.out, lib.cache
    kinds = set()
    old_kib = 16 + sum(4 * (len(data) // 4096 + 1) for data in lib.whole["old"].values())
    for kib in (old_kib + more for more in (0, 16, 32, 48, 70, 100, 130, 170, 210, 270, 850)):
        lib.out, lib.cache = disk / "out", disk / "cache"
        command = lib.command("new")
        lib.out, lib.cache = old_out, old_cache
        environment = {**os.environ, "KEEP": str(keep), "DISK": str(disk), "TMPDIR": str(disk)}
        done = subprocess.run([*mount, "sh", "-c", script, "sh", f"{kib}k", disk, lib.out, *command],
                              check=False, capture_output=True, text=True, env=environment)
        what = f"a disk of {kib} KiB"
        holds = lib.holds(keep)
        kinds.add(holds)
        if done.returncode == 0:
            lib.expect(what, holds == "new", holds)
        else:
            lib.expect(what, done.returncode == 1, f"status {done.returncode}: {done.stderr}")
            lib.expect(what, "No space left" in done.stderr or "unable to copy" in
                       done.stderr, done.stderr)  # The second is what ar has to say.
            lib.expect(what, holds == "old", holds)
        left = [path.name for path in keep.iterdir() if path.name.startswith(".sepconv")]
        lib.expect(what, not left, f"left behind {left}")
    lib.expect("disks", kinds == {"old", "new"}, f"they were not full and large enough: {kinds}")


def permission(lib):
    """Folders that may not be written. Root goes without the capability to do it nevertheless."""
    prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if library_tool.is_root() else []
    for folder, cold in ((lib.out, False), (lib.out / "sepconv", False), (lib.cache, False),
                         (lib.cache / "kernels", True)):
        what = f"no permission to write {folder.name}"
        if cold:
            shutil.rmtree(lib.cache / "kernels")
            folder.mkdir()
        folder.chmod(0o555)
        result = lib.run("new", prefix=prefix)
        folder.chmod(0o755)
        lib.expect_error(what, result, "Permission denied")
        lib.expect(what, folder.name in result[1], f"not named in: {result[1]}")
        lib.expect_recovery(what)


def in_the_way(lib):
    """Files where folders should be, and folders where files should be."""
    for name in (*library_tool.FORMS[lib.form][1][:2], "net.html", "net.h"):
        what = f"a folder in the place of {name}"
        (lib.out / name).unlink()
        (lib.out / name / "something").mkdir(parents=True)
        status, message = lib.run("new")
        lib.expect(what, status == 1 and name in message and "folder is in its place" in message,
                   f"{status}: {message}")
        shutil.rmtree(lib.out / name)
        (lib.out / name).write_bytes(lib.whole["old"][name])
        lib.expect(what, lib.holds() == "old", lib.holds())
        lib.expect_recovery(what)
    for path in (lib.out, lib.out / "sepconv", lib.cache, lib.cache / "kernels"):
        what = f"a file in the place of {path.name}"
        shutil.rmtree(path)
        path.write_text("mine")
        status, message = lib.run("new")
        lib.expect(what, status == 1 and path.name in message, f"{status}: {message}")
        lib.expect(what, path.read_text() == "mine", "the file is changed")
        path.unlink()
        lib.restore()
        lib.expect_recovery(what)


def killed_at_calls(lib):
    """SIGKILL at each call that changes folders or starts programs: to the tool, to whichever
    process makes the call, and to both. Only in the last case the folder may hold a mixture, until
    the tool runs again, even if that fails."""
    shim = library_tool.preload(lib.work)
    log = lib.work / "calls"
    environment = {**os.environ, "LD_PRELOAD": str(shim), "KILL_LOG": str(log)}
    lib.compile("new")
    lib.restore()
    lib.run("new", env=environment)
    calls = log.read_text()
    publishing = calls.index("l")
    print(f"calls of a run with all in the cache: {calls}", flush=True)
    lib.restore()
    held = {"old": 0, "new": 0}
    mixtures = 0
    for whom in ("tool", "caller", "all"):
        early = range(1, publishing, 4)
        for at in (*early, *range(publishing, len(calls) + 1)):
            what = f"SIGKILL to the {whom} at call {at} of {len(calls)}"
            status, message = lib.run("new", env={**environment, "KILL_AT": str(at),
                                                  "KILL_WHOM": whom})
            if whom == "all":
                mixtures += lib.holds() not in held
                lib.expect(what, lib.run("new", more=["--cc", "nocc"])[0] == 1, "no error")
            holds = lib.holds()
            lib.expect(what, holds in held, holds)
            held[holds] = held.get(holds, 0) + 1
            if whom in ("tool", "all"):
                lib.expect(what, status == -signal.SIGKILL, f"status {status}")
            elif status == 0:  # A child was, and its work went another way.
                lib.expect(what, holds == "new", holds)
            elif status != -signal.SIGKILL:  # A child was: an error, and nothing changed.
                lib.expect_error(what, (status, message), "killed by signal 9")
            if at % 8 == 0 or at >= publishing:
                lib.expect_recovery(what)
            else:
                lib.restore()
    print(f"held: {held}, after {mixtures} mixtures", flush=True)
    lib.expect("killed_at_calls", min(held.values()) > 3, f"one-sided: {held}")
    lib.expect("killed_at_calls", mixtures > 3, "all at once did not stop a publication halfway")


def killed_at_times(lib):
    """SIGKILL to the tool, or to its group, at moments spread over a run with an empty cache."""
    lib.fresh_cache()
    start = time.monotonic()
    lib.compile("new")
    whole = time.monotonic() - start
    # As after a kill when all is in the cache: the next run compiles nothing and tidies up.
    (lib.cache / ".sepconv-killed").mkdir()
    lib.expect_recovery("a folder left in a cache that has all")
    moments = random.Random(1)
    for i in range(10):
        lib.restore()
        if i % 5 == 0:
            lib.fresh_cache()
        process = lib.start("new")
        moment = moments.uniform(0, whole)
        time.sleep(moment)
        if i % 2 == 0:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        lib.finish(process)
        what = f"SIGKILL after {moment:.2f} s of {whole:.2f} s"
        lib.expect(what, lib.holds() in ("old", "new"), lib.holds())
        if i % 5 == 4:
            lib.expect_recovery(what)


def interrupted(lib):
    """Ctrl-C and its like end the tool by that signal and leave nothing temporary."""
    for i, number in enumerate([signal.SIGINT, signal.SIGTERM, signal.SIGHUP] * 3):
        lib.restore()
        lib.fresh_cache()
        process = lib.start("new")
        # Once the cache is there, the tool is at work.
        while process.poll() is None and not lib.cache.is_dir():
            time.sleep(0.01)
        time.sleep(0.1 * (i % 5))
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # As a terminal does.
        else:
            process.send_signal(number)
        status, message = lib.finish(process)
        what = f"{number.name} number {i}"
        lib.expect(what, status in (0, -number), f"exit status {status}: {message}")
        wanted = ("old", "new") if status != 0 else ("new",)
        lib.expect(what, lib.holds() in wanted, lib.holds())
        lib.expect_tidy(what)
    lib.expect_recovery("interrupted")


def at_once(lib):
    """Tools at work on one cache, and on one folder."""
    lib.fresh_cache()
    mine = lib.out
    started = []
    for i, which in enumerate(["new", "old", "new", "new"]):
        lib.out = lib.work / f"at_once_{i}"
        started.append((lib.start(which), which, lib.out))
    lib.out = mine
    for process, which, folder in started:
        status, message = lib.finish(process)
        lib.expect(f"at once, {folder.name}", status == 0, message)
        lib.expect(f"at once, {folder.name}", lib.holds(folder) == which, lib.holds(folder))
        shutil.rmtree(folder)
    for turn in range(4):
        both = [lib.start("new"), lib.start("old")]
        for process in both:
            status, message = lib.finish(process)
            lib.expect(f"one folder, turn {turn}", status == 0, message)
        lib.expect(f"one folder, turn {turn}", lib.holds() in ("old", "new"), lib.holds())
    lib.expect_tidy("at once")
    lib.restore()


def garbled_cache(lib):
    """Every file of the cache cut, emptied, changed, lengthened, gone, or another entry's."""
    def flip(data, at):
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]

    lib.fresh_cache()
    lib.compile("new")
    lib.restore()
    whole = library_tool.contents(lib.cache)
    damages = {
        "cut": lambda data: data[:len(data) // 2],
        "empty": lambda data: b"",
        "first byte": lambda data: flip(data, 0),
        "a byte in the middle": lambda data: flip(data, len(data) // 2),
        "the last bytes": lambda data: flip(data, len(data) - 2),
        "longer": lambda data: data + b"x",
        "zeros": lambda data: bytes(len(data)),
    }
    for name, damage in damages.items():
        for suffix in (".o", ".facts"):
            for file, data in whole.items():
                if file.endswith(suffix):
                    (lib.cache / file).write_bytes(damage(data))
            lib.expect_recovery(f"cache, {suffix}: {name}")
            lib.expect(f"cache, {suffix}: {name}", library_tool.contents(lib.cache) == whole,
                       "is not as before")
    # Of another entry: its object alone, and with its facts.
    for suffixes in ((".o",), (".o", ".facts")):
        for folder in {pathlib.Path(file).parent for file in whole}:
            stems = sorted({pathlib.Path(file).stem for file in whole
                            if pathlib.Path(file).parent == folder})
            for suffix in suffixes:
                for stem, other in zip(stems, stems[1:] + stems[:1]):
                    data = whole[str(folder / (other + suffix))]
                    (lib.cache / folder / (stem + suffix)).write_bytes(data)
        lib.expect_recovery(f"cache, another entry's {suffixes}")
    lib.expect("cache", library_tool.contents(lib.cache) == whole, "is not as before")


SCENARIOS = (size_limit, disk_full, permission, in_the_way, killed_at_calls, killed_at_times,
             interrupted, at_once, garbled_cache)


def main():
    if len(sys.argv) < 4 or sys.argv[3] not in library_tool.FORMS:
        sys.exit(__doc__)
    wanted = sys.argv[4:] or [scenario.__name__ for scenario in SCENARIOS]
    lib = library_tool.Library(sys.argv[1], pathlib.Path(sys.argv[2]).absolute(), sys.argv[3])
    for scenario in SCENARIOS:
        if scenario.__name__ not in wanted:
            continue
        start = time.monotonic()
        scenario(lib)
        print(f"{scenario.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    if not lib.problems:
        shutil.rmtree(lib.work)
    sys.exit(1 if lib.problems else 0)


if __name__ == "__main__":
    main()
