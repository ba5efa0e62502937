"""Float operators of ONNX with random shapes and attributes.

Each function takes a `Layers` and adds one layer: constants, nodes and one output. Layers of one model stand side by side,
each with inputs of its own.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Layers:
    """A model under construction."""

    def __init__(self, seed, opset=20):
        self.random = np.random.default_rng(seed)
        self.opset = opset
        self.feeds = {}
        self._nodes, self._inputs, self._outputs, self._constants = [], [], [], []

    def draw(self, low, high):
        return int(self.random.integers(low, high + 1))

    def choose(self, *choices):
        return choices[self.draw(0, len(choices) - 1)]

    def values(self, shape, deviation=1.0):
        return np.asarray(self.random.normal(0, deviation, shape), np.float32)

    def input(self, shape, deviation=3.0, positive=False):
        values = self.values(shape, deviation)
        return self.input_of(np.asarray(np.abs(values) + 0.1, np.float32) if positive else values)

    def input_of(self, values):
        name = f"x{len(self._inputs)}"
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, values.shape))
        self.feeds[name] = values
        return name

    def constant(self, values, dtype=np.float32):
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, op, operands, outputs=1, **attributes):
        """Every output of the node is one of the model."""
        names = [f"y{len(self._outputs) + i}" for i in range(outputs)]
        self._outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
        self._nodes.append(helper.make_node(op, operands, names, name=f"{op}_{len(self._nodes)}", **attributes))

    def model(self):
        graph = helper.make_graph(self._nodes, "layers", self._inputs, self._outputs, self._constants)
        return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", self.opset)])


def spatial(layers, channels, size=11):
    """A shape [N, C, L] or [N, C, H, W]."""
    return [layers.draw(1, 2), channels, *(layers.draw(4, size) for _ in range(layers.choose(1, 2, 2)))]


def window(layers, shape, dilates=True):
    """kernel_shape and the attributes of a window that fits without padding; pads are below the window's length."""
    dimensions = len(shape) - 2
    kernel = [layers.draw(1, 3) for _ in range(dimensions)]
    dilations = [layers.draw(1, min(3, (size - 1) // max(k - 1, 1))) if dilates and layers.draw(0, 1) else 1
                 for size, k in zip(shape[2:], kernel)]
    dilations = [d if (k - 1) * d + 1 <= size else 1 for size, k, d in zip(shape[2:], kernel, dilations)]
    attributes = {"strides": [layers.draw(1, 3) for _ in kernel]}
    if any(d != 1 for d in dilations):
        attributes["dilations"] = dilations
    padding = layers.choose("explicit", "explicit", "none", "SAME_UPPER", "SAME_LOWER", "VALID")
    if padding == "explicit":
        attributes["pads"] = [layers.draw(0, (k - 1) * d) for _ in range(2) for k, d in zip(kernel, dilations)]
    elif padding != "none":
        attributes["auto_pad"] = padding
    return kernel, attributes


# ---- layers with weights ---------------------------------------------------------------------------------------


def convolution(layers, groups, channels, outputs):
    shape = spatial(layers, channels * groups)
    kernel, attributes = window(layers, shape)
    if "dilations" in attributes and attributes.get("auto_pad", "VALID") != "VALID":
        attributes.pop("dilations")  # ONNX Runtime refuses both.
    operands = [layers.input(shape), layers.constant(layers.values([outputs * groups, channels, *kernel], 0.3))]
    if layers.draw(0, 2):
        operands.append(layers.constant(layers.values([outputs * groups])))
    layers.node("Conv", operands, kernel_shape=kernel, group=groups, **attributes)


def conv(layers):
    convolution(layers, 1, layers.draw(1, 20), layers.draw(1, 40))


def grouped_conv(layers):
    convolution(layers, layers.draw(2, 4), layers.draw(2, 5), layers.draw(1, 5))


def depthwise_conv(layers):
    convolution(layers, layers.draw(2, 30), 1, layers.choose(1, 1, 2, 3))


def conv_transpose(layers):
    channels, outputs = layers.draw(1, 9), layers.draw(1, 20)
    shape = spatial(layers, channels, 6)
    dimensions = len(shape) - 2
    kernel = [layers.draw(1, 4) for _ in range(dimensions)]
    strides = [layers.draw(1, 3) for _ in kernel]
    attributes = {}
    padding = layers.choose("explicit", "explicit", "output_shape", "SAME_UPPER", "SAME_LOWER", "VALID")
    if padding == "explicit":
        attributes["pads"] = [layers.draw(0, (k - 1) // 2) for _ in range(2) for k in kernel]
        attributes["output_padding"] = [layers.draw(0, s - 1) for s in strides]
    elif padding == "output_shape":
        full = [(size - 1) * s + k for size, s, k in zip(shape[2:], strides, kernel)]
        attributes["output_shape"] = [size - layers.draw(0, k - 1) for size, k in zip(full, kernel)]
    else:
        attributes["auto_pad"] = padding
    operands = [layers.input(shape), layers.constant(layers.values([channels, outputs, *kernel], 0.3))]
    if layers.draw(0, 1):
        operands.append(layers.constant(layers.values([outputs])))
    layers.node("ConvTranspose", operands, kernel_shape=kernel, strides=strides, **attributes)


def gemm(layers):
    rows, depth, columns = layers.draw(1, 9), layers.draw(1, 70), layers.draw(1, 40)
    trans_a, trans_b = layers.draw(0, 1), layers.draw(0, 1)
    a = layers.input([depth, rows] if trans_a else [rows, depth])
    operands = [a, layers.constant(layers.values([columns, depth] if trans_b else [depth, columns], 0.3))]
    if layers.draw(0, 3):
        operands.append(layers.constant(layers.values(layers.choose([columns], [1, columns], [1], []))))
    attributes = layers.choose({}, {"alpha": 0.5, "beta": 2.0})
    layers.node("Gemm", operands, transA=trans_a, transB=trans_b, **attributes)


def matmul(layers):
    rows, depth, columns = layers.draw(1, 9), layers.draw(1, 70), layers.draw(1, 40)
    leading = layers.choose([], [3], [2, 3])
    b = layers.constant(layers.values([depth, columns], 0.3))
    layers.node("MatMul", [layers.input([*leading, rows, depth]), b])


def matmul_of_activations(layers):
    rows, depth, columns = layers.draw(1, 40), layers.draw(1, 40), layers.draw(1, 40)
    a, b = layers.choose(([], []), ([3], [3]), ([2, 3], [2, 3]), ([2, 3], [3]), ([2, 1], [1, 3]), ([], [3]))
    operands = [layers.input([*a, rows, depth]), layers.input([*b, depth, columns])]
    layers.node("MatMul", operands)


# ---- windows and rows ------------------------------------------------------------------------------------------


def pool(layers, op, **further):
    shape = spatial(layers, layers.draw(1, 20))
    kernel, attributes = window(layers, shape, dilates=False)
    if attributes.get("auto_pad", "").startswith("SAME"):  # ONNX Runtime stops where the padding would be negative.
        attributes["strides"] = [min(stride, k) for stride, k in zip(attributes["strides"], kernel)]
    if attributes.get("auto_pad", "VALID") == "VALID":
        attributes["ceil_mode"] = layers.draw(0, 1)
    layers.node(op, [layers.input(shape)], kernel_shape=kernel, **attributes, **further)


def max_pool(layers):
    pool(layers, "MaxPool")


def average_pool(layers):
    pool(layers, "AveragePool", count_include_pad=layers.draw(0, 1))


def global_average_pool(layers):
    layers.node("GlobalAveragePool", [layers.input(spatial(layers, layers.draw(1, 20)))])


def global_max_pool(layers):
    layers.node("GlobalMaxPool", [layers.input(spatial(layers, layers.draw(1, 20)))])


def reduce_mean(layers):
    shape = [2, layers.draw(1, 9), layers.draw(1, 9), layers.draw(1, 9)]
    axes = layers.choose([2, 3], [-1], [1], [0, 3], [1, 2, 3], None)
    operands = [layers.input(shape)] + ([] if axes is None else [layers.constant(axes, np.int64)])
    layers.node("ReduceMean", operands, keepdims=layers.draw(0, 1))


def reductions(layers):
    """Each of the operators once; opset 20 has ReduceSum's axes as an input, the attributes of the others went in 18."""
    for op in ("ReduceSum", "ReduceMax", "ReduceMin"):
        shape = [2, layers.draw(1, 9), layers.draw(1, 9), layers.draw(1, 9)]
        axes = layers.choose([2, 3], [-1], [1], [0, 3], [1, 2, 3], None)
        operands = [layers.input(shape)] + ([] if axes is None else [layers.constant(axes, np.int64)])
        layers.node(op, operands, keepdims=layers.draw(0, 1))


def rows(layers, op):
    shape = layers.choose([3, 37], [2, 3, 4, 12], [2, 5, 7], [9])
    layers.node(op, [layers.input(shape, layers.choose(0.5, 5, 50))], axis=layers.draw(-len(shape), len(shape) - 1))


def softmax(layers):
    rows(layers, "Softmax")


def log_softmax(layers):
    rows(layers, "LogSoftmax")


def instance_normalization(layers):
    shape = spatial(layers, layers.draw(1, 9))
    parameters = [layers.constant(layers.values(shape[1])) for _ in range(2)]
    layers.node("InstanceNormalization", [layers.input(shape), *parameters], epsilon=layers.choose(1e-5, 1e-3))


def layer_normalization(layers):
    shape = layers.choose([3, 37], [2, 3, 64], [2, 3, 4, 12])
    operands = [layers.input(shape), layers.constant(layers.values(shape[-1:]) + 1)]
    if layers.draw(0, 1):
        operands.append(layers.constant(layers.values(shape[-1:])))
    layers.node("LayerNormalization", operands, axis=-1, epsilon=layers.choose(1e-5, 1e-3, 1e-12))


def batch_normalization(layers):
    shape = layers.choose([3, 7], [2, 5, 9], [2, 6, 4, 5])
    mean, variance = layers.values(shape[1]), np.abs(layers.values(shape[1])) + 0.1
    parameters = [layers.values(shape[1]), layers.values(shape[1]), mean, variance]
    layers.node("BatchNormalization", [layers.input(shape), *map(layers.constant, parameters)],
                epsilon=layers.choose(1e-5, 1e-3))


def resize(layers):
    shape = spatial(layers, layers.draw(1, 5))
    dimensions = len(shape) - 2
    attributes = {"mode": layers.choose("nearest", "linear"),
                  "coordinate_transformation_mode": layers.choose("half_pixel", "pytorch_half_pixel", "asymmetric",
                                                                  "align_corners")}
    if attributes["mode"] == "nearest":
        attributes["nearest_mode"] = layers.choose("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
    if layers.draw(0, 1):
        sizes = shape[:2] + [layers.draw(1, 20) for _ in range(dimensions)]
        operands = [layers.input(shape), "", "", layers.constant(sizes, np.int64)]
    else:
        scales = [1, 1] + [layers.choose(2, 3, 1.5, 0.5, 2.3, 1, 1.05) for _ in range(dimensions)]
        operands = [layers.input(shape), "", layers.constant(scales)]
    layers.node("Resize", operands, **attributes)


# ---- element by element ----------------------------------------------------------------------------------------


def image(layers):
    return layers.choose([2, 3, 4, 5], [2, 7, 9], [6, 40], [30])


def binary(layers, op, positive=False):
    a, b = layers.choose(([2, 3, 4, 5],) * 2, ([2, 3, 4, 5], [5]), ([1, 3, 1, 5], [2, 1, 4, 1]), ([7], [1]),
                         ([2, 3, 4, 5], [3, 1, 1]), ([5], [2, 3, 5]), ([3, 4], []))
    if op != "Pow" and layers.draw(0, 1):
        a, b = b, a
    kind = layers.choose("inputs", "constant", "constant first")
    if kind == "inputs" or not a or not b:
        operands = [layers.input(shape, positive=positive) for shape in (a, b)]
    else:
        values = layers.values(b if kind == "constant" else a, 2)
        constant = layers.constant(np.abs(values) + np.float32(0.1) if positive else values)
        x = layers.input(a if kind == "constant" else b, positive=positive)
        operands = [x, constant] if kind == "constant" else [constant, x]
    layers.node(op, operands)


def add(layers):
    binary(layers, "Add")


def sub(layers):
    binary(layers, "Sub")


def mul(layers):
    binary(layers, "Mul")


def div(layers):
    binary(layers, "Div", positive=True)


def minimum(layers):
    binary(layers, "Min")


def maximum(layers):
    binary(layers, "Max")


def power(layers):
    exponent = layers.constant(layers.choose(2.0, 0.5, 3.0, -1.0, layers.random.uniform(0, 2, [5])))
    layers.node("Pow", [layers.input([3, 4, 5], 2, positive=True), exponent])


def function(layers):
    """Each operator of one operand without a choice of its own, all at once."""
    for op in ("Relu", "Sigmoid", "Tanh", "HardSwish", "Erf", "Exp", "Neg", "Abs", "Floor", "Ceil", "Softplus", "Softsign"):
        layers.node(op, [layers.input(image(layers))])
    for op in ("Log", "Sqrt", "Reciprocal"):
        layers.node(op, [layers.input(image(layers), positive=True)])


def leaky_relu(layers):
    layers.node("LeakyRelu", [layers.input(image(layers))], **layers.choose({}, {"alpha": 0.3}, {"alpha": 1.5}))


def elu(layers):
    layers.node("Elu", [layers.input(image(layers))], **layers.choose({}, {"alpha": 0.3}, {"alpha": 1.5}))


def hard_sigmoid(layers):
    layers.node("HardSigmoid", [layers.input(image(layers))], **layers.choose({}, {"alpha": 1 / 6, "beta": 0.4}))


def gelu(layers):
    layers.node("Gelu", [layers.input(image(layers))], **layers.choose({}, {"approximate": "tanh"}))


def clip(layers):
    low, high = layers.choose((-1, 2), (0, 6), (-1, 1), (0, None), (None, 1), (None, None))
    operands = [layers.input(image(layers)), *("" if bound is None else layers.constant(bound) for bound in (low, high))]
    while operands[-1] == "":
        operands.pop()
    layers.node("Clip", operands)


def prelu(layers):
    shape, slope = layers.choose(([2, 3, 4, 5], [3, 1, 1]), ([2, 3, 4, 5], [1]), ([2, 3, 4, 5], [5]), ([4, 7], [7]),
                                 ([2, 3, 4, 5], [2, 3, 4, 5]), ([2, 6, 9], [6, 1]), ([2, 3, 4, 5], [1, 3, 1, 1]))
    layers.node("PRelu", [layers.input(shape), layers.constant(layers.values(slope))])


# ---- elements on their way -------------------------------------------------------------------------------------


def movement(layers):
    """Each operator that moves elements once."""
    shape = [2, 6, layers.draw(3, 5), layers.draw(3, 5)]
    _, _, height, width = shape
    indices = lambda values: layers.constant(values, np.int64)  # noqa: E731
    layers.node("Reshape", [layers.input(shape), indices([0, 3, -1])])
    layers.node("Flatten", [layers.input(shape)], axis=layers.draw(0, 4))
    layers.node("Squeeze", [layers.input([2, 1, height, 1]), indices([1])])
    layers.node("Unsqueeze", [layers.input(shape[:3]), indices([layers.draw(0, 3)])])
    layers.node("Transpose", [layers.input(shape)], perm=layers.random.permutation(4).tolist())
    axis = layers.draw(0, 3)
    other = [layers.draw(1, 3) if d == axis else size for d, size in enumerate(shape)]
    layers.node("Concat", [layers.input(shape), layers.input(other), layers.constant(layers.values(shape))], axis=axis)
    layers.node("Split", [layers.input(shape), indices([1, 2, 3])], outputs=3, axis=1)
    layers.node("Split", [layers.input(shape)], outputs=2, axis=layers.choose(0, 1), num_outputs=2)
    layers.node("Slice", [layers.input(shape), indices([1, -1]), indices([100, -100]), indices([1, 3]), indices([2, -1])])
    layers.node("Gather", [layers.input(shape), indices(layers.choose(1, [1], [0, 2, 4], [5, 4]))], axis=1)
    pads = [layers.draw(0, 2) for _ in range(8)]
    layers.node("Pad", [layers.input(shape), indices(pads), layers.constant(layers.choose(0, 1.5, -2))])
    layers.node("Pad", [layers.input(shape), indices([0, *pads[1:4], 0, *pads[5:]])], mode=layers.choose("reflect", "edge", "wrap"))
    block = layers.draw(1, 3)
    layers.node("DepthToSpace", [layers.input([2, 2 * block**2, height, width])], blocksize=block,
                mode=layers.choose("DCR", "CRD"))
    layers.node("SpaceToDepth", [layers.input([2, 3, height * block, width * block])], blocksize=block)


OPERATORS = [conv, grouped_conv, depthwise_conv, conv_transpose, gemm, matmul, matmul_of_activations, max_pool,
             average_pool, global_average_pool, global_max_pool, reduce_mean, softmax, layer_normalization,
             batch_normalization, resize, add, sub, mul, div, minimum, maximum, power, function, leaky_relu,
             elu, hard_sigmoid, gelu, clip, prelu, movement, reductions, log_softmax, instance_normalization]


def side_by_side(operator, seed, count, opset=20):
    layers = Layers([seed, OPERATORS.index(operator)], opset)
    for _ in range(count):
        operator(layers)
    return layers.model(), layers.feeds
