"""Models of one operator with random parameters, in int8 and with int16 activations (16x8).

Each function takes a `Maker` and adds the operator; scales are drawn so that outputs fill a good part of
their range without saturating everywhere.
"""

import math

import numpy as np
from model_maker import ACTIVATIONS, Maker, conv_size, real_output_range
from movement_models import (concatenation, expand_dims, pad, reshape, slice_, split, split_v, squeeze, strided_slice,
                             transpose)

__all__ = ["OPERATORS", "Maker"]


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


OPERATORS = [add, average_pool_2d, batch_matmul, concatenation, conv_2d, depthwise_conv_2d, dequantize, elu, expand_dims, fully_connected, gelu,
             grouped_conv_2d, hard_swish, leaky_relu, logistic, max_pool_2d, maximum, mean, minimum, mul, pad, prelu, quantize, relu, relu6, relu_0_to_1, relu_n1_to_1,
             reshape, resize_bilinear, resize_nearest_neighbor, slice_, softmax, split, split_v, squeeze, strided_slice, sub, tanh, transpose, transpose_conv]
