"""Whole networks, quantized by ONNX Runtime's tool: what qsim computes equals ONNX Runtime bit for bit.

QSIM_FULL_MODELS=1 takes ResNet-50 and MobileNetV2 at 224x224 and with int8 activations, too (five minutes)."""

import json
import os

import numpy as np
import onnx
import onnx_networks
import pytest
from onnx_quantization import preprocess, quantize
from onnx_reference import Reference
from PIL import Image
from qsim_tensors import dump_tensors, run_qsim
from shared_data import data_path

FULL = bool(os.environ.get("QSIM_FULL_MODELS"))
FORMATS = [(model_format, activations) for model_format in ("qdq", "qoperator") for activations in ("uint8", "int8")]


def photograph(path, size=224):
    """EfficientNet-Lite's preprocessing: central crop of 0.875, bicubic, (pixel - 127) / 128, NCHW."""
    with Image.open(path) as image:
        image = image.convert("RGB")
        side = round(0.875 * min(image.size))
        left, top = (image.width - side) // 2, (image.height - side) // 2
        pixels = np.asarray(image.crop((left, top, left + side, top + side)).resize((size, size), Image.BICUBIC))
    return ((pixels.astype(np.float32) - 127) / 128).transpose(2, 0, 1)[np.newaxis].copy()


def photographs(step):
    return [photograph(path) for path in sorted(data_path("imagenet_sample").glob("*.JPEG"))[::step]]


def noise(count, shape, seed=3):
    """Noise of several sizes, low frequencies louder as in photographs."""
    random = np.random.default_rng(seed)
    return [(random.normal(0, 0.2 + 0.4 * i, shape) + random.normal(0, 0.5, shape[:2] + (1, 1))).astype(np.float32)
            for i in range(count)]


def assert_equal(actual, expected):
    """Every value that ONNX Runtime shows, in the model's own layout."""
    for name, wanted in expected.items():
        assert name in actual, f"not dumped: {name}"
        found = actual[name]
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), name
        different = np.flatnonzero(found.reshape(-1) != wanted.reshape(-1))
        assert different.size == 0, (f"{name}: {different.size} of {wanted.size} differ, the first at {different[0]}: "
                                     f"{found.reshape(-1)[different[0]]}, not {wanted.reshape(-1)[different[0]]}")


def check_network(source, samples, inputs, folder, least_tensors, formats=FORMATS):
    preprocessed = preprocess(source, folder)
    for model_format, activations in formats:
        model, path = quantize(preprocessed, samples, folder, model_format, activations)
        reference = Reference(model)
        for value in inputs:
            expected = reference.run({reference.input_names[0]: value})
            assert len(expected) >= least_tensors
            assert_equal(dump_tensors(path, [(reference.input_names[0], value)], folder), expected)


def test_efficientnet_lite0_equals_onnx_runtime(tmp_path):
    images = photographs(step=50)
    check_network(data_path("models/efficientnet_lite0_float.onnx"), images[:5], images[5:8 if FULL else 6], tmp_path, 60)


def test_resnet8_equals_onnx_runtime(tmp_path):
    source = onnx.load(data_path("models/resnet8_float.onnx"))
    source.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    path = tmp_path / "resnet8.onnx"
    onnx.save(source, path)
    values = noise(8, (1, 3, 32, 32))
    check_network(path, values[:4], values[4:], tmp_path, 15)


@pytest.mark.parametrize("network, tensors", [(onnx_networks.resnet50, 70), (onnx_networks.mobilenet_v2, 60)])
def test_a_network_with_seeded_weights_equals_onnx_runtime(network, tensors, tmp_path):
    path = tmp_path / "network.onnx"
    size = 224 if FULL else 64
    onnx.save(network(seed=5, size=size), path)
    values = noise(4, (1, 3, size, size))
    formats = FORMATS if FULL else [(model_format, "uint8") for model_format in ("qdq", "qoperator")]
    check_network(path, values[:2], values[2:3], tmp_path, tensors, formats)


def test_an_open_dimension_is_fixed_by_an_option(tmp_path):
    path = data_path("models/resnet8_float.onnx")
    run = run_qsim("--workload", path, "--shape", "input=2,3,32,32", "--json")
    assert json.loads(run.stdout)["outputs"][0]["shape"] == [2, 10]
