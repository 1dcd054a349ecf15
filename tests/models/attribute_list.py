"""The operator table: one row per operator, attribute and value (attribute_rows.py).

attribute_walk.py compiles, runs and compares every row, and demands rows for all that the compiler's
rules know; scripts/operator_table.py writes the tables of docs/operators.md and README.md.
"""

from attribute_rows import ABSENT, Constant, Operator, Parameter, Row, Weights

__all__ = ["NOTES", "ROWS", "Row"]

# Operators in the README's order, and what is computed of them beside their attributes.
NOTES = [
    (("Conv",), "1-D and 2-D; depthwise with any multiplier; constant weights and bias"),
    (("ConvTranspose",), "2-D; constant weights and bias"),
    (("BatchNormalization",),
     "inference, constant parameters; folded into the Conv, ConvTranspose, Gemm or MatMul before it, "
     "else scale and shift"),
    (("Relu", "HardSwish", "Sigmoid", "Tanh", "Erf", "Exp", "Sqrt", "Abs", "Neg"),
     "HardSwish, HardSigmoid, SiLU and Gelu written out too"),
    (("LeakyRelu",), ""), (("HardSigmoid",), ""), (("Gelu",), ""), (("Swish",), ""),
    (("Clip",), "constant bounds, or computed scalars"),
    (("PRelu",), "slope of any shape that broadcasts to the input"),
    (("Pow",), "by a constant"),
    (("Softmax",), "operator set 13 changed its meaning; both are computed"),
    (("Reciprocal",), ""),
    (("Add", "Sub", "Mul", "Div", "Min", "Max", "Sum", "Mean"),
     "general broadcasting; after a convolution the same shape, scalars, per channel and `[N,C,1,1]` "
     "gates are part of its kernel"),
    (("Concat",), ""), (("Split",), ""), (("Slice",), ""),
    (("GlobalAveragePool", "GlobalMaxPool"), "1-D and 2-D, any size"),
    (("ReduceMean", "ReduceMax"), "any axes, known at the given input shapes"),
    (("AveragePool", "MaxPool"), "1-D and 2-D; padding smaller than the window"),
    (("Gemm",), "constant second input, a matrix; C constant or computed, of any shape"),
    (("MatMul",), "constant second input, a matrix"),
    (("Reshape",), "static shapes; channel shuffle"),
    (("Flatten",), ""), (("Squeeze", "Unsqueeze"), ""), (("Transpose",), ""),
    (("Resize",),
     "height and width of 4-D tensors by constant scales or sizes, at exact positions"),
    (("Upsample",), "up to operator set 9"),
    (("Pad",), "constant mode on any axis, also by negative numbers; others on height and width"),
    (("DepthToSpace", "SpaceToDepth"), ""),
    (("Identity", "Dropout"), "disappear"),
    (("Cast",), "to float disappears; constants to other types"),
    (("Expand", "Tile"), "not at all where the next operators broadcast anyway"),
    (("Constant",), ""), (("ConstantOfShape",), ""), (("Shape", "Size"), ""),
    (("Gather",), "constant indices"), (("Range",), "constants"), (("Mod",), "constants"),
    (("ReduceSum", "ReduceProd", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare",
      "ReduceLogSum", "ReduceLogSumExp"), "constants"),
    (("Where", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor", "Not",
      "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Floor", "Ceil", "Round", "Log", "Sin", "Cos",
      "Sign"), "constants"),
    (("BitShift",), "constants of type UINT8"),
    (("DequantizeLinear",), "constants of type INT8, UINT8 or INT32"),
]

X = (1, 4, 7, 6)
EVEN = (2, 3, 8, 6)
AUTO_PADS = ("SAME_UPPER", "SAME_LOWER", "VALID")


def _convolutions():
    conv = Operator("Conv", X, Weights((6, 4, 3, 3)), Weights((6,)))
    conv.default("auto_pad", "NOTSET")
    conv("auto_pad", "VALID", otherwise="SAME_UPPER")
    conv("auto_pad", "SAME_UPPER", strides=[2, 2])
    conv("auto_pad", "SAME_LOWER", otherwise="SAME_UPPER", strides=[2, 2])
    for mode in ("SAME_UPPER", "SAME_LOWER"):
        other = "VALID"
        conv("auto_pad", mode, otherwise=other, note="kernel 2x4",
             inputs=[X, Weights((5, 4, 2, 4))])
        conv("auto_pad", mode, otherwise=other, note="dilated", dilations=[2, 1], strides=[2, 1],
             kernel_shape=[2, 2], inputs=[X, Weights((5, 4, 2, 2))],
             meant={"auto_pad": ABSENT, "pads": [1, 0, 1, 1] if mode == "SAME_UPPER"
                    else [1, 1, 1, 0]})
        conv("auto_pad", mode, otherwise=other, note="stride 3x1 on 8x6", strides=[3, 1],
             inputs=[EVEN, Weights((5, 3, 3, 3))])
        conv("auto_pad", mode, otherwise=other, note="1-D", strides=[2],
             inputs=[(1, 4, 9), Weights((5, 4, 4))])
    conv("B", (6,), inputs=[X, Weights((6, 4, 3, 3)), Parameter("shape")])
    conv("B", (1,), inputs=[X, Weights((6, 4, 3, 3)), Parameter("shape")], invalid="bias")
    conv.default("dilations", [1, 1])
    conv("dilations", [2, 1], [1, 2], [2, 2], [3, 1])
    conv("dilations", [2], inputs=[(1, 4, 9), Weights((5, 4, 3))], note="1-D")
    conv.default("group", 1)
    conv("group", 2, inputs=[(1, 8, 5, 5), Weights((6, 4, 3, 3))], same="required")
    conv("group", 4, inputs=[X, Weights((8, 1, 3, 3))], same="required")
    conv("kernel_shape", [3, 3], same="the weights' shape")
    conv.default("pads", [0, 0, 0, 0])
    conv("pads", [1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1], [2, 1, 0, 3])
    conv("pads", [2, 1], inputs=[(1, 4, 9), Weights((5, 4, 3))], note="1-D")
    conv("pads", [1, 1, 1, 1], auto_pad="VALID", invalid="auto_pad 'VALID' and pads", note="VALID")
    conv("pads", [1, 0, 0, 0], auto_pad="SAME_UPPER", invalid="auto_pad 'SAME_UPPER' and pads",
         note="SAME_UPPER")
    conv.default("strides", [1, 1])
    conv("strides", [2, 1], [1, 2], [3, 2])
    conv("strides", [3], inputs=[(1, 4, 9), Weights((5, 4, 3))], note="1-D")
    conv("strides", [2], invalid="strides")
    conv("pads", [-1, 0, 0, 0], invalid="pads")
    conv("kernel_shape", [3, 2], invalid="kernel_shape")
    conv("group", 3, invalid="group")
    conv("dilations", [0, 1], invalid="dilations")

    deconv = Operator("ConvTranspose", (1, 4, 5, 4), Weights((4, 3, 3, 3)), Weights((3,)))
    deconv.default("auto_pad", "NOTSET")
    deconv("auto_pad", "SAME_UPPER", strides=[2, 2])
    deconv("auto_pad", "SAME_LOWER", strides=[2, 2], otherwise="SAME_UPPER")
    deconv("auto_pad", "VALID", otherwise="SAME_UPPER", strides=[2, 2])
    for mode in ("SAME_UPPER", "SAME_LOWER"):
        deconv("auto_pad", mode, otherwise="VALID", note="kernel 4x2", strides=[2, 1],
               inputs=[(1, 4, 5, 4), Weights((4, 2, 4, 2))])
        deconv("auto_pad", mode, otherwise="VALID", note="kernel 2x2 stride 3x3",
               strides=[3, 3], inputs=[(1, 4, 3, 4), Weights((4, 2, 2, 2))],
               same="the kernel is shorter than the stride")
    deconv("B", (3,), inputs=[(1, 4, 5, 4), Weights((4, 3, 3, 3)), Parameter("shape")])
    deconv.default("dilations", [1, 1])
    deconv("dilations", [2, 1], [1, 3], [2, 2])
    deconv.default("group", 1)
    deconv("group", 2, otherwise=1, inputs=[(1, 4, 5, 4), Weights((4, 3, 3, 3))])
    deconv("kernel_shape", [3, 3], same="the weights' shape")
    deconv.default("output_padding", [0, 0], strides=[2, 2])
    deconv("output_padding", [1, 0], [0, 1], [1, 1], strides=[2, 2])
    deconv("output_padding", [1, 1], strides=[2, 2], pads=[1, 0, 2, 1], note="padded")
    deconv("output_shape", [10, 8], [12, 9], [9, 9], strides=[2, 2])
    deconv("output_shape", [10, 8], strides=[2, 2], auto_pad="SAME_UPPER", note="SAME_UPPER",
           same="what SAME_UPPER gives")
    deconv("output_shape", [9, 7], strides=[2, 2], auto_pad="SAME_UPPER", note="smaller, SAME_UPPER")
    deconv("output_shape", [9, 7], strides=[2, 2], auto_pad="SAME_LOWER", note="smaller, SAME_LOWER")
    deconv.default("pads", [0, 0, 0, 0])
    deconv("pads", [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [2, 1, 0, 2])
    deconv("pads", [1, 0, 0, 1], auto_pad="SAME_LOWER", invalid="auto_pad 'SAME_LOWER' and pads",
           note="SAME_LOWER")
    deconv("pads", [1, 0, 0, 1], output_shape=[10, 8], strides=[2, 2], note="output_shape",
           same="output_shape decides")
    deconv.default("strides", [1, 1])
    deconv("strides", [2, 1], [1, 3], [2, 2])
    deconv("output_padding", [-1, 0], invalid="output_padding")
    deconv("output_shape", [0, 8], invalid="output")
    deconv("strides", [2], invalid="strides")


def _pools():
    for operator in ("MaxPool", "AveragePool"):
        pool = Operator(operator, X, kernel_shape=[3, 2])
        pool.default("auto_pad", "NOTSET")
        pool("auto_pad", "SAME_UPPER", strides=[2, 2])
        pool("auto_pad", "SAME_LOWER", otherwise="SAME_UPPER", kernel_shape=[2, 2])
        pool("auto_pad", "VALID", otherwise="SAME_UPPER")
        for mode in ("SAME_UPPER", "SAME_LOWER"):
            pool("auto_pad", mode, otherwise="VALID", inputs=[EVEN], strides=[3, 2],
                 kernel_shape=[3, 3], note="stride 3x2 on 8x6")
            pool("auto_pad", mode, otherwise="VALID", inputs=[(1, 4, 9)], strides=[2],
                 kernel_shape=[4], note="1-D")
            pool("auto_pad", mode, otherwise="VALID", since=19 if operator[0] == "A" else 10,
                 dilations=[2, 1], note="dilated",
                 meant={"auto_pad": ABSENT, "pads": [2, 0, 2, 1] if mode == "SAME_UPPER"
                        else [2, 1, 2, 0]})
        pool.default("ceil_mode", 0, since=10, strides=[2, 3])
        pool("ceil_mode", 1, since=10, strides=[2, 3], kernel_shape=[2, 2])
        pool("ceil_mode", 1, since=10, strides=[2, 2], kernel_shape=[3, 3], pads=[1, 1, 1, 1],
             note="padded")
        pool("ceil_mode", 1, since=10, strides=[4, 4], kernel_shape=[2, 2], pads=[0, 0, 1, 1],
             same="a window that starts in the padding is dropped", note="a window of padding")
        pool("ceil_mode", 1, since=10, strides=[2, 2], kernel_shape=[2, 2], auto_pad="VALID",
             note="VALID")
        dilated = 19 if operator == "AveragePool" else 10
        pool.default("dilations", [1, 1], since=dilated)
        pool("dilations", [2, 1], [1, 3], since=dilated)
        pool("dilations", [2, 2], since=dilated, pads=[1, 1, 1, 1], note="padded")
        pool("kernel_shape", [3, 2], otherwise=[2, 3])
        pool("kernel_shape", [1, 1], otherwise=[2, 3])
        pool("kernel_shape", [3], otherwise=[2], inputs=[(1, 4, 9)], note="1-D")
        pool.default("pads", [0, 0, 0, 0])
        pool("pads", [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [2, 1, 1, 0])
        for mode in AUTO_PADS:
            pool("pads", [1, 1, 1, 1], auto_pad=mode, same="auto_pad decides", note=mode)
        pool.default("strides", [1, 1])
        pool("strides", [2, 1], [1, 2], [3, 3])
        pool("pads", [3, 0, 0, 0], refused="pads")
        pool("strides", [0, 1], invalid="strides")
    average = Operator("AveragePool", X, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    average.default("count_include_pad", 0)
    average("count_include_pad", 1)
    average("count_include_pad", 1, auto_pad="SAME_UPPER", pads=ABSENT, note="SAME_UPPER")
    average("count_include_pad", 1, since=10, ceil_mode=1, strides=[3, 2], note="ceil_mode")
    average("count_include_pad", 1, since=19, dilations=[2, 1], note="dilated")
    most = Operator("MaxPool", X, kernel_shape=[3, 3], since=8)
    most.default("storage_order", 0)
    most("storage_order", 1, same="it orders the indices alone")
    most("storage_order", 1, outputs=2, refused="output 1", note="with indices")
    Operator("GlobalAveragePool", X)()
    Operator("GlobalAveragePool", (2, 3, 5))(note="1-D")
    Operator("GlobalMaxPool", X)()
    Operator("GlobalMaxPool", (2, 3, 5))(note="1-D")


def _reductions():
    for operator in ("ReduceMean", "ReduceMax"):
        reduce = Operator(operator, X, until=17)
        reduce("axes", [1], [2, 3], [0, 2], [3, 1], [0, 1, 2])
        reduce("axes", [-1], [-2, -1], since=11)
        reduce("axes", [0, 1, 2, 3], same="the default")
        reduce.default("keepdims", 1, axes=[2, 3])
        reduce("keepdims", 0, axes=[2, 3])
        reduce("keepdims", 0, axes=[1], note="channels")
        new = Operator(operator, X, Parameter(), since=18)
        new("axes", [1], [2, 3], [0, -1], [-2, -1])
        new("axes", [0, 1, 2, 3], same="the default")
        new("axes", [], same="the default")
        new("keepdims", 0, inputs=[X, Constant([1])])
        new("noop_with_empty_axes", 1, inputs=[X])
        new("noop_with_empty_axes", 1, inputs=[X, Constant([])], note="empty axes")
        new("noop_with_empty_axes", 1, inputs=[X, Constant([1])], same="there are axes",
            note="axes 1")
        new.default("noop_with_empty_axes", 0, inputs=[X])
    # The axes are an input since operator set 13 of ReduceSum, 18 of the others.
    for operator in ("Sum", "Prod", "Min", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"):
        since = 13 if operator == "Sum" else 18
        operator = "Reduce" + operator
        x = Weights((2, 3, 4), 0.5, 1.5)
        old = Operator(operator, x, until=since - 1)
        old("axes", [1], [0, 2])
        old("axes", [-1], since=11)
        old("keepdims", 0)
        old.default("keepdims", 1)
        new = Operator(operator, x, Parameter(), since=since)
        new("axes", [1], [0, -1])
        new("keepdims", 0, inputs=[x, Constant([1])])
        new("noop_with_empty_axes", 1, inputs=[x])
        new.default("noop_with_empty_axes", 0, inputs=[x])


def _normalisations():
    channels = [Weights((4,), 0.5, 2), Weights((4,)), Weights((4,)), Weights((4,), 0.1, 2)]
    norm = Operator("BatchNormalization", X, *channels)
    norm("epsilon", 0.5)
    norm("epsilon", 0.0, inputs=[X, *channels[:3], Weights((4,), 1e-5, 1e-4)])
    norm.default("epsilon", 1e-5)
    norm("epsilon", 0.5, after_conv=True, note="after a Conv")
    norm("momentum", 0.1, same="it updates running means, in training alone")
    norm.default("spatial", 1, until=8)
    norm("spatial", 0, until=8, same="one value a channel", inputs=[(3, 4), *channels])
    own = [Weights((4, 3, 2), *bounds) for bounds in ((0.5, 2), (-1, 1), (-1, 1), (0.1, 2))]
    norm("spatial", 0, until=8, same="required", note="4-D", inputs=[(2, 4, 3, 2), *own])
    norm(note="training mode by outputs", until=13, outputs=5, read=(0,), refused="training mode")
    norm.default("training_mode", 0, since=14)
    norm("training_mode", 1, since=14, refused="training_mode")

    for rank, x in {"2-D": (3, 5), "4-D": (2, 3, 4, 5)}.items():
        old = Operator("Softmax", x, until=12, note=rank)
        old("axis", 0, otherwise=1)
        old("axis", -1, since=11, same="" if rank == "4-D" else "the default, 1")
        if rank == "4-D":
            old("axis", 3)
        old.default("axis", 1)
        new = Operator("Softmax", x, since=13, note=rank)
        new.default("axis", -1)
        new("axis", 0, -2)
    Operator("Softmax", (2, 3, 4, 5), until=12, note="coerced")("axis", 2, otherwise=3)
    Operator("Softmax", (2, 3, 4, 5), since=13)("axis", 1, 2, otherwise=3)
    Operator("Softmax", X)("axis", 4, invalid="axis")


def _activations():
    for operator in ("Relu", "Sigmoid", "Tanh", "Exp", "Abs", "Neg"):
        Operator(operator, X)()
    Operator("Erf", X, since=9)()
    Operator("HardSwish", X, since=14, low=-6, high=6)()
    Operator("Sqrt", X, low=0)()
    leaky = Operator("LeakyRelu", X)
    leaky("alpha", 0.25, 0.0, -0.5, 1.5)
    leaky.default("alpha", 0.01)
    hard = Operator("HardSigmoid", X, low=-6, high=6)
    hard("alpha", 1 / 6, 0.5)
    hard.default("alpha", 0.2)
    hard("beta", 0.25, 0.0)
    hard.default("beta", 0.5)
    gelu = Operator("Gelu", X, since=20)
    gelu.default("approximate", "none")
    gelu("approximate", "tanh")
    gelu("approximate", "sigmoid", invalid="approximate 'sigmoid'")
    swish = Operator("Swish", X, since=24)
    swish.default("alpha", 1.0, oracle="onnx")
    swish("alpha", 1.702, refused="alpha")
    clip = Operator("Clip", X, until=10)
    clip("min", -0.5)
    clip("max", 0.5)
    clip("min", -0.5, max=0.5, note="max 0.5")
    clip = Operator("Clip", X, Parameter("float32"), Constant(1.5, "float32"), since=11)
    clip("min", -0.5)
    clip("min", -0.5, inputs=[X, Parameter("float32")], note="without max")
    clip("min", 1.8, note="above max")
    clip("max", 0.5, inputs=[X, None, Parameter("float32")])
    clip("max", 0.5, inputs=[X, Constant(-1.5, "float32"), Parameter("float32")], note="min -1.5")
    for operator, values in {"LeakyRelu": {"alpha": (0.25, -0.5)},
                             "HardSigmoid": {"alpha": (1 / 6,), "beta": (0.25,)}}.items():
        for attribute, numbers in values.items():
            Operator(operator, X, after_conv=True, note="after a Conv")(attribute, *numbers)
    Operator("Gelu", X, since=20, after_conv=True, note="after a Conv")("approximate", "tanh")
    Operator("Clip", X, Parameter("float32"), Constant(1.5, "float32"), since=11,
             after_conv=True)("min", -0.5, 1.8, note="after a Conv")
    Operator("Clip", X, until=10, after_conv=True)("max", 0.5, note="after a Conv")
    Operator("PRelu", X, Parameter("shape"), after_conv=True, same="required")(
        "slope", (4, 1, 1), (1,), note="after a Conv")
    slope = Operator("PRelu", X, Parameter("shape"))
    slope("slope", (), (1,), (4, 1, 1), (6,), (7, 1), X, same="required")
    slope("slope", (1, 4, 1, 1), same="required")
    slope("slope", (3,), invalid="do not broadcast")
    power = Operator("Pow", X, Parameter("float32"), low=0.1)
    power("exponent", 0.5, 1.0, 2.0, 3.0, 8.0, 1.5, -0.5, -1.0, -2.5, 0.0, same="required")
    power("exponent", 0.3, 9.0, refused="the exponent is")
    Operator("Reciprocal", X, low=0.5)()


def _arithmetic():
    for operator in ("Add", "Sub", "Mul", "Div", "Min", "Max", "Sum", "Mean"):
        binary = Operator(operator, X, Parameter("data"), low=0.5,
                          since=8 if operator in ("Min", "Max", "Sum", "Mean") else 7)
        binary("operand", X, (4, 1, 1), (6,), (), (2, 1, 1, 1), same="required")
    for operator in ("Min", "Max", "Sum", "Mean"):
        Operator(operator, X, since=8)(note="of one")
        Operator(operator, X, (4, 1, 1), (6,), since=8)(note="of three")
    gemm = Operator("Gemm", (3, 5), Weights((5, 4)), Weights((4,)))
    gemm("alpha", 0.5, -2.0, 0.0)
    gemm.default("alpha", 1.0)
    gemm("beta", 0.5, -2.0, 0.0)
    gemm.default("beta", 1.0)
    gemm.default("transA", 0)
    gemm.default("transB", 0)
    gemm("transA", 1, inputs=[(5, 5), Weights((5, 4)), Weights((4,))])
    gemm("transB", 1, inputs=[(3, 5), Weights((5, 5)), Weights((5,))])
    gemm("transA", 1, transB=1, alpha=0.5, beta=2.0, note="all four",
         inputs=[(5, 5), Weights((5, 5)), Weights((5,))])
    gemm("C", (4,), (1, 4), (1,), (1, 1), (), (3, 1), (3, 4), since=11,
         inputs=[(3, 5), Weights((5, 4)), Parameter("shape")])
    gemm("C", (4,), (3, 1), (3, 4), since=11, note="computed",
         inputs=[(3, 5), Weights((5, 4)), Parameter("data")])
    gemm("C", (4,), until=10, otherwise=(), beta=0.5,
         inputs=[(3, 5), Weights((5, 4)), Parameter("shape")], note="beta 0.5")
    matmul = Operator("MatMul", (2, 3, 5), Parameter("shape"))
    matmul("operand", (5, 4), same="required")
    matmul("operand", (5,), (1, 5, 4), refused="matrix")
    matmul("operand", (5, 4), inputs=[(5,), Parameter("shape")], same="required", note="a vector")


def _shapes():
    reshape = Operator("Reshape", X, Parameter())
    reshape("shape", [1, 4, 42], [-1, 6], [0, 0, -1], [2, 84], [168], otherwise=[4, 42])
    reshape = Operator("Reshape", X, Constant([1, -1]), since=14)
    reshape.default("allowzero", 0)
    reshape("allowzero", 1, same="the shape has no 0")
    reshape("allowzero", 1, inputs=[X, Constant([0, 4, -1])], invalid="reshape", note="a 0 and a -1")
    reshape("allowzero", 1, inputs=[X, Constant([0, 168])], invalid="reshape", note="a 0")
    flatten = Operator("Flatten", X)
    flatten.default("axis", 1)
    flatten("axis", 0, same="batch 1", note="batch 1")
    flatten("axis", 0, inputs=[EVEN])
    flatten("axis", 2, 3, 4)
    flatten("axis", -1, -2, since=11)
    flatten("axis", -4, since=11, inputs=[EVEN])
    flatten("axis", 5, invalid="axis")
    squeeze = Operator("Squeeze", (1, 4, 1, 1), until=12)
    squeeze("axes", [2], [0, 3])
    squeeze("axes", [0, 2, 3], same="the default")
    squeeze("axes", [-1], [-2, 0], since=11)
    squeeze("axes", [1], invalid="axis 1")
    squeeze = Operator("Squeeze", (1, 4, 1, 1), Parameter(), since=13)
    squeeze("axes", [2], [0, -1])
    squeeze("axes", [], same="the default")
    unsqueeze = Operator("Unsqueeze", (3, 4), until=12, otherwise=[0, 1])
    unsqueeze("axes", [0], [2], [1, 3], [3, 1])
    unsqueeze("axes", [-1], [-2, 0], since=11)
    unsqueeze = Operator("Unsqueeze", (3, 4), Parameter(), since=13, otherwise=[0, 1])
    unsqueeze("axes", [0], [1, 3], [-1], [3, -4])
    unsqueeze("axes", [4], invalid="axis 4")
    transpose = Operator("Transpose", X)
    transpose.default("perm", [3, 2, 1, 0])
    transpose("perm", [0, 1, 2, 3], [0, 2, 3, 1], [2, 0, 3, 1], [0, 1, 3, 2])
    transpose("perm", [1, 0], inputs=[(3, 4)], same="the default")
    transpose("perm", [0, 1, 1, 2], invalid="perm")
    for data in ((3, 1), Weights((3, 1))):
        expand = Operator("Expand", data, Parameter(), since=8, otherwise=[3, 5])
        expand("shape", [3, 4], [2, 3, 1], [1, 1], note="" if data == (3, 1) else "of a constant")
    for data in ((2, 3), Weights((2, 3))):
        tile = Operator("Tile", data, Parameter(), otherwise=[3, 3])
        tile("repeats", [2, 1], [1, 3], [1, 1], note="" if data == (2, 3) else "of a constant")


def _parts():
    concat = Operator("Concat", X, X, otherwise=0)
    concat("axis", 1, 2, 3)
    concat("axis", 0, otherwise=1)
    concat("axis", -1, -3, since=11)
    concat("axis", 4, invalid="axis")
    old = Operator("Split", EVEN, until=12)
    for axis, split in {1: [1, 2], 2: [3, 5], 3: [5, 1]}.items():
        old("split", split, axis=axis, outputs=2, same="required", note=f"axis {axis}")
    split = Operator("Split", (6, 6, 6), until=12, outputs=3)
    split.default("axis", 0)
    split("axis", 1, 2)
    split("axis", -1, since=11)
    split("split", [1, 2, 3], [4, 1, 1])
    split("split", [2, 2, 2], same="the default")
    split("split", [2, 2], outputs=2, invalid="parts")
    split = Operator("Split", (6, 6, 6), Parameter(), since=13, outputs=3)
    split("split", [1, 2, 3], [4, 1, 1], axis=1, otherwise=[2, 2, 2])
    split = Operator("Split", (6, 6, 6), Constant([1, 2, 3]), since=13, outputs=3)
    split.default("axis", 0)
    split("axis", 1, 2, -1)
    Operator("Split", (6, 6, 6), outputs=3, until=17, axis=1, read=(0, 1))(
        note="equal parts, the last one unread")
    split = Operator("Split", (6, 6, 7), since=18, axis=2)
    split("num_outputs", 3, outputs=3, same="required")
    split("num_outputs", 2, outputs=2, same="required")
    split("num_outputs", 3, outputs=3, same="required", read=(0, 1), note="the last one unread")

    cut = Operator("Slice", X, until=9)
    cut("starts", [1, 2], [-3, -2], axes=[2, 3], ends=[7, 6], otherwise=[0, 0])
    cut("ends", [-1], [5], [1000], axes=[2], starts=[1], otherwise=[3])
    cut("axes", [1], [3], starts=[1], ends=[3], otherwise=[2])
    cut("axes", [0, 1], starts=[0, 1], ends=[1, 3], same="the default")
    cut = Operator("Slice", X, Parameter(), Constant([6, 5]), Constant([2, 3]), since=10)
    cut("starts", [1, 2], [-3, -2], otherwise=[0, 0])
    cut("ends", [-1], [5], [2**63 - 1], otherwise=[3],
        inputs=[X, Constant([1]), Parameter(), Constant([2])])
    cut("axes", [1], [3], [-1], [-3], otherwise=[2],
        inputs=[X, Constant([1]), Constant([3]), Parameter()])
    cut("axes", [0, 1], inputs=[X, Constant([0, 1]), Constant([1, 3]), Parameter()],
        same="the default")
    cut("steps", [2, 1], [1, 3], [2, 2],
        inputs=[X, Constant([0, 1]), Constant([7, 6]), Constant([2, 3]), Parameter()])
    cut("steps", [1, 1], same="the default",
        inputs=[X, Constant([0, 1]), Constant([7, 6]), Constant([2, 3]), Parameter()])
    cut("steps", [-1, -1], [-2, -3], [-3, -1],
        inputs=[X, Constant([-1, -1]), Constant([-100, -100]), Constant([2, 3]), Parameter()],
        same="required", note="from the end")
    cut("steps", [-1], same="required", note="channels",
        inputs=[X, Constant([2**63 - 1]), Constant([-2**63]), Constant([1]), Parameter()])
    cut("steps", [0], invalid="steps",
        inputs=[X, Constant([0]), Constant([7]), Constant([2]), Parameter()])
    for operator in ("DepthToSpace", "SpaceToDepth"):
        since = 11 if operator == "DepthToSpace" else 28
        block = Operator(operator, (2, 36, 6, 12), blocksize=2)
        block("blocksize", 3, 6, 1, otherwise=2)
        block("blocksize", 0, invalid="blocksize")
        block.default("mode", "DCR", since=since)
        block("mode", "CRD", since=since)
        block("mode", "CRD", since=since, blocksize=3, note="blocksize 3")
        block("mode", "RCD", since=since, invalid="mode 'RCD'")


def _resizes():
    x = (1, 3, 5, 4)
    none = Constant([], "float32")  # Operator set 11 has no absent inputs.
    scales = Constant([1, 1, 1.5, 2.3], "float32")
    down = Constant([1, 1, 0.7, 0.5], "float32")
    resize = Operator("Resize", x, none, scales, since=11)
    for mode in ("linear", "cubic"):
        resize("mode", mode)
        resize("mode", mode, inputs=[x, none, down], note="down")
        for coordinates in ("pytorch_half_pixel", "align_corners", "asymmetric"):
            resize("coordinate_transformation_mode", coordinates, mode=mode, note=mode,
                   same="but where one pixel remains" if coordinates[0] == "p" else "")
        resize("coordinate_transformation_mode", "half_pixel_symmetric", mode=mode, note=mode,
               since=19)
        resize("coordinate_transformation_mode", "pytorch_half_pixel", mode=mode,
               inputs=[x, none, none, Constant([1, 3, 1, 7])], note=f"{mode} to one pixel")
    resize.default("mode", "nearest")
    resize("mode", "linear", inputs=[x, None, scales], since=13, note="no roi")
    resize("mode", "linear", inputs=[x, None, None, Constant([1, 3, 8, 9])], since=13, note="sizes")
    resize.default("coordinate_transformation_mode", "half_pixel", mode="linear")
    resize("coordinate_transformation_mode", "align_corners", "asymmetric",
           inputs=[x, none, Constant([1, 1, 1.4, 2.75], "float32")])
    resize("coordinate_transformation_mode", "tf_half_pixel_for_nn", until=12)
    resize("coordinate_transformation_mode", "tf_crop_and_resize", mode="linear",
           inputs=[x, Constant([0, 0, 0.2, 0.1, 1, 1, 0.9, 0.7], "float32"), none,
                   Constant([1, 3, 6, 7])])
    crop = Operator("Resize", x, Constant([0, 0, 0.2, -0.3, 1, 1, 1.4, 0.7], "float32"), none,
                    Constant([1, 3, 6, 7]), since=11, mode="linear",
                    coordinate_transformation_mode="tf_crop_and_resize")
    crop.default("extrapolation_value", 0.0)
    crop("extrapolation_value", 1.5, refused="extrapolation_value", note="of tf_crop_and_resize")
    resize("extrapolation_value", 1.5, same="of tf_crop_and_resize alone", note="half_pixel")
    resize("coordinate_transformation_mode", "corners",
           invalid="coordinate_transformation_mode 'corners'")
    cubic = Operator("Resize", x, none, scales, since=11, mode="cubic")
    cubic.default("cubic_coeff_a", -0.75)
    cubic("cubic_coeff_a", -0.5, -1.0)
    cubic.default("exclude_outside", 0)
    cubic("exclude_outside", 1)
    resize("cubic_coeff_a", -0.5, mode="linear", same="of mode cubic alone", note="linear")
    # Every second position lies between two pixels.
    halves = Operator("Resize", x, none, Constant([1, 1, 0.5, 0.5], "float32"), since=11)
    halves.default("nearest_mode", "round_prefer_floor")
    halves("nearest_mode", "round_prefer_ceil", "ceil")
    halves("nearest_mode", "floor", otherwise="ceil")
    halves("nearest_mode", "round", invalid="nearest_mode 'round'")
    for mode in ("round_prefer_ceil", "floor", "ceil"):
        resize("nearest_mode", mode, otherwise="ceil" if mode == "floor" else "floor",
               coordinate_transformation_mode="asymmetric", note="asymmetric",
               inputs=[x, none, Constant([1, 1, 2, 2], "float32")])
    resize("mode", "area", invalid="mode 'area'")
    resize.default("antialias", 0, since=18, mode="linear")
    resize("antialias", 1, since=18, mode="linear", refused="antialias", inputs=[x, none, down])
    axes = Operator("Resize", x, none, Constant([1.6, 2.5], "float32"), since=18)
    axes("axes", [2, 3], otherwise=[3, 2])
    axes("axes", [3, 2], [-1, -2], otherwise=[2, 3])
    axes("axes", [0, 2], inputs=[EVEN, none, Constant([1.6, 2.5], "float32")], refused="axis 0")
    given = Operator("Resize", (2, 3, 5, 4), none, Parameter("float32"), since=11, mode="linear")
    given("scales", [1, 1.2, 1, 2], refused="axis 1")
    given("scales", [1.2, 1, 1, 2], refused="axis 0")
    crop("roi", [0, 0, 0.2, -0.3, 1, 1, 1.4, 0.7], [0, 0, 0.5, 0.25, 1, 1, 0.5, 0.75],
         otherwise=[0, 0, 0, 0, 1, 1, 1, 1],
         inputs=[x, Parameter("float32"), none, Constant([1, 3, 6, 7])])
    for mode in ("nearest", "cubic"):
        crop("roi", [0, 0, 0.2, -0.3, 1, 1, 1.4, 0.7], otherwise=[0, 0, 0, 0, 1, 1, 1, 1],
             inputs=[x, Parameter("float32"), none, Constant([1, 3, 6, 7])], mode=mode, note=mode)
    crop("roi", [0, 0, 0.2, 0.1, 1, 1, 0.9, 0.8], otherwise=[0, 0, 0, 0, 1, 1, 1, 1],
         inputs=[x, Parameter("float32"), scales], note="scales")
    # ONNX Runtime does not crop an axis whose extent stays.
    for mode in ("nearest", "linear", "cubic"):
        crop("roi", [0, 0, 0.25, -0.25, 1, 1, 0.75, 1], otherwise=[0, 0, 0, 0, 1, 1, 1, 1],
             inputs=[x, Parameter("float32"), none, Constant([1, 3, 5, 7])], mode=mode,
             note=f"{mode}, the same height", oracle="onnx")
    crop("roi", [0, 0.5, 0, 0, 1, 1, 1, 1], refused="axis 1",
         inputs=[x, Parameter("float32"), none, Constant([1, 3, 6, 7])])
    resize("roi", [0, 0, 0.2, 0.1, 1, 1, 0.9, 0.8], same="of tf_crop_and_resize alone",
           inputs=[x, Parameter("float32"), scales], otherwise=[])
    sizes = Operator("Resize", x, none, none, Parameter(), since=11)
    sizes("sizes", [1, 3, 8, 10], [1, 3, 2, 3], otherwise=[1, 3, 5, 5])
    sizes("sizes", [1, 6, 5, 4], refused="axis 1")
    for mode in ("nearest", "linear", "cubic"):
        given = Operator("Resize", x, none, Parameter("float32"), since=11, mode=mode, note=mode)
        given("scales", [1, 1, 2, 3], [1, 1, 0.5, 1.25], otherwise=[1, 1, 1, 2])
    policy = Operator("Resize", x, none, none, Constant([7, 9]), since=18, axes=[2, 3])
    policy.default("keep_aspect_ratio_policy", "stretch")
    policy("keep_aspect_ratio_policy", "not_larger", "not_smaller")
    policy("keep_aspect_ratio_policy", "fit", invalid="keep_aspect_ratio_policy 'fit'")
    old = Operator("Resize", x, Parameter("float32"), since=10, until=10)
    old("scales", [1, 1, 2, 3], [1, 1, 0.5, 0.4], otherwise=[1, 1, 2, 1])
    old = Operator("Resize", x, Constant([1, 1, 1.6, 2.5], "float32"), since=10, until=10)
    old.default("mode", "nearest")
    old("mode", "linear")
    old("mode", "cubic", invalid="mode 'cubic'")

    old = Operator("Upsample", x, until=8, scales=[1.0, 1.0, 1.6, 2.5])
    new = Operator("Upsample", x, scales, since=9, until=9)
    for upsample in (old, new):
        upsample.default("mode", "nearest")
        upsample("mode", "linear")
        upsample("mode", "cubic", invalid="mode 'cubic'")
    old("scales", [1.0, 1.0, 2.0, 3.0], otherwise=[1.0, 1.0, 3.0, 2.0])
    new("scales", [1, 1, 2, 3], inputs=[x, Parameter("float32")], otherwise=[1, 1, 3, 2])


def _pads():
    x = (1, 3, 5, 4)
    pads = [0, 0, 2, 1, 0, 0, 1, 3]
    old = Operator("Pad", x, until=10, pads=pads)
    new = Operator("Pad", x, Constant(pads), since=11)
    for pad in (old, new):
        pad.default("mode", "constant")
        pad("mode", "reflect", "edge")
    new("mode", "wrap", since=19, refused="mode 'wrap'")
    old("mode", "wrap", invalid="mode 'wrap'")
    old("value", 1.5, -0.25)
    old.default("value", 0.0)
    old("pads", pads, [1, 2, 0, 0, 0, 1, 0, 2], [0, 0, -1, 0, 0, 0, 2, -1],
        otherwise=[0, 0, 0, 0, 0, 0, 0, 1])
    new("constant_value", 1.5, -0.25, inputs=[x, Constant(pads), Parameter("float32")])
    new("pads", pads, [1, 2, 0, 0, 0, 1, 0, 2], [0, 0, -1, 0, 0, 0, 2, -1],
        otherwise=[0, 0, 0, 0, 0, 0, 0, 1], inputs=[x, Parameter()])
    for mode in ("reflect", "edge"):
        new("pads", [0, 0, 1, 2, 0, 0, 0, 3], [0, 0, -1, 2, 0, 0, 1, 0],
            otherwise=[0, 0, 0, 0, 0, 0, 0, 1], inputs=[x, Parameter()], mode=mode, note=mode)
        new("mode", mode, inputs=[x, Constant([0, 1, 0, 0, 0, 0, 0, 0])], refused=f"mode '{mode}'",
            note="of channels")
    new("axes", [2, 3], [3, 2], [-1, 1], since=18, otherwise=[1, 2],
        inputs=[x, Constant([1, 2, 3, 0]), None, Parameter()])


def _values():
    identity = Operator("Identity", X)
    identity()
    dropout = Operator("Dropout", X, until=11)
    dropout("ratio", 0.25, same="of training alone")
    dropout = Operator("Dropout", X, Parameter("float32"), since=12)
    dropout("ratio", 0.25, same="of training alone")
    dropout("seed", 7, inputs=[X], same="of training alone")
    dropout("training_mode", False, same="the default",
            inputs=[X, None, Parameter("bool")])
    dropout("training_mode", True, refused="training_mode",
            inputs=[X, None, Parameter("bool")])
    cast = Operator("Cast", X)
    cast("to", 1, same="required")
    cast("to", 6, 7, 9, 10, 11, 16, refused="to ", note="of computed values")
    cast("saturate", 0, since=19, to=1, same="of 8-bit floats alone", oracle="onnx")
    cast.default("saturate", 1, since=19, to=1)
    cast.default("round_mode", "up", since=24, to=1)
    cast("round_mode", "down", "nearest", since=24, to=1, same="of 8-bit floats alone",
         oracle="onnx")
    cast("round_mode", "even", since=24, to=1, invalid="round_mode 'even'")
    fold = Operator("Cast", Constant([-1.75, 0, 0.5, 2.5, 300.25], "float32"), note="of a constant")
    fold("to", 1, 11, otherwise=7)
    fold("to", 2, 3, 6, 7, 9, otherwise=1)
    fold("to", 10, otherwise=7)
    fold("saturate", 0, since=19, to=7, same="of 8-bit floats alone", oracle="onnx")
    fold("round_mode", "down", since=24, to=7, same="of 8-bit floats alone", oracle="onnx")
    for shape in ([2, 3], [1], []):
        Operator("ConstantOfShape", Constant(shape), since=9)(note=f"shape {shape}")
    filled = Operator("ConstantOfShape", Constant([2, 2]), since=9)
    filled("value", Constant([1.5], "float32"), Constant([3], "int64"), Constant([-2], "int32"),
           Constant([0.25], "float64"), Constant([True], "bool"))
    filled.default("value", Constant([0], "float32"))
    constant = Operator("Constant", same="required")
    constant("value", Constant([[1.5, 2]], "float32"), Constant([3, -4]), Constant([5], "int32"),
             Constant([0.1], "float64"), Constant([True, False], "bool"), Constant(2.5, "float32"))
    constant("value_float", 1.5, since=12)
    constant("value_floats", [1.5, -2.0], since=12)
    constant("value_int", -3, since=12)
    constant("value_ints", [4, 5, 6], since=12)
    constant("sparse_value", Constant([0, 2.5], "float32"), since=11, refused="sparse_value")
    constant("value_string", "text", since=12, refused="value_string")
    constant("value_strings", ["text", "more"], since=12, refused="value_strings")
    shape = Operator("Shape", X, since=15)
    shape("start", 1, -2)
    shape("start", -9, same="the default")
    shape.default("start", 0)
    shape("end", 2, -1)
    shape("end", 9, same="the default")
    shape("start", 1, end=3, note="end 3")
    Operator("Shape", X)()
    Operator("Size", X)()
    for data, note in (((3, 3, 3), ""), (Weights((3, 3, 3)), "of a constant")):
        gather = Operator("Gather", data, Constant([2, 0]), note=note)
        gather("axis", 1, 2)
        gather("axis", -1, since=11)
        gather.default("axis", 0)
        gather("axis", 3, invalid="axis")
        picked = {"inputs": [data, Parameter()], "otherwise": [0]}
        gather("indices", 1, [[0, 1], [2, 2]], [2, 0, 1], **picked)
        gather("indices", [-1, 2], since=11, **picked)
        gather("indices", [3], invalid="index 3", **picked)
    Operator("Range", Constant(2), Constant(11), Constant(3), since=11)()
    Operator("Range", Constant(5), Constant(-4), Constant(-3), since=11)(note="descending")
    Operator("Range", Constant(0, "int32"), Constant(4, "int32"), Constant(1, "int32"),
             since=11)(note="int32")
    Operator("Range", Constant(2), Constant(11), Constant(3), since=27)(
        "stash_type", 1, same="of half floats alone")
    mod = Operator("Mod", Constant([7, -7, 7, -7]), Constant([3, 3, -3, -3]), since=10)
    mod.default("fmod", 0)
    mod("fmod", 1)
    mod("fmod", 1, inputs=[Constant([7.5, -7.5, 7.5], "float32"), Constant([3, 3, -3], "float32")],
        same="required", note="of floats")


def _constants():
    a, b = Constant([1.5, -2.5, 0.5, 3], "float32"), Constant([1.5, 2, -0.5, 3.5], "float32")
    m, n = Constant([1, -2, 3, 4]), Constant([1, 2, -3, 5])
    t, f = Constant([True, True, False, False], "bool"), Constant([True, False, True, False], "bool")
    for operator, since in {"Equal": 11, "Less": 9, "Greater": 9, "LessOrEqual": 12,
                            "GreaterOrEqual": 12}.items():
        Operator(operator, a, b, since=since)()
        Operator(operator, m, n, since=since)(note="int64")
    for operator in ("And", "Or", "Xor"):
        Operator(operator, t, f)()
    Operator("Not", t)()
    for operator in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        Operator(operator, m, n, since=18)()
    linear = Operator("DequantizeLinear", Constant([[7, -3], [100, -128]], "int8"),
                      Constant([0.5, 0.25], "float32"), Constant([1, -2], "int8"), since=13,
                      until=27)
    linear("axis", 0, -2, otherwise=1)
    linear.default("axis", 1)
    Operator("DequantizeLinear", Constant([[7, 3], [200, 0]], "uint8"), Constant(0.5, "float32"),
             Constant(128, "uint8"), since=10, until=27)(note="uint8")
    Operator("DequantizeLinear", Constant([[7, 3], [200, 0]], "uint8"), Constant(0.5, "float32"),
             Constant(128, "uint8"), since=28, oracle="onnx")(note="one scale")
    linear("x_zero_point", [1, -2], inputs=[
        Constant([[7, -3], [100, -128]], "int8"), Constant([0.5, 0.25], "float32"), Parameter("int8")])
    linear.default("block_size", 0, since=21)
    linear("block_size", 1, since=21, refused="blocks",
           inputs=[Constant([[7, -3]], "int8"), Constant([[0.5, 0.25]], "float32")])
    linear("output_dtype", 1, since=23, same="the scale's type")
    linear.default("output_dtype", 0, since=23)
    shift = Operator("BitShift", Constant([200, 1, 7], "uint8"), Constant([1, 3, 0], "uint8"), since=11)
    shift("direction", "LEFT", otherwise="RIGHT")
    shift("direction", "RIGHT", otherwise="LEFT")
    Operator("Where", t, a, b, since=9)()
    Operator("Where", t, m, n, since=9)(note="int64")
    for operator in ("Floor", "Ceil", "Round"):
        Operator(operator, a, since=11 if operator == "Round" else 7)()
    for operator in ("Sin", "Cos"):
        Operator(operator, a)()
    Operator("Sign", a, since=9)()
    Operator("Sign", m, since=9)(note="int64")
    for operator in ("Log", "Reciprocal"):
        Operator(operator, Weights((3, 2), 0.5, 2))(note="of a constant")


for _group in (_convolutions, _pools, _reductions, _normalisations, _activations, _arithmetic, _shapes,
               _parts, _resizes, _pads, _values, _constants):
    _group()
ROWS = Operator.ALL
