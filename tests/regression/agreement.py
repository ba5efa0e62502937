"""One program, several ways to its values and cycles: all that it writes is the same.

Random programs on machines with every option of docs/configuration.md, each run with `--values tile` and with `--values layer`, every
fourth with `--fidelity pe` too. Compared byte for byte: layers CSV, trace, every tensor; and the report but for what its `options` say
of values and fidelity. Of the mappings that ran each kind is counted. Exit code 1 if anything differs.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import sys
import tempfile
import time

from cases import ENERGY
from compare import Case, difference, exact_json, run
from random_mappings import draw_mapping
from random_programs import random_optioned_program

PROGRAMS = 2000
PE_EVERY = 4
WRITTEN = ["--report", "report.json", "--layers", "layers.csv", "--trace", "trace.json", "--outputs", "outputs.safetensors",
           "--dump-tensors", "tensors.safetensors"]
GIVEN = "given.json"
WAYS = {"layer": ["--values", "layer"], "tile": ["--values", "tile"], "pe": ["--values", "tile", "--fidelity", "pe"]}


def without_ways(outcome):
    """What was asked for is no result."""
    if "report.json" in outcome.outputs:
        report = json.loads(outcome.outputs["report.json"], parse_float=str)
        for key in ("values", "fidelity"):
            report["options"].pop(key, None)
        outcome.outputs["report.json"] = json.dumps(report).encode()
    outcome.outputs.pop("stdout", None)
    return outcome


def kinds_of(report):
    """Kinds of mappings that a report has."""
    kinds = set()
    rows = [layer["mapping"] for layer in report["layers"]]
    for row in rows:
        kinds |= {"stripes"} if "stripe_rows" in row else set()
        kinds |= {"way out"} if row["unit"] == "requantizer" else set()
        kinds |= {"batch in parts"} if 0 < row.get("images_together", 0) < (report["options"]["batch"] or 1) else set()
        if row["unit"] != "mac_array":
            continue
        part = row["reduction_part"]
        cut = row["reduction_parts"] > 1
        kinds |= {"cut reduction"} if cut else {"whole reduction"}
        kinds |= {"cut reduction, several column tiles"} if cut and row["column_tiles_per_block"] > 1 else set()
        kinds |= {"cut reduction, parts of several kernel rows"} if cut and part["kernel_h"] > 1 else set()
        kinds |= {"cut reduction, passes in halves"} if cut and row["pass_order"] == "full" else set()
        kinds |= {"spilled sums"} if row["sums_in"] == "activation_buffer" else set()
        kinds |= {"groups side by side"} if row["groups_per_tile"] > 1 else set()
        kinds |= {"addend"} if "addend_in" in row else set()
        kinds |= {"kept input"} if row["input_in"] == "activation_buffer" else set()
        kinds |= {row["loop_order"]} if row["weight_blocks"] > 1 else set()
    kinds |= {"several dataflows"} if len({row["dataflow"] for row in rows if row["unit"] == "mac_array"}) > 1 else set()
    homes = {row["weights_in"] for row in rows if row["unit"] == "mac_array"}
    return kinds | ({"some weights stay"} if {"dram", "weight_buffer"} <= homes else set())


class Program:
    """A random program in a folder of its own."""

    def __init__(self, qsim, seed, index, scratch):
        self.qsim, self.scratch, self.runs = qsim, pathlib.Path(scratch), 0
        self.rng = random.Random(f"mappings {seed}-{index}")
        network, self.machine, options = random_optioned_program(seed, index)
        self.machine["energy"] = str(ENERGY)
        self.files = {"machine.json": json.dumps(self.machine), "network.json": json.dumps(network)}
        self.arguments = ["--hw", "machine.json", "--workload", "network.json", *options]

    def run(self, *more):
        self.runs += 1
        return run(self.qsim, Case("", [*self.arguments, *more], self.files), self.scratch / str(self.runs))

    def draw_mapping(self):
        """Half of the programs have values of mappings given that no cost would take: fewer each time they are refused."""
        if self.rng.random() < 0.5:
            return
        cost = ["--cost-only", "--report", "report.json"]
        own = self.run(*cost)
        for share in (0.5, 0.3, 0.2, 0.1) if own.ran else ():
            self.files[GIVEN] = json.dumps(draw_mapping(self.rng, exact_json(own.outputs["report.json"]), self.machine, share))
            if self.run(*cost, "--mapping", GIVEN).ran:
                self.arguments += ["--mapping", GIVEN]
                return
            del self.files[GIVEN]


def agreement(qsim, seed, index):
    """(difference or None, kinds of mappings or None where the program was refused, ways in which it ran)"""
    ways = list(WAYS)[:3 if index % PE_EVERY == 0 else 2]
    with tempfile.TemporaryDirectory(prefix="qsim_agreement_") as scratch:
        program = Program(qsim, seed, index, scratch)
        program.draw_mapping()
        outcomes = [program.run(*WRITTEN, *WAYS[way]) for way in ways]
    kinds = None
    if "report.json" in outcomes[0].outputs:
        kinds = kinds_of(exact_json(outcomes[0].outputs["report.json"]))
        kinds |= {"given mappings"} if GIVEN in program.files else set()
    first, *others = map(without_ways, outcomes)
    for way, other in zip(ways[1:], others):
        found = difference(first, other)
        if found:
            return f"{ways[0]} before, {way} now: {found}", kinds, ways
    return None, kinds, ways


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="agreement", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("qsim", metavar="BINARY", type=pathlib.Path)
    parser.add_argument("--programs", type=int, default=PROGRAMS, metavar="N", help="random programs that run (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random programs (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J",
                        help="programs at a time (default: %(default)s)")
    options = parser.parse_args(arguments)
    qsim = options.qsim.resolve()
    ran = in_pes = differences = drawn = 0
    seen = collections.Counter()
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        while ran < options.programs and drawn <= 10 * options.programs:
            batch = range(drawn, drawn + options.programs - ran)
            drawn = batch.stop
            for index, (found, kinds, ways) in zip(batch, pool.map(lambda i: agreement(qsim, options.seed, i), batch)):
                ran += kinds is not None
                in_pes += kinds is not None and "pe" in ways
                seen.update(kinds or ())
                if found:
                    differences += 1
                    print(f"random {options.seed}-{index}: {found}", flush=True)
    for kind, programs in sorted(seen.items()):
        print(f"{programs:6} {kind}")
    print(f"{ran} programs ran of {drawn}, {in_pes} of them PE by PE too, {differences} differences; "
          f"{time.monotonic() - start:.0f} s")
    return 1 if differences or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
