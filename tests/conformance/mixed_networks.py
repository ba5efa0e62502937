"""Quantized networks with a float operator in the middle: convolution, DEQUANTIZE, the operator, QUANTIZE, convolution."""

import numpy as np
from model_writer import ModelWriter
from onnx import TensorProto, helper, numpy_helper

SIZE, CHANNELS, OUTPUTS = 16, 8, 4


def tflite_network(code):
    """The file's content; the input is int8, `code` an operator of one float."""
    random = np.random.default_rng(4)
    writer = ModelWriter()

    def integers(name, channels, scale, zero_point):
        return writer.tensor(name, [1, SIZE, SIZE, channels], np.int8, None, [scale], [zero_point])

    def convolution(x, y, kernel, channels, outputs, x_scale):
        scales = random.uniform(0.002, 0.01, outputs).astype(np.float32)
        w = writer.tensor(f"w{kernel}", [outputs, kernel, kernel, channels], np.int8,
                          random.integers(-127, 128, [outputs, kernel, kernel, channels]), scales, [0] * outputs)
        b = writer.tensor(f"b{kernel}", [outputs], np.int32, random.integers(-500, 500, outputs),
                          np.float32(x_scale) * scales, [0] * outputs)
        writer.operator("CONV_2D", [x, w, b], [y], "Conv2DOptions", Padding=0, StrideW=1, StrideH=1, DilationWFactor=1,
                        DilationHFactor=1)

    x, a = integers("x", 3, 0.05, 3), integers("a", CHANNELS, 0.03, -5)
    real = [writer.tensor(name, [1, SIZE, SIZE, CHANNELS], np.float32) for name in ("real", "function")]
    b, y = integers("b", CHANNELS, 0.02, -9), integers("y", OUTPUTS, 0.02, 0)
    convolution(x, a, 3, 3, CHANNELS, 0.05)
    writer.operator("DEQUANTIZE", [a], [real[0]])
    writer.operator(code, [real[0]], [real[1]])
    writer.operator("QUANTIZE", [real[1]], [b])
    convolution(b, y, 1, CHANNELS, OUTPUTS, 0.02)
    writer.inputs, writer.outputs = [x], [y]
    return writer.bytes()


def onnx_network(op, **attributes):
    """QDQ with a uint8 input and output."""
    random = np.random.default_rng(4)
    nodes, constants = [], []

    def constant(name, values, dtype):
        constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def grid(name, scale, zero_point):
        return [constant(f"{name}_scale", scale, np.float32), constant(f"{name}_zero", zero_point, np.uint8)]

    def dequantize(name, parameters, **options):
        nodes.append(helper.make_node("DequantizeLinear", [name, *parameters], [f"{name}_real"], name=f"{name}_real", **options))
        return f"{name}_real"

    def quantize(real, name, parameters):
        nodes.append(helper.make_node("QuantizeLinear", [real, *parameters], [name], name=name))
        return name

    def convolution(x, y, kernel, channels, outputs, x_scale):
        scales = random.uniform(0.002, 0.01, outputs).astype(np.float32)
        weights = random.integers(-127, 128, (outputs, channels, kernel, kernel))
        w = dequantize(constant(f"w{y}", weights, np.int8), [constant(f"w{y}_scale", scales, np.float32),
                                                              constant(f"w{y}_zero", np.zeros(outputs), np.int8)], axis=0)
        b = dequantize(constant(f"b{y}", random.integers(-500, 500, outputs), np.int32),
                       [constant(f"b{y}_scale", np.float32(x_scale) * scales, np.float32),
                        constant(f"b{y}_zero", np.zeros(outputs), np.int32)], axis=0)
        nodes.append(helper.make_node("Conv", [x, w, b], [f"{y}_conv"], name=f"{y}_conv", pads=[kernel // 2] * 4))
        return f"{y}_conv"

    grids = {name: grid(name, scale, zero) for name, scale, zero in
             (("x", 0.05, 130), ("a", 0.03, 120), ("b", 0.02, 110), ("y", 0.02, 128))}
    a = quantize(convolution(dequantize("x", grids["x"]), "a", 3, 3, CHANNELS, 0.05), "a", grids["a"])
    nodes.append(helper.make_node(op, [dequantize(a, grids["a"])], ["function"], name="function", **attributes))
    b = quantize("function", "b", grids["b"])
    quantize(convolution(dequantize(b, grids["b"]), "y", 1, CHANNELS, OUTPUTS, 0.02), "y", grids["y"])
    graph = helper.make_graph(nodes, "mixed", [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 3, SIZE, SIZE])],
                              [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, OUTPUTS, SIZE, SIZE])], constants)
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
