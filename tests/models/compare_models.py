#!/usr/bin/env python3
"""Whole models against ONNX Runtime, per ISA: every output within 1e-4 of its largest value.

The declared input size is rewritten for ONNX Runtime; sepconv reads the original file and gets the
size by --input-shape.
"""

import argparse
import csv
import pathlib
import zlib

import numpy as np
import onnx
import onnxruntime
from PIL import Image

import harness


def resized(path, name, shape):
    """The model's bytes with the input's declared size replaced and stale shapes dropped."""
    model = onnx.load(path)
    for value in model.graph.input:
        if value.name == name:
            dims = value.type.tensor_type.shape.dim
            del dims[:]
            for extent in shape:
                dims.add().dim_value = extent
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    return model.SerializeToString()


def smooth_image(shape, low, high, seed):
    """Low frequencies and noise: more like a picture than noise alone."""
    random = np.random.default_rng(seed)
    batch, channels, height, width = shape
    coarse = random.uniform(size=(batch, channels, -(-height // 16), -(-width // 16)))
    image = coarse.repeat(16, axis=2).repeat(16, axis=3)[:, :, :height, :width]
    image = 0.8 * image + 0.2 * random.uniform(size=shape)
    return (low + (high - low) * image).astype(np.float32)


def picture(path, shape, low, high):
    """A photo, resized to NCHW `shape`, 0..255 mapped to low..high."""
    pixels = Image.open(path).convert("RGB").resize((shape[3], shape[2]), Image.BILINEAR)
    values = np.asarray(pixels, dtype=np.float32).transpose(2, 0, 1)[None] / 255
    return np.ascontiguousarray(low + (high - low) * values, dtype=np.float32)


def spectrogram(shape, low, high, seed):
    """Levels of 1 x frames x bands (x 1) like those of speech: harmonics of a voice that rises and
    falls, in syllables with pauses between them, over a floor of noise that is cut off at `low`."""
    random = np.random.default_rng(seed)
    frames, bands = shape[1:3]
    time, band = np.arange(frames)[:, None], np.arange(bands)[None]
    pitch = bands / 14 * (1 + 0.2 * np.sin(time / 23))
    voiced = np.clip(3 * np.sin(time / 9 + np.sin(time / 40)), 0, 1)
    level = voiced * (0.6 + 0.4 * np.cos(2 * np.pi * band / pitch)) * np.exp(-band / (0.6 * bands))
    level = level + 0.12 * random.standard_normal((frames, bands)) - 0.05
    return (low + (high - low) * np.clip(level, 0, 1)).astype(np.float32).reshape(shape)


def input_of(row, folder, shape):
    """What a row of models.csv says of the input; without a kind a smooth image."""
    low, high = float(row["low"]), float(row["high"])
    seed = zlib.crc32(row["name"].encode())
    if row["kind"] == "spectrogram":
        return spectrogram(shape, low, high, seed)
    if row["kind"]:
        return picture(folder / row["kind"], shape, low, high)
    return smooth_image(shape, low, high, seed)


def reference(path, name, shape, image):
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(resized(path, name, shape))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {name: image})))


def compare(row, arguments, rows, failures):
    shape = tuple(int(extent) for extent in row["shape"].split("x"))
    path = arguments.models / row["file"]
    image = input_of(row, arguments.models, shape)
    expected = reference(path, row["input"], shape, image)
    for layout in ("nchw", "nhwc") if row["name"] in arguments.nhwc else ("nchw",):
        change = harness.to_nhwc if layout == "nhwc" else lambda value: value
        folder = arguments.work / row["name"] / layout
        folder.mkdir(parents=True, exist_ok=True)
        try:
            library, seconds = harness.compile_model(
                arguments.tool, path, folder, row["name"], {row["input"]: shape}, layout,
                arguments.device)
        except harness.CompileError as error:
            failures.append(f"{row['name']} {layout}: {error}")
            continue
        for isa in library.isas():
            outputs = library.run({row["input"]: change(image)}, isa)
            for name, value in expected.items():
                error = harness.relative_error(outputs[name], change(value))
                rows.append((row["name"], layout, isa, name, "x".join(map(str, value.shape)),
                             f"{error:.2e}", f"{seconds:.1f}"))
                if not error <= harness.TOLERANCE:
                    failures.append(f"{row['name']} {layout} {isa} output {name}: {error:.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=pathlib.Path, required=True,
                        help="the folder of the models and pictures")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--nhwc", nargs="*", default=["centerface_256"],
                        help="models that are compared in both layouts")
    parser.add_argument("--device", choices=["opencl"], help="instead of the CPU's ISAs")
    parser.add_argument("names", nargs="+", help="rows of models.csv")
    arguments = parser.parse_args()
    if arguments.device:
        harness.enlarge_stacks()
    table = pathlib.Path(__file__).with_name("models.csv")
    with table.open(newline="", encoding="utf-8") as file:
        chosen = [row for row in csv.DictReader(file) if row["name"] in arguments.names]
    rows = [("model", "layout", "isa", "output", "shape", "error", "compile s")]
    failures = [] if chosen else ["no such model"]
    for row in chosen:
        compare(row, arguments, rows, failures)
    harness.report(rows, failures)


if __name__ == "__main__":
    main()
