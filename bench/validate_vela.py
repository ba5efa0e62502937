#!/usr/bin/env python3
"""Compares qsim with what Arm's Vela estimates for Ethos-U55 (docs/validation.md).

Rows are operations of a network on ethos_u55_128 or ethos_u55_256, and one row with op TOTAL for the network. The network is
MODEL.tflite, looked for in --models, then in the folder models beside the file. Vela cuts some operations into many
(softmax): rows that are no layer of the model count with the next one that is. The last line is about all comparisons, the two
before it about networks and operations by themselves.
Example: bench/validate_vela.py vela_ethos_u.csv"""

import collections
import os
import pathlib

import validation

COLUMNS = ["model", "machine", "op", "name"]
RESULT = "cycles"
MACHINES = ("ethos_u55_128", "ethos_u55_256")


def model_path(folders, path, row):
    """The network's file."""
    for folder in folders:
        candidate = pathlib.Path(folder, f"{row['model']}.tflite")
        if candidate.is_file():
            return candidate
    raise validation.bad(path, row, f"model: no {row['model']}.tflite in {', '.join(map(str, folders))}")


def layer_cycles(report):
    """Cycles by the first tensor name of each node (names that TFLite fused are joined by semicolons)."""
    cycles = collections.defaultdict(int)
    for layer in report["layers"]:
        for name in {node.split(";")[0] for node in layer["nodes"]}:
            cycles[name] += layer["cycles"]
    return cycles


def comparisons(rows, cycles_by_run):
    """Lists of rows that are compared together: networks, and operations with the parts that Vela cut before them."""
    groups = [[index] for index, row in enumerate(rows) if row["op"] == "TOTAL"]
    pending = collections.defaultdict(list)
    seen = set()
    for index, row in enumerate(rows):
        if row["op"] == "TOTAL":
            continue
        run = (row["machine"], row["model"])
        pending[run].append(index)
        if row["name"] in cycles_by_run[run] and (*run, row["name"]) not in seen:
            seen.add((*run, row["name"]))
            groups.append(pending.pop(run))
    return groups + list(pending.values())


def main():
    """Runs every network once and looks its rows up."""
    arguments = validation.parse_arguments(__doc__, COLUMNS, RESULT, [("--models", "folder of the .tflite files")])
    path = arguments.file
    rows = validation.read_rows(arguments, COLUMNS, RESULT)
    data = os.environ.get("QSIM_DATA_DIR")
    folders = [folder for folder in (arguments.models, pathlib.Path(path).parent / "models", data and pathlib.Path(data, "models"))
               if folder]
    for row in rows:
        if row["machine"] not in MACHINES:
            raise validation.bad(path, row, f"machine: got {row['machine']!r}, expected {' or '.join(MACHINES)}")
    runs = sorted({(row["machine"], row["model"]) for row in rows})
    files = {(row["machine"], row["model"]): model_path(folders, path, row) for row in rows}
    reports = dict(zip(runs, validation.in_parallel(
        arguments.jobs, lambda run: validation.report_of(arguments.qsim, files[run], ["--hw", run[0]]), runs)))
    by_name = {run: layer_cycles(report) for run, report in reports.items()}
    predictions = [""] * len(rows)
    errors = {"networks": [], "operations": []}
    lines = []
    for group in comparisons(rows, by_name):
        last = rows[group[-1]]
        run = (last["machine"], last["model"])
        is_total = last["op"] == "TOTAL"
        said = reports[run]["totals"]["cycles"] if is_total else by_name[run].get(last["name"])
        for index in group[:-1]:
            predictions[index] = 0
            lines.append(f"{run[0]} {run[1]:<20} {rows[index]['op']:<16} {rows[index]['name']:<48.48} part of {last['name']}")
        predictions[group[-1]] = "" if said is None else said
        line = f"{run[0]} {run[1]:<20} {last['op']:<16} {last['name']:<48.48} qsim={'-' if said is None else said:<9}"
        if validation.has_result(last, RESULT):
            expected = sum(validation.integer(path, rows[index], RESULT) for index in group)
            line += f" vela={expected:<9}"
            if said is not None:
                if expected < 1:
                    raise validation.bad(path, last, f"{RESULT}: got {expected}, expected at least 1 of an operation and its parts")
                error = validation.error_percent(said, expected)
                errors["networks" if is_total else "operations"].append(error)
                line += f" error_percent={error:+.1f}"
        lines.append(line)
    return validation.conclude(arguments, RESULT, rows, predictions, lines, errors)


if __name__ == "__main__":
    validation.run_main(main)
