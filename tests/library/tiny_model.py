"""A small ONNX model without the onnx package: depthwise, Relu, pointwise."""

import struct


def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def _field(number, value):
    """A number, or a message, a text or bytes by their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _weights(name, shape):
    count = 1
    for extent in shape:
        count *= extent
    values = struct.pack(f"<{count}f", *(0.125 * ((7 * i) % 11 - 5) for i in range(count)))
    return b"".join(_field(1, extent) for extent in shape) + _field(2, 1) + _field(8, name) + \
        _field(9, values)


def _integers(name, values):
    return _field(1, name) + b"".join(_field(8, value) for value in values) + _field(20, 7)


def _node(kind, inputs, output, *attributes):
    return b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(3, output) + \
        _field(4, kind) + b"".join(_field(5, attribute) for attribute in attributes)


def _tensor(name, shape):
    extents = b"".join(_field(1, _field(1, extent)) for extent in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, extents)))


def model_bytes(channels=8, out_channels=16, height=12, width=10):
    group = _field(1, "group") + _field(3, channels) + _field(20, 2)
    nodes = [_node("Conv", ["x", "w1"], "a", group, _integers("pads", [1, 1, 1, 1])),
             _node("Relu", ["a"], "b"),
             _node("Conv", ["b", "w2"], "y")]
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "tiny")
    graph += _field(5, _weights("w1", [channels, 1, 3, 3]))
    graph += _field(5, _weights("w2", [out_channels, channels, 1, 1]))
    graph += _field(11, _tensor("x", [1, channels, height, width]))
    graph += _field(12, _tensor("y", [1, out_channels, height, width]))
    return _field(1, 8) + _field(8, _field(1, "") + _field(2, 13)) + _field(7, graph)
