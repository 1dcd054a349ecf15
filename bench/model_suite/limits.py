"""What a block of our plan needs at least, and what the numbers say of the rest of its time.

A block is described by the tool's report (`NAME.json`, also `sepconv inspect --json`).
"""

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

LANES = 16           # Of a packed panel.
WORST = 3            # Blocks that are explained.
STAGE = re.compile(
    r"(?P<name>expand|depthwise|reduce|excite|project|cheap) "
    r"(?P<inputs>\d+)(?P<form>[>*])(?P<outputs>\d+) k(?P<kernel_h>\d+)x(?P<kernel_w>\d+) "
    r"s(?P<stride_h>\d+)x(?P<stride_w>\d+) d(?P<dilation_h>\d+)x(?P<dilation_w>\d+) "
    r"p(?P<top>-?\d+),(?P<left>-?\d+),\S+ \[(?P<steps>.*?)\]")
IMAGE = re.compile(r"(\d+)x(\d+)x(\d+)@")


@dataclasses.dataclass(frozen=True)
class Stage:
    """A convolution of a block."""
    name: str
    inputs: int    # Channels that one output sums over: 1 in a depthwise.
    outputs: int
    taps: int      # Of the window.
    pixels: int
    steps: int     # Elementwise ones on each output.

    @property
    def macs(self) -> int:
        return self.pixels * self.outputs * self.inputs * self.taps


@dataclasses.dataclass(frozen=True)
class Block:
    kind: str
    shape: str               # As the tables of bench/blocks.sh say it, where it is a convolution.
    macs: int
    parameters: int
    bytes: int               # Input, operands, parameters and output, each once.
    stages: tuple[Stage, ...]
    border: float            # Share of the outputs whose window reaches over the edge.


def _stage(found: re.Match[str], in_pixels: int, out_pixels: int) -> Stage:
    name, inputs, outputs = found["name"], int(found["inputs"]), int(found["outputs"])
    if found["form"] == "*":  # Channels * multiplier.
        inputs, outputs = 1, inputs * outputs
    pixels = {"expand": in_pixels, "reduce": 1, "excite": 1}.get(name, out_pixels)
    return Stage(name, inputs, outputs, int(found["kernel_h"]) * int(found["kernel_w"]), pixels,
                 len(found["steps"].split(", ")) if found["steps"] else 0)


def _inside(found: re.Match[str], axis: str, pad: str, extent: int, out: int) -> float:
    """Share of the outputs along an axis whose window lies within the image."""
    reach = (int(found[f"kernel_{axis}"]) - 1) * int(found[f"dilation_{axis}"])
    first = [i * int(found[f"stride_{axis}"]) - int(found[pad]) for i in range(out)]
    return sum(0 <= start and start + reach < extent for start in first) / out


def block_of(row: dict[str, Any]) -> Block:
    """From an element of the report's `blocks`."""
    text = row["kernel_text"]
    images = [tuple(map(int, image)) for image in IMAGE.findall(text)]
    found = list(STAGE.finditer(text))
    stages: list[Stage] = []
    shape, border = row["shape"], 0.0
    if found and len(images) > 1:
        (height, width, channels), (out_height, out_width, out_channels) = images[:2]
        stages = [_stage(one, height * width, out_height * out_width) for one in found]
        window = max(found, key=lambda one: int(one["kernel_h"]) * int(one["kernel_w"]))
        border = 1 - (_inside(window, "h", "top", height, out_height) *
                      _inside(window, "w", "left", width, out_width))
        middle = "".join(f" > {stage.outputs}" for stage in stages if stage.name == "expand")
        squeeze = "".join(f" se{stage.outputs}" for stage in stages if stage.name == "reduce")
        shape = (f"{height}x{width}x{channels}{middle} > {out_channels} k{window['kernel_h']} "
                 f"s{window['stride_h']}{squeeze}{' +' if ' with ' in text else ''}")
    return Block(row["kind"], shape, row["macs"], row["parameters"],
                 row["bytes_read"] + row["bytes_written"], tuple(stages), border)


@dataclasses.dataclass(frozen=True)
class Machine:
    """What was measured beside the blocks."""
    gflops: float
    bandwidth: Callable[[int], float]  # Bytes a second of a copy that touches so many bytes.


@dataclasses.dataclass(frozen=True)
class Line:
    """A measured block against its limits; times in microseconds."""
    index: int
    block: Block
    time: float
    p10: float
    p90: float
    fma: float       # The FMA units alone.
    memory: float    # Its bytes at the bandwidth of a set of that size.
    weights: float   # Its weights at the bandwidth of the whole model's data.

    @property
    def limit(self) -> float:
        return max(self.fma, self.memory)

    @property
    def excess(self) -> float:
        return self.time - self.limit


def line(index: int, block: Block, times: tuple[float, float, float], machine: Machine,
         model_bytes: int) -> Line:
    """`times`: the median, p10 and p90; `model_bytes`: weights and arena of the whole model."""
    return Line(index, block, *times,
                fma=2e-3 * block.macs / machine.gflops,
                memory=1e6 * block.bytes / machine.bandwidth(block.bytes),
                weights=1e6 * 4 * block.parameters / machine.bandwidth(model_bytes))


def worst(lines: list[Line]) -> list[Line]:
    """Those with the most time above their limit."""
    return sorted(lines, key=lambda entry: -entry.excess)[:WORST]


def _padding(stages: tuple[Stage, ...]) -> float:
    """Share of the lanes that hold no channel, where every stage counted in panels."""
    padded = sum(stage.macs / stage.outputs * LANES * math.ceil(stage.outputs / LANES)
                 for stage in stages)
    return 1 - sum(stage.macs for stage in stages) / padded if padded else 0.0


def explain(entry: Line) -> str:
    """A first explanation: only what follows from shape, counts and measured numbers."""
    block = entry.block
    if entry.fma >= entry.memory:
        reasons = [f"bound by the FMA units ({100 * entry.fma / entry.time:.0f} % of peak)"]
    else:
        reasons = [f"bound by memory ({block.bytes / entry.time / 1e3:.0f} GB/s of its "
                   f"{block.bytes / entry.memory / 1e3:.0f})"]
    if entry.weights > 0.05 * entry.time:
        reasons.append(f"its {4e-6 * block.parameters:.2f} MB of weights were last read one run "
                       f"before and take up to {entry.weights:.0f} us to come")
    depthwise = sum(stage.macs for stage in block.stages if stage.inputs == 1)
    if block.macs and depthwise > 0.15 * block.macs:
        reasons.append(f"{100 * depthwise / block.macs:.0f} % of the MACs are depthwise, with an "
                       "operand to load for every FMA")
    if block.border > 0.2:
        reasons.append(f"border rows and columns: {100 * block.border:.0f} % of the windows reach "
                       "over the edge")
    dense = [stage.inputs * stage.taps for stage in block.stages
             if stage.inputs > 1 and stage.pixels > 1]
    if dense and min(dense) <= 32:
        reasons.append(f"sums of only {min(dense)} products, each stored soon")
    steps = sum(stage.steps * stage.outputs * stage.pixels for stage in block.stages)
    if block.macs and steps > 0.04 * block.macs:
        reasons.append(f"an elementwise step for every {block.macs / steps:.0f} MACs")
    if (padding := _padding(block.stages)) > 0.04:
        reasons.append(f"channels are no multiple of {LANES}: up to {100 * padding:.0f} % of the "
                       "lanes are idle")
    if len(reasons) == 1:
        reasons.append("nothing else in these numbers")
    return "; ".join(reasons)
