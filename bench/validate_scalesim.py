#!/usr/bin/env python3
"""Compares qsim with the cycles that SCALE-Sim counts (docs/validation.md).

Each row is a convolution: SCALE-Sim's topology columns. The machine is scalesim_{array}_{dataflow}; where the file has no
columns "array" (16 or 32) and "dataflow" (ws, os or is), the options say it, or the file's name (.._os_32x32.csv).
qsim's compute + fill_drain + weight_load stand against compute_cycles, which SCALE-Sim counts from 0.
Example: bench/validate_scalesim.py scalesim_resnet18_os_32x32.csv"""

import csv
import pathlib
import re
import tempfile

import validation

SHAPE = ["ifmap_h", "ifmap_w", "filter_h", "filter_w", "channels", "num_filters", "stride"]
COLUMNS = ["layer", *SHAPE]
RESULT = "compute_cycles"
COUNTED = ("compute", "fill_drain", "weight_load")


def machine_of(path, row):
    """The machine of a row: its own columns, or what the file's name says."""
    name = pathlib.Path(path).name
    dataflow = (row.get("dataflow") or "").strip().lower()
    array = (row.get("array") or "").strip().lower().split("x")[0]
    if not dataflow:
        found = re.search(r"(?<![a-z])(ws|os|is)(?![a-z])", name)
        dataflow = found.group(1) if found else ""
    if not array:
        found = re.search(r"(\d+)x\1", name)
        array = found.group(1) if found else "32"
    if dataflow not in ("ws", "os", "is") or array not in ("16", "32"):
        raise validation.BadInput(f"{path}: line {row['line']}: got array {array!r} and dataflow {dataflow!r}, expected 16 or 32 and "
                                  "ws, os or is, in columns of these names or in the file's name (_ws_32x32.csv)")
    return f"scalesim_{array}_{dataflow}"


def predict(qsim, path, row):
    """What qsim says of a row, as SCALE-Sim counts it."""
    numbers = [validation.integer(path, row, name, 1) for name in SHAPE]
    with tempfile.TemporaryDirectory() as folder:
        topology = pathlib.Path(folder, "layer.csv")
        topology.write_text("layer," + ",".join(map(str, numbers)) + ",\n", encoding="utf-8")
        report = validation.report_of(qsim, topology, ["--hw", machine_of(path, row)])
    return sum(report["cycles"][name] for name in COUNTED) - 1


def main():
    """Runs every row."""
    arguments = validation.parse_arguments(__doc__, COLUMNS, RESULT)
    path = arguments.file
    rows = validation.read_rows(path, COLUMNS if arguments.predict else [*COLUMNS, RESULT])
    predictions = validation.in_parallel(arguments.jobs, lambda row: predict(arguments.qsim, path, row), rows)
    if arguments.predict:
        with open(path, newline="", encoding="utf-8-sig") as file:
            fieldnames = csv.DictReader(file).fieldnames
        validation.write_predictions(arguments.predict, [name for name in fieldnames if name != RESULT], rows, RESULT,
                                     predictions)
    errors = []
    for row, cycles in zip(rows, predictions):
        line = f"{machine_of(path, row):<15} {row['layer']:<20} qsim={cycles:<10}"
        if (row.get(RESULT) or "").strip():
            expected = validation.integer(path, row, RESULT)
            errors.append(validation.error_percent(cycles, expected))
            line += f" scalesim={expected:<10} error_percent={errors[-1]:+.3f}"
        print(line.rstrip())
    if errors or not arguments.predict:
        print(validation.summary(errors))
    return 0


if __name__ == "__main__":
    validation.run_main(main)
