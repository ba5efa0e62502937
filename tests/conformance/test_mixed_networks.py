"""A float operator in the middle of a quantized network is the host's; what lies around it equals LiteRT and ONNX Runtime
bit for bit."""

import json

import mixed_networks
import numpy as np
import onnx
import onnx_reference
import pytest
from litert_reference import Reference
from mixed_networks import CHANNELS, SIZE
from qsim_tensors import assert_same_tensors, dump_tensors, run_qsim

FLOATS = 4 * CHANNELS * SIZE * SIZE


def assert_is_host_work(path, operator, conversions):
    """In report, JSON and check. 4 bytes an element: the host reads and writes them, so do the conversions."""
    report = json.loads(run_qsim("--workload", path, "--json").stdout)
    rows = {layer["name"]: layer for layer in report["layers"]}
    assert [name for name, row in rows.items() if row["bound"] == "host"] == [operator]
    assert [name for name, row in rows.items() if row["mapping"].get("converts_for") == "host"] == conversions
    work = report["host_work"]
    assert (work["operations"]["rows"], work["conversions"]["rows"], work["macs"]) == (1, 2, 0)
    assert work["operations"]["dram_bytes"] == 2 * FLOATS
    assert work["conversions"]["dram_bytes"] == 2 * FLOATS
    assert work["operations"]["cycles"] == rows[operator]["cycles"]
    assert work["conversions"]["cycles"] == sum(rows[name]["cycles"] for name in conversions)
    assert work["operations"]["dram_share"] == 2 * FLOATS / report["totals"]["dram_bytes"]
    assert work["operations"]["cycle_share"] == rows[operator]["cycles"] / report["totals"]["cycles"]
    text = run_qsim("--workload", path).stdout
    assert "left to the host" in text and "1 operation " in text and "2 conversions " in text
    checked = json.loads(run_qsim("check", "--json", "--workload", path).stdout)
    units = {node["name"]: node for node in checked["nodes"]}
    assert [name for name, node in units.items() if node["unit"] == "host"] == [operator]
    assert any("computes in float" in remark for remark in units[operator]["remarks"])


@pytest.mark.parametrize("code", ["GELU", "HARD_SWISH"])
def test_a_tflite_network_with_a_float_operator(code, tmp_path):
    model = mixed_networks.tflite_network(code)
    path = tmp_path / "mixed.tflite"
    path.write_bytes(model)
    reference = Reference(model)
    random = np.random.default_rng(1)
    for _ in range(3):
        value = random.integers(-128, 128, (1, SIZE, SIZE, 3)).astype(np.int8)
        expected = reference.run([value])
        actual = dump_tensors(path, [("x", value)], tmp_path)
        for tensors in (expected, actual):
            real = tensors.pop("function")
            assert np.abs(real).max() > 1
        assert_same_tensors(actual, expected)
        through_memory = dump_tensors(path, [("x", value)], tmp_path, "--values", "tile")
        assert through_memory.pop("function").dtype == np.float32
        assert_same_tensors(through_memory, expected)
    assert_is_host_work(path, "function", ["real", "b"])


@pytest.mark.parametrize("op, attributes", [("Erf", {}), ("Elu", {"alpha": 0.7}), ("Softplus", {})])
def test_an_onnx_network_with_a_float_operator(op, attributes, tmp_path):
    model = mixed_networks.onnx_network(op, **attributes)
    path = tmp_path / "mixed.onnx"
    onnx.save(model, path)
    reference = onnx_reference.Reference(model)
    random = np.random.default_rng(1)
    for _ in range(3):
        value = random.integers(0, 256, (1, 3, SIZE, SIZE)).astype(np.uint8)
        expected = reference.run({"x": value})
        assert set(expected) == {"a", "b", "y"}
        for options in ([], ["--values", "tile"]):
            actual = dump_tensors(path, [("x", value)], tmp_path, *options)
            assert_same_tensors({name: actual[name] for name in expected}, expected)
    assert_is_host_work(path, "function", ["a_real", "b"])
