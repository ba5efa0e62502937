"""Every layer of the float networks under every scheme: the chip's integers against simulated quantization in double, a layer in isolation.

python tests/conformance/simulated_layers.py [resnet8] [efficientnet_lite0] [--widths w8a8 ..] [--kinds weights=per_tensor ..] [--ranges minmax mse]
                                             [--images N] [--calibration-images N]
prints a line a scheme; the exit code is 1 where an output is more than a step off.
"""

import argparse
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from qsim_tensors import QSIM, read_safetensors
from simulated_quantization import Workload

ROOT = pathlib.Path(__file__).parents[2]
WIDTHS = ("w16a16", "w8a8", "w6a8", "w4a8", "w4a4", "w2a8")
KINDS = ("", "weights=per_tensor", "weights=asymmetric", "scales=power_of_two", "weights=per_group(32)", "weights=per_group(32),asymmetric")
# Of the shared data: model, images to run, images that give the ranges, preprocessing.
NETWORKS = {
    "resnet8": ("models/resnet8_float.onnx", "cifar10:{}/cifar10/test_batch_even.bin", "cifar10:{}/cifar10/data_batch_1.bin", []),
    "efficientnet_lite0": ("models/efficientnet_lite0_float.onnx", "images:{}/imagenet_sample", "images:{}/imagenet_sample",
                           ["--preprocess", "efficientnet_lite0"]),
}


def scheme_of(width, kind):
    """One text."""
    return f"{width}:{kind}" if kind else width


def qsim(*arguments):
    run = subprocess.run([QSIM, *map(str, arguments)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip())


class Network:
    """A float network, its images as tensors, and where its ranges come from."""

    def __init__(self, name, data, folder, images, calibration_images):
        model, judged, calibration, preprocess = NETWORKS[name]
        self.model, self.images, self.folder = pathlib.Path(data) / model, images, pathlib.Path(folder)
        self.inputs = self.folder / "inputs.npy"
        self.calibration = ["--calibration", calibration.format(data), "--calibration-inputs", calibration_images, *preprocess]
        qsim("evaluate", "--workload", self.model, "--data", judged.format(data), *preprocess, "--limit", images,
             "--dump-inputs", self.inputs, "--quiet")

    def layers(self, scheme, ranges, *settings):
        """As Workload.layers, of one scheme."""
        quantized, tensors = self.folder / "quantized.json", self.folder / "tensors.safetensors"
        qsim("convert", self.model, quantized, "--scheme", scheme, "--ranges", ranges, *self.calibration)
        wide = ["--set", "accumulators.width_bits=48"] if scheme.startswith("w16a16") else []
        name = Workload(quantized).root["inputs"][0]["name"]
        qsim("--workload", quantized, "--input", f"{name}={self.inputs}", "--batch", self.images, "--dump-tensors", tensors, "--quiet", *wide, *settings)
        return Workload(quantized).layers(read_safetensors(tensors))


@dataclasses.dataclass
class Comparison:
    """Of all layers: outputs, those that differ and how far these were from a tie at most, the largest difference and the layer that has it."""

    layers: int = 0
    outputs: int = 0
    different: int = 0
    from_ties: float = 0.0
    largest: int = 0
    worst: str = "-"


def compare(layers):
    seen = Comparison()
    for layer, found, expected, distances in layers:
        steps = np.abs(found - expected)
        seen.layers += 1
        seen.outputs += steps.size
        seen.different += int(np.count_nonzero(steps))
        seen.from_ties = max(seen.from_ties, float(distances[steps > 0].max(initial=0.0)))
        if steps.max() > seen.largest:
            seen.largest, seen.worst = int(steps.max()), layer["name"]
    return seen


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="NETWORK", help=" ".join(NETWORKS))
    parser.add_argument("--widths", nargs="+", default=WIDTHS)
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    parser.add_argument("--ranges", nargs="+", default=("minmax", "mse"))
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--calibration-images", type=int, default=16)
    parser.add_argument("--data", default=os.environ.get("QSIM_DATA_DIR", ROOT.parent / "shared" / "data"))
    return parser.parse_args()


def main():
    arguments, failed = parse_arguments(), False
    for name in arguments.networks:
        with tempfile.TemporaryDirectory() as folder:
            network = Network(name, arguments.data, folder, arguments.images, arguments.calibration_images)
            for scheme in (scheme_of(width, kind) for kind in arguments.kinds for width in arguments.widths):
                for ranges in arguments.ranges:
                    seen = compare(network.layers(scheme, ranges))
                    failed |= seen.largest > 1
                    print(f"{name} {scheme} {ranges}: {seen.layers} layers, {seen.outputs} outputs, {seen.different} differ, by {seen.largest} at most "
                          f"({seen.worst}), within {seen.from_ties:.2g} of a tie", flush=True)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
