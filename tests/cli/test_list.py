"""What ships, as a table, as JSON and as plain names."""

import json

import pytest
from qsim_process import bad_input, qsim, report_of


@pytest.mark.parametrize("kind", ["hardware", "energy", "workloads", "preprocess"])
def test_names_are_those_of_the_json(kind):
    names = [item["name"] for item in json.loads(qsim("list", "--json").stdout)[kind]]
    assert names or kind == "preprocess"
    assert qsim("list", "--names", kind).stdout == "".join(name + "\n" for name in names)


def flattened(section, path=""):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{path}{key}.")
        else:
            yield path + key, value


def test_fields_are_those_that_set_takes():
    hardware = report_of("--cost-only")["hardware"]
    values = dict(flattened(hardware))
    fields = qsim("list", "--names", "fields").stdout.split()
    assert sorted(fields) == sorted(values)
    sets = [word for field in fields for word in ("--set", f"{field}={json.dumps(values[field])}")]
    assert report_of("--cost-only", *sets)["hardware"] == hardware


def test_names_and_json_are_not_given_together():
    bad_input("list", "--names", "hardware", "--json")[0].says("--names", "no --json beside it")


def test_qsim_path_adds_names(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "mine.json").write_text("{}", encoding="utf-8")
    before = qsim("list", "--names", "hardware").stdout.split()
    after = qsim("list", "--names", "hardware", env={"QSIM_PATH": str(tmp_path)}).stdout.split()
    assert sorted(before + ["mine"]) == after
