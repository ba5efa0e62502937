"""`qsim convert`: networks in another format, without loss."""

import json
import pathlib

import jsonschema
import pytest
from qsim_process import ROOT, bad_input, qsim

SCHEMA = json.loads((ROOT / "configs/schemas/workload.schema.json").read_text())


def converted(source, target, *arguments):
    run = qsim("convert", source, target, *arguments)
    assert run.returncode == 0 and run.stdout == "", run.stderr
    jsonschema.validate(json.loads(target.read_text()), SCHEMA)
    return target


def run_of(workload, folder, name, *arguments):
    """(report without the file's name, bytes of every tensor)"""
    dump = folder / f"{name}.safetensors"
    run = qsim("--workload", workload, "--json", "--dump-tensors", dump, *arguments)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    report["workload"].pop("source")
    return report, dump.read_bytes()


@pytest.mark.parametrize("name", ["resnet8", "mobilenet_v2"])
def test_a_converted_workload_gives_the_same_report_and_tensors(name, tmp_path):
    target = converted(name, tmp_path / "net.json")
    assert (tmp_path / "net.weights.safetensors").exists()
    assert run_of(target, tmp_path, "b") == run_of(name, tmp_path, "a")


def test_converting_twice_gives_the_same_bytes(tmp_path):
    first = converted("resnet8", tmp_path / "net.json")
    content = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    other = tmp_path / "other"
    other.mkdir()
    converted(first, other / "net.json")
    assert [path.read_bytes() for path in sorted(other.iterdir())] == content


def test_bit_widths_are_applied_before_writing(tmp_path):
    target = converted("resnet8", tmp_path / "net.json", "--weight-bits", "4")
    assert '"bits": 4' in target.read_text()
    expected, tensors = run_of("resnet8", tmp_path, "a", "--weight-bits", "4")
    report, same = run_of(target, tmp_path, "b")
    assert same == tensors and report["totals"] == expected["totals"]
    assert report["provenance"]["notes"] == expected["provenance"]["notes"]


def test_a_format_may_be_named(tmp_path):
    run = qsim("convert", "resnet8", tmp_path / "net.txt", "--format", "json")
    assert run.returncode == 0, run.stderr
    assert json.loads((tmp_path / "net.txt").read_text())["name"] == "resnet8"


BAD = {
    "no output": (["resnet8"], ["OUT"]),
    "an extension that says nothing": (["resnet8", "net.bin"], ["OUT", "net.bin", "--format"]),
    "no such network": (["no_such_network", "net.json"], ["no_such_network"]),
    "a folder that is not there": (["resnet8", "nowhere/net.json"], ["OUT", "folder"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_named(case, tmp_path):
    words, says = BAD[case]
    arguments = [words[0], *(tmp_path / word for word in words[1:])]
    bad_input("convert", *arguments)[0].says(*says)
    assert not any(path.suffix in (".json", ".safetensors") for path in pathlib.Path(tmp_path).iterdir())


def test_nothing_is_left_where_one_of_the_files_cannot_be_written(tmp_path):
    (tmp_path / "net.weights.safetensors").mkdir()
    bad_input("convert", "resnet8", tmp_path / "net.json")[0].says("net.weights.safetensors")
    assert not (tmp_path / "net.json").exists()
