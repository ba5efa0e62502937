"""QONNX networks of any origin: every quantized tensor of the chip against the executor of the qonnx package.

python tests/conformance/qonnx_networks.py FILE.onnx .. [--inputs 20] [--seed 1]
draws inputs (half normal, half from 0 to 1; of the type that the file states), and prints a line a network: quantized values, how many differ, those of
them that are not what double rounds to, the largest difference of an output relative to its largest value, products by width, rows of the host.
"""

import argparse
import json
import pathlib
import sys
import tempfile

import numpy as np
from qonnx_reference import OPERATORS, Network, before_rounding
from qsim_tensors import read_safetensors, run_qsim


OPERATORS.setdefault("LeakyRelu", lambda attributes, x: np.where(x < 0, x * attributes.get("alpha", 0.01), x))
OPERATORS.setdefault("Concat", lambda attributes, *parts: np.concatenate(parts, attributes["axis"]))


def draw(rng, network, name, shape):
    """Inputs as the file's annotation says, else of about one."""
    kind = str(network.model.get_tensor_datatype(name))
    if "BIPOLAR" in kind:
        return rng.choice([-1.0, 1.0], shape)
    if "UINT8" in kind:
        return rng.integers(0, 256, shape)
    value = rng.normal(0.0, 1.0, shape)
    value[shape[0] // 2:] = rng.uniform(0.0, 1.0, value[shape[0] // 2:].shape)
    return value


def run_chip(path, inputs, batch, folder):
    """(tensors, report)"""
    arguments = ["--workload", path, "--batch", batch, "--dump-tensors", folder / "tensors.safetensors", "--report", folder / "report.json", "--quiet"]
    for index, (name, value) in enumerate(inputs.items()):
        np.save(folder / f"{index}.npy", value)
        arguments += ["--input", f"{name}={folder / f'{index}.npy'}"]
    run_qsim(*arguments)
    return read_safetensors(folder / "tensors.safetensors"), json.loads((folder / "report.json").read_text())


def rounded(network, node, shape):
    """What double makes of a quantizer's input; nothing where an operator before it is not known in double. Halves to even."""
    try:
        value = np.broadcast_to(before_rounding(network, node), shape)
    except KeyError:
        return None
    modes = {a.name: a.s for a in node.attribute}
    function = {b"FLOOR": np.floor, b"CEIL": np.ceil}.get(modes.get("rounding_mode"), np.rint)
    return np.where(value < 0, -1, 1) if node.op_type == "BipolarQuant" else function(value)


def compare(path, batch, seed):
    network, rng = Network(path, batch), np.random.default_rng(seed)
    inputs = {name: draw(rng, network, name, shape).astype(np.float32) for name, shape in network.inputs.items()}
    outputs = network.execute(inputs)
    with tempfile.TemporaryDirectory() as folder:
        tensors, report = run_chip(path, inputs, batch, pathlib.Path(folder))
    elements = different = wrong = 0
    for node in network.quantizers():
        found, expected = tensors[node.output[0] + "#q"].astype(np.int64), network.integers(node.output[0]).astype(np.int64)
        unequal = found != expected
        elements, different = elements + found.size, different + int(unequal.sum())
        if unequal.any():
            exact = rounded(network, node, found.shape)
            wrong += int(unequal.sum()) if exact is None else int((found != exact)[unequal].sum())
    worst = max(float(np.abs(tensors[name].reshape(value.shape) - value).max() / max(np.abs(value).max(), 1e-30)) for name, value in outputs.items())
    products = sorted(event for event, count in report["events"].items() if event.startswith("macs_w") and count)
    host = [layer["name"] for layer in report["layers"] if layer["bound"] == "host"]
    return f"{elements} quantized, {different} differ, {wrong} not as in double; outputs {worst:.1e}; {' '.join(products)}; host {host}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE.onnx")
    parser.add_argument("--inputs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = False
    for path in arguments.files:
        try:
            line = compare(path, arguments.inputs, arguments.seed)
        except Exception as error:  # noqa: BLE001 - the next network is tried all the same
            line, failed = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", True
        print(f"{path.name}: {line}", flush=True)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
