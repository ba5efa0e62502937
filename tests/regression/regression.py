"""Two programs, one result: runs both on the same machines, networks and options and compares all that they write.

Compared byte for byte: report, layers CSV, trace, output tensors, standard output, messages and exit code, of every
shipped machine by every shipped workload, of the models in $QSIM_DATA_DIR (or ../shared/data), and of random
programs. Both programs read the machines, workloads and energy table of this tree, by path, so that only the programs
differ. What may differ is in one function, compare.normalized. Exit code 1 if something differs.
"""

import argparse
import concurrent.futures
import os
import pathlib
import sys
import time

from cases import all_cases, models
from compare import compare

PROGRAMS, QUICK_PROGRAMS = 2000, 150


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="regression", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD_BINARY", type=pathlib.Path)
    parser.add_argument("new", metavar="NEW_BINARY", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true",
                        help=f"{QUICK_PROGRAMS} programs and the small workloads and models")
    parser.add_argument("--programs", type=int, metavar="N", help=f"random programs (default: {PROGRAMS})")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random programs (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J",
                        help="cases at a time (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name contains it")
    parser.add_argument("--keep", metavar="FOLDER", help="files of each case that differs go there")
    options = parser.parse_args(arguments)
    for binary in (options.old, options.new):
        if not os.access(binary, os.X_OK):
            parser.error(f"{binary}: not a program")
    if options.programs is None:
        options.programs = QUICK_PROGRAMS if options.quick else PROGRAMS
    return options


def main(arguments=None):
    options = parse_arguments(arguments)
    binaries = [options.old.resolve(), options.new.resolve()]
    if not models():
        print("no models: $QSIM_DATA_DIR and ../shared/data have none; they are left out", file=sys.stderr)
    cases = [case for case in all_cases(options.quick, options.programs, options.seed) if options.only in case.name]
    runs = ran = differences = random_runs = random_ran = 0
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for case, (found, completed) in zip(cases, pool.map(lambda c: compare(binaries, c, options.keep), cases)):
            runs += 1
            ran += completed
            random_runs += case.name.startswith("random")
            random_ran += case.name.startswith("random") and completed
            if found:
                differences += 1
                print(f"{case.name}: {found}", flush=True)
    print(f"{runs} runs, {differences} differences; {ran} ran to their end, {runs - ran} were refused by both; "
          f"of {random_runs} random runs {random_ran} ran; {time.monotonic() - start:.0f} s")
    return 1 if differences or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
