#!/usr/bin/env python3
"""Whether qsim explain says what happens (docs/explain.md).

Explains networks on machines and runs the command of each suggestion: cycles of the run, of its rows and of the steady state have to
be those that explain gave, and what it calls impossible has to be refused. The exit code is 1 where something differs.
Example: bench/explain_gains.py --workload resnet8 bert_base_layer --hw npu nvdla_small -- --objective energy --batch 4"""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORKLOADS = sorted(path.stem for path in (ROOT / "workloads" / "models").glob("*.json"))
MACHINES = ("npu", "npu_small", "npu_large", "npu_fused", "nvdla_small", "ethos_u55_128")
NO_CYCLES = {"cycles": None, "steady": None, "layers": {}}


def run_of(qsim, command):
    """Cycles of the first inference, of the last, and by row; None where the run is refused."""
    words = shlex.split(command)
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        process = subprocess.run([qsim, *words[1:], "--quiet", "--report", str(report)], capture_output=True, text=True, check=False)
        if process.returncode == 2:
            return NO_CYCLES
        if process.returncode != 0:
            raise RuntimeError(f"{command}: exit code {process.returncode}: {process.stderr}")
        result = json.loads(report.read_text(encoding="utf-8"))
    layers = {}
    for row in result["layers"]:
        layers.setdefault(row["name"], []).append(row["cycles"])
    return {"cycles": result["totals"]["cycles"], "steady": result.get("steady_state", {}).get("cycles"), "layers": layers}


def explain(qsim, arguments):
    """What qsim explain says, of all layers."""
    process = subprocess.run([qsim, "explain", *arguments, "--layers", "100000", "--json"], capture_output=True, text=True, check=False)
    if process.returncode != 0:
        raise RuntimeError(process.stderr)
    return json.loads(process.stdout)


def row_differences(result, step, before, after):
    """Rows of which the gain of a step is another."""
    for layer in result["layers"]:
        said = [gain["gain_cycles"] for gain in layer["steps"] if gain["set"] == step["set"]]
        name = layer["name"]
        if said and len(before[name]) == 1 and said[0] != before[name][0] - after[name][0]:
            yield f"{name}: {said[0]}, with {step['command']} {before[name][0] - after[name][0]}"


def differences(qsim, result):
    """A line for each thing that a run shows otherwise, and how many runs there were."""
    before = run_of(qsim, result["command"])
    lines, runs = [], 1
    if (result["cycles"], result["steady_state_cycles"]) != (before["cycles"], before["steady"]):
        lines.append(f"{result['cycles']}, with {result['command']} {before['cycles']}")
    for step in result["steps"]:
        after = run_of(qsim, step["command"])
        runs += 1
        if (step["cycles"], step["steady_state_cycles"]) != (after["cycles"], after["steady"]):
            lines.append(f"{step['cycles']}, with {step['command']} {after['cycles']}")
        elif step["error"] is None:
            lines += row_differences(result, step, before["layers"], after["layers"])
    for remark in result["remarks"]:
        after = run_of(qsim, remark["command"])
        runs += 1
        if remark["cycles"] != after["cycles"]:
            lines.append(f"{remark['text']}: {remark['cycles']}, with {remark['command']} {after['cycles']}")
        elif remark["enough"] < remark["value"] and after["cycles"] > before["cycles"]:
            lines.append(f"{remark['text']}: {after['cycles']} instead of {before['cycles']} cycles")
    return lines, runs


def main():
    """A line a network and machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", nargs="+", default=WORKLOADS, metavar="NAME", help="default: all that ship")
    parser.add_argument("--hw", nargs="+", default=MACHINES, metavar="NAME", help=f"default: {' '.join(MACHINES)}")
    parser.add_argument("--save", type=pathlib.Path, metavar="FOLDER", help="keep what explain says")
    parser.add_argument("--qsim", default=os.environ.get("QSIM_BINARY", str(ROOT / "build" / "release" / "qsim")),
                        help="the program (default: $QSIM_BINARY, build/release/qsim)")
    parser.add_argument("options", nargs="*", metavar="OPTION", help="of a run, behind --")
    arguments = parser.parse_args()
    differ = 0
    for workload in arguments.workload:
        for hardware in arguments.hw:
            result = explain(arguments.qsim, ["--hw", hardware, "--workload", workload, *arguments.options])
            if arguments.save:
                name = ".".join([workload, hardware, *(option.strip("-") for option in arguments.options)])
                (arguments.save / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")
            lines, runs = differences(arguments.qsim, result)
            print(f"{workload} on {hardware}: {runs} runs, {len(lines)} differ", flush=True)
            for line in lines:
                print("  " + line, flush=True)
            differ += len(lines)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
