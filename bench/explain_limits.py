#!/usr/bin/env python3
"""Whether limited_by names what limits (docs/report.md): of each slow row, doubling what it names has to gain as much as doubling anything
else in the row's own cycles, as qsim explain finds by running the network again.

Example: bench/explain_limits.py --workload resnet8 mobilenet_v2 --hw npu npu_small -- --batch 4"""

import argparse
import collections
import os
import pathlib
import sys

from explain_gains import MACHINES, ROOT, WORKLOADS, explain

# What a step relieves. Capacities relieve nothing by themselves: they allow other mappings.
RELIEVED = {
    "dram.bandwidth_gb_per_s": "dram_bandwidth", "dram.write_bandwidth_gb_per_s": "dram_bandwidth",
    "dram.outstanding_requests": "outstanding_requests", "mac_array.rows": "array", "mac_array.columns": "array",
    "weight_buffer.read_ports": "weight_port", "activation_buffer.read_ports": "activation_port",
    "activation_buffer.write_ports": "output_port", "requantizer.lanes": "requantizer", "vector_unit.lanes": "vector_unit",
    "mac_array.double_buffered_weights": "fill",
}
LEAST_GAIN = 0.02  # Of a row's cycles: what gains less tells nothing.
MOST_OF_DEPENDENCY = 0.25  # Its units are at work half of the time at most, and twice as fast save half of that.


def gains_of(layer):
    """Cycles that doubling each resource saves in a row."""
    gains = collections.defaultdict(int)
    for step in layer["steps"]:
        resource = RELIEVED.get(step["set"][-1].split("=")[0])
        if resource is not None:
            gains[resource] = max(gains[resource], step["gain_cycles"])
    return gains


def verdict_of(layer):
    """"right", "wrong" or None where the experiment tells nothing, and what gains most besides.

    A larger array is an answer to filling as well. It reads each operand less often, and so is no rival of ports and of the DRAM. Where a
    layer has no use for more rows or columns, that the array limits cannot be shown."""
    gains = gains_of(layer)
    named = layer["limited_by"]
    if named == "fill":
        gains["fill"] = max(gains["fill"], gains["array"])
    rivals = {resource: gain for resource, gain in gains.items()
              if resource != named and not (resource == "array" and named in ("fill", "weight_port", "activation_port", "dram_bandwidth"))}
    rival = max(rivals, key=rivals.get)
    least = LEAST_GAIN * layer["cycles"]
    if named == "dependency":
        return ("right" if rivals[rival] <= MOST_OF_DEPENDENCY * layer["cycles"] else "wrong"), rival, rivals[rival]
    if named == "host" or (named == "array" and gains["array"] < least) or max(gains[named], rivals[rival]) < least:
        return None, rival, rivals[rival]
    return ("right" if gains[named] >= rivals[rival] else "wrong"), rival, rivals[rival]


def judge(result):
    """How many slow rows are right, and a line for each that is not."""
    right, lines = 0, []
    for layer in result["layers"]:
        if layer["cycles"] == 0:
            continue  # On a product's way out.
        verdict, rival, gain = verdict_of(layer)
        right += verdict == "right"
        if verdict == "wrong":
            lines.append(f"{layer['name']}: {layer['cycles']} cycles, limited by {layer['limited_by']}, which gains "
                         f"{gains_of(layer)[layer['limited_by']]}; {rival} gains {gain}")
    return right, lines


def main():
    """A line a network and machine, then the share of rows that are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", nargs="+", default=WORKLOADS, metavar="NAME", help="default: all that ship")
    parser.add_argument("--hw", nargs="+", default=MACHINES, metavar="NAME", help=f"default: {' '.join(MACHINES)}")
    parser.add_argument("--qsim", default=os.environ.get("QSIM_BINARY", str(pathlib.Path(ROOT) / "build" / "release" / "qsim")),
                        help="the program (default: $QSIM_BINARY, build/release/qsim)")
    parser.add_argument("options", nargs="*", metavar="OPTION", help="of a run, behind --")
    arguments = parser.parse_args()
    right = wrong = 0
    for workload in arguments.workload:
        for hardware in arguments.hw:
            good, lines = judge(explain(arguments.qsim, ["--hw", hardware, "--workload", workload, *arguments.options]))
            right, wrong = right + good, wrong + len(lines)
            print(f"{workload} on {hardware}: {good} of {good + len(lines)}", flush=True)
            for line in lines:
                print("  " + line, flush=True)
    print(f"{right} of {right + wrong} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
