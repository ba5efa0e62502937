"""Whether ONNX Runtime's integer kernels are exact on this processor, found by one tiny layer an operator.

On x86 without VNNI its kernels for uint8 activations and int8 weights use VPMADDUBSW: two neighbouring products along the reduction are added
with saturation at 16 bits before they reach the 32-bit sum (onnxruntime issues 5849, 6004, 14642). With x = 255 and w = 127 a pair is 64770, of which
32767 is left.
"""

import dataclasses

import numpy as np
from onnx import TensorProto, helper, numpy_helper

X, W = 255, 127
STEP = 1300  # Of outputs in 8 bits: 259080 / 1300 = 199.3, 131068 / 1300 = 100.8.
MICROSOFT = "com.microsoft"


def exact_pair(a, b):
    return a + b


def saturated_pair(a, b):
    """VPMADDUBSW of two products of unsigned and signed bytes."""
    return np.clip(a + b, -32768, 32767)


def pair_sum(x, w, pair):
    """sum_j pair(x[2j] w[2j], x[2j+1] w[2j+1]) along the last axes, in 64 bits; a last product without a partner stands alone."""
    products = np.asarray(x, np.int64) * np.asarray(w, np.int64)
    if products.shape[-1] % 2:
        products = np.concatenate([products, np.zeros((*products.shape[:-1], 1), np.int64)], -1)
    return pair(products[..., 0::2], products[..., 1::2]).sum(-1)


@dataclasses.dataclass
class Probe:
    """A model whose outputs are all the same: `depth` products of 255 and 127, at `step` a unit."""

    model: object
    x: np.ndarray
    depth: int
    step: int = 1

    def value(self, pair):
        """What it gives where pairs add up by `pair`."""
        return int(np.rint(pair_sum(np.full(self.depth, X), np.full(self.depth, W), pair) / self.step))


def probe(nodes, x_shape, constants, depth, step=1):
    output = TensorProto.INT32 if step == 1 else TensorProto.UINT8
    graph = helper.make_graph(nodes, "probe", [helper.make_tensor_value_info("x", TensorProto.UINT8, x_shape)],
                              [helper.make_tensor_value_info("y", output, None)],
                              [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(MICROSOFT, 1)], ir_version=8)
    return Probe(model, np.full(x_shape, X, np.uint8), depth, step)


def probes():
    """{name: Probe}: every operator that multiplies uint8 by int8, and both ways of ONNX Runtime to a convolution."""
    one, zero, weight_zero = np.float32(1), np.uint8(0), np.int8(0)
    quantized = {"one": one, "zero": zero, "weight_zero": weight_zero, "step": np.float32(STEP)}
    operands = ["x", "one", "zero", "w", "one", "weight_zero"]
    outputs = ["step", "zero"]
    matrix, kernel = np.full((8, 4), W, np.int8), np.full((4, 8, 1, 1), W, np.int8)
    # Three channels: no multiple of four, which another kernel takes; the window is 3 x 3 x 3.
    flat = np.zeros((4, 27), np.int8)
    flat[:, :8] = W
    odd = np.ascontiguousarray(flat.reshape(4, 3, 3, 3).transpose(0, 3, 1, 2))
    make = helper.make_node
    real = [make("DequantizeLinear", ["x", "one", "zero"], ["a"]), make("DequantizeLinear", ["w", "one", "weight_zero"], ["b"])]
    back = [make("QuantizeLinear", ["r", "step", "zero"], ["y"])]
    return {
        "QLinearConv": probe([make("QLinearConv", [*operands, *outputs], ["y"])], [1, 8, 4, 4], {**quantized, "w": kernel}, 8, STEP),
        "QLinearConv of 3 channels": probe([make("QLinearConv", [*operands, *outputs], ["y"])], [1, 3, 3, 3], {**quantized, "w": odd},
                                           8, STEP),
        "QLinearMatMul": probe([make("QLinearMatMul", [*operands, *outputs], ["y"])], [4, 8], {**quantized, "w": matrix}, 8, STEP),
        "QGemm": probe([make("QGemm", [*operands, "", *outputs], ["y"], domain=MICROSOFT)], [4, 8], {**quantized, "w": matrix}, 8, STEP),
        "ConvInteger": probe([make("ConvInteger", ["x", "w"], ["y"])], [1, 8, 4, 4], {"w": kernel}, 8),
        "MatMulInteger": probe([make("MatMulInteger", ["x", "w"], ["y"])], [4, 8], {"w": matrix}, 8),
        "MatMulInteger of one row": probe([make("MatMulInteger", ["x", "w"], ["y"])], [1, 8], {"w": matrix}, 8),
        "Conv between conversions": probe([*real, make("Conv", ["a", "b"], ["r"]), *back], [1, 8, 4, 4], {**quantized, "w": kernel}, 8, STEP),
        "MatMul between conversions": probe([*real, make("MatMul", ["a", "b"], ["r"]), *back], [4, 8], {**quantized, "w": matrix}, 8, STEP),
    }


class UnknownArithmetic(Exception):
    """A runtime whose sums are neither exact nor those of saturated pairs cannot be a reference."""


def measured(run):
    """{name: value} of all probes; `run(model, {"x": value})` gives the outputs by name."""
    values = {}
    for name, probe_ in probes().items():
        output = np.asarray(run(probe_.model, {"x": probe_.x})["y"])
        if np.unique(output).size != 1:
            raise UnknownArithmetic(f"{name}: equal sums come out as {np.unique(output)}")
        values[name] = int(output.flat[0])
    return values


def saturating(values):
    """The operators, by name, whose measured value is that of saturated pairs; [] for an exact runtime."""
    found = []
    for name, probe_ in probes().items():
        exact, saturated = probe_.value(exact_pair), probe_.value(saturated_pair)
        if values[name] not in (exact, saturated):
            raise UnknownArithmetic(f"{name}: {values[name]}, neither {exact} (exact) nor {saturated} (saturated pairs)")
        if values[name] != exact:
            found.append(name)
    return found
