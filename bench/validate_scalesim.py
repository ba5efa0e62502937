#!/usr/bin/env python3
"""Compares qsim with the cycles that SCALE-Sim counts (docs/validation.md).

Each row is a convolution: SCALE-Sim's topology columns. The machine is scalesim_{array}_{dataflow}; where the file has no
columns "array" (16 or 32) and "dataflow" (ws, os or is), or their cells are empty, its name says it (.._os_32x32.csv).
qsim's compute + fill_drain + weight_load stand against compute_cycles, which SCALE-Sim counts from 0.
Example: bench/validate_scalesim.py scalesim_resnet18_os_32x32.csv"""

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
    array = re.sub(r"^(\d+)x\1$", r"\1", (row.get("array") or "").strip().lower())
    if not dataflow:
        found = re.search(r"(?<![a-z])(ws|os|is)(?![a-z])", name)
        dataflow = found.group(1) if found else ""
    if not array:
        found = re.search(r"(\d+)x\1", name)
        array = found.group(1) if found else ""
    if dataflow not in ("ws", "os", "is") or array not in ("16", "32"):
        raise validation.bad(path, row, f"got array {array!r} and dataflow {dataflow!r}, expected 16 or 32 and ws, os or is, "
                             "in columns of these names or in the file's name (_ws_32x32.csv)")
    return f"scalesim_{array}_{dataflow}"


def predict(qsim, path, row):
    """What qsim says of a row, as SCALE-Sim counts it."""
    numbers = [validation.integer(path, row, name, 1) for name in SHAPE]
    machine = machine_of(path, row)
    try:
        with tempfile.TemporaryDirectory() as folder:
            topology = pathlib.Path(folder, "layer.csv")
            topology.write_text("layer," + ",".join(map(str, numbers)) + ",\n", encoding="utf-8")
            report = validation.report_of(qsim, topology, ["--hw", machine])
    except OSError as error:
        raise validation.BadInput(f"{error.filename}: {error.strerror}") from error
    return sum(report["cycles"][name] for name in COUNTED) - 1


def main():
    """Runs every row."""
    arguments = validation.parse_arguments(__doc__, COLUMNS, RESULT)
    path = arguments.file
    rows = validation.read_rows(arguments, COLUMNS, RESULT)
    return validation.compare_rows(arguments, RESULT, rows, lambda row: predict(arguments.qsim, path, row),
                                   lambda row, cycles: f"{machine_of(path, row):<15} {row['layer']:<20} qsim={cycles:<10}",
                                   "scalesim")


if __name__ == "__main__":
    validation.run_main(main)
