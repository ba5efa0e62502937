"""Random quantized layers as ONNX models in operator form: many layers side by side in one model.

Shapes, pads, strides, dilations, groups, zero points and scales are drawn wide. In most layers a scale is chosen so that
the real result of some output element lies within a few units in the last place of a tie, k + 1/2: there the
runtimes' formulas differ if they differ anywhere.
"""

import dataclasses

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
OPSETS = (13, 15, 17, 19, 21)
IR_VERSION = 10


@dataclasses.dataclass
class Layer:
    """One layer of a batch, with what a second implementation needs to compute it."""

    operator: str
    inputs: list  # names of the graph inputs, in order
    output: str
    values: dict  # constants and attributes by name


class Batch:
    """A model under construction; every layer has inputs and outputs of its own."""

    def __init__(self, dtype, seed):
        self.dtype = np.dtype(dtype)
        self.random = np.random.default_rng([seed, self.dtype.kind == "u"])
        self.opset = self.choose(*OPSETS)
        self.layers = []
        self.values = {}  # of the graph inputs
        self._inputs, self._outputs, self._nodes, self._initializers = [], [], [], []

    # ---- random numbers

    def draw(self, low, high):
        return int(self.random.integers(low, high + 1))

    def choose(self, *choices):
        return choices[self.draw(0, len(choices) - 1)]

    def often(self, probability):
        return self.random.random() < probability

    def scale(self, low=1e-3, high=0.5):
        """Log-uniform; sometimes a power of two, which makes exact ties."""
        value = np.exp(self.random.uniform(np.log(low), np.log(high)))
        return np.float32(2.0 ** np.round(np.log2(value)) if self.often(0.15) else value)

    def zero_point(self, dtype=None):
        limits = np.iinfo(self.dtype if dtype is None else dtype)
        return self.choose(0, limits.min, limits.max, *(self.draw(limits.min, limits.max) for _ in range(5)))

    def integers(self, shape, dtype=None):
        """Uniform, narrow around some value, or all at a limit."""
        dtype = np.dtype(self.dtype if dtype is None else dtype)
        limits = np.iinfo(dtype)
        kind = self.draw(0, 9)
        if kind == 0:
            return np.full(shape, self.choose(limits.min, limits.max), dtype)
        if kind <= 2:
            values = np.rint(self.random.normal(self.draw(limits.min, limits.max), 20, shape))
            return np.clip(values, limits.min, limits.max).astype(dtype)
        return self.random.integers(limits.min, limits.max + 1, shape, dtype)

    def tie(self, value, zero_point):
        """A scale s with value / s near k + 1/2 for some k whose integer k + zero_point is in range; a free one where
        there is none or, now and then, all the same."""
        limits = np.iinfo(self.dtype)
        value = float(value)
        if value == 0 or not np.isfinite(value) or self.often(0.1):
            return self.scale()
        low, high = limits.min - zero_point, limits.max - zero_point - 1
        ks = [k for k in range(low, high + 1) if (k + 0.5) * value > 0]
        if not ks:
            return np.float32(abs(value) / self.draw(1, 200))
        k = ks[self.draw(0, len(ks) - 1)]
        scale = np.float32(value / (k + 0.5))
        for _ in range(self.draw(0, 2)):
            scale = np.nextafter(scale, np.float32(self.choose(0, np.inf)))
        tiny = np.finfo(np.float32).tiny
        return np.float32(min(max(scale, tiny), 1e30))

    # ---- the model

    def input(self, value):
        name = f"x{len(self._inputs)}"
        self.values[name] = value
        self._inputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape))
        return name

    def constant(self, value, dtype=None):
        name = f"c{len(self._initializers)}"
        self._initializers.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def layer(self, operator, inputs, constants, output_dtype, domain="", attributes=None, values=None):
        """`constants` and inputs are names in the operator's order ("" for an absent one)."""
        output = f"y{len(self.layers)}"
        self._nodes.append(helper.make_node(operator, constants, [output], f"{operator}_{len(self.layers)}", domain=domain,
                                            **(attributes or {})))
        self._outputs.append(helper.make_tensor_value_info(output, helper.np_dtype_to_tensor_dtype(np.dtype(output_dtype)), None))
        self.layers.append(Layer(operator, inputs, output, {**(attributes or {}), **(values or {})}))

    def model(self):
        graph = helper.make_graph(self._nodes, "layers", self._inputs, self._outputs, self._initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset), helper.make_opsetid(MICROSOFT, 1)],
                                  ir_version=IR_VERSION)
        inferred = onnx.shape_inference.infer_shapes(model)
        return inferred


def element(random, array):
    """One element, away from zero where there is one."""
    flat = np.asarray(array).reshape(-1)
    nonzero = flat[flat != 0]
    return (nonzero if nonzero.size else flat)[int(random.integers(0, (nonzero if nonzero.size else flat).size))]


# ---- products with constant weights

def windows(x, kernel, strides, dilations, pads, zero_point):
    """[batch, channels, out..., taps] of an array of 1 or 2 spatial dimensions."""
    rank = len(kernel)
    around = [(0, 0), (0, 0)] + [(pads[d], pads[d + rank]) for d in range(rank)]
    padded = np.pad(x.astype(np.int64), around, constant_values=zero_point)
    out = [(padded.shape[2 + d] - (kernel[d] - 1) * dilations[d] - 1) // strides[d] + 1 for d in range(rank)]
    taps = []
    for tap in np.ndindex(*kernel):
        at = tuple(slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in zip(tap, dilations, out, strides))
        taps.append(padded[(slice(None), slice(None), *at)])
    return np.stack(taps, -1)


def conv_sums(x, w, zero_points, groups, strides, dilations, pads, bias=None):
    """Exact accumulators of a convolution."""
    x_zero, w_zero = zero_points
    taps = windows(x, w.shape[2:], strides, dilations, pads, x_zero) - x_zero
    outputs = []
    per_group, channels = w.shape[0] // groups, w.shape[1]
    flat = w.astype(np.int64).reshape(w.shape[0], channels, -1)
    for n in range(w.shape[0]):
        group = n // per_group
        part = taps[:, group * channels : (group + 1) * channels]
        zero = w_zero if np.ndim(w_zero) == 0 else w_zero[n]
        outputs.append(np.einsum("bc...t,ct->b...", part, flat[n] - int(zero)))
    sums = np.stack(outputs, 1)
    return sums if bias is None else sums + bias.reshape(1, -1, *[1] * (sums.ndim - 2))


def weight_type(batch):
    """int8 activations go with int8 weights; uint8 ones with either."""
    return np.int8 if batch.dtype == np.int8 else batch.choose(np.int8, np.int8, np.uint8)


def weight_scales(batch, sums, x_scale, y_scale, y_zero, per_channel, axis):
    """Scales near a tie of some output of each channel: acc * x_scale * w_scale / y_scale = k + 1/2."""
    if not per_channel:
        target = batch.tie(element(batch.random, sums), y_zero)  # acc / target = k + 1/2
        return np.float32(y_scale / (target * x_scale))
    channels = np.moveaxis(sums, axis, 0)
    return np.array([y_scale / (batch.tie(element(batch.random, c), y_zero) * x_scale) for c in channels], np.float32)


def usable(scales):
    return np.all(np.isfinite(scales)) and np.all(scales > 1e-30) and np.all(scales < 1e30)


def conv_shape(batch):
    rank = batch.choose(2, 2, 2, 1)
    depthwise = batch.often(0.3)
    groups = batch.draw(2, 9) if depthwise else batch.choose(1, 1, 1, 2, 3)
    channels = 1 if depthwise else batch.choose(batch.draw(1, 9), batch.draw(1, 40))
    outputs = groups * (batch.choose(1, 1, 2) if depthwise else batch.draw(1, 9))
    kernel = [batch.draw(1, batch.choose(3, 3, 5)) for _ in range(rank)]
    dilations = [batch.choose(1, 1, 2, 3) for _ in range(rank)]
    strides = [batch.choose(1, 1, 2, 3) for _ in range(rank)]
    pads = [batch.draw(0, batch.choose(0, (k - 1) * d)) for k, d in zip(kernel * 2, dilations * 2)]
    size = [max(batch.draw(1, 9), (k - 1) * d + 1 - p - q)
            for k, d, p, q in zip(kernel, dilations, pads[:rank], pads[rank:])]
    return {"x": [batch.choose(1, 1, 2), channels * groups, *size], "w": [outputs, channels, *kernel], "group": groups,
            "strides": strides, "dilations": dilations, "pads": pads}


def qlinear_conv(batch):
    shape = conv_shape(batch)
    attributes = {key: shape[key] for key in ("group", "strides", "dilations", "pads")}
    w_type = weight_type(batch)
    x, w = batch.integers(shape["x"]), batch.integers(shape["w"], w_type)
    x_zero, y_zero = batch.zero_point(), batch.zero_point()
    w_zero = batch.zero_point(np.uint8) if w_type == np.uint8 else batch.choose(0, 0, 0, batch.zero_point(np.int8))
    bias = batch.random.integers(-20000, 20001, shape["w"][0]).astype(np.int32) if batch.often(0.7) else None
    sums = conv_sums(x, w, (x_zero, w_zero), shape["group"], shape["strides"], shape["dilations"], shape["pads"], bias)
    x_scale, y_scale = batch.scale(), batch.scale()
    per_channel = batch.often(0.5)
    w_scale = weight_scales(batch, sums, x_scale, y_scale, y_zero, per_channel, 1)
    w_zeros = np.full(np.shape(w_scale), w_zero, w_type)
    name = batch.input(x)
    operands = [name, batch.constant(x_scale), batch.constant(x_zero, batch.dtype), batch.constant(w), batch.constant(w_scale),
                batch.constant(w_zeros), batch.constant(y_scale), batch.constant(y_zero, batch.dtype)]
    if bias is not None:
        operands.append(batch.constant(bias))
    batch.layer("QLinearConv", [name], operands, batch.dtype, attributes=attributes,
                values={"x_scale": x_scale, "x_zero": x_zero, "w": w, "w_scale": w_scale, "w_zero": w_zero, "y_scale": y_scale,
                        "y_zero": y_zero, "bias": bias})


def conv_integer(batch):
    shape = conv_shape(batch)
    attributes = {key: shape[key] for key in ("group", "strides", "dilations", "pads")}
    x, w = batch.integers(shape["x"], np.uint8), batch.integers(shape["w"], np.uint8)
    x_zero, w_zero = batch.zero_point(np.uint8), batch.zero_point(np.uint8)
    name = batch.input(x)
    operands = [name, batch.constant(w), batch.constant(x_zero, np.uint8), batch.constant(w_zero, np.uint8)]
    batch.layer("ConvInteger", [name], operands, np.int32, attributes=attributes,
                values={"x_zero": x_zero, "w": w, "w_zero": w_zero})


def matmul_shapes(batch):
    m, k, n = batch.draw(1, 8), batch.choose(batch.draw(1, 20), batch.draw(1, 300)), batch.draw(1, 20)
    return batch.choose([m, k], [m, k], [2, m, k], [2, 3, m, k]), [k, n]


def qlinear_matmul(batch):
    a_shape, b_shape = matmul_shapes(batch)
    w_type = weight_type(batch)
    a, b = batch.integers(a_shape), batch.integers(b_shape, w_type)
    a_zero, y_zero = batch.zero_point(), batch.zero_point()
    b_zero = batch.zero_point(w_type) if batch.often(0.5) else 0
    sums = (a.astype(np.int64) - a_zero) @ (b.astype(np.int64) - b_zero)
    a_scale, y_scale = batch.scale(), batch.scale()
    per_channel = batch.often(0.4)
    b_scale = weight_scales(batch, sums, a_scale, y_scale, y_zero, per_channel, -1)
    name = batch.input(a)
    operands = [name, batch.constant(a_scale), batch.constant(a_zero, batch.dtype), batch.constant(b), batch.constant(b_scale),
                batch.constant(np.full(np.shape(b_scale), b_zero, w_type)), batch.constant(y_scale),
                batch.constant(y_zero, batch.dtype)]
    batch.layer("QLinearMatMul", [name], operands, batch.dtype,
                values={"a_scale": a_scale, "a_zero": a_zero, "b": b, "b_scale": b_scale, "b_zero": b_zero, "y_scale": y_scale,
                        "y_zero": y_zero})


def qlinear_matmul_activations(batch):
    """Both operands are computed by the network."""
    m, k, n = batch.draw(1, 8), batch.choose(batch.draw(1, 20), batch.draw(1, 100)), batch.draw(1, 20)
    lead = batch.choose([], [2], [2, 3])
    a, b = batch.integers([*lead, m, k]), batch.integers([*lead, k, n])
    a_zero, b_zero, y_zero = batch.zero_point(), batch.zero_point(), batch.zero_point()
    sums = (a.astype(np.int64) - a_zero) @ (b.astype(np.int64) - b_zero)
    a_scale, y_scale = batch.scale(), batch.scale()
    b_scale = weight_scales(batch, sums, a_scale, y_scale, y_zero, False, -1)
    names = [batch.input(a), batch.input(b)]
    operands = [names[0], batch.constant(a_scale), batch.constant(a_zero, batch.dtype), names[1], batch.constant(b_scale),
                batch.constant(b_zero, batch.dtype), batch.constant(y_scale), batch.constant(y_zero, batch.dtype)]
    batch.layer("QLinearMatMul", names, operands, batch.dtype,
                values={"a_scale": a_scale, "a_zero": a_zero, "b_scale": b_scale, "b_zero": b_zero, "y_scale": y_scale,
                        "y_zero": y_zero})


def matmul_integer(batch):
    a_shape, b_shape = matmul_shapes(batch)
    a, b = batch.integers(a_shape), batch.integers(b_shape, weight_type(batch))
    a_zero, b_zero = batch.zero_point(), batch.zero_point(b.dtype)
    name = batch.input(a)
    operands = [name, batch.constant(b), batch.constant(a_zero, batch.dtype), batch.constant(b_zero, b.dtype)]
    batch.layer("MatMulInteger", [name], operands, np.int32, values={"a_zero": a_zero, "b": b, "b_zero": b_zero})


def qgemm(batch):
    m, k, n = batch.draw(1, 8), batch.draw(1, 200), batch.draw(1, 20)
    w_type = weight_type(batch)
    transposed = batch.often(0.5)
    a, b = batch.integers([m, k]), batch.integers([n, k] if transposed else [k, n], w_type)
    matrix = b.T if transposed else b
    a_zero, y_zero = batch.zero_point(), batch.zero_point()
    b_zero = batch.zero_point(w_type) if batch.often(0.5) else 0
    alpha = np.float32(batch.choose(1.0, 1.0, 0.5, 0.7))
    bias = batch.random.integers(-20000, 20001, n).astype(np.int32) if batch.often(0.7) else None
    sums = (a.astype(np.int64) - a_zero) @ (matrix.astype(np.int64) - b_zero) + (0 if bias is None else bias)
    a_scale, y_scale = batch.scale(), batch.scale()
    b_scale = weight_scales(batch, sums, a_scale * alpha, y_scale, y_zero, batch.often(0.4), -1)
    name = batch.input(a)
    operands = [name, batch.constant(a_scale), batch.constant(a_zero, batch.dtype), batch.constant(b), batch.constant(b_scale),
                batch.constant(np.full(np.shape(b_scale), b_zero, w_type)), "" if bias is None else batch.constant(bias),
                batch.constant(y_scale), batch.constant(y_zero, batch.dtype)]
    batch.layer("QGemm", [name], operands, batch.dtype, MICROSOFT, {"alpha": float(alpha), "transB": int(transposed)},
                {"a_scale": a_scale, "a_zero": a_zero, "b": matrix, "b_scale": b_scale, "b_zero": b_zero, "y_scale": y_scale,
                 "y_zero": y_zero, "bias": bias})


# ---- element by element

BROADCASTS = (([2, 3, 4, 5],) * 2, ([1, 7, 6, 6],) * 2, ([2, 3, 4, 5], [5]), ([1, 3, 1, 5], [2, 1, 4, 1]), ([7], [1]),
              ([1, 8, 5, 5], [1, 8, 1, 1]), ([33], [33]), ([2, 70], [2, 70]))


def binary(batch, operator):
    shapes = batch.choose(*BROADCASTS)
    constant = batch.often(0.3)
    a, b = (batch.integers(shape) for shape in shapes)
    zeros = [batch.zero_point() for _ in range(3)]
    a_scale, b_scale = batch.scale(), batch.scale()
    reals = [(v.astype(np.float64) - z) * float(s) for v, z, s in ((a, zeros[0], a_scale), (b, zeros[1], b_scale))]
    real = reals[0] + reals[1] if operator == "QLinearAdd" else reals[0] * reals[1]
    y_scale = batch.tie(element(batch.random, real), zeros[2])
    y_scale = y_scale if usable(y_scale) else np.float32(0.1)
    names = [batch.input(a)] + ([] if constant else [batch.input(b)])
    operands = [names[0], batch.constant(a_scale), batch.constant(zeros[0], batch.dtype),
                batch.constant(b) if constant else names[1], batch.constant(b_scale), batch.constant(zeros[1], batch.dtype),
                batch.constant(y_scale), batch.constant(zeros[2], batch.dtype)]
    batch.layer(operator, names, operands, batch.dtype, MICROSOFT,
                values={"b": b if constant else None, "a_scale": a_scale, "b_scale": b_scale, "y_scale": y_scale, "zeros": zeros})


def qlinear_add(batch):
    binary(batch, "QLinearAdd")


def qlinear_mul(batch):
    binary(batch, "QLinearMul")


def unary(batch, operator, function, attributes=None):
    """All values of the type, since there are only 256."""
    limits = np.iinfo(batch.dtype)
    x = batch.random.permutation(np.arange(limits.min, limits.max + 1)).astype(batch.dtype).reshape(1, 4, 8, 8)
    x_zero, y_zero = batch.zero_point(), batch.zero_point()
    x_scale = batch.scale(1e-3, 0.3)
    real = function((x.astype(np.float64) - x_zero) * float(x_scale))
    y_scale = batch.tie(element(batch.random, real), y_zero)
    name = batch.input(x)
    operands = [name, batch.constant(x_scale), batch.constant(x_zero, batch.dtype), batch.constant(y_scale),
                batch.constant(y_zero, batch.dtype)]
    batch.layer(operator, [name], operands, batch.dtype, MICROSOFT, attributes,
                {"x_scale": x_scale, "x_zero": x_zero, "y_scale": y_scale, "y_zero": y_zero})


def qlinear_leaky_relu(batch):
    alpha = float(np.float32(batch.choose(0.01, 0.1, 0.2, 0.3, 1.5)))
    unary(batch, "QLinearLeakyRelu", lambda x: np.where(x >= 0, x, x * alpha), {"alpha": alpha})


def qlinear_sigmoid(batch):
    unary(batch, "QLinearSigmoid", lambda x: 1 / (1 + np.exp(-x)))


def qlinear_softmax(batch):
    shape = batch.choose([1, 10], [3, 37], [2, 3, 4, 12], [1, 1000])
    axis = batch.choose(-1, len(shape) - 1)
    x = batch.integers(shape)
    x_scale, x_zero = batch.scale(1e-3, 1.0), batch.zero_point()
    y_scale = np.float32(batch.choose(1 / 256, 1 / 128, float(batch.scale(1e-4, 1e-2))))
    y_zero = batch.choose(int(np.iinfo(batch.dtype).min), batch.zero_point())
    name = batch.input(x)
    operands = [name, batch.constant(x_scale), batch.constant(x_zero, batch.dtype), batch.constant(y_scale),
                batch.constant(y_zero, batch.dtype)]
    batch.layer("QLinearSoftmax", [name], operands, batch.dtype, MICROSOFT, {"axis": axis, "opset": batch.opset},
                {"x_scale": x_scale, "x_zero": x_zero, "y_scale": y_scale, "y_zero": y_zero})


def qlinear_concat(batch):
    axis, count = batch.draw(0, 3), batch.draw(1, 4)
    shapes = [[2, 3, 4, 5] for _ in range(count)]
    for shape in shapes:
        shape[axis] = batch.draw(1, 5)
    y_zero = batch.zero_point()
    arrays = [batch.integers(shape) for shape in shapes]
    zeros, scales = [batch.zero_point() for _ in arrays], [batch.scale() for _ in arrays]
    y_scale = batch.tie((float(element(batch.random, arrays[0])) - zeros[0]) * float(scales[0]), y_zero)
    if batch.often(0.3):
        zeros[-1], scales[-1] = y_zero, y_scale  # copied
    names = [batch.input(array) for array in arrays]
    operands = [batch.constant(y_scale), batch.constant(y_zero, batch.dtype)]
    for name, scale, zero in zip(names, scales, zeros):
        operands += [name, batch.constant(scale), batch.constant(zero, batch.dtype)]
    batch.layer("QLinearConcat", names, operands, batch.dtype, MICROSOFT, {"axis": axis},
                {"scales": scales, "zeros": zeros, "y_scale": y_scale, "y_zero": y_zero})


# ---- windows

def qlinear_average_pool(batch):
    kernel = [batch.draw(1, 4), batch.draw(1, 4)]
    strides = [batch.draw(1, 3), batch.draw(1, 3)]
    pads = [batch.draw(0, batch.choose(0, k - 1)) for k in kernel * 2]
    include = int(batch.often(0.4))
    size = [max(batch.draw(1, 10), k) for k in kernel]
    x = batch.integers([batch.choose(1, 2), batch.draw(1, 9), *size])
    x_scale, x_zero, y_zero = batch.scale(), batch.zero_point(), batch.zero_point()
    window = x[0, 0, : kernel[0], : kernel[1]].astype(np.float64) - x_zero
    y_scale = batch.tie(window.mean() * float(x_scale), y_zero)
    name = batch.input(x)
    operands = [name, batch.constant(x_scale), batch.constant(x_zero, batch.dtype), batch.constant(y_scale),
                batch.constant(y_zero, batch.dtype)]
    batch.layer("QLinearAveragePool", [name], operands, batch.dtype, MICROSOFT,
                {"kernel_shape": kernel, "strides": strides, "pads": pads, "count_include_pad": include},
                {"x_scale": x_scale, "x_zero": x_zero, "y_scale": y_scale, "y_zero": y_zero})


def qlinear_global_average_pool(batch):
    x = batch.integers([batch.choose(1, 2), batch.draw(1, 40), batch.draw(1, 9), batch.draw(1, 9)])
    x_scale, x_zero, y_zero = batch.scale(), batch.zero_point(), batch.zero_point()
    means = (x.astype(np.float64) - x_zero).mean((2, 3))
    y_scale = batch.tie(element(batch.random, means) * float(x_scale), y_zero)
    name = batch.input(x)
    operands = [name, batch.constant(x_scale), batch.constant(x_zero, batch.dtype), batch.constant(y_scale),
                batch.constant(y_zero, batch.dtype)]
    batch.layer("QLinearGlobalAveragePool", [name], operands, batch.dtype, MICROSOFT, {"channels_last": 0},
                {"x_scale": x_scale, "x_zero": x_zero, "y_scale": y_scale, "y_zero": y_zero})


# ---- between integers and floats

def quantize_linear(batch):
    shape = batch.choose([4, 64], [2, 3, 4, 5])
    y_zero = batch.zero_point()
    scale = batch.scale()
    k = batch.random.integers(-200, 200, shape) + batch.choose(0.0, 0.5, 0.5)
    x = (k * float(scale)).astype(np.float32)
    for _ in range(batch.draw(0, 1)):
        x = np.nextafter(x, np.float32(batch.choose(-np.inf, np.inf)))
    name = batch.input(x)
    batch.layer("QuantizeLinear", [name], [name, batch.constant(scale), batch.constant(y_zero, batch.dtype)], batch.dtype,
                values={"y_scale": scale, "y_zero": y_zero})


def dequantize_linear(batch):
    x, scale, zero = batch.integers([4, 64]), batch.scale(1e-8, 1e8), batch.zero_point()
    name = batch.input(x)
    batch.layer("DequantizeLinear", [name], [name, batch.constant(scale), batch.constant(zero, batch.dtype)], np.float32,
                values={"x_scale": scale, "x_zero": zero})


OPERATORS = [qlinear_conv, qlinear_matmul, qlinear_matmul_activations, qgemm, qlinear_add, qlinear_mul, qlinear_leaky_relu,
             qlinear_sigmoid, qlinear_softmax, qlinear_concat, qlinear_average_pool, qlinear_global_average_pool,
             conv_integer, matmul_integer, quantize_linear, dequantize_linear]
# Of every ten layers this many are convolutions: they have the most parameters.
CONVOLUTIONS_OF_TEN = 4


def make_batch(dtype, seed, layers, operators=None):
    """A batch of `layers` random layers; the same arguments make the same batch."""
    batch = Batch(dtype, seed)
    operators = OPERATORS if operators is None else operators
    while len(batch.layers) < layers:
        wants_conv = batch.draw(0, 9) < CONVOLUTIONS_OF_TEN and qlinear_conv in operators
        (qlinear_conv if wants_conv else batch.choose(*operators))(batch)
    return batch
