"""MobileNetV3-Large 1.0 at 224.

Howard et al., "Searching for MobileNetV3", arXiv 1905.02244. Rows: table 1. Counts: 219 M in table
3; 5,483,032 parameters of torchvision's mobilenet_v3_large (5.4 M in the table). As in torchvision:
padding, squeeze-excite behind the activation with a quarter of the channels, a bias in the head.
"""

from zoo import Published
from zoo.builder import Network, Tensor, make_divisible

PUBLISHED = Published(macs=219e6, parameters=5_483_032)

STEM = 16
ROWS = [  # Kernel, expanded channels, output channels, squeeze-excite, activation, stride.
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hard_swish", 2),
    (3, 200, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 480, 112, True, "hard_swish", 1),
    (3, 672, 112, True, "hard_swish", 1),
    (5, 672, 160, True, "hard_swish", 2),
    (5, 960, 160, True, "hard_swish", 1),
    (5, 960, 160, True, "hard_swish", 1),
]
LAST = 960
HEAD = 1280


def bottleneck(net: Network, x: Tensor, kernel: int, expanded: int, channels: int, excite: bool,
               activation: str, stride: int) -> Tensor:
    y = x if expanded == x.channels else net.pointwise(x, expanded, activation)
    y = net.depthwise(y, kernel, stride, activation)
    if excite:
        y = net.squeeze_excite(y, make_divisible(expanded / 4))
    y = net.pointwise(y, channels)
    return net.add(x, y) if stride == 1 and channels == x.channels else y


def build(net: Network, x: Tensor, classes: int) -> Tensor:
    x = net.conv(x, STEM, 3, 2, "hard_swish")
    for row in ROWS:
        x = bottleneck(net, x, *row)
    x = net.pointwise(x, LAST, "hard_swish")
    x = net.linear(net.flatten(net.global_pool(x)), HEAD, "hard_swish")
    return net.linear(x, classes)
