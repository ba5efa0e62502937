#!/usr/bin/env python3
"""Whether more of a setting ever costs cycles (docs/mapping_bench.md).

Draws layers and machines and runs each as it is, with each setting doubled, behind a layer that does nothing, and as a batch.
An exception takes more than 1 % more cycles with a setting doubled (rows and columns: and their new sum beyond that), more than
0.1 % more alone than behind the layer, or gives fewer inferences a second as a batch; then the exit code is 1.
Example: bench/more_is_never_worse.py --layers 20 --seed 3"""

import argparse
import concurrent.futures
import copy
import json
import os
import pathlib
import random
import subprocess
import tempfile

import validation
from mapping_rows import ROOT

LIMIT = 1.01
DOUBLED = ["weight_buffer.capacity_kib", "activation_buffer.capacity_kib", "accumulators.entries", "dram.bandwidth_gb_per_s",
           "dram.outstanding_requests", "activation_buffer.read_port_bytes", "activation_buffer.write_port_bytes",
           "weight_buffer.read_port_bytes", "mac_array.rows", "mac_array.columns"]
ARRAY = ["mac_array.rows", "mac_array.columns"]
IN_FRONT, BATCH = "behind a layer", "batch of 4"


def machine(rng):
    """Fields of a chip, `npu` otherwise."""
    edge = rng.choice([4, 8, 16, 16, 32, 32, 64])
    return {
        "mac_array.rows": edge, "mac_array.columns": rng.choice([edge // 2, edge, edge, 2 * edge]),
        "mac_array.dataflow": rng.choice(["weight_stationary"] * 3 + ["output_stationary", "input_stationary"]),
        "weight_buffer.capacity_kib": rng.choice([8, 16, 32, 64, 128, 256, 512]), "weight_buffer.banks": 8,
        "activation_buffer.capacity_kib": rng.choice([16, 32, 64, 128, 256, 512]), "activation_buffer.banks": 8,
        "activation_buffer.read_port_bytes": rng.choice([8, 16, 32, 64]),
        "activation_buffer.write_port_bytes": rng.choice([8, 16, 32, 64]),
        "weight_buffer.read_port_bytes": rng.choice([8, 16, 32, 64]),
        "accumulators.entries": rng.choice([128, 256, 512, 1024, 2048]),
        "dram.bandwidth_gb_per_s": rng.choice([0.5, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2]),
        "dram.outstanding_requests": rng.choice([2, 4, 8, 16, 32]),
        "dram.burst_bytes": rng.choice([32, 64]), "dram.latency_cycles": rng.choice([20, 50, 100, 200])}


def layer(rng):
    """Shape of an input and a layer that reads it."""
    kind = rng.choice(["conv", "conv", "pointwise", "depthwise", "product"])
    if kind == "product":
        shape = [rng.choice([1, 4, 16, 49, 128, 384]), rng.choice([64, 256, 768, 1024, 2048, 3072]) + rng.choice([0, 0, 32])]
        return shape, {"op": "fully_connected", "weights": {"shape": [rng.choice([10, 64, 256, 768, 1000, 2048]), shape[1]],
                                                            "scale": 0.01, "axis": 0}, "bias": True}
    size = rng.choice([7, 8, 14, 16, 28, 32, 56])
    channels = rng.choice([3, 16, 24, 32, 64, 96, 128, 256, 512] if size < 56 else [3, 16, 24, 32, 64])
    shape = [1, size, size, channels]
    if kind == "depthwise":
        return shape, {"op": "depthwise_conv2d", "weights": {"shape": [channels, 3, 3, 1], "scale": 0.01, "axis": 0}, "bias": True,
                       "padding": 1, "stride": rng.choice([1, 2])}
    kernel = 1 if kind == "pointwise" else rng.choice([3, 3, 5])
    outputs = rng.choice([16, 32, 64, 96, 128, 256] if kernel > 1 else [16, 32, 64, 128, 256, 512])
    return shape, {"op": "conv2d", "weights": {"shape": [outputs, kernel, kernel, channels], "scale": 0.01, "axis": 0}, "bias": True,
                   "padding": kernel // 2, "stride": rng.choice([1, 1, 2])}


def network(shape, own):
    """The layer alone."""
    own = {**own, "name": "y", "input": "x", "output": {"scale": 0.05, "zero_point": 0}}
    return {"name": "layer", "semantics": "tflite", "tensors": {"generator": "normal", "seed": 1},
            "inputs": [{"name": "x", "shape": shape, "scale": 0.02, "zero_point": 0}], "layers": [own], "outputs": ["y"]}


def behind(alone):
    """The layer behind a ReLU."""
    both = copy.deepcopy(alone)
    both["layers"][0]["input"] = "r"
    both["layers"].insert(0, {"op": "relu", "name": "r", "input": "x"})
    return both


class Drawing:
    """A layer, a machine and their runs."""

    def __init__(self, qsim, seed, index):
        rng = random.Random(f"{seed}-{index}")
        self.qsim, self.name = qsim, f"{seed}-{index}"
        self.machine = machine(rng)
        self.network = network(*layer(rng))
        self.estimates = []  # (estimated, simulated) cycles of rows

    def cycles(self, folder, workload="layer", change=None, *options):
        """Of a run; nothing where the chip is too small."""
        fields = {**self.machine, **(change or {})}
        command = [self.qsim, "--workload", str(folder / f"{workload}.json"), "--cost-only", "--json", "--threads", "1", *options,
                   *(f"--set={path}={value}" for path, value in fields.items())]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.returncode == 2 and "KiB for" in process.stderr + process.stdout:
            return None
        if process.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(command)}\n{process.stderr}")
        report = json.loads(process.stdout)
        self.estimates += [(row["estimated_cycles"], row["cycles"]) for row in report["layers"]]
        return report["totals"]["cycles"]

    def exceptions(self):
        """(what was changed, cycles before, cycles after) of each; nothing where the chip is too small."""
        found = []
        with tempfile.TemporaryDirectory(prefix="qsim_more_") as name:
            folder = pathlib.Path(name)
            for file, content in (("layer", self.network), ("behind", behind(self.network))):
                (folder / f"{file}.json").write_text(json.dumps(content), encoding="utf-8")
            before = self.cycles(folder)
            if before is None:
                return None
            for path in DOUBLED:
                after = self.cycles(folder, change={path: 2 * self.machine[path]})
                allowed = LIMIT * before
                if path in ARRAY:
                    allowed += sum(self.machine[field] * (1 + (field == path)) for field in ARRAY)
                if after is None or after > allowed:
                    found.append((path, before, after))
            behind_a_layer = self.cycles(folder, "behind")
            if behind_a_layer is not None and before > 1.001 * behind_a_layer:
                found.append((IN_FRONT, before, behind_a_layer))
            batch = self.cycles(folder, "layer", None, "--batch", "4") if len(self.network["inputs"][0]["shape"]) == 4 else 0
            if batch > 4 * before:
                found.append((BATCH, 4 * before, batch))
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=validation.positive, default=1000, metavar="N", help="pairs of layer and machine (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random pairs (default: %(default)s)")
    parser.add_argument("--jobs", type=validation.positive, default=os.cpu_count() or 1, metavar="J", help="pairs at a time (default: %(default)s)")
    parser.add_argument("--qsim", default=os.environ.get("QSIM_BINARY", str(ROOT / "build" / "release" / "qsim")))
    options = parser.parse_args()
    ran, bad, estimates = 0, 0, []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        drawings = [Drawing(options.qsim, options.seed, index) for index in range(options.layers)]
        for drawing, found in zip(drawings, pool.map(Drawing.exceptions, drawings)):
            ran += found is not None
            estimates += drawing.estimates
            for what, before, after in found or []:
                bad += 1
                now = "refused" if after is None else f"{after:,} ({after / before:.3f})"
                print(f"{drawing.name}: {what}: {before:,} -> {now}", flush=True)
    close = sum(abs(estimated - cycles) * 20 <= cycles for estimated, cycles in estimates)
    print(f"pairs={options.layers} ran={ran} exceptions={bad} rows={len(estimates)} estimated_within_5_percent={close}")
    return 1 if bad or not ran else 0


if __name__ == "__main__":
    validation.run_main(main)
