"""scripts/regression and scripts/agreement: no difference where there is none, and a number that changes is found and named."""

import json
import random
import subprocess
import sys

import pytest
from qsim_process import QSIM, ROOT

sys.path.insert(0, str(ROOT / "tests" / "regression"))
from compare import exact_json, first_json_difference  # noqa: E402
from random_layers import LATER_OPERATIONS  # noqa: E402
from random_programs import random_network  # noqa: E402

WRAPPER = """#!{python}
import json, pathlib, subprocess, sys
code = subprocess.run([{qsim!r}, *sys.argv[1:]], check=False).returncode
report = pathlib.Path("report.json")
if report.exists():
    text = report.read_text()
    cycles = str(json.loads(text)["totals"]["cycles"])
    report.write_text(text.replace('"cycles": ' + cycles, '"cycles": ' + str(int(cycles) + 1), 1))
sys.exit(code)
"""


def regression(new, *arguments):
    return subprocess.run([ROOT / "scripts" / "regression", QSIM, new, "--only", "random", *arguments], check=False,
                          capture_output=True, text=True)


def test_a_program_does_not_differ_from_itself():
    run = regression(QSIM, "--programs", "3")
    assert run.returncode == 0, run.stdout
    assert "runs, 0 differences" in run.stdout


def test_a_cycle_more_is_a_difference_whose_place_is_named(tmp_path):
    wrapper = tmp_path / "qsim"
    wrapper.write_text(WRAPPER.format(python=sys.executable, qsim=QSIM))
    wrapper.chmod(0o755)
    run = regression(wrapper, "--programs", "2", "--keep", str(tmp_path / "kept"))
    assert run.returncode == 1
    found = [line for line in run.stdout.splitlines() if line.startswith("random 1-0 tile values: ")]
    assert len(found) == 1 and "report.json: $.totals.cycles: " in found[0], run.stdout
    kept = tmp_path / "kept" / "random_1-0_tile_values"
    old, new = (json.loads((kept / side / "report.json").read_text())["totals"]["cycles"] for side in ("old", "new"))
    assert new == old + 1


def test_nothing_to_compare_is_not_success():
    assert regression(QSIM, "--only", "no such case").returncode == 1


TILES_TAKE_LONGER = """#!{python}
import pathlib, re, subprocess, sys
code = subprocess.run([{qsim!r}, *sys.argv[1:]], check=False).returncode
report = pathlib.Path("report.json")
if "tile" in sys.argv and report.exists():
    report.write_text(re.sub('"cycles": ([0-9]+)', lambda found: '"cycles": ' + found[1] + '1', report.read_text(), count=1))
sys.exit(code)
"""


def agreement(program, *arguments):
    return subprocess.run([ROOT / "scripts" / "agreement", program, *arguments], check=False, capture_output=True, text=True)


def test_values_by_tiles_agree_with_those_by_layers_and_with_every_pe():
    run = agreement(QSIM, "--programs", "5")
    assert run.returncode == 0, run.stdout
    assert "5 programs ran of " in run.stdout and ", 0 differences" in run.stdout


def test_a_number_that_only_one_way_has_is_named(tmp_path):
    wrapper = tmp_path / "qsim"
    wrapper.write_text(TILES_TAKE_LONGER.format(python=sys.executable, qsim=QSIM))
    wrapper.chmod(0o755)
    run = agreement(wrapper, "--programs", "2")
    assert run.returncode == 1
    assert "layer before, tile now: report.json: $.totals.cycles: " in run.stdout, run.stdout


@pytest.mark.parametrize("old, new, place", [
    ('{"a": [1, {"b": 2}]}', '{"a": [1, {"b": 3}]}', "$.a[1].b: 2 before, 3 now"),
    ('{"a": 1}', '{"a": 1, "c": 2}', "$.c: absent before, there now"),
    ('{"a": [1]}', '{"a": [1, 2]}', "$.a: 1 entries before, 2 now"),
    ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', "$: keys in another order"),
    ('{"a": 1.0}', '{"a": 1.00}', '$.a: "1.0" before, "1.00" now'),
    ('{"a": "1"}', '{"a": 1}', '$.a: "1" before, 1 now'),
])
def test_the_first_difference_of_two_reports(old, new, place):
    assert first_json_difference(exact_json(old), exact_json(old)) is None
    assert first_json_difference(exact_json(old), exact_json(new)) == place


def test_random_programs_draw_every_operation():
    schema = json.loads((ROOT / "configs" / "schemas" / "workload.schema.json").read_text())
    operations = {definition["properties"]["op"]["const"] for definition in schema["$defs"].values()
                  if "op" in definition.get("properties", {})}
    drawn = set()
    for seed in range(1000):
        drawn |= {layer["op"] for layer in random_network(random.Random(seed), "random")["layers"]}
    assert drawn == operations - LATER_OPERATIONS
