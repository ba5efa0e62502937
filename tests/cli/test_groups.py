"""Weights with a scale a group on the chip, against an independent model (group_model.py), and what is refused."""

import json
import os
import random

import numpy
import pytest
from group_model import Accumulator, Layer, outputs_of, random_layer
from qsim_process import bad_input, qsim

CASES = int(os.environ.get("QSIM_GROUP_CASES", "12"))
"""Of each group size."""
SCALE_X, SCALE_W = 0.5, 0.25


def flat(values):
    return [v for value in values for v in flat(value)] if isinstance(values, list) else [values]


def workload(layer: Layer):
    """The accumulators themselves are the output: 32 bits at scale s_x * s_w."""
    weights = {"shape": [layer.outputs, layer.kernel, layer.kernel, layer.channels], "bits": layer.weight_bits,
               "scale": SCALE_W, "group_size": layer.group, "group_multipliers": flat(layer.multipliers),
               "zero_point": flat(layer.zero_points) if layer.asymmetric else 0, "values": flat(layer.weights)}
    if len(flat(layer.multipliers)) == 1 and layer.asymmetric:
        weights["zero_point"] = weights["zero_point"][0]
    return {"name": "groups", "semantics": "onnx",
            "inputs": [{"name": "x", "shape": [1, layer.size, layer.size, layer.channels],
                        "bits": layer.activation_bits, "scale": SCALE_X, "zero_point": layer.x_zero_point}],
            "layers": [{"op": "conv2d", "name": "y", "input": "x", "weights": weights,
                        "bias": {"values": layer.bias}, "padding": [layer.pad] * 4,
                        "output": {"bits": 32, "scale": SCALE_X * SCALE_W}}],
            "outputs": ["y"]}


def tensor_of(path, name):
    """An I32 tensor of a safetensors file."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    entry = json.loads(data[8:begin])[name]
    assert entry["dtype"] == "I32"
    first, end = entry["data_offsets"]
    return numpy.frombuffer(data[begin + first:begin + end], dtype="<i4").tolist()


def run(folder, layer, settings, *options):
    (folder / "layer.json").write_text(json.dumps(workload(layer)))
    numpy.save(folder / "x.npy", numpy.array(layer.x, dtype=numpy.int8)[None])
    sets = [word for item in settings.items() for word in ("--set", "=".join(map(str, item)))]
    done = qsim("--workload", folder / "layer.json", "--input", folder / "x.npy", "--json", "--outputs",
                folder / "y.safetensors", *sets, *options)
    assert done.returncode == 0, done.stderr
    return tensor_of(folder / "y.safetensors", "y"), json.loads(done.stdout)


def random_settings(rng):
    """A chip, and how many elements of a group reach the accumulators together."""
    rows = rng.choice([5, 16, 64])
    dataflow = rng.choice(["weight_stationary", "input_stationary", "output_stationary"])
    settings = {"mac_array.rows": rows, "mac_array.columns": rng.choice([3, 16]), "mac_array.dataflow": dataflow,
                "mac_array.organization": rng.choice(["systolic", "dot_product"]),
                "accumulators.width_bits": rng.choice([16, 18, 20, 24, 32]),
                "accumulators.overflow": rng.choice(["wrap", "saturate"])}
    return settings, 10**9 if dataflow == "output_stationary" else rows


@pytest.mark.parametrize("group", [8, 16, 32])
def test_accumulators_hold_what_integers_of_any_size_give(group, tmp_path):
    rng = random.Random(group)
    overflowing = 0
    for case in range(CASES):
        layer = random_layer(rng, group)
        settings, piece = random_settings(rng)
        accumulator = Accumulator(settings["accumulators.width_bits"], settings["accumulators.overflow"])
        expected = outputs_of(layer, piece, accumulator)
        options = [[], ["--values", "tile"], ["--fidelity", "pe", "--values", "tile"]][case % 3]
        values, report = run(tmp_path, layer, settings, *options)
        assert values == expected, (group, case, settings, options)
        seen = report["layers"][0]["accumulator"]
        assert seen["overflows"] == accumulator.overflows, (group, case, settings)
        assert (seen["min"], seen["max"]) == (min(accumulator.seen), max(accumulator.seen))
        assert seen["overflows"] or seen["worst_min"] <= seen["min"] <= seen["max"] <= seen["worst_max"]
        overflowing += accumulator.overflows > 0
    assert overflowing > 0


def network(**weights):
    return {"name": "groups", "semantics": "onnx",
            "tensors": {"generator": "normal", "seed": 1},
            "inputs": [{"name": "x", "shape": [1, 4, 4, 64], "scale": 0.05}],
            "layers": [{"op": "conv2d", "name": "y", "input": "x",
                        "weights": {"shape": [2, 1, 1, 64], **weights}, "output": {"scale": 0.6}}],
            "outputs": ["y"]}


def written(folder, **weights):
    (folder / "layer.json").write_text(json.dumps(network(**weights)))
    return folder / "layer.json"


def test_a_report_says_whether_scales_are_exact_multiples(tmp_path):
    exact = written(tmp_path, group_size=32, scale=[0.01, 0.03, 0.02, 0.07])
    done = qsim("--workload", exact, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["layers"][0]["groups"] == {"group_size": 32, "largest_multiplier": 7, "scale_error": 0.0,
                                             "bit_exact": True}
    assert report["provenance"]["notes"] == []
    assert report["layers"][0]["events"]["group_multiplies"] == 4 * 4 * 2 * 2
    rough = json.loads(qsim("--workload", written(tmp_path, group_size=32, scale=[0.01, 0.0314159, 0.02, 0.07]),
                            "--json").stdout)
    groups = rough["layers"][0]["groups"]
    assert not groups["bit_exact"] and 0 < groups["scale_error"] < 1 / 128
    assert "not bit-exact" in rough["provenance"]["notes"][0]


def least_error(scales, bits=8):
    """The least, over all multipliers of the largest scale, of the largest relative distance of m s from a scale, s = max / top."""
    exact = [float(numpy.float32(scale)) for scale in scales]
    errors = []
    for top in range(1, 1 << bits):
        ratios = [scale / (max(exact) / top) for scale in exact]
        errors.append(max(abs(max(round(ratio), 1) / ratio - 1) for ratio in ratios))
    return min(errors)


@pytest.mark.parametrize("seed", range(3))
def test_float_scales_are_as_close_as_multiples_come_and_their_row_is_not_called_bit_exact(seed, tmp_path):
    rng = random.Random(seed)
    scales = [rng.uniform(0.002, 0.1) for _ in range(8)]  # 2 channels of 4 groups
    error = max(least_error(scales[:4]), least_error(scales[4:]))
    path = written(tmp_path, group_size=16, scale=scales)
    for options in [[], ["--cost-only"]]:
        run_report = json.loads(qsim("--workload", path, "--json", *options).stdout)
        groups = run_report["layers"][0]["groups"]
        assert groups["bit_exact"] is False
        assert groups["scale_error"] == pytest.approx(error, rel=1e-3)
        (note,) = run_report["provenance"]["notes"]
        assert note == f"y: scales of groups are approximated by integer multiples, by {100 * error:.2g} % at most, so that its outputs are not bit-exact"
        assert note in qsim("--workload", path, *options).stdout
    (remark,) = json.loads(qsim("check", "--workload", path, "--json").stdout)["nodes"][0]["remarks"]
    assert remark == f"scales of groups of 16 are approximated by integer multiples, by {100 * error:.2g} % at most, so that outputs are not bit-exact"


def test_what_was_approximated_is_still_said_of_weights_requantized_from_it(tmp_path):
    path = written(tmp_path, group_size=32, scale=[0.01, 0.0314159, 0.02, 0.07])
    for options in [["--scheme", "w4a8"], ["--scheme", "w4a8:weights=per_group(16)"], ["--weight-bits", "4"]]:
        notes = json.loads(qsim("--workload", path, "--json", *options).stdout)["provenance"]["notes"]
        assert any("approximated by integer multiples, by 0.018 % at most" in note for note in notes), options


def output_hash(*arguments):
    done = qsim(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["outputs"][0]["sha256"]


def test_a_workload_that_is_written_again_has_the_same_groups(tmp_path):
    path = written(tmp_path, group_size=16, scale=[0.01, 0.0314159, 0.02, 0.07] * 2, zero_point=[1, 2, 3, 4, 0, -5, 6, 7])
    again = tmp_path / "again.json"
    assert qsim("convert", path, again).returncode == 0
    assert output_hash("--workload", again) == output_hash("--workload", path)
    bad_input("convert", path, tmp_path / "again.onnx")[0].says(
        "layers[0]", "a scale a group", "workload in JSON")


def test_fewer_weight_bits_keep_the_multipliers_and_one_bit_has_none(tmp_path):
    path = written(tmp_path, group_size=32, scale=[0.01, 0.03, 0.02, 0.07])
    for bits, has_groups in ((4, True), (1, False)):
        report = json.loads(qsim("--workload", path, "--weight-bits", bits, "--json").stdout)
        assert ("groups" in report["layers"][0]) == has_groups


def test_a_chip_without_multipliers_is_refused(tmp_path):
    path = written(tmp_path, group_size=32, scale=[0.01, 0.03, 0.02, 0.07])
    bad_input("--workload", path, "--set", "requantizer.group_multiplier_bits=0")[0].says(
        "layers[0]", "multipliers up to 7", "requantizer.group_multiplier_bits of 3 or more")
    check = qsim("check", "--workload", path, "--set", "requantizer.group_multiplier_bits=2")
    assert check.returncode == 1 and "requantizer.group_multiplier_bits" in check.stdout
    assert qsim("check", "--workload", path).returncode == 0


@pytest.mark.parametrize("weights, words", [
    ({"group_size": 24, "scale": 0.1}, ["weights.group_size", "24", "a divisor", "64"]),
    ({"group_size": 32, "scale": [0.1, 0.2, 0.3]}, ["weights.scale", "4: one a group"]),
    ({"group_size": 32, "scale": [0.1, 0.2, 0.0, 0.3]}, ["weights.scale", "above 0"]),
    ({"group_size": 32, "scale": 0.1, "group_multipliers": [1, 2, 0, 3]}, ["weights.group_multipliers", "1 to 32767"]),
    ({"group_size": -1, "scale": 0.1}, ["weights.group_size"]),
    ({"scale": 0.1, "group_multipliers": [1, 2]}, ["weights.group_multipliers", "a group_size above 0"]),
])
def test_groups_that_do_not_fit_are_named(weights, words, tmp_path):
    bad_input("--workload", written(tmp_path, **weights))[0].says(*words)
