#!/usr/bin/env python3
"""Dispatch on the CPUs that qemu knows: each variant runs with the right values or is refused with
the status for it, the best that runs is the one chosen, and no CPU meets an instruction that it
lacks.

usage: dispatch.py TOOL WORK MACHINE

MACHINE is one of MACHINES below; for x86-64 all CPUs of `qemu-x86_64 -cpu help` are tried. cpus.csv
says what must be chosen on the usual CPUs under qemu 7.2, which emulates AVX2 and no AVX-512; a newer
qemu may choose better ones. Its x86-64 rows with a feature left out lack BMI1: without it glibc 2.36
itself ends in __strncmp_avx2.
"""

import csv
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
UNSUPPORTED_ISA = 3  # SEPCONV_UNSUPPORTED_ISA
TOLERANCE = 1e-5


class Machine:
    """`isas` are best first; `reference` is a CPU that runs one, `smooth` an activation that qemu
    emulates."""

    def __init__(self, triple, cc, qemu, isas, reference="max", smooth="gelu"):
        self.triple, self.cc, self.qemu, self.isas = triple, cc, qemu, isas
        self.reference, self.smooth = reference, smooth


MACHINES = {
    "x86-64": Machine("x86-64-linux", "cc", "qemu-x86_64", ("avx512", "avx2", "sse41")),
    "arm64": Machine("arm-64-linux", "aarch64-linux-gnu-gcc", "qemu-aarch64", ("dotprod", "neon")),
    "arm32": Machine("arm-32-linux", "arm-linux-gnueabihf-gcc", "qemu-arm", ("neon",)),
    # qemu 7.2 ends on the conversion in every exponential, see docs/cross-compiling.md.
    "riscv64": Machine("riscv-64-linux", "riscv64-linux-gnu-gcc", "qemu-riscv64",
                       ("rvv256", "rvv128"), "rv64,v=true,vlen=128,vext_spec=v1.0", "relu6"),
}
LAYERS = {
    "residual": "inverted_residual --input 9x7x24 --expand 72 --squeeze 16 --out-channels 24 "
                "--kernel 3 --residual --activation hard_swish --expand-activation {smooth}",
    "module": "ghost --input 9x7x20 --out-channels 40",
    "stem": "stem --input 17x15x3 --out-channels 16 --kernel 3 --stride 2 --activation {smooth}",
}


def build(tool, work, machine):
    """The program, and one that has nothing of ours."""
    includes, archives = [], []
    for name, layer in LAYERS.items():
        subprocess.run([tool, "layer", *layer.format(smooth=machine.smooth).split(), "--output", work, "--name", name, "--quiet",
                        "--target", machine.triple, "--isa", ",".join(machine.isas)],
                       check=True, stdout=subprocess.DEVNULL)
        includes += ["-include", f"{name}.h"]
        archives.append(work / f"lib{name}.a")
    models = ",".join(f"{name}_model()" for name in LAYERS)
    isas = ",".join(f'"{isa}"' for isa in machine.isas[::-1])
    program = work / "dispatch"
    subprocess.run([machine.cc, "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-static",
                    "-D_POSIX_C_SOURCE=200809L", "-I", work, *includes, f"-DMODELS={models}",
                    f"-DISAS={isas}", HERE / "dispatch.c", *archives, "-lm", "-pthread", "-o",
                    program], check=True)
    nothing = work / "nothing"
    (work / "nothing.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
    subprocess.run([machine.cc, "-static", work / "nothing.c", "-o", nothing], check=True)
    return program, nothing


def cpus(machine, expected):
    """Those of the table, and of x86-64 all that do not only name another."""
    text = subprocess.run([machine.qemu, "-cpu", "help"], check=False, capture_output=True,
                          text=True).stdout
    rows = [line.split(maxsplit=2) for line in text.splitlines() if line.startswith("x86 ")]
    known = [row[1] for row in rows if len(row) < 3 or not row[2].startswith("(alias of")]
    return known + [cpu for cpu in expected if cpu not in known]


def lines_of(command):
    """Exit status and the printed lines as (forced, chosen, status, values)."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            check=False)
    lines = []
    for line in result.stdout.splitlines():
        forced, chosen, status, *values = line.split()
        lines.append((forced, chosen, int(status), [float(value) for value in values]))
    return result.returncode, lines


def problems_of(lines, reference, best_first):
    """What is wrong with a run: `reference` are the values of each model."""
    runs = 1 + len(best_first)
    if len(lines) != runs * len(LAYERS):
        return [f"{len(lines)} lines instead of {runs * len(LAYERS)}"]
    problems = []
    for m, name in enumerate(LAYERS):
        automatic, *forced = lines[m * runs:(m + 1) * runs]
        available = {line[0] for line in forced if line[2] == 0}
        best = next((isa for isa in best_first if isa in available), "-")
        if automatic[1] != best:
            problems.append(f"{name}: chose {automatic[1]}, where {best} is the best that runs")
        for asked, chosen, status, values in (automatic, *forced):
            if status not in (0, UNSUPPORTED_ISA):
                problems.append(f"{name} {asked}: status {status}")
            elif status == 0 and asked not in ("-", chosen):
                problems.append(f"{name}: {asked} was forced, {chosen} ran")
            elif status == 0 and not all(abs(value - right) <= TOLERANCE * max(1, abs(right))
                                         for value, right in zip(values, reference[m], strict=True)):
                problems.append(f"{name} {chosen}: wrong values")
    return problems


def choice_problem(chosen, wanted, best_first):
    """Whether the automatic choice is the one of the table, or a better one."""
    if wanted in best_first and chosen in best_first:
        good = best_first.index(chosen) <= best_first.index(wanted)
    else:
        good = chosen == wanted
    return [] if good else [f"chose {chosen}, expected {wanted}"]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    work, machine = pathlib.Path(sys.argv[2]), MACHINES[sys.argv[3]]
    work.mkdir(parents=True, exist_ok=True)
    program, nothing = build(sys.argv[1], work, machine)
    with (HERE / "cpus.csv").open(newline="", encoding="utf-8") as file:
        expected = {row["cpu"]: row["chosen"] for row in csv.DictReader(file)
                    if row["machine"] == sys.argv[3]}
    status, lines = lines_of([machine.qemu, "-cpu", machine.reference, program])
    if status != 0:
        sys.exit(f"{machine.reference}: exit status {status}")
    runs = 1 + len(machine.isas)
    reference = [lines[m * runs][3] for m in range(len(LAYERS))]
    failures = []
    count = 0
    for cpu in cpus(machine, expected):
        emulator = [machine.qemu, "-cpu", cpu]
        if cpu not in expected and lines_of([*emulator, nothing])[0] != 0:
            print(f"{cpu}: runs no program of 64 bits")
            continue
        count += 1
        status, lines = lines_of([*emulator, program])
        chosen = lines[0][1].replace("-", "none") if lines else "?"
        problems = [f"exit status {status} behind {len(lines)} lines"] if status != 0 else []
        problems += problems_of(lines, reference, machine.isas)
        problems += choice_problem(chosen, expected.get(cpu, chosen), machine.isas)
        print(f"{cpu}: {chosen}")
        failures += [f"{cpu}: {problem}" for problem in problems]
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{count} CPUs, {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
