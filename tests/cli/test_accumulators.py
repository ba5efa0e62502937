"""qsim accumulators: sums as the report has them, and the cost of other widths as runs have it."""

import json

import jsonschema
import pytest
from qsim_process import ROOT, bad_input, qsim

SCHEMA = json.loads((ROOT / "configs" / "schemas" / "accumulators.schema.json").read_text(encoding="utf-8"))


def analysis_of(*arguments):
    process = qsim("accumulators", *arguments, "--json")
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    jsonschema.validate(result, SCHEMA)
    return result


def report(*arguments):
    process = qsim(*arguments, "--json")
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_the_sums_are_those_of_the_report():
    result = analysis_of("--workload", "resnet8")
    rows = [layer for layer in report("--workload", "resnet8")["layers"] if layer["accumulator"]]
    assert [row["name"] for row in result["layers"]] == [row["name"] for row in rows]
    for row, layer in zip(result["layers"], rows, strict=True):
        for key in ("min", "max", "bits_used", "worst_min", "worst_max", "bits_worst_case", "bits_any_weights", "overflows"):
            assert row[key] == layer["accumulator"][key], (row["name"], key)
    assert result["bits_worst_case"] == max(row["bits_worst_case"] for row in result["layers"])
    for row in result["layers"]:
        assert row["worst_min"] <= row["min"] <= row["max"] <= row["worst_max"]
        assert row["bits_used"] <= row["bits_worst_case"] <= row["bits_any_weights"]


def test_each_width_costs_what_a_run_with_it_costs():
    result = analysis_of("--workload", "resnet8")
    assert [width["width_bits"] for width in result["widths"]] == [32, result["bits_worst_case"], result["bits_used"]]
    for width in result["widths"]:
        run = report("--workload", "resnet8", "--cost-only", "--set", f"accumulators.width_bits={width['width_bits']}")
        assert width["cycles"] == run["totals"]["cycles"]
        assert width["energy_total_pj"] == pytest.approx(run["totals"]["energy_total_pj"], rel=1e-12)
        assert width["accumulators_pj"] == pytest.approx(run["energy_pj"]["accumulators"], rel=1e-12)
    energies = [width["accumulators_pj"] for width in result["widths"]]
    assert energies == sorted(energies, reverse=True) and energies[0] > energies[-1]


def test_accumulators_of_the_worst_case_never_trap():
    narrow = analysis_of("--workload", "resnet8")["bits_worst_case"]
    trapping = ["--workload", "resnet8", "--set", "accumulators.overflow=trap", "--quiet"]
    assert qsim(*trapping, "--set", f"accumulators.width_bits={narrow}").returncode == 0


def test_a_trap_names_layer_channel_and_position():
    run = qsim("--workload", "resnet8", "--set", "accumulators.overflow=trap", "--set", "accumulators.width_bits=16", "--quiet")
    assert run.returncode == 1
    first = run.stderr.splitlines()[0]
    assert "overflows of 16-bit accumulators, the first in channel" in first and " at [0, " in first
    by_tiles = qsim("--workload", "resnet8", "--values", "tile", "--set", "accumulators.overflow=trap", "--set",
                    "accumulators.width_bits=16", "--quiet")
    assert by_tiles.stderr == run.stderr


def test_bad_arguments_are_refused():
    bad_input("accumulators")[0].says("--workload")
