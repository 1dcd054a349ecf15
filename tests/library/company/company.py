#!/usr/bin/env python3
"""Two compiled layers in one program with each other and with an unrelated user of Halide.

usage: company.py TOOL HALIDE_INCLUDE HALIDE_LIBRARY RUNTIME_INCLUDE WORK [ROW..]

Each row of ROWS is a way to build a program; together they have every pair of compiler and language,
form of the library, and flags that matters. A program checks values and whose handlers are called.
"""

import itertools
import pathlib
import re
import shutil
import struct
import subprocess
import sys

GCC, CLANG = ["gcc"], ["clang"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
SECTIONS = ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
HIDDEN = ["-fvisibility=hidden"]
LTO = ["-flto"]
# name: compiler, program, form of the two libraries, flags.
ROWS = {
    "gcc_c_static_sections": (GCC, "program.c", "static", ["-O2", *SECTIONS]),
    "gcc_cxx_shared_lto": (GCC, "program.cpp", "shared", ["-O2", *LTO]),
    "gcc_c_sources_lto_hidden": (GCC, "program.c", "sources", ["-O2", *LTO, *HIDDEN]),
    "gcc_cxx_plugin_hidden": (GCC, "program.cpp", "plugin", ["-O2", *HIDDEN, *SECTIONS]),
    "clang_c_shared_hidden": (CLANG, "program.c", "shared", ["-O2", *HIDDEN, *SECTIONS]),
    "clang_cxx_static_lto": (CLANG, "program.cpp", "static", ["-O2", *LTO, *SECTIONS]),
    "clang_c_sources_lto": (CLANG, "program.c", "sources", ["-O3", *LTO, *SECTIONS, *HIDDEN]),
    "clang_cxx_mixed": (CLANG, "program.cpp", "mixed", ["-O0"]),
}
HERE = pathlib.Path(__file__).parent
LAYER = ["--input", "56x56x16", "--out-channels", "32", "--kernel", "3", "--padding", "valid",
         "--layout", "nhwc"]
TAPS, IN, OUT = 9, 16, 32


class Failed(Exception):
    pass


def run(command, **options):
    done = subprocess.run([str(word) for word in command], check=False, capture_output=True,
                          text=True, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n"
                     f"{done.stdout}{done.stderr}")
    return done.stdout


def write_npy(path, shape, values):
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() +
                     struct.pack(f"<{len(values)}f", *values))


def compile_layers(tool, work):
    """one and two in every form. They differ in weights alone, so all their kernels are the same."""
    write_npy(work / "depthwise.npy", (IN, 1, 3, 3), [1] * (IN * TAPS))
    write_npy(work / "bias_in.npy", (IN,), [0] * IN)
    write_npy(work / "bias_out.npy", (OUT,), [0] * OUT)
    for add, name in ((1, "one"), (2, "two")):
        weights = work / f"{name}.npy"
        write_npy(weights, (OUT, IN, 1, 1), [o % 3 + add for o in range(OUT) for _ in range(IN)])
        for folder, more in (("library", ["--shared"]), ("sources", ["--emit", "sources"])):
            run([tool, "layer", "separable", *LAYER, "--name", name, "--output", work / folder,
                 "--weights", f"depthwise={work}/depthwise.npy", "--weights", f"project={weights}",
                 "--bias", f"depthwise={work}/bias_in.npy",
                 "--bias", f"project={work}/bias_out.npy", "--quiet", *more])


def exported(path):
    """The names that a shared library or program gives to others."""
    listed = run(["nm", "--dynamic", "--defined-only", "--format=just-symbols", path])
    return {name.split("@")[0] for name in listed.split()}


def documented(runtime_include):
    header = (runtime_include / "sepconv" / "sepconv.h").read_text()
    return set(re.findall(r"\b(sepconv_\w+)\(", header))


def check_exports(work, names):
    for name in ("one", "two"):
        found = exported(work / "library" / f"lib{name}.so")
        wanted = names | {f"{name}_model"}
        if found != wanted:
            raise Failed(f"lib{name}.so exports {sorted(found - wanted)} beside what is documented, "
                         f"and lacks {sorted(wanted - found)}")
    for archive in ("library/libone.a", "library/libtwo.a", "sources/one_kernels.o"):
        listed = run(["nm", "--extern-only", "--format=just-symbols", work / archive]).split()
        stray = [name for name in listed if "halide" in name]
        if stray:
            raise Failed(f"{archive} has {stray}")


def build_neighbour(work, include, library):
    """The program of Halide's own, ahead of time and at run time, with both layers linked."""
    program = work / "halide_neighbour"
    run(["g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-I", HERE,
         "-I", work / "library", "-isystem", include, HERE / "halide_neighbour.cpp",
         work / "library" / "libone.a", work / "library" / "libtwo.a", library,
         f"-Wl,-rpath,{library.parent}", "-pthread", "-lm", "-o", program])
    (work / "neighbour").mkdir()
    run([program, "ahead", work / "neighbour"])
    return program


class Builder:
    def __init__(self, work, halide_include, row):
        self.compiler, self.program, self.form, self.flags = ROWS[row]
        self.work, self.folder = work, work / row
        self.folder.mkdir()
        self.cxx = self.program.endswith(".cpp")
        headers = "sources" if self.form == "sources" else "library"
        self.includes = ["-I", HERE, "-I", work / headers, "-isystem", work / "neighbour",
                         "-isystem", halide_include]
        if self.compiler == CLANG and "-flto" in self.flags:
            self.flags = [*self.flags, "--ld-path=ld.lld-19"]

    def command(self, cxx, *words):
        driver = {"gcc": "g++", "clang": "clang++"}[self.compiler[0]] if cxx else self.compiler[0]
        return [driver, "-std=c++17" if cxx else "-std=c11", *WARNINGS, *self.flags, *words]

    def object(self, source, cxx, *more):
        path = self.folder / f"{pathlib.Path(source).stem}.o"
        # Flags for the linker are unused when nothing is linked, and clang says so.
        command = [word for word in self.command(cxx, *self.includes, *more)
                   if not str(word).startswith(("-Wl,", "--ld-path"))]
        run([*command, "-c", source, "-o", path])
        return path

    def sources(self):
        """The plan, weights and runtime by this compiler with these flags, one copy of the runtime."""
        folder = self.work / "sources"
        files = [*sorted((folder / "runtime").glob("*.c")),
                 *(folder / f"{name}{part}.c" for name in ("one", "two") for part in ("", "_weights"))]
        objects = [self.object(file, False, "-fPIC", "-Wno-conversion", "-I", folder,
                               # As the file says of itself.
                               *(["-fno-lto"] if file.stem.endswith("_weights") else []))
                   for file in files]
        return [*objects, folder / "one_kernels.o", folder / "two_kernels.o"]

    def libraries(self):
        folder = self.work / "library"
        shared = ["-L", folder, f"-Wl,-rpath,{folder}"]
        return {"static": lambda: [folder / "libone.a", folder / "libtwo.a"],
                "shared": lambda: [*shared, "-lone", "-ltwo"],
                "mixed": lambda: [folder / "libone.a", *shared, "-ltwo"],
                "sources": self.sources,
                "plugin": lambda: [self.plugin(folder)]}[self.form]()

    def plugin(self, folder):
        """A shared library of the user's with both layers inside, of which it shows the models and
        what is documented."""
        path = self.folder / "libplugin.so"
        run(self.command(True, "-shared", "-Wl,--no-undefined", "-Wl,--whole-archive",
                         folder / "libone.a", "-Wl,--no-whole-archive", "-Wl,-u,two_model",
                         folder / "libtwo.a", "-pthread", "-lm", "-o", path))
        return path

    def build(self):
        program = self.folder / "program"
        main = self.object(HERE / self.program, self.cxx)
        link = self.command(self.cxx, main, *self.libraries(),
                            self.work / "neighbour" / "halide_neighbour.a", f"-Wl,-rpath,{self.folder}",
                            "-pthread", "-lm", "-ldl", "-o", program)
        run(link)
        return program


def check_row(work, halide_include, names, row):
    builder = Builder(work, halide_include, row)
    program = builder.build()
    run([program])
    if builder.form == "plugin":
        found = exported(builder.folder / "libplugin.so")
        stray = found - names - {"one_model", "two_model"}
        if stray or not {"one_model", "two_model", "sepconv_run"} <= found:
            raise Failed(f"a plugin exports {sorted(found)}")


def check_headers(work, runtime_include):
    """Both headers and a library's, without a warning, in every language they are for."""
    languages = [("c", "c11"), ("c", "c17"), ("c++", "c++17"), ("c++", "c++20")]
    for compiler, (language, standard) in itertools.product(("gcc", "clang"), languages):
        text = '#include "one.h"\n#include "two.h"\n#include <sepconv/plan.h>\n'
        text += "#include <sepconv/sepconv.hpp>\n" if language == "c++" else ""
        text += "int main(void) { return 0; }\n" if language == "c" else "int main() { return 0; }\n"
        more = ["-Wold-style-cast", "-Wuseless-cast"] if language == "c++" else ["-Wstrict-prototypes"]
        more = [flag for flag in more if compiler == "gcc" or flag != "-Wuseless-cast"]
        run([compiler, "-x", language, f"-std={standard}", *WARNINGS, "-Wsign-conversion", "-Wundef",
             *more, "-I", work / "library", "-I", runtime_include, "-fsyntax-only", "-"], input=text)


def main():
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    tool, halide_include, halide, runtime_include, work = (
        pathlib.Path(word).absolute() for word in sys.argv[1:6])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    failed = False
    names = documented(runtime_include)
    try:
        compile_layers(tool, work)
        neighbour = build_neighbour(work, halide_include, halide)
    except Failed as error:
        sys.exit(f"Halide's own program: {error}")
    checks = {"jit": lambda: run([neighbour, "jit"]),
              "exports": lambda: check_exports(work, names),
              "headers": lambda: check_headers(work, runtime_include)}
    for row in ROWS:
        checks[row] = lambda row=row: check_row(work, halide_include, names, row)
    for name, check in checks.items():
        if sys.argv[6:] and name not in sys.argv[6:]:
            continue
        try:
            check()
            print(f"{name}: right", flush=True)
        except Failed as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            failed = True
    if not failed:
        shutil.rmtree(work)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
