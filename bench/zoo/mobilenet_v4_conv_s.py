"""MobileNetV4-Conv-Small at 224.

Qin et al., "MobileNetV4: Universal Models for the Mobile Ecosystem", arXiv 2404.10518. Rows: the
appendix' table of MNv4-Conv-S, as timm's mobilenetv4_conv_small reads it. Counts: 0.2 G and 3.8 M
in the paper's table of results. Padding as in timm.
"""

from zoo import Published
from zoo.builder import Network, Tensor, make_divisible

# The published 0.2 G has one digit.
PUBLISHED = Published(macs=0.2e9, parameters=3.8e6, macs_tolerance=0.1)

CONVOLUTIONS = [  # Kernel, output channels, stride: stem and two fused inverted bottlenecks.
    (3, 32, 2),
    (3, 32, 2),
    (1, 32, 1),
    (3, 96, 2),
    (1, 64, 1),
]
ROWS = [  # Kernels of the depthwise in front and in the middle (or 0), expansion, output, stride.
    (5, 5, 3, 96, 2),  # Extra depthwise.
    (0, 3, 2, 96, 1),  # Inverted bottlenecks.
    (0, 3, 2, 96, 1),
    (0, 3, 2, 96, 1),
    (0, 3, 2, 96, 1),
    (3, 0, 4, 96, 1),  # ConvNeXt-like.
    (3, 3, 6, 128, 2),  # Extra depthwise.
    (5, 5, 4, 128, 1),
    (0, 5, 4, 128, 1),  # Inverted bottlenecks.
    (0, 5, 3, 128, 1),
    (0, 3, 4, 128, 1),
    (0, 3, 4, 128, 1),
]
LAST = 960
HEAD = 1280


def universal_bottleneck(net: Network, x: Tensor, front: int, middle: int, expansion: int,
                         channels: int, stride: int) -> Tensor:
    y = net.depthwise(x, front, 1 if middle else stride) if front else x
    y = net.pointwise(y, make_divisible(expansion * x.channels), "relu")
    if middle:
        y = net.depthwise(y, middle, stride, "relu")
    y = net.pointwise(y, channels)
    return net.add(y, x) if stride == 1 and channels == x.channels else y


def build(net: Network, x: Tensor, classes: int) -> Tensor:
    for kernel, channels, stride in CONVOLUTIONS:
        x = net.conv(x, channels, kernel, stride, "relu")
    for row in ROWS:
        x = universal_bottleneck(net, x, *row)
    x = net.global_pool(net.pointwise(x, LAST, "relu"))
    return net.linear(net.flatten(net.pointwise(x, HEAD, "relu")), classes)
