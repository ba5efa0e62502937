#!/usr/bin/env python3
"""How long the compiler takes to find mappings (docs/mapping_bench.md).

Runs `qsim_compile_bench` (cmake -DQSIM_BUILD_BENCH=ON) on networks that ship, on a 32-layer decoder, and on machines from 1x1 to 4096x4096.
The exit code is 1 where a network takes longer than its limit. Example: bench/mapping_time.py --factor 2"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import tempfile

import validation
from mapping_rows import ROOT, shape_networks

NETWORKS = ("resnet18", "resnet50", "mobilenet_v2", "vgg16", "bert_base_layer")
EDGES = (1, 2, 32, 512, 4096)
LARGE = ("weight_buffer.capacity_kib=1048576", "activation_buffer.capacity_kib=1048576")


def stacked(network, layers):
    """A network of one input and one output, `layers` times one behind the other."""
    first, last = network["inputs"][0]["name"], network["outputs"][0]
    repeated = []
    for index in range(layers):
        for layer in network["layers"]:
            copy = dict(layer, name=f"{layer['name']}.{index}")
            for key in ("input", "inputs"):
                if key not in layer:
                    continue
                names = layer[key] if isinstance(layer[key], list) else [layer[key]]
                names = [name if name is None else f"{name}.{index}" if name != first else
                         f"{last}.{index - 1}" if index else first for name in names]
                copy[key] = names if isinstance(layer[key], list) else names[0]
            repeated.append(copy)
    return dict(network, name=f"{network['name']}_{layers}", layers=repeated, outputs=[f"{last}.{layers - 1}"])


def cases(folder):
    """Name, limit in seconds, arguments."""
    for name in NETWORKS:
        yield name, 0.5, [name, "npu"]
    net, outputs = shape_networks.decoder_7b_prefill(2048)
    path = pathlib.Path(folder) / "decoder.json"
    network = dict(net.workload(outputs))
    path.write_text(json.dumps(stacked(network, 32)), encoding="utf-8")
    yield "decoder_7b_prefill, 32 layers, 2048 tokens", 1.0, [str(path), "npu", "dram.capacity_mib=32768"]
    for name in (*NETWORKS, "decoder_7b_prefill"):
        for edge in EDGES:
            yield f"{name}, {edge} x {edge}", 10.0, [name, "npu", f"mac_array.rows={edge}", f"mac_array.columns={edge}",
                                                    *(LARGE if edge > 32 else ())]


def main():
    """A line a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--factor", type=float, default=1.0, metavar="X", help="limits times this, for slower computers")
    parser.add_argument("--bench", default=str(ROOT / "build" / "release" / "bench" / "qsim_compile_bench"))
    arguments = parser.parse_args()
    beyond = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, limit, command in cases(folder):
            run = subprocess.run([arguments.bench, *command], capture_output=True, text=True, check=False,
                                 env=dict(os.environ, QSIM_PATH=str(ROOT)))
            found = re.search(r": ([0-9.]+) s", run.stdout)
            if not found or "does not run" in run.stdout:
                raise validation.BadInput(f"{' '.join(command)}: {run.stdout}{run.stderr}")
            seconds = float(found[1])
            is_beyond = seconds > limit * arguments.factor
            beyond += is_beyond
            print(f"{name:<45} {seconds:>8.3f} s of {limit * arguments.factor:g}{'  BEYOND' if is_beyond else ''}", flush=True)
    print(f"beyond={beyond}")
    return 1 if beyond else 0


if __name__ == "__main__":
    validation.run_main(main)
