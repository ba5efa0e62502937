"""One operator of ONNX Runtime beside the same layer of a JSON workload with "onnx" semantics.

Each function takes a numpy generator and returns a `Layer`: the layer's JSON (its inputs are x0, x1, ..; channels last),
arrays for them, and an ONNX model with the same tensors in ONNX's layout. Scales are drawn so that outputs fill a good
part of their range; a share of them is chosen so that ties are frequent (equal scales, powers of two).
"""

import dataclasses

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ELEMENT_TYPES = {np.int8: TensorProto.INT8, np.uint8: TensorProto.UINT8, np.int16: TensorProto.INT16,
                 np.uint16: TensorProto.UINT16}
MICROSOFT = "com.microsoft"


@dataclasses.dataclass
class Quantized:
    """A tensor's type and parameters."""

    dtype: type
    scale: np.float32
    zero_point: int

    @property
    def json(self):
        limits = np.iinfo(self.dtype)
        return {"bits": limits.bits, "signed": limits.min < 0, "scale": float(self.scale), "zero_point": self.zero_point}

    def values(self, random, shape):
        limits = np.iinfo(self.dtype)
        if random.random() < 0.3:  # peaked, as activations are
            spread = random.uniform(0.02, 0.3) * (limits.max - limits.min)
            values = np.rint(random.normal(self.zero_point, spread, shape))
            return np.clip(values, limits.min, limits.max).astype(self.dtype)
        return random.integers(limits.min, limits.max + 1, shape).astype(self.dtype)


@dataclasses.dataclass
class Layer:
    json: dict
    inputs: list  # of (Quantized, array), channels last
    model: onnx.ModelProto
    feeds: dict
    nchw: bool = False  # the model's output has channels before rows
    output: Quantized = None
    shape: list = None  # of the output, where the layer does not decide it


def draw(random, low, high):
    return int(random.integers(low, high + 1))


def choose(random, *choices):
    return choices[draw(random, 0, len(choices) - 1)]


def scale(random, real_range, dtype):
    """Of a range of real numbers; now and then a power of two."""
    steps = np.iinfo(dtype).max - np.iinfo(dtype).min
    exact = real_range / steps * random.uniform(0.7, 1.4)
    if random.random() < 0.3:
        exact = 2.0 ** np.round(np.log2(exact))
    return np.float32(exact)


def quantized(random, dtype, real_range):
    limits = np.iinfo(dtype)
    zero_point = choose(random, 0, limits.min, draw(random, limits.min, limits.max), (limits.min + limits.max + 1) // 2)
    return Quantized(dtype, scale(random, real_range, dtype), zero_point)


def constant(name, value, dtype):
    return numpy_helper.from_array(np.asarray(value, dtype), name)


def parameters(name, q):
    """Initializers NAME_scale and NAME_zero."""
    return [constant(f"{name}_scale", q.scale, np.float32), constant(f"{name}_zero", q.zero_point, q.dtype)]


def make_model(nodes, inputs, output, initializers, opset=21):
    """`inputs`: (name, Quantized, shape)."""
    infos = [helper.make_tensor_value_info(name, ELEMENT_TYPES[q.dtype], shape) for name, q, shape in inputs]
    result = helper.make_tensor_value_info("y", ELEMENT_TYPES[output.dtype], None)
    graph = helper.make_graph(nodes, "layer", infos, [result], initializers)
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset),
                                                                 helper.make_opsetid(MICROSOFT, 1)])


def between_conversions(op, inputs, y, initializers=(), constants=(), opset=21, **attributes):
    """DequantizeLinear of each input, the float operator, QuantizeLinear; `inputs` as make_model()."""
    nodes, operands, parameter_list = [], [], list(initializers)
    for name, q, _ in inputs:
        nodes.append(helper.make_node("DequantizeLinear", [name, f"{name}_scale", f"{name}_zero"], [f"{name}_real"]))
        operands.append(f"{name}_real")
        parameter_list += parameters(name, q)
    nodes.append(helper.make_node(op, [*operands, *constants], ["y_real"], **attributes))
    nodes.append(helper.make_node("QuantizeLinear", ["y_real", "y_scale", "y_zero"], ["y"]))
    return make_model(nodes, inputs, y, parameter_list + parameters("y", y), opset)


def image(random, channels=8, size=9):
    return [draw(random, 1, 2), draw(random, 1, size), draw(random, 1, size), draw(random, 1, channels)]


def to_nchw(array):
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


# ---- element by element ----------------------------------------------------------------------------------------


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


# ---- on the MAC array ------------------------------------------------------------------------------------------


def weights(random, shape, dtype, per_channel):
    limits = np.iinfo(dtype)
    zero_point = 0 if per_channel and dtype == np.int8 else draw(random, limits.min, limits.max)
    count = shape[0] if per_channel else 1
    scales = random.uniform(0.002, 0.02, count).astype(np.float32)
    values = random.integers(limits.min, limits.max + 1, shape).astype(dtype)
    return values, scales, zero_point


def output_range(x, scales, depth):
    limits = np.iinfo(x.dtype)
    return 4 * np.sqrt(depth) * float(x.scale) * (limits.max - limits.min) / 4 * float(np.mean(scales)) * 73


def convolution(random, dtype, groups=1, depthwise=False):
    height, width = draw(random, 3, 9), draw(random, 3, 9)
    channels = draw(random, 1, 9) * groups
    outputs = channels * choose(random, 1, 2) if depthwise else draw(random, 1, 9) * groups
    groups = channels if depthwise else groups
    kernel, stride = [draw(random, 1, 3), draw(random, 1, 3)], [draw(random, 1, 3), draw(random, 1, 3)]
    pads = [draw(random, 0, 2) for _ in range(4)]
    weight_type = choose(random, np.int8, np.uint8) if dtype == np.uint8 else np.int8
    x = quantized(random, dtype, 4.0)
    depth = kernel[0] * kernel[1] * channels // groups
    w, scales, w_zero = weights(random, [outputs, *kernel, channels // groups], weight_type, bool(draw(random, 0, 1)))
    y = quantized(random, dtype, output_range(x, scales, depth))
    bias = random.integers(-20000, 20000, outputs).astype(np.int32)
    values = x.values(random, [draw(random, 1, 2), height, width, channels])
    zero = np.full(len(scales), w_zero) if len(scales) > 1 else w_zero
    initializers = [constant("w", np.moveaxis(w, -1, 1), weight_type), constant("w_zero", zero, weight_type),
                    constant("w_scale", scales if len(scales) > 1 else scales[0], np.float32), constant("bias", bias, np.int32)]
    operands = ["x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero", "bias"]
    node = helper.make_node("QLinearConv", operands, ["y"], kernel_shape=kernel, strides=stride, group=groups, pads=pads)
    model = make_model([node], [("x", x, to_nchw(values).shape)], y, parameters("x", x) + parameters("y", y) + initializers)
    description = {"shape": list(w.shape), "bits": 8, "signed": weight_type == np.int8, "zero_point": w_zero,
                   "scale": [float(s) for s in scales] if len(scales) > 1 else float(scales[0]),
                   "values": [int(v) for v in w.reshape(-1)]}
    if len(scales) > 1:
        description["axis"] = 0
    json = {"op": "conv2d", "input": "x0", "weights": description, "bias": {"values": [int(v) for v in bias]}, "groups": groups,
            "stride": stride, "padding": [pads[0], pads[2], pads[1], pads[3]]}
    return Layer(json, [(x, values)], model, {"x": to_nchw(values)}, nchw=True, output=y)


def qlinear_conv(random, dtype):
    return convolution(random, dtype)


def qlinear_conv_grouped(random, dtype):
    return convolution(random, dtype, groups=draw(random, 2, 3))


def qlinear_conv_depthwise(random, dtype):
    return convolution(random, dtype, depthwise=True)


def qgemm(random, dtype):
    rows, depth, outputs = draw(random, 1, 5), draw(random, 1, 70), draw(random, 1, 20)
    weight_type = choose(random, np.int8, np.uint8) if dtype == np.uint8 else np.int8
    x = quantized(random, dtype, 4.0)
    w, scales, w_zero = weights(random, [outputs, depth], weight_type, bool(draw(random, 0, 1)))
    y = quantized(random, dtype, output_range(x, scales, depth))
    bias = random.integers(-20000, 20000, outputs).astype(np.int32)
    values = x.values(random, [rows, depth])
    zero = np.full(len(scales), w_zero) if len(scales) > 1 else w_zero
    initializers = [constant("w", w, weight_type), constant("w_zero", zero, weight_type), constant("bias", bias, np.int32),
                    constant("w_scale", scales if len(scales) > 1 else scales[0], np.float32)]
    operands = ["x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "bias", "y_scale", "y_zero"]
    node = helper.make_node("QGemm", operands, ["y"], domain=MICROSOFT, transB=1)
    model = make_model([node], [("x", x, [rows, depth])], y, parameters("x", x) + parameters("y", y) + initializers)
    description = {"shape": [outputs, depth], "bits": 8, "signed": weight_type == np.int8, "zero_point": w_zero,
                   "scale": [float(s) for s in scales] if len(scales) > 1 else float(scales[0]),
                   "values": [int(v) for v in w.reshape(-1)]}
    if len(scales) > 1:
        description["axis"] = 0
    json = {"op": "fully_connected", "input": "x0", "weights": description, "bias": {"values": [int(v) for v in bias]}}
    return Layer(json, [(x, values)], model, {"x": values}, output=y)


BYTES = [np.uint8, np.int8]
ALL_TYPES = [np.uint8, np.int8, np.uint16, np.int16]
OPERATORS = [(f, d) for f in (average_pool, concat, global_average_pool, qgemm, qlinear_conv, qlinear_conv_depthwise,
                              qlinear_conv_grouped, resize_linear, resize_linear_behind_convolution, resize_nearest, softmax)
             for d in BYTES]
OPERATORS += [(f, d) for f in (add, gelu, gelu_tanh, hard_sigmoid, hard_swish, layer_norm, leaky_relu, maximum, minimum, mul, prelu,
                               reduce_mean, relu, sigmoid, sub, tanh) for d in ALL_TYPES]
