"""ConvInteger and MatMulInteger against ONNX Runtime: the sums themselves, in 32 bits, beyond what float32 holds."""

import itertools

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime_reference import run_onnxruntime
from qsim_tensors import dump_tensors

TYPES = {np.uint8: TensorProto.UINT8, np.int8: TensorProto.INT8}


def numbers(random, dtype, shape):
    """Most of them at the limits, where sums grow."""
    info = np.iinfo(dtype)
    drawn = random.integers(info.min, info.max + 1, shape)
    return np.where(random.random(shape) < 0.7, info.max, drawn).astype(dtype)


def check(node, x, constants, output_rank, folder, values, behind=()):
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT if behind else TensorProto.INT32, [None] * output_rank)]
    graph = helper.make_graph([node, *behind], "sums", [helper.make_tensor_value_info("x", TYPES[x.dtype.type], x.shape)],
                              outputs, [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = folder / "model.onnx"
    onnx.save(model, path)
    expected = run_onnxruntime(model, {"x": x}, int8=False)["y"]
    actual = dump_tensors(path, [("x", x)], folder, "--values", values)["y"]
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(actual, expected)
    return expected


@pytest.mark.parametrize("values", ["layer", "tile"])
@pytest.mark.parametrize("w_type", [np.uint8, np.int8])
def test_matmul_integer(w_type, values, tmp_path):
    """A zero point a column, and float32 behind it by Cast; sums above 2^24."""
    random = np.random.default_rng(4)
    x = numbers(random, np.uint8, (2, 7, 600))
    info = np.iinfo(w_type)
    constants = {"w": numbers(random, w_type, (600, 33)), "xz": np.uint8(5),
                 "wz": random.integers(info.min, info.max, 33).astype(w_type)}
    node = helper.make_node("MatMulInteger", ["x", "w", "xz", "wz"], ["y"], name="product")
    sums = check(node, x, constants, 3, tmp_path, values)
    assert np.abs(sums).max() > 1 << 24 or w_type is np.int8
    node.output[0] = "sums"
    cast = helper.make_node("Cast", ["sums"], ["y"], name="cast", to=TensorProto.FLOAT)
    check(node, x, constants, 3, tmp_path, values, [cast])


@pytest.mark.parametrize("values, groups", itertools.product(["layer", "tile"], [1, 2, 6]))
def test_conv_integer(values, groups, tmp_path):
    random = np.random.default_rng(groups)
    x = numbers(random, np.uint8, (2, 6, 9, 8))
    constants = {"w": numbers(random, np.uint8, (12, 6 // groups, 3, 2)), "xz": np.uint8(130), "wz": np.uint8(17)}
    node = helper.make_node("ConvInteger", ["x", "w", "xz", "wz"], ["y"], name="conv", group=groups, strides=[2, 1],
                            dilations=[1, 2], pads=[1, 0, 0, 3])
    check(node, x, constants, 4, tmp_path, values)
