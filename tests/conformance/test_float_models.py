"""Float networks: every tensor agrees with LiteRT's reference kernels, or with ONNX Runtime, to 1e-4 of the tensor's
greatest magnitude."""

import litert_reference
import numpy as np
import onnx
import onnx_networks
import onnx_reference
import pytest
from float_comparison import assert_close_tensors
from PIL import Image
from qsim_tensors import dump_tensors
from shared_data import data_path

INPUTS = 5


def cifar_images():
    """Pixels of images spread over the ten classes, 0 to 255."""
    records = np.fromfile(data_path("cifar10/test_batch_even.bin"), np.uint8).reshape(-1, 1 + 3 * 32 * 32)
    for record in records[:: len(records) // INPUTS][:INPUTS]:
        yield record[1:].reshape(3, 32, 32).transpose(1, 2, 0).astype(np.float32)[np.newaxis]


def photographs():
    """ImageNet photographs, resized, 0 to 1."""
    for path in sorted(data_path("imagenet_sample").glob("*.JPEG"))[::100][:INPUTS]:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize((96, 96), Image.BILINEAR))
        yield (pixels.astype(np.float32) / 255)[np.newaxis]


def noise(shape):
    random = np.random.default_rng(20)
    for sigma in (0.1, 1, 10, 50):
        yield random.normal(0, sigma, shape).astype(np.float32)
    yield np.zeros(shape, np.float32)


TFLITE_MODELS = {
    "resnet8": cifar_images,
    "vww_mobilenet": photographs,
    "kws_dscnn": lambda: noise((1, 49, 10, 1)),
    "ad_autoencoder": lambda: noise((1, 640)),
}


@pytest.mark.parametrize("name", TFLITE_MODELS)
def test_every_tensor_of_a_float_network_agrees_with_litert(name, tmp_path):
    path = data_path(f"models/{name}_float.tflite")
    reference = litert_reference.Reference(path.read_bytes())
    (input_name,) = reference.input_names
    compared = 0
    for value in TFLITE_MODELS[name]():
        expected = reference.run([np.ascontiguousarray(value)])
        assert_close_tensors(dump_tensors(path, [(input_name, value)], tmp_path), expected)
        compared += 1
    assert compared == INPUTS


def crops():
    """ImageNet photographs as EfficientNet-Lite takes them: central crop of 0.875, bicubic, (pixel - 127) / 128, NCHW."""
    for path in sorted(data_path("imagenet_sample").glob("*.JPEG"))[::100][:INPUTS]:
        with Image.open(path) as image:
            image = image.convert("RGB")
            side = round(0.875 * min(image.size))
            left, top = (image.width - side) // 2, (image.height - side) // 2
            box = (left, top, left + side, top + side)
            pixels = np.asarray(image.crop(box).resize((224, 224), Image.BICUBIC), np.float32)
        yield np.ascontiguousarray(((pixels - 127) / 128).transpose(2, 0, 1)[np.newaxis])


def shipped(name):
    return lambda: onnx.load(data_path(f"models/{name}_float.onnx"))


# Model, inputs, and how many of its tensors are compared: those that folding leaves, with the input.
ONNX_MODELS = {
    "resnet8": (shipped("resnet8"), lambda: (image.transpose(0, 3, 1, 2).copy() for image in cifar_images()), 23),
    "efficientnet_lite0": (shipped("efficientnet_lite0"), crops, 161),
    "mobilenet_v2": (lambda: onnx_networks.mobilenet_v2(seed=5), crops, 153),
}


@pytest.mark.parametrize("name", ONNX_MODELS)
def test_every_tensor_of_a_float_network_agrees_with_onnx_runtime(name, tmp_path):
    make, values, tensors = ONNX_MODELS[name]
    model = make()
    path = tmp_path / f"{name}.onnx"
    onnx.save(model, path)
    reference = onnx_reference.Reference(model)
    (input_name,) = reference.input_names
    compared = 0
    for value in values():
        expected = reference.run({input_name: value})
        shape = f"{input_name}={','.join(map(str, value.shape))}"
        actual = dump_tensors(path, [(input_name, value)], tmp_path, "--shape", shape)
        # ONNX Runtime shows the constants that qsim folds as well.
        expected = {tensor: array for tensor, array in expected.items() if tensor in actual} | {input_name: value}
        assert_close_tensors(actual, expected)
        assert len(actual) == tensors
        compared += 1
    assert compared == INPUTS
