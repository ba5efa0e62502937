"""--mapping: mappings given by layer or operation, and reports that repeat their runs."""

import json
import subprocess

import jsonschema
import referencing
import pytest
from qsim_process import QSIM, ROOT, WORKLOAD, bad_input, qsim, report_of

SCHEMAS = ROOT / "configs" / "schemas"
MAPPING_SCHEMA = json.loads((SCHEMAS / "mapping.schema.json").read_text(encoding="utf-8"))
REPORT_SCHEMA = json.loads((SCHEMAS / "report.schema.json").read_text(encoding="utf-8"))
HARDWARE_SCHEMA = json.loads((SCHEMAS / "hardware.schema.json").read_text(encoding="utf-8"))
REGISTRY = referencing.Registry().with_resource("hardware.schema.json",
                                                referencing.Resource.from_contents(HARDWARE_SCHEMA))


@pytest.fixture(scope="module")
def report():
    return report_of("--cost-only")


def mapping_file(folder, content):
    path = folder / "mappings.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_report_s_mappings_are_what_the_schema_says(report):
    jsonschema.Draft202012Validator(REPORT_SCHEMA, registry=REGISTRY).validate(report)
    jsonschema.validate({"layers": {row["name"]: row["mapping"] for row in report["layers"]}}, MAPPING_SCHEMA)


def test_a_report_of_rows_on_a_way_out_is_what_the_schema_says():
    report = report_of("--cost-only", "--hw", "npu_fused")
    test_a_report_s_mappings_are_what_the_schema_says(report)
    names = {row["name"] for row in report["layers"]}
    joined = [row["mapping"] for row in report["layers"] if row["mapping"]["unit"] == "requantizer"]
    assert joined and all(set(mapping["fused_with"]) <= names for mapping in joined)


def test_both_schemas_have_the_same_mapping():
    assert REPORT_SCHEMA["$defs"]["mapping"] == MAPPING_SCHEMA["$defs"]["mapping"]


def test_sizes_are_numbers(report):
    mapping = report["layers"][0]["mapping"]
    assert mapping["unit"] == "mac_array"
    assert all(isinstance(size, int) for size in mapping["output_tile"].values())
    assert isinstance(mapping["pixels_per_pass"], int) and isinstance(mapping["activation_bytes"], int)


@pytest.mark.parametrize("options", [[], ["--batch", "2"], ["--hw", "npu_small"], ["--hw", "ethos_u55_128"],
                                     ["--hw", "npu_fused", "--set", "activation_buffer.capacity_kib=16"]])
def test_a_report_given_back_repeats_its_run(tmp_path, options):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    arguments = ["--workload", WORKLOAD, "--quiet", *options]
    assert qsim(*arguments, "--report", first).returncode == 0
    run = qsim(*arguments, "--mapping", first, "--report", second)
    assert run.returncode == 0, run.stderr
    assert first.read_bytes() == second.read_bytes()


def test_what_random_programs_report_repeats_them():
    run = subprocess.run([ROOT / "scripts" / "mapping_round_trip", QSIM, "--programs", "40"], check=False,
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 differences" in run.stdout


def test_a_layer_s_mapping_stands_and_the_rest_is_the_compiler_s(tmp_path, report):
    name = report["layers"][0]["name"]
    given = mapping_file(tmp_path, {"layers": {name: {"output_tile": {"rows": 3}}}})
    rows = report_of("--cost-only", "--mapping", given)["layers"]
    assert rows[0]["mapping"]["output_tile"]["rows"] == 3 != report["layers"][0]["mapping"]["output_tile"]["rows"]


def test_an_operation_s_mapping_is_for_all_its_layers(tmp_path, report):
    op = report["layers"][0]["op"]
    given = mapping_file(tmp_path, {"operations": {op: {"loop_order": "activations_outer"}}})
    rows = [row for row in report_of("--cost-only", "--mapping", given)["layers"] if row["op"] == op]
    assert len(rows) > 1 and {row["mapping"]["loop_order"] for row in rows} == {"activations_outer"}


def test_what_is_not_legal_is_named_with_its_place_and_what_would_be(tmp_path, report):
    name = report["layers"][0]["name"]
    given = mapping_file(tmp_path, {"layers": {name: {"output_tile": {"rows": 1000}, "loop_order": "sideways"}}})
    messages = bad_input("--workload", WORKLOAD, "--mapping", given)
    messages[0].says(str(given), f"layers.{name}.loop_order", '"sideways"', "weights_outer, activations_outer")
    given = mapping_file(tmp_path, {"layers": {name: {"output_tile": {"rows": 1000}}}})
    messages = bad_input("--workload", WORKLOAD, "--mapping", given)
    messages[0].says(str(given), f"layers.{name}.output_tile.rows", "got 1000", "expected 1 to ")


@pytest.mark.parametrize("text, place", [
    ("[]", "an object"),
    ('{"layer": {}}', "did you mean"),
    ('{"layers": []}', "an object of mappings by name"),
    ('{"layers": {"conv1": 3}}', "an object, the mapping of a layer"),
    ('{"layers": {"conv1": {"column_tile": 1.5}}}', "a whole number from 0"),
    ('{"schema_version": 1, "layers": []}', "run the network again"),
    ('{"schema_version": 2, "layers": [{"op": "conv2d"}]}', "a row of a report"),
])
def test_a_file_of_another_form_is_refused(tmp_path, text, place):
    given = tmp_path / "mappings.json"
    given.write_text(text, encoding="utf-8")
    bad_input("--workload", WORKLOAD, "--cost-only", "--mapping", given)[0].says(str(given), place)
