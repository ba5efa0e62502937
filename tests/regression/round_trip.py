"""What a report says of its mappings, given back with --mapping, repeats the run: all that is written is the same.

Random programs, each run twice: once as it is, once with `--mapping` and the report of the first run. Compared byte for byte:
report, layers CSV, trace, output tensors and the text on standard output. Exit code 1 if anything differs.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile
import time

from compare import Case, difference, run
from random_programs import random_program

PROGRAMS = 2000
WRITTEN = ["--report", "report.json", "--layers", "layers.csv", "--trace", "trace.json", "--outputs", "outputs.safetensors"]
GIVEN = "given.json"


def round_trip(qsim, seed, index):
    """(difference or None, whether the program ran)"""
    network, machine, options = random_program(seed, index)
    files = {"machine.json": json.dumps(machine), "network.json": json.dumps(network)}
    arguments = ["--hw", "machine.json", "--workload", "network.json", *options, *WRITTEN]
    with tempfile.TemporaryDirectory(prefix="qsim_round_trip_") as scratch:
        first = run(qsim, Case("first", arguments, files), pathlib.Path(scratch) / "first")
        if "report.json" not in first.outputs:
            return None, False
        files[GIVEN] = first.outputs["report.json"].decode()
        second = run(qsim, Case("second", [*arguments, "--mapping", GIVEN], files), pathlib.Path(scratch) / "second")
        return difference(first, second), True


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="mapping_round_trip", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("qsim", metavar="BINARY", type=pathlib.Path)
    parser.add_argument("--programs", type=int, default=PROGRAMS, metavar="N", help="random programs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random programs (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J",
                        help="programs at a time (default: %(default)s)")
    options = parser.parse_args(arguments)
    qsim = options.qsim.resolve()
    ran = differences = 0
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        trips = pool.map(lambda index: round_trip(qsim, options.seed, index), range(options.programs))
        for index, (found, is_run) in enumerate(trips):
            ran += is_run
            if found:
                differences += 1
                print(f"random {options.seed}-{index}: {found}", flush=True)
    print(f"{options.programs} programs, {ran} ran, {differences} differences; {time.monotonic() - start:.0f} s")
    return 1 if differences or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
