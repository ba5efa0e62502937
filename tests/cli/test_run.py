"""One run and what it writes."""

import csv
import hashlib
import json
import os
import signal
import struct
import subprocess

import pytest
from qsim_process import QSIM, ROOT, WORKLOAD, bad_input, qsim, report_of


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Every file that a run can write."""
    folder = tmp_path_factory.mktemp("run")
    names = {"report": "report.json", "layers": "layers.csv", "outputs": "out.safetensors", "dump-tensors": "all.safetensors"}
    arguments = [word for option, name in names.items() for word in (f"--{option}", folder / name)]
    run = qsim("--workload", WORKLOAD, *arguments, "--quiet")
    assert run.returncode == 0, run.stderr
    assert run.stdout == "" and run.stderr == ""
    return {option: folder / name for option, name in names.items()}


@pytest.fixture(scope="module")
def report(files):
    return json.loads(files["report"].read_text())


def tensors_of(path):
    """Name -> (dtype, shape, bytes), and the metadata."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    body = data[8 + length:]
    return {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])])
            for name, entry in header.items()}, metadata


def test_the_contract_s_keys_are_there(report):
    assert report["schema_version"] == 2
    for key in ("qsim", "hardware", "workload", "options", "totals", "energy_pj", "traffic_bytes", "cycles", "events",
                "layers", "outputs", "provenance"):
        assert key in report


def test_rows_sum_to_the_totals(report):
    rows = report["layers"]
    assert sum(row["cycles"] for row in rows) == report["totals"]["cycles"] == sum(report["cycles"].values())
    assert sum(row["macs"] for row in rows) == report["totals"]["macs"]
    for kind, total in report["traffic_bytes"].items():
        assert sum(row["traffic_bytes"][kind] for row in rows) == total
    for event, total in report["events"].items():
        assert sum(row["events"].get(event, 0) for row in rows) == total
    dram = [total for kind, total in report["traffic_bytes"].items() if kind.startswith("dram_")]
    assert len(dram) == 6 and sum(dram) == report["totals"]["dram_bytes"] <= report["totals"]["dram_bus_bytes"]


def test_energy_is_events_times_unit_energy(report):
    for place in [report, *report["layers"]]:
        for component, energy_pj in place["energy_pj"].items():
            terms = [place["events"].get(entry["event"], 0) * entry["unit_pj"]
                     for entry in report["provenance"]["energy_entries"] if entry["component"] == component]
            assert sum(terms) == pytest.approx(energy_pj, rel=1e-12)
    assert sum(report["energy_pj"].values()) == pytest.approx(report["totals"]["energy_total_pj"], rel=1e-12)


def test_a_report_names_no_folder_and_no_time(files, report):
    text = files["report"].read_text()
    assert str(ROOT) not in text and str(files["report"].parent) not in text
    assert "/" not in report["workload"]["source"]


def test_two_runs_give_the_same_bytes_whatever_the_threads(files, tmp_path):
    again = tmp_path / "report.json"
    assert qsim("--workload", WORKLOAD, "--report", again, "--threads", 1, "--quiet").returncode == 0
    assert again.read_bytes() == files["report"].read_bytes()
    assert qsim("--workload", WORKLOAD, "--json").stdout == again.read_text()


def test_the_resolved_chip_is_a_hardware_file_of_the_same_chip(report, tmp_path):
    chip = tmp_path / "chip.json"
    chip.write_text(json.dumps(report["hardware"]))
    again = report_of("--hw", chip)
    assert again["hardware"] == report["hardware"]
    assert again["totals"] == report["totals"]


def test_an_override_shows_in_the_resolved_chip_and_the_options():
    report = report_of("--set", "dram.bandwidth_gb_per_s=6.4", "--cost-only")
    assert report["hardware"]["dram"]["bandwidth_gb_per_s"] == 6.4
    assert report["options"]["set"] == ["dram.bandwidth_gb_per_s=6.4"]


def test_outputs_have_the_digests_of_the_report_and_their_quantization(files, report):
    tensors, metadata = tensors_of(files["outputs"])
    assert len(tensors) == len(report["outputs"])
    for output in report["outputs"]:
        dtype, shape, data = tensors[output["name"]]
        assert (dtype, shape) == (output["dtype"], output["shape"])
        assert hashlib.sha256(data).hexdigest() == output["sha256"]
        assert {"bits", "signed", "scale", "zero_point"} <= set(json.loads(metadata[output["name"]]))


def test_the_dump_has_the_outputs_and_more(files):
    outputs, _ = tensors_of(files["outputs"])
    dump, _ = tensors_of(files["dump-tensors"])
    assert len(dump) > len(outputs)
    for name, tensor in outputs.items():
        assert dump[name] == tensor


def test_the_csv_has_the_rows_of_the_report(files, report):
    with files["layers"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [row["name"] for row in report["layers"]]
    for row, layer in zip(rows, report["layers"]):
        assert int(row["cycles"]) == layer["cycles"]
        assert float(row["energy_pj.dram"]) == layer["energy_pj"]["dram"]
        assert int(row["traffic_bytes.dram_read_weights"]) == layer["traffic_bytes"]["dram_read_weights"]


def test_the_table_fits_a_terminal_and_ends_with_the_totals(report):
    run = qsim("--workload", WORKLOAD)
    assert run.returncode == 0 and run.stderr == ""
    assert max(map(len, run.stdout.splitlines())) <= 100
    assert str(report["totals"]["cycles"]) in run.stdout


def test_a_seed_changes_the_input_and_says_so(report):
    other = report_of("--seed", 2)
    assert other["workload"]["inputs"][0]["origin"] == "seed 2"
    assert other["outputs"][0]["sha256"] != report["outputs"][0]["sha256"]
    assert other["totals"]["cycles"] == report["totals"]["cycles"]


def test_cost_only_has_the_same_costs_and_no_values(report):
    cost = report_of("--cost-only")
    assert cost["outputs"] == [] and cost["options"]["values"] == "none"
    for key in ("totals", "energy_pj", "traffic_bytes", "cycles", "events"):
        assert cost[key] == report[key]


def test_several_inferences_show_the_steady_state_beside_the_first(report):
    several = report_of("--inferences", 3, "--cost-only")
    assert several["totals"] == report["totals"]
    assert several["steady_state"]["inferences"] == 3
    assert 0 < several["steady_state"]["cycles"] <= several["totals"]["cycles"]


def test_until_ends_with_the_node(report):
    node = report["layers"][0]["name"]
    cut = report_of("--until", node)
    assert cut["layers"][-1]["name"] == node
    assert len(cut["layers"]) < len(report["layers"]) or len(report["layers"]) == 1
    bad_input("--workload", WORKLOAD, "--until", node + "x")[0].says("--until", f"did you mean {node}?")


def test_an_input_that_is_not_there_is_named(tmp_path):
    bad_input("--workload", WORKLOAD, "--input", tmp_path / "x.npy")[0].says("x.npy")
    bad_input("--workload", WORKLOAD, "--input", f"no_such_input={tmp_path / 'x.npy'}")[0].says("--input", "no_such_input")


def test_a_full_disk_is_bad_input_and_leaves_no_half_file():
    run = qsim("--workload", WORKLOAD, "--report", "/dev/full", "--quiet")
    assert run.returncode == 2 and "/dev/full" in run.stderr


def test_a_closed_pipe_is_said_so():
    read_end, write_end = os.pipe()
    os.close(read_end)
    run = subprocess.run([QSIM, "--workload", WORKLOAD], stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert run.returncode == 2 and "standard output" in run.stderr


def test_an_interrupt_ends_with_130():
    with subprocess.Popen([QSIM, "--workload", WORKLOAD, "--inferences", "100000"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130


def test_list_names_what_ships_and_each_is_accepted():
    listed = json.loads(qsim("list", "--json").stdout)
    assert {"npu", "npu_fused", "npu_large", "npu_small"} <= {item["name"] for item in listed["hardware"]}
    assert "45nm" in {item["name"] for item in listed["energy"]}
    assert WORKLOAD in {item["name"] for item in listed["workloads"]}
    text = qsim("list").stdout
    for item in listed["hardware"] + listed["workloads"]:
        assert item["description"], f"{item['name']} has no description"
        assert item["name"] in text
    for item in listed["hardware"]:
        assert qsim("--hw", item["name"], "--workload", WORKLOAD, "--cost-only", "--quiet").returncode == 0
