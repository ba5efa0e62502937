"""The quantized node tests of ONNX itself (Debian: libonnx-testdata): qsim computes what they expect, exactly.

The models are taken as they are. Their scales, zero points and weights are inputs, whose values are given like those of
the data."""

import pathlib
import subprocess

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from qsim_tensors import QSIM, read_safetensors, run_qsim

FOLDER = pathlib.Path("/usr/share/libonnx-testdata/data")
QUANTIZED = {"QLinearConv", "QLinearMatMul", "QuantizeLinear", "DequantizeLinear", "ConvInteger", "MatMulInteger",
             "DynamicQuantizeLinear"}
# The same in float operators that choose an element or make integers without a scale.
EXPANDED = {"test_dynamicquantizelinear_expanded", "test_dynamicquantizelinear_max_adjusted_expanded",
            "test_dynamicquantizelinear_min_adjusted_expanded"}


def quantized_tests():
    """Folders of the tests whose models have a quantized operator."""
    found = []
    for path in sorted(FOLDER.glob("*/*/model.onnx")):
        operators = {node.op_type for node in onnx.load(path, load_external_data=False).graph.node}
        if operators & QUANTIZED or path.parent.name in EXPANDED:
            found.append(path.parent)
    return found


TESTS = quantized_tests()


def read_tensor(path):
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


def arguments(folder, data, scratch):
    model = onnx.load(folder / "model.onnx")
    result = ["--workload", folder / "model.onnx"]
    for index, value in enumerate(model.graph.input):
        path = scratch / f"input_{index}.npy"
        np.save(path, read_tensor(data / f"input_{index}.pb"))
        result += ["--input", f"{value.name}={path}"]
    return model, result


def test_the_package_has_the_tests():
    assert len(TESTS) >= 16, "install libonnx-testdata"


@pytest.mark.parametrize("folder", [t for t in TESTS if t.name not in EXPANDED], ids=lambda folder: folder.name)
@pytest.mark.parametrize("values", ["layer", "tile"])
def test_a_quantized_node_test_of_onnx(folder, values, tmp_path):
    data_sets = sorted(folder.glob("test_data_set_*"))
    assert data_sets
    for data in data_sets:
        model, options = arguments(folder, data, tmp_path)
        run_qsim(*options, "--values", values, "--outputs", tmp_path / "outputs.safetensors", "--quiet")
        actual = read_safetensors(tmp_path / "outputs.safetensors")
        for index, value in enumerate(model.graph.output):
            expected = read_tensor(data / f"output_{index}.pb")
            assert (actual[value.name].dtype, actual[value.name].shape) == (expected.dtype, expected.shape)
            np.testing.assert_array_equal(actual[value.name], expected)


@pytest.mark.parametrize("folder", [t for t in TESTS if t.name in EXPANDED], ids=lambda folder: folder.name)
def test_dynamic_quantization_in_parts_is_refused(folder, tmp_path):
    _, options = arguments(folder, folder / "test_data_set_0", tmp_path)
    run = subprocess.run([QSIM, *map(str, options)], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 2
    assert f"{folder}/model.onnx: graph node" in run.stderr


def test_a_parameter_without_value_names_the_remedy(tmp_path):
    folder = FOLDER / "node" / "test_quantizelinear"
    run = subprocess.run([QSIM, "--workload", str(folder / "model.onnx")], capture_output=True, text=True, check=False,
                         timeout=60)
    assert run.returncode == 2
    assert "--input y_scale=FILE.npy" in run.stderr
