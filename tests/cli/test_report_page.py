"""`qsim report`: the page of a run shows what its report says, alone; `memory_map` is what qsim memory-map prints."""

import json
import re
import xml.etree.ElementTree

import jsonschema
import pytest
from qsim_process import ROOT, bad_input, qsim
from test_compare import Page
from test_mapping import REGISTRY

SPACE = "{http://www.w3.org/2000/svg}"
SCHEMA = json.loads((ROOT / "configs" / "schemas" / "report.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    """A report, its trace and the page of both."""
    folder = tmp_path_factory.mktemp("page")
    run = qsim("--workload", "resnet8", "--cost-only", "--quiet", "--report", folder / "run.json", "--trace", folder / "trace.json")
    assert run.returncode == 0, run.stderr
    run = qsim("report", folder / "run.json", "--html", folder / "run.html", "--trace", folder / "trace.json")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    return folder


def report_of(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def pictures_of(path):
    """By the heading above it, of those that have one each."""
    parts = path.read_text(encoding="utf-8").split("<h2>")[1:]
    svgs = {part.split("</h2>")[0]: re.search(r"<svg.*?</svg>", part, re.DOTALL)[0] for part in parts}
    return {heading: xml.etree.ElementTree.fromstring(svg) for heading, svg in svgs.items()}


def titles(picture, tag):
    return [mark.find(f"{SPACE}title").text for mark in picture.iter(f"{SPACE}{tag}") if mark.find(f"{SPACE}title") is not None]


def test_the_report_has_the_memory_map_that_is_printed_by_itself(folder):
    report = report_of(folder)
    jsonschema.Draft202012Validator(SCHEMA, registry=REGISTRY).validate(report)
    printed = json.loads(qsim("memory-map", "--workload", "resnet8", "--json").stdout)
    assert report["memory_map"] == {key: printed[key] for key in ("rows", "activation_buffer", "weight_buffer")}
    own = json.loads((ROOT / "configs" / "schemas" / "memory_map.schema.json").read_text(encoding="utf-8"))["$defs"]
    assert SCHEMA["$defs"]["memory_range"] == own["range"]
    assert SCHEMA["$defs"]["memory_buffer"]["required"] == own["buffer"]["required"]


def test_the_page_stands_alone(folder):
    parsed = Page((folder / "run.html").read_text(encoding="utf-8"))
    assert parsed.headings == ["resnet8 on npu", "Figures", "Roofline", "Cycles by cause", "Energy by component", "Memory map",
                               "Timeline"]
    assert not parsed.fetched


def test_roofline_and_memory_map_are_the_pictures_of_their_own_commands(folder):
    text = (folder / "run.html").read_text(encoding="utf-8")
    for command in ("roofline", "memory-map"):
        picture = folder / f"{command}.svg"
        assert qsim(command, "--workload", "resnet8", "--svg", picture).returncode == 0
        assert picture.read_text(encoding="utf-8") in text


def test_bars_are_the_figures_of_the_layers(folder):
    report, pictures = report_of(folder), pictures_of(folder / "run.html")
    for heading, key in (("Cycles by cause", "cycles_breakdown"), ("Energy by component", "energy_pj")):
        expected = [f"{layer['name']}, {name}" for layer in report["layers"] for name, value in layer[key].items() if value > 0]
        assert [title.split(": ")[0] for title in titles(pictures[heading], "rect") if ", " in title] == expected


def test_the_timeline_is_as_long_as_what_the_units_did(folder):
    """Where a track is wholly taken a pixel is drawn at full strength: strengths add up to the cycles of the track."""
    events = json.loads((folder / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    names = {event["tid"]: event["args"]["name"] for event in events if event.get("name") == "thread_name"}
    end = max(event["ts"] + event["dur"] for event in events if event["ph"] == "X")
    taken, drawn = {}, {}
    for event in events:
        if event["ph"] == "X":
            taken[names[event["tid"]]] = taken.get(names[event["tid"]], 0) + event["dur"]
    picture = pictures_of(folder / "run.html")["Timeline"]
    for bar in picture.iter(f"{SPACE}rect"):
        if bar.find(f"{SPACE}title") is not None:
            track = bar.find(f"{SPACE}title").text.split(": ")[0]
            drawn[track] = drawn.get(track, 0) + float(bar.get("width")) * float(bar.get("fill-opacity"))
    assert drawn.keys() == taken.keys()
    for track, cycles in taken.items():
        pixels = 834 * cycles / end
        assert pixels - 0.5 <= drawn[track] <= pixels + 0.1 * 834  # strengths are rounded up to tenths
    labels = [label.text for label in picture.iter(f"{SPACE}text") if label.get("text-anchor") == "end"]
    assert labels == list(names.values())


def test_without_a_trace_there_is_no_timeline(folder, tmp_path):
    assert qsim("report", folder / "run.json", "--html", tmp_path / "a.html").returncode == 0
    assert "Timeline" not in Page((tmp_path / "a.html").read_text(encoding="utf-8")).headings
    older = report_of(folder)
    del older["memory_map"]
    (tmp_path / "older.json").write_text(json.dumps(older), encoding="utf-8")
    assert qsim("report", tmp_path / "older.json", "--html", tmp_path / "b.html").returncode == 0
    assert "Memory map" not in Page((tmp_path / "b.html").read_text(encoding="utf-8")).headings


def broken(folder, tmp_path, change):
    report = report_of(folder)
    change(report)
    (tmp_path / "bad.json").write_text(json.dumps(report), encoding="utf-8")
    messages = bad_input("report", tmp_path / "bad.json", "--html", tmp_path / "bad.html")
    assert not (tmp_path / "bad.html").exists()
    return messages


@pytest.mark.parametrize("change, words", [
    (lambda report: report.pop("totals"), ["totals"]),
    (lambda report: report.pop("layers"), ["layers", "qsim --report"]),
    (lambda report: report.update(schema_version=1), ["schema_version", "got 1", "run it again"]),
    (lambda report: report["layers"][1].update(limited_by="magic"), ["layers[1].limited_by", "magic"]),
    (lambda report: report["layers"][2]["energy_pj"].update(dram=-1), ["layers[2].energy_pj.dram", "got -1"]),
    (lambda report: report["memory_map"]["weight_buffer"]["ranges"][0].update(last_row=10**6), ["memory_map.weight_buffer.ranges[0].last_row"]),
    (lambda report: report["memory_map"].update(rows=[]), ["memory_map.rows"]),
], ids=["totals", "layers", "version", "limit", "energy", "row", "rows"])
def test_what_is_no_report_is_refused_with_the_place(folder, tmp_path, change, words):
    broken(folder, tmp_path, change)[0].says(str(tmp_path / "bad.json"), *words)


def test_what_is_no_trace_is_refused(folder, tmp_path):
    bad_input("report", folder / "run.json", "--html", tmp_path / "x.html", "--trace", folder / "run.json")[0].says("traceEvents")
    (tmp_path / "t.json").write_text('{"traceEvents": [{"ph": "X", "tid": 1, "ts": -5, "dur": 1, "cat": "a"}]}', encoding="utf-8")
    bad_input("report", folder / "run.json", "--html", tmp_path / "x.html", "--trace", tmp_path / "t.json")[0].says(
        "traceEvents[0].ts", "got -5")
    bad_input("report", folder / "run.json")[0].says("--html", "got nothing")
