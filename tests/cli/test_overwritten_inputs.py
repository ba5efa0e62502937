"""Results in a file that the run reads: refused before anything is written, by whatever name."""

import json
import shutil

import numpy as np
import pytest
from qsim_process import ROOT, bad_input, qsim

NETWORK = {"name": "n", "semantics": "tflite", "tensors": {"generator": "normal", "seed": 1}, "outputs": ["y"],
           "inputs": [{"name": "x", "shape": [1, 4], "scale": 1}],
           "layers": [{"op": "fully_connected", "name": "y", "input": "x", "weights": {"shape": [3, 4], "scale": 1},
                       "output": {"scale": 1}}]}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "net.json").write_text(json.dumps(NETWORK))
    shutil.copy(ROOT / "configs" / "npu.json", tmp_path / "chip.json")
    (tmp_path / "bits.json").write_text('{"y": {"weights": 4}}')
    np.save(tmp_path / "x.npy", np.ones((1, 4), np.int8))
    return tmp_path


def arguments_of(folder):
    return ["--workload", folder / "net.json", "--hw", folder / "chip.json", "--input", f"x={folder / 'x.npy'}",
            "--bits", folder / "bits.json"]


@pytest.mark.parametrize("name, argument", [("net.json", "--workload"), ("chip.json", "--hw"), ("x.npy", "--input"),
                                            ("bits.json", "--bits")])
@pytest.mark.parametrize("how", ["its name", "a symbolic link", "a hard link"])
def test_an_output_is_no_input(name, argument, how, files):
    target = files / name
    before = target.read_bytes()
    if how == "a symbolic link":
        target = files / "link"
        target.symlink_to(name)
    elif how == "a hard link":
        target = files / "link"
        target.hardlink_to(files / name)
    for output in ("--report", "--trace", "--layers", "--outputs", "--dump-tensors"):
        bad_input(*arguments_of(files), output, target)[0].says(output, f"the file that {argument} reads")
    assert (files / name).read_bytes() == before


def test_the_same_run_with_files_of_their_own(files):
    run = qsim(*arguments_of(files), "--report", files / "report.json", "--quiet")
    assert run.returncode == 0, run.stderr


def test_data_sets_are_inputs(files):
    (files / "images.bin").write_bytes(bytes(3073))
    bad_input("evaluate", "--workload", files / "net.json", "--data", f"cifar10:{files / 'images.bin'}", "--report",
              files / "images.bin")[0].says("--report", "the file that --data reads")


def test_a_conversion_does_not_replace_what_it_reads(files):
    bad_input("convert", files / "net.json", files / "net.json")[0].says("OUT", "the file that IN reads")


def test_names_that_ship_are_files_too(files):
    (files / "configs").mkdir()
    (files / "chip.json").rename(files / "configs" / "chip.json")
    environment = {"QSIM_PATH": str(files)}
    arguments = ("--workload", files / "net.json", "--hw", "chip", "--report")
    bad_input(*arguments, files / "configs" / "chip.json", env=environment)[0].says("the file that --hw reads")
    assert qsim(*arguments, files / "report.json", env=environment).returncode == 0
