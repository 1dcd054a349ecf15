"""ConvNeXt-Atto at 224.

Liu et al., "A ConvNet for the 2020s", arXiv 2201.03545, figure 4 and its "channels_first" code.
Rows and counts: timm's convnext_atto (0.55 GMACs, 3.70 M parameters in its table of results).
"""

from zoo import Published
from zoo.builder import Network, Tensor

PUBLISHED = Published(macs=0.55e9, parameters=3.70e6)

PATCH = 4
ROWS = [  # Channels, blocks.
    (40, 2),
    (80, 2),
    (160, 6),
    (320, 2),
]
EXPANSION = 4


def block(net: Network, x: Tensor) -> Tensor:
    y = net.layer_norm(net.depthwise(x, 7, norm=False))
    y = net.pointwise(y, EXPANSION * x.channels, "gelu", norm=False)
    y = net.layer_scale(net.pointwise(y, x.channels, norm=False))
    return net.add(y, x)


def build(net: Network, x: Tensor, classes: int) -> Tensor:
    for stage, (channels, blocks) in enumerate(ROWS):
        if stage == 0:
            x = net.conv(x, channels, PATCH, PATCH, norm=False, padded=False)
            x = net.layer_norm(x)
        else:
            x = net.conv(net.layer_norm(x), channels, 2, 2, norm=False, padded=False)
        for _ in range(blocks):
            x = block(net, x)
    return net.linear(net.flatten(net.layer_norm(net.global_pool(x))), classes)
