"""Data sets as numpy and csv read the same files."""

import csv
import gzip
import pathlib

import numpy as np
import pytest
from PIL import Image
from shared_data import data_path

# Where Debian's package dataset-fashion-mnist puts its files.
FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")


def test_cifar10(probe):
    path = data_path("cifar10/test_batch_even.bin")
    records = np.fromfile(path, np.uint8).reshape(-1, 3073)
    for index in (0, 1, 17, 2500, 4999):
        for spec in (f"cifar10:{path}", f"cifar10:{path.parent}"):
            pixels, size, labels, label, name = probe.dataset(spec, index)
            assert (size, labels, label, name) == (5000, 10, records[index, 0], f"test_batch_even.bin#{index}")
            np.testing.assert_array_equal(pixels, records[index, 1:].reshape(3, 32, 32).transpose(1, 2, 0))


def test_image_folder(probe):
    folder = data_path("imagenet_sample")
    with open(folder / "labels.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for index in (0, 99, 250, 499):
        pixels, size, labels, label, name = probe.dataset(f"images:{folder}", index)
        assert (size, labels, label, name) == (500, 999, int(rows[index]["label"]), rows[index]["file"])
        np.testing.assert_array_equal(pixels, np.asarray(Image.open(folder / name).convert("RGB")))


@pytest.mark.parametrize(("split", "prefix", "count"), [("test", "t10k", 10_000), ("train", "train", 60_000)])
def test_fashion_mnist(probe, tmp_path, split, prefix, count):
    images_gz = FASHION_MNIST / f"{prefix}-images-idx3-ubyte.gz"
    assert images_gz.exists(), "install Debian's dataset-fashion-mnist (scripts/packages.txt)"
    content = gzip.decompress(images_gz.read_bytes())
    images = np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28, 1)
    labels = np.frombuffer(gzip.decompress((FASHION_MNIST / f"{prefix}-labels-idx1-ubyte.gz").read_bytes()),
                           np.uint8, offset=8)
    plain = tmp_path / f"{prefix}-images-idx3-ubyte"
    plain.write_bytes(content)
    labels_gz = FASHION_MNIST / f"{prefix}-labels-idx1-ubyte.gz"
    for spec in (f"idx:{FASHION_MNIST},split={split}", f"idx:{images_gz}", f"idx:{plain},labels={labels_gz}"):
        for index in (0, count - 1):
            pixels, size, label_count, label, name = probe.dataset(spec, index)
            assert (size, label_count, label) == (count, 10, labels[index])
            assert name == f"{prefix}-images-idx3-ubyte{'' if spec.startswith(f'idx:{plain}') else '.gz'}#{index}"
            np.testing.assert_array_equal(pixels, images[index])
