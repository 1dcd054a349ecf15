#!/usr/bin/env python3
"""Separable blocks on a CUDA device: sepconv beside PyTorch with cuDNN, in CUDA graphs.

Values are compared first; then every contender's graph is replayed in turn, round after round, and
timed by events of the device. See bench/README.md.
"""

import argparse
import ctypes
import datetime
import pathlib
import subprocess
import sys

from model_suite import ROOT, cuda_device

LEAST_ROUNDS = 30
WARM_RUNS = 5          # Before the capture: cuDNN tries its algorithms then.
RUNS_OF_A_GRAPH = 20   # A replay costs microseconds of its own, as much as a block.
OURS = "sepconv"
TOLERANCES = {OURS: 1e-4, "cudnn fp32": 1e-3, "cudnn tf32": 1e-2}


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run.sh --suite gpu",
                                     description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--shapes", default="mobilenet_v1",
                        help="a table of bench/shapes; default: mobilenet_v1")
    parser.add_argument("--blocks", nargs="+", metavar="NAME", help="default: all separable ones")
    parser.add_argument("--rounds", type=int, default=40, help="default: 40")
    parser.add_argument("--output", type=pathlib.Path, help="folder (default: build/bench)")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rounds < LEAST_ROUNDS:
        parser.error(f"--rounds: expected at least {LEAST_ROUNDS}, got {arguments.rounds}")
    if not (ROOT / "bench" / "shapes" / f"{arguments.shapes}.csv").is_file():
        parser.error(f"--shapes: expected the name of a table of bench/shapes, got "
                     f"'{arguments.shapes}'")
    arguments.output = arguments.output or arguments.build / "bench"
    build = sys.argv.index("--build")  # Put there by run.sh, and a path of this machine.
    arguments.shown = sys.argv[1:build] + sys.argv[build + 2:]
    return arguments


class Graphs:
    """Contenders of one block, captured on one stream."""

    def __init__(self, stream) -> None:
        import torch
        self._torch = torch
        self._stream = stream
        self._graphs = {}

    def capture(self, name: str, call) -> None:
        torch = self._torch
        with torch.cuda.stream(self._stream):
            for _ in range(WARM_RUNS):
                call()
        self._stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream):
            for _ in range(RUNS_OF_A_GRAPH):
                call()
        self._graphs[name] = graph

    def replay(self, name: str) -> None:
        with self._torch.cuda.stream(self._stream):
            self._graphs[name].replay()
        self._stream.synchronize()

    def sample(self, name: str) -> float:
        """Microseconds of one run, the mean of a graph's, after one replay that warms the caches."""
        torch, graph = self._torch, self._graphs[name]
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        with torch.cuda.stream(self._stream):
            graph.replay()
            first.record()
            graph.replay()
            last.record()
        last.synchronize()
        return 1e3 * first.elapsed_time(last) / RUNS_OF_A_GRAPH


def interleave(names: list[str], sample, rounds: int) -> dict[str, list[float]]:
    """One sample of each a round, the order rotated."""
    samples: dict[str, list[float]] = {name: [] for name in names}
    for index in range(rounds):
        first = index % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(sample(name))
    return samples


class Suite:
    """What is the same for all blocks."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        import torch
        self.torch = torch
        self.tool = arguments.build / "bin" / "sepconv"
        self.rounds = arguments.rounds
        self.folder = arguments.output / "gpu"
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.cuda.init()
        torch.zeros(1, device="cuda")  # Makes the primary context current.
        self.stream = torch.cuda.Stream()
        major, minor = torch.cuda.get_device_capability()
        self.capability = 10 * major + minor
        current = ctypes.c_void_p()
        ctypes.CDLL("libcuda.so.1").cuCtxGetCurrent(ctypes.byref(current))
        self.context = current.value

    def ours(self, block, image, output):
        from peers import sepconv_device
        parameters, files = sepconv_device.write_parameters(block, self.folder)
        chosen = {kind: {name.split(".")[0]: file for name, file in files.items()
                         if name.endswith(kind)} for kind in ("weight", "bias")}
        file = sepconv_device.compile_block(self.tool, block, chosen["weight"], chosen["bias"],
                                            self.folder, self.capability)
        library = sepconv_device.DeviceLibrary(file, block.name, "cuda")
        library.open(self.context, self.stream.cuda_stream)
        library.bind([image.data_ptr()], [output.data_ptr()])
        return parameters, library

    def block(self, block) -> list:
        """Its rows."""
        from model_suite import gpu_blocks
        from peers import torch_peer
        torch = self.torch
        host = block.image()
        image = torch.from_numpy(host).cuda().to(memory_format=torch.channels_last)
        output = torch.full((1, block.out_channels, block.out_height, block.out_width),
                            float("nan"), device="cuda").to(memory_format=torch.channels_last)
        torch.cuda.synchronize()  # The copies are in another stream.
        parameters, library = self.ours(block, image, output)
        wanted = torch_peer.reference(block, parameters, host)
        contenders = {OURS: library} | {
            name: torch_peer.Peer(name, block, parameters, image) for name in torch_peer.PRECISIONS}
        rows = {name: gpu_blocks.Row(block.name, block.shape, name) for name in contenders}
        graphs = Graphs(self.stream)
        timed = [name for name, contender in contenders.items()
                 if self._captured(name, contender, graphs, rows[name], output, wanted)]
        samples = interleave(timed, graphs.sample, self.rounds) if timed else {}
        for name, values in samples.items():
            gpu_blocks.fill(rows[name], block, values, samples.get(OURS) if name != OURS else None)
        for contender in contenders.values():
            contender.close()
        return list(rows.values())

    def _captured(self, name, contender, graphs, row, output, wanted) -> bool:
        """Captures, replays once and compares; what fails is noted and not timed."""
        from model_suite import values
        from model_suite.contender import ContenderError
        try:
            graphs.capture(name, contender.call)
            graphs.replay(name)
            result = output if name == OURS else contender.output
            row.max_error = values.largest_error([result.cpu().numpy()], [wanted],
                                                 TOLERANCES[name])
        except (ContenderError, AssertionError, RuntimeError) as error:
            row.note = str(error).splitlines()[0]
            progress(f"  {name}: NOT TIMED: {row.note}")
            return False
        return True


SMI_FIELDS = ("name", "driver_version", "clocks.sm", "clocks.mem", "clocks.max.sm", "power.limit",
              "persistence_mode")


def smi() -> str:
    """What nvidia-smi says of the first device, field by field."""
    command = ["nvidia-smi", f"--query-gpu={','.join(SMI_FIELDS)}", "--format=csv,noheader",
               "--id=0"]
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "nvidia-smi does not answer"
    return smi_text(text)


def smi_text(line: str) -> str:
    return ", ".join(f"{name} {value.strip()}" for name, value in zip(SMI_FIELDS, line.split(",")))


def facts_of(arguments: argparse.Namespace, before: str) -> dict[str, str]:
    import torch
    from peers import sepconv_device, torch_peer
    return {
        "GPU": torch.cuda.get_device_name(),
        "before": before,
        "after": smi(),
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "command": " ".join(["bench/run.sh", "--suite", "gpu", *arguments.shown]),
        "torch": f"{torch.__version__}, CUDA {torch.version.cuda}, cuDNN "
                 f"{torch.backends.cudnn.version()}; {torch_peer.SETTINGS}",
        "sepconv": sepconv_device.SETTINGS,
        "in the timer": f"one block, inputs and outputs on the device, batch 1, by events around a "
                        f"CUDA graph of {RUNS_OF_A_GRAPH} runs; one replay before: caches warm",
        "samples": f"{arguments.rounds} rounds, order rotated; ratios paired within a round, 95 % "
                   "interval of their median by order statistics",
        "values": "of the largest output of double precision on the CPU: " + ", ".join(
            f"{name} within {tolerance:g}" for name, tolerance in TOLERANCES.items()),
    }


def main() -> int:
    arguments = parse()
    reason = cuda_device.missing()
    if reason:
        return cuda_device.main()
    from model_suite import gpu_blocks
    blocks = gpu_blocks.read_blocks(ROOT / "bench" / "shapes" / f"{arguments.shapes}.csv")
    if arguments.blocks:
        blocks = [block for block in blocks if block.name in arguments.blocks]
    before = smi()
    suite = Suite(arguments)
    rows = []
    for index, block in enumerate(blocks):
        progress(f"[{index + 1}/{len(blocks)}] {block.name} {block.shape}")
        rows += suite.block(block)
    facts = facts_of(arguments, before)
    stem = arguments.output / f"gpu_{arguments.shapes}"
    gpu_blocks.write_csv(stem.with_suffix(".csv"), facts, rows)
    text = gpu_blocks.markdown(facts, rows)
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)
    return 1 if any(row.contender == OURS and row.note for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
