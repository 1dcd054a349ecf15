"""Real architectures as ONNX files with random weights: see README.md."""

import dataclasses
import importlib
import pathlib
import types
import zlib

import onnx

from zoo.builder import Network

# Each is a module of this package with
#   PUBLISHED  the published counts
#   SAME       optional; padding like TensorFlow's SAME
#   build      appends the network to a Network: from the input 3x224x224 to the logits
NAMES = ("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "ghostnet", "efficientnet_lite0",
         "mobilenet_v4_conv_s", "convnext_atto")
RESOLUTION = 224
CLASSES = 1000


@dataclasses.dataclass(frozen=True)
class Published:
    """Counts of a paper or of its reference code, and by how much ours may differ from them."""
    macs: float
    parameters: float
    macs_tolerance: float = 0.02
    parameters_tolerance: float = 0.02


def check(name: str, network: Network, published: Published) -> None:
    """Raises ValueError where a count is not the published one."""
    for what, ours, theirs, tolerance in (
            ("multiply-accumulates", network.macs, published.macs, published.macs_tolerance),
            ("parameters", network.parameters, published.parameters,
             published.parameters_tolerance)):
        if abs(ours - theirs) > tolerance * theirs:
            raise ValueError(f"{name}: {ours} {what}, published {theirs:.0f} "
                             f"(tolerance {100 * tolerance:g} %)")


def build(name: str) -> tuple[onnx.ModelProto, Network]:
    """The model, the same bytes every time, and its counts, which are checked."""
    module: types.ModuleType = importlib.import_module(f"zoo.{name}")
    network = Network(seed=zlib.crc32(name.encode()), same=getattr(module, "SAME", False))
    network.output(module.build(network, network.input(3, RESOLUTION, RESOLUTION), CLASSES))
    check(name, network, module.PUBLISHED)
    return network.model(name), network


def write(name: str, folder: pathlib.Path) -> Network:
    """Writes FOLDER/NAME.onnx."""
    model, network = build(name)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    partial = path.with_suffix(".part")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    partial.replace(path)
    return network
