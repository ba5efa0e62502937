"""`qsim compare`: each row equals runs and evaluations of its own; what cannot run is a row with its reason."""

import csv
import html.parser
import json
import math
import os
import pty
import re
import signal
import subprocess
import time
import xml.etree.ElementTree

import jsonschema
import numpy as np
import pytest
from qsim_process import QSIM, ROOT, bad_input, qsim
from test_schemes import FLOAT_NETWORK

SCHEMA = json.loads((ROOT / "configs" / "schemas" / "compare.schema.json").read_text(encoding="utf-8"))
SCHEMES = ["w8a8", "w4a8:weights=per_tensor,asymmetric", "w8a8:scales=power_of_two", "w4a4:weights=per_group(2)"]


@pytest.fixture(name="network")
def fixture_network(tmp_path):
    path = tmp_path / "float.json"
    path.write_text(json.dumps(FLOAT_NETWORK), encoding="utf-8")
    return path


def compared(*arguments):
    run = qsim("compare", "--json", *arguments)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    jsonschema.validate(result, SCHEMA)
    return result


def report(*arguments):
    run = qsim("--json", *arguments)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def tensor_of(path, dtype):
    """The data of a safetensors file of one tensor, and its scale and zero point."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__", {})
    return np.frombuffer(content[8 + length:], dtype).astype(float), metadata


def test_rows_are_machines_by_schemes_and_each_equals_a_run_of_its_own(network):
    machines = ["npu", "npu_small"]
    result = compared("--workload", network, "--hw", ",".join(machines), "--schemes", ",".join(SCHEMES))
    rows = result["rows"]
    assert [(row["hardware"], row["scheme"]) for row in rows] == [(m, s) for m in machines for s in SCHEMES]
    assert [row["hardware"] for row in rows if row["error"]] == ["npu_small"]  # it has no multipliers of groups
    for row in rows:
        arguments = ["--workload", network, "--hw", row["hardware"], "--scheme", row["scheme"]]
        if row["error"]:
            reason = row["error"].removesuffix(" (and 1 more)")  # of two layers
            assert reason.startswith("float.json: ") and str(network.parent) not in row["error"]
            bad_input(*arguments)[0].says(reason)
            continue
        own = report(*arguments)
        for key in ("cycles", "latency_s", "energy_total_pj", "dram_bytes"):
            assert row[key] == own["totals"][key]
        assert row["energy_pj"] == own["energy_pj"] and row["traffic_bytes"] == own["traffic_bytes"]
        assert row["cycles_breakdown"] == own["cycles"]
        assert [(layer["name"], layer["cycles"]) for layer in row["layers"]] == [
            (layer["name"], layer["cycles"]) for layer in own["layers"]]
        widths = [layer["accumulator"]["bits_worst_case"] for layer in own["layers"] if layer["accumulator"]]
        assert row["accumulator_bits"] == max(widths)
        assert row["host_share"] == 0 and row["workload"] == "float" and row["error"] is None


def test_a_model_that_is_read_once_has_the_bytes_that_were_read(network):
    """Weights fit the buffer: what DRAM gave for weights and parameters is the model."""
    for row in compared("--workload", network, "--schemes", ",".join(SCHEMES))["rows"]:
        read = row["traffic_bytes"]["dram_read_weights"] + row["traffic_bytes"]["dram_read_parameters"]
        assert row["model_bytes"] == read


def test_sqnr_is_that_of_the_outputs_of_runs(network, tmp_path):
    """Two inputs of our own; the float network's outputs and each scheme's, dequantized, give the decibels."""
    random = np.random.default_rng(7)
    inputs = random.uniform(-1, 1, (2, 6, 6, 4)).astype(np.float32)
    np.save(tmp_path / "inputs.npy", inputs)
    result = compared("--workload", network, "--calibration", tmp_path / "inputs.npy", "--schemes", ",".join(SCHEMES))
    assert result["inputs"]["count"] == 2 and not result["rows"][0]["outputs_equal"]
    outputs = {scheme: [] for scheme in ["", *SCHEMES]}
    for image in inputs:
        np.save(tmp_path / "one.npy", image[np.newaxis])
        for scheme, values in outputs.items():
            how = ["--scheme", scheme, "--calibration", tmp_path / "inputs.npy"] if scheme else []
            file = tmp_path / "out.safetensors"
            run = qsim("--workload", network, "--input", tmp_path / "one.npy", "--outputs", file, "--json", *how)
            assert run.returncode == 0, run.stderr
            dtype = {"F32": np.float32, "U8": np.uint8, "I8": np.int8}[json.loads(run.stdout)["outputs"][0]["dtype"]]
            data, metadata = tensor_of(file, dtype)
            if scheme:
                quantization = metadata_of(metadata)
                data = quantization["scale"] * (data - quantization["zero_point"])
            values.append(data)
    expected = np.concatenate(outputs[""])
    for row in result["rows"]:
        noise = expected - np.concatenate(outputs[row["scheme"]])
        assert row["sqnr_db"] == pytest.approx(10 * math.log10((expected**2).sum() / (noise**2).sum()), abs=1e-3)


def metadata_of(metadata):
    """Scale and zero point of the only tensor."""
    text = " ".join(f"{key} {value}" for key, value in metadata.items())
    scale = re.search(r"scale\W+([0-9.e+-]+)", text)
    zero_point = re.search(r"zero_point\W+(-?\d+)", text)
    return {"scale": float(scale[1]), "zero_point": int(zero_point[1])}


def write_cifar(path, images):
    """Seeded pixels with labels 0, 1, .. 9, 0, .."""
    records = np.random.default_rng(1).integers(0, 256, (images, 1 + 3 * 32 * 32), np.uint8)
    records[:, 0] = np.arange(images) % 10
    path.write_bytes(records.tobytes())
    return f"cifar10:{path}"


@pytest.fixture(name="images")
def fixture_images(tmp_path):
    """What resnet8 is compared with: its input is a pixel / 255."""
    (tmp_path / "unit.json").write_text('{"unit_scale": true}', encoding="utf-8")
    return ["--workload", "resnet8", "--data", write_cifar(tmp_path / "images.bin", 20), "--preprocess", tmp_path / "unit.json"]


def test_top1_is_that_of_an_evaluation_and_does_not_depend_on_processes(images):
    schemes = ["w8a8", "w3a8"]
    arguments = [*images, "--schemes", ",".join(schemes)]
    results = [compared(*arguments, "--jobs", jobs) for jobs in (1, 3)]
    assert results[0] == results[1]
    for row, scheme in zip(results[0]["rows"], schemes):
        run = qsim("evaluate", *images, "--scheme", scheme, "--json")
        assert run.returncode == 0, run.stderr
        own = json.loads(run.stdout)
        assert row["top1"] == own["top1"] and row["top5"] == own["top5"]
        assert row["agreement"]["correct"] <= 20 - abs(row["top1"]["correct"] - results[0]["reference"]["top1"]["correct"])
        assert row["cycles"] == own["totals"]["cycles"]
        assert row["energy_total_pj"] == own["totals"]["energy_total_pj"]


def test_a_limit_takes_images_from_the_whole_set(images):
    result = compared(*images, "--schemes", "w8a8", "--limit", "4")
    assert result["inputs"]["count"] == 4 and result["options"]["limit"] == 4


def test_a_network_agrees_with_itself(images):
    result = compared(*images, "--schemes", "w8a8,w1a8")
    assert result["rows"][0]["agreement"]["correct"] == 20 > result["rows"][1]["agreement"]["correct"]


def test_a_network_that_is_quantized_already_is_its_own_reference(network, tmp_path):
    """Its weights reach the ends of their formats: the same scheme once more changes nothing."""
    quantized = tmp_path / "quantized.json"
    assert qsim("convert", network, quantized, "--scheme", "w8a8").returncode == 0
    result = compared("--workload", quantized, "--schemes", "w8a8,w4a8")
    same, other = result["rows"]
    assert same["outputs_equal"] and same["sqnr_db"] is None
    assert not other["outputs_equal"] and 0 < other["sqnr_db"] < 40
    assert result["options"]["calibration"] is None
    bad_input("compare", "--workload", quantized, "--calibration", tmp_path)[0].says("--calibration", "a float network")


def dominates(one, other):
    return all(a <= b for a, b in zip(one, other)) and one != other


def test_the_front_is_what_no_other_row_beats(network):
    rows = compared("--workload", network, "--hw", "npu,npu_small")["rows"]
    assert len(rows) == 20
    running = [row for row in rows if row["error"] is None]
    points = {id(row): (row["energy_total_pj"], row["cycles"], -row["sqnr_db"]) for row in running}
    for row in running:
        assert row["pareto"] == (not any(dominates(point, points[id(row)]) for point in points.values()))
    assert 0 < sum(row["pareto"] for row in rows) < len(running)


def test_what_cannot_run_is_a_row_with_its_reason(network):
    run = qsim("compare", "--workload", network, "--schemes", "w8a8,w8a8:weights=per_group(3)", "--json")
    assert run.returncode == 0
    fine, bad = json.loads(run.stdout)["rows"]
    jsonschema.validate(json.loads(run.stdout), SCHEMA)
    assert fine["error"] is None and "per_group(3)" in bad["error"]
    assert bad["cycles"] is None and bad["energy_pj"] is None and bad["top1"] is None and not bad["pareto"]
    table = qsim("compare", "--workload", network, "--schemes", "w8a8,w8a8:weights=per_group(3)").stdout
    assert "cannot run" in table and bad["error"].split(";")[0] in table


def test_where_nothing_can_run_the_reasons_are_bad_input(network):
    run = qsim("compare", "--workload", network, "--schemes", "w8a8:weights=per_group(3)", "--quiet")
    assert run.returncode == 2 and "per_group(3)" in run.stderr
    run = qsim("compare", "--workload", network, "--schemes", "w4a4", "--set", "accumulators.width_bits=8",
               "--set", "mac_array.weight_bits=4", "--set", "mac_array.activation_bits=4", "--set", "accumulators.overflow=trap")
    assert run.returncode == 2 and "accumulators" in run.stderr


def test_bad_lists_are_refused_before_anything_runs(network, tmp_path):
    bad_input("compare", "--workload", network, "--schemes", "w8a8,w4a8:weights=asymetric")[0].says("--schemes", "column 19")
    bad_input("compare", "--workload", network, "--hw", "npu,,npu_small")[0].says("--hw", "machines with commas")
    bad_input("compare", "--workload", network, "--hw", "npu,none_such")[0].says("none_such")
    file = tmp_path / "list.json"
    file.write_text('["w8a8", {"bits": "w4a8", "weights": "sideways"}, 7, {"bits": "w4a8", "name": 3}]', encoding="utf-8")
    messages = bad_input("compare", "--workload", network, "--schemes", file)
    messages[0].says("list.json: [1]", "sideways")
    messages[1].says("list.json: [2]", "got 7")
    messages[2].says("list.json: [3].name", "got 3")


def test_a_file_has_texts_and_objects_with_names_and_exceptions(network, tmp_path):
    file = tmp_path / "list.json"
    file.write_text(json.dumps(["w4a8", {"bits": "w8a8", "weights": "per_tensor"},
                                {"name": "mixed", "bits": "w4a8", "layers": {"last": "w8a8"}}]), encoding="utf-8")
    rows = compared("--workload", network, "--schemes", file)["rows"]
    assert [row["scheme"] for row in rows] == ["w4a8", "w8a8:weights=per_tensor", "mixed"]
    assert {layer["name"]: layer["bits"]["weights"] for layer in rows[2]["layers"] if layer["bits"]["weights"]} == {
        "flat": 4, "last": 8}  # the row of `first` ends with the reshape


def test_features_are_differences_of_runs_with_the_events_named(network):
    scheme = "w4a8:weights=per_group(2),asymmetric"
    row = compared("--workload", network, "--schemes", scheme, "--features")["rows"][0]
    features = {feature["feature"]: feature for feature in row["features"]}
    assert list(features) == ["zero_points_of_weights", "zero_points_of_activations", "scales_of_groups", "multiplier",
                              "wide_accumulators"]
    own = report("--workload", network, "--scheme", scheme)
    for feature in features.values():
        sets = [word for text in feature["set"] for word in ("--set", text)]
        without = report("--workload", network, "--scheme", feature["without"], *sets)
        assert feature["cycles"] == own["totals"]["cycles"] - without["totals"]["cycles"]
        assert feature["dram_bytes"] == own["totals"]["dram_bytes"] - without["totals"]["dram_bytes"]
        assert feature["energy_total_pj"] == pytest.approx(
            own["totals"]["energy_total_pj"] - without["totals"]["energy_total_pj"], abs=1e-3)
        assert feature["events"] == {name: count - without["events"].get(name, 0) for name, count in
                                     ({name: 0 for name in without["events"]} | own["events"]).items()
                                     if count != without["events"].get(name, 0)}
    # The sum of the inputs is taken once for each MAC's row, and the multiplier's work goes to shifts.
    assert features["zero_points_of_weights"]["events"]["zero_point_input_adds"] > 0
    assert features["zero_points_of_weights"]["energy_pj"]["zero_point_correction"] > 0
    assert features["scales_of_groups"]["events"]["group_multiplies"] > 0
    assert features["multiplier"]["energy_pj"].keys() == {"requantizer"}
    assert features["wide_accumulators"]["set"] == [f"accumulators.width_bits={max(16, row['accumulator_bits'])}"]
    assert features["wide_accumulators"]["energy_pj"]["accumulators"] > 0
    activations = features["zero_points_of_activations"]
    assert activations["cycles"] == 0 and activations["energy_total_pj"] == 0 and activations["events"] == {}


def test_the_csv_has_a_line_a_row_and_the_json_s_figures(images, tmp_path):
    file = tmp_path / "rows.csv"
    result = compared(*images, "--schemes", "w8a8:format=mxint,w4a8", "--limit", "4", "--csv", file)
    with file.open(newline="", encoding="utf-8") as lines:
        lines = list(csv.DictReader(lines))
    assert len(lines) == 2
    for line, row in zip(lines, result["rows"]):
        assert line["scheme"] == row["scheme"] and line["pareto"] == str(row["pareto"]).lower()
        if row["error"]:
            assert line["error"] == row["error"] and line["cycles"] == ""
            continue
        assert int(line["cycles"]) == row["cycles"] and float(line["energy_pj.dram"]) == row["energy_pj"]["dram"]
        assert float(line["top1.percent"]) == row["top1"]["percent"] and line["area_mm2"] == ("" if row["area_mm2"] is None else str(row["area_mm2"]))


class Page(html.parser.HTMLParser):
    """Headings, and whatever would be fetched from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.fetched, self.tag = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tag = tag
        if tag in ("script", "link", "img", "iframe") or {"src", "href"} & {name for name, _ in attrs}:
            self.fetched.append(tag)

    def handle_data(self, data):
        if self.tag in ("h1", "h2") and data.strip():
            self.headings.append(data.strip())


def test_the_page_stands_alone_and_shows_every_row(network, tmp_path):
    page = tmp_path / "page.html"
    result = compared("--workload", network, "--hw", "npu,npu_small", "--schemes", "w8a8,w4a8", "--features", "--html", page)
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert parsed.headings == ["Quantization schemes: float on npu, npu_small", "Cost against loss", "Energy by component",
                               "Cycles by cause", "Layer by layer", "Table"]
    assert not parsed.fetched
    pictures = [xml.etree.ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]
    assert len(pictures) == 5
    space = "{http://www.w3.org/2000/svg}"
    circles = pictures[0].findall(f"{space}circle")
    assert len(circles) == 4
    filled = [circle.get("fill") != "white" for circle in circles]
    assert filled == [row["pareto"] for row in result["rows"]]
    # A bar's parts are as long as what they stand for.
    parts = [(float(bar.get("width")), bar.find(f"{space}title").text) for bar in pictures[1].findall(f"{space}rect") if bar.find(f"{space}title") is not None]
    widest = max(row["energy_total_pj"] for row in result["rows"])
    first = result["rows"][0]
    for width, title in parts:
        found = re.fullmatch(r"npu w8a8, (\w+): .*", title)
        if found:
            assert width == pytest.approx(590 * first["energy_pj"][found[1]] / widest, abs=0.01)
    assert sum(title.startswith("npu w8a8, ") for _, title in parts) == sum(pj > 0 for pj in first["energy_pj"].values())
    bars = pictures[3].findall(f"{space}rect")
    assert len([bar for bar in bars if bar.find(f"{space}title") is not None]) == sum(
        layer["energy_total_pj"] > 0 for row in result["rows"] for layer in row["layers"])


def test_images_that_cannot_be_read_are_named_and_left_out(tmp_path):
    from PIL import Image  # pylint: disable=import-outside-toplevel
    for index in range(3):
        Image.new("RGB", (32, 32), (index * 80, 9, 9)).save(tmp_path / f"{index}.png")
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:40])
    (tmp_path / "labels.csv").write_text("file,label\n0.png,0\n1.png,1\n2.png,2\n", encoding="utf-8")
    (tmp_path / "unit.json").write_text('{"unit_scale": true}', encoding="utf-8")
    run = qsim("compare", "--workload", "resnet8", "--data", f"images:{tmp_path}", "--preprocess", tmp_path / "unit.json",
               "--schemes", "w8a8", "--json")
    assert run.returncode == 0 and "left out: 1.png" in run.stderr.replace(str(tmp_path) + "/", ""), run.stderr
    result = json.loads(run.stdout)
    assert result["failed"] == 1 and result["inputs"]["count"] == 2
    assert result["rows"][0]["top1"]["correct"] in (0, 1, 2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_file(number, tmp_path):
    files = [tmp_path / "rows.csv", tmp_path / "page.html", tmp_path / "rows.json"]
    arguments = ["compare", "--workload", "mobilenet_v2", "--csv", files[0], "--html", files[1], "--report", files[2]]
    with subprocess.Popen([QSIM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(0.7)
        process.send_signal(number)
        output, error = process.communicate(timeout=60)
    assert process.returncode == 128 + number and output == ""
    assert "interrupted" in error or error == ""  # before the first worker the process just ends
    assert os.listdir(tmp_path) == []


def test_progress_goes_to_a_terminal(network):
    parent, child = pty.openpty()
    with subprocess.Popen([QSIM, "compare", "--workload", str(network), "--schemes", "w8a8"], stdout=subprocess.DEVNULL,
                          stderr=child) as process:
        os.close(child)
        shown = b""
        try:
            while chunk := os.read(parent, 4096):
                shown += chunk
        except OSError:
            pass  # the other end is closed
        assert process.wait(timeout=60) == 0
    os.close(parent)
    assert b"inferences" in shown
