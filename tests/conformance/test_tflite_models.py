"""Trained int8 networks: every tensor equals what LiteRT's reference kernels compute, on 20 inputs each (draws.py)."""

import numpy as np
import pytest
from draws import drawn
from litert_reference import Reference
from PIL import Image
from qsim_tensors import assert_same_tensors, dump_tensors
from shared_data import data_path

INPUTS = 20


def cifar_images():
    """Pixels of images spread over the ten classes; the network's int8 input is pixel - 128."""
    records = np.fromfile(data_path("cifar10/test_batch_even.bin"), np.uint8).reshape(-1, 1 + 3 * 32 * 32)
    for record in records[:: len(records) // INPUTS][:INPUTS]:
        pixels = record[1:].reshape(3, 32, 32).transpose(1, 2, 0)
        yield (pixels.astype(np.int16) - 128).astype(np.int8)[np.newaxis]


def photographs(size):
    """ImageNet photographs, resized; int8 = pixel - 128, NHWC."""
    for path in sorted(data_path("imagenet_sample").glob("*.JPEG"))[::25][:INPUTS]:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize((size, size), Image.BILINEAR))
        yield (pixels.astype(np.int16) - 128).astype(np.int8)[np.newaxis]


def synthetic(shape):
    """Seeded noise, and inputs with structure: constants at the limits, a ramp, a sparse one."""
    random = np.random.default_rng(20)
    yield np.full(shape, -128, np.int8)
    yield np.full(shape, 127, np.int8)
    yield (np.arange(np.prod(shape)) % 256 - 128).reshape(shape).astype(np.int8)
    yield np.where(random.random(shape) < 0.05, 127, -128).astype(np.int8)
    for sigma in (10, 40) * 4:
        yield np.clip(random.normal(0, sigma, shape), -128, 127).round().astype(np.int8)
    for _ in range(INPUTS - 12):
        yield random.integers(-128, 128, shape, np.int8)


MODELS = {
    "resnet8": cifar_images,
    "vww_mobilenet": lambda: photographs(96),
    "mobilenet_v2": lambda: (image.transpose(0, 3, 1, 2) for image in photographs(224)),
    "kws_dscnn": lambda: synthetic((1, 49, 10, 1)),
    "ad_autoencoder": lambda: synthetic((1, 640)),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_tensor_of_a_trained_network_equals_litert(name, tmp_path):
    path = data_path(f"models/{name}_int8.tflite")
    reference = Reference(path.read_bytes())
    (input_name,) = reference.input_names
    compared = 0
    for value in drawn(MODELS[name]()):
        expected = reference.run([np.ascontiguousarray(value)])
        assert_same_tensors(dump_tensors(path, [(input_name, value)], tmp_path), expected)
        compared += 1
    assert compared == len(drawn(range(INPUTS)))
