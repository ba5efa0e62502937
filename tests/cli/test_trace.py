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
    trace, report = traced(tmp_path, "--workload", "resnet8", "--set", "weight_buffer.capacity_kib=32", "--set", "mapper.fetches_inputs=false")
    counters = {}
    for event in trace["traceEvents"]:
        if event["ph"] == "C":
            counters.setdefault(event["name"], []).append((event["ts"], event["args"]["value"]))
    assert set(counters) == {"power mW", "DRAM read bytes per cycle", "DRAM write bytes per cycle", "weight buffer bytes",
                             "activation buffer bytes"}
    for values in counters.values():
        assert all(value >= 0 for _, value in values)
        assert [time for time, _ in values] == sorted(time for time, _ in values)
    assert max(value for _, value in counters["weight buffer bytes"]) <= 32 * 1024


def counter(trace, name):
    """[(begin, end, value)] of a counter."""
    values = [(event["ts"], event["args"]["value"]) for event in trace["traceEvents"] if event["ph"] == "C" and event["name"] == name]
    return [(time, after, value) for (time, value), (after, _) in zip(values, values[1:])]


def dram_bytes(report, direction):
    return sum(count for name, count in report["traffic_bytes"].items() if name.startswith(f"dram_{direction}"))


@pytest.mark.parametrize("chip", ["npu", "npu_small", "nvdla_small", "ethos_u55_256"])
def test_bandwidth_stays_below_the_peak_and_sums_to_the_report(chip, tmp_path):
    """A narrow memory, so that the three channels wait for one another."""
    trace, report = traced(tmp_path, "--workload", "resnet8", "--hw", chip, "--set", "dram.bandwidth_gb_per_s=0.7")
    dram = report["hardware"]["dram"]
    clock_hz = report["hardware"]["clock_mhz"] * 1e6
    peak = dram["bandwidth_gb_per_s"] * 1e9 / clock_hz
    reads, writes = counter(trace, "DRAM read bytes per cycle"), counter(trace, "DRAM write bytes per cycle")
    assert max(value for _, _, value in reads) == pytest.approx(peak, rel=1e-6)
    if dram.get("write_bandwidth_gb_per_s"):
        assert max(value for _, _, value in writes) <= dram["write_bandwidth_gb_per_s"] * 1e9 / clock_hz * (1 + 1e-6)
    else:  # one bus
        for (_, _, read), (_, _, written) in zip(reads, writes):
            assert read + written <= peak * (1 + 1e-6)
    for values, direction in ((reads, "read"), (writes, "write")):
        total = sum((end - begin) * value for begin, end, value in values)
        assert total == pytest.approx(dram_bytes(report, direction), rel=1e-9)


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


def test_the_end_of_each_inference_is_marked(tmp_path):
    """The report's cycles are those of the first, steady_state has the last; of two inferences that is all."""
    trace, report = traced(tmp_path, "--workload", "resnet8", "--inferences", "2")
    ends = [event["ts"] for event in trace["traceEvents"] if event["ph"] == "i"]
    assert ends == [report["totals"]["cycles"], report["totals"]["cycles"] + report["steady_state"]["cycles"]]
    cycles = collections.Counter()
    for event in tracks_of(trace)["cycles"]:
        cycles[event["name"].rsplit(": ", 1)[0].endswith(" (inference 2)")] += event["dur"]
    assert [cycles[False], cycles[True]] == [report["totals"]["cycles"], report["steady_state"]["cycles"]]
    read = sum((end - begin) * value for begin, end, value in counter(trace, "DRAM read bytes per cycle"))
    assert read == pytest.approx(dram_bytes(report, "read") + dram_bytes(report["steady_state"], "read"), rel=1e-9)
