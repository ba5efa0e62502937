"""One function a kind of layer: appends it behind tensor `x` of a RandomGraph and returns its output.

Activations are [batch, height, width, channels]. A function that finds nothing to do with `x` returns None.
"""

from random_graph import Grid

FLOAT = Grid(bits=0)


# ---- on the MAC array ----

def padded_window(g, size, kernel, dilation, padding):
    """Padding before and after of one dimension, enough for one window."""
    before, after = g.between(0, padding), g.between(0, padding)
    return before, after + max(0, (kernel - 1) * dilation + 1 - size - before - after)


def convolve(g, x, op, groups, channels):
    n, height, width, depth = x.shape
    kernel = g.between(1, 3), g.between(1, 3)
    stride = g.between(1, 2), g.between(1, 2)
    dilation = (g.rng.choice([1, 1, 1, 2]), g.rng.choice([1, 1, 1, 2]))
    padding = g.rng.choice([0, 2, 2])
    top, bottom = padded_window(g, height, kernel[0], dilation[0], padding)
    left, right = padded_window(g, width, kernel[1], dilation[1], padding)
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    shape = (n, (height + top + bottom - span[0]) // stride[0] + 1, (width + left + right - span[1]) // stride[1] + 1,
             channels)
    weights = g.weights((channels, *kernel, depth // groups), x)
    return g.emit(op, [x], shape, g.grid(), weights=weights, bias=g.bias(), stride=list(stride), dilation=list(dilation),
                  padding=[top, bottom, left, right], groups=groups if op == "conv2d" and groups > 1 else None,
                  activation=g.rng.choice(["none", "none", "relu", "relu6", "relu_n1_to_1"]))


def convolution(g, x):
    depth = x.shape[3]
    if depth % 2 == 0 and g.chance(0.2):
        return convolve(g, x, "conv2d", 2, 2 * g.between(1, 10))
    return convolve(g, x, "conv2d", 1, g.between(1, 24))


def depthwise(g, x):
    return convolve(g, x, "depthwise_conv2d", x.shape[3], x.shape[3] * g.between(1, 2))


def transposed_convolution(g, x):
    n, height, width, depth = x.shape
    kernel, stride = (g.between(1, 3), g.between(1, 3)), (g.between(1, 2), g.between(1, 2))
    padding = [g.between(0, k - 1) if (size - 1) * s + k > 2 * (k - 1) else 0
               for size, k, s in zip((height, width), kernel, stride)]
    out = [(size - 1) * s + k - 2 * p for size, s, k, p in zip((height, width), stride, kernel, padding)]
    channels = g.between(1, 12)
    weights = g.weights((channels, *kernel, depth), x)
    return g.emit("transpose_conv2d", [x], (n, *out, channels), g.grid(), weights=weights, bias=g.bias(),
                  stride=list(stride), padding=[padding[0], padding[0], padding[1], padding[1]])


def fully_connected(g, x):
    n, height, width, depth = x.shape
    flat = g.emit("reshape", [x], (n, height * width * depth), x.grid, given=False, shape=[n, height * width * depth])
    outputs = g.between(1, 40)
    weights = g.weights((outputs, height * width * depth), x)
    y = g.emit("fully_connected", [flat], (n, outputs), g.grid(), weights=weights, bias=g.bias())
    return g.emit("reshape", [y], (n, 1, 1, outputs), y.grid, given=False, shape=[n, 1, 1, outputs])


def matmul(g, x):
    n, height, width, depth = x.shape
    kind = g.between(0, 3)
    if kind == 0:
        return g.emit("matmul", [x, x], (n, height, width, width), g.grid(), transpose_b=True)
    if kind == 1:
        turned = g.emit("transpose", [x], (n, height, depth, width), x.grid, given=False, permutation=[0, 1, 3, 2])
        return g.emit("matmul", [x, turned], (n, height, width, width), g.grid())
    size = g.between(1, 24)
    if kind == 2:
        return g.emit("matmul", [g.constant((size, width), g.grid()), x], (n, height, size, depth), g.grid())
    return g.emit("matmul", [x, g.constant((depth, size), g.grid())], (n, height, width, size), g.grid())


def sums(g, x):
    """Accumulators as they are, which the host takes: 32 bits at s_x * s_w."""
    if not g.is_onnx or x.grid.bits != 8:
        return None
    depth = x.shape[3]
    weights = {"shape": [g.between(1, 8), 1, 1, depth], "scale": 1.0}
    unit = Grid(8, x.grid.signed, 1.0, x.grid.zero_point)
    y = g.emit("quantize", [x], x.shape, unit)
    total = g.emit("conv2d", [y], (*x.shape[:3], weights["shape"][0]), Grid(32, True, 1.0, 0), weights=weights)
    return quantized(g, g.emit("dequantize", [total], total.shape, FLOAT))


# ---- on the vector unit ----

def pool(g, x):
    n, height, width, depth = x.shape
    kernel = g.between(1, min(3, height)), g.between(1, min(3, width))
    stride = g.between(1, 2), g.between(1, 2)
    top, left = (g.between(0, 1) if k > 1 else 0 for k in kernel)
    shape = (n, (height + top - kernel[0]) // stride[0] + 1, (width + left - kernel[1]) // stride[1] + 1, depth)
    op = g.rng.choice(["max_pool2d", "average_pool2d"])
    own = op == "average_pool2d" and g.is_onnx and g.chance(0.5)
    return g.emit(op, [x], shape, g.grid() if own else x.grid, given=own or g.is_onnx, kernel=list(kernel),
                  stride=list(stride), padding=[top, 0, left, 0],
                  count_include_pad=True if op == "average_pool2d" and g.is_onnx and g.chance(0.3) else None)


def mean(g, x):
    return g.emit("mean", [x], (x.shape[0], 1, 1, x.shape[3]), g.grid(), axes=[1, 2])


def partner(g, x):
    """Another operand: itself, a tensor of the same form, or a constant."""
    same = [t for t in g.tensors if t.shape == x.shape and t.grid.bits == x.grid.bits and t.grid.signed == x.grid.signed]
    if g.chance(0.6):
        return g.rng.choice(same)
    return g.constant(x.shape if g.chance(0.5) else (1, 1, 1, x.shape[3]), g.grid())


def binary(g, x):
    return g.emit(g.rng.choice(["add", "sub", "mul"]), [x, partner(g, x)], x.shape, g.grid(),
                  activation=g.rng.choice(["none", "none", "relu"]))


def extremum(g, x):
    return g.emit(g.rng.choice(["min", "max"]), [x, g.constant((1, 1, 1, x.shape[3]), x.grid)], x.shape, x.grid)


def prelu(g, x):
    return g.emit("prelu", [x, g.constant((1, 1, 1, x.shape[3]), g.grid())], x.shape, g.grid())


def fixed(g, scale_8, zero_point_8):
    """The grid that TFLite fixes for a function, or one of our own."""
    if g.is_onnx:
        return g.grid()
    return Grid(16, True, 1 / 32768, 0) if g.bits == 16 else Grid(8, True, scale_8, zero_point_8)


def softmax(g, x):
    return g.emit("softmax", [x], x.shape, fixed(g, 1 / 256, -128), given=g.is_onnx,
                  beta=0.5 if g.chance(0.2) else None)


def sigmoid(g, x):
    if g.chance(0.5):
        return g.emit("logistic", [x], x.shape, fixed(g, 1 / 256, -128), given=g.is_onnx)
    return g.emit("tanh", [x], x.shape, fixed(g, 1 / 128, 0), given=g.is_onnx)


def layer_norm(g, x):
    if not g.is_onnx:
        return None
    channel = {"shape": [x.shape[3]], "type": "float32"}
    values = [[round(g.rng.uniform(0.1, 2.0), 3) for _ in range(x.shape[3])] for _ in range(2)]
    gamma, beta = ({**channel, "values": v} if g.chance(0.8) else None for v in values)
    return g.emit("layer_norm", [x, gamma, beta], x.shape, g.grid())


def leaky(g, x):
    return g.emit("leaky_relu", [x], x.shape, g.grid(), alpha=0.1)


def table(g, x):
    ops = ["gelu", "gelu_tanh", "clip", "elu"] if x.grid.bits <= 8 else ["gelu", "gelu_tanh", "clip"]
    ops += ["hard_swish"] if x.grid.bits <= 8 or g.is_onnx else []
    ops = [op for op in ops if op != "elu" or not g.is_onnx] + (["hard_sigmoid", "hard_swish"] if g.is_onnx else [])
    op = g.rng.choice(ops)
    attributes = {"clip": {"low": -0.5, "high": 0.75}, "hard_sigmoid": {"alpha": 0.25, "beta": 0.4}}.get(op, {})
    return g.emit(op, [x], x.shape, g.grid(), **attributes)


def clamp(g, x):
    own = g.chance(0.5)
    return g.emit(g.rng.choice(["relu", "relu6", "relu_n1_to_1"]), [x], x.shape, g.grid() if own else x.grid, given=own)


def requantize(g, x):
    return g.emit("quantize", [x], x.shape, g.grid())


def residual(g, x):
    """A convolution that keeps the extents, plus or minus its input; with or without a function of one element around it."""
    kernel = [g.rng.choice([1, 3]), g.rng.choice([1, 3])]
    padding = [side for k in kernel for side in (k // 2, k // 2)]
    y = g.emit("conv2d", [x], x.shape, g.grid(), weights=g.weights((x.shape[3], *kernel, x.shape[3]), x), bias=g.bias(),
               padding=padding)
    if g.chance(0.3):
        y = table(g, y)
    operands = [x, y] if g.chance(0.5) else [y, x]
    y = g.emit(g.rng.choice(["add", "add", "sub"]), operands, x.shape, g.grid(), activation=g.rng.choice(["none", "relu"]))
    return clamp(g, y) if g.chance(0.3) else y


# ---- moves ----

def pad(g, x):
    before, after = ([0, g.between(0, 2), g.between(0, 2), 0] for _ in range(2))
    shape = [b + size + a for b, size, a in zip(before, x.shape, after)]
    return g.emit("pad", [x], shape, x.grid, given=False, before=before, after=after)


def strided_slice(g, x):
    begin = [g.between(0, size - 1) for size in x.shape]
    stride = [g.between(1, 2) for _ in x.shape]
    count = [(size - 1 - b) // s + 1 for size, b, s in zip(x.shape, begin, stride)]
    return g.emit("strided_slice", [x], count, x.grid, given=False, begin=begin, count=count, stride=stride)


def transpose(g, x):
    order = g.rng.choice([(0, 2, 1, 3), (0, 3, 1, 2), (0, 2, 3, 1), (0, 1, 3, 2)])
    return g.emit("transpose", [x], [x.shape[i] for i in order], x.grid, given=False, permutation=list(order))


def concat(g, x):
    axis = g.between(1, 3)
    same = [t for t in g.tensors if t.shape == x.shape and t.grid.bits == x.grid.bits and t.grid.signed == x.grid.signed]
    parts = [x] + [g.rng.choice(same) for _ in range(g.between(1, 2))]
    shape = [size * (len(parts) if i == axis else 1) for i, size in enumerate(x.shape)]
    return g.emit("concat", parts, shape, g.grid() if g.chance(0.5) else x.grid, axis=axis)


def resize(g, x):
    op = g.rng.choice(["resize_nearest", "resize_linear"])
    factors = [g.rng.choice([0.5, 1.0, 2.0, 3.0]) if size > 1 else g.rng.choice([1.0, 2.0]) for size in x.shape[1:3]]
    shape = (x.shape[0], *(int(size * f) for size, f in zip(x.shape[1:3], factors)), x.shape[3])
    coordinates = g.rng.choice(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
    if op == "resize_nearest":
        rounding = g.rng.choice(["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
        return g.emit(op, [x], shape, x.grid, given=False, coordinates=coordinates, rounding=rounding, scale=factors)
    blend = g.rng.choice(["integers", "integers_1024", "reals"])
    own = blend == "reals" and g.is_onnx
    return g.emit(op, [x], shape, g.grid() if own else x.grid, given=own, coordinates=coordinates, blend=blend, scale=factors)


# ---- on the host ----

def quantized(g, x):
    return g.emit("quantize", [x], x.shape, g.grid())


def host(g, x):
    """Float operations between a dequantize and a quantize."""
    y = g.emit("dequantize", [x], x.shape, FLOAT)
    for _ in range(g.between(1, 2)):
        op = g.rng.choice(FLOAT_UNARY + ["div", "pow", "batch_norm", "softmax", "mul"])
        channel = {"shape": [x.shape[3]], "type": "float32"}
        draw = lambda: {**channel, "values": [round(g.rng.uniform(0.5, 2.0), 3) for _ in range(x.shape[3])]}
        if op == "batch_norm":
            y = g.emit(op, [y, draw(), draw()], x.shape, FLOAT)
        elif op in ("div", "pow", "mul"):
            y = g.emit(op, [y, draw()], x.shape, FLOAT)
        else:
            y = g.emit(op, [y], x.shape, FLOAT, logarithm=True if op == "softmax" and g.chance(0.5) else None)
    return quantized(g, y)


def dynamic_quantize(g, x):
    if not g.is_onnx:
        return None
    y = g.emit("dequantize", [x], x.shape, FLOAT)
    values = g.emit("dynamic_quantize", [y], x.shape, Grid(16, True, 1.0, 0), given=False, result="differences")
    return quantized(g, g.emit("dequantize", [values], x.shape, FLOAT))


# Operations that the first release lacked, so that any build can be compared with it.
LATER_OPERATIONS = {"softsign"}

FLOAT_UNARY = ["exp", "erf", "neg", "abs", "floor", "ceil", "softplus", "sqrt", "log", "reciprocal", "hard_swish", "gelu"]

# Weight of each kind; the second list is for activations of whole bytes.
ANY_WIDTH = {convolution: 6, depthwise: 2, fully_connected: 2, transposed_convolution: 2, pool: 2, pad: 1,
             strided_slice: 1, transpose: 1, concat: 1, requantize: 1, resize: 2}
WHOLE_BYTES = {binary: 2, mean: 1, matmul: 3, softmax: 1, extremum: 1, leaky: 1, prelu: 1, table: 2, clamp: 1,
               sigmoid: 1, layer_norm: 1, host: 1, dynamic_quantize: 0.3, sums: 0.5}
