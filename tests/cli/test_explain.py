"""qsim explain and qsim roofline: gains are those of real runs, the picture is an SVG, bad input is refused."""

import json
import xml.etree.ElementTree

import pytest
from qsim_process import bad_input, qsim


def explained(*arguments):
    process = qsim("explain", *arguments, "--json")
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def cycles(*arguments):
    report = json.loads(qsim(*arguments, "--cost-only", "--json").stdout)
    return report["totals"]["cycles"], {layer["name"]: layer["cycles"] for layer in report["layers"]}


@pytest.mark.parametrize("hardware", ["npu", "npu_small", "nvdla_small", "scalesim_16_os"])
def test_gains_are_those_of_runs_with_the_settings(hardware):
    network = ["--hw", hardware, "--workload", "resnet8"]
    result = explained(*network)
    total, layers = cycles(*network)
    assert result["cycles"] == total
    assert len(result["steps"]) >= 10
    for step in result["steps"]:
        if step["error"] is not None:
            continue
        flags = [word for setting in step["set"] for word in ("--set", setting)]
        after, layers_after = cycles(*network, *flags)
        assert step["gain_cycles"] == total - after, step
        for layer in result["layers"]:
            gains = {of_layer["name"]: of_layer["gain_cycles"] for of_layer in layer["steps"]}
            assert gains[step["name"]] == layers[layer["name"]] - layers_after[layer["name"]]


def test_a_pointwise_layer_waits_for_bandwidth(tmp_path):
    file = tmp_path / "pw.csv"
    file.write_text("Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
                    "pw, 7, 7, 1, 1, 1024, 1024, 1,\n")
    result = explained("--workload", file)
    assert result["layers"][0]["limited_by"] == "dram_bandwidth"
    assert result["steps"][0]["set"] == ["dram.bandwidth_gb_per_s=25.6"]
    assert result["steps"][0]["gain"] > 0.3


def test_settings_of_the_command_line_hold_for_every_step():
    result = explained("--workload", "resnet8", "--set", "mac_array.rows=16", "--layers", "2")
    assert ["mac_array.rows=32"] in [step["set"] for step in result["steps"]]
    assert len(result["layers"]) == 2


def test_lines_of_the_tables_fit_100_columns():
    for command in ("explain", "roofline"):
        process = qsim(command, "--workload", "resnet18")
        assert process.returncode == 0
        assert max(map(len, process.stdout.splitlines())) <= 100


def test_a_roofline_has_a_layer_a_circle(tmp_path):
    picture = tmp_path / "roof.svg"
    process = qsim("roofline", "--workload", "resnet8", "--json", "--svg", picture)
    assert process.returncode == 0
    result = json.loads(process.stdout)
    for layer in result["layers"]:
        assert layer["macs_per_cycle"] == pytest.approx(layer["macs"] / layer["cycles"])
        reach = layer["macs_per_dram_byte"]
        ceiling = min(layer["peak_macs_per_cycle"], 1e30 if reach is None else reach * result["dram_bytes_per_cycle"])
        assert layer["ceiling_macs_per_cycle"] == pytest.approx(ceiling)
    root = xml.etree.ElementTree.parse(picture).getroot()
    titles = [circle for circle in root.iter("{http://www.w3.org/2000/svg}circle") if len(circle)]
    assert len(titles) == len(result["layers"])


@pytest.mark.parametrize("command", ["explain", "roofline"])
def test_bad_input_is_refused(command, tmp_path):
    bad_input(command, "--workload", "no_such_network")
    bad_input(command, "--workload", "resnet8", "--set", "mac_array.rows=0")
    bad_input(command, "--workload", "resnet8", "--svg", tmp_path / "no_folder" / "x.svg")
    bad_input(command)
