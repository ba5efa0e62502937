"""Preprocessed tensors equal what Pillow and numpy make of the same images, bit for bit."""

import json
import pathlib

import numpy as np
import pytest
from draws import draws
from PIL import Image
from shared_data import data_path

ROOT = pathlib.Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "configs" / "preprocess").glob("*.json"))
FILTERS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR,
           "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


def write_preprocess(folder, **document):
    path = folder / "preprocess.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def centered(image, width, height, offset):
    left, top = offset(image.width - width), offset(image.height - height)
    return image.crop((left, top, left + width, top + height))


def apply_step(image, step):
    """The rules as their libraries write them."""
    resample = FILTERS.get(step.get("interpolation"))
    if "resize" in step:
        height, width = step["resize"]
        return image.resize((width, height), resample)
    if "resize_shorter_side" in step:  # torchvision, functional.py, _compute_resized_output_size
        size = step["resize_shorter_side"]
        short, long = sorted(image.size)
        new_long = int(size * long / short)
        return image.resize((size, new_long) if image.width <= image.height else (new_long, size), resample)
    if "center_crop" in step:  # torchvision, functional.py, center_crop
        height, width = step["center_crop"]
        return centered(image, width, height, lambda difference: int(round(difference / 2.0)))
    side = round(step["center_crop_fraction"] * min(image.size))
    return centered(image, side, side, lambda difference: difference // 2)


def reference(path, document):
    """float32 [height, width, channels]"""
    image = Image.open(path)
    channels = document.get("channels", "stored")
    if channels != "stored":
        image = image.convert("L" if channels == "grey" else "RGB")
    for step in document.get("steps", []):
        image = apply_step(image, step)
    values = np.asarray(image, np.float32)
    values = values[:, :, None] if values.ndim == 2 else values
    if channels == "BGR":
        values = values[:, :, ::-1]
    if document.get("unit_scale"):
        values = values / np.float32(255)
    mean, std = (np.asarray(document.get(key, default), np.float32) for key, default in (("mean", 0), ("std", 1)))
    return (values - mean) / std


def quantized(values, scale, zero_point, low, high):
    return np.clip(np.rint(values / np.float32(scale)).astype(np.float64) + zero_point, low, high)


def noise(generator, width, height, channels):
    pixels = generator.integers(0, 256, (height, width, channels), np.uint8)
    if generator.integers(2):  # extremes make filters overshoot
        pixels = np.where(pixels < 128, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)


def assert_resized(probe, folder, image, width, height, interpolation):
    image.save(folder / "image.png")
    path = write_preprocess(folder, steps=[{"resize": [height, width], "interpolation": interpolation}])
    wanted = np.asarray(image.resize((width, height), FILTERS[interpolation])).reshape(height, width, -1)
    found = probe.tensor(folder / "image.png", path, (1, *wanted.shape), "u8")[0]
    np.testing.assert_array_equal(found, wanted, f"{image.size} to {width}x{height}")


@pytest.mark.parametrize("interpolation", FILTERS)
def test_resize_of_random_sizes(probe, tmp_path, interpolation):
    generator = np.random.default_rng(7)
    for _ in range(draws(120)):
        width, height, new_width, new_height = (int(2 ** generator.uniform(0, 8.5)) for _ in range(4))
        image = noise(generator, width, height, generator.choice([1, 3]))
        assert_resized(probe, tmp_path, image, new_width, new_height, interpolation)


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("sizes", [
    ((1, 1), (1, 1)), ((1, 1), (37, 5)), ((1, 2000), (3, 11)), ((3000, 1), (224, 224)), ((2, 3), (1, 1)),
    ((500, 375), (1, 1)), ((17, 17), (16, 18)), ((64, 48), (64, 31)), ((64, 48), (31, 48)), ((64, 48), (64, 48)),
    ((5, 4), (5000, 7)), ((255, 257), (256, 256)), ((2000, 1500), (224, 224))], ids=str)
def test_resize_of_chosen_sizes(probe, tmp_path, interpolation, sizes):
    (width, height), new_size = sizes
    generator = np.random.default_rng(width)
    for channels in (1, 3):
        assert_resized(probe, tmp_path, noise(generator, width, height, channels), *new_size, interpolation)


@pytest.mark.parametrize("step", [
    {"resize_shorter_side": 31, "interpolation": "bilinear"}, {"center_crop": [20, 21]},
    {"center_crop_fraction": 0.875}, {"center_crop_fraction": 0.5}], ids=json.dumps)
def test_rounding_of_sizes_and_offsets(probe, tmp_path, step):
    generator = np.random.default_rng(9)
    path = write_preprocess(tmp_path, steps=[step])
    for width in range(21, 60, 3):
        for height in range(20, 60, 3):
            noise(generator, width, height, 3).save(tmp_path / "image.png")
            wanted = reference(tmp_path / "image.png", {"steps": [step]})
            np.testing.assert_array_equal(probe.tensor(tmp_path / "image.png", path, (1, *wanted.shape))[0], wanted)


@pytest.mark.parametrize("document", [
    {"channels": "BGR", "mean": [103.94, 116.78, 123.68], "std": [57.4, 57.1, 58.4]},
    {"channels": "grey", "unit_scale": True, "mean": 0.1307, "std": 0.3081},
    {"channels": "RGB", "unit_scale": True, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    {"mean": [127.5], "std": 127.5}], ids=json.dumps)
@pytest.mark.parametrize("channels", [1, 3])
def test_channels_and_normalization(probe, tmp_path, document, channels):
    noise(np.random.default_rng(4), 33, 21, channels).save(tmp_path / "image.png")
    path = write_preprocess(tmp_path, **document)
    wanted = reference(tmp_path / "image.png", document)
    found = probe.tensor(tmp_path / "image.png", path, (1, *wanted.shape))[0]
    np.testing.assert_array_equal(found.view(np.uint32), wanted.view(np.uint32))
    first = probe.tensor(tmp_path / "image.png", path, (1, wanted.shape[2], *wanted.shape[:2]))[0]
    np.testing.assert_array_equal(first, wanted.transpose(2, 0, 1))


@pytest.mark.parametrize(("dtype", "low", "high"), [("i8", -128, 127), ("u8", 0, 255), ("i16", -32768, 32767)])
def test_quantization(probe, tmp_path, dtype, low, high):
    generator = np.random.default_rng(2)
    noise(generator, 40, 30, 3).save(tmp_path / "image.png")
    document = {"mean": [100, 110.5, 120.25], "std": [58.395, 57.12, 57.375]}
    path = write_preprocess(tmp_path, **document)
    for _ in range(20):
        scale = np.float32(2 ** generator.uniform(-9, 2))
        zero_point = 0 if dtype == "i16" else int(generator.integers(low, high))
        wanted = quantized(reference(tmp_path / "image.png", document), scale, zero_point, low, high)
        found = probe.tensor(tmp_path / "image.png", path, (1, 30, 40, 3), dtype, repr(float(scale)), zero_point)[0]
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_on_photographs(probe, shipped):
    document = json.loads(shipped.read_text(encoding="utf-8"))
    if not document.get("steps"):
        pytest.skip("takes images as they are; tested above")
    for path in sorted(data_path("imagenet_sample").glob("*.JPEG"))[::5]:
        wanted = reference(path, document)
        assert wanted.shape == (224, 224, 3)
        real = probe.tensor(path, shipped, (1, 224, 224, 3))[0]
        np.testing.assert_array_equal(real.view(np.uint32), wanted.view(np.uint32), path.name)
        stored = probe.tensor(path, shipped, (1, 3, 224, 224), "i8", 0.018658, -14)[0]
        np.testing.assert_array_equal(stored, quantized(wanted, 0.018658, -14, -128, 127).transpose(2, 0, 1))
