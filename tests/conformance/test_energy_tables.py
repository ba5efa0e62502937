"""The shipped energy tables are what CACTI's sweep and the published figures make, and the curves between its points hold."""

import re
import subprocess
import sys

import pytest
from shared_data import ROOT, data_path

SCRIPT = ROOT / "scripts" / "make_energy_tables.py"
MEDIANS = re.compile(r"(\w+): 36 points left out, median (\d+\.\d) %, largest (\d+\.\d) %")
FAR = re.compile(r"  (\d+) nm, (\d+) KiB, (\w+): ([+-]\d+\.\d) %")


@pytest.fixture(scope="module")
def check():
    return subprocess.run([sys.executable, "-B", SCRIPT, data_path("sram_cacti.csv"), "--check"], capture_output=True,
                          text=True, check=False, timeout=60)


def test_the_tables_are_what_the_script_writes(check):
    assert check.returncode == 0, check.stdout


def test_a_point_left_out_is_off_by_a_tenth_at_most_in_the_median(check):
    medians = MEDIANS.findall(check.stdout)
    assert [what for what, _, _ in medians] == ["read", "write", "area"]
    assert all(float(median) <= 10 for _, median, _ in medians), check.stdout


# The neighbours of an end lie on one side of it: it is continued to, and at 1 KiB CACTI changes how it cuts macros.
def test_points_that_are_off_by_more_than_a_quarter_are_ends_of_their_curves(check):
    far = FAR.findall(check.stdout)
    assert far and all(kib == "1" for _, kib, _, _ in far), check.stdout
