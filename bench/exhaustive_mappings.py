#!/usr/bin/env python3
"""Whether the compiler's mapping of a small layer is the best of all that can be simulated (docs/mapping_bench.md).

Draws layers and machines; runs each layer with every mapping that `--mapping` takes, and without one. A layer is an exception where
the run without a mapping is more than 3 % worse than the best with one; then the exit code is 1.
Example: bench/exhaustive_mappings.py --layers 10 --objective energy --objective edp"""

import argparse
import itertools
import json
import os
import pathlib
import random
import subprocess
import tempfile

import validation
from mapping_layer import ceil_div
from mapping_rows import ROOT, alone, output_shape, problem

LIMIT = 1.03
OBJECTIVES = {
    "latency": lambda totals: totals["cycles"],
    "energy": lambda totals: totals["energy_total_pj"],
    "edp": lambda totals: totals["cycles"] * totals["energy_total_pj"],
}


class Drawing:
    """One layer and the fields of the machine that it runs on, `npu` otherwise."""

    def __init__(self, rng):
        edge = rng.choice([4, 8, 16])
        self.machine = {
            "mac_array.rows": edge, "mac_array.columns": rng.choice([edge, 2 * edge]),
            "weight_buffer.capacity_kib": rng.choice([1, 2, 4, 8]), "weight_buffer.banks": 1,
            "activation_buffer.capacity_kib": rng.choice([1, 2, 4, 8]), "activation_buffer.banks": 1,
            "accumulators.entries": rng.choice([16, 32, 64, 128]), "dram.bandwidth_gb_per_s": rng.choice([0.5, 1, 2, 4, 8, 16]),
            "dram.burst_bytes": rng.choice([16, 32, 64]), "dram.latency_cycles": rng.choice([10, 50, 100])}
        shape, layer = rng.choice([self.convolution, self.convolution, self.product, self.depthwise])(rng)
        layer["output"] = {"scale": 0.05, "zero_point": 0}
        self.network = alone(layer, [{"shape": shape, "scale": 0.02, "zero_point": 0}])
        self.layer = problem(layer, [shape])
        self.output = output_shape(layer, [shape])
        self.options = [f"--set={path}={value}" for path, value in self.machine.items()]

    @staticmethod
    def weights(op, shape, **attributes):
        """A layer with them."""
        return {"op": op, "weights": {"shape": shape, "scale": 0.01, "axis": 0}, "bias": True, **attributes}

    def convolution(self, rng):
        """1x1 to 3x3."""
        kernel, stride = rng.choice([(1, 1), (3, 3), (3, 1), (1, 3)]), rng.choice([1, 1, 2])
        shape = [1, rng.randint(3, 8), rng.randint(3, 6), rng.randint(3, 48)]
        return shape, self.weights("conv2d", [rng.randint(4, 64), *kernel, shape[3]], stride=stride,
                                   padding=[kernel[0] // 2] * 2 + [kernel[1] // 2] * 2)

    def depthwise(self, rng):
        """3x3."""
        shape = [1, rng.randint(3, 8), rng.randint(3, 6), rng.randint(4, 48)]
        return shape, self.weights("depthwise_conv2d", [shape[3], 3, 3, 1], padding=1, stride=rng.choice([1, 2]))

    def product(self, rng):
        """Rows by features."""
        shape = [rng.randint(1, 48), rng.randint(16, 512)]
        return shape, self.weights("fully_connected", [rng.randint(8, 128), shape[1]])

    def values(self):
        """Every value of each key; what the compiler refuses is found out later. Absent: the compiler's choice."""
        layer = self.layer
        rows, columns = layer.output_size(0), layer.output_size(1)
        if layer.columns == 1:  # A product's rows are the columns of its output tile.
            rows, columns = 1, rows
        group = layer.channels // layer.groups
        chunks = range(self.machine["mac_array.rows"], group, self.machine["mac_array.rows"])
        height, width = layer.kernel
        parts = [(height, width, group), *((k, width, group) for k in range(1, height)), *((1, k, group) for k in range(1, width)),
                 *((1, 1, c) for c in chunks), *((height, width, c) for c in chunks if height * width > 1)]
        width = self.machine["mac_array.columns"]
        tiles = layer.groups * ceil_div(layer.outputs // layer.groups, width)  # Fewer where groups lie side by side.
        yield [{"loop_order": order} for order in ("weights_outer", "activations_outer")]
        yield [{"output_tile": {"rows": r, "columns": c}} for r in range(1, rows + 1) for c in range(1, columns + 1)]
        yield [{"column_tiles_per_block": t} for t in range(1, tiles + 1)]
        yield [{"reduction_part": dict(zip(("kernel_h", "kernel_w", "channels"), part))} for part in dict.fromkeys(parts)]
        yield [{"weights_in": place} for place in ("dram", "weight_buffer")]
        yield [{"input_in": "dram", "input_slots": 1}, {"input_in": "dram", "input_slots": 2}, {"input_in": "activation_buffer"}]
        yield [{"output_slots": slots} for slots in (1, 2)]


class Runs:
    """Runs of one drawing."""

    def __init__(self, qsim, drawing, folder):
        self.command = [qsim, "--workload", str(folder / "layer.json"), "--cost-only", "--json", "--threads", "1", *drawing.options]
        self.mapping = folder / "mapping.json"
        (folder / "layer.json").write_text(json.dumps(drawing.network), encoding="utf-8")

    def run(self, options):
        """Totals and mapping; nothing where the machine or the compiler refuses."""
        command = [*self.command, *options]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode == 2:
            return None
        if run.returncode != 0:
            raise validation.BadInput(f"{' '.join(command)} ended with exit code {run.returncode}: {run.stderr.strip()}")
        report = json.loads(run.stdout)
        return report["totals"], report["layers"][0]["mapping"]

    def mapped(self, mapping):
        """With a mapping that is given."""
        self.mapping.write_text(json.dumps({"layers": {"y": mapping}}), encoding="utf-8")
        return self.run(["--mapping", str(self.mapping)])

    def mappings(self, drawing, most):
        """All combinations of values that are taken by themselves; none where they are more than `most`."""
        taken, count = [], 1
        for values in sorted(drawing.values(), key=len):
            taken.append([value for value in values if self.mapped(value)])
            count *= len(taken[-1])
            if count > most:
                return []
        return [dict(itertools.chain.from_iterable(value.items() for value in values)) for values in itertools.product(*taken)]


def search(arguments, seed):
    """A layer drawn from `seed`: its lines, and how much worse the compiler's mapping is than the best, by objective; nothing where the
    machine is too small for the layer or there are too many mappings."""
    drawing = Drawing(random.Random(f"{arguments.seed} {seed}"))
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(arguments.qsim, drawing, pathlib.Path(folder))
        own = {objective: runs.run(["--objective", objective]) for objective in arguments.objectives}
        mappings = runs.mappings(drawing, arguments.mappings) if all(own.values()) else []
        if not mappings:
            return None
        simulated = [found for found in map(runs.mapped, mappings) if found]
    lines, ratios = [], {}
    for objective, chosen in own.items():
        def value(found, of=OBJECTIVES[objective]):
            return of(found[0])
        best = min([chosen, *simulated], key=value)
        ratios[objective] = value(chosen) / value(best)
        lines.append(f"{seed:>4} {drawing.network['layers'][0]['op']:<16} {objective:<8}{value(chosen):>18.0f} / {value(best):>18.0f} = "
                     f"{ratios[objective]:.4f}  {len(simulated)} of {len(mappings)} mappings ran")
        if ratios[objective] > LIMIT:
            lines.append(f"     layer {json.dumps(drawing.network['layers'][0])} of {drawing.network['inputs'][0]['shape']}\n"
                         f"     {' '.join(drawing.options)}\n     own  {json.dumps(chosen[1])}\n     best {json.dumps(best[1])}")
    return lines, ratios


def main():
    """Layers until there are as many as asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=validation.positive, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--mappings", type=validation.positive, default=2000, metavar="N", help="layers with more are left out")
    parser.add_argument("--objective", dest="objectives", action="append", choices=OBJECTIVES, help="may be repeated; all by default")
    parser.add_argument("--qsim", default=os.environ.get("QSIM_BINARY", str(ROOT / "build" / "release" / "qsim")))
    parser.add_argument("--jobs", type=validation.positive, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    arguments.objectives = arguments.objectives or list(OBJECTIVES)
    layers, seed = [], 0
    while len(layers) < arguments.layers:
        count = min(arguments.jobs, arguments.layers - len(layers))
        found = validation.in_parallel(arguments.jobs, lambda index: search(arguments, index), range(seed, seed + count))
        seed += count
        for lines, ratios in filter(None, found):
            layers.append(ratios)
            print("\n".join(lines), flush=True)
    all_beyond = 0
    for objective in arguments.objectives:
        ratios = [layer[objective] for layer in layers]
        beyond = sum(ratio > LIMIT for ratio in ratios)
        all_beyond += beyond
        print(f"{objective}: layers={len(ratios)} beyond_{LIMIT}={beyond} max_ratio={max(ratios):.4f} "
              f"mean_ratio={sum(ratios) / len(ratios):.4f}")
    return 1 if all_beyond else 0


if __name__ == "__main__":
    validation.run_main(main)
