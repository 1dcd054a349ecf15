"""MobileNetV2 1.0 at 224.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv 1801.04381. Rows:
table 2. Counts: 300 M in table 4; 3,504,872 parameters of torchvision's mobilenet_v2 (3.4 M in the
table). Padding as in torchvision.
"""

from zoo import Published
from zoo.builder import Network, Tensor

PUBLISHED = Published(macs=300e6, parameters=3_504_872)

STEM = 32
ROWS = [  # Expansion, output channels, repeats, stride of the first.
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]
HEAD = 1280


def bottleneck(net: Network, x: Tensor, expansion: int, channels: int, stride: int) -> Tensor:
    y = x if expansion == 1 else net.pointwise(x, expansion * x.channels, "relu6")
    y = net.depthwise(y, 3, stride, "relu6")
    y = net.pointwise(y, channels)
    return net.add(x, y) if stride == 1 and channels == x.channels else y


def build(net: Network, x: Tensor, classes: int) -> Tensor:
    x = net.conv(x, STEM, 3, 2, "relu6")
    for expansion, channels, repeats, stride in ROWS:
        for i in range(repeats):
            x = bottleneck(net, x, expansion, channels, stride if i == 0 else 1)
    x = net.pointwise(x, HEAD, "relu6")
    return net.linear(net.flatten(net.global_pool(x)), classes)
