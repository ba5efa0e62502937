"""The validation commands in bench/: rows, predictions, the last line, bad input."""

import csv
import os
import re
import subprocess
import sys

import pytest
from qsim_process import QSIM, ROOT
from test_bad_input import tflite_model

LAST = re.compile(r"rows=(\d+) mean_abs_error_percent=(\d+\.\d+) max_abs_error_percent=(\d+\.\d+)")
NVDLA = "project,layer,W,H,C,K,R,S,sx,sy,dx,dy,pl,pr,pt,pb,read_latency,read_gap"
ROW = "nv_small,a,12,12,16,16,3,3,1,1,1,1,1,1,1,1,32,1"
SCALESIM = "layer,array,dataflow,ifmap_h,ifmap_w,filter_h,filter_w,channels,num_filters,stride"


def validate(name, *arguments):
    return subprocess.run([sys.executable, "-B", ROOT / "bench" / f"validate_{name}.py", *map(str, arguments)],
                          capture_output=True, text=True, check=False, env={**os.environ, "QSIM_BINARY": QSIM})


def predictions(path, column):
    with open(path, newline="", encoding="utf-8") as file:
        return [int(row[column]) for row in csv.DictReader(file)]


def closed_form(dataflow, edge, pixels, depth, filters):
    """SCALE-Sim's counts (github.com/scalesim-project/SCALE-Sim), which start at 0."""
    def pieces(size):
        return -(-size // edge)
    if dataflow == "ws":
        return pieces(depth) * pieces(filters) * (3 * edge + pixels - 2) - 1
    if dataflow == "is":
        return pieces(depth) * pieces(pixels) * (3 * edge + filters - 2) - 1
    return pieces(pixels) * pieces(filters) * (2 * edge + depth - 2) - 1


@pytest.mark.parametrize("dataflow", ["ws", "is", "os"])
@pytest.mark.parametrize("edge", [16, 32])
def test_scalesim_machines_count_as_scalesim(dataflow, edge, tmp_path):
    shapes = [(9, 9, 3, 3, 5, 40, 1), (20, 13, 5, 1, 17, 33, 2), (1, 1, 1, 1, 100, 70, 1)]
    expected = []
    lines = [SCALESIM + ",compute_cycles"]
    for height, width, kernel_h, kernel_w, channels, filters, stride in shapes:
        pixels = -(-(height - kernel_h + stride) // stride) * -(-(width - kernel_w + stride) // stride)
        expected.append(closed_form(dataflow, edge, pixels, kernel_h * kernel_w * channels, filters))
        numbers = ",".join(map(str, (height, width, kernel_h, kernel_w, channels, filters, stride)))
        lines.append(f"l,{edge},{dataflow},{numbers},{expected[-1]}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    run = validate("scalesim", tmp_path / "rows.csv", "--predict", tmp_path / "out.csv")
    assert run.returncode == 0, run.stderr
    assert predictions(tmp_path / "out.csv", "compute_cycles") == expected
    assert run.stdout.splitlines()[-1] == "rows=3 mean_abs_error_percent=0.000 max_abs_error_percent=0.000"
    assert len(run.stdout.splitlines()) == 4


def test_predictions_need_no_results(tmp_path):
    rows = "nv_small,a,12,12,16,16,3,3,1,1,1,1,1,1,1,1,32,1\nnv_large,b,12,12,16,16,3,3,1,1,1,1,1,1,1,1,32,1\n"
    (tmp_path / "rows.csv").write_text(NVDLA + "\n" + rows)
    run = validate("nvdla", tmp_path / "rows.csv", "--predict", tmp_path / "out.csv")
    assert run.returncode == 0, run.stderr
    small, large = predictions(tmp_path / "out.csv", "cycles")
    # A cycle each pixel, tap, 8 channels and 8 filters at least; 2,048 MACs take 64 channels and 32 filters.
    assert small > 144 * 9 * 2 * 2
    assert 144 * 9 < large < small
    run = validate("nvdla", tmp_path / "rows.csv")
    assert run.returncode == 2 and "no column cycles" in run.stderr


def test_errors_are_those_of_the_rows(tmp_path):
    row = "nv_small,a,12,12,16,16,3,3,1,1,1,1,1,1,1,1,32,1"
    (tmp_path / "rows.csv").write_text(f"{NVDLA}\n{row}\n")
    validate("nvdla", tmp_path / "rows.csv", "--predict", tmp_path / "out.csv")
    (cycles,) = predictions(tmp_path / "out.csv", "cycles")
    (tmp_path / "rows.csv").write_text(f"{NVDLA},cycles\n{row},{cycles}\n{row},{2 * cycles}\n")
    run = validate("nvdla", tmp_path / "rows.csv")
    assert LAST.fullmatch(run.stdout.splitlines()[-1]).groups() == ("2", "25.000", "50.000")


def test_slower_memory_takes_longer_and_latency_shows_once(tmp_path):
    row = "nv_small,a,12,12,16,16,3,3,1,1,1,1,1,1,1,1,{},{}"
    rows = [row.format(latency, gap) for latency, gap in ((32, 1), (132, 1), (32, 4))]
    (tmp_path / "rows.csv").write_text("\n".join([NVDLA, *rows]) + "\n")
    validate("nvdla", tmp_path / "rows.csv", "--predict", tmp_path / "out.csv")
    near, far, slow = predictions(tmp_path / "out.csv", "cycles")
    assert far == near + 100
    assert slow > near + 3 * 12 * 12 * 2  # three more cycles for each of the features' beats


BAD = {
    "no file": ("nvdla", None, "rows.csv"),
    "no rows": ("nvdla", NVDLA + ",cycles\n", "no rows"),
    "a missing column": ("scalesim", "layer,ifmap_h\na,1\n", "no column ifmap_w"),
    "a word for a number": ("nvdla", f"{NVDLA},cycles\nnv_small,a,12,x,16,16,3,3,1,1,1,1,1,1,1,1,32,1,5\n", "line 2: H"),
    "an unknown machine": ("nvdla", f"{NVDLA},cycles\nnv_full,a,1,1,1,1,1,1,1,1,1,1,0,0,0,0,32,1,5\n", "nv_full"),
    "an unknown dataflow": ("scalesim", f"{SCALESIM},compute_cycles\na,32,xs,4,4,3,3,1,1,1,5\n", "'xs'"),
    "a layer that qsim refuses": ("nvdla", f"{NVDLA},cycles\nnv_small,a,1,1,8,8,3,3,1,1,1,1,0,0,0,0,32,1,5\n", "layers[0]"),
    "an empty result": ("nvdla", f"{NVDLA},cycles\n{ROW},9\n{ROW},\n", "line 3: cycles: got nothing"),
    "a row that ends early": ("nvdla", f"{NVDLA},cycles\n{ROW},9\nnv_small,a,12\n", "line 3: more or fewer fields"),
    "a row that is too long": ("nvdla", f"{NVDLA},cycles\n{ROW},9,9\n", "line 2: more or fewer fields"),
    "a reference of 0": ("nvdla", f"{NVDLA},cycles\n{ROW},0\n", "line 2: cycles: got 0, expected at least 1"),
    "a reference of 0 of SCALE-Sim": ("scalesim", f"{SCALESIM},compute_cycles\na,32,ws,4,4,3,3,1,1,1,0\n", "expected at least 1"),
    "a latency shorter than a gap": ("nvdla", f"{NVDLA},cycles\n{ROW[:-4]}2,4,9\n", "expected at least read_gap - 1, 3"),
    "an array that nothing names": ("scalesim", f"{SCALESIM.replace('array,dataflow,', '')},compute_cycles\na,4,4,3,3,1,1,1,9\n",
                                    "got array ''"),
    "an array that is not square": ("scalesim", f"{SCALESIM},compute_cycles\na,32x16,ws,4,4,3,3,1,1,1,9\n", "'32x16'"),
    "a network that is not there": ("vela", "model,machine,op,name,cycles\nm,ethos_u55_128,TOTAL,,5\n", "m.tflite"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case, tmp_path):
    name, content, word = BAD[case]
    if content is not None:
        (tmp_path / "rows.csv").write_text(content)
    run = validate(name, tmp_path / "rows.csv")
    assert run.returncode == 2, run.stdout
    assert word in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize("case", ["no folder", "the input", "a full disk", "a folder", "no program", "no jobs"])
def test_what_cannot_be_done_is_said_in_a_line(case, tmp_path):
    (tmp_path / "rows.csv").write_text(f"{NVDLA}\n{ROW}\n")
    (tmp_path / "same.csv").symlink_to("rows.csv")
    (tmp_path / "folder").mkdir()
    target = {"no folder": tmp_path / "none" / "out.csv", "the input": tmp_path / "same.csv", "a full disk": "/dev/full",
              "a folder": tmp_path / "folder"}.get(case, tmp_path / "out.csv")
    more = {"no program": ["--qsim", tmp_path / "qsim"], "no jobs": ["--jobs", "0"]}.get(case, [])
    run = validate("nvdla", tmp_path / "rows.csv", "--predict", target, *more)
    assert run.returncode == 2 and "Traceback" not in run.stderr
    word = {"a full disk": "No space left", "no program": "qsim", "no jobs": "at least 1"}.get(case, str(target))
    assert word in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "rows.csv", "same.csv"]
    assert (tmp_path / "rows.csv").read_text() == f"{NVDLA}\n{ROW}\n"


def test_predictions_go_through_devices_and_links(tmp_path):
    (tmp_path / "rows.csv").write_text(f"{NVDLA}\n{ROW}\n")
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert validate("nvdla", tmp_path / "rows.csv", "--predict", "/dev/null").returncode == 0
    assert os.path.exists("/dev/null") and not os.path.isfile("/dev/null")
    assert validate("nvdla", tmp_path / "rows.csv", "--predict", tmp_path / "link.csv").returncode == 0
    assert (tmp_path / "link.csv").is_symlink() and len(predictions(tmp_path / "real.csv", "cycles")) == 1


def test_a_full_standard_output_is_said_in_a_line(tmp_path):
    (tmp_path / "rows.csv").write_text(f"{NVDLA},cycles\n{ROW},9\n")
    with open("/dev/full", "w", encoding="utf-8") as full:
        run = subprocess.run([sys.executable, "-B", ROOT / "bench" / "validate_nvdla.py", tmp_path / "rows.csv"], stdout=full,
                             stderr=subprocess.PIPE, text=True, check=False, env={**os.environ, "QSIM_BINARY": QSIM})
    assert run.returncode == 2 and "standard output" in run.stderr and "Traceback" not in run.stderr


def test_networks_of_vela_need_results_above_zero(tmp_path):
    (tmp_path / "tiny.tflite").write_bytes(tflite_model())
    (tmp_path / "rows.csv").write_text("model,machine,op,name,cycles\ntiny,ethos_u55_128,TOTAL,,0\n")
    run = validate("vela", tmp_path / "rows.csv", "--models", tmp_path)
    assert run.returncode == 2 and "expected at least 1" in run.stderr
