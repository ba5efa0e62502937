"""Random products, additions and poolings of blocks (MXINT8) on random machines: the program against block_model.py.

Run as a program it compares many: python tests/conformance/block_layers.py --networks 200 [--seed N] [--values tile] [--fidelity pe]
"""

import argparse
import json
import pathlib
import random
import sys
import tempfile
from fractions import Fraction

import numpy as np
from block_model import BlockChip, add, convolve, make_blocks, pool, range_of_sums, reference_of, stored
from integer_model import SHIFT_ROUNDINGS
from qsim_tensors import read_safetensors, run_qsim

CHANNELS = [1, 3, 8, 16, 31, 32, 33, 40, 48, 64, 72, 96]


def random_chip(random):
    chip = BlockChip(random.choice([4, 8, 16, 32]), random.choice([18, 20, 24, 32, 32, 40, 62]), random.choice(["wrap", "saturate"]),
                     random.choice(list(SHIFT_ROUNDINGS)))
    dataflow = random.choice(["weight_stationary", "output_stationary", "input_stationary"])
    organization = random.choice(["systolic", "dot_product"])
    chip.sums_stay = dataflow == "output_stationary"
    values = {"mac_array.rows": chip.rows, "mac_array.columns": random.choice([32, 48, 64]), "mac_array.dataflow": dataflow,
              "mac_array.organization": organization, "accumulators.width_bits": chip.accumulator_bits,
              "accumulators.overflow": chip.overflow, "accumulators.spill": random.choice(["true", "false"]),
              "requantizer.shift_rounding": chip.shift_rounding, "requantizer.lanes": random.choice([4, 32]),
              "activation_buffer.capacity_kib": random.choice([8, 512]), "weight_buffer.capacity_kib": random.choice([64, 256])}
    return chip, [argument for path, value in values.items() for argument in ("--set", f"{path}={value}")]


def draw(random, shape, spread):
    """float32 values; those of a block are alike in magnitude, blocks differ by up to 2^spread."""
    flat = np.zeros(int(np.prod(shape)), np.float32).reshape(-1, shape[-1])
    for row in flat:
        for begin in range(0, shape[-1], 32):
            scale = 2.0 ** random.uniform(-spread, 0) if random.random() < 0.9 else 0.0
            for c in range(begin, min(shape[-1], begin + 32)):
                row[c] = np.float32(random.uniform(-1, 1) * scale)
    return flat.reshape(shape)


def random_layer(random, name, source, shape):
    """A layer of `source`, which has `shape`; (layer, weights, bias)"""
    outputs = random.choice(CHANNELS)
    spread = random.choice([0, 4, 20, 60])
    kernel = [random.randint(1, min(3, shape[1])), random.randint(1, min(3, shape[2]))]
    layer = {"name": name, "op": "conv2d", "input": source, "stride": [random.randint(1, 2), random.randint(1, 2)],
             "padding": [random.randint(0, k - 1) for k in kernel for _ in "ab"], "activation": random.choice(["none", "relu"])}
    weights = draw(random, [outputs, *kernel, shape[3]], spread)
    bias = draw(random, [outputs], 2) if random.random() < 0.7 else None
    return layer, weights, bias


def vector_layers(random, shape):
    """On the vector unit, of "layer0" and "twin", which have `shape`: additions, poolings, and a mean of one of them."""
    kernel = [random.randint(1, min(3, shape[1])), random.randint(1, min(3, shape[2]))]
    window = {"kernel": kernel, "stride": [random.randint(1, 2), random.randint(1, 2)], "padding": [random.randint(0, k - 1) for k in kernel for _ in "ab"]}
    layers = [{"name": "sum", "op": "add", "inputs": ["layer0", "twin"]},
              {"name": "largest", "op": "max_pool2d", "input": "sum", **window},
              {"name": "average", "op": "average_pool2d", "input": "layer0", **window}]
    for layer in layers:
        layer["activation"] = random.choice(["none", "relu", "relu6", "relu_n1_to_1"])
    return [*layers, {"name": "mean", "op": "mean", "input": "sum", "axes": [1, 2]}]


def computed(layer, tensors):
    """What the model says of one of them."""
    if layer["op"] == "add":
        return add(*(tensors[name] for name in layer["inputs"]), layer["activation"])
    x = tensors[layer["input"]]
    if layer["op"] == "mean":
        return pool(x, "mean", [len(x[0]), len(x[0][0])], [1, 1], [0] * 4, "none")
    kind = "maximum" if layer["op"] == "max_pool2d" else "mean"
    return pool(x, kind, layer["kernel"], layer["stride"], layer["padding"], layer["activation"])


def flat(tensor):
    return [e for image in tensor for line in image for p in line for e in stored(p)]


def described(values):
    return {"shape": list(values.shape), "type": "float32", "values": [float(v) for v in values.reshape(-1)]}


def pixels(values):
    """[batch][row][column] lists of blocks of a float array."""
    return [[[make_blocks([fraction(v) for v in pixel]) for pixel in row] for row in image] for image in values]


def fraction(value):
    return Fraction(float(value))


def compare_case(folder, random, arguments=()):
    """(layers compared, how many of them rounded, how many overflowed); AssertionError at the first difference."""
    folder = pathlib.Path(folder)
    chip, settings = random_chip(random)
    shape = [random.randint(1, 2), random.randint(1, 4), random.randint(1, 4), random.choice(CHANNELS)]
    x = draw(random, shape, random.choice([0, 6, 40]))
    drawn = [random_layer(random, f"layer{i}", "x", shape) for i in range(2)]
    first = drawn[0][0]
    rows = (shape[1] + sum(first["padding"][:2]) - drawn[0][1].shape[1]) // first["stride"][0] + 1
    columns = (shape[2] + sum(first["padding"][2:]) - drawn[0][1].shape[2]) // first["stride"][1] + 1
    of_first = [shape[0], rows, columns, drawn[0][1].shape[0]]
    drawn.append(random_layer(random, "behind", "layer0", of_first))
    # The same shape, other exponents.
    twin = draw(random, drawn[0][1].shape, 4) * np.float32(2.0 ** random.choice([0, 0, 3, 30]))
    drawn.append(({**drawn[0][0], "name": "twin", "activation": random.choice(["none", "relu"])}, twin, None))
    on_vector_unit = vector_layers(random, of_first)
    layers = []
    for layer, weights, bias in drawn:
        layers.append({**layer, "weights": described(weights)})
        if bias is not None:
            layers[-1]["bias"] = {"values": [float(b) for b in bias]}
    layers += on_vector_unit
    outputs = ["layer1", "behind", "largest", "average", "mean"]
    path = folder / "network.json"
    path.write_text(json.dumps({"name": "network", "semantics": "onnx", "inputs": [{"name": "x", "shape": shape, "type": "float32"}],
                                "layers": layers, "outputs": outputs}))
    np.save(folder / "x.npy", x)
    # What was not seen may overflow.
    np.save(folder / "seen.npy", x * np.float32(random.choice([1, 1, 2.0**-5])))
    run_qsim("--hw", "npu_mx", *settings, "--workload", path, "--scheme", "w8a8:format=mxint", "--calibration", folder / "seen.npy", "--input",
             f"x={folder / 'x.npy'}", "--dump-tensors", folder / "dump.safetensors", "--report", folder / "report.json", "--quiet", *arguments)
    dump = read_safetensors(folder / "dump.safetensors")
    report = {row["name"]: row for row in json.loads((folder / "report.json").read_text())["layers"]}
    place = f"{path.read_text()} on {chip} {settings}"

    tensors = {"x": pixels(x)}
    assert dump["x#quantize"].reshape(-1).tolist() == flat(tensors["x"]), place
    rounded = overflowed = 0
    for layer, weights, bias in drawn:
        of_weights = [[[make_blocks([fraction(v) for v in tap]) for tap in row] for row in channel] for channel in weights]
        of_bias = [fraction(b) for b in bias] if bias is not None else [fraction(0)] * len(weights)
        row = report[layer["name"]]
        reference = row["blocks"]["reference_exponent"]
        if layer["input"] == "x":
            taps = [[tap for kernel_row in channel for tap in kernel_row] for channel in of_weights]
            largest = fraction(np.abs(np.load(folder / "seen.npy")).max())
            assert reference == reference_of(range_of_sums(taps, of_bias, largest), chip.accumulator_bits), place
        expected, seen = convolve(tensors[layer["input"]], of_weights, of_bias, layer, reference, chip)
        tensors[layer["name"]] = expected
        name = layer["name"] + ("#blocks" if layer["name"] in outputs else "")
        actual = dump[name].reshape(-1).tolist()
        wanted = flat(expected)
        assert actual == wanted, f"{layer['name']}: {sum(a != b for a, b in zip(actual, wanted))} of {len(wanted)} differ: {place}"
        accumulator = row["accumulator"]
        assert (accumulator["min"], accumulator["max"], accumulator["overflows"]) == (seen.minimum, seen.maximum, seen.overflows), place
        assert row["blocks"]["rounded_sums"] == row["events"]["block_sums_rounded"] == seen.rounded, place
        assert row["blocks"]["bit_exact"] == (seen.rounded == 0), place
        rounded += seen.rounded > 0
        overflowed += seen.overflows > 0
    for layer in on_vector_unit:
        tensors[layer["name"]] = computed(layer, tensors)
        actual = dump[layer["name"] + ("#blocks" if layer["name"] in outputs else "")].reshape(-1).tolist()
        assert actual == flat(tensors[layer["name"]]), f"{layer}: {place}"
        assert report[layer["name"]]["cycles_breakdown"]["host"] == 0, place
    return len(drawn) + len(on_vector_unit), rounded, overflowed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options, arguments = parser.parse_known_args()
    totals = np.zeros(3, int)
    for number in range(options.networks):
        with tempfile.TemporaryDirectory() as folder:
            totals += compare_case(folder, random.Random(f"{options.seed} {number}"), arguments)
        print(f"{totals[0]} layers equal, {totals[1]} of them with rounded sums, {totals[2]} with overflows", file=sys.stderr)


if __name__ == "__main__":
    main()
