#!/usr/bin/env python3
"""Recomputes every energy figure of reports from the report alone: sum of events x unit_pj by component.

    bench/energy_sums.py [--hardware NAME ...] [--workload NAME ...] [--set PATH=VALUE ...] [--inferences N]
                         [--rate N]

Without names: every shipped machine with every shipped workload. A line a pair, with the largest relative difference
in totals, rows, steady state, duty cycle and uncertainty; ends with 1 where one is above 1e-9. Runs $QSIM_BINARY or build/release/qsim.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
QSIM = os.environ.get("QSIM_BINARY", str(ROOT / "build" / "release" / "qsim"))
LIMIT = 1e-9


def relative(got, expected):
    return abs(got - expected) / max(abs(expected), abs(got)) if got != expected else 0.0


def difference(place, entries, total_pj):
    """Largest relative difference of a place that has `events` and `energy_pj`."""
    sums = dict.fromkeys(place["energy_pj"], 0.0)
    for entry in entries:
        sums[entry["component"]] += place["events"].get(entry["event"], 0) * entry["unit_pj"]
    worst = max(relative(place["energy_pj"][component], pj) for component, pj in sums.items())
    return max(worst, relative(total_pj, sum(sums.values())))


def largest_difference(report):
    entries = report["provenance"]["energy_entries"]
    worst = difference(report, entries, report["totals"]["energy_total_pj"])
    for row in report["layers"]:
        worst = max(worst, difference(row, entries, row["energy_total_pj"]))
    steady = report.get("steady_state")
    for place in filter(None, (steady, report.get("duty_cycle"))):
        worst = max(worst, difference(place, entries, place["energy_total_pj"]))
    return max(worst, uncertainty_difference(report, entries))


def uncertainty_difference(report, entries):
    """The share and the band of what is assumed or extrapolated."""
    total = report["totals"]["energy_total_pj"]
    doubtful = sum(report["events"].get(entry["event"], 0) * entry["unit_pj"] for entry in entries
                   if entry["kind"] in ("assumed", "extrapolated") or entry.get("beyond_curve"))
    named = sum(entry["energy_pj"] for entry in report["provenance"]["uncertain_entries"])
    return max(relative(report["totals"]["energy_low_pj"], total - doubtful / 2), relative(named, doubtful),
               relative(report["totals"]["energy_high_pj"], total + doubtful))


def names(kind):
    listed = subprocess.run([QSIM, "list", "--names", kind], capture_output=True, text=True, check=True)
    return listed.stdout.split()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hardware", nargs="*")
    parser.add_argument("--workload", nargs="*")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--inferences", default="1")
    parser.add_argument("--rate", help="inferences a second: the sums of the duty cycle, too")
    arguments = parser.parse_args()
    sets = [word for one in arguments.set for word in ("--set", one)]
    rate = ["--rate", arguments.rate] if arguments.rate else []
    worst, pairs = 0.0, 0
    for hardware in arguments.hardware or names("hardware"):
        for workload in arguments.workload or names("workloads"):
            run = subprocess.run([QSIM, "--hw", hardware, "--workload", workload, "--cost-only", "--json", *sets,
                                  "--inferences", arguments.inferences, *rate], capture_output=True, text=True, check=False)
            if run.returncode == 2:  # the machine cannot run it, and says so
                print(f"{hardware} {workload}: {run.stderr.splitlines()[0]}")
                continue
            run.check_returncode()
            found = largest_difference(json.loads(run.stdout))
            print(f"{hardware} {workload}: {found:.1e}")
            worst, pairs = max(worst, found), pairs + 1
    print(f"pairs={pairs} largest_relative_difference={worst:.1e}")
    return 1 if worst > LIMIT or pairs == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
