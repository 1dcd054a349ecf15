"""What fusion makes one kernel of, and what looks like that and is not: the group `fused`."""

from case_builder import X, Case


def pointwise(b, x, out_channels, in_channels, activation="", **attributes):
    y = b.conv(x, out_channels, in_channels, kernel=(1, 1), scale=in_channels ** -0.5, **attributes)
    return b.node(activation, y) if activation else y


def depthwise(b, x, channels, activation="", *, kernel=3, stride=1, dilation=1, multiplier=1,
              pads=None):
    pad = (kernel - 1) * dilation // 2
    y = b.conv(x, channels * multiplier, channels, kernel=(kernel, kernel), group=channels,
               scale=1 / kernel, strides=[stride] * 2, dilations=[dilation] * 2,
               pads=pads or [pad] * 4)
    return b.node(activation, y) if activation else y


def clipped(b, x):
    """Clip(x + 3, 0, 6) / 6, the gate of MobileNetV3 as exporters write it out."""
    y = b.node("Clip", b.node("Add", x, b.constant(3.0)), b.constant(0.0), b.constant(6.0))
    return b.node("Div", y, b.constant(6.0))


def pooled(b, x):
    return b.node("GlobalAveragePool", x)


def averaged(b, x):
    return b.node("ReduceMean", x, axes=[2, 3])


def gate_of(b, x, channels, activation="HardSigmoid", *, pool=pooled, gates=None):
    """The excitation of x; `activation` is an operator or a function like clipped()."""
    reduced = pointwise(b, pool(b, x), max(2, channels // 4), channels, "Relu")
    excited = pointwise(b, reduced, gates or channels, max(2, channels // 4))
    return activation(b, excited) if callable(activation) else b.node(activation, excited)


def squeezed(b, x, channels, activation="HardSigmoid", **keywords):
    return b.node("Mul", x, gate_of(b, x, channels, activation, **keywords))


def halves(b, x, channels, in_channels, activation="Relu", **keywords):
    """A Ghost module's primary and cheap."""
    primary = pointwise(b, x, channels, in_channels, activation)
    return primary, depthwise(b, primary, channels, activation, **keywords)


def ghost(b, x, channels, in_channels, activation="Relu", **keywords):
    return b.node("Concat", *halves(b, x, channels, in_channels, activation, **keywords), axis=1)


def convolutions():
    """A convolution and what follows it."""
    def norm(b, x, channels):
        return b.node("BatchNormalization", x, b.positive(channels), b.weights(channels),
                      b.weights(channels), b.positive(channels), epsilon=1e-3)

    def separable(b, x, between):
        x = b.conv(x, 13, 13, group=13, pads=[1, 1, 1, 1])
        return b.conv(between(b, x), 21, 13, kernel=(1, 1))

    def affine_before_padding(b, x):
        x = b.node("Add", b.node("Mul", x, b.weights(1, 13, 1, 1)), b.weights(1, 13, 1, 1))
        return b.conv(x, 13, 13, group=13, pads=[1, 1, 1, 1])

    def written_out_hard_swish(b, x):
        x = b.conv(x, 9, 13, kernel=(1, 1))
        y = b.node("Clip", b.node("Add", x, b.constant(3.0)), b.constant(0.0), b.constant(6.0))
        return b.node("Div", b.node("Mul", x, y), b.constant(6.0))

    def two_readers(b, x):
        x = b.conv(x, 8, 13, pads=[1, 1, 1, 1])
        return [b.node("Relu", x), b.node("Sigmoid", x)]

    def output_between(b, x):
        x = b.node("Relu", b.conv(x, 8, 13, kernel=(1, 1)))
        return [x, b.conv(x, 5, 8, kernel=(1, 1))]

    return [
        Case("conv_norm_relu", [X], lambda b, x: b.node(
            "Relu", norm(b, b.conv(x, 17, 13, bias=False, pads=[1, 1, 1, 1]), 17))),
        Case("separable", [X], lambda b, x: separable(b, x, lambda b, x: x)),
        Case("separable_relu", [X], lambda b, x: separable(b, x, lambda b, x: b.node("Relu", x))),
        Case("separable_norm_relu", [X], lambda b, x: separable(
            b, x, lambda b, x: b.node("Relu", norm(b, x, 13)))),
        Case("separable_affine_hard_swish", [X], lambda b, x: separable(
            b, x, lambda b, x: b.node("HardSwish", b.node("Mul", x, b.weights(1, 13, 1, 1))))),
        Case("separable_multiplier_2", [X], lambda b, x: pointwise(
            b, depthwise(b, x, 13, "Relu", multiplier=2), 21, 26)),
        Case("affine_before_padding", [X], affine_before_padding),
        Case("written_out_hard_swish", [X], written_out_hard_swish),
        Case("conv_bias_as_add", [X], lambda b, x: b.node(
            "Add", b.conv(x, 9, 13, bias=False), b.weights(1, 9, 1, 1))),
        Case("conv_silu", [X], lambda b, x: (lambda y: b.node("Mul", y, b.node("Sigmoid", y)))(
            b.conv(x, 9, 13, kernel=(1, 1)))),
        Case("two_readers", [X], two_readers),
        Case("output_between", [X], output_between),
        Case("conv_add_of_input", [X, (1, 8, 9, 11)], lambda b, x, y: b.node(
            "Add", b.conv(x, 8, 13, kernel=(1, 1)), y)),
    ]


def growths():
    """Images of one row or column: taps share loads, which must stay within the caller's buffer."""
    def grown(name, shape, pads, between=True):
        """A depthwise that computes more pixels than the caller's image has."""
        def make(b, x):
            y = depthwise(b, x, shape[1], "Relu", pads=pads)
            return pointwise(b, y, 8, shape[1]) if between else y
        return Case(f"grown_{name}", [shape], make)

    return [
        grown("pixel", (1, 4, 1, 1), [1, 1, 2, 2]),
        grown("pixel_batch", (2, 5, 1, 1), [2, 2, 1, 1]),
        grown("pixel_12_channels", (1, 12, 1, 1), [1, 2, 2, 1]),
        grown("pixel_alone", (1, 4, 1, 1), [1, 1, 2, 2], between=False),
        grown("row", (1, 4, 1, 3), [2, 1, 2, 1]),
        grown("row_alone", (1, 4, 1, 3), [2, 1, 2, 1], between=False),
        grown("column", (1, 4, 3, 1), [1, 2, 1, 2]),
        grown("column_alone", (1, 12, 3, 1), [1, 2, 1, 2], between=False),
    ]


def stems():
    """A convolution on a picture in front of the first separable block."""
    def stem(b, x, hidden, out_channels, channels=3, **attributes):
        y = b.node("Relu", b.conv(x, hidden, channels, scale=0.2, strides=[2, 2], **attributes))
        return pointwise(b, depthwise(b, y, hidden, "Relu"), out_channels, hidden)

    return [
        Case("stem_separable", [(1, 3, 32, 40)], lambda b, x: stem(b, x, 16, 8, pads=[0, 0, 1, 1])),
        Case("stem_separable_odd", [(2, 3, 21, 27)],
             lambda b, x: stem(b, x, 13, 24, pads=[1, 1, 1, 1])),
        Case("stem_without_padding", [(1, 1, 23, 19)], lambda b, x: stem(b, x, 20, 5, channels=1)),
    ]


def inverted_residuals():
    def wide(b, x, channels, expanded, activation="Relu", **keywords):
        y = pointwise(b, x, expanded, channels, activation)
        return depthwise(b, y, expanded, activation, **keywords)

    def inverted(name, shape, expanded, out_channels=None, **keywords):
        return Case("inverted_" + name, [shape], lambda b, x: pointwise(
            b, wide(b, x, shape[1], expanded, **keywords), out_channels or shape[1],
            expanded * keywords.get("multiplier", 1)))

    def residual(b, x):
        y = b.conv(x, 39, 13, kernel=(1, 1))
        y = b.node("Clip", y, b.constant(0.0), b.constant(6.0))
        y = b.node("Relu", b.conv(y, 39, 39, group=39, pads=[1, 1, 1, 1]))
        return b.node("Add", b.conv(y, 13, 39, kernel=(1, 1)), x)

    def sum_and_relu(b, x):
        return b.node("Relu", b.node("Add", x, pointwise(b, wide(b, x, 33, 65), 33, 65)))

    def gated_by(b, x, gate, at):
        """The gate as an epilogue behind stage `at`."""
        y = pointwise(b, x, 13, 13)
        y = b.node("Mul", gate, y) if at == "expand" else y
        y = depthwise(b, b.node("Relu", y), 13)
        y = b.node("Mul", y, gate) if at == "depthwise" else y
        y = pointwise(b, y, 13, 13)
        return b.node("Add", b.node("Mul", y, gate), x) if at == "project" else y

    def expand_read_twice(b, x):
        y = pointwise(b, x, 13, 13, "Relu")
        return b.node("Add", pointwise(b, depthwise(b, y, 13), 13, 13), y)

    def sum_between(b, x):
        """depthwise > pointwise > Add > depthwise > pointwise"""
        y = b.node("Add", pointwise(b, depthwise(b, x, 13), 13, 13), x)
        return pointwise(b, depthwise(b, y, 13), 5, 13)

    cases = [
        Case("inverted_residual", [X], residual),
        inverted("5_channels", (1, 5, 7, 7), 33),
        inverted("13_channels_batch", (2, 13, 7, 7), 29),
        inverted("33_channels", (1, 33, 7, 7), 65, 40),
        inverted("many_channels", (1, 24, 14, 14), 144),
        inverted("narrowing", X, 5, 13),
        inverted("dilated", X, 29, dilation=2),
        inverted("dilated_5x5", (1, 5, 14, 14), 33, kernel=5, dilation=3),
        inverted("stride_2", X, 29, stride=2, activation="HardSwish"),
        inverted("stride_3", (1, 5, 13, 14), 33, stride=3, kernel=5),
        inverted("7x7", (2, 5, 7, 7), 33, kernel=7),
        inverted("multiplier_2", X, 17, multiplier=2),
        inverted("uneven_padding", X, 29, pads=[0, 2, 1, 3]),
        inverted("wide_padding", (1, 5, 7, 7), 33, pads=[3, 4, 4, 3]),
        inverted("no_padding", X, 29, pads=[0, 0, 0, 0]),
        inverted("one_pixel", (1, 13, 1, 1), 29),
        inverted("one_row", (1, 13, 1, 17), 29),
        Case("inverted_sum_relu", [(2, 33, 7, 7)], sum_and_relu),
        Case("inverted_sum_of_another", [X, X], lambda b, x, y: b.node(
            "Add", y, pointwise(b, wide(b, x, 13, 29), 13, 29))),
        Case("expand_read_twice", [X], expand_read_twice),
        Case("two_separables", [X], lambda b, x: pointwise(b, depthwise(b, pointwise(
            b, depthwise(b, x, 13, "Relu"), 33, 13, "Relu"), 33, "Relu"), 5, 33)),
        Case("two_separables_sum_between", [X], sum_between),
    ]
    for at in ("expand", "depthwise", "project"):
        cases.append(Case(f"gate_behind_{at}", [(2, 13, 7, 7), (2, 13, 1, 1)],
                          lambda b, x, gate, at=at: gated_by(b, x, gate, at)))
    cases.append(Case("gate_of_whole_batch", [(2, 13, 7, 7), (1, 13, 1, 1)],
                      lambda b, x, gate: gated_by(b, x, gate, "depthwise")))
    return cases


def squeezes():
    def squeeze_excite(b, x):
        y = b.node("Relu", b.conv(x, 13, 13, group=13, pads=[1, 1, 1, 1]))
        gate = b.node("Relu", b.conv(b.node("GlobalAveragePool", y), 4, 13, kernel=(1, 1)))
        gate = b.node("HardSigmoid", b.conv(gate, 13, 4, kernel=(1, 1)), alpha=1 / 6, beta=0.5)
        return b.conv(b.node("Mul", y, gate), 8, 13, kernel=(1, 1))

    def whole(b, x, channels, expanded, out_channels, activation="HardSigmoid", pool=pooled,
              **keywords):
        y = pointwise(b, x, expanded, channels, "Relu") if expanded else x
        y = depthwise(b, y, expanded or channels, "Relu", **keywords)
        y = squeezed(b, y, expanded or channels, activation, pool=pool)
        return pointwise(b, y, out_channels, expanded or channels)

    def squeeze(name, shape, expanded, out_channels, **keywords):
        return Case("squeeze_" + name, [shape], lambda b, x: whole(
            b, x, shape[1], expanded, out_channels, **keywords))

    def alone(name, front, shape=X, channels=13):
        """A squeeze-excite on what `front` makes, and a project."""
        return Case("squeeze_behind_" + name, [shape], lambda b, x: pointwise(
            b, squeezed(b, front(b, x), channels, "Sigmoid"), 17, channels))

    def gate_first(b, x):
        y = depthwise(b, x, 13)
        return pointwise(b, b.node("Mul", gate_of(b, y, 13), y), 5, 13)

    def of_another(b, x):
        return pointwise(b, b.node("Mul", depthwise(b, x, 13), gate_of(b, x, 13)), 5, 13)

    def third_reader(b, x):
        y = depthwise(b, x, 13)
        return b.node("Add", pointwise(b, squeezed(b, y, 13), 13, 13), y)

    def with_output(b, x, which):
        y = depthwise(b, x, 13)
        gate = gate_of(b, y, 13)
        return [pointwise(b, b.node("Mul", y, gate), 5, 13), y if which == "input" else gate]

    def scaled_gate(b, x, factor):
        y = depthwise(b, x, 13)
        gate = b.node("Mul", gate_of(b, y, 13), factor)
        return pointwise(b, b.node("Mul", y, gate), 5, 13)

    def one_gate(b, x):
        y = depthwise(b, x, 13)
        return pointwise(b, b.node("Mul", y, gate_of(b, y, 13, gates=1)), 5, 13)

    def relu_between(b, x):
        y = b.node("Relu", squeezed(b, depthwise(b, x, 13), 13))
        return pointwise(b, y, 5, 13)

    def residual(b, x):
        return b.node("Relu", b.node("Add", whole(b, x, 13, 33, 13, "Sigmoid"), x))

    return [
        Case("squeeze_excite", [X], squeeze_excite),
        squeeze("5_channels", (1, 5, 7, 7), 33, 13),
        squeeze("13_channels_batch", (2, 13, 7, 7), 0, 5, activation=clipped),
        squeeze("33_channels", (1, 33, 7, 7), 65, 33, pool=averaged, activation="Sigmoid"),
        squeeze("more_outputs_than_pixels", (2, 13, 4, 3), 33, 40, activation="Sigmoid"),
        squeeze("stride_2", X, 29, 13, stride=2, kernel=5),
        squeeze("dilated", X, 0, 13, dilation=2, pool=averaged),
        squeeze("no_padding", X, 0, 13, pads=[0, 0, 0, 0]),
        squeeze("one_pixel", (1, 13, 1, 1), 29, 5, activation="Sigmoid"),
        Case("squeeze_mean_opset_18", [X], lambda b, x: whole(
            b, x, 13, 0, 5, pool=lambda b, y: b.node("ReduceMean", y, b.constant([2, 3], "int64"))),
            opset=18),
        Case("squeeze_residual", [(2, 13, 7, 7)], residual),
        Case("squeeze_gate_first", [X], gate_first),
        alone("nothing", lambda b, x: x),
        alone("pool", lambda b, x: b.node("MaxPool", x, kernel_shape=[3, 3])),
        alone("batch", lambda b, x: b.conv(x, 33, 5), (2, 5, 9, 7), 33),
        alone("multiplier_2", lambda b, x: depthwise(b, x, 13, "Relu", multiplier=2), X, 26),
        Case("squeeze_of_another", [X], of_another),
        Case("squeeze_third_reader", [X], third_reader),
        Case("squeeze_input_is_output", [X], lambda b, x: with_output(b, x, "input")),
        Case("squeeze_gate_is_output", [X], lambda b, x: with_output(b, x, "gate")),
        Case("squeeze_scaled_gate", [(2, 13, 7, 7), (2, 13, 1, 1)], scaled_gate),
        Case("squeeze_one_gate", [X], one_gate),
        Case("squeeze_relu_between", [X], relu_between),
        Case("squeeze_nothing_projects", [X], lambda b, x: squeezed(b, depthwise(b, x, 13), 13)),
    ]


def ghosts():
    def module(name, shape, channels, **keywords):
        return Case("ghost_" + name, [shape], lambda b, x: ghost(
            b, x, channels, shape[1], **keywords))

    def joined(name, join, **keywords):
        """The halves of a Ghost module of 2 x 11 channels in another way; its outputs."""
        return Case("ghost_" + name, [X], lambda b, x: join(
            b, x, *halves(b, x, 11, 13, **keywords)))

    def plain(b, x):
        primary = b.node("Relu", b.conv(x, 11, 13, kernel=(1, 1)))
        cheap = b.node("Relu", b.conv(primary, 11, 11, group=11, pads=[1, 1, 1, 1]))
        return b.node("Concat", primary, cheap, axis=1)

    def pooled_halves(b, x, primary, _):
        cheap = depthwise(b, primary, 11, stride=2)
        return b.node("Concat", b.node("MaxPool", primary, kernel_shape=[1, 1], strides=[2, 2]),
                      cheap, axis=1)

    def bottleneck(b, x, channels, inner, kernel=3, stride=2):
        y = ghost(b, x, inner, channels)
        y = depthwise(b, y, 2 * inner, kernel=kernel, stride=stride)
        return ghost(b, squeezed(b, y, 2 * inner), 7, 2 * inner, "")

    return [
        Case("ghost", [X], plain),
        module("5_channels", (1, 5, 7, 7), 5),
        module("33_channels_batch", (2, 13, 7, 7), 33),
        module("5x5", (1, 33, 9, 7), 13, kernel=5, activation="HardSwish"),
        module("dilated", X, 16, dilation=2),
        module("one_pixel", (1, 13, 1, 1), 8),
        Case("ghost_sum", [(2, 10, 7, 7)], lambda b, x: b.node("Add", ghost(b, x, 5, 10, ""), x)),
        Case("ghost_sum_relu", [(1, 26, 7, 7), (1, 26, 7, 7)], lambda b, x, y: b.node(
            "Relu", b.node("Add", y, ghost(b, x, 13, 26)))),
        Case("ghost_gated", [(2, 13, 7, 7), (2, 10, 1, 1)], lambda b, x, gate: b.node(
            "Mul", ghost(b, x, 5, 13), gate)),
        Case("ghost_bottleneck", [X], lambda b, x: b.node(
            "Add", bottleneck(b, x, 13, 17), pointwise(
                b, depthwise(b, x, 13, stride=2), 14, 13))),
        Case("ghost_bottleneck_batch", [(2, 5, 14, 14)], lambda b, x: bottleneck(
            b, x, 5, 16, kernel=5)),
        Case("ghost_bottleneck_7x7", [(1, 14, 7, 7)], lambda b, x: b.node(
            "Add", bottleneck(b, x, 14, 33, stride=1), x)),
        Case("ghosts_joined", [X], lambda b, x: b.node(
            "Concat", ghost(b, x, 5, 13), x, ghost(b, x, 7, 13), axis=1)),
        Case("ghost_behind_depthwise", [X], lambda b, x: ghost(b, depthwise(b, x, 13), 5, 13)),
        joined("cheap_first", lambda b, x, *both: b.node("Concat", *both[::-1], axis=1)),
        joined("three_inputs", lambda b, x, *both: b.node("Concat", *both, x, axis=1)),
        joined("rows", lambda b, x, *both: b.node("Concat", *both, axis=2)),
        joined("multiplier_2", lambda b, x, *both: b.node("Concat", *both, axis=1), multiplier=2),
        joined("no_padding", lambda b, x, *both: b.node(
            "Concat", *both, axis=3), pads=[1, 0, 1, 0]),
        joined("stride_2", pooled_halves),
        joined("primary_is_output", lambda b, x, *both: [
            b.node("Concat", *both, axis=1), both[0]]),
        joined("cheap_read_twice", lambda b, x, *both: [
            b.node("Concat", *both, axis=1), b.node("Sigmoid", both[1])]),
    ]


def fused():
    return [*convolutions(), *growths(), *stems(), *inverted_residuals(), *squeezes(), *ghosts()]
