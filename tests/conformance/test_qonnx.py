"""QONNX networks as integers on the chip: every quantized tensor is that of the qonnx package's executor."""

import json
import pathlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from qonnx_reference import Network, before_rounding
from qsim_tensors import read_safetensors, run_qsim
from shared_data import data_path

BATCH = 100
MODELS = pathlib.Path(__file__).parent / "qonnx_models"
# float32 sums of a few hundred terms, in units of the quantizer.
NEAR = 1e-4


def run_chip(model, inputs, folder, *options):
    """Tensors and the report of one batch."""
    arguments = ["--workload", model, "--batch", BATCH, "--dump-tensors", folder / "tensors.safetensors",
                 "--report", folder / "report.json", "--quiet"]
    for name, value in inputs.items():
        np.save(folder / f"{name}.npy", value)
        arguments += ["--input", f"{name}={folder / f'{name}.npy'}"]
    run_qsim(*arguments, *options)
    return read_safetensors(folder / "tensors.safetensors"), json.loads((folder / "report.json").read_text())


def compare_quantized(network, tensors):
    """Every activation quantizer's integers; what differs from the executor lies on a boundary of its float32. Returns how many
    elements there are and what differs, with the value in float64."""
    elements, different = 0, []
    for node in network.quantizers():
        found = tensors[node.output[0] + "#q"].astype(np.int64)
        expected = network.integers(node.output[0]).astype(np.int64)
        assert found.shape == expected.shape, node.name
        elements += found.size
        for index in zip(*np.nonzero(found != expected), strict=True):
            value = np.broadcast_to(before_rounding(network, node), found.shape)[index]
            different.append((node.name, index, int(found[index]), int(expected[index]), float(value)))
    return elements, different


def assert_equal(network, tensors):
    elements, different = compare_quantized(network, tensors)
    assert len(different) <= elements // 100_000, different[:10]
    for name, index, found, expected, value in different:
        distance = abs(value - np.floor(value) - 0.5)
        assert distance < NEAR, f"{name} {index}: {found} instead of {expected}, {value}"


def mac_widths(report):
    return sorted(event for event, count in report["events"].items()
                  if event.startswith("macs_w") and count)


# Values as the networks see them: pixels, cepstral coefficients, features of unit variance.
SHARED = {
    "TFC_2W2A": (lambda rng, shape: rng.integers(0, 256, shape) / 255.0, ["macs_w2a2"], 0),
    "kwsmlp_w3a3": (lambda rng, shape: rng.normal(0.0, 40.0, shape), ["macs_w3a3", "macs_w3a8"], 0),
    "qkeras_jettagging": (lambda rng, shape: rng.normal(0.0, 1.0, shape), ["macs_w6a6"], 1),
}


@pytest.mark.parametrize("name", SHARED)
def test_trained_networks_of_others_give_the_executors_integers(name, tmp_path):
    draw, widths, _ = SHARED[name]
    model = data_path(f"models/qonnx/{name}.onnx")
    network = Network(model, BATCH)
    rng = np.random.default_rng(14)
    inputs = {key: draw(rng, shape).astype(np.float32) for key, shape in network.inputs.items()}
    outputs = network.execute(inputs)
    tensors, report = run_chip(model, inputs, tmp_path)
    assert_equal(network, tensors)
    assert mac_widths(report) == widths
    for key, value in outputs.items():
        np.testing.assert_allclose(tensors[key], value, rtol=1e-4, atol=1e-4)
