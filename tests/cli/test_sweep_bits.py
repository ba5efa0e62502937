"""scripts/sweep_bits: a row a combination, each the same as a run of qsim by itself."""

import csv
import subprocess
import sys

import pytest
from qsim_process import QSIM, ROOT, WORKLOAD, report_of

SWEEP_BITS = ROOT / "scripts" / "sweep_bits"
COLUMNS = ["weight_bits", "activation_bits", "cycles", "latency_s", "energy_total_pj", "dram_bytes", "outputs_sha256"]


def sweep(*arguments):
    return subprocess.run([sys.executable, SWEEP_BITS, "--qsim", QSIM, "--hw", "npu", *map(str, arguments)],
                          capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def two_points(tmp_path_factory):
    output = tmp_path_factory.mktemp("sweep") / "bits.csv"
    run = sweep("--workload", WORKLOAD, "--weight-bits", "4,8", "--activation-bits", "8", "--output", output)
    assert run.returncode == 0, run.stderr
    assert list(output.parent.iterdir()) == [output], "temporary files were left"
    with output.open(newline="") as file:
        return list(csv.DictReader(file))


def test_two_points_are_two_rows_in_order(two_points):
    assert list(two_points[0]) == COLUMNS
    assert [(row["weight_bits"], row["activation_bits"]) for row in two_points] == [("4", "8"), ("8", "8")]


def test_a_row_holds_what_a_run_by_itself_reports(two_points):
    for row in two_points:
        report = report_of("--weight-bits", row["weight_bits"], "--activation-bits", row["activation_bits"])
        for column in ("cycles", "latency_s", "energy_total_pj", "dram_bytes"):
            assert float(row[column]) == report["totals"][column]
        assert row["outputs_sha256"] == ";".join(output["sha256"] for output in report["outputs"])


def test_narrow_weights_move_fewer_bytes_and_compute_something_else(two_points):
    narrow, wide = two_points
    assert int(narrow["dram_bytes"]) < int(wide["dram_bytes"])
    assert narrow["outputs_sha256"] != wide["outputs_sha256"]


def test_a_point_that_fails_leaves_the_old_file_alone(tmp_path):
    output = tmp_path / "bits.csv"
    output.write_text("old")
    run = sweep("--workload", "no_such_network", "--weight-bits", "8", "--activation-bits", "8", "--output", output)
    assert run.returncode == 2
    assert "no_such_network" in run.stderr
    assert output.read_text() == "old"
    assert list(tmp_path.iterdir()) == [output]


def test_a_folder_that_is_not_there_is_named_before_any_run(tmp_path):
    output = tmp_path / "missing" / "bits.csv"
    run = sweep("--workload", "no_such_network", "--output", output)
    assert run.returncode == 2
    assert str(output) in run.stderr


@pytest.mark.parametrize("widths", ["0-4", "8-4", "four", "17"])
def test_widths_that_cannot_be_are_refused(tmp_path, widths):
    run = sweep("--workload", WORKLOAD, "--weight-bits", widths, "--output", tmp_path / "bits.csv")
    assert run.returncode == 2
    assert widths in run.stderr
