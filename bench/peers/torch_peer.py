"""PyTorch, whose convolutions are cuDNN's: https://docs.pytorch.org/docs/stable/notes/cuda.html"""

import numpy as np
import torch
from torch import nn

from model_suite.gpu_blocks import GpuBlock

PRECISIONS = {"cudnn fp32": "ieee", "cudnn tf32": "tf32"}
SETTINGS = ("eval, inference_mode, channels_last, cudnn.benchmark, bias in the convolution, ReLU6 in "
            "place")
ACTIVATIONS = {"none": nn.Identity, "relu": lambda: nn.ReLU(inplace=True),
               "relu6": lambda: nn.ReLU6(inplace=True),
               "hard_swish": lambda: nn.Hardswish(inplace=True)}


def module(block: GpuBlock, parameters: dict[str, np.ndarray]) -> nn.Module:
    """On the CPU, in fp32."""
    depthwise = nn.Conv2d(block.in_channels, block.in_channels, block.kernel, block.stride,
                          padding=(block.kernel - block.stride + 1) // 2,
                          groups=block.in_channels)
    project = nn.Conv2d(block.in_channels, block.out_channels, 1)
    for layer, name in ((depthwise, "depthwise"), (project, "project")):
        layer.weight.data = torch.from_numpy(parameters[f"{name}.weight"]).clone()
        layer.bias.data = torch.from_numpy(parameters[f"{name}.bias"]).clone()
    return nn.Sequential(depthwise, ACTIVATIONS[block.depthwise_activation](),
                         project, ACTIVATIONS[block.activation]()).eval()


def reference(block: GpuBlock, parameters: dict[str, np.ndarray], image: np.ndarray) -> np.ndarray:
    """In double precision on the CPU, which neither contender is."""
    with torch.inference_mode():
        wide = module(block, parameters).double()
        return wide(torch.from_numpy(image).double()).float().numpy()


def set_precision(contender: str) -> None:
    """Of convolutions that are planned from now on."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.conv.fp32_precision = PRECISIONS[contender]
    torch.backends.cuda.matmul.fp32_precision = PRECISIONS[contender]


class Peer:
    """A block on the device, in CUDA's current stream."""

    def __init__(self, contender: str, block: GpuBlock, parameters: dict[str, np.ndarray],
                 image: torch.Tensor) -> None:
        self._contender = contender
        self._module = module(block, parameters).cuda().to(memory_format=torch.channels_last)
        self._image = image
        self.output = image

    def call(self) -> None:
        set_precision(self._contender)
        with torch.inference_mode():
            self.output = self._module(self._image)

    def close(self) -> None:
        del self._module
