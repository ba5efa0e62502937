"""ONNX models that cannot be run: exit code 2, and a message with the place, what is wrong and what to do."""

import numpy as np
import onnx
import pytest
from bad_onnx_files import case as file_cases
from bad_onnx_model import constant, good_model, node
from bad_onnx_operators import case as operator_cases
from onnx import TensorProto, helper
from qsim_process import bad_input, qsim


@pytest.mark.parametrize("spoil, words", file_cases + operator_cases)
def test_a_bad_model_is_refused(spoil, words, tmp_path):
    model = good_model()
    content = spoil(model, tmp_path)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString() if content is None else content)
    messages = bad_input("--workload", path, "--cost-only")
    assert any(all(word in message.line for word in words) for message in messages), [m.line for m in messages]
    messages[0].says(str(path))
    assert any("; " in message.line or "expected" in message.line for message in messages)


def test_the_good_model_runs(tmp_path):
    """What the cases spoil is right before."""
    path = tmp_path / "model.onnx"
    onnx.save(good_model(), path)
    run = qsim("--workload", path)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("argument, words", [
    ("x", ("--shape", '"x"', "NAME=SIZE")),
    ("x=", ("--shape", "sizes of 1 to")),
    ("x=1,2,0", ("--shape", "sizes of 1 to")),
    ("x=1,2,6,6,", ("--shape", "sizes of 1 to")),
    ("x=1;2", ("--shape", "commas")),
    ("x=1,2,6,7", ("--shape: x", "got 1x2x6x7", "[1,2,6,6]")),
    ("u=1,2,6,6", ("--shape: u", "a name that no input has", "x")),
])
def test_a_bad_shape_is_refused(argument, words, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(good_model(), path)
    bad_input("--workload", path, "--shape", argument)[0].says(*words)


@pytest.mark.parametrize("array, words", [
    (np.float64([0.5]).astype(np.int32), ("got INT32", "FLOAT of input gain")),
    (np.ones(2, np.float32), ("got shape 2", "declared shape of input gain")),
    (np.zeros(1, np.float32), ("scale", "a finite number above 0")),
])
def test_a_bad_value_of_a_parameter_is_refused(array, words, tmp_path):
    model = good_model()
    model.graph.input.append(helper.make_tensor_value_info("gain", TensorProto.FLOAT, [1]))
    node(model, "conv").input[6] = "gain"
    onnx.save(model, tmp_path / "model.onnx")
    np.save(tmp_path / "gain.npy", array)
    message, *_ = bad_input("--workload", tmp_path / "model.onnx", "--input", f"gain={tmp_path / 'gain.npy'}")
    message.says(*words)


def test_shapes_are_for_onnx_models():
    bad_input("--workload", "resnet8", "--shape", "x=1,2")[0].says("--shape", "an ONNX model with open dimensions")


def test_no_more_memory_than_the_file_asks_for(tmp_path):
    """A small file that declares large tensors is refused before they are allocated."""
    model = good_model()
    tensor = constant(model, "w")
    tensor.ClearField("raw_data")
    tensor.dims[:] = [1 << 14, 1 << 14, 1, 1]
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    bad_input("--workload", path)[0].says("0 values in int32_data", "268435456")
