#!/usr/bin/env python3
"""Compares qsim with cycle counts of NVDLA's RTL (docs/validation.md).

Each row is one hardware operation: a convolution on nvdla_small (project nv_small) or nvdla_large (nv_large), from a memory
whose first beat comes read_latency cycles after its request and whose beats are read_gap cycles apart.
Example: bench/validate_nvdla.py nvdla_rtl_cycles.csv"""

import csv

import validation

# Of each project: qsim's machine and the bytes of a memory atom, which is also a beat.
MACHINES = {"nv_small": ("nvdla_small", 8), "nv_large": ("nvdla_large", 32)}
SHAPE = {"W": 1, "H": 1, "C": 1, "K": 1, "R": 1, "S": 1, "sx": 1, "sy": 1, "dx": 1, "dy": 1,
         "pl": 0, "pr": 0, "pt": 0, "pb": 0}
COLUMNS = ["project", "layer", *SHAPE, "read_latency", "read_gap"]
RESULT = "cycles"


def machine_of(path, row):
    """qsim's machine and its atom; the large one where a name says so, as of later configurations."""
    project = (row["project"] or "").strip()
    if project not in MACHINES:
        raise validation.BadInput(f"{path}: line {row['line']}: project: got {project!r}, expected {' or '.join(MACHINES)}")
    return MACHINES[project]


def workload(layer, shape):
    """The operation as a network of one layer."""
    convolution = {
        "op": "conv2d", "name": "y", "input": "x",
        "weights": {"shape": [shape["K"], shape["S"], shape["R"], shape["C"]], "scale": 0.01},
        "stride": [shape["sy"], shape["sx"]], "dilation": [shape["dy"], shape["dx"]],
        "padding": [shape["pt"], shape["pb"], shape["pl"], shape["pr"]], "output": {"scale": 1}}
    return {"name": layer, "semantics": "tflite", "tensors": {"generator": "normal", "seed": 1},
            "inputs": [{"name": "x", "shape": [1, shape["H"], shape["W"], shape["C"]], "scale": 1}],
            "layers": [convolution], "outputs": ["y"]}


def predict(qsim, path, row):
    """Cycles of a row's operation on qsim's machine."""
    machine, atom_bytes = machine_of(path, row)
    shape = {name: validation.integer(path, row, name, least) for name, least in SHAPE.items()}
    latency = validation.integer(path, row, "read_latency")
    gap = validation.integer(path, row, "read_gap", 1)
    # The RTL's memory hands a beat over in one cycle and pauses for the rest of the gap; qsim's is busy with it for the whole
    # gap and hands it over at the end.
    memory = {"dram.latency_cycles": max(0, latency + 1 - gap), "dram.bandwidth_gb_per_s": f"{atom_bytes / gap:.9f}"}
    sets = [word for field, value in memory.items() for word in ("--set", f"{field}={value}")]
    report = validation.report_of(qsim, workload(row["layer"] or "layer", shape), ["--hw", machine, *sets])
    return report["totals"]["cycles"]


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
        line = f"{row['project']:<9} {row['layer']:<40} latency={row['read_latency']:<4} gap={row['read_gap']:<3} qsim={cycles:<9}"
        if (row.get(RESULT) or "").strip():
            expected = validation.integer(path, row, RESULT, 1)
            errors.append(validation.error_percent(cycles, expected))
            line += f" rtl={expected:<9} error_percent={errors[-1]:+.2f}"
        print(line.rstrip())
    if errors or not arguments.predict:
        print(validation.summary(errors))
    return 0


if __name__ == "__main__":
    validation.run_main(main)
