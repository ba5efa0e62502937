"""qsim explain and qsim roofline: gains are those of real runs, the JSON is what the schemas say, the picture is an SVG."""

import functools
import json
import shlex
import sys
import xml.etree.ElementTree

import jsonschema
import pytest
from qsim_process import QSIM, ROOT, bad_input, qsim, report_of

sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "conformance")]
import explain_gains  # noqa: E402  pylint: disable=wrong-import-position
import explain_limits  # noqa: E402  pylint: disable=wrong-import-position
from draws import drawn  # noqa: E402  pylint: disable=wrong-import-position


def schema_of(command):
    return json.loads((ROOT / "configs" / "schemas" / f"{command}.schema.json").read_text(encoding="utf-8"))


@functools.cache
def text_of(command, *arguments):
    """What the command prints. Many tests look at the same result."""
    process = qsim(command, *arguments, "--json")
    assert process.returncode == 0, process.stderr
    jsonschema.validate(json.loads(process.stdout), schema_of(command))
    return process.stdout


def result_of(command, *arguments):
    return json.loads(text_of(command, *map(str, arguments)))


def explained(*arguments):
    return result_of("explain", *arguments)


@pytest.mark.parametrize("arguments", [
    ["--hw", "npu"], ["--hw", "npu_small", "--objective", "energy", "--until", "stem"],
    ["--hw", "npu_fused", "--inferences", "3", "--until", "stage1.add"], ["--hw", "nvdla_small"], ["--hw", "ethos_u55_128", "--batch", "2", "--until", "stem"],
    ["--hw", "scalesim_16_os", "--weight-bits", "4"],
    ["--hw", "npu_large", "--until", "stage2.conv1", "--set", "dram.outstanding_requests=8"]], ids=" ".join)
def test_every_suggestion_is_a_command_that_takes_the_cycles_it_says(arguments):
    """bench/explain_gains.py does the same for all that ships."""
    result = explained("--workload", "resnet8", "--layers", "1000", *arguments)
    assert len(result["steps"]) >= 10 and result["remarks"]
    lines, runs = explain_gains.differences(QSIM, result)
    assert not lines and runs == 1 + len(result["steps"]) + len(result["remarks"])


def test_a_difference_is_found():
    result = explained("--workload", "resnet8", "--layers", "1000", "--hw", "npu")
    result["steps"] = result["steps"][:1]
    result["steps"][0]["cycles"] += 1
    result["remarks"] = []
    lines, _ = explain_gains.differences(QSIM, result)
    assert len(lines) == 1 and result["steps"][0]["command"] in lines[0]


def test_a_command_is_quoted_for_the_shell(tmp_path):
    network = tmp_path / "it's mine.csv"
    network.write_text("Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
                       "one, 8, 8, 1, 1, 16, 32, 1,\n")
    result = explained("--workload", network, "--set", "mac_array.rows=16")
    assert shlex.split(result["command"]) == ["qsim", "--workload", str(network), "--set", "mac_array.rows=16", "--cost-only"]
    assert explain_gains.run_of(QSIM, result["command"])["cycles"] == result["cycles"]


def test_what_is_impossible_is_refused_by_a_run_too():
    result = explained("--workload", "resnet8", "--until", "stem", "--set", "requantizer.lanes=4096")
    (step,) = [step for step in result["steps"] if step["set"] == ["requantizer.lanes=8192"]]
    assert step["cycles"] is None and "4096" in step["error"]
    assert explain_gains.run_of(QSIM, step["command"]) == explain_gains.NO_CYCLES


POINTWISE = ("Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
             "pw, 7, 7, 1, 1, 1024, 1024, 1,\n")


@pytest.mark.parametrize("hardware", drawn(["npu", "npu_small", "npu_fused", "ethos_u55_128", "nvdla_small", "npu_large"]))
def test_twice_of_what_limits_a_slow_row_gains_most(hardware):
    """But for one row of a machine. bench/explain_limits.py does the same for all that ships."""
    right, wrong = explain_limits.judge(explained("--workload", "resnet8", "--layers", "1000", "--hw", hardware))
    assert right >= 2 and len(wrong) <= 1, wrong


def test_a_row_that_names_something_else_is_found():
    step = {"name": "", "cycles": 60, "gain": 0.4, "error": None}
    layer = {"name": "a", "cycles": 100, "limited_by": "requantizer",
             "steps": [dict(step, set=["requantizer.lanes=64"], gain_cycles=10),
                       dict(step, set=["dram.bandwidth_gb_per_s=25.6"], gain_cycles=40)]}
    assert explain_limits.judge({"layers": [layer]}) == (
        0, ["a: 100 cycles, limited by requantizer, which gains 10; dram_bandwidth gains 40"])
    assert explain_limits.judge({"layers": [dict(layer, limited_by="dram_bandwidth")]}) == (1, [])


def test_below_bandwidth_x_latency_requests_count_and_bandwidth_hardly(tmp_path):
    """A burst is on the bus for 5 cycles and in flight for 105: 8 of 21 requests."""
    file = tmp_path / "pw.csv"
    file.write_text(POINTWISE)
    result = explained("--workload", file, "--set", "dram.outstanding_requests=8")
    (remark,) = [remark for remark in result["remarks"] if remark["field"] == "dram.outstanding_requests"]
    assert remark["enough"] == 21 and "38% of the time" in remark["text"]
    assert remark["cycles"] < 0.5 * result["cycles"]
    gains = {step["set"][-1].split("=")[0]: step["gain"] for step in result["steps"]}
    assert gains["dram.bandwidth_gb_per_s"] < 0.05 and gains["dram.outstanding_requests"] > 0.4


def test_given_mappings_hold_for_explain_and_roofline(tmp_path):
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"operations": {"conv2d": {"output_in": "dram"}}}))
    network = ("--until", "stage1.conv1")
    report = report_of("--mapping", mapping, "--cost-only", *network)
    assert report["totals"]["cycles"] > report_of("--cost-only", *network)["totals"]["cycles"]
    result = explained("--workload", "resnet8", "--mapping", mapping, *network)
    assert result["cycles"] == report["totals"]["cycles"]
    assert not explain_gains.differences(QSIM, result)[0]
    layers = {layer["name"]: layer for layer in report["layers"]}
    for layer in result_of("roofline", "--workload", "resnet8", "--mapping", mapping, *network)["layers"]:
        assert layer["cycles"] == layers[layer["name"]]["cycles"]
        traffic = layers[layer["name"]]["traffic_bytes"]
        assert layer["dram_bytes"] == sum(traffic[key] for key in traffic if key.startswith("dram_"))
        assert layer["limited_by"] == layers[layer["name"]]["limited_by"]


def test_a_pointwise_layer_waits_for_bandwidth(tmp_path):
    file = tmp_path / "pw.csv"
    file.write_text(POINTWISE)
    result = explained("--workload", file)
    assert result["layers"][0]["limited_by"] == "dram_bandwidth"
    assert result["steps"][0]["set"] == ["dram.bandwidth_gb_per_s=25.6"]
    assert result["steps"][0]["gain"] > 0.3


def test_settings_of_the_command_line_hold_for_every_step():
    result = explained("--workload", "resnet8", "--until", "stage1.conv1", "--set", "mac_array.rows=16", "--layers", "2")
    assert ["mac_array.rows=32"] in [step["set"] for step in result["steps"]]
    assert len(result["layers"]) == 2


def test_lines_of_the_tables_fit_100_columns():
    for command in ("explain", "roofline"):
        process = qsim(command, "--workload", "resnet18", "--until", "stage1.block1.conv1")
        assert process.returncode == 0
        assert max(map(len, process.stdout.splitlines())) <= 100


def test_a_roofline_has_a_layer_a_circle(tmp_path):
    picture = tmp_path / "roof.svg"
    result = result_of("roofline", "--workload", "resnet8", "--svg", picture)
    for layer in result["layers"]:
        assert layer["macs_per_cycle"] == pytest.approx(layer["macs"] / layer["cycles"])
        reach = layer["macs_per_dram_byte"]
        ceiling = min(layer["peak_macs_per_cycle"], 1e30 if reach is None else reach * result["dram_bytes_per_cycle"])
        assert layer["ceiling_macs_per_cycle"] == pytest.approx(ceiling)
    root = xml.etree.ElementTree.parse(picture).getroot()
    titles = [circle for circle in root.iter("{http://www.w3.org/2000/svg}circle") if len(circle)]
    assert len(titles) == len(result["layers"])


@pytest.mark.parametrize("arguments", [["--hw", "scalesim_16_os", "--set", "dram.kind=none"],
                                       ["--hw", "npu", "--batch", "3", "--objective", "edp"],
                                       ["--hw", "nvdla_small", "--activation-bits", "4"]], ids=" ".join)
def test_a_roofline_is_what_its_schema_says(arguments):
    assert result_of("roofline", "--workload", "resnet8", *arguments)["layers"]


@pytest.mark.parametrize("command", ["explain", "roofline", "memory-map"])
def test_a_page_has_the_picture_and_the_table(command, tmp_path):
    picture, page = tmp_path / "x.svg", tmp_path / "x.html"
    table = qsim(command, "--workload", "resnet8", "--until", "stage1.conv1", "--svg", picture, "--html", page).stdout
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>\n") and picture.read_text(encoding="utf-8") in text
    root = xml.etree.ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))
    assert root.find("body/h1").text == "resnet8 on npu"
    assert root.find("body/pre").text == table
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")  # nothing from elsewhere


@pytest.mark.parametrize("command", ["explain", "roofline"])
def test_bad_input_is_refused(command, tmp_path):
    bad_input(command, "--workload", "no_such_network")
    bad_input(command, "--workload", "resnet8", "--set", "mac_array.rows=0")
    bad_input(command, "--workload", "resnet8", "--svg", tmp_path / "no_folder" / "x.svg")
    bad_input(command, "--workload", "resnet8", "--mapping", tmp_path / "no_such_file.json")
    bad_input(command, "--workload", "resnet8", "--input", f"no_such_input={tmp_path / 'x.npy'}")
    bad_input(command)
