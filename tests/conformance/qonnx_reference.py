"""QONNX networks by the executor of the qonnx package (numpy and ONNX Runtime in float32), and their quantizers' inputs in
float64, computed from the executor's own quantized tensors a layer at a time."""

import warnings

import numpy as np
import qonnx.core.onnx_exec as executor
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes



def old_enough(graph, make_model=executor.qonnx_make_model):
    """The executor runs each node as a model of its own, of the newest IR version that the onnx package knows; the ONNX Runtime
    that is pinned here reads older ones."""
    model = make_model(graph)
    model.ir_version = 8
    return model


executor.qonnx_make_model = old_enough

QUANTIZERS = ("Quant", "IntQuant", "BipolarQuant", "Trunc")


def set_batch_of_target(model, name, batch):
    """A constant target that begins with the batch of one image."""
    target = model.get_initializer(name)
    if target is not None and target[0] == 1:
        model.set_initializer(name, np.array([batch, *target[1:]], target.dtype))


class Network:
    """One model at a batch size, and all values of one execution."""

    def __init__(self, path, batch):
        model = ModelWrapper(str(path))
        constants = {tensor.name for tensor in model.graph.initializer}
        for value in [*model.graph.input, *model.graph.output]:
            if value.name not in constants and value.type.tensor_type.shape.dim:
                value.type.tensor_type.shape.dim[0].dim_value = batch
        for node in model.graph.node:
            if node.op_type == "Reshape":
                set_batch_of_target(model, node.input[1], batch)
        del model.graph.value_info[:]
        self.model = model.transform(InferShapes())
        self.nodes = list(self.model.graph.node)
        self.producers = {output: node for node in self.nodes for output in node.output}
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in self.model.graph.initializer}
        inputs = [value for value in self.model.graph.input if value.name not in self.constants]
        self.inputs = {value.name: tuple(self.model.get_tensor_shape(value.name)) for value in inputs}
        self.values = {}

    def execute(self, inputs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.values = executor.execute_onnx(self.model, inputs, True)
        return {value.name: self.values[value.name] for value in self.model.graph.output}

    def is_constant(self, name):
        if name in self.constants:
            return True
        node = self.producers.get(name)
        return node is not None and all(self.is_constant(value) for value in node.input if value)

    def quantizers(self):
        """Those of activations."""
        return [node for node in self.nodes
                if node.op_type in QUANTIZERS and not self.is_constant(node.input[0])]

    def scale_and_zero(self, node):
        """Of what a quantizer gives."""
        scale = self.values[node.input[1]].astype(np.float64)
        if node.op_type == "Trunc" and len(node.input) > 5:
            scale = self.values[node.input[4]].astype(np.float64)
        zero = 0.0 if node.op_type == "BipolarQuant" else self.values[node.input[2]].astype(np.float64)
        return scale, zero

    def integers(self, name):
        """What the executor's float of a quantized tensor stands for."""
        scale, zero = self.scale_and_zero(self.producers[name])
        return np.rint(self.values[name].astype(np.float64) / scale + zero)

    def exact(self, name):
        """A value in float64 from the quantized tensors behind it."""
        if name in self.constants:
            return self.constants[name].astype(np.float64)
        node = self.producers.get(name)
        if node is None:
            return self.values[name].astype(np.float64)
        if node.op_type in QUANTIZERS:
            scale, zero = self.scale_and_zero(node)
            return (self.integers(name) - zero) * scale
        return self.compute(node)

    def compute(self, node):
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type in ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"):
            return self.exact(node.input[0]).reshape(self.values[node.output[0]].shape)
        values = [self.exact(name) for name in node.input if name]
        return OPERATORS[node.op_type](attributes, *values)


def windows(x, attributes, kernel, padding_value):
    strides = attributes.get("strides", [1, 1])
    pads = attributes.get("pads", [0, 0, 0, 0])
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])), constant_values=padding_value)
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))
    return view[:, :, :: strides[0], :: strides[1]]


def conv(attributes, x, w, bias=None):
    groups = attributes.get("group", 1)
    parts = []
    for group in range(groups):
        size = x.shape[1] // groups
        outputs = w.shape[0] // groups
        view = windows(x[:, group * size : (group + 1) * size], attributes, w.shape[2:], 0.0)
        parts.append(np.einsum("nchwij,ocij->nohw", view, w[group * outputs : (group + 1) * outputs],
                               optimize=True))
    y = np.concatenate(parts, axis=1)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


def batch_norm(attributes, x, gamma, beta, mean, variance):
    shape = (1, -1) + (1,) * (x.ndim - 2)
    factor = gamma / np.sqrt(variance + attributes.get("epsilon", 1e-5))
    return x * factor.reshape(shape) + (beta - mean * factor).reshape(shape)


def gemm(attributes, a, b, c=0.0):
    return a @ (b.T if attributes.get("transB", 0) else b) + c


OPERATORS = {
    "Mul": lambda _, a, b: a * b,
    "Add": lambda _, a, b: a + b,
    "Sub": lambda _, a, b: a - b,
    "Div": lambda _, a, b: a / b,
    "Relu": lambda _, a: np.maximum(a, 0.0),
    "MatMul": lambda _, a, b: a @ b,
    "Gemm": gemm,
    "Conv": conv,
    "Transpose": lambda attributes, a: np.transpose(a, attributes["perm"]),
    "BatchNormalization": batch_norm,
    "MaxPool": lambda attributes, a: windows(a, attributes, attributes["kernel_shape"], -np.inf).max(axis=(4, 5)),
    "AveragePool": lambda attributes, a: windows(a, attributes, attributes["kernel_shape"], 0.0).mean(axis=(4, 5)),
    "GlobalAveragePool": lambda _, a: a.mean(axis=(2, 3), keepdims=True),
}


def before_rounding(network, node):
    """What a quantizer rounds, in float64, with its limits."""
    x = network.exact(node.input[0])
    if node.op_type == "BipolarQuant":
        return x
    scale = network.values[node.input[1]].astype(np.float64)
    zero = network.values[node.input[2]].astype(np.float64)
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if node.op_type == "Trunc":
        bits = network.values[node.input[3]] - network.values[node.input[4]]
        return np.rint(x / scale + zero) / 2.0 ** float(np.squeeze(bits))
    bits = int(np.squeeze(network.values[node.input[3]]))
    signed, narrow = attributes.get("signed", 1), attributes.get("narrow", 1)
    if signed:
        low, high = -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1
    else:
        low, high = 0, 2**bits - 1 - narrow
    return np.clip(x / scale + zero, low, high)
