#!/usr/bin/env python3
"""sepconv tune and sepconv run under faults: the table is the old one or a new one, never a half one,
the journal blames no candidate for what is not its fault, and nothing temporary stays.

usage: long_commands.py TOOL WORK [SCENARIO..]

Scenarios (default: all): interrupted_tune killed_tune full_disk no_permission two_at_once
interrupted_run
"""

import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).parent.parent))
import library_tool  # noqa: E402
import tiny_model  # noqa: E402


OTHER = "0fcab5e06a2b00cef33a655cc6113a9e"  # XXH3-128 of "of another model".


class Tuning:
    """A table beside its journal, with an entry of another model, and a model to tune."""

    def __init__(self, tool, work):
        self.tool, self.work, self.cache = tool, work, work / "cache"
        self.table = work / "tables/tuning.json"
        self.journal = work / "tables/tuning.json.journal"
        self.model = work / "tiny.onnx"
        self.problems = []
        shutil.rmtree(work, ignore_errors=True)
        self.table.parent.mkdir(parents=True)
        self.model.write_bytes(tiny_model.model_bytes())
        status, message = self.run()
        if status != 0:
            raise SystemExit(f"the tool fails without a fault: {message}")
        table = json.loads(self.table.read_text(encoding="utf-8"))
        table["kernels"] = [{"hash": OTHER, "isa": "sse41", "kernel": "of another model",
                             "tuning": {"strip_rows": 2}}]
        self.old = json.dumps(table)
        self.restore()

    def restore(self):
        self.table.write_text(self.old, encoding="utf-8")
        self.journal.unlink(missing_ok=True)

    def command(self, *more):
        return [self.tool, "tune", self.model, "--output", self.table, "--isa", "sse41",
                "--cache-dir", self.cache, "--candidates", "2", "--quiet", *more]

    def start(self, prefix=(), more=(), **options):
        return subprocess.Popen([*prefix, *self.command(*more)], stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.PIPE, errors="replace", **options)

    def finish(self, process):
        message = process.communicate()[1]
        return process.returncode, message

    def run(self, **options):
        return self.finish(self.start(**options))

    def expect(self, what, condition, detail=""):
        if not condition:
            self.problems.append(f"{what}: {detail}")
            print(f"PROBLEM {self.problems[-1]}", flush=True)

    def expect_whole(self, what):
        """A table with the other model's entry, which the tool reads; a journal without blame."""
        text = self.table.read_text(encoding="utf-8")
        try:
            kernels = json.loads(text)["kernels"]
            self.expect(what, any(kernel["hash"] == OTHER for kernel in kernels), text)
        except ValueError as error:
            self.expect(what, False, f"half a table: {error}: {text}")
        journal = self.journal.read_text(encoding="utf-8") if self.journal.exists() else ""
        self.expect(what, '"dropped"' not in journal, journal)

    def expect_tidy(self, what):
        library_tool.Library.expect_tidy(self, what)

    @property
    def out(self):
        return self.table.parent

    def expect_recovery(self, what):
        """The next run goes on to the end, and tidies up in the table's folder."""
        status, message = self.run()
        self.expect(what, status == 0, f"the next run: {status}: {message}")
        self.expect_whole(what)
        left = sorted(path.name for path in self.out.iterdir())
        self.expect(what, left == ["tuning.json", "tuning.json.journal"], f"left: {left}")
        self.restore()


def seconds_of_a_run(tuning):
    start = time.monotonic()
    tuning.run()
    tuning.restore()
    return time.monotonic() - start


def interrupted_tune(tuning):
    """Signals to the tool alone, at moments spread over a run."""
    whole = seconds_of_a_run(tuning)
    moments = random.Random(2)
    for i, number in enumerate([signal.SIGINT, signal.SIGTERM, signal.SIGHUP] * 3):
        if i % 3 == 0:
            shutil.rmtree(tuning.cache)
        process = tuning.start(more=["--budget", "10s"])
        while process.poll() is None and not tuning.cache.is_dir():
            time.sleep(0.01)
        moment = moments.uniform(0.02, whole)
        time.sleep(moment)
        process.send_signal(number)
        status, message = tuning.finish(process)
        what = f"{number.name} after {moment:.2f} s of {whole:.2f} s"
        tuning.expect(what, status in (0, -number), f"exit status {status}: {message}")
        tuning.expect_whole(what)
        tuning.expect_tidy(what)
        if i % 3 == 2:
            tuning.expect_recovery(what)
        else:
            tuning.restore()


def killed_tune(tuning):
    """SIGKILL at calls that change folders or start programs, of the tool and of all."""
    shim = library_tool.preload(tuning.work)
    log = tuning.work / "calls"
    environment = {**os.environ, "LD_PRELOAD": str(shim), "KILL_LOG": str(log)}
    status, message = tuning.run(env=environment)
    tuning.expect("with the shim", status == 0, message)
    tuning.restore()
    calls = log.read_text()
    # Those around the ends, where the journal begins and the table is written, and some between.
    ats = sorted({*range(2, 8), *range(len(calls) - 8, len(calls) + 1),
                  *random.Random(3).sample(range(8, len(calls) - 8), 8)})
    for at in ats:
        for whom in ("tool", "all"):
            what = f"SIGKILL to {whom} at call {at} of {len(calls)}"
            status, message = tuning.run(env={**environment, "KILL_AT": str(at), "KILL_WHOM": whom})
            tuning.expect(what, status in (0, -signal.SIGKILL), f"exit status {status}: {message}")
            tuning.expect_whole(what)
            if whom == "all" and at % 4 == 0:
                tuning.expect_recovery(what)
            else:
                tuning.restore()


def full_disk(tuning):
    """A small file system for the table and its journal, where mounting is allowed."""
    mount = ["unshare", "--mount"] if library_tool.is_root() else ["unshare", "-r", "--mount"]
    disk, keep = tuning.work / "disk", tuning.work / "kept"
    disk.mkdir()
    if subprocess.run([*mount, "mount", "-t", "tmpfs", "none", disk], check=False,
                      capture_output=True).returncode != 0:
        print("full_disk: skipped, as this place allows no mounts", flush=True)
        return
    script = ('mount -t tmpfs -o size=64k none "$DISK" && cp "$TABLE" "$DISK" && '
              'head -c "$FILL" /dev/zero > "$DISK/filler"; "$@"; status=$?; '
              'rm -rf "$KEEP"; cp -r "$DISK" "$KEEP"; exit $status')
    place = tuning.table
    tuning.table = disk / "tuning.json"
    command = tuning.command()
    tuning.table = place
    for pages in (0, 1, 2, 3):  # What is left beside the table.
        environment = {**os.environ, "DISK": str(disk), "KEEP": str(keep), "TABLE": str(place),
                       "FILL": str((15 - pages) * 4096)}
        done = subprocess.run([*mount, "sh", "-c", script, "sh", *command], check=False,
                              capture_output=True, text=True, env=environment)
        what = f"{pages} pages left"
        if pages < 2:
            tuning.expect(what, done.returncode == 1, f"{done.returncode}: {done.stderr}")
            tuning.expect(what, "tuning.json" in done.stderr and "No space left" in done.stderr,
                          done.stderr)
        tuning.expect(what, done.returncode in (0, 1), f"{done.returncode}: {done.stderr}")
        text = (keep / "tuning.json").read_text(encoding="utf-8")
        if done.returncode == 1:
            tuning.expect(what, text == tuning.old, text)
        left = sorted(path.name for path in keep.iterdir())
        tuning.expect(what, set(left) <= {"filler", "tuning.json", "tuning.json.journal"},
                      f"left: {left}")
        tuning.expect_tidy(what)


def no_permission(tuning):
    """A folder that may not be written. Root goes without the capability to do it nevertheless."""
    prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if library_tool.is_root() else []
    tuning.out.chmod(0o555)
    status, message = tuning.run(prefix=prefix)
    tuning.out.chmod(0o755)
    tuning.expect("no permission", status == 1 and "tuning.json" in message and
                  "Permission denied" in message, f"{status}: {message}")
    tuning.expect("no permission", tuning.table.read_text(encoding="utf-8") == tuning.old)
    tuning.expect_tidy("no permission")


def two_at_once(tuning):
    """They waste time, but the table is one of theirs."""
    for process in [tuning.start(), tuning.start()]:
        status, message = tuning.finish(process)
        tuning.expect("two at once", status == 0, f"{status}: {message}")
    tuning.expect_whole("two at once")
    tuning.expect_tidy("two at once")
    tuning.expect_recovery("two at once")


def npy(shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    count = 1
    for extent in shape:
        count *= extent
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(4 * count)


def interrupted_run(tuning):
    """While it compiles, and while the library runs."""
    image, results = tuning.work / "x.npy", tuning.work / "results"
    image.write_bytes(npy((1, 8, 12, 10)))
    command = [tuning.tool, "run", tuning.model, "--input", f"x={image}", "--output-dir", results,
               "--isa", "sse41", "--cache-dir", tuning.cache, "--quiet"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    tuning.expect("run", done.returncode == 0, done.stderr)
    for number in (signal.SIGINT, signal.SIGTERM):
        for moment in (0, 0.05, 0.1, 0.2, 0.5, 2):
            shutil.rmtree(tuning.cache)
            process = subprocess.Popen([*command, "--repeat", "1000000"], stderr=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, text=True)
            while process.poll() is None and not tuning.cache.is_dir():
                time.sleep(0.01)
            time.sleep(moment)
            process.send_signal(number)
            status, message = tuning.finish(process)
            what = f"run: {number.name} after {moment} s"
            tuning.expect(what, status in (0, -number), f"exit status {status}: {message}")
            tuning.expect_tidy(what)


SCENARIOS = (interrupted_tune, killed_tune, full_disk, no_permission, two_at_once, interrupted_run)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    wanted = sys.argv[3:] or [scenario.__name__ for scenario in SCENARIOS]
    tuning = Tuning(pathlib.Path(sys.argv[1]).absolute(), pathlib.Path(sys.argv[2]).absolute())
    for scenario in SCENARIOS:
        if scenario.__name__ in wanted:
            start = time.monotonic()
            scenario(tuning)
            print(f"{scenario.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    if not tuning.problems:
        shutil.rmtree(tuning.work)
    sys.exit(1 if tuning.problems else 0)


if __name__ == "__main__":
    main()
