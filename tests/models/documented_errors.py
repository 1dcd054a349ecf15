#!/usr/bin/env python3
"""docs/errors.md against the sources and the tool: a row with cause and cure for every status, and the
tool's messages as they are quoted. (That every status is raised, every_status_test.cpp of
tests/runtime and tests/compiler shows.)

usage: documented_errors.py TOOL WORK_FOLDER ROOT
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def enumerators(path, pattern):
    """Names in the enum of a header, without success."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    body = re.search(pattern + r"\s*\{(.*?)\}", text, re.S).group(1)
    body = re.sub(r"/\*.*?\*/|//[^\n]*", "", body, flags=re.S)
    names = re.findall(r"\b((?:SEPCONV_|k)[A-Za-z_]+)", body)
    return [name for name in names if name not in ("SEPCONV_OK", "kOk")]


def rows_of(document):
    """The cells of every table's rows."""
    rows = [line.strip().strip("|").split(" | ") for line in document.splitlines()
            if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def quotes(cell):
    return re.findall(r"`([^`]+)`", cell)


def undocumented(names, rows):
    """Problems: statuses without a row, rows without three cells, rows of no status."""
    known = {name for row in rows for name in quotes(row[0])}
    problems = [f"{name} has no row in docs/errors.md" for name in names if name not in known]
    problems += [f"docs/errors.md: {name} is no status" for name in sorted(known - set(names))]
    problems += [f"docs/errors.md: {row[0]} needs a cause and a cure" for row in rows
                 if len(row) != 3 or not all(row)]
    return problems


def save(path, nodes, shape=(1, 3, 8, 8), weights=None, values=()):
    """A model on input x; returns its path."""
    constants = [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()]
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "model", [image, *values],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
              path)
    return path


def compile_node(operator, inputs=("x",), name="conv", **model):
    """A command that compiles a model of one node; `options` are the tool's."""
    options = model.pop("options", ())

    def command(folder):
        node = helper.make_node(operator, list(inputs), ["y"], name=name)
        return ["compile", save(folder / "x.onnx", [node], **model), *options]
    return command


def compile_file(content):
    def command(folder):
        path = folder / "x.onnx"
        if content is not None:
            path.write_bytes(content)
        return ["compile", path]
    return command


def layer(*options):
    return lambda folder: ["layer", "separable", "--input", "14x14x8", "--out-channels", "16",
                           "--kernel", "3", "--cache-dir", folder / "cache", *options]


def compile_without_objcopy(folder):
    """The folder `path` becomes the tool's PATH."""
    compiler = folder / "path/cc"
    compiler.parent.mkdir(exist_ok=True)
    compiler.write_text("#!/bin/sh\ncase $1 in *objcopy) echo objcopy ;; "
                        f"*) exec {shutil.which('cc')} \"$@\" ;; esac\n", encoding="ascii")
    compiler.chmod(0o755)
    for program in ("ld", "nm", "ar"):
        link = compiler.with_name(program)
        link.unlink(missing_ok=True)
        link.symlink_to(shutil.which(program))
    return compile_node("Relu", options=("--cc", compiler))(folder)


def kernel_children(process):
    """Children of the tool that are the tool itself: others run the C compiler."""
    tool = os.readlink(f"/proc/{process.pid}/exe")
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for child in children.read_text(encoding="ascii").split():
        try:
            if os.readlink(f"/proc/{child}/exe") == tool:
                yield int(child)
        except FileNotFoundError:
            pass


def kill_a_child(process):
    """Ends a child that compiles a kernel, as a crash would."""
    before = set()
    while process.poll() is None:
        # Those that are still there have not only been about to become the C compiler.
        now = set(kernel_children(process))
        for child in now & before:
            os.kill(child, signal.SIGSEGV)
            return
        before = now
        time.sleep(0.02)


WIDE = np.ones((4, 5, 3, 3), np.float32)
# A quote of docs/errors.md, and the arguments of the tool in a folder of their own.
COMMANDS = {
    "input 'x' has unknown extents: give them with --input-shape":
        compile_node("Relu", shape=(1, 3, "height", 8)),
    "--isa: x86-64-linux has no 'neon'": compile_node("Relu", options=("--isa", "neon")),
    "--target: 'x86-64-linux-cuda' names 'cuda', which is no variant; ...":
        compile_node("Relu", options=("--target", "x86-64-linux-cuda")),
    "--target arm-64-android: no C compiler for it is known; ...":
        compile_node("Relu", options=("--target", "arm-64-android")),
    "--target x86-64-linux: neither the C compiler's objcopy nor llvm-objcopy is there; ...":
        compile_without_objcopy,
    "not an ONNX model: ...": compile_file(b"this is no protocol buffer"),
    "node 'conv' (Conv): the input has 3 channels, the weights ...":
        compile_node("Conv", ("x", "w"), weights={"w": WIDE}),
    "node 'last' (Hardmax): the operator is not supported": compile_node("Hardmax", name="last"),
    "node ...: input 1 (shape) is not constant at the given input shapes":
        compile_node("Reshape", ("x", "shape"),
                     values=[helper.make_tensor_value_info("shape", TensorProto.FLOAT, (4,))]),
    "cannot read 'x.onnx': ...": compile_file(None),
    "--target x86-64-linux: nocc: failed with exit status 1: cannot start 'nocc': ...":
        compile_node("Relu", options=("--cc", "nocc")),
    "input 'x' has more than 2^31 - 1 elements: ...": compile_node("Relu", shape=(1, 65536, 65536)),
    "internal: compiling separable ...: killed by signal 11": layer(),
    "compiling separable ... with adams2019: killed by signal 11":
        layer("--scheduler", "adams2019"),
    "--scheduler: anderson2021 schedules for cuda, not for cpu":
        layer("--scheduler", "anderson2021"),
}

# Quotes that another test raises, and the words by which it knows them.
FAULTS = "tests/library/faults/no_half_results.py"
SURROUNDINGS = "tests/library/faults/surroundings.py"
ELSEWHERE = {
    "cannot write 'out/net.h': No space left on device": (FAULTS, "No space left"),
    "...: a folder is in its place": (FAULTS, "folder is in its place"),
    "cannot make a folder in 'out': Permission denied": (FAULTS, "Permission denied"),
    "compiling separable ...: ... IO failure on output stream: ...":
        (FAULTS, "IO failure on output stream"),
    "nocc: killed by signal 11 (Segmentation fault) the command was: nocc ...":
        (SURROUNDINGS, "killed by signal 11"),
    "cannot write to stdout: No space left on device":
        (SURROUNDINGS, "cannot write to stdout: No space left"),
    "...: expected 0 to 23, touched 0 to 63":
        ("tests/compiler/autoscheduler_test.cpp", "expected 0 to 23, touched 0 to 63"),
}


def pattern_of(quote):
    """`...` is any text, a space may be the end of a line, and a file is named with its folder."""
    pattern = re.escape(quote).replace(r"\.\.\.", ".*").replace(r"x\.onnx", r".*x\.onnx")
    pattern = pattern.replace(r"\ ", r"\s+")
    return "error: " + pattern


def check(tool, quote, command, folder):
    """What is wrong with the tool's answer, or None."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / "out"
    arguments = [str(word) for word in command(folder)]
    variables = {"PATH": str(folder / "path")} if (folder / "path").is_dir() else {}
    with subprocess.Popen([tool, *arguments, "--output", out, "--name", "model"], text=True,
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          env={**os.environ, **variables}) as process:
        if "killed" in quote:
            kill_a_child(process)
        message = process.communicate(timeout=120)[1]
    # Above it there may be lines of progress.
    message = message[message.find("error: "):]
    if process.returncode != 1:
        return f"exit status {process.returncode}"
    if not re.match(pattern_of(quote), message, re.S):
        return f"the message is {message!r}"
    return "files were left" if out.exists() and list(out.iterdir()) else None


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    tool, work, root = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    document = (root / "docs/errors.md").read_text(encoding="utf-8")
    of_library, of_tool = document.split("## Of the tool")
    problems = undocumented(enumerators(root / "runtime/include/sepconv/sepconv.h",
                                        r"enum sepconv_status_t"), rows_of(of_library))
    problems += undocumented(enumerators(root / "layer/status.h", r"enum class StatusCode"),
                             rows_of(of_tool))
    quoted = [quote for row in rows_of(of_tool) for quote in quotes(row[1])]
    raised = [*COMMANDS, *ELSEWHERE]
    problems += [f"docs/errors.md quotes {quote!r}, which no test raises" for quote in quoted
                 if quote not in raised]
    problems += [f"docs/errors.md does not quote {quote!r}" for quote in raised
                 if quote not in quoted]
    problems += [f"{path} does not expect {words!r}" for path, words in ELSEWHERE.values()
                 if words not in (root / path).read_text(encoding="utf-8")]
    for i, (quote, command) in enumerate(COMMANDS.items()):
        problem = check(tool, quote, command, work / str(i))
        print(f"{quote}: {problem or 'as documented'}", flush=True)
        problems += [f"{quote}: {problem}"] if problem else []
    sys.exit("\n".join(problems) if problems else 0)


if __name__ == "__main__":
    main()
