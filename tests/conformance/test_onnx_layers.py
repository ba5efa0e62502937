"""Random quantized layers against ONNX Runtime; `scripts/differential --layers 20000` is the long form."""

import collections

import numpy as np
import pytest
from differential import LAYERS_A_MODEL, Tally, litert_jobs, onnx_jobs
from onnx_arithmetic import KERNELS
from onnx_layers import OPERATORS, make_batch
from onnxruntime_reference import run_onnxruntime

LAYERS = 500
# Functions that ONNX Runtime approximates in its own way: the formula holds to a step.
APPROXIMATED = {"QLinearSigmoid"}


def batches():
    for _, (dtype, seed, layers, operators, form) in onnx_jobs(LAYERS, 1000):
        yield make_batch(dtype, seed, layers, operators, form)


def test_500_layers_equal_onnxruntime():
    total = Tally()
    for function, arguments in onnx_jobs(LAYERS, 1000):
        total.add(function(*arguments))
    assert total.layers.total() == LAYERS
    assert not total.mismatches, total.first


def test_500_layers_equal_litert():
    total = Tally()
    for function, arguments in litert_jobs(LAYERS, 5000):
        total.add(function(*arguments))
    assert total.layers.total() == LAYERS
    assert not total.mismatches, total.first


def test_the_layers_cover_every_operator_and_reach_near_ties():
    """Results of convolutions before rounding: many lie within a millionth of a tie."""
    seen, near = collections.Counter(), collections.Counter()
    for batch in batches():
        for layer in batch.layers:
            seen[layer.operator] += 1
            if layer.operator != "QLinearConv":
                continue
            p = layer.values
            exact = KERNELS["ConvInteger"](p, None, batch.values[layer.inputs[0]]).astype(np.int64)
            if p["bias"] is not None:
                exact = exact + p["bias"].reshape(1, -1, *[1] * (exact.ndim - 2))
            w_scale = np.asarray(p["w_scale"], np.float64)
            w_scale = w_scale.reshape(1, -1, *[1] * (exact.ndim - 2)) if w_scale.ndim else w_scale
            real = exact * (float(p["x_scale"]) * w_scale / float(p["y_scale"]))
            distance = np.abs(real - np.floor(real) - 0.5)
            near["layers"] += bool(np.any(distance < 1e-6 * np.maximum(1, np.abs(real))))
    assert len(seen) >= len(OPERATORS) - 1, seen  # two kinds are QLinearMatMul
    assert near["layers"] > seen["QLinearConv"] / 2


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_the_formulas_of_the_documentation_hold_for_this_onnxruntime(dtype):
    compared = 0
    for seed in range(20):
        batch = make_batch(dtype, seed, LAYERS_A_MODEL)
        reference = run_onnxruntime(batch.model(), batch.values)
        for layer in batch.layers:
            if layer.operator not in KERNELS:
                continue
            value = KERNELS[layer.operator](layer.values, batch.dtype, *(batch.values[name] for name in layer.inputs))
            if value is None:
                continue
            wanted = reference[layer.output]
            assert (value.dtype, value.shape) == (wanted.dtype, wanted.shape)
            if layer.operator in APPROXIMATED:
                assert np.abs(value.astype(int) - wanted.astype(int)).max() <= 1, (layer.operator, seed)
            else:
                assert np.array_equal(value, wanted), (layer.operator, seed)
            compared += wanted.size
    assert compared > 10_000


def test_the_same_seed_makes_the_same_batch():
    first, second = make_batch("uint8", 7, 10), make_batch("uint8", 7, 10)
    assert first.model().SerializeToString() == second.model().SerializeToString()
    assert all(np.array_equal(first.values[name], second.values[name]) for name in first.values)
    assert make_batch("int8", 7, 10).model().SerializeToString() != first.model().SerializeToString()


def test_a_tally_counts_single_values():
    tally = Tally()
    wanted = np.arange(6, dtype=np.int8).reshape(2, 3)
    found = wanted.copy()
    tally.compare("op", found, wanted, "a")
    found[1, 2] += 1
    tally.compare("op", found, wanted, "b")
    tally.compare("op", wanted.reshape(3, 2), wanted, "c")
    tally.compare("real", np.array([0.0], np.float32), np.array([-0.0], np.float32), "d")
    assert tally.mismatches == {"op": 1 + 6, "real": 1} and tally.first == {"op": "b", "real": "d"}
    assert tally.layers["op"] == 3 and tally.values["op"] == 18
