"""The separable blocks that bench/gpu.py compares, and what it makes of their samples."""

import csv
import dataclasses
import pathlib
import zlib
from collections.abc import Sequence

import numpy as np

from model_suite import timing


@dataclasses.dataclass(frozen=True)
class GpuBlock:
    """A row of bench/shapes with the operator `separable`; padding half of the kernel, which
    PyTorch's convolutions have without a launch for it."""
    name: str
    height: int
    width: int
    in_channels: int
    out_channels: int
    kernel: int
    stride: int
    depthwise_activation: str
    activation: str

    @property
    def shape(self) -> str:
        return (f"{self.height}x{self.width}x{self.in_channels} > {self.out_channels} "
                f"k{self.kernel} s{self.stride}")

    @property
    def out_height(self) -> int:
        return (self.height - 1) // self.stride + 1

    @property
    def out_width(self) -> int:
        return (self.width - 1) // self.stride + 1

    @property
    def macs(self) -> int:
        return self.out_height * self.out_width * self.in_channels * (
            self.kernel ** 2 + self.out_channels)

    @property
    def least_bytes(self) -> int:
        """Input, weights, biases and output, each once."""
        image = self.height * self.width * self.in_channels
        output = self.out_height * self.out_width * self.out_channels
        weights = self.in_channels * (self.kernel ** 2 + 1) + self.out_channels * (
            self.in_channels + 1)
        return 4 * (image + output + weights)

    def parameters(self) -> dict[str, np.ndarray]:
        """Random, the same every time, in ONNX's shapes; activations stay between 0 and 6."""
        random = np.random.default_rng(zlib.crc32(self.name.encode()))

        def normal(*shape: int) -> np.ndarray:
            products = np.prod(shape[1:])
            return (random.standard_normal(shape) / np.sqrt(products)).astype(np.float32)

        taps = (self.kernel, self.kernel)
        return {"depthwise.weight": normal(self.in_channels, 1, *taps),
                "depthwise.bias": normal(self.in_channels),
                "project.weight": normal(self.out_channels, self.in_channels, 1, 1),
                "project.bias": normal(self.out_channels)}

    def image(self) -> np.ndarray:
        """NCHW, from -2 to 2."""
        random = np.random.default_rng(zlib.crc32(self.shape.encode()))
        shape = (1, self.in_channels, self.height, self.width)
        return random.uniform(-2, 2, shape).astype(np.float32)


def read_blocks(path: pathlib.Path) -> list[GpuBlock]:
    """Those of a table of shapes that are separable; ValueError where there is none."""
    numbers = ("height", "width", "in_channels", "out_channels", "kernel", "stride")
    blocks = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            plain = row.get("squeeze", "0") == "0" and row.get("residual", "0") == "0"
            if row["operator"] != "separable" or not plain:
                continue
            blocks.append(GpuBlock(row["name"], *(int(row[name]) for name in numbers),
                                   row["depthwise_activation"], row["activation"]))
    if not blocks:
        raise ValueError(f"{path.name}: expected rows with the operator 'separable', got none")
    return blocks


@dataclasses.dataclass
class Row:
    """One contender on one block; `note` says why it was not timed."""
    block: str
    shape: str
    contender: str
    median_us: float | None = None
    p10_us: float | None = None
    p90_us: float | None = None
    ratio: float | None = None  # Time / ours, median of the pairs; and its 95 % interval.
    ratio_low: float | None = None
    ratio_high: float | None = None
    gflops: float | None = None
    gigabytes: float | None = None  # A second, of the least that must move.
    max_error: float | None = None
    note: str = ""


def fill(row: Row, block: GpuBlock, samples: Sequence[float],
         ours: Sequence[float] | None) -> None:
    """Statistics of microseconds; `ours`: of the same rounds, None where the row is ours."""
    row.median_us, row.p10_us, row.p90_us = (
        timing.quantile(samples, share) for share in (0.5, 0.1, 0.9))
    row.gflops = 2e-3 * block.macs / row.median_us
    row.gigabytes = 1e-3 * block.least_bytes / row.median_us
    if ours is not None:
        row.ratio, row.ratio_low, row.ratio_high = timing.median_interval(
            [theirs / own for theirs, own in zip(samples, ours, strict=True)])


FORMATS = {"median_us": ".3f", "p10_us": ".3f", "p90_us": ".3f", "ratio": ".4f", "gflops": ".0f",
           "ratio_low": ".4f", "ratio_high": ".4f", "gigabytes": ".0f", "max_error": ".1e"}


def _text(row: Row, name: str) -> str:
    value = getattr(row, name)
    return "" if value is None else format(value, FORMATS.get(name, ""))


def write_csv(path: pathlib.Path, facts: dict[str, str], rows: Sequence[Row]) -> None:
    names = [field.name for field in dataclasses.fields(Row)]
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {name}: {value}\n" for name, value in facts.items())
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_text(row, name) for name in names] for row in rows)


def markdown(facts: dict[str, str], rows: Sequence[Row]) -> str:
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", "| block | engine | us | p10 | p90 | time / ours (95 %) | GFLOP/s | GB/s | error |",
              "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    notes = []
    for row in rows:
        if row.median_us is None:
            notes.append(f"- {row.block}, {row.contender}: not timed: {row.note}")
            continue
        ratio = ("" if row.ratio is None else
                 f"{row.ratio:.3f} ({row.ratio_low:.3f} to {row.ratio_high:.3f})")
        cells = [f"{row.block}: {row.shape}", row.contender,
                 *(_text(row, name) for name in ("median_us", "p10_us", "p90_us")), ratio,
                 *(_text(row, name) for name in ("gflops", "gigabytes", "max_error"))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines + ([""] + notes if notes else [])) + "\n"
