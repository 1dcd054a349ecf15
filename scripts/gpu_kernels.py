#!/usr/bin/env python3
"""The CUDA kernels of the networks' blocks, assembled by NVIDIA's ptxas: a table in Markdown.

No GPU is needed. Registers, spills and the stack are ptxas's own (-v); threads, blocks and shared
memory are those of the launches in the compiled pipeline. The rest is arithmetic:

- occupancy: resident warps of those that a multiprocessor has room for. Blocks of threads are
  resident as registers, shared memory, threads and blocks allow (LIMITS). An estimate: it says what
  fits, not how much there is to do; `waves` says that, blocks of all by those resident on the chip.
- minimum: input, residual, weights and output, each once, which is also what DRAM moves where the
  L2 cache holds them (and a squeeze's intermediate image): no block needs more than 5 MB, an A100
  has 40 MB of L2, an H100 50 MB.
- L2: what the launches ask of the L2 cache, tests/schedules/gpu_traffic.h: for every block of
  threads the input under its tile's windows, the weights of what it computes, its tile of the output.
- MACs: those computed by those needed.
"""

import argparse
import csv
import dataclasses
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLES = ("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "ghostnet")
CAPABILITY = "80"  # Of the PTX: what `--device cuda` has where it is told nothing else.
SKIPPED = 77       # For ctest.
MOST_SHARED_BYTES = 48 << 10  # More has to be asked of the driver.
WARP = 32


@dataclasses.dataclass(frozen=True)
class Limits:
    """Of one multiprocessor: CUDA C++ Programming Guide, "Technical Specifications per Compute
    Capability", and of the register file's unit the Occupancy Calculator's "GPU Data"."""
    threads: int = 2048
    blocks: int = 32
    registers: int = 64 << 10
    registers_of_a_block: int = 64 << 10
    register_unit: int = 256       # A warp's registers are rounded up to it.
    shared_bytes: int = 0
    shared_unit: int = 128
    shared_reserved: int = 1 << 10  # Of every block, by the driver.
    processors: int = 0             # Of the chip that `chip` names.
    chip: str = ""


LIMITS = {"sm_80": Limits(shared_bytes=164 << 10, processors=108, chip="A100"),
          "sm_90": Limits(shared_bytes=228 << 10, processors=132, chip="H100 SXM")}


@dataclasses.dataclass(frozen=True)
class Assembled:
    """A kernel as ptxas -v describes it."""
    registers: int
    stack: int
    spills: int  # Bytes stored and loaded.
    shared: int  # Static.


@dataclasses.dataclass(frozen=True)
class Launch:
    kernel: str
    grid: tuple[int, ...]
    threads: tuple[int, ...]
    shared: int

    @property
    def block_count(self) -> int:
        return self.grid[0] * self.grid[1] * self.grid[2]

    @property
    def thread_count(self) -> int:
        return self.threads[0] * self.threads[1] * self.threads[2]


def round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def resident_blocks(launch: Launch, code: Assembled, limits: Limits) -> int:
    """Blocks of threads that one multiprocessor holds; 0: the launch fails."""
    warps = round_up(launch.thread_count, WARP) // WARP
    registers = warps * round_up(code.registers * WARP, limits.register_unit)
    if registers > limits.registers_of_a_block:
        return 0
    shared = round_up(launch.shared + code.shared + limits.shared_reserved, limits.shared_unit)
    return min(limits.blocks, limits.threads // (warps * WARP), limits.registers // registers,
               limits.shared_bytes // shared)


def occupancy(launch: Launch, code: Assembled, limits: Limits) -> float:
    warps = round_up(launch.thread_count, WARP) // WARP
    return resident_blocks(launch, code, limits) * warps * WARP / limits.threads


def waves(launch: Launch, code: Assembled, limits: Limits) -> float:
    """Of blocks of threads, one after the other, on the whole chip."""
    return launch.block_count / max(1, limits.processors * resident_blocks(launch, code, limits))


def parse_ptxas(text: str) -> dict[str, Assembled]:
    """By kernel, of what `ptxas -v` prints."""
    found = {}
    for part in re.split(r"Compiling entry function '", text)[1:]:
        name = part[:part.index("'")]
        frame = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, "
                          r"(\d+) bytes spill loads", part)
        used = re.search(r"Used (\d+) registers", part)
        if frame is None or used is None:
            raise ValueError(f"ptxas says nothing of the registers of '{name}'")
        shared = re.search(r"(\d+) bytes smem", part)
        found[name] = Assembled(int(used[1]), int(frame[1]), int(frame[2]) + int(frame[3]),
                                int(shared[1]) if shared else 0)
    return found


def find_ptxas() -> str | None:
    """$SEPCONV_PTXAS; of this Python's package nvidia-cuda-nvcc-cu12; on PATH."""
    if named := os.environ.get("SEPCONV_PTXAS"):
        return named
    for folder in sys.path:
        program = pathlib.Path(folder) / "nvidia" / "cuda_nvcc" / "bin" / "ptxas"
        if program.is_file():
            return str(program)
    return shutil.which("ptxas")


def assemble(ptxas: str, ptx: pathlib.Path, architecture: str) -> dict[str, Assembled]:
    result = subprocess.run([ptxas, f"-arch={architecture}", "-v", "-o", os.devnull, str(ptx)],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ValueError(f"{ptx.name} for {architecture}: {result.stderr.strip()}")
    return parse_ptxas(result.stderr)


@dataclasses.dataclass(frozen=True)
class Block:
    """What the program prints of one, and its kernels by architecture."""
    facts: dict
    launches: list[Launch]
    code: dict[str, dict[str, Assembled]]


def compile_blocks(program: pathlib.Path, ptxas: str, shapes: list[pathlib.Path],
                   folder: pathlib.Path) -> list[Block]:
    command = [str(program), str(folder), CAPABILITY, *map(str, shapes)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"error: {program.name}: exit status {result.returncode}")
    blocks = []
    for line in result.stdout.splitlines():
        facts = json.loads(line)
        launches = [Launch(launch["kernel"], tuple(launch["grid"]), tuple(launch["threads"]),
                           launch["shared"]) for launch in facts["launches"]]
        ptx = folder / f"{facts['name']}.ptx"
        blocks.append(Block(facts, launches,
                            {name: assemble(ptxas, ptx, name) for name in LIMITS}))
    return blocks


def faults(block: Block) -> list[str]:
    """What is not as docs/gpu.md says."""
    wrong = []
    wanted = block.facts["own_launches"]
    if len(block.launches) != wanted:
        wrong.append(f"expected {wanted} launches, got {len(block.launches)}")
    if block.launches and block.launches[-1].block_count != block.facts["output_blocks"]:
        wrong.append(f"expected {block.facts['output_blocks']} blocks of threads of the tile, got "
                     f"{block.launches[-1].block_count}: tests/schedules/gpu_traffic.cpp counts "
                     "another schedule")
    for launch in block.launches:
        if launch.shared > MOST_SHARED_BYTES:
            wrong.append(f"{launch.kernel}: expected at most {MOST_SHARED_BYTES} bytes of shared "
                         f"memory, got {launch.shared}")
        for name, limits in LIMITS.items():
            code = block.code[name].get(launch.kernel)
            if code is None:
                wrong.append(f"{launch.kernel}: not in the PTX")
            elif code.spills or code.stack:
                wrong.append(f"{launch.kernel} for {name}: expected no spills, got {code.spills} "
                             f"bytes and {code.stack} of stack")
            elif not resident_blocks(launch, code, limits):
                wrong.append(f"{launch.kernel} for {name}: {launch.thread_count} threads of "
                             f"{code.registers} registers are more than a multiprocessor has")
    return [f"{block.facts['name']}: {text}" for text in wrong]


HEADS = ("kernel", "tile", "blocks x threads", "shared KB:", "registers:", "occupancy %:",
         "waves:", "minimum KB:", "L2 / minimum:", "MACs:")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def rows_of(block: Block) -> list[str]:
    """A line for each launch; what is known of the whole block stands on the first."""
    lines = []
    facts = block.facts
    for number, launch in enumerate(block.launches):
        code = {name: block.code[name][launch.kernel] for name in LIMITS}
        pairs = [(launch, code[name], limits) for name, limits in LIMITS.items()]
        whole = ("", "", "")
        title = f"launch {number + 1}"
        if number == 0:
            title = f"{facts['name'].removeprefix(facts['table'] + '_')}: {facts['shape']}"
            whole = (f"{facts['bytes'] / 1e3:.0f}", f"{facts['l2_bytes'] / facts['bytes']:.1f}",
                     f"{facts['computed_macs'] / facts['macs']:.2f}")
        last = number + 1 == len(block.launches)
        lines.append(_row(
            title, "x".join(map(str, facts["tile"])) if last else "",
            f"{launch.block_count} x {launch.thread_count}", f"{launch.shared / 1024:.1f}",
            " / ".join(str(code[name].registers) for name in LIMITS),
            " / ".join(f"{100 * occupancy(*pair):.0f}" for pair in pairs),
            " / ".join(f"{waves(*pair):.1f}" for pair in pairs), *whole))
    return lines


def markdown(blocks: list[Block], version: str) -> str:
    lines = ["# Kernels for CUDA", "",
             f"Made by `scripts/gpu_kernels.py >docs/gpu-kernels.md`, {datetime.date.today()}; no GPU "
             "took part. What the columns say stands at the head of "
             "[the script](../scripts/gpu_kernels.py), what follows from them in [gpu.md](gpu.md).",
             "", f"Two numbers in a cell: sm_80 / sm_90 (waves: {LIMITS['sm_80'].chip} of "
             f"{LIMITS['sm_80'].processors} multiprocessors / {LIMITS['sm_90'].chip} of "
             f"{LIMITS['sm_90'].processors}). Assembled by {version} from PTX for capability "
             f"{CAPABILITY[0]}.{CAPABILITY[1]}."]
    table = None
    for block in blocks:
        if block.facts["table"] != table:
            table = block.facts["table"]
            lines += ["", f"## {table}", "", _row(*(head.rstrip(":") for head in HEADS)),
                      _row(*("---:" if head.endswith(":") else "---" for head in HEADS))]
        lines += rows_of(block)
    return "\n".join([*lines, "", *summary(blocks)])


def summary(blocks: list[Block]) -> list[str]:
    """What docs/gpu.md tells of them all."""
    lines = ["## All in all", "",
             _row("network", "blocks", "launches", "registers at most", "bytes of spills",
                  "shared KB at most", "L2 / minimum", "MACs"),
             _row("---", *["---:"] * 7)]
    for table in dict.fromkeys(block.facts["table"] for block in blocks):
        own = [block for block in blocks if block.facts["table"] == table]
        code = [entry for block in own for kernels in block.code.values()
                for entry in kernels.values()]
        total = {key: sum(block.facts[key] for block in own)
                 for key in ("bytes", "l2_bytes", "macs", "computed_macs")}
        launches = [launch for block in own for launch in block.launches]
        lines.append(_row(
            table, str(len(own)), str(len(launches)), str(max(entry.registers for entry in code)),
            str(sum(entry.spills for entry in code)),
            f"{max(launch.shared for launch in launches) / 1024:.1f}",
            f"{total['l2_bytes'] / total['bytes']:.1f}",
            f"{total['computed_macs'] / total['macs']:.2f}"))
    return lines


def sampled(table: pathlib.Path, every: int, folder: pathlib.Path) -> pathlib.Path:
    """A copy of the table's file with every N-th of its rows."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    path = folder / table.name
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([rows[0], *rows[1::every]])
    return path


def ptxas_version(ptxas: str) -> str:
    text = subprocess.run([ptxas, "--version"], capture_output=True, text=True, check=True).stdout
    return "ptxas " + re.search(r"V([\d.]+)", text)[1]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true",
                        help="no table; exit status 1 where a kernel spills, needs more launches or "
                             "shared memory than it may, or does not fit")
    parser.add_argument("--every", type=int, default=1, metavar="N",
                        help="only every N-th block of each network")
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build" / "bin" / "schedules_gpu_kernels")
    parser.add_argument("tables", nargs="*", default=TABLES, metavar="NETWORK",
                        help=f"of bench/shapes; default: {' '.join(TABLES)}")
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    ptxas = find_ptxas()
    if ptxas is None:
        print("no ptxas: install nvidia-cuda-nvcc-cu12 from PyPI or NVIDIA's toolkit, or set "
              "SEPCONV_PTXAS", file=sys.stderr)
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shapes = [sampled(ROOT / "bench" / "shapes" / f"{table}.csv", arguments.every, folder)
                  for table in arguments.tables]
        blocks = compile_blocks(arguments.program, ptxas, shapes, folder)
    wrong = [text for block in blocks for text in faults(block)]
    for text in wrong:
        print(f"error: {text}", file=sys.stderr)
    if arguments.check:
        launches = sum(len(block.launches) for block in blocks)
        print(f"{len(blocks)} blocks, {launches} launches, {len(wrong)} faults")
    else:
        print(markdown(blocks, ptxas_version(ptxas)))
    return 1 if wrong or not blocks else 0


if __name__ == "__main__":
    sys.exit(main())
