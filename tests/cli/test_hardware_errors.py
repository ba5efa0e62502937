"""Every field of a hardware file with every kind of wrong value; the schema says what is wrong for each."""

import json

import pytest
from qsim_process import ROOT, bad_input

SCHEMA = json.loads((ROOT / "configs" / "schemas" / "hardware.schema.json").read_text())


def fields():
    """(path, its entry in the schema) of every field of the chip."""
    for name, entry in SCHEMA["properties"].items():
        if name == "$schema":
            continue
        if "properties" in entry:
            yield from ((f"{name}.{key}", field) for key, field in entry["properties"].items())
        else:
            yield name, entry


def sections():
    return [name for name, entry in SCHEMA["properties"].items() if "properties" in entry]


def nested(path, value):
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def wrong_values(entry):
    """Values that the schema forbids."""
    kind = entry.get("type")
    if "anyOf" in entry:  # "auto" or an integer
        yield from ("32", True, None, [1], {}, entry["anyOf"][1]["minimum"] - 1, entry["anyOf"][1]["maximum"] + 1, 0.5)
    elif kind == "object":  # texts by field
        yield from (1, True, None, [], "x")
    elif kind in ("integer", "number"):
        yield from ("32", True, None, [1], {}, entry["minimum"] - 1, entry["maximum"] + 1, -1e300, 1e300)
        if kind == "integer":
            yield from (entry["minimum"] + 0.5, 2**63, -(2**63))
    elif kind == "boolean":
        yield from (0, 1, "true", None, [])
    elif "enum" in entry:
        yield from ("no_such_choice", entry["enum"][0].upper() + "x", 1, True, None)
    else:
        yield from (1, True, None, [], {})


def written(value):
    """How a message shows the value."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (str, bool, list, dict, type(None))) else ""


@pytest.fixture
def refused(tmp_path):
    def refuse(content):
        file = tmp_path / "chip.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        messages = bad_input("--hw", file, "--workload", "x")
        for message in messages:
            message.says(f"qsim: {file}: ")
        return messages
    return refuse


@pytest.mark.parametrize("path, entry", list(fields()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_value_is_named_with_its_place_and_what_is_right(path, entry, refused):
    for value in wrong_values(entry):
        message = refused(nested(path, value))[0]
        message.says(f": {path}: got {written(value)}", ", expected ")
        if path not in ("extends", "description", "name"):
            message.says("; ")  # a remedy


@pytest.mark.parametrize("path, entry", [field for field in fields() if "minimum" in field[1]],
                         ids=lambda value: value if isinstance(value, str) else "")
def test_an_override_is_checked_like_a_file(path, entry):
    for value in (entry["minimum"] - 1, entry["maximum"] + 1, "NaN", "Infinity", "1e999", "many", ""):
        message = bad_input("--workload", "x", "--set", f"{path}={value}")[0]
        message.says(f"qsim: --set: {path}: got ", "expected ", "; the default is ")


@pytest.mark.parametrize("section", [""] + sections())
def test_an_unknown_key_is_named(section, refused):
    path = f"{section}.unheard_of" if section else "unheard_of"
    refused(nested(path, 1))[0].says(f": {path}: got 1, expected a known key")


@pytest.mark.parametrize("path", [path for path, _ in fields() if path != "name"])
def test_a_misspelled_key_names_the_nearest(path, refused):
    key = path.split(".")[-1]
    misspelled = path[:-1] + ("x" if path[-1] != "x" else "y")
    refused(nested(misspelled, 1))[0].says(f": {misspelled}: ", "did you mean", f'"{key}"')


@pytest.mark.parametrize("section", sections())
def test_a_section_is_an_object(section, refused):
    for value in (1, "x", [1], None):
        refused({section: value})[0].says(f": {section}: got ", "expected an object")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"clock_mhz": NaN}', '{"clock_mhz": 1e999}', '{"name": "a" "b"}',
                                  '{"mac_array": {"rows": 8, "rows": 16}}', '{"name": "\\ud800"}', "[" * 100000])
def test_a_file_that_is_no_object_is_refused(text, refused):
    refused(text)[0].says("expected ")


def test_every_problem_comes_at_once(refused):
    wrong = {"clock_mhz": -1, "mac_array": {"rows": 0, "colums": 8}, "dram": {"kind": "ddr"}, "voltage_v": "x"}
    assert len(refused(wrong)) == 5


def test_rules_between_fields_name_a_remedy(refused):
    refused({"accumulators": {"width_bits": 12}})[0].says("accumulators.width_bits: got 12", "at least 16 bits", "raise")
    refused({"dram": {"burst_bytes": 48}})[0].says("dram.burst_bytes: got 48", "a power of two", "take 32 or 64")
    refused({"accumulators": {"entries": 1}})[0].says("accumulators.entries: got 1", "at least 2", "double_buffered")


def test_a_cycle_of_extends_is_spelled_out(tmp_path):
    (tmp_path / "a.json").write_text('{"extends": "b.json"}')
    (tmp_path / "b.json").write_text('{"extends": "a.json"}')
    bad_input("--hw", tmp_path / "a.json", "--workload", "x")[0].says("extends", "cycle", "a.json -> ", "b.json -> ")


def test_a_base_that_does_not_exist_is_named(refused):
    refused({"extends": "npuu"})[0].says("extends", '"npuu"', "did you mean npu?")
    refused({"extends": "missing/base.json"})[0].says("extends", '"missing/base.json"')


def test_a_chip_that_does_not_exist_is_named():
    bad_input("--hw", "npu_smal", "--workload", "x")[0].says("--hw", '"npu_smal"', "npu, npu_fused, npu_large, npu_mx, npu_small",
                                                              "did you mean npu_small?")


def test_an_energy_table_is_checked_too(tmp_path):
    table = json.loads((ROOT / "configs" / "energy" / "45nm.json").read_text())
    table["entries"][0]["value"] = -0.2
    table["entries"][1]["kind"] = "guessed"
    (tmp_path / "table.json").write_text(json.dumps(table))
    (tmp_path / "chip.json").write_text('{"energy": "table.json"}')
    first, second = bad_input("--hw", tmp_path / "chip.json", "--workload", "x")
    first.says("table.json: entries[0].value: got -0.2", "expected ")
    second.says("table.json: entries[1].kind: got \"guessed\"", "measured")
