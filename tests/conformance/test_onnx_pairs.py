"""Conversions that belong together, and those that do not: a bias with a scale of its own, one bias of two convolutions, and two pairs of
QuantizeLinear and DequantizeLinear behind each other, of which ONNX Runtime's default session makes one.

Scales of convolutions are powers of two, so that sums of floats are exact in any order.
"""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime_reference import run_onnxruntime
from qsim_tensors import read_safetensors, run_qsim


class Maker:
    """A model under construction; constants are named after what they are."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, value):
        value = np.asarray(value)
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def pair(self, real, name, scale, zero_point, dtype=np.uint8):
        parameters = [self.constant(np.float32(scale)), self.constant(np.array(zero_point, dtype))]
        self.node("QuantizeLinear", [real, *parameters], f"{name}_q")
        return self.node("DequantizeLinear", [f"{name}_q", *parameters], name)

    def integers(self, values, name, scale, axis=0):
        scale = np.asarray(scale, np.float32)
        inputs = [self.constant(values), self.constant(scale), self.constant(np.zeros(scale.shape, values.dtype))]
        return self.node("DequantizeLinear", inputs, name, axis=axis)

    def model(self, shape, outputs):
        graph = helper.make_graph(
            self.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()])
        return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])


def assert_as_onnxruntime(model, x, tmp_path):
    onnx.save(model, tmp_path / "m.onnx")
    np.save(tmp_path / "x.npy", x)
    run_qsim("--workload", tmp_path / "m.onnx", "--input", tmp_path / "x.npy", "--outputs", tmp_path / "o.safetensors", "--quiet")
    actual = read_safetensors(tmp_path / "o.safetensors")
    for name, expected in run_onnxruntime(model, {"x": x}).items():
        np.testing.assert_array_equal(actual[name], expected, err_msg=name)


def weights_of(rng, operator):
    # 6 bits: no kernel's sums of pairs saturate.
    shape = {"Conv": (8, 4, 3, 3), "ConvTranspose": (4, 8, 3, 3), "Gemm": (4, 8)}[operator]
    return rng.integers(-31, 32, shape).astype(np.int8)


def product(maker, operator, weights, bias_scale, name, bias="b"):
    axis = 0 if operator == "Conv" else 1
    w = maker.integers(weights, f"{name}_w", np.full(8, 2.0**-6), axis)
    if bias not in [node.output[0] for node in maker.nodes]:
        maker.integers(np.arange(-400, 400, 100).astype(np.int32), bias, bias_scale)
    attributes = {} if operator == "Gemm" else {"pads": [1, 1, 1, 1]}
    maker.node(operator, ["xd", w, bias], f"{name}_y", **attributes)
    return maker.pair(f"{name}_y", name, 0.25, 100)


# Of the products: 2^-5 * 2^-6.
@pytest.mark.parametrize("relative", [1.0, 1.005, 0.5, 4.0, np.array([1, 1, 1, 2, 1, 1, 1, 1])], ids=["equal", "close", "less", "more", "one more"])
@pytest.mark.parametrize("operator", ["Conv", "ConvTranspose", "Gemm"])
def test_an_int32_bias_has_the_scale_that_the_model_says(operator, relative, tmp_path):
    rng = np.random.default_rng(3)
    shape = (3, 4) if operator == "Gemm" else (1, 4, 6, 6)
    maker = Maker()
    maker.pair("x", "xd", 2.0**-5, 128)
    product(maker, operator, weights_of(rng, operator), 2.0**-11 * np.asarray(relative), "y")
    x = rng.uniform(-4, 4, shape).astype(np.float32)
    assert_as_onnxruntime(maker.model(shape, ["y"]), x, tmp_path)


def test_one_bias_of_two_convolutions_has_one_scale(tmp_path):
    rng = np.random.default_rng(4)
    maker = Maker()
    maker.pair("x", "xd", 2.0**-5, 128)
    product(maker, "Conv", weights_of(rng, "Conv"), np.float32(2.0**-11), "y")
    w = maker.integers(weights_of(rng, "Conv"), "z_w", np.full(8, 2.0**-3))
    maker.node("Conv", ["xd", w, "b"], "z_y", pads=[1, 1, 1, 1])
    maker.pair("z_y", "z", 2.0, 100)
    x = rng.uniform(-4, 4, (1, 4, 6, 6)).astype(np.float32)
    assert_as_onnxruntime(maker.model((1, 4, 6, 6), ["y", "z"]), x, tmp_path)


# Scale and zero point of each pair.
CHAINS = {
    "narrower": [(0.05, 128), (0.031, 120)],
    "wider": [(0.031, 120), (0.05, 128)],
    "shifted": [(0.04, 10), (0.04, 200)],
    "equal": [(0.05, 128), (0.05, 128)],
    "three": [(0.05, 128), (0.031, 120), (0.02, 100)],
    "int8": [(0.05, 3), (0.031, -20)],
}


@pytest.mark.parametrize("chain", list(CHAINS))
def test_pairs_of_conversions_behind_each_other_are_merged(chain, tmp_path):
    maker = Maker()
    real = "x"
    for i, (scale, zero_point) in enumerate(CHAINS[chain]):
        real = maker.pair(real, f"p{i}", scale, zero_point, np.int8 if chain == "int8" else np.uint8)
    x = np.random.default_rng(5).uniform(-8, 8, (1, 8, 16, 16)).astype(np.float32)
    assert_as_onnxruntime(maker.model(x.shape, [real]), x, tmp_path)


def test_pairs_stay_two_where_the_value_between_has_another_user(tmp_path):
    maker = Maker()
    maker.pair("x", "p", 0.05, 128)
    maker.node("Neg", ["p"], "n")
    maker.pair("p", "q", 0.031, 120)
    x = np.random.default_rng(6).uniform(-8, 8, (1, 8, 16, 16)).astype(np.float32)
    assert_as_onnxruntime(maker.model(x.shape, ["q", "n"]), x, tmp_path)


def test_pairs_stay_two_where_their_integers_are_of_two_types(tmp_path):
    maker = Maker()
    maker.pair("x", "p", 0.05, 128)
    maker.pair("p", "q", 0.031, -8, np.int8)
    x = np.random.default_rng(7).uniform(-8, 8, (1, 8, 16, 16)).astype(np.float32)
    assert_as_onnxruntime(maker.model(x.shape, ["q"]), x, tmp_path)
