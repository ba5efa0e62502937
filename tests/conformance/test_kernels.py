"""Whatever instruction set computes them, values are the same: every operator, quantized and float networks."""

import os
import pathlib
import subprocess

import numpy as np
import onnx_operators
import pytest
from operator_models import OPERATORS, Maker
from qsim_tensors import QSIM, read_safetensors
from shared_data import data_path
from test_onnx_operators import workload_files

NETWORKS = ["models/resnet8_int8.tflite", "models/vww_mobilenet_int8.tflite", "models/resnet8_float.tflite",
            "models/kws_dscnn_float.tflite", "models/resnet8_float.onnx"]


def run(target, *arguments):
    return subprocess.run([QSIM, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=600,
                          env=os.environ | {"QSIM_KERNELS": target})


def targets():
    """What this computer has, as the message about an unknown one lists it; the best first."""
    refused = run("none such", "list")
    assert refused.returncode == 2
    names = refused.stderr.split("expected ")[1].split(";")[0].split(", ")
    assert names[-1] == "portable"
    return names


def assert_all_alike(folder, *arguments):
    """All tensors of a run, byte for byte, with every instruction set."""
    contents = {}
    for target in targets():
        path = pathlib.Path(folder, "tensors.safetensors")
        result = run(target, *arguments, "--dump-tensors", path, "--quiet")
        assert result.returncode == 0, f"{target}: {result.stderr}"
        contents[target] = path.read_bytes()
    assert len(read_safetensors(path)) > 1
    different = [target for target, content in contents.items() if content != contents["portable"]]
    assert different == []


def test_the_kernels_in_use_are_named():
    for target in targets():
        assert f"kernels   {target} on this computer" in run(target, "check", "--workload", "resnet8").stdout


@pytest.mark.parametrize("dtype", [np.uint8, np.int16], ids=["uint8", "int16"])
def test_operators_of_onnx(dtype, tmp_path):
    random = np.random.default_rng(11)
    layers = [operator(random, dtype) for operator, type_ in onnx_operators.OPERATORS if type_ == dtype]
    assert_all_alike(tmp_path, *workload_files(layers, tmp_path))


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("name", ["conv_2d", "depthwise_conv_2d", "grouped_conv_2d", "fully_connected", "batch_matmul",
                                  "transpose_conv", "mean", "softmax"])
def test_operators_of_tflite(name, dtype, tmp_path):
    maker = Maker(dtype, 3)
    next(operator for operator in OPERATORS if operator.__name__ == name)(maker)
    path = tmp_path / "model.tflite"
    path.write_bytes(maker.writer.bytes())
    assert_all_alike(tmp_path, "--workload", path, "--set", "accumulators.width_bits=48")


@pytest.mark.parametrize("network", NETWORKS)
def test_networks(network, tmp_path):
    shape = ["--shape", "input=1,3,32,32"] if network.endswith("resnet8_float.onnx") else []
    assert_all_alike(tmp_path, "--workload", data_path(network), *shape)


def test_a_quantized_float_network(tmp_path):
    assert_all_alike(tmp_path, "--workload", data_path("models/resnet8_float.tflite"), "--weight-bits", 8,
                     "--activation-bits", 8)


@pytest.mark.parametrize("layers", [("--set", "accumulators.width_bits=20", "--set", "accumulators.overflow=saturate"), ()])
def test_shipped_networks(layers, tmp_path):
    """Narrow accumulators that overflow take the kernels that count every update."""
    assert_all_alike(tmp_path, "--workload", "resnet8", *layers)
