"""Layers with "onnx" semantics equal ONNX Runtime bit for bit: one operator each, random shapes, scales and values."""

import json

import numpy as np
import pytest
from onnx_operators import OPERATORS
from onnxruntime_reference import session
from qsim_tensors import read_safetensors, run_qsim

LAYERS = 20


def reference(layer):
    (value,) = session(layer.model, int8=False).run(None, layer.feeds)
    return np.moveaxis(value, 1, -1) if layer.nchw else value


def workload(layers):
    """All layers side by side in one network: inputs IN_0, .., outputs Y0, .."""
    inputs, descriptions, arrays = [], [], {}
    for index, layer in enumerate(layers):
        names = {}
        for operand, (q, values) in enumerate(layer.inputs):
            name = names[f"x{operand}"] = f"in_{index}_{operand}"
            inputs.append({"name": name, "shape": list(values.shape), **q.json})
            arrays[name] = values
        output = layer.output.json if layer.shape is None else {**layer.output.json, "shape": layer.shape}
        description = dict(layer.json, name=f"y{index}", output=output)
        if "input" in description:
            description["input"] = names[description["input"]]
        else:
            description["inputs"] = [names[i] if isinstance(i, str) else i for i in description["inputs"]]
        descriptions.append(description)
    return {"name": "layers", "semantics": "onnx", "inputs": inputs, "layers": descriptions,
            "outputs": [layer["name"] for layer in descriptions]}, arrays


def workload_files(layers, folder):
    """Writes the network and its inputs; the arguments that name them."""
    description, arrays = workload(layers)
    (folder / "layers.json").write_text(json.dumps(description))
    arguments = ["--workload", folder / "layers.json"]
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
        arguments += ["--input", f"{name}={folder / name}.npy"]
    return arguments


def run(layers, folder, *options):
    run_qsim(*workload_files(layers, folder), "--outputs", folder / "outputs.safetensors", "--quiet", *options)
    return read_safetensors(folder / "outputs.safetensors")


@pytest.mark.parametrize("operator, dtype", [pytest.param(f, d, id=f"{f.__name__}-{d.__name__}") for f, d in OPERATORS])
def test_an_operator_equals_onnx_runtime(operator, dtype, tmp_path):
    random = np.random.default_rng([sum(map(ord, operator.__name__)), np.dtype(dtype).num])
    layers = [operator(random, dtype) for _ in range(LAYERS)]
    outputs = run(layers, tmp_path)
    for index, layer in enumerate(layers):
        actual, expected = outputs[f"y{index}"], reference(layer)
        assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype), layer.json
        different = np.count_nonzero(actual != expected)
        assert different == 0, f"{different} of {expected.size} elements of layer {index}: {layer.json}"


def test_the_modelled_memories_hold_the_same_values(tmp_path):
    """One layer of every operator, tile by tile."""
    random = np.random.default_rng(7)
    layers = [operator(random, np.uint8) for operator in dict(OPERATORS)]
    by_layer, by_tile = run(layers, tmp_path), run(layers, tmp_path, "--values", "tile")
    for name, values in by_layer.items():
        assert np.array_equal(values, by_tile[name]), name
