"""GhostNet 1.0 at 224.

Han et al., "GhostNet: More Features from Cheap Operations", arXiv 1911.11907. Rows: table 1, as in
the authors' ghostnet_pytorch. Counts: 141 M and 5.2 M in table 7. As in that code: squeeze-excite
with a quarter of the expanded channels, its hard sigmoid written out; kernels of the shortcuts.
"""

from zoo import Published
from zoo.builder import Network, Tensor, make_divisible

PUBLISHED = Published(macs=141e6, parameters=5.2e6)

STEM = 16
ROWS = [  # Kernel, expanded channels, output channels, squeeze-excite, stride.
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
]
LAST = 960
HEAD = 1280


def ghost_module(net: Network, x: Tensor, channels: int, activation: str | None) -> Tensor:
    primary = net.pointwise(x, channels // 2, activation)
    return net.concat(primary, net.depthwise(primary, 3, 1, activation))


def bottleneck(net: Network, x: Tensor, kernel: int, expanded: int, channels: int, excite: bool,
               stride: int) -> Tensor:
    y = ghost_module(net, x, expanded, "relu")
    if stride > 1:
        y = net.depthwise(y, kernel, stride)
    if excite:
        y = net.squeeze_excite(y, make_divisible(expanded / 4, 4), written_out=True)
    y = ghost_module(net, y, channels, None)
    if stride > 1 or channels != x.channels:
        x = net.pointwise(net.depthwise(x, kernel, stride), channels)
    return net.add(y, x)


def build(net: Network, x: Tensor, classes: int) -> Tensor:
    x = net.conv(x, STEM, 3, 2, "relu")
    for row in ROWS:
        x = bottleneck(net, x, *row)
    x = net.global_pool(net.pointwise(x, LAST, "relu"))
    x = net.pointwise(x, HEAD, "relu", norm=False)
    return net.linear(net.flatten(x), classes)
