"""Models of one operator with random parameters, in int8 and with int16 activations (16x8).

Each function takes a `Maker` and adds the operator; scales are drawn so that outputs fill a good part of
their range without saturating everywhere.
"""

import math

import numpy as np
from model_writer import ModelWriter

ACTIVATIONS = {"none": 0, "relu": 1, "relu_n1_to_1": 2, "relu6": 3}


class Maker:
    """A model under construction: one element type for activations, random numbers, graph inputs."""

    def __init__(self, dtype, seed):
        self.dtype = np.dtype(dtype)
        self.random = np.random.default_rng([seed, self.dtype.itemsize])
        self.writer = ModelWriter()
        # All scales powers of two: exact ties at every step of the kernels' arithmetic.
        self.has_ties = self.draw(0, 3) == 0

    @property
    def is_int8(self):
        return self.dtype == np.int8

    @property
    def limits(self):
        return np.iinfo(self.dtype)

    def draw(self, low, high):
        return int(self.random.integers(low, high + 1))

    def choose(self, *choices):
        return choices[self.draw(0, len(choices) - 1)]

    def scale(self, real_range):
        """A scale for a symmetric real range, off any round number."""
        scale = real_range / self.limits.max * self.random.uniform(0.8, 1.25)
        return float(np.float32(2.0 ** np.round(np.log2(scale)) if self.has_ties else scale))

    def zero_point(self):
        return self.draw(-60, 60) if self.is_int8 else 0

    def activation(self, name, shape, real_range=4.0, scale=None, zero_point=None):
        scale = self.scale(real_range) if scale is None else scale
        zero_point = self.zero_point() if zero_point is None else zero_point
        return self.writer.tensor(name, shape, self.dtype, None, [scale], [zero_point]), scale, zero_point

    def input(self, shape, name="x", **options):
        index, scale, zero_point = self.activation(name, shape, **options)
        self.writer.inputs.append(index)
        return index, scale, zero_point

    def output(self, shape, name="y", **options):
        index, scale, zero_point = self.activation(name, shape, **options)
        self.writer.outputs.append(index)
        return index, scale, zero_point

    def weights(self, shape, axis, per_channel=True, zero_point=0):
        """Index and scales of int8 weights."""
        count = shape[axis] if per_channel else 1
        scales = self.random.uniform(0.002, 0.02, count).astype(np.float32)
        if self.has_ties:
            scales = (2.0 ** np.round(np.log2(scales))).astype(np.float32)
        values = self.random.integers(-127, 128, shape)
        index = self.writer.tensor("weights", shape, np.int8, values, scales, [zero_point] * count, axis)
        return index, scales

    def bias(self, count, input_scale, weight_scales, output_range):
        """int32 beside int8 activations, int64 beside int16."""
        scales = (np.float32(input_scale) * np.asarray(weight_scales, np.float32)).astype(np.float32)
        values = np.round(self.random.normal(0, 0.2 * output_range, count) / scales)
        dtype = np.int32 if self.is_int8 else np.int64
        return self.writer.tensor("bias", [count], dtype, values.astype(dtype), scales, [0] * len(scales))


def real_output_range(input_scale, limit, weight_scales, depth):
    """About two standard deviations of a sum of `depth` products of uniform numbers."""
    return 2 * math.sqrt(depth) * (input_scale * limit / 1.7) * (float(np.mean(weight_scales)) * 73)


def conv_size(size, kernel, dilation, stride, same):
    window = (kernel - 1) * dilation + 1
    return -(-size // stride) if same else (size - window) // stride + 1


def convolution(maker, depthwise=False, groups=1):
    height, width = maker.draw(5, 9), maker.draw(5, 9)
    channels = maker.draw(1, 9) * groups
    multiplier = maker.choose(1, 1, 2, 3) if depthwise else 0
    outputs = channels * multiplier if depthwise else maker.draw(1, 9) * groups
    kernel = [maker.draw(1, 3), maker.draw(1, 3)]
    same = maker.draw(0, 1)
    stride = maker.draw(1, 3)
    dilation = maker.draw(1, 2) if stride == 1 else 1
    batch = maker.draw(1, 2)
    x, x_scale, _ = maker.input([batch, height, width, channels])
    if depthwise:
        shape, axis, depth = [1, *kernel, outputs], 3, kernel[0] * kernel[1]
    else:
        shape, axis, depth = [outputs, *kernel, channels // groups], 0, kernel[0] * kernel[1] * channels // groups
    w, w_scales = maker.weights(shape, axis, per_channel=maker.choose(True, True, False))
    output_range = real_output_range(x_scale, maker.limits.max, w_scales, depth)
    operands = [x, w, maker.bias(outputs, x_scale, w_scales, output_range)]
    y, _, _ = maker.output([batch, conv_size(height, kernel[0], dilation, stride, same),
                            conv_size(width, kernel[1], dilation, stride, same), outputs], real_range=output_range)
    fields = {"Padding": 0 if same else 1, "StrideW": stride, "StrideH": stride, "DilationWFactor": dilation,
              "DilationHFactor": dilation, "FusedActivationFunction": maker.choose(*ACTIVATIONS.values())}
    if depthwise:
        fields["DepthMultiplier"] = multiplier
    maker.writer.operator("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", operands, [y],
                          "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions", **fields)


def conv_2d(maker):
    convolution(maker)


def grouped_conv_2d(maker):
    convolution(maker, groups=maker.draw(2, 3))


def depthwise_conv_2d(maker):
    convolution(maker, depthwise=True)


def transpose_conv(maker):
    height, width, channels, outputs = maker.draw(2, 5), maker.draw(2, 5), maker.draw(1, 6), maker.draw(1, 6)
    kernel, stride, same = [maker.draw(1, 4), maker.draw(1, 4)], maker.draw(1, 3), maker.draw(0, 1)
    if same:
        shape = [1, height * stride, width * stride, outputs]
    else:
        shape = [1, (height - 1) * stride + kernel[0], (width - 1) * stride + kernel[1], outputs]
    x, x_scale, _ = maker.input([1, height, width, channels])
    w, w_scales = maker.weights([outputs, *kernel, channels], 0)
    output_range = real_output_range(x_scale, maker.limits.max, w_scales, kernel[0] * kernel[1] * channels / stride)
    operands = [maker.writer.indices("output_shape", shape), w, x]
    version = 1
    if maker.draw(0, 1):
        operands.append(maker.bias(outputs, x_scale, w_scales, output_range))
        version = 3
    y, _, _ = maker.output(shape, real_range=output_range)
    maker.writer.operator("TRANSPOSE_CONV", operands, [y], "TransposeConvOptions", version,
                          Padding=0 if same else 1, StrideW=stride, StrideH=stride)


def fully_connected(maker):
    depth, outputs, rows = maker.draw(1, 70), maker.draw(1, 20), maker.draw(1, 3)
    per_channel = maker.choose(True, False)
    asymmetric = maker.is_int8 and not per_channel and maker.choose(True, False)
    x, x_scale, _ = maker.input([1, rows, depth])
    w, w_scales = maker.weights([outputs, depth], 0, per_channel, maker.draw(-20, 20) if asymmetric else 0)
    output_range = real_output_range(x_scale, maker.limits.max, w_scales, depth)
    operands = [x, w, maker.bias(outputs, x_scale, w_scales, output_range) if maker.draw(0, 3) else -1]
    keep = maker.choose(True, False)
    y, _, _ = maker.output([1, rows, outputs] if keep else [rows, outputs], real_range=output_range)
    maker.writer.operator("FULLY_CONNECTED", operands, [y], "FullyConnectedOptions", KeepNumDims=keep,
                          FusedActivationFunction=maker.choose(*ACTIVATIONS.values()))


def binary(maker, code, options):
    shapes = maker.choose(([2, 3, 4, 5],) * 2, ([2, 3, 4, 5], [5]), ([1, 3, 1, 5], [2, 1, 4, 1]), ([7], [1]))
    result = np.broadcast_shapes(*map(tuple, shapes))
    a, _, _ = maker.input(shapes[0], "a")
    if maker.draw(0, 1):
        b, _, _ = maker.input(shapes[1], "b")
    else:
        values = maker.random.integers(maker.limits.min, maker.limits.max + 1, shapes[1])
        b = maker.writer.tensor("b", shapes[1], maker.dtype, values, [maker.scale(3.0)], [maker.zero_point()])
    y, _, _ = maker.output(result, real_range=12.0 if code == "MUL" else 7.0)
    fields = {"FusedActivationFunction": maker.choose(*ACTIVATIONS.values())}
    if code != "MUL":
        fields["PotScaleInt16"] = False
    maker.writer.operator(code, [a, b], [y], options, **fields)


def add(maker):
    binary(maker, "ADD", "AddOptions")


def sub(maker):
    binary(maker, "SUB", "SubOptions")


def mul(maker):
    binary(maker, "MUL", "MulOptions")


def pool(maker, code):
    height, width, channels = maker.draw(3, 9), maker.draw(3, 9), maker.draw(1, 20)
    filter_h, filter_w, stride, same = maker.draw(1, 3), maker.draw(1, 3), maker.draw(1, 3), maker.draw(0, 1)
    x, scale, zero_point = maker.input([2, height, width, channels])
    y, _, _ = maker.output([2, conv_size(height, filter_h, 1, stride, same), conv_size(width, filter_w, 1, stride, same),
                            channels], scale=scale, zero_point=zero_point)
    maker.writer.operator(code, [x], [y], "Pool2DOptions", Padding=0 if same else 1, StrideW=stride, StrideH=stride,
                          FilterWidth=filter_w, FilterHeight=filter_h,
                          FusedActivationFunction=maker.choose(*ACTIVATIONS.values()))


def average_pool_2d(maker):
    pool(maker, "AVERAGE_POOL_2D")


def max_pool_2d(maker):
    pool(maker, "MAX_POOL_2D")


def mean(maker):
    shape = [2, maker.draw(1, 9), maker.draw(1, 9), maker.draw(1, 9)]
    axes = maker.choose([1, 2], [2, 1], [-1], [1], [0, 3], [1, 2, 3], [2, -2])
    keep = maker.choose(True, False)
    reduced = {axis % 4 for axis in axes}
    result = [1 if d in reduced else size for d, size in enumerate(shape) if keep or d not in reduced]
    x, scale, zero_point = maker.input(shape)
    same = maker.draw(0, 1)
    y, _, _ = maker.output(result, real_range=2.0, **({"scale": scale, "zero_point": zero_point} if same else {}))
    maker.writer.operator("MEAN", [x, maker.writer.indices("axes", axes)], [y], "ReducerOptions", KeepDims=keep)


def softmax(maker):
    shape = maker.choose([1, 10], [3, 37], [2, 3, 4, 12])
    x, _, _ = maker.input(shape, real_range=maker.choose(0.5, 6.0, 40.0))
    y, _, _ = maker.output(shape, scale=1 / 256 if maker.is_int8 else 1 / 32768, zero_point=-128 if maker.is_int8 else 0)
    maker.writer.operator("SOFTMAX", [x], [y], "SoftmaxOptions", Beta=maker.choose(1.0, 1.0, 0.5, 2.0))


def logistic(maker):
    x, _, _ = maker.input([4, 64], real_range=maker.choose(1.0, 6.0, 20.0))
    y, _, _ = maker.output([4, 64], scale=1 / 256 if maker.is_int8 else 1 / 32768, zero_point=-128 if maker.is_int8 else 0)
    maker.writer.operator("LOGISTIC", [x], [y])


def tanh(maker):
    x, _, _ = maker.input([4, 64], real_range=maker.choose(1.0, 6.0, 20.0))
    y, _, _ = maker.output([4, 64], scale=1 / 128 if maker.is_int8 else 1 / 32768, zero_point=0)
    maker.writer.operator("TANH", [x], [y])


def leaky_relu(maker):
    x, _, _ = maker.input([4, 64])
    y, _, _ = maker.output([4, 64])
    maker.writer.operator("LEAKY_RELU", [x], [y], "LeakyReluOptions", Alpha=maker.choose(0.01, 0.2, 0.3, 1.5))


def relu(maker):
    x, _, _ = maker.input([4, 64])
    y, _, _ = maker.output([4, 64])
    maker.writer.operator("RELU", [x], [y])


def relu6(maker):
    x, _, _ = maker.input([4, 64], real_range=9.0)
    y, _, _ = maker.output([4, 64], real_range=8.0)
    maker.writer.operator("RELU6", [x], [y])


def relu_n1_to_1(maker):
    x, _, _ = maker.input([4, 64])
    y, _, _ = maker.output([4, 64], real_range=2.0)
    maker.writer.operator("RELU_N1_TO_1", [x], [y])


def relu_0_to_1(maker):
    x, _, _ = maker.input([4, 64])
    y, _, _ = maker.output([4, 64], real_range=1.5)
    maker.writer.operator("RELU_0_TO_1", [x], [y])


def pad(maker):
    shape = [2, 3, 4, 5]
    sizes = [[maker.draw(0, 2), maker.draw(0, 2)] for _ in shape]
    result = [size + sum(around) for size, around in zip(shape, sizes)]
    x, scale, zero_point = maker.input(shape)
    y, _, _ = maker.output(result, scale=scale, zero_point=zero_point)
    operands = [x, maker.writer.indices("paddings", sizes)]
    if maker.draw(0, 1):
        value = [maker.draw(maker.limits.min, maker.limits.max)]
        operands.append(maker.writer.tensor("value", [1], maker.dtype, value, [scale], [zero_point]))
        maker.writer.operator("PADV2", operands, [y], "PadV2Options")
    else:
        maker.writer.operator("PAD", operands, [y], "PadOptions")


# begin, end, strides, masks, the same in numpy
SLICES = [
    ([0, 1, 1, 0], [2, 3, 4, 5], [1, 1, 1, 1], {}, np.s_[0:2, 1:3, 1:4, 0:5]),
    ([0, -1, 0, 4], [2, -4, 4, 0], [1, -1, 2, -2], {}, np.s_[0:2, -1:-4:-1, 0:4:2, 4:0:-2]),
    ([1, 1, 1, 1], [2, 2, 2, 2], [1, 1, 1, 1], {"BeginMask": 5, "EndMask": 10}, np.s_[:2, 1:, :2, 1:]),
    ([0, 2, 0, 3], [1, 3, 4, 4], [1, 1, 1, 1], {"ShrinkAxisMask": 10, "EndMask": 4}, np.s_[0:1, 2, 0:, 3]),
    ([1, 0, 2], [2, 0, 4], [1, 1, 1], {"EllipsisMask": 2}, np.s_[1:2, ..., 2:4]),
    ([0, 1, 1], [2, 0, 3], [1, 1, 1], {"NewAxisMask": 2}, np.s_[0:2, np.newaxis, 1:3]),
    ([0, -2], [9, 9], [1, 1], {}, np.s_[0:9, -2:9]),
    ([0, 0, 1], [0, 0, 3], [1, 1, 2], {"NewAxisMask": 1, "EllipsisMask": 2}, np.s_[np.newaxis, ..., 1:3:2]),
]


def strided_slice(maker):
    shape = (2, 3, 4, 5)
    begin, end, strides, masks, index = maker.choose(*SLICES)
    x, scale, zero_point = maker.input(shape)
    y, _, _ = maker.output(np.empty(shape)[index].shape, scale=scale, zero_point=zero_point)
    operands = [x, *(maker.writer.indices(n, v) for n, v in (("begin", begin), ("end", end), ("strides", strides)))]
    maker.writer.operator("STRIDED_SLICE", operands, [y], "StridedSliceOptions", **masks)


def slice_(maker):
    shape, begin, size = [2, 3, 4, 5], [1, 0, 2, 1], [1, 2, -1, 3]
    x, scale, zero_point = maker.input(shape)
    y, _, _ = maker.output([1, 2, 2, 3], scale=scale, zero_point=zero_point)
    maker.writer.operator("SLICE", [x, maker.writer.indices("begin", begin), maker.writer.indices("size", size)], [y],
                          "SliceOptions")


def reshape(maker):
    x, scale, zero_point = maker.input([2, 3, 4])
    y, _, _ = maker.output([6, 4], scale=scale, zero_point=zero_point)
    maker.writer.operator("RESHAPE", [x, maker.writer.indices("shape", [6, 4])], [y], "ReshapeOptions")


def squeeze(maker):
    x, scale, zero_point = maker.input([1, 3, 1, 4])
    y, _, _ = maker.output([3, 4], scale=scale, zero_point=zero_point)
    maker.writer.operator("SQUEEZE", [x], [y], "SqueezeOptions")


def expand_dims(maker):
    x, scale, zero_point = maker.input([3, 4])
    y, _, _ = maker.output([3, 1, 4], scale=scale, zero_point=zero_point)
    maker.writer.operator("EXPAND_DIMS", [x, maker.writer.indices("axis", [1])], [y], "ExpandDimsOptions")


def transpose(maker):
    shape = [2, 3, 4, 5]
    permutation = [int(d) for d in maker.random.permutation(4)]
    x, scale, zero_point = maker.input(shape)
    y, _, _ = maker.output([shape[d] for d in permutation], scale=scale, zero_point=zero_point)
    maker.writer.operator("TRANSPOSE", [x, maker.writer.indices("permutation", permutation)], [y], "TransposeOptions")


def concatenation(maker):
    axis = maker.draw(-1, 2)
    shapes = [[2, 3, 4] for _ in range(maker.draw(1, 3))]
    for shape in shapes:
        shape[axis] = maker.draw(1, 5)
    result = list(shapes[0])
    result[axis] = sum(shape[axis] for shape in shapes)
    y, scale, zero_point = maker.output(result)
    inputs = [maker.input(shape, f"x{i}", scale=scale, zero_point=zero_point)[0] for i, shape in enumerate(shapes)]
    maker.writer.operator("CONCATENATION", inputs, [y], "ConcatenationOptions", Axis=axis)


def quantize(maker):
    """From float, and from integers to the same and to the other integer type."""
    other = np.int16 if maker.is_int8 else np.int8
    real = maker.writer.tensor("real", [4, 64], np.float32)
    maker.writer.inputs.append(real)
    a, _, _ = maker.activation("a", [4, 64], real_range=3.0)
    b, _, _ = maker.activation("b", [4, 64], real_range=2.0)
    c_range = 2.5 / np.iinfo(other).max
    c = maker.writer.tensor("c", [4, 64], other, None, [c_range], [maker.draw(-9, 9) if other == np.int8 else 0])
    maker.writer.outputs.extend([b, c])
    maker.writer.operator("QUANTIZE", [real], [a])
    maker.writer.operator("QUANTIZE", [a], [b])
    maker.writer.operator("QUANTIZE", [b], [c])


def dequantize(maker):
    x, _, _ = maker.input([4, 64])
    real = maker.writer.tensor("real", [4, 64], np.float32)
    maker.writer.outputs.append(real)
    maker.writer.operator("DEQUANTIZE", [x], [real])


def hard_swish(maker):
    x, _, _ = maker.input([4, 64], real_range=maker.choose(4.0, 8.0, 20.0))
    y, _, _ = maker.output([4, 64], real_range=maker.choose(4.0, 8.0))
    maker.writer.operator("HARD_SWISH", [x], [y], "HardSwishOptions")


def gelu(maker):
    x, _, _ = maker.input([4, 64], real_range=maker.choose(2.0, 6.0))
    y, _, _ = maker.output([4, 64], real_range=4.0)
    maker.writer.operator("GELU", [x], [y], "GeluOptions", Approximate=maker.choose(True, False))


def elu(maker):
    x, _, _ = maker.input([4, 64])
    y, _, _ = maker.output([4, 64])
    maker.writer.operator("ELU", [x], [y])


def prelu(maker):
    channels = maker.draw(1, 20)
    shape = maker.choose([1, 1, channels], [4, 5, channels], [1])
    x, _, _ = maker.input([2, 4, 5, channels])
    is_float = maker.dtype == np.float32
    dtype = np.float32 if is_float else np.int8  # also beside int16
    slopes = maker.random.integers(-128, 128, shape)
    slope_scale = maker.scale(1.5) * (1 if maker.is_int8 or is_float else 256)
    slope = maker.writer.tensor("slope", shape, dtype, slopes, [slope_scale], [maker.zero_point()])
    y, _, _ = maker.output([2, 4, 5, channels])
    maker.writer.operator("PRELU", [x, slope], [y])


def extremum(maker, code):
    shapes = maker.choose(([2, 3, 4, 5],) * 2, ([2, 3, 4, 5], [5]), ([1, 3, 1, 5], [2, 1, 4, 1]))
    a, scale, zero_point = maker.input(shapes[0], "a")
    b, _, _ = maker.input(shapes[1], "b", scale=scale, zero_point=zero_point)
    y, _, _ = maker.output(np.broadcast_shapes(*map(tuple, shapes)), scale=scale, zero_point=zero_point)
    maker.writer.operator(code, [a, b], [y], "MaximumMinimumOptions")


def minimum(maker):
    extremum(maker, "MINIMUM")


def maximum(maker):
    extremum(maker, "MAXIMUM")


def resize(maker, code, options):
    shape = [maker.draw(1, 2), maker.draw(1, 9), maker.draw(1, 9), maker.draw(1, 9)]
    size = [maker.draw(1, 20), maker.draw(1, 20)]
    x, scale, zero_point = maker.input(shape)
    y, _, _ = maker.output([shape[0], *size, shape[3]], scale=scale, zero_point=zero_point)
    mode = maker.draw(0, 2)
    maker.writer.operator(code, [x, maker.writer.indices("size", size)], [y], options, version=3,
                          AlignCorners=mode == 1, HalfPixelCenters=mode == 2)


def resize_bilinear(maker):
    resize(maker, "RESIZE_BILINEAR", "ResizeBilinearOptions")


def resize_nearest_neighbor(maker):
    resize(maker, "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")


def batch_matmul(maker):
    rows, depth, columns = maker.draw(1, 9), maker.draw(1, 40), maker.draw(1, 9)
    a_batch, b_batch = maker.choose(([], []), ([3], [3]), ([2, 3], [2, 3]), ([2, 3], [1, 3]), ([3], []), ([1], [3]))
    adjoint, transposed = maker.choose(True, False, False), maker.choose(True, False)
    a, a_scale, _ = maker.input([*a_batch, *([depth, rows] if adjoint else [rows, depth])], "a")
    b, b_scale, _ = maker.input([*b_batch, *([columns, depth] if transposed else [depth, columns])], "b")
    output_range = 2 * math.sqrt(depth) * a_scale * b_scale * (maker.limits.max / 1.7) ** 2
    batch = np.broadcast_shapes(tuple(a_batch), tuple(b_batch))
    y, _, _ = maker.output([*batch, rows, columns], real_range=output_range)
    maker.writer.operator("BATCH_MATMUL", [a, b], [y], "BatchMatMulOptions", version=3 if maker.is_int8 else 4, AdjX=adjoint,
                          AdjY=transposed)


def split(maker):
    axis, parts = maker.draw(-3, 2), maker.draw(1, 3)
    shape = [2, 3, 4]
    shape[axis] = parts * maker.draw(1, 3)
    x, scale, zero_point = maker.input(shape)
    shape[axis] //= parts
    outputs = [maker.output(shape, f"y{i}", scale=scale, zero_point=zero_point)[0] for i in range(parts)]
    maker.writer.operator("SPLIT", [maker.writer.indices("axis", axis), x], outputs, "SplitOptions", NumSplits=parts)


def split_v(maker):
    axis, lengths = maker.draw(-3, 2), [maker.draw(1, 4) for _ in range(maker.draw(1, 3))]
    shape = [2, 3, 4]
    shape[axis] = sum(lengths)
    x, scale, zero_point = maker.input(shape)
    outputs = []
    for index, length in enumerate(lengths):
        shape[axis] = length
        outputs.append(maker.output(shape, f"y{index}", scale=scale, zero_point=zero_point)[0])
    if maker.draw(0, 1):
        lengths[0] = -1
    operands = [x, maker.writer.indices("lengths", lengths), maker.writer.indices("axis", axis)]
    maker.writer.operator("SPLIT_V", operands, outputs, "SplitVOptions", NumSplits=len(lengths))


OPERATORS = [add, average_pool_2d, batch_matmul, concatenation, conv_2d, depthwise_conv_2d, dequantize, elu, expand_dims, fully_connected, gelu,
             grouped_conv_2d, hard_swish, leaky_relu, logistic, max_pool_2d, maximum, mean, minimum, mul, pad, prelu, quantize, relu, relu6, relu_0_to_1, relu_n1_to_1,
             reshape, resize_bilinear, resize_nearest_neighbor, slice_, softmax, split, split_v, squeeze, strided_slice, sub, tanh, transpose, transpose_conv]
