"""Convolutions and QGemm for onnx_operators.py."""

import numpy as np
from onnx import helper
from onnx_operator_layer import MICROSOFT, Layer, choose, constant, draw, make_model, parameters, quantized, scale, to_nchw


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
