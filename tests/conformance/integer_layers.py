"""Random layers over all schemes, on random machines: the program against integer_model.py.

Run as a program it compares many: python tests/conformance/integer_layers.py --layers 2000 [--seed N] [--values tile] [--fidelity pe]
"""

import argparse
import dataclasses
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
from integer_model import ROUNDINGS, SHIFT_ROUNDINGS, Chip, run_workload
from qsim_tensors import QSIM, read_safetensors

LAYERS_A_RUN = 10
GROUP_MULTIPLIER_BITS = 9


def random_chip(random):
    """Rows few enough that small layers have several chunks; every third machine has accumulators that small layers overflow."""
    width = random.choice([16, 17, 18, 20, 24]) if random.random() < 0.35 else random.choice([32, 40, 48, 64])
    dataflow = random.choice(["weight_stationary", "input_stationary", "output_stationary"])
    return Chip(random.choice([4, 8, 16]), dataflow, width, random.choice(["wrap", "saturate"]), random.choice(list(SHIFT_ROUNDINGS)),
                random.choice([8, 12, 16, 24, 32]))


def settings(chip):
    values = {"mac_array.rows": chip.rows, "mac_array.columns": 8, "mac_array.dataflow": chip.dataflow,
              "accumulators.width_bits": chip.accumulator_bits,
              "accumulators.overflow": chip.overflow, "requantizer.shift_rounding": chip.shift_rounding,
              "requantizer.multiplier_bits": chip.multiplier_bits, "requantizer.group_multiplier_bits": GROUP_MULTIPLIER_BITS}
    return [argument for path, value in values.items() for argument in ("--set", f"{path}={value}")]


def limits(bits, signed):
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def activation(random):
    """One bit is unsigned: -1 and 1 have no zero for padding."""
    bits = random.randint(1, 16)
    signed = bits > 1 and random.random() < 0.5
    low, high = limits(bits, signed)
    zero_point = random.choice([0, random.randint(low, high), low, high])
    return {"bits": bits, "signed": signed, "zero_point": zero_point}


def draw_group(random, channels):
    """A divisor of the channels of a tap, or 0: no groups."""
    if channels == 1 or random.random() < 0.6:
        return 0
    return random.choice([d for d in range(1, channels + 1) if channels % d == 0])


def weights(random, shape):
    """A scale a tensor, a channel or a group; symmetric, or with zero points; one signed bit is -1 or 1."""
    bits = random.randint(1, 16)
    signed = random.random() < 0.7
    low, high = limits(bits, signed)
    group = draw_group(random, shape[-1])
    slices = shape[0] if group or random.random() < 0.6 else 1
    binary = bits == 1 and signed
    asymmetric = not binary and (not signed or random.random() < 0.4)
    count = math.prod(shape) // group if group else slices
    zero_points = [random.randint(low, high) if asymmetric else 0 for _ in range(count)]
    values = [random.choice([-1, 1]) if binary else random.randint(low, high) for _ in range(math.prod(shape))]
    description = {"shape": list(shape), "bits": bits, "signed": signed, "zero_point": zero_points if asymmetric and count > 1 else zero_points[0],
                   "values": values}
    if slices > 1:
        description["axis"] = 0
    if group:
        most = (1 << random.randint(1, GROUP_MULTIPLIER_BITS)) - 1
        description |= {"axis": 0, "group_size": group, "group_multipliers": [random.randint(1, most) for _ in range(count)]}
    return description


def draw_scale(random, is_power_of_two, exponent):
    return 2.0**exponent if is_power_of_two else float(np.float32(2.0**exponent * random.uniform(0.6, 1.5)))


def geometry(random):
    """(layer without tensors, shape of x, shape of w)"""
    if random.random() < 0.3:
        depth = random.randint(1, 70)
        return {"op": "fully_connected"}, [random.randint(1, 3), depth], [random.randint(1, 12), depth]
    height, width, channels = random.randint(2, 6), random.randint(2, 6), random.choice([1, 2, 3, 4, 5, 6, 7, 8, 12])
    kernel = [random.randint(1, min(3, height)), random.randint(1, min(3, width))]
    attributes = {"stride": [random.randint(1, 2), random.randint(1, 2)], "padding": [random.randint(0, k - 1) for k in kernel for _ in "ab"]}
    x = [random.randint(1, 2), height, width, channels]
    op = random.choices(["depthwise_conv2d", "transpose_conv2d", "conv2d"], [30, 10, 60])[0]
    if op == "depthwise_conv2d":
        return {"op": op, **attributes}, x, [channels * random.randint(1, 2), *kernel, 1]
    if op == "transpose_conv2d":
        attributes["padding"] = [min(p, (k - 1) // 2) for p, k in zip(attributes["padding"], [kernel[0], kernel[0], kernel[1], kernel[1]])]
        return {"op": op, **attributes}, x, [random.randint(1, 5), *kernel, channels]
    groups = random.choice([g for g in range(1, channels + 1) if channels % g == 0]) if random.random() < 0.25 else 1
    attributes["dilation"] = [random.randint(1, 2) if (k - 1) * 2 < size else 1 for k, size in zip(kernel, (height, width))]
    outputs = groups * random.randint(1, max(1, 9 // groups))
    return {"op": op, "groups": groups, **attributes}, x, [outputs, *kernel, channels // groups]


def random_layer(random, index, profile):
    """(input description, layer, integers of the input)"""
    is_power_of_two = profile == "power_of_two"
    layer, x_shape, w_shape = geometry(random)
    x, w, y = activation(random), weights(random, w_shape), activation(random)
    depth = math.prod(w_shape[1:])
    spread = 2.0 ** (x["bits"] + w["bits"] - 3) * math.sqrt(depth) * max(w.get("group_multipliers", [1]))  # of a sum, about
    x["scale"] = draw_scale(random, is_power_of_two, -random.randint(2, 9))
    slices = w_shape[0] if "axis" in w else 1  # that have a scale
    exponent = -random.randint(2, 9)
    scales = [draw_scale(random, is_power_of_two, exponent + random.randint(-1, 1)) for _ in range(slices)]
    w["scale"] = scales if slices > 1 else scales[0]
    step = x["scale"] * 2.0**exponent * spread / 2.0 ** (y["bits"] - 1) * random.uniform(0.3, 3.0)
    y["scale"] = draw_scale(random, is_power_of_two, max(-40, round(math.log2(step))))
    bound = min(int(spread), (1 << 31) - 1)
    layer.update(name=f"layer{index}", input=f"x{index}", weights=w, output=y, activation=random.choice(["none", "none", "relu"]))
    if random.random() < 0.7:
        layer["bias"] = {"values": [random.randint(-bound, bound) for _ in range(w_shape[0])]}
    low, high = limits(x["bits"], x["signed"])
    integers = [random.choice([low, high]) if random.random() < 0.1 else random.randint(low, high) for _ in range(math.prod(x_shape))]
    dtype = ("int" if x["signed"] else "uint") + ("8" if x["bits"] <= 8 else "16")
    return {"name": f"x{index}", "shape": x_shape, **x}, layer, np.array(integers, dtype).reshape(x_shape)


def write_case(folder, random):
    """(path of the workload, inputs, chip)"""
    profile = "power_of_two" if random.random() < 0.5 else random.choice(list(ROUNDINGS))
    drawn = [random_layer(random, i, profile) for i in range(LAYERS_A_RUN)]
    path = pathlib.Path(folder) / "layers.json"
    path.write_text(json.dumps({"name": "layers", "semantics": "onnx", "rounding_profile": profile, "inputs": [x for x, _, _ in drawn],
                                "layers": [layer for _, layer, _ in drawn], "outputs": [layer["name"] for _, layer, _ in drawn]}))
    inputs = {x["name"]: values for x, _, values in drawn}
    for name, values in inputs.items():
        np.save(pathlib.Path(folder) / f"{name}.npy", values)
    return path, inputs, random_chip(random)


def run_program(path, inputs, chip, arguments):
    """(outputs by layer, report)"""
    folder = path.parent
    given = [argument for name in inputs for argument in ("--input", f"{name}={folder / name}.npy")]
    command = [QSIM, "--hw", "npu_small", "--workload", path, *settings(chip), *given, "--outputs", folder / "out.safetensors",
               "--report", folder / "report.json", "--quiet", *arguments]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    return read_safetensors(folder / "out.safetensors"), json.loads((folder / "report.json").read_text())


def part_of(mapping):
    """Where sums overflow, how the reduction is cut shows in them."""
    part = mapping["reduction_part"]
    return part["kernel_h"], part["kernel_w"], part["channels"]


def compare_case(folder, random, arguments=(), **chip_fields):
    """Layers compared, those whose accumulators overflowed and those with groups; AssertionError at the first difference."""
    path, inputs, chip = write_case(folder, random)
    chip = dataclasses.replace(chip, **chip_fields)
    outputs, report = run_program(path, inputs, chip, arguments)
    rows = {row["name"]: row for row in report["layers"]}
    parts = {name: part_of(row["mapping"]) for name, row in rows.items()}
    expected = run_workload(path, inputs, chip, parts)
    overflowed = 0
    grouped = sum(row.get("groups") is not None for row in report["layers"])
    for name, (y, seen) in expected.items():
        actual = outputs[name].reshape(-1).tolist()
        place = f"{name} of {path.read_text()} on {chip}"
        assert list(outputs[name].shape) == list(y.shape), place
        assert actual == y.values, f"{sum(a != b for a, b in zip(actual, y.values))} of {len(actual)} differ: {place}"
        accumulator = rows[name]["accumulator"]
        assert accumulator["overflows"] == seen.overflows, f"{accumulator} and {seen}: {place}"
        # Where the worst case of the formats fits, the order of the sums is the mapping's, and so are the values between.
        if accumulator["bits_any_weights"] > chip.accumulator_bits:
            assert (accumulator["min"], accumulator["max"]) == (seen.minimum, seen.maximum), f"{accumulator} and {seen}: {place}"
        overflowed += seen.overflows > 0
    return len(expected), overflowed, grouped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options, arguments = parser.parse_known_args()
    layers = overflowed = grouped = 0
    while layers < options.layers:
        with tempfile.TemporaryDirectory() as folder:
            compared, over, groups = compare_case(folder, random.Random(f"{options.seed} {layers}"), arguments)
        layers += compared
        overflowed += over
        grouped += groups
        print(f"{layers} layers equal, {grouped} of them with groups, {overflowed} with overflows", file=sys.stderr)


if __name__ == "__main__":
    main()
