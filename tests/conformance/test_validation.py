"""Published machines: how far qsim is from RTL and from SCALE-Sim (docs/validation.md)."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
from shared_data import data_path

ROOT = pathlib.Path(__file__).parents[2]


def errors_of(name, file):
    """Rows, mean and largest error of the last line."""
    run = subprocess.run([sys.executable, "-B", ROOT / "bench" / f"validate_{name}.py", data_path(file)],
                         capture_output=True, text=True, check=False,
                         env={"QSIM_BINARY": str(ROOT / "build" / "release" / "qsim"), **os.environ})
    assert run.returncode == 0, run.stderr
    rows, mean, largest = re.fullmatch(r"rows=(\d+) mean_abs_error_percent=(.+) max_abs_error_percent=(.+)",
                                       run.stdout.splitlines()[-1]).groups()
    return int(rows), float(mean), float(largest)


@pytest.mark.parametrize("dataflow", ["ws", "os"])
def test_resnet18_takes_scalesims_cycles(dataflow):
    assert errors_of("scalesim", f"scalesim_resnet18_{dataflow}_32x32.csv") == (21, 0.0, 0.0)


def test_nvdla_is_near_its_rtl():
    rows, mean, largest = errors_of("nvdla", "nvdla_rtl_cycles.csv")
    assert rows == 72
    assert mean <= 0.6
    assert largest <= 6.0


def test_ethos_u55_is_compared_with_vela():
    rows, _, _ = errors_of("vela", "vela_ethos_u.csv")
    assert rows == 142
