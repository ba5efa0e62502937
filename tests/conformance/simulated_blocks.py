"""Every layer in blocks (MXINT8) of the float networks: the chip's blocks against simulated quantization in double, a layer in isolation.

python tests/conformance/simulated_blocks.py [resnet8] [efficientnet_lite0] [--images N] [--calibration-images N]
prints a line a network; the exit code is 1 where an element is more than a step of its block off.
"""

import dataclasses
import json
import sys
import tempfile

import numpy as np
from qsim_tensors import read_safetensors
from simulated_layers import Network, parse_arguments, qsim
from simulated_quantization import LAYERS, LIMITS, PRODUCTS

BLOCK, LIMIT = 32, 127


def block_exponents(real):
    """floor(log2(max |v|)) of each block of the last dimension, for each of its elements; of zeros alone -127."""
    exponents = np.empty(real.shape)
    for begin in range(0, real.shape[-1], BLOCK):
        largest = np.abs(real[..., begin:begin + BLOCK]).max(axis=-1, keepdims=True)
        _, above = np.frexp(largest)
        exponents[..., begin:begin + BLOCK] = np.where(largest > 0, np.clip(above - 1, -127, 127), -127)
    return exponents


def quantize(real):
    """What a tensor becomes in blocks, in real numbers; the size of a step of each element."""
    steps = 2.0 ** (block_exponents(real) - 6)
    return np.clip(np.rint(real / steps), -LIMIT, LIMIT) * steps, steps


def dequantize(stored):
    """Real numbers of a tensor as it is stored, [.., blocks with their exponents behind them], and the size of a step of each element."""
    values, steps = [], []
    for begin in range(0, stored.shape[-1], BLOCK + 1):
        block = stored[..., begin:begin + BLOCK + 1].astype(np.float64)
        step = 2.0 ** (block[..., -1:] - 6)
        values.append(block[..., :-1] * step)
        steps.append(np.broadcast_to(step, values[-1].shape))
    return np.concatenate(values, axis=-1), np.concatenate(steps, axis=-1)


@dataclasses.dataclass
class Layer:
    """An operation with the batch norm and the activation behind it: what it computes from real numbers, and its tensors."""

    name: str
    description: dict
    inputs: list
    output: str
    factor: np.ndarray = None
    summand: np.ndarray = None
    activation: str = None


class FloatNetwork:
    """A float workload whose layers are taken together as the chip takes them."""

    def __init__(self, path):
        self.root = json.loads(path.read_text())
        self.constants = read_safetensors(path.parent / self.root["tensors"])
        self.axes = {tensor["name"]: tensor.get("model_axes") for tensor in self.root["inputs"]}
        self.layers = []
        for layer in self.root["layers"]:
            output = layer["output"]["name"]
            self.axes[output] = layer["output"].get("model_axes")
            names = layer["inputs"] if "inputs" in layer else [layer["input"]]
            before = self.layers[-1] if self.layers and self.layers[-1].output == names[0] else None
            if layer["op"] == "batch_norm":
                assert before is not None
                before.factor, before.summand = (self.constants[constant["name"]] for constant in names[1:])
                before.output = output
            elif layer["op"] in ("relu", "relu6"):
                assert before is not None and before.activation is None
                before.activation, before.output = layer["op"], output
            elif layer["op"] == "reshape" and before is not None:
                before.output = output  # of 1 x 1 pixels
            else:
                self.layers.append(Layer(layer["name"], layer, names, output))

    def of_dump(self, dump, name, suffixes):
        """A tensor of blocks as the graph stores it; None where it is in floats alone."""
        for suffix in suffixes:
            if name + suffix in dump and dump[name + suffix].dtype == np.int8:
                axes = self.axes[name]
                stored = dump[name + suffix]
                return stored if axes is None else stored.transpose(np.argsort(axes))
        return None

    def product(self, layer, x):
        description = layer.description["weights"]
        weights = self.constants[description["name"]].reshape(description["shape"])
        bias = layer.description.get("bias")
        bias = np.zeros(weights.shape[0]) if bias in (None, False) else self.constants[bias["name"]]
        if layer.factor is not None:  # In float32, as constants are.
            weights = weights * layer.factor.reshape(-1, *[1] * (weights.ndim - 1))
            bias = np.float32(bias.astype(np.float64) * layer.factor + layer.summand)
        in_blocks, _ = quantize(weights.astype(np.float64))
        return PRODUCTS[layer.description["op"]](layer.description, x, in_blocks) + bias.astype(np.float64)

    def compare(self, dump):
        """(layer, differences in steps of the larger block) of each layer in blocks."""
        for layer in self.layers:
            reals = [self.of_dump(dump, name, ["", "#blocks", "#quantize"]) for name in layer.inputs]
            found = self.of_dump(dump, layer.output, ["", "#blocks"])
            if found is None or any(real is None for real in reals):
                continue
            reals = [dequantize(real)[0] for real in reals]
            y = self.product(layer, reals[0]) if layer.description["op"] in PRODUCTS else LAYERS[layer.description["op"]](layer.description, *reals)
            values, steps = dequantize(found)
            expected, expected_steps = quantize(np.clip(y, *LIMITS[layer.activation]).reshape(values.shape))
            yield layer, np.abs(values - expected) / np.maximum(steps, expected_steps)


def main():
    arguments, failed = parse_arguments(), False
    for name in arguments.networks:
        with tempfile.TemporaryDirectory() as folder:
            network = Network(name, arguments.data, folder, arguments.images, arguments.calibration_images)
            floats, tensors = network.folder / "floats.json", network.folder / "tensors.safetensors"
            qsim("convert", network.model, floats)
            of_floats = FloatNetwork(floats)
            qsim("--hw", "npu_mx", "--workload", network.model, "--scheme", "w8a8:format=mxint", *network.calibration, "--input",
                 f"{of_floats.root['inputs'][0]['name']}={network.inputs}", "--batch", arguments.images, "--dump-tensors", tensors, "--quiet")
            kinds, outputs, different, largest, worst = {}, 0, 0, 0.0, "-"
            for layer, steps in of_floats.compare(read_safetensors(tensors)):
                kinds[layer.description["op"]] = kinds.get(layer.description["op"], 0) + 1
                outputs += steps.size
                different += int(np.count_nonzero(steps))
                if steps.max() > largest:
                    largest, worst = float(steps.max()), layer.name
            failed |= largest > 1.0 or not kinds
            print(f"{name} w8a8:format=mxint: {kinds}, {outputs} outputs, {different} differ, by {largest:g} of a step at most ({worst})", flush=True)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
