"""qsim memory-map: ranges that are in use at the same time do not overlap, and are those of a run's mapping."""

import json
import xml.etree.ElementTree

import jsonschema
import pytest
from qsim_process import ROOT, WORKLOAD, bad_input, qsim, report_of

SCHEMA = json.loads((ROOT / "configs" / "schemas" / "memory_map.schema.json").read_text(encoding="utf-8"))
MACHINES = [
    ["--hw", "npu"],
    ["--hw", "npu_small"],
    ["--hw", "npu_fused", "--set", "activation_buffer.capacity_kib=16"],
    ["--hw", "nvdla_small"],
    ["--hw", "scalesim_16_os"],
]


def map_of(*arguments):
    process = qsim("memory-map", *arguments, "--json")
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def is_of_a_row(entry):
    return entry["slots"] > 0 and entry["first_row"] == entry["last_row"]


def in_use(buffer, rows):
    """For each row, and each part of it, the ranges that are in use."""
    for row in range(rows):
        here = [entry for entry in buffer["ranges"]
                if entry["first_row"] + (entry["use"] == "in_place") <= row <= entry["last_row"]]
        for part in {entry["part"] for entry in here}:
            yield row, [entry for entry in here if not is_of_a_row(entry) or entry["part"] == part]


@pytest.mark.parametrize("machine", MACHINES, ids=" ".join)
def test_what_is_in_use_together_fits_and_does_not_overlap(machine):
    result = map_of("--workload", WORKLOAD, *machine)
    jsonschema.validate(result, SCHEMA)
    for name in ("activation_buffer", "weight_buffer"):
        buffer = result[name]
        most = 0
        for _, entries in in_use(buffer, len(result["rows"])):
            end = 0
            for entry in sorted(entries, key=lambda entry: entry["address"]):
                assert entry["address"] >= end and entry["bytes"] > 0
                end = entry["address"] + entry["bytes"]
            assert end <= buffer["capacity_bytes"]
            most = max(most, sum(entry["bytes"] for entry in entries))
        assert buffer["peak_bytes"] == most


@pytest.mark.parametrize("machine", MACHINES, ids=" ".join)
def test_slots_and_tensors_that_stay_are_those_of_the_report(machine):
    layers = report_of("--cost-only", *machine)["layers"]
    result = map_of("--workload", WORKLOAD, *machine)
    assert result["rows"] == [layer["name"] for layer in layers]
    ranges = result["activation_buffer"]["ranges"]
    for row, layer in enumerate(layers):
        mapping = layer["mapping"]
        own = [entry for entry in ranges if entry["first_row"] == row and is_of_a_row(entry)]
        for key, use in (("input_slots", "input_slots"), ("addend_slots", "addend_slots"), ("output_slots", "output_slots")):
            if mapping["unit"] == "mac_array":
                assert sum(entry["slots"] for entry in own if entry["use"] == use) == mapping.get(key, 0)
        kept = any(entry["use"] in ("kept", "in_place") and entry["first_row"] == row for entry in ranges)
        if mapping.get("output_in") == "activation_buffer":
            assert kept
        weights = [entry for entry in result["weight_buffer"]["ranges"]
                   if entry["use"] == "weights" and entry["name"] == layer["name"]]
        assert len(weights) == (1 if mapping.get("weights_in") == "weight_buffer" else 0)


def test_a_small_map_is_what_its_sizes_say(tmp_path):
    """8x8 pixels of 16 channels into 32 channels by a product without a memory outside: everything stays."""
    file = tmp_path / "one.csv"
    file.write_text("Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
                    "one, 8, 8, 1, 1, 16, 32, 1,\n")
    result = map_of("--workload", file, "--set", "dram.kind=none")
    uses = {(entry["use"], entry["bytes"]) for entry in result["activation_buffer"]["ranges"]}
    assert uses == {("kept", 8 * 8 * 16), ("kept", 8 * 8 * 32)}
    assert result["activation_buffer"]["peak_bytes"] == 8 * 8 * (16 + 32)
    # 4 bytes of bias a channel, and a scale of 5 bytes.
    assert {(entry["use"], entry["bytes"]) for entry in result["weight_buffer"]["ranges"]} == {
        ("weights", 16 * 32), ("parameters", 32 * 4 + 5)}


def test_a_given_mapping_is_what_is_shown(tmp_path):
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"operations": {"conv2d": {"output_in": "dram"}}}))
    shown = map_of("--workload", WORKLOAD, "--mapping", mapping)
    convolutions = {layer["name"] for layer in report_of("--cost-only")["layers"]
                    if layer["op"] == "conv2d"}
    makers = {shown["rows"][entry["first_row"]] for entry in shown["activation_buffer"]["ranges"]
              if entry["use"] == "kept"}
    assert not makers & convolutions


def test_a_picture_has_a_box_a_range_and_the_table_fits_100_columns(tmp_path):
    picture = tmp_path / "map.svg"
    process = qsim("memory-map", "--workload", "resnet8", "--svg", picture)
    assert process.returncode == 0
    assert max(map(len, process.stdout.splitlines())) <= 100
    result = map_of("--workload", "resnet8")
    root = xml.etree.ElementTree.parse(picture).getroot()
    boxes = [box for box in root.iter("{http://www.w3.org/2000/svg}rect") if len(box)]
    assert len(boxes) == sum(len(result[name]["ranges"]) for name in ("activation_buffer", "weight_buffer"))


def test_bad_input_is_refused(tmp_path):
    bad_input("memory-map", "--workload", "no_such_network")
    bad_input("memory-map", "--workload", "resnet8", "--set", "dram.kind=none", "--set", "activation_buffer.capacity_kib=1")
    bad_input("memory-map", "--workload", "resnet8", "--svg", tmp_path / "no_folder" / "x.svg")
    bad_input("memory-map")


def test_an_activation_lies_where_its_input_lay():
    """BERT's 128 x 3,072 between the two products take 393,216 bytes, more than half of the buffer's 524,288: they
    stay on both sides of the activation function only where these are the same bytes."""
    ranges = {entry["name"]: entry for entry in map_of("--workload", "bert_base_layer")["activation_buffer"]["ranges"]
              if entry["use"] in ("kept", "in_place")}
    before, after = ranges["ffn.intermediate"], ranges["ffn.gelu"]
    assert before["bytes"] == after["bytes"] == 128 * 3072
    assert after["use"] == "in_place" and after["address"] == before["address"]
    assert before["last_row"] == after["first_row"]
