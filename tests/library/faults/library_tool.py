"""The tool on two small layers of one name, and what a folder may hold after it."""

import os
import pathlib
import re
import shutil
import subprocess
import time

# One name, and every file of theirs differs: what is of both libraries shows.
LAYERS = {
    "old": ["--input", "8x8x8", "--out-channels", "16", "--seed", "1"],
    "new": ["--input", "9x7x8", "--out-channels", "24", "--seed", "2"],
}

# Options of --emit's forms, and files of each.
FORMS = {
    "library": (["--shared"], ["libnet.a", "libnet.so", "net.h", "net.c", "net.json"]),
    "sources": (["--emit", "sources"], ["net_kernels.o", "net_weights.bin", "net.h", "net.c",
                                        "net.json"]),
}


def contents(folder):
    """{path: bytes} of all files; {} without the folder."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def lives(session):
    """Whether a session has a process that has not ended."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # It has ended meanwhile.
            continue
        if int(its_session) == session and state not in "ZX":
            return True
    return False


class Library:
    """A tool, a work folder, and the whole libraries to compare with."""

    def __init__(self, tool, work, form="library"):
        self.tool, self.work, self.form = tool, work, form
        self.out, self.cache = work / "out", work / "cache"
        self.problems = []
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        self.whole = {}
        for which in LAYERS:
            self.fresh_cache()
            self.compile(which)
            self.whole[which] = contents(self.out)
            shutil.rmtree(self.out)
        differing = [name for name in self.whole["old"]
                     if self.whole["old"][name] != self.whole["new"][name]]
        assert set(FORMS[form][1]) <= set(differing), differing
        self.restore()

    def command(self, which, *more):
        return [self.tool, "layer", "separable", *LAYERS[which], "--kernel", "3", "--padding",
                "same_upper", "--activation", "gelu", "--isa", "sse41", "--name", "net", "--quiet",
                "--output", self.out, "--cache-dir", self.cache, *FORMS[self.form][0], *more]

    def start(self, which, prefix=(), more=(), **options):
        return subprocess.Popen([*prefix, *self.command(which, *more)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, errors="replace",
                                start_new_session=True, **options)

    def finish(self, process):
        """Exit status and stderr; returns when no process has stdout or stderr any more and none of
        its session lives: the kernel ends a killed tool's children some moments after it."""
        message = process.communicate()[1]
        for _ in range(1000):
            if not lives(process.pid):
                return process.returncode, message
            time.sleep(0.01)
        raise SystemExit(f"a process of {process.args} does not end")

    def run(self, which, **options):
        return self.finish(self.start(which, **options))

    def compile(self, which):
        status, message = self.run(which)
        if status != 0:
            raise SystemExit(f"the tool fails without a fault: {message}")

    def fresh_cache(self):
        shutil.rmtree(self.cache, ignore_errors=True)

    def restore(self):
        """The old library, as one finds it, and a cache that has its kernels."""
        for path in (self.out, *self.out.rglob("*")):
            if path.exists():
                path.chmod(0o755 if path.is_dir() else 0o644)
        shutil.rmtree(self.out, ignore_errors=True)
        for name, data in self.whole["old"].items():
            (self.out / name).parent.mkdir(parents=True, exist_ok=True)
            (self.out / name).write_bytes(data)

    def expect(self, what, condition, detail=""):
        if not condition:
            self.problems.append(f"{what}: {detail}")
            print(f"PROBLEM {self.problems[-1]}", flush=True)

    def holds(self, folder=None):
        """"old" or "new" where that is all the folder holds, temporaries apart; else what it is."""
        found = contents(folder or self.out)
        found = {name: data for name, data in found.items() if not name.startswith(".sepconv-")}
        for which, whole in self.whole.items():
            if found == whole:
                return which
        mixed = {name: next((which for which, whole in self.whole.items()
                             if whole.get(name) == data), "garbled") for name, data in found.items()}
        return f"a mixture: {mixed}"

    def expect_error(self, what, result, pattern):
        """An error in words, status 1, and the old library."""
        status, message = result
        self.expect(what, status == 1, f"exit status {status}: {message}")
        self.expect(what, re.search(pattern, message), f"no {pattern!r} in: {message}")
        self.expect(what, self.holds() == "old", self.holds())
        self.expect_tidy(what)

    def expect_tidy(self, what):
        left = [str(path) for folder in (self.out, self.cache) if folder.is_dir()
                for path in folder.iterdir()
                if re.fullmatch(r"\.sepconv-\w{6}", path.name)]
        self.expect(what, not left, f"left behind: {left}")

    def expect_recovery(self, what):
        """The next run, on the same cache, makes the new library and tidies up."""
        status, message = self.run("new")
        self.expect(what, status == 0, f"the next run: exit status {status}: {message}")
        self.expect(what, self.holds() == "new", f"after the next run {self.holds()}")
        self.expect_tidy(what)
        self.restore()


def preload(work, cc="cc"):
    """kill_at.c as a library to preload."""
    source = pathlib.Path(__file__).with_name("kill_at.c")
    library = work / "kill_at.so"
    subprocess.run([cc, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", source, "-o", library, "-ldl"],
                   check=True)
    return library


def is_root():
    return os.geteuid() == 0
