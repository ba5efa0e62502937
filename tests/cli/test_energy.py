"""Energy tables from the command line: sums, overrides, kinds of memory, area, and what is refused."""

import json
import os
import subprocess
import sys

import pytest
from qsim_process import QSIM, ROOT, WORKLOAD, bad_input, qsim, report_of

MACHINES = [path.stem for path in sorted((ROOT / "configs").glob("*.json"))]


def cost(*arguments):
    return report_of("--cost-only", *arguments)


def unit_pj(report, component, event):
    return sum(entry["unit_pj"] for entry in report["provenance"]["energy_entries"]
               if (entry["component"], entry["event"]) == (component, event))


def sums(*arguments):
    script = [sys.executable, "-B", ROOT / "bench" / "energy_sums.py", "--workload", "resnet8", *arguments]
    return subprocess.run(list(map(str, script)), capture_output=True, text=True, check=False, timeout=300,
                          env={**os.environ, "QSIM_BINARY": QSIM})


@pytest.mark.parametrize("machine", MACHINES)
def test_the_report_alone_gives_every_energy_figure_of_it(machine):
    run = sums("--hardware", machine)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pairs=1 " in run.stdout


def test_so_it_does_of_later_inferences_and_with_a_gated_clock():
    run = sums("--hardware", "npu", "nvdla_small", "--inferences", "3", "--set", "clock_gating=true")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pairs=2 " in run.stdout


def test_an_energy_figure_that_is_not_the_sum_is_found(tmp_path):
    program = tmp_path / "qsim"
    program.write_text(f"#!/bin/sh\n{QSIM} \"$@\" | sed 's/\"unit_pj\": 0.243/\"unit_pj\": 0.244/; s/\"unit_pj\":0.243/"
                       "\"unit_pj\":0.244/'\n")
    program.chmod(0o755)
    run = subprocess.run([sys.executable, ROOT / "bench" / "energy_sums.py", "--hardware", "npu", "--workload", "resnet8"],
                         capture_output=True, text=True, check=False, env={**os.environ, "QSIM_BINARY": str(program)})
    assert run.returncode == 1, run.stdout


def test_an_override_is_used_and_shown():
    before, after = cost(), cost("--set", "energy.int8_multiply=0.1")
    for report in (before, after):
        assert report["hardware"]["energy"] == "45nm"
    assert after["provenance"]["energy_overrides"] == after["hardware"]["energy_overrides"] == {"int8_multiply": 0.1}
    assert before["provenance"]["energy_overrides"] == {}
    entries = [entry for entry in after["provenance"]["energy_entries"] if entry["key"] == "int8_multiply"]
    assert entries and all(entry["kind"] == "override" for entry in entries)
    saved = 0.1 * before["events"]["macs"]
    assert before["energy_pj"]["mac_array"] - after["energy_pj"]["mac_array"] == pytest.approx(saved)
    assert after["totals"]["cycles"] == before["totals"]["cycles"]


def test_overrides_in_a_file_extend_those_of_what_it_extends(tmp_path):
    (tmp_path / "base.json").write_text('{"extends": "npu", "energy_overrides": {"shift": 1, "command": 7}}')
    (tmp_path / "chip.json").write_text('{"extends": "base.json", "energy_overrides": {"shift": 2}}')
    report = cost("--hw", tmp_path / "chip.json")
    assert report["provenance"]["energy_overrides"] == {"command": 7, "shift": 2}
    assert unit_pj(report, "control", "commands") == 7


@pytest.mark.parametrize("argument, words", [
    ("energy.int8_multipli=1", ("energy_overrides.int8_multipli", "did you mean int8_multiply?")),
    ("energy.int8_multiply=-1", ("energy_overrides.int8_multiply", "got -1", "expected")),
    ("energy.int8_multiply=much", ("energy_overrides.int8_multiply", '"much"', "expected")),
    ("activation_buffer.curve=edram", ("activation_buffer.curve", '"edram"', '"sram" is one')),
    ("energy=46nm", ("energy", '"46nm"', "did you mean 16nm?")),
    ("dram.device=lpddr6", ("dram.device", '"lpddr6"', "did you mean"))])
def test_what_no_table_has_is_refused(argument, words):
    bad_input("--workload", "resnet8", "--set", argument)[0].says(*words)


def shipped(name):
    return json.loads((ROOT / "configs" / "energy" / f"{name}.json").read_text())


def refused_table(tmp_path, table):
    (tmp_path / "table.json").write_text(json.dumps(table))
    return bad_input("--workload", "resnet8", "--set", f"energy={tmp_path / 'table.json'}")


@pytest.mark.parametrize("key, value, words", [
    ("unit", None, ("entries[0].unit",)), ("value", -0.1, ("entries[0].value", "got -0.1")),
    ("value", None, ("entries[0].value",)), ("source", None, ("entries[0].source",)), ("kind", "heard", ("entries[0].kind",)),
    ("unit", "mW", ("entries[0].unit", '"pJ"')), ("colour", "red", ("entries[0].colour",))])
def test_an_entry_that_is_not_complete_is_refused_with_its_place(tmp_path, key, value, words):
    table = shipped("45nm")
    table["entries"][0].pop(key, None)
    if value is not None:
        table["entries"][0][key] = value
    refused_table(tmp_path, table)[0].says("table.json", *words)


def test_a_missing_entry_names_what_to_extend(tmp_path):
    table = shipped("45nm")
    table["entries"] = [entry for entry in table["entries"] if entry["key"] != "wire_bit_mm"]
    refused_table(tmp_path, table)[0].says("table.json", '"wire_bit_mm"', '"extends": "45nm"')


def test_a_table_of_one_entry_extends_a_shipped_one(tmp_path):
    (tmp_path / "table.json").write_text(json.dumps({"name": "mine", "extends": "22nm", "entries": [
        {"key": "command", "value": 9, "unit": "pJ", "kind": "measured", "source": "our chip"}]}))
    report = cost("--set", f"energy={tmp_path / 'table.json'}", "--set", "voltage_v=0.8")
    assert report["provenance"]["energy_table"] == "mine"
    assert unit_pj(report, "control", "commands") == 9
    assert unit_pj(report, "dma", "dma_bytes") == pytest.approx(0.15294)


def test_every_node_costs_less_than_the_one_before_it():
    volts = {"45nm": 0.9, "28nm": 0.9, "22nm": 0.8, "16nm": 0.8, "7nm": 0.7}
    reports = [cost("--set", f"energy={node}", "--set", f"voltage_v={voltage}") for node, voltage in volts.items()]
    for before, after in zip(reports, reports[1:]):
        for component in ("mac_array", "activation_buffer", "accumulators", "requantizer", "static", "clock"):
            assert after["energy_pj"][component] < before["energy_pj"][component]
        assert after["totals"]["area_mm2"] < before["totals"]["area_mm2"]
        assert after["totals"]["cycles"] == before["totals"]["cycles"]


def test_areas_add_up_and_belong_to_components():
    report = cost()
    assert sum(report["area_mm2"].values()) == pytest.approx(report["totals"]["area_mm2"])
    assert set(report["area_mm2"]) == {"mac_array", "weight_buffer", "activation_buffer", "accumulators", "requantizer",
                                       "zero_point_correction", "vector_unit", "control", "wires"}
    # Bit Fusion: 687.6 um2 a PE.
    assert report["area_mm2"]["mac_array"] == pytest.approx(1024 * 687.6e-6, rel=1e-3)


def test_memory_in_standby_is_dram_s_and_flash_has_none():
    lpddr4, flash = cost(), cost("--set", "dram.device=flash")
    assert unit_pj(lpddr4, "dram", "cycles") == pytest.approx(3 * 12.8)
    assert unit_pj(flash, "dram", "cycles") == 0


# A buffer of 1 GiB is SCALE-Sim's "no limit", far beyond the memories of the table.
def test_a_curve_beyond_its_end_is_remarked_in_text_and_report(tmp_path):
    (tmp_path / "g.csv").write_text("Layer,M,N,K\ng,4,4,4\n")
    run = qsim("--hw", "scalesim_16_os", "--workload", tmp_path / "g.csv", "--cost-only", "--json")
    notes = [note for note in json.loads(run.stdout)["provenance"]["notes"] if "sram_read_64bit" in note]
    assert len(notes) == 2
    for note, buffer in zip(notes, ("weight_buffer", "activation_buffer")):
        assert f"a bank of {buffer} has 65536 KiB" in note and "ends at 4096 KiB and is extrapolated" in note
    text = qsim("--hw", "scalesim_16_os", "--workload", tmp_path / "g.csv", "--cost-only").stdout
    assert all(f"note: {note}" in text for note in notes)
    assert not any("extrapolated" in note for note in cost()["provenance"]["notes"])


# 768 KiB of memory leak at least a tenth of what 1,024 PEs of the same process do; and an access to 512 banks is not
# much cheaper than one to 8, but their area and leakage are larger.
def test_banks_are_not_free_and_memories_leak():
    leakage = {entry["part"]: entry["unit_pj"] for entry in cost()["provenance"]["energy_entries"]
               if entry["component"] == "static"}
    assert leakage["weight_buffer"] + leakage["activation_buffer"] > leakage["mac_array"] / 10
    few, many = (cost("--set", f"activation_buffer.banks={banks}") for banks in (8, 512))
    assert 1 < few["energy_pj"]["activation_buffer"] / many["energy_pj"]["activation_buffer"] < 2.5
    assert many["energy_pj"]["static"] > few["energy_pj"]["static"]
    assert many["area_mm2"]["activation_buffer"] > few["area_mm2"]["activation_buffer"]
    assert many["totals"]["cycles"] == few["totals"]["cycles"]


def test_a_gated_clock_saves_what_idle_registers_take():
    free, gated = cost(), cost("--set", "clock_gating=true")
    assert gated["energy_pj"]["clock"] < free["energy_pj"]["clock"]
    assert gated["totals"]["cycles"] == free["totals"]["cycles"]
    same = [component for component in free["energy_pj"] if component != "clock"]
    assert all(gated["energy_pj"][component] == free["energy_pj"][component] for component in same)
    assert gated["events"]["compute_cycles"] == gated["cycles"]["compute"]


def test_at_the_rate_that_a_chip_reaches_it_never_waits():
    flat_out = cost()
    least = flat_out["totals"]["inferences_per_second"]
    report = cost("--rate", least)
    assert report["duty_cycle"]["idle_cycles"] == 0
    assert report["duty_cycle"]["energy_total_pj"] == pytest.approx(flat_out["totals"]["energy_total_pj"], rel=1e-12)
    assert report["totals"] == flat_out["totals"]
    bad_input("--workload", WORKLOAD, "--cost-only", "--rate", 2 * least)[0].says(
        "--rate", "at most", f"{least:.6g} inferences a second", "lower the rate")


def test_the_less_often_the_more_an_inference_costs_and_the_less_power_the_chip_takes():
    duties = [cost("--rate", rate)["duty_cycle"] for rate in (10000, 100, 1, 0.5)]
    energies = [duty["energy_per_inference_pj"] for duty in duties]
    powers = [duty["power_w"] for duty in duties]
    assert energies == sorted(energies) and powers == sorted(powers, reverse=True)
    # Seldom enough, only what never rests is left: the same power, twice the energy.
    assert powers[2] == pytest.approx(powers[3], rel=1e-2) and energies[3] == pytest.approx(2 * energies[2], rel=1e-2)


def test_the_sums_of_a_duty_cycle_close():
    run = sums("--hardware", "npu", "nvdla_small", "--rate", "2.5", "--inferences", "2", "--set", "clock_gating=true")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pairs=2 " in run.stdout


@pytest.mark.parametrize("rate", ["0", "-1", "fast", "nan", "1e400", "30fps", "1e-30"])
def test_a_rate_is_a_number_above_zero(rate):
    bad_input("--workload", "resnet8", "--cost-only", "--rate=" + rate)[0].says("--rate", "inferences a second")


def test_what_is_assumed_is_said_once():
    text = qsim("--workload", WORKLOAD, "--cost-only", "--rate", "30").stdout
    assert text.count("note: assumed or extrapolated energies:") == 1
    assert " on average while running" in text and "halved and doubled" in text
    assert "at 30/s     " in text and " an inference, " in text and "peak power" in text


def test_power_over_time_sums_to_the_energy(tmp_path):
    report = cost("--trace", tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    values = [event["args"]["value"] for event in trace["traceEvents"] if event["ph"] == "C" and event["name"] == "power mW"]
    power = report["power"]
    assert sum(values) * 1e-3 * power["window_s"] == pytest.approx(report["totals"]["energy_total_pj"] * 1e-12, rel=1e-9)
    assert max(values) == pytest.approx(1e3 * power["peak_w"])
    assert power["average_w"] == pytest.approx(report["totals"]["power_w"])
    assert values[-1] == 0


def test_a_clock_that_the_voltage_does_not_allow_is_noted():
    notes = cost("--set", "voltage_v=0.6")["provenance"]["notes"]
    assert [note for note in notes if "1000 MHz is beyond" in note and "0.6 V" in note]
    for machine in MACHINES:
        assert not any("MHz is beyond" in note for note in cost("--hw", machine)["provenance"]["notes"]), machine
