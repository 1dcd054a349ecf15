"""EfficientNet-Lite0 at 224.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", arXiv
1905.11946. Rows: table 1 without squeeze-excite, with ReLU6, by TensorFlow's
models/official/efficientnet/lite; TensorFlow's padding. Counts: 407 M and 4.7 M in the README
there; its 407 M holds more than the convolutions, hence the tolerance (they are 385 M).
"""

from zoo import Published
from zoo.builder import Network, Tensor

PUBLISHED = Published(macs=407e6, parameters=4.7e6, macs_tolerance=0.06)
SAME = True

STEM = 32
ROWS = [  # Kernel, expansion, output channels, repeats, stride of the first.
    (3, 1, 16, 1, 1),
    (3, 6, 24, 2, 2),
    (5, 6, 40, 2, 2),
    (3, 6, 80, 3, 2),
    (5, 6, 112, 3, 1),
    (5, 6, 192, 4, 2),
    (3, 6, 320, 1, 1),
]
HEAD = 1280


def bottleneck(net: Network, x: Tensor, kernel: int, expansion: int, channels: int,
               stride: int) -> Tensor:
    y = x if expansion == 1 else net.pointwise(x, expansion * x.channels, "relu6")
    y = net.depthwise(y, kernel, stride, "relu6")
    y = net.pointwise(y, channels)
    return net.add(y, x) if stride == 1 and channels == x.channels else y


def build(net: Network, x: Tensor, classes: int) -> Tensor:
    x = net.conv(x, STEM, 3, 2, "relu6")
    for kernel, expansion, channels, repeats, stride in ROWS:
        for i in range(repeats):
            x = bottleneck(net, x, kernel, expansion, channels, stride if i == 0 else 1)
    x = net.pointwise(x, HEAD, "relu6")
    return net.linear(net.flatten(net.global_pool(x)), classes)
