"""Writes a network as ONNX with random weights, in the form of PyTorch's exporter.

Batch normalisation is folded into the convolution in front of it, as that exporter does in
evaluation mode: one Conv with weights gamma * w / deviation and bias beta - gamma * mean /
deviation. Mean and deviation are those of a few random pictures, which go through the network while
it is built: every convolution's output has mean 0 and variance 1 before its activation, so nothing
explodes, vanishes or dies, however deep the network.

The pictures are computed in double precision and the statistics rounded to 16 bits: machines that
add in another order still write the same bytes.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
PICTURES = 2

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
}


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A value of the graph, and what it is for the pictures: [PICTURES][channels]..."""
    name: str
    value: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the batch."""
        return self.value.shape[1:]

    @property
    def channels(self) -> int:
        return self.value.shape[1]


def make_divisible(value: float, divisor: int = 8) -> int:
    """The nearest multiple of `divisor`, but not below 90 % of `value`: the papers' rounding."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def rounded_to_16_bits(value: np.ndarray) -> np.ndarray:
    mantissa, exponent = np.frexp(value)
    return np.ldexp(np.round(np.ldexp(mantissa, 16)), exponent - 16)


def correlate(x: np.ndarray, weights: np.ndarray, stride: int, pads: Sequence[int]) -> np.ndarray:
    """What Conv computes; depthwise where the weights have one input channel of several."""
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    height, width = ((x.shape[2 + i] - weights.shape[2 + i]) // stride + 1 for i in range(2))
    depthwise = weights.shape[1] == 1 and x.shape[1] > 1
    result = np.zeros((x.shape[0], weights.shape[0], height, width))
    for ky, kx in np.ndindex(weights.shape[2:]):
        rows = slice(ky, ky + stride * (height - 1) + 1, stride)
        columns = slice(kx, kx + stride * (width - 1) + 1, stride)
        taps = weights[:, :, ky, kx]
        if depthwise:
            result += taps[:, :, None] * x[:, :, rows, columns]
        else:
            result += np.einsum("oc,nchw->nohw", taps, x[:, :, rows, columns], optimize=True)
    return result


class Network:
    """Collects nodes and weights; counts multiply-accumulates and parameters as papers do.

    Parameters are those that training changes: batch normalisation has two a channel. `same` pads
    like TensorFlow's SAME (with stride 2 one more below and right), else k/2 on every side.
    """

    def __init__(self, seed: int, same: bool = False) -> None:
        self.macs = 0
        self.parameters = 0
        self._same = same
        self._random = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, channels: int, height: int, width: int) -> Tensor:
        shape = (channels, height, width)
        self._inputs.append(helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, *shape]))
        # Squares of 16 pixels and noise: more like a picture than noise alone.
        coarse = (PICTURES, channels, -(-height // 16), -(-width // 16))
        value = np.kron(self._random.standard_normal(coarse), np.ones((16, 16)))
        value = value[:, :, :height, :width] + 0.5 * self._random.standard_normal(
            (PICTURES, *shape))
        return Tensor("input", value)

    def output(self, x: Tensor) -> None:
        """`x`, which the last node made, becomes the output "logits"."""
        self._nodes[-1].output[0] = "logits"
        self._outputs.append(
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, *x.shape]))

    def model(self, name: str) -> onnx.ModelProto:
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)],
                                  ir_version=IR_VERSION, producer_name="sepconv bench/zoo")
        onnx.checker.check_model(model, full_check=True)
        return model

    # Layers.

    def conv(self, x: Tensor, channels: int, kernel: int, stride: int = 1,
             activation: str | None = None, *, depthwise: bool = False, norm: bool = True,
             padded: bool = True) -> Tensor:
        """Convolution, batch normalisation (a bias where not `norm`), activation."""
        group = x.channels if depthwise else 1
        pads = self._pads(x.shape[1:], kernel, stride) if padded else [0, 0, 0, 0]
        weights = self._random_weights(channels, x.channels // group, kernel, kernel)
        value, weights, bias = self._normalised(correlate(x.value, weights, stride, pads), weights,
                                                norm)
        self.macs += weights.size * math.prod(value.shape[2:])
        name = self._node("Conv", x.name, self._constant(weights), self._constant(bias),
                          dilations=[1, 1], group=group, kernel_shape=[kernel, kernel], pads=pads,
                          strides=[stride, stride])
        return self.activation(Tensor(name, value), activation)

    def pointwise(self, x: Tensor, channels: int, activation: str | None = None, *,
                  norm: bool = True) -> Tensor:
        return self.conv(x, channels, 1, 1, activation, norm=norm)

    def depthwise(self, x: Tensor, kernel: int, stride: int = 1, activation: str | None = None, *,
                  norm: bool = True) -> Tensor:
        return self.conv(x, x.channels, kernel, stride, activation, depthwise=True, norm=norm)

    def linear(self, x: Tensor, features: int, activation: str | None = None) -> Tensor:
        """A fully connected layer with bias on a flattened tensor."""
        weights = self._random_weights(features, x.channels)
        value, weights, bias = self._normalised(x.value @ weights.T, weights, norm=False)
        self.macs += weights.size
        name = self._node("Gemm", x.name, self._constant(weights), self._constant(bias), transB=1)
        return self.activation(Tensor(name, value), activation)

    def activation(self, x: Tensor, activation: str | None) -> Tensor:
        if activation is None:
            return x
        return Tensor(self._activation_nodes(x.name, activation),
                      ACTIVATIONS[activation](x.value))

    def squeeze_excite(self, x: Tensor, squeezed: int, *, written_out: bool = False) -> Tensor:
        """x * hard_sigmoid(pointwise(relu(pointwise(pool(x))))).

        `written_out`: the hard sigmoid as relu6(x + 3) / 6, in three nodes.
        """
        gate = self.pointwise(self.global_pool(x), squeezed, "relu", norm=False)
        gate = self.pointwise(gate, x.channels, norm=False)
        if written_out:
            shifted = Tensor(self._node("Add", gate.name, self._constant(3.0)), gate.value + 3)
            clipped = self.activation(shifted, "relu6")
            gate = Tensor(self._node("Div", clipped.name, self._constant(6.0)), clipped.value / 6)
        else:
            gate = self.activation(gate, "hard_sigmoid")
        return Tensor(self._node("Mul", x.name, gate.name), x.value * gate.value)

    def layer_norm(self, x: Tensor, epsilon: float = 1e-6) -> Tensor:
        """Over the channels of each pixel; in elementary nodes, as exported for NCHW tensors."""
        mean = self._node("ReduceMean", x.name, axes=[1], keepdims=1)
        centred = self._node("Sub", x.name, mean)
        square = self._node("Pow", centred, self._constant(2.0))
        variance = self._node("ReduceMean", square, axes=[1], keepdims=1)
        deviation = self._node("Sqrt", self._node("Add", variance, self._constant(epsilon)))
        value = x.value - x.value.mean(axis=1, keepdims=True)
        value = value / np.sqrt((value * value).mean(axis=1, keepdims=True) + epsilon)
        gamma = self._random.uniform(0.75, 1.25, (x.channels, 1, 1))
        beta = 0.25 * self._random.standard_normal((x.channels, 1, 1))
        self.parameters += 2 * x.channels
        name = self._node("Div", centred, deviation)
        name = self._node("Mul", self._constant(gamma), name)
        return Tensor(self._node("Add", name, self._constant(beta)), gamma * value + beta)

    def layer_scale(self, x: Tensor) -> Tensor:
        """x times a factor for each channel, as a trained one may be: 0.1 to 0.5."""
        gamma = self._random.uniform(0.1, 0.5, (1, x.channels, 1, 1))
        self.parameters += x.channels
        return Tensor(self._node("Mul", x.name, self._constant(gamma)), x.value * gamma)

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        return Tensor(self._node("Add", x.name, y.name), x.value + y.value)

    def concat(self, *parts: Tensor) -> Tensor:
        """Along the channels."""
        return Tensor(self._node("Concat", *(part.name for part in parts), axis=1),
                      np.concatenate([part.value for part in parts], axis=1))

    def global_pool(self, x: Tensor) -> Tensor:
        return Tensor(self._node("GlobalAveragePool", x.name),
                      x.value.mean(axis=(2, 3), keepdims=True))

    def flatten(self, x: Tensor) -> Tensor:
        return Tensor(self._node("Flatten", x.name, axis=1), x.value.reshape(PICTURES, -1))

    # Nodes and values.

    def _node(self, operator: str, *inputs: str, **attributes: object) -> str:
        """The name of the node's output, which is also the node's."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def _constant(self, value: np.ndarray | float) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype=np.float32), name))
        return name

    def _activation_nodes(self, x: str, activation: str) -> str:
        if activation == "relu6":
            return self._node("Clip", x, self._constant(0.0), self._constant(6.0))
        if activation == "hard_sigmoid":
            return self._node("HardSigmoid", x, alpha=1 / 6, beta=0.5)
        if activation == "gelu":  # An operator only from operator set 20 on.
            erf = self._node("Erf", self._node("Div", x, self._constant(math.sqrt(2))))
            gate = self._node("Mul", x, self._node("Add", erf, self._constant(1.0)))
            return self._node("Mul", gate, self._constant(0.5))
        return self._node({"relu": "Relu", "hard_swish": "HardSwish"}[activation], x)

    def _random_weights(self, *shape: int) -> np.ndarray:
        """[out][in]...: He's initialisation but for the factor, which `_normalised` finds."""
        return self._random.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))

    def _normalised(self, value: np.ndarray, weights: np.ndarray,
                    norm: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`value`, what `weights` make of the pictures, with mean 0 and variance 1 about; the
        weights and the bias that do so. Of each channel where `norm` and where a map has pixels to
        take statistics of, else of the whole tensor."""
        channels = weights.shape[0]
        across = (-1, *[1] * (value.ndim - 2))
        gamma = self._random.uniform(0.75, 1.25, channels) if norm else 1.0
        beta = 0.25 * self._random.standard_normal(channels)
        each = (0, 2, 3) if norm and math.prod(value.shape[2:]) > 1 else None
        mean = rounded_to_16_bits(value.mean(axis=each))
        deviation = rounded_to_16_bits(value.std(axis=each))
        scale = np.broadcast_to(gamma / deviation, channels)
        bias = beta - scale * mean
        self.parameters += weights.size + channels * (2 if norm else 1)
        return (value * scale.reshape(across) + bias.reshape(across),
                weights * scale.reshape(-1, *[1] * (weights.ndim - 1)), bias)

    def _pads(self, size: Sequence[int], kernel: int, stride: int) -> list[int]:
        """Top, left, bottom, right."""
        if not self._same:
            return [kernel // 2] * 4
        totals = [max(0, (-(-extent // stride) - 1) * stride + kernel - extent) for extent in size]
        return [total // 2 for total in totals] + [total - total // 2 for total in totals]
