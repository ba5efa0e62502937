#!/usr/bin/env python3
"""Compares qsim with cycle counts of NVDLA's RTL (docs/validation.md).

Each row is one hardware operation: a convolution on nvdla_small (project nv_small) or nvdla_large (nv_large), from a memory
whose first beat comes read_latency cycles after its request and whose beats are read_gap cycles apart.
Example: bench/validate_nvdla.py nvdla_rtl_cycles.csv"""

import validation

# Of each project: qsim's machine and the bytes of a memory atom, which is also a beat.
MACHINES = {"nv_small": ("nvdla_small", 8), "nv_large": ("nvdla_large", 32)}
SHAPE = {"W": 1, "H": 1, "C": 1, "K": 1, "R": 1, "S": 1, "sx": 1, "sy": 1, "dx": 1, "dy": 1,
         "pl": 0, "pr": 0, "pt": 0, "pb": 0}
COLUMNS = ["project", "layer", *SHAPE, "read_latency", "read_gap"]
RESULT = "cycles"


def machine_of(path, row):
    """qsim's machine of the row's project, and its atom."""
    project = row["project"].strip()
    if project not in MACHINES:
        raise validation.bad(path, row, f"project: got {project!r}, expected {' or '.join(MACHINES)}")
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
    if latency + 1 < gap:
        raise validation.bad(path, row, f"read_latency: got {latency}, expected at least read_gap - 1, {gap - 1}: "
                             "qsim's memory hands its first beat over after a gap at the earliest")
    memory = {"dram.latency_cycles": latency + 1 - gap, "dram.bandwidth_gb_per_s": f"{atom_bytes / gap:.9f}"}
    sets = [word for field, value in memory.items() for word in ("--set", f"{field}={value}")]
    report = validation.report_of(qsim, workload(row["layer"] or "layer", shape), ["--hw", machine, *sets])
    return report["totals"]["cycles"]


def main():
    """Runs every row."""
    arguments = validation.parse_arguments(__doc__, COLUMNS, RESULT)
    rows = validation.read_rows(arguments, COLUMNS, RESULT)
    return validation.compare_rows(
        arguments, RESULT, rows, lambda row: predict(arguments.qsim, arguments.file, row),
        lambda row, cycles: (f"{row['project']:<9} {row['layer']:<40} latency={row['read_latency']:<4} "
                             f"gap={row['read_gap']:<3} qsim={cycles:<9}"), "rtl")


if __name__ == "__main__":
    validation.run_main(main)
