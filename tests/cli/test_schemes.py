"""--scheme: text or file, on float and on quantized networks, in run, evaluate and check."""

import json

import pytest
from qsim_process import bad_input, qsim, report_of

FLOAT_NETWORK = {
    "name": "float", "semantics": "onnx", "tensors": {"generator": "normal", "seed": 1},
    "inputs": [{"name": "x", "shape": [1, 6, 6, 4], "type": "float32"}],
    "layers": [
        {"op": "conv2d", "name": "first", "input": "x", "activation": "relu",
         "weights": {"shape": [8, 3, 3, 4], "type": "float32", "values": [((i * 37) % 101 - 30) / 300 for i in range(288)]}},
        {"op": "fully_connected", "name": "last", "input": "flat",
         "weights": {"shape": [5, 128], "type": "float32", "values": [((i * 53) % 97 - 48) / 400 for i in range(640)]}},
        {"op": "reshape", "name": "flat", "input": "first", "shape": [1, 128]}],
    "outputs": ["last"]}


@pytest.fixture(name="network")
def fixture_network(tmp_path):
    path = tmp_path / "float.json"
    path.write_text(json.dumps(FLOAT_NETWORK))
    return path


def report(network, *arguments):
    run = qsim("--workload", network, "--json", *arguments)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def products(report):
    return {layer["name"]: layer for layer in report["layers"] if layer["macs"]}


def test_a_scheme_has_widths_and_is_in_the_report(network):
    result = report(network, "--scheme", "w3a5:weights=per_tensor,asymmetric")
    assert result["options"]["scheme"] == "w3a5:weights=per_tensor,asymmetric"
    assert all((row["bits"]["weights"], row["bits"]["activations"]) == (3, 5) for row in products(result).values())
    assert any("weights 3 bits, asymmetric, a scale a tensor" in note for note in result["provenance"]["notes"])
    assert result["energy_pj"]["zero_point_correction"] > 0


def test_symmetric_weights_need_no_correction(network):
    assert report(network, "--scheme", "w3a5")["energy_pj"]["zero_point_correction"] == 0


def test_the_short_forms_are_the_same_scheme(network):
    short = report(network, "--weight-bits", "4", "--activation-bits", "6")
    scheme = report(network, "--scheme", "w4a6")
    assert short["outputs"] == scheme["outputs"]
    assert short["totals"] == scheme["totals"]


def test_power_of_two_scales_shift_by_the_rule_of_the_machine(network):
    results = {}
    for rounding in ["half_up", "half_away", "half_even", "truncate"]:
        result = report(network, "--scheme", "w8a8:scales=power_of_two", "--set", f"requantizer.shift_rounding={rounding}")
        assert all(row["rounding_profile"] == "power_of_two" for row in products(result).values())
        results[rounding] = result["outputs"][0]["sha256"]
    assert results["truncate"] not in {results["half_up"], results["half_away"], results["half_even"]}
    floating = report(network, "--scheme", "w8a8")
    assert all(row["rounding_profile"] == "float32" for row in products(floating).values())


def test_a_file_has_exceptions_by_layer(network, tmp_path):
    scheme = tmp_path / "mixed.json"
    scheme.write_text(json.dumps({"bits": "w4a8", "weights": "per_channel", "layers": {"first": {"bits": {"weights": 8}}}}))
    result = report(network, "--scheme", scheme)
    assert result["options"]["scheme"] == "mixed.json"
    assert [row["bits"]["weights"] for row in products(result).values()] == [8, 4]  # in their order


def test_a_quantized_network_is_requantized_from_its_dequantized_weights():
    result = report_of("--scheme", "w4a6:weights=asymmetric", "--cost-only")
    assert all((row["bits"]["weights"], row["bits"]["activations"]) == (4, 6) for row in products(result).values())
    assert any("weights requantized from their integers, w = s (q - z): 4 bits, asymmetric" in note
               for note in result["provenance"]["notes"])


def test_check_looks_at_the_network_that_the_scheme_makes(network):
    run = qsim("check", "--workload", network, "--scheme", "w4a8", "--json")
    assert run.returncode == 0, run.stderr
    units = {node["name"]: node["unit"] for node in json.loads(run.stdout)["nodes"]}
    assert units["first"] == units["last"] == "mac_array"
    without = qsim("check", "--workload", network, "--json")
    assert {node["unit"] for node in json.loads(without.stdout)["nodes"]} >= {"host"}


@pytest.mark.parametrize("command", [[], ["check"], ["evaluate", "--data", "cifar10:none.bin"]])
@pytest.mark.parametrize(("scheme", "words"), [
    ("w4", ["column 1", "w<bits>a<bits>", "as in w4a8"]),
    ("w4a99", ["column 4", '"99"', "1 to 16 bits"]),
    ("w4a8:weights=per_row", ["column 14", '"per_row"', "per_channel"]),
    ("w4a8:activations=per_channel", ["column 18", "scale a tensor"]),
    ("w4a1:activations=signed", ["activations", "1 signed bit", "unsigned"]),
])
def test_what_is_wrong_with_a_scheme_is_named(network, command, scheme, words):
    (message,) = bad_input(*command, "--workload", network, "--scheme", scheme)
    message.says("--scheme", *words)


def test_a_scheme_goes_without_its_short_forms(network):
    (message,) = bad_input("--workload", network, "--scheme", "w4a8", "--weight-bits", "4")
    message.says("--scheme", "--weight-bits", "a scheme has the widths in it")


def test_a_file_names_its_problems_by_key(network, tmp_path):
    scheme = tmp_path / "bad.json"
    scheme.write_text('{"bits": "w4a8", "weights": "per_channel,odd", "layers": {"frist": "w8a8"}}')
    (message,) = bad_input("--workload", network, "--scheme", scheme)
    message.says("bad.json", "weights, column 13", '"odd"')
    scheme.write_text('{"bits": "w4a8", "layers": {"frist": "w8a8"}}')
    (message,) = bad_input("--workload", network, "--scheme", scheme)
    message.says("bad.json", "frist", "did you mean first?")


def groups_of(report):
    """By product, in their order."""
    return [(row.get("groups") or {}).get("group_size") for row in products(report).values()]


def group_notes(report):
    return [note for note in report["provenance"]["notes"] if note.startswith("groups of")]


def test_groups_are_of_the_size_that_is_asked_for_where_it_divides_the_channels(network):
    result = report(network, "--scheme", "w4a8:weights=per_group(32),asymmetric")
    # first: taps of 4 channels, 36 weights a channel; last: 128.
    assert groups_of(result) == [None, 32]
    (note,) = group_notes(result)
    assert note == ("groups of 32 in 1 layer; a scale a channel in 1: a channel has at most 32 weights, or nothing "
                    "from 16 to 32 divides a tap's channels")
    row = products(result)["last"]
    assert row["groups"]["bit_exact"] and row["groups"]["scale_error"] == 0
    assert 1 < row["groups"]["largest_multiplier"] <= 255
    assert row["events"]["group_multiplies"] == 5 * 128 // 32
    assert row["events"]["zero_point_corrections"] == 5 * (128 // 32 + 1)
    assert any("4 bits, asymmetric, a scale a group of 32 (2 layers)" in note for note in result["provenance"]["notes"])


def test_groups_that_divide_all_channels_need_no_note(network):
    result = report(network, "--scheme", "w4a8:weights=per_group(4)")
    assert groups_of(result) == [4, 4]
    assert group_notes(result) == []


def test_a_layer_has_groups_of_its_own(network, tmp_path):
    scheme = tmp_path / "groups.json"
    scheme.write_text('{"bits": "w4a8", "layers": {"first": {"weights": "per_group(2)"}, "last": "w3a8:weights=per_group(64)"}}')
    result = report(network, "--scheme", scheme)
    assert groups_of(result) == [2, 64]
    assert [row["bits"]["weights"] for row in products(result).values()] == [4, 3]


def test_a_quantized_network_is_requantized_with_groups():
    result = report_of("--scheme", "w4a8:weights=per_group(32)", "--cost-only")
    sizes = groups_of(result)
    assert sizes.count(32) == 4 and sizes.count(16) == 3 and sizes.count(None) == 3
    assert group_notes(result)[0].startswith("groups of 32 in 4 layers; of 16 in 3 whose channels 32 does not divide; a scale a channel in 3")


def test_evaluate_computes_with_groups(tmp_path):
    (tmp_path / "images.bin").write_bytes(bytes([3] + [(i * 7) % 256 for i in range(3072)]) * 2)
    run = qsim("evaluate", "--workload", "resnet8", "--data", f"cifar10:{tmp_path / 'images.bin'}", "--json", "--scheme",
               "w4a8:weights=per_group(32)")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["images"] == 2
    assert result["totals"] == report_of("--scheme", "w4a8:weights=per_group(32)", "--cost-only")["totals"]


def test_a_chip_without_multipliers_lacks_them(network):
    arguments = ["--workload", network, "--scheme", "w4a8:weights=per_group(32)", "--hw", "npu_small"]
    remedy = "set requantizer.group_multiplier_bits to 8, or quantize with one scale a channel"
    run = qsim("check", *arguments)
    assert run.returncode == 1 and remedy in run.stdout
    (message,) = bad_input(*arguments)
    message.says("layers[1]", "multipliers up to 255", "requantizer.group_multiplier_bits of 8 or more", remedy)
    assert qsim(*arguments, "--set", "requantizer.group_multiplier_bits=8", "--quiet").returncode == 0


@pytest.mark.parametrize(("scheme", "words"), [
    ("w4a8:weights=per_group(24)", ["weights", "per_group(24)", "a divisor", "4, 128", "weights=per_group(128)", "per_channel"]),
    ("w4a8:weights=per_group(129)", ["weights", "per_group(129)", "4, 128"]),
    ({"layers": {"first": {"weights": "per_group(3)"}}}, ["layers.first", "groups of 3", "a divisor of its 4 input channels"]),
    ({"layers": {"first": {"weights": "per_group(8)"}}}, ["layers.first", "groups of 8", "a divisor of its 4 input channels"]),
    ({"weights": "per_group(4)", "layers": {"last": "w8a8:weights=per_group(12)"}}, ["layers.last", "groups of 12", "128"]),
])
def test_a_group_that_does_not_divide_is_refused(network, tmp_path, scheme, words):
    if isinstance(scheme, dict):
        path = tmp_path / "scheme.json"
        path.write_text(json.dumps({"bits": "w4a8", **scheme}))
        scheme = path
    (message,) = bad_input("--workload", network, "--scheme", scheme)
    message.says(*words)


@pytest.mark.parametrize(("scheme", "words"), [
    ("w4a8:", ["column 6", "got nothing", "weights=", "as in"]),
    ("w4a8:weights=", ["column 14", "got nothing", "per_group(N)"]),
    ("w4a8:weights=per_group", ["column 23", "the size of a group in parentheses", "as in weights=per_group(32)"]),
    ("w4a8:weights=per_group()", ["column 23", '"()"', "1 to 1048576"]),
    ("w4a8:weights=per_group(-4)", ["column 23", '"(-4)"', "1 to 1048576"]),
    ("w4a8:weights=per_group(1.5)", ["column 23", '"(1.5)"']),
    ("w4a8:weights=per_group(32", ["column 23", '"(32"']),
    ("w4a8:weights=per_group(99999999999999999999)", ["column 23", "1 to 1048576"]),
    ("w4a8:weights=per_group(32)x", ["column 23", '"(32)x"']),
    ("w4a8:weights=per_group(32),per_channel", ["column 28", '"per_channel"', "one granularity"]),
    ("w4a8:weights=per_group(32);weights=per_tensor", ["column 28", "each key once"]),
    ("w4a8:activations=per_group(32)", ["column 18", "activations have a scale a tensor"]),
    ("w4a8:scales=log", ["column 13", '"log"', "float or power_of_two"]),
    ("w4a8,w8a8", ["column 1", '"w4a8,w8a8"', "w<bits>a<bits>"]),
    ("missing.json", ["missing.json", "a JSON file that can be read"]),
    ([], ["bad.json", "got []", "an object", "docs/schemes.md"]),
    ({"bits": 4}, ["bits", "got 4", '"w<bits>a<bits>" or {"weights": N, "activations": N}']),
    ({"bits": "w4a8", "group_size": 32}, ["group_size", "a known key", '"weights"', '"format"']),
    ({"bits": "w4a8", "layers": {"first": 5}}, ["layers.first", "got 5", "a scheme's text, or an object"]),
    ({"bits": "w4a8", "layers": {"first": {"format": "mxint"}}}, ["layers.first.format", '"bits", "weights", "activations"']),
    ({"bits": "w4a8", "layers": {"first": {"weights": "per_group(0)"}}}, ["layers.first.weights, column 10", '"(0)"', "1 to 1048576"]),
    ({"bits": "w4a8", "layers": {"flat": {"weights": "per_group(2)"}}}, ["layers.flat", "groups of 2", "a layer with weights", "leave out"]),
])
def test_a_scheme_that_is_malformed_is_refused_with_one_message(network, tmp_path, scheme, words):
    if not isinstance(scheme, str):
        path = tmp_path / "bad.json"
        path.write_text(json.dumps(scheme))
        scheme = path
    (message,) = bad_input("--workload", network, "--scheme", scheme)
    message.says(*words)


@pytest.mark.parametrize(("setting", "words"), [
    ("requantizer.group_multiplier_bits=7", ["layers[1]", "requantizer.group_multiplier_bits of 7", "8 or more", "one scale a channel"]),
    ("requantizer.group_multiplier_bits=16", ["--set", "got 16", "0 to 15"]),
    ("requantizer.group_multiplier_bits=x", ["--set", '"x"', "an integer from 0 to 15"]),
])
def test_multipliers_that_are_too_narrow_or_no_width_are_named(network, setting, words):
    (message,) = bad_input("--workload", network, "--scheme", "w4a8:weights=per_group(32)", "--set", setting)
    message.says(*words)
