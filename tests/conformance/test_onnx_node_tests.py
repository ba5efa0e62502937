"""The quantized node tests of ONNX itself (Debian: libonnx-testdata): qsim computes what they expect, exactly.

Scales and zero points are inputs of these models; here they become constants, as in models that exist."""

import pathlib

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from qsim_tensors import dump_tensors

FOLDER = pathlib.Path("/usr/share/libonnx-testdata/data/node")
# Inputs that stay inputs, by operator; the others are parameters.
DATA_INPUTS = {
    "QLinearConv": [0],
    "QLinearMatMul": [0, 3],
    "QuantizeLinear": [0],
    "DequantizeLinear": [0],
    "ConvInteger": [0],
    "MatMulInteger": [0, 1],
}
TESTS = ["test_qlinearconv", "test_qlinearmatmul_2D", "test_qlinearmatmul_3D", "test_quantizelinear",
         "test_quantizelinear_axis", "test_dequantizelinear", "test_dequantizelinear_axis"]


def read_tensor(path):
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


@pytest.mark.parametrize("name", TESTS)
def test_a_quantized_node_test_of_onnx(name, tmp_path):
    if not FOLDER.exists():
        pytest.fail("install libonnx-testdata")
    model = onnx.load(FOLDER / name / "model.onnx")
    node = model.graph.node[0]
    kept = [node.input[i] for i in DATA_INPUTS[node.op_type]]
    inputs = []
    for index, value in enumerate(list(model.graph.input)):
        array = read_tensor(FOLDER / name / "test_data_set_0" / f"input_{index}.pb")
        if value.name in kept:
            inputs.append((value.name, array))
            continue
        model.graph.initializer.append(numpy_helper.from_array(array, value.name))
        model.graph.input.remove(value)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    actual = dump_tensors(path, inputs, tmp_path)[node.output[0]]
    expected = read_tensor(FOLDER / name / "test_data_set_0" / "output_0.pb")
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(actual, expected)
