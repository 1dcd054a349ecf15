"""MobileNetV1 1.0 at 224.

Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
arXiv 1704.04861. Rows: table 1. Counts: 569 M in table 8; 4,231,976 trainable parameters of Keras'
MobileNet (4.2 M in the table). TensorFlow's padding, ReLU6: TensorFlow's mobilenet_v1.py.
"""

from zoo import Published
from zoo.builder import Network, Tensor

PUBLISHED = Published(macs=569e6, parameters=4_231_976)
SAME = True

STEM = 32
ROWS = [  # Of a depthwise 3x3 and a pointwise convolution: output channels, stride.
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
]


def build(net: Network, x: Tensor, classes: int) -> Tensor:
    x = net.conv(x, STEM, 3, 2, "relu6")
    for channels, stride in ROWS:
        x = net.depthwise(x, 3, stride, "relu6")
        x = net.pointwise(x, channels, "relu6")
    return net.linear(net.flatten(net.global_pool(x)), classes)
