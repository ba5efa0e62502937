"""MXINT8, blocks of 32 with shared exponents: what is counted, what it costs, and what is refused (docs/schemes.md)."""

import json
import pathlib

import jsonschema
import pytest
from qsim_process import ROOT, bad_input, qsim

MXINT8 = "w8a8:format=mxint"
# A point-wise convolution of 64 channels (2 blocks) to 40 (a block of 32, a block of 8) at 16 pixels.
PIXELS, CHANNELS, OUTPUTS = 16, 64, 40


def network(channels=CHANNELS, outputs=OUTPUTS, kernel=1):
    values = [((i * 37) % 101 - 50) / 300 for i in range(channels * outputs * kernel * kernel)]
    return {"name": "float", "semantics": "onnx", "inputs": [{"name": "x", "shape": [1, 4, 4, channels], "type": "float32"}],
            "layers": [{"op": "conv2d", "name": "product", "input": "x", "padding": "same",
                        "weights": {"shape": [outputs, kernel, kernel, channels], "type": "float32", "values": values}}],
            "outputs": ["product"]}


@pytest.fixture(name="workload")
def fixture_workload(tmp_path):
    path = tmp_path / "float.json"
    path.write_text(json.dumps(network()))
    return path


def report(workload, *arguments):
    run = qsim("--hw", "npu_mx", "--workload", workload, "--scheme", MXINT8, "--json", *arguments)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_exponents_are_stored_moved_and_counted(workload):
    result = report(workload)
    rows = {row["name"]: row for row in result["layers"]}
    product = rows["product"]
    assert product["macs"] == PIXELS * CHANNELS * OUTPUTS
    events = product["events"]
    # A chunk of 32 rows a block: two sums an output.
    assert events["block_shifts"] == PIXELS * OUTPUTS * 2
    assert events["block_outputs"] == events["requantizations"] == PIXELS * OUTPUTS
    assert events["block_exponents"] == PIXELS * 2
    traffic = product["traffic_bytes"]
    # The layer's reference (2 bytes), and of each output a preload (4) and an exponent a block (1).
    assert traffic["dram_read_parameters"] == 2 + OUTPUTS * (4 + 2)
    assert traffic["dram_read_activations"] == PIXELS * (CHANNELS + 2)
    assert traffic["dram_write_activations"] == PIXELS * (OUTPUTS + 2)
    # Two column tiles (32 and 8 outputs), two chunks each: 32 channels and an exponent of every pixel; then the store.
    assert traffic["activation_buffer_read"] == 2 * 2 * PIXELS * (32 + 1) + PIXELS * (OUTPUTS + 2)
    assert traffic["activation_buffer_write"] == PIXELS * (CHANNELS + 2) + PIXELS * (OUTPUTS + 2)
    # The host makes the blocks of the input, and floats of the output.
    assert rows["x#quantize"]["traffic_bytes"]["dram_write_activations"] == PIXELS * (CHANNELS + 2)
    assert rows["product#dequantize"]["traffic_bytes"]["dram_read_activations"] == PIXELS * (OUTPUTS + 2)


def residual_network():
    """A product, a product behind it, their sum, its windows and its mean."""
    behind = {**network(channels=OUTPUTS)["layers"][0], "name": "behind", "input": "product"}
    return {**network(), "outputs": ["flat"],
            "layers": [*network()["layers"], behind,
                       {"op": "add", "name": "sum", "inputs": ["product", "behind"], "activation": "relu"},
                       {"op": "max_pool2d", "name": "largest", "input": "sum", "kernel": 2},
                       {"op": "average_pool2d", "name": "average", "input": "largest", "kernel": 2, "stride": 1},
                       {"op": "mean", "name": "mean", "input": "average", "axes": [1, 2]},
                       {"op": "reshape", "name": "flat", "input": "mean", "shape": [1, OUTPUTS]}]}


def test_sums_and_poolings_stay_on_the_chip(tmp_path):
    path = tmp_path / "residual.json"
    path.write_text(json.dumps(residual_network()))
    result = report(path)
    rows = {row["name"]: row for row in result["layers"]}
    host = [name for name, row in rows.items() if row["cycles_breakdown"]["host"] > 0]
    assert host == ["x#quantize", "flat#dequantize"]
    assert not [line for line in result["provenance"]["notes"] if "left to the host" in line]
    stored = OUTPUTS + 2  # two exponents a pixel
    # Of each row alignment and addition, then a comparison and a rounding; a mean has one product more.
    assert rows["sum"]["events"]["vector_adds"] == PIXELS * stored * (2 * 2 + 2)
    assert rows["largest"]["events"]["vector_adds"] == PIXELS // 4 * stored * (2 * 4 + 2)
    assert rows["largest"]["events"]["vector_multiplies"] == 0
    assert rows["average"]["events"]["vector_multiplies"] == stored
    # Four passes over 16 rows of blocks, and latency; three more of a window of four.
    lanes = 32
    latency = rows["sum"]["cycles"] - -(-PIXELS * stored * 4 // lanes)
    assert rows["largest"]["cycles"] == -(-PIXELS // 4 * stored * (4 + 3) // lanes) + latency
    assert rows["sum"]["traffic_bytes"]["activation_buffer_read"] == 2 * PIXELS * stored
    assert rows["sum"]["traffic_bytes"]["activation_buffer_write"] == PIXELS * stored
    for arguments in (["--values", "tile"], ["--fidelity", "pe"], ["--set", "activation_buffer.capacity_kib=1", "--values", "tile"]):
        assert report(path, *arguments)["outputs"] == result["outputs"], arguments


def test_a_sum_with_floats_is_left_to_the_host(tmp_path):
    path = tmp_path / "mixed.json"
    root = network(outputs=CHANNELS)
    path.write_text(json.dumps({**root, "outputs": ["sum"], "layers": [*root["layers"], {"op": "add", "name": "sum", "inputs": ["product", "x"]}]}))
    rows = {row["name"]: row for row in report(path)["layers"]}
    assert rows["sum"]["cycles_breakdown"]["host"] > 0


def test_accumulators_of_blocks_round_more_where_they_are_narrower(workload):
    run = qsim("accumulators", "--hw", "npu_mx", "--workload", workload, "--scheme", MXINT8, "--json")
    assert run.returncode == 0, run.stderr
    analysis = json.loads(run.stdout)
    jsonschema.validate(analysis, json.loads((ROOT / "configs/schemas/accumulators.schema.json").read_text()))
    assert [row["bits_worst_case"] for row in analysis["layers"]] == [None]
    assert [width["width_bits"] for width in analysis["widths"]] == [32, 24, 16]
    rounded = [width["rounded_sums"] for width in analysis["widths"]]
    assert {width["block_sums"] for width in analysis["widths"]} == {PIXELS * OUTPUTS * 2}
    assert rounded[0] <= rounded[1] <= rounded[2] and rounded[2] > 0
    for width, count in zip(analysis["widths"], rounded):
        assert report(workload, "--set", f"accumulators.width_bits={width['width_bits']}")["layers"][1]["blocks"]["rounded_sums"] == count


def test_what_a_shift_and_a_block_cost(workload):
    entries = report(workload)["provenance"]["energy_entries"]
    table = {entry["key"]: entry.get("value") for entry in json.loads((ROOT / "configs" / "energy" / "45nm.json").read_text())["entries"]}
    found = {}
    for entry in entries:
        if entry["event"].startswith("block_"):
            key = entry["component"], entry["event"]
            found[key] = found.get(key, 0.0) + entry["unit_pj"]
    # Accumulators of 32 bits: a shifter, 32 bits of rounding, two adders of 10 bits; 32 bits compared, written and read; an exponent.
    expected = {("accumulators", "block_shifts"): table["shift"] + table["int32_add"] * 52 / 32,
                ("requantizer", "block_outputs"): table["int32_compare"] + 64 * table["register_bit"],
                ("requantizer", "block_exponents"): table["int32_compare"] + table["int32_add"] * 10 / 32}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("arguments", [["--values", "tile"], ["--fidelity", "pe"]])
@pytest.mark.parametrize("machine", [[], ["--set", "mac_array.dataflow=output_stationary"], ["--set", "mac_array.dataflow=input_stationary"]])
def test_the_modelled_memory_holds_the_same_blocks(tmp_path, arguments, machine):
    path = tmp_path / "float.json"
    path.write_text(json.dumps(network(channels=40, outputs=33, kernel=3)))
    layer, other = report(path, *machine), report(path, *machine, *arguments)
    for key in ("outputs", "cycles", "events", "totals", "energy_pj"):
        assert layer[key] == other[key], key
    assert [row["blocks"] for row in layer["layers"] if "blocks" in row] == [row["blocks"] for row in other["layers"] if "blocks" in row]


def test_cost_alone_is_the_same_but_for_what_values_show(workload):
    full, cost = report(workload), report(workload, "--cost-only")
    assert full["cycles"] == cost["cycles"]
    assert full["energy_pj"] == cost["energy_pj"]
    assert [row["blocks"]["bit_exact"] for row in cost["layers"] if "blocks" in row] == [None]


def test_a_batch_is_its_inputs_one_by_one(workload):
    assert report(workload, "--batch", "3")["totals"]["macs"] == 3 * PIXELS * CHANNELS * OUTPUTS


def test_a_chip_says_what_it_lacks(workload):
    bad_input("--workload", workload, "--scheme", MXINT8)[0].says("requantizer.block_exponents", "npu_mx")
    narrow = bad_input("--hw", "npu_mx", "--set", "mac_array.columns=16", "--workload", workload, "--scheme", MXINT8)
    narrow[0].says("16 columns", "mac_array.columns")
    few = bad_input("--hw", "npu_mx", "--set", "accumulators.entries=32", "--set", "mac_array.dataflow=input_stationary", "--workload", workload, "--scheme",
                    MXINT8)
    few[0].says("accumulators.entries of 32", "accumulators.entries of 64")
    check = qsim("check", "--hw", "npu", "--workload", workload, "--scheme", MXINT8)
    assert check.returncode == 1
    assert "requantizer.block_exponents" in check.stdout


@pytest.mark.parametrize("scheme, words", [
    ("w4a8:format=mxint", ["w4a8", "w8a8"]),
    ("w8a16:format=mxint", ["w8a16", "w8a8"]),
    ("w8a8:weights=asymmetric;format=mxint", ["asymmetric", "symmetric weights"]),
    ("w8a8:activations=unsigned;format=mxint", ["unsigned", "signed activations"]),
    ("w8a8:weights=per_tensor;format=mxint", ["blocks are of 32"])])
def test_other_schemes_are_refused(workload, scheme, words):
    bad_input("--hw", "npu_mx", "--workload", workload, "--scheme", scheme)[0].says(*words)


def test_exponents_follow_from_magnitudes_alone(workload):
    bad_input("--hw", "npu_mx", "--workload", workload, "--scheme", MXINT8, "--ranges", "mse")[0].says("mse", "format=mxint")
    report(workload, "--method", "cle")


def test_a_comparison_has_them_beside_other_schemes(workload):
    run = qsim("compare", "--hw", "npu_mx", "--workload", workload, "--schemes", f"w8a8,{MXINT8}", "--features", "--json")
    assert run.returncode == 0, run.stderr
    integers, blocks = json.loads(run.stdout)["rows"]
    own = report(workload)
    assert blocks["error"] is None and blocks["cycles"] == own["totals"]["cycles"]
    assert blocks["energy_total_pj"] == own["totals"]["energy_total_pj"]
    assert integers["accumulator_bits"] > 16 and blocks["accumulator_bits"] is None
    assert blocks["sqnr_db"] > 30


def test_networks_that_are_quantized_already_are_refused():
    bad_input("--hw", "npu_mx", "--workload", "resnet8", "--scheme", MXINT8)[0].says("quantized already", "float network")


def test_no_file_holds_blocks(workload, tmp_path):
    bad_input("convert", workload, tmp_path / "out.json", "--scheme", MXINT8)[0].says("mxint", "without the scheme")
    bad_input("convert", workload, tmp_path / "out.onnx", "--scheme", MXINT8)[0].says("mxint", "without the scheme")
    assert not pathlib.Path(tmp_path / "out.json").exists()


@pytest.mark.parametrize("setting, word", [("requantizer.writes_through=true", "writes_through"), ("activation_buffer.line_buffer=true", "line_buffer"),
                                           ("weight_buffer.bank_conflicts=true", "bank_conflicts"), ("accumulators.width_bits=64", "62")])
def test_machines_that_block_formats_do_not_go_with(workload, setting, word):
    bad_input("--hw", "npu_mx", "--set", setting, "--workload", workload, "--scheme", MXINT8)[0].says(word)
