#!/usr/bin/env python3
"""How far qsim's mappings are from the best there are, row by row of the MAC array (docs/mapping_bench.md).

Each row is run as a network of its own and stands against the least DRAM bytes over all mappings, and against the larger of array
and memory; of equal rows of a network one is run. A row beyond a limit is an exception: named in the file of exceptions with its
reason, or the exit code is 1, as it is where a reason is no longer needed. Needs numpy.
Example: bench/mapping_optimum.py resnet50 mobilenet_v2 --csv rows.csv"""

import argparse
import csv
import fnmatch
import json
import os
import pathlib
import statistics

import mapping_rows
import validation
from best_mapping import best_mapping, bound_cycles, cold_start_cycles
from mapping_layer import Machine

DRAM_LIMIT, CYCLES_LIMIT = 1.03, 1.10
OBJECTIVES = ("latency", "energy", "edp")
COLUMNS = ["network", "layer", "count", "pixels", "depth", "outputs", "dram_qsim", "dram_best", "dram_ratio", "bus_qsim",
           "cycles_qsim", "cycles_bound", "cold_start", "cycles_ratio", "exception"]


def measured(network, row, runs, hardware, with_cycles=True):
    """A row of the table; `runs` are reports by network, as text. Cycles count where they are what is minimized."""
    name, layer, own, count = row
    report, machine = runs[json.dumps(own)], Machine.of(hardware)
    best = best_mapping(layer, machine).dram_bytes
    totals, bound, cold = report["totals"], bound_cycles(layer, machine, best), cold_start_cycles(layer, machine)
    if totals["macs"] != layer.macs:
        raise validation.BadInput(f"{network}/{name}: qsim counts {totals['macs']} MACs, expected {layer.macs}")
    exceptions = [what for what, beyond in (("dram", totals["dram_bytes"] > DRAM_LIMIT * best),
                                            ("cycles", with_cycles and totals["cycles"] > CYCLES_LIMIT * bound + cold)) if beyond]
    return {"network": network, "layer": name, "count": count, "pixels": layer.pixels * layer.matrices, "depth": layer.depth,
            "outputs": layer.outputs, "dram_qsim": totals["dram_bytes"], "dram_best": best,
            "dram_ratio": f"{totals['dram_bytes'] / best:.4f}", "bus_qsim": totals["dram_bus_bytes"], "cycles_qsim": totals["cycles"], "cycles_bound": round(bound),
            "cold_start": round(cold), "cycles_ratio": f"{totals['cycles'] / bound:.4f}", "exception": " ".join(exceptions)}


def line_of(row):
    """A line of the table."""
    name = f"{row['network']}/{row['layer']}" + (f" x{row['count']}" if row["count"] > 1 else "")
    return (f"{name:<52} DRAM {row['dram_qsim']:>13} / {row['dram_best']:>13} = {float(row['dram_ratio']):6.3f}   "
            f"cycles {row['cycles_qsim']:>11} / {row['cycles_bound']:>11} = {float(row['cycles_ratio']):6.3f}  "
            f"{row['exception']}").rstrip()


def read_exceptions(path, objective):
    """[{"row": "network/layer" with wildcards, "of": "dram" or "cycles", "reason": text}], those of the objective ("objective": latency
    by default)."""
    try:
        entries = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise validation.BadInput(f"{path}: {error}") from error
    for entry in entries:
        if (set(entry) - {"objective"} != {"row", "of", "reason"} or entry["of"] not in ("dram", "cycles") or not entry["reason"]
                or entry.get("objective", "latency") not in OBJECTIVES):
            raise validation.BadInput(f"{path}: {entry}: expected row, of (dram or cycles), reason and perhaps objective")
    return [entry for entry in entries if entry.get("objective", "latency") == objective]


def is_for(entry, row):
    """Whether an entry names a row."""
    return fnmatch.fnmatchcase(f"{row['network']}/{row['layer']}", entry["row"])


def reason_of(exceptions, row, what):
    """The first entry for a row's exception, or nothing."""
    return next((e for e in exceptions if e["of"] == what and is_for(e, row)), None)


def list_exceptions(rows, exceptions, are_all):
    """Prints rows beyond a limit with their reasons; how many have none, and how many reasons no row needs: of entries for other rows
    that is known only where `are_all`."""
    wrong, used = 0, []
    for what in ("dram", "cycles"):
        print(f"\n{what} beyond {DRAM_LIMIT if what == 'dram' else CYCLES_LIMIT}:")
        beyond = [row for row in rows if what in row["exception"].split()]
        for row in beyond:
            entry = reason_of(exceptions, row, what)
            wrong += entry is None
            used.append(entry)
            print(f"  {row['network']}/{row['layer']} {row[what + '_ratio']}: {entry['reason'] if entry else 'NOT LISTED'}")
        ratios = [float(row[f"{what}_ratio"]) for row in rows]
        print(f"{what}: rows={len(rows)} beyond={len(beyond)} median_ratio={statistics.median(ratios):.3f} "
              f"max_ratio={max(ratios):.3f}")
    for entry in exceptions:
        if entry not in used and (are_all or any(is_for(entry, row) for row in rows)):
            wrong += 1
            print(f"no longer needed: {entry['row']} {entry['of']}")
    return wrong


def write_csv(path, rows):
    """The table as CSV."""
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise validation.BadInput(f"--csv: {path}: {error.strerror}") from error


def main():
    """All networks, or those named."""
    networks = mapping_rows.networks()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"of {', '.join(networks)}; all by default")
    parser.add_argument("--hw", default="npu", help="a machine whose weights are stationary (default: npu)")
    parser.add_argument("--objective", choices=OBJECTIVES, default="latency")
    parser.add_argument("--csv", metavar="OUT.csv")
    parser.add_argument("--exceptions", metavar="FILE.json", default=mapping_rows.ROOT / "bench" / "mapping_exceptions.json")
    parser.add_argument("--qsim", default=os.environ.get("QSIM_BINARY", str(mapping_rows.ROOT / "build" / "release" / "qsim")))
    parser.add_argument("--jobs", type=validation.positive, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    for name in arguments.networks:
        if name not in networks:
            parser.error(f"{name}: not one of {', '.join(networks)}")
    exceptions = read_exceptions(arguments.exceptions, arguments.objective)

    found = [(name, row) for name in arguments.networks or networks for row in networks[name]()]
    own = list({json.dumps(row[2]): row[2] for _, row in found}.values())
    reports = validation.in_parallel(arguments.jobs, lambda network: validation.report_of(
        arguments.qsim, network, ["--hw", arguments.hw, "--objective", arguments.objective, "--threads", "1"]), own)
    runs = {json.dumps(network): report for network, report in zip(own, reports)}
    rows = [measured(name, row, runs, reports[0]["hardware"], arguments.objective == "latency") for name, row in found]
    for row in rows:
        print(line_of(row))
    if arguments.csv:
        write_csv(arguments.csv, rows)
    return 1 if list_exceptions(rows, exceptions, not arguments.networks) else 0


if __name__ == "__main__":
    validation.run_main(main)
