"""A layer of a JSON workload beside the ONNX model of one operator, and what makes its parts."""

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
