"""--trace: events that viewers take, and times that sum to the report's."""

import collections
import copy
import json

import pytest
from qsim_process import qsim
from trace_times import differences, tracks_of


def traced(folder, *arguments):
    run = qsim("--cost-only", "--quiet", "--trace", folder / "trace.json", "--report", folder / "report.json", *arguments)
    assert run.returncode == 0, run.stderr
    return json.loads((folder / "trace.json").read_text()), json.loads((folder / "report.json").read_text())


@pytest.mark.parametrize("chip", ["npu", "npu_small", "nvdla_small", "ethos_u55_256", "scalesim_16_os"])
def test_busy_times_sum_to_the_report(chip, tmp_path):
    trace, report = traced(tmp_path, "--workload", "resnet8", "--hw", chip)
    assert differences(trace, report) == []
    # The comparison sees a cycle that is missing.
    shorter = copy.deepcopy(trace)
    (last,) = [event for event in shorter["traceEvents"] if event["ph"] == "X" and event["tid"] == 1][-1:]
    last["dur"] -= 1
    assert differences(shorter, report) != []


def test_every_unit_has_a_track_and_tiles_are_named_by_layer(tmp_path):
    trace, report = traced(tmp_path, "--workload", "resnet8")
    tracks = tracks_of(trace)
    for name in ("cycles", "MAC array", "weight registers", "requantizer", "vector unit", "DMA weights", "DMA inputs", "DMA stores"):
        assert tracks[name], name
    layers = {layer["name"] for layer in report["layers"]}
    assert {event["name"].rsplit(": ", 1)[0] for event in tracks["MAC array"]} <= layers
    # Tile by tile: 64 channels of 3x3x64 on a 32x32 array are at least 18 x 2 passes.
    pieces = collections.Counter(event["name"] for event in tracks["MAC array"])
    assert max(pieces.values()) >= 36


def test_counters_show_bandwidth_and_fill(tmp_path):
    trace, report = traced(tmp_path, "--workload", "resnet8", "--set", "weight_buffer.capacity_kib=32")
    counters = {}
    for event in trace["traceEvents"]:
        if event["ph"] == "C":
            counters.setdefault(event["name"], []).append((event["ts"], event["args"]["value"]))
    assert set(counters) == {"DRAM read bytes per cycle", "DRAM write bytes per cycle", "weight buffer bytes",
                             "activation buffer bytes"}
    for values in counters.values():
        assert all(value >= 0 for _, value in values)
        assert [time for time, _ in values] == sorted(time for time, _ in values)
    assert max(value for _, value in counters["weight buffer bytes"]) <= 32 * 1024
    # The mean bandwidth times the run's length is what was read.
    reads = counters["DRAM read bytes per cycle"]
    read = sum(value * (after - time) for (time, value), (after, _) in zip(reads, reads[1:]))
    expected = sum(report["traffic_bytes"][name] for name in report["traffic_bytes"] if name.startswith("dram_read"))
    window = reads[1][0] - reads[0][0]
    assert abs(read - expected) <= 0.02 * expected + 16 * window


def test_a_name_with_quotes_stays_a_name(tmp_path):
    net = {"name": "n", "semantics": "tflite", "inputs": [{"name": "x", "shape": [1, 4], "scale": 1}],
           "tensors": {"generator": "normal", "seed": 1}, "outputs": ['a"\\\u00e9\n'],
           "layers": [{"op": "fully_connected", "name": 'a"\\\u00e9\n', "input": "x", "weights": {"shape": [3, 4], "scale": 1},
                       "output": {"scale": 1}}]}
    (tmp_path / "net.json").write_text(json.dumps(net))
    trace, report = traced(tmp_path, "--workload", tmp_path / "net.json")
    assert differences(trace, report) == []


def test_further_inferences_are_told_apart(tmp_path):
    trace, _ = traced(tmp_path, "--workload", "resnet8", "--inferences", "2")
    names = {event["name"].rsplit(": ", 1)[0] for event in tracks_of(trace)["MAC array"]}
    assert any(name.endswith(" (inference 2)") for name in names)
