"""Schemes compute what simulated quantization in double does, a layer in isolation (simulated_layers.py has all schemes and networks)."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from shared_data import data_path
from simulated_layers import Network, compare
from simulated_quantization import Workload, by_element, grid, weight_scales

# A float32 has 24 bits; the accumulator, M and their product are rounded to it.
FLOAT32_ERROR = 3 * 2.0**-24


@pytest.fixture(scope="module")
def resnet8(tmp_path_factory):
    return Network("resnet8", data_path("."), tmp_path_factory.mktemp("resnet8"), images=2, calibration_images=8)


@pytest.mark.parametrize("scheme, ranges", [("w16a16", "minmax"), ("w8a8", "mse"), ("w4a8:weights=asymmetric", "minmax"),
                                            ("w4a4:weights=per_tensor", "mse"), ("w2a8:activations=symmetric", "minmax"),
                                            ("w4a8:weights=per_group(32),asymmetric", "mse")])
def test_only_what_float32_puts_on_the_other_side_of_a_tie_differs(resnet8, scheme, ranges):
    seen = compare(resnet8.layers(scheme, ranges))
    assert (seen.layers, seen.largest <= 1) == (15, True), seen
    bits = int(scheme.split(":")[0].split("a")[1])
    assert seen.from_ties <= FLOAT32_ERROR * 2**bits, seen


def test_powers_of_two_are_exact_where_ties_go_to_even(resnet8):
    even = compare(resnet8.layers("w4a4:scales=power_of_two", "mse", "--set", "requantizer.shift_rounding=half_even"))
    assert (even.layers, even.different) == (15, 0)
    away = compare(resnet8.layers("w4a4:scales=power_of_two", "mse"))
    assert (away.largest, away.from_ties) == (1, 0.0) and away.different > 0


def test_a_wrong_weight_is_seen(resnet8, monkeypatch):
    stored = Workload.__init__

    def with_an_error(self, path):
        stored(self, path)
        name = next(layer["weights"]["name"] for layer in self.root["layers"] if layer["name"] == "n_b2c1")
        self.constants[name] = self.constants[name].copy()
        self.constants[name][0, 1, 1, 0] += 1

    monkeypatch.setattr(Workload, "__init__", with_an_error)
    seen = compare(resnet8.layers("w8a8", "minmax"))
    assert seen.different > 0 and seen.worst == "n_b2c1"


@pytest.mark.parametrize("scheme", ["w8a8", "w4a8:weights=asymmetric", "w6a8:weights=per_tensor", "w4a8:weights=per_group(32)"])
def test_weights_are_the_nearest_of_their_grid(resnet8, scheme):
    for _ in resnet8.layers(scheme, "mse"):
        break
    workload = Workload(resnet8.folder / "quantized.json")
    floats = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(resnet8.model).graph.initializer}
    products = [layer for layer in workload.root["layers"] if "weights" in layer]
    assert len(products) == 10
    for layer in products:
        description = layer["weights"]
        real = floats[description["name"]].astype(np.float64)
        real = real.transpose(0, 2, 3, 1) if real.ndim == 4 else real
        _, _, low, high = grid({"bits": description["bits"] if "bits" in description else 8})
        zero_points = by_element("zero_point", description, 0.0)
        low = low if "asymmetric" in scheme else -high
        expected = np.clip(np.rint(real / weight_scales(description)) + zero_points, low, high)
        np.testing.assert_array_equal(workload.constants[description["name"]].reshape(real.shape), expected, layer["name"])
