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
    r"p(?P<top>-?\d+),(?P<left>-?\d+),(?P<bottom>-?\d+),(?P<right>-?\d+) \[(?P<steps>.*?)\]")
AXES = (("h", "top", "bottom"), ("w", "left", "right"))
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
    border: float  # Share of the outputs whose window reaches over the edge.

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

    @property
    def border(self) -> float:
        """Of the stage with the largest window."""
        return max(((stage.taps, stage.border) for stage in self.stages), default=(0, 0.0))[1]


def _axis(found: re.Match[str], axis: tuple[str, str, str], extent: int) -> tuple[int, float]:
    """Outputs along an axis, and the share of them whose window lies within the image."""
    name, before, behind = axis
    stride, pad = int(found[f"stride_{name}"]), int(found[before])
    reach = (int(found[f"kernel_{name}"]) - 1) * int(found[f"dilation_{name}"])
    out = (extent + pad + int(found[behind]) - reach - 1) // stride + 1
    inside = sum(0 <= i * stride - pad < extent - reach for i in range(out))
    return out, inside / out


def _stages(text: str, extents: tuple[int, int]) -> list[Stage]:
    """Of a kernel's description; `extents`: height and width of its input."""
    stages = []
    for found in STAGE.finditer(text):
        inputs, outputs = int(found["inputs"]), int(found["outputs"])
        if found["form"] == "*":  # Channels * multiplier.
            inputs, outputs = 1, inputs * outputs
        pixels, inside = 1, 1.0
        if found["name"] not in ("reduce", "excite"):  # Those have the pooled tensor.
            (height, inside_h), (width, inside_w) = (
                _axis(found, axis, extent) for axis, extent in zip(AXES, extents))
            extents = height, width
            pixels, inside = height * width, inside_h * inside_w
        stages.append(Stage(found["name"], inputs, outputs,
                            int(found["kernel_h"]) * int(found["kernel_w"]), pixels,
                            len(found["steps"].split(", ")) if found["steps"] else 0, 1 - inside))
    return stages


def _shape(text: str, image: tuple[int, ...], out_channels: int) -> str:
    """As "28x28x40 > 120 > 40 k5 s2 se32 +"; a stem's window and that of its depthwise, both."""
    found = list(STAGE.finditer(text))
    windows = [one for one in found if int(one["kernel_h"]) > 1] or found[-1:]
    middle = "".join(f" > {one['outputs']}" for one in found if one["name"] == "expand")
    squeeze = "".join(f" se{one['outputs']}" for one in found if one["name"] == "reduce")
    kernel = " ".join(f"k{one['kernel_h']} s{one['stride_h']}" for one in windows)
    return (f"{'x'.join(map(str, image))}{middle} > {out_channels} {kernel}{squeeze}"
            f"{' +' if ' with ' in text else ''}")


def block_of(row: dict[str, Any]) -> Block:
    """From an element of the report's `blocks`."""
    text = row["kernel_text"]
    images = [tuple(map(int, image)) for image in IMAGE.findall(text)]
    convolution = text.startswith("block ") and len(images) > 1
    shape = _shape(text, images[0], images[1][2]) if convolution else row["shape"]
    stages = _stages(text, images[0][:2]) if convolution else []
    return Block(row["kind"], shape, row["macs"], row["parameters"],
                 row["bytes_read"] + row["bytes_written"], tuple(stages))


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
    macs = sum(stage.macs for stage in block.stages)
    depthwise = sum(stage.macs for stage in block.stages if stage.inputs == 1)
    if depthwise > 0.15 * macs:
        reasons.append(f"{100 * depthwise / macs:.0f} % of the MACs are depthwise, with an "
                       "operand to load for every FMA")
    if block.border > 0.2:
        reasons.append(f"border rows and columns: {100 * block.border:.0f} % of the windows reach "
                       "over the edge")
    dense = [stage.inputs * stage.taps for stage in block.stages
             if stage.inputs > 1 and stage.pixels > 1]
    if dense and min(dense) <= 32:
        reasons.append(f"sums of only {min(dense)} products, each stored soon")
    steps = sum(stage.steps * stage.outputs * stage.pixels for stage in block.stages)
    if steps > 0.04 * macs:
        reasons.append(f"an elementwise step for every {macs / steps:.0f} MACs")
    if (padding := _padding(block.stages)) > 0.04:
        reasons.append(f"channels are no multiple of {LANES}: up to {100 * padding:.0f} % of the "
                       "lanes are idle")
    if len(reasons) == 1:
        reasons.append("nothing else in these numbers")
    return "; ".join(reasons)
