"""One operator of ONNX Runtime beside the same layer of a JSON workload with "onnx" semantics.

Each function takes a numpy generator and returns a `Layer`: the layer's JSON (its inputs are x0, x1, ..; channels last),
arrays for them, and an ONNX model with the same tensors in ONNX's layout. Scales are drawn so that outputs fill a good
part of their range; a share of them is chosen so that ties are frequent (equal scales, powers of two).
"""

import numpy as np
from onnx import helper
from onnx_mac_operators import qgemm, qlinear_conv, qlinear_conv_depthwise, qlinear_conv_grouped
from onnx_operator_layer import (
    MICROSOFT,
    Layer,
    between_conversions,
    choose,
    constant,
    draw,
    image,
    make_model,
    parameters,
    quantized,
    scale,
    to_nchw,
)


def unary(random, dtype, op, json, real_range=8.0, out_range=4.0, node=None, **attributes):
    """`node`: a com.microsoft operator that takes quantized tensors."""
    x, y = quantized(random, dtype, real_range), quantized(random, dtype, out_range)
    limits = np.iinfo(dtype)
    values = np.arange(limits.min, limits.max + 1).astype(dtype) if limits.bits == 8 else x.values(random, [4096])
    inputs = [("x", x, list(values.shape))]
    if node is None:
        model = between_conversions(op, inputs, y, opset=22, **attributes)
    else:
        operands = ["x", "x_scale", "x_zero", "y_scale", "y_zero"]
        model = make_model([helper.make_node(node, operands, ["y"], domain=MICROSOFT, **attributes)], inputs, y,
                           parameters("x", x) + parameters("y", y))
    return Layer({"input": "x0", **json}, [(x, values)], model, {"x": values}, output=y)


def sigmoid(random, dtype):
    node = "QLinearSigmoid" if np.iinfo(dtype).bits == 8 else None
    return unary(random, dtype, "Sigmoid", {"op": "logistic"}, choose(random, 4.0, 16.0), 1.0, node)


def leaky_relu(random, dtype):
    alpha = float(np.float32(choose(random, 0.01, 0.2, 1.5)))
    node = "QLinearLeakyRelu" if np.iinfo(dtype).bits == 8 else None
    return unary(random, dtype, "LeakyRelu", {"op": "leaky_relu", "alpha": alpha}, node=node, alpha=alpha)


def tanh(random, dtype):
    return unary(random, dtype, "Tanh", {"op": "tanh"}, choose(random, 2.0, 16.0), 2.0)


def hard_swish(random, dtype):
    return unary(random, dtype, "HardSwish", {"op": "hard_swish"}, 12.0, 6.0)


def softsign(random, dtype):
    return unary(random, dtype, "Softsign", {"op": "softsign"}, choose(random, 2.0, 30.0), 1.0)


def hard_sigmoid(random, dtype):
    alpha, beta = float(np.float32(choose(random, 0.2, 1 / 6))), 0.5
    return unary(random, dtype, "HardSigmoid", {"op": "hard_sigmoid", "alpha": alpha, "beta": beta}, 12.0, 1.0, alpha=alpha,
                 beta=beta)


def gelu(random, dtype):
    return unary(random, dtype, "Gelu", {"op": "gelu"}, choose(random, 4.0, 12.0), 6.0)


def gelu_tanh(random, dtype):
    return unary(random, dtype, "Gelu", {"op": "gelu_tanh"}, choose(random, 4.0, 12.0), 6.0, approximate="tanh")


def relu(random, dtype):
    return unary(random, dtype, "Relu", {"op": "relu"})


def binary(random, dtype, op, json, a_range=4.0, b_range=3.0, out_range=6.0, integer=None):
    shape = [draw(random, 1, 4), draw(random, 1, 5), draw(random, 1, 40)]
    other = choose(random, shape, shape[-1:], [1, shape[1], 1], [1])
    a, b, y = (quantized(random, dtype, r) for r in (a_range, b_range, out_range))
    values = [a.values(random, shape), b.values(random, other)]
    inputs = [("a", a, shape), ("b", b, other)]
    if integer is None:
        model = between_conversions(op, inputs, y)
    else:
        operands = ["a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "y_scale", "y_zero"]
        model = make_model([helper.make_node(integer, operands, ["y"], domain=MICROSOFT)], inputs, y,
                           parameters("a", a) + parameters("b", b) + parameters("y", y))
    return Layer({"inputs": ["x0", "x1"], **json}, list(zip((a, b), values)), model, dict(zip("ab", values)), output=y)


def add(random, dtype):
    return binary(random, dtype, "Add", {"op": "add"}, integer="QLinearAdd" if np.iinfo(dtype).bits == 8 else None)


def mul(random, dtype):
    return binary(random, dtype, "Mul", {"op": "mul"}, out_range=8.0,
                  integer="QLinearMul" if np.iinfo(dtype).bits == 8 else None)


def sub(random, dtype):
    return binary(random, dtype, "Sub", {"op": "sub"})


def minimum(random, dtype):
    return binary(random, dtype, "Min", {"op": "min"}, out_range=4.0)


def maximum(random, dtype):
    return binary(random, dtype, "Max", {"op": "max"}, out_range=4.0)


def prelu(random, dtype):
    shape = image(random)
    x, y = quantized(random, dtype, 8.0), quantized(random, dtype, 6.0)
    slope = quantized(random, dtype, 1.0)
    values, slopes = x.values(random, shape), slope.values(random, [shape[-1]])
    model = between_conversions("PRelu", [("x", x, to_nchw(values).shape), ("slope", slope, [shape[-1], 1, 1])], y)
    operand = {"shape": [shape[-1]], **slope.json, "values": [int(v) for v in slopes]}
    return Layer({"op": "prelu", "inputs": ["x0", operand]}, [(x, values)], model,
                 {"x": to_nchw(values), "slope": slopes.reshape(-1, 1, 1)}, nchw=True, output=y)


# ---- windows and rows ------------------------------------------------------------------------------------------


def average_pool(random, dtype):
    shape = image(random)
    kernel = [draw(random, 1, min(4, shape[1])), draw(random, 1, min(4, shape[2]))]
    pads = [draw(random, 0, kernel[0] - 1), draw(random, 0, kernel[1] - 1), draw(random, 0, kernel[0] - 1),
            draw(random, 0, kernel[1] - 1)]  # top, left, bottom, right
    stride = [draw(random, 1, 3), draw(random, 1, 3)]
    include = draw(random, 0, 1)
    x = quantized(random, dtype, 6.0)
    y = choose(random, quantized(random, dtype, 4.0), x)
    values = x.values(random, shape)
    operands = ["x", "x_scale", "x_zero", "y_scale", "y_zero"]
    node = helper.make_node("QLinearAveragePool", operands, ["y"], domain=MICROSOFT, kernel_shape=kernel, pads=pads,
                            strides=stride, count_include_pad=include)
    model = make_model([node], [("x", x, to_nchw(values).shape)], y, parameters("x", x) + parameters("y", y))
    json = {"op": "average_pool2d", "input": "x0", "kernel": kernel, "stride": stride,
            "padding": [pads[0], pads[2], pads[1], pads[3]], "count_include_pad": bool(include)}
    return Layer(json, [(x, values)], model, {"x": to_nchw(values)}, nchw=True, output=y)


def global_average_pool(random, dtype):
    shape = image(random)
    x = quantized(random, dtype, 6.0)
    y = choose(random, quantized(random, dtype, 2.0), x)
    values = x.values(random, shape)
    node = helper.make_node("QLinearGlobalAveragePool", ["x", "x_scale", "x_zero", "y_scale", "y_zero"], ["y"],
                            domain=MICROSOFT)
    model = make_model([node], [("x", x, to_nchw(values).shape)], y, parameters("x", x) + parameters("y", y))
    return Layer({"op": "average_pool2d", "input": "x0", "kernel": shape[1:3]}, [(x, values)], model, {"x": to_nchw(values)}, nchw=True,
                 output=y)


def reduce_mean(random, dtype):
    """Without channels before rows: that order is the ONNX reader's to state."""
    shape = choose(random, [draw(random, 1, 5), draw(random, 1, 200)], [draw(random, 1, 3), draw(random, 2, 40), draw(random, 1, 9)],
                   [draw(random, 1, 3), draw(random, 1, 7), draw(random, 1, 7), draw(random, 1, 9)])
    axes = choose(random, [-1], [1], [0], list(range(1, len(shape))), [len(shape) - 2, len(shape) - 1])
    x = quantized(random, dtype, 6.0)
    y = choose(random, quantized(random, dtype, 3.0), x)
    values = x.values(random, shape)
    model = between_conversions("ReduceMean", [("x", x, shape)], y, [constant("axes", axes, np.int64)], ["axes"], keepdims=1)
    return Layer({"op": "mean", "input": "x0", "axes": axes}, [(x, values)], model, {"x": values}, output=y)


def softmax(random, dtype):
    shape = [draw(random, 1, 6), choose(random, 1, 2, 3, 10, 100, 1000)]
    x = quantized(random, dtype, choose(random, 1.0, 8.0, 60.0))
    y = quantized(random, dtype, 1.0)
    if random.random() < 0.4:
        y.scale = np.float32(1 / 256)
    values = x.values(random, shape)
    node = helper.make_node("QLinearSoftmax", ["x", "x_scale", "x_zero", "y_scale", "y_zero"], ["y"], domain=MICROSOFT,
                            axis=-1, opset=13)
    model = make_model([node], [("x", x, shape)], y, parameters("x", x) + parameters("y", y))
    return Layer({"op": "softmax", "input": "x0"}, [(x, values)], model, {"x": values}, output=y)


def layer_norm(random, dtype):
    shape = [draw(random, 1, 9), choose(random, draw(random, 1, 7), draw(random, 8, 70), 768)]
    epsilon = float(np.float32(choose(random, 1e-5, 1e-12, 1e-3)))
    gamma = random.normal(1.0, 0.3, shape[-1]).astype(np.float32)
    beta = random.normal(0.0, 0.3, shape[-1]).astype(np.float32)
    x, y = quantized(random, dtype, choose(random, 2.0, 20.0)), quantized(random, dtype, 6.0)
    values = x.values(random, shape)
    model = between_conversions("LayerNormalization", [("x", x, shape)], y,
                                [constant("gamma", gamma, np.float32), constant("beta", beta, np.float32)], ["gamma", "beta"],
                                axis=-1, epsilon=epsilon)
    operands = ["x0"] + [{"type": "float32", "shape": [shape[-1]], "values": [float(v) for v in c]} for c in (gamma, beta)]
    return Layer({"op": "layer_norm", "inputs": operands, "epsilon": epsilon}, [(x, values)], model, {"x": values}, output=y)


def resize(random, dtype, mode):
    shape = image(random)
    x = quantized(random, dtype, 6.0)
    values = x.values(random, shape)
    coordinates = choose(random, "half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
    json = {"op": f"resize_{mode}", "input": "x0", "coordinates": coordinates}
    if mode == "nearest":
        attributes["nearest_mode"] = json["rounding"] = choose(random, "floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
    if draw(random, 0, 1):
        size = [draw(random, 1, 20), draw(random, 1, 20)]
        factors = [np.float32(out) / np.float32(before) for out, before in zip(size, shape[1:3])]
        sizes = [shape[0], shape[3], *size]
        operands, initializers = ["x", "", "", "sizes"], [constant("sizes", sizes, np.int64)]
    else:
        factors = [np.float32(choose(random, 2, 3, 1.5, 2.3, 1)) for _ in range(2)]
        size = [int(np.float32(before) * factor) for before, factor in zip(shape[1:3], factors)]
        operands, initializers = ["x", "", "scales"], [constant("scales", [1, 1, *factors], np.float32)]
    json["scale"] = [float(factor) for factor in factors]
    model = make_model([helper.make_node("Resize", operands, ["y"], **attributes)], [("x", x, to_nchw(values).shape)], x,
                       initializers)
    return Layer(json, [(x, values)], model, {"x": to_nchw(values)}, nchw=True, output=x,
                 shape=[shape[0], *size, shape[3]])


def resize_nearest(random, dtype):
    return resize(random, dtype, "nearest")


def resize_linear(random, dtype):
    return resize(random, dtype, "linear")


def resize_linear_behind_convolution(random, dtype):
    """ONNX Runtime moves channels last there, and interpolates with integer weights."""
    layer = resize(random, dtype, "linear")
    channels = layer.inputs[0][1].shape[-1]
    identity = np.eye(channels, dtype=dtype).reshape(channels, channels, 1, 1)
    graph = layer.model.graph
    graph.initializer.extend([constant("one", 1.0, np.float32), constant("zero", 0, dtype), constant("w", identity, dtype)])
    convolution = helper.make_node("QLinearConv", ["x", "one", "zero", "w", "one", "zero", "one", "zero"], ["c"])
    graph.node.insert(0, convolution)
    graph.node[1].input[0] = "c"
    layer.json["blend"] = "integers_1024"
    return layer


def concat(random, dtype):
    axis = draw(random, 0, 2)
    shapes = [[2, 3, 4] for _ in range(draw(random, 1, 3))]
    for shape in shapes:
        shape[axis] = draw(random, 1, 5)
    y = quantized(random, dtype, 4.0)
    inputs = [choose(random, quantized(random, dtype, 4.0), y) for _ in shapes]
    values = [q.values(random, shape) for q, shape in zip(inputs, shapes)]
    names = [f"x{i}" for i in range(len(inputs))]
    operands = ["y_scale", "y_zero"] + [part for n in names for part in (n, f"{n}_scale", f"{n}_zero")]
    initializers = parameters("y", y) + [p for n, q in zip(names, inputs) for p in parameters(n, q)]
    model = make_model([helper.make_node("QLinearConcat", operands, ["y"], domain=MICROSOFT, axis=axis)],
                       list(zip(names, inputs, shapes)), y, initializers)
    return Layer({"op": "concat", "inputs": names, "axis": axis}, list(zip(inputs, values)), model, dict(zip(names, values)),
                 output=y)


BYTES = [np.uint8, np.int8]
ALL_TYPES = [np.uint8, np.int8, np.uint16, np.int16]
OPERATORS = [(f, d) for f in (average_pool, concat, global_average_pool, qgemm, qlinear_conv, qlinear_conv_depthwise,
                              qlinear_conv_grouped, resize_linear, resize_linear_behind_convolution, resize_nearest, softmax)
             for d in BYTES]
OPERATORS += [(f, d) for f in (add, gelu, gelu_tanh, hard_sigmoid, hard_swish, layer_norm, leaky_relu, maximum, minimum, mul, prelu,
                               reduce_mean, relu, sigmoid, softsign, sub, tanh) for d in ALL_TYPES]
