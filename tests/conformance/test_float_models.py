"""Float networks: every tensor agrees with LiteRT's reference kernels to 1e-4 of the tensor's greatest magnitude."""

import types

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType
from litert_reference import Reference
from operator_models import OPERATORS, Maker
from PIL import Image
from qsim_tensors import dump_tensors
from shared_data import data_path

INPUTS = 5
TOLERANCE = 1e-4


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


MODELS = {
    "resnet8": cifar_images,
    "vww_mobilenet": photographs,
    "kws_dscnn": lambda: noise((1, 49, 10, 1)),
    "ad_autoencoder": lambda: noise((1, 640)),
}


def assert_close_tensors(actual, expected):
    assert set(actual) == set(expected)
    for name, wanted in expected.items():
        found = actual[name]
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), name
        if wanted.size == 0:
            continue
        scale = max(float(np.abs(wanted).max()), 1e-30)
        error = float(np.abs(found.astype(np.float64) - wanted).max()) / scale
        assert error <= TOLERANCE, f"{name}: {error:.2e} of its greatest magnitude {scale}"


@pytest.mark.parametrize("name", MODELS)
def test_every_tensor_of_a_float_network_agrees_with_litert(name, tmp_path):
    path = data_path(f"models/{name}_float.tflite")
    reference = Reference(path.read_bytes())
    (input_name,) = reference.input_names
    compared = 0
    for value in MODELS[name]():
        expected = reference.run([np.ascontiguousarray(value)])
        assert_close_tensors(dump_tensors(path, [(input_name, value)], tmp_path), expected)
        compared += 1
    assert compared == INPUTS


class FloatMaker(Maker):
    """The same operators with float tensors."""

    limits = types.SimpleNamespace(min=-4, max=4)
    is_int8 = False

    def activation(self, name, shape, **_):
        return self.writer.tensor(name, shape, np.float32), 1.0, 0

    def weights(self, shape, axis, per_channel=True, zero_point=0):
        return self.writer.tensor("weights", shape, np.float32, self.random.normal(0, 0.5, shape)), np.ones(1)

    def bias(self, count, *_):
        return self.writer.tensor("bias", [count], np.float32, self.random.normal(0, 1, count))


# LiteRT's set of reference kernels lacks ELU; its optimized set has the only kernel.
KERNELS = {"elu": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}
FLOAT_OPERATORS = [operator for operator in OPERATORS if operator.__name__ not in ("quantize", "dequantize")]


@pytest.mark.parametrize("operator", FLOAT_OPERATORS, ids=lambda operator: operator.__name__.strip("_"))
def test_a_float_operator_agrees_with_litert(operator, tmp_path):
    for seed in range(6):
        maker = FloatMaker(np.float32, seed)
        operator(maker)
        model = maker.writer.bytes()
        path = tmp_path / f"{seed}.tflite"
        path.write_bytes(model)
        reference = Reference(model, KERNELS.get(operator.__name__, OpResolverType.BUILTIN_REF))
        random = np.random.default_rng(seed + 1000)
        values = [random.normal(0, 3, detail["shape"]).astype(np.float32) for detail in reference.input_details()]
        expected = reference.run(values)
        inputs = list(zip(reference.input_names, values, strict=True))
        assert_close_tensors(dump_tensors(path, inputs, tmp_path), expected)
