"""Integers that only move: more dimensions than the vector unit has, blocks of pixels, padding with the image itself."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime_reference import run_onnxruntime
from qsim_tensors import read_safetensors, run_qsim


def indices(*values):
    return np.array(values, np.int64)


# name: (operator, attributes, shapes of the activations, further operands)
CASES = {
    "slice": ("Slice", {}, [(2, 5, 3, 4, 6)], [indices(1, -1, 1), indices(5, -6, 4), indices(1, 4, 3), indices(2, -2, 1)]),
    "split": ("Split", {"axis": 2}, [(2, 5, 3, 2, 4)], [indices(1, 2)]),
    "gather": ("Gather", {"axis": 0}, [(3, 2, 2, 5, 4)], [np.array(1, np.int64)]),
    "concat": ("Concat", {"axis": 3}, [(2, 3, 2, 2, 3), (2, 3, 2, 1, 3), (2, 3, 2, 4, 3)], []),
    "pad": ("Pad", {}, [(2, 3, 2, 4, 5)], [indices(0, 1, 0, 2, 0, 1, 0, 0, 0, 3), np.array(7, np.uint8)]),
    "query, key, value": ("Transpose", {"perm": [2, 0, 3, 1, 4]}, [(2, 5, 3, 4, 6)], []),
    "reversed": ("Transpose", {"perm": [4, 3, 2, 1, 0]}, [(2, 5, 3, 4, 6)], []),
    "windows": ("Transpose", {"perm": [0, 1, 3, 2, 4, 5]}, [(2, 3, 4, 2, 4, 5)], []),
    "rotated": ("Transpose", {"perm": [5, 0, 1, 2, 3, 4]}, [(2, 3, 1, 2, 4, 5)], []),
    "pixel shuffle": ("DepthToSpace", {"blocksize": 2, "mode": "CRD"}, [(2, 12, 3, 5)], []),
    "depth to space": ("DepthToSpace", {"blocksize": 3}, [(1, 18, 2, 3)], []),
    "space to depth": ("SpaceToDepth", {"blocksize": 2}, [(2, 3, 4, 6)], []),
    "reflect": ("Pad", {"mode": "reflect"}, [(1, 2, 4, 5)], [indices(0, 0, 3, 1, 0, 0, 1, 4)]),
    "edge": ("Pad", {"mode": "edge"}, [(1, 2, 4, 5)], [indices(0, 1, 3, 0, 0, 0, 0, 6)]),
}


def model_of(case):
    operator, attributes, shapes, constants = CASES[case]
    inputs = [f"x{i}" for i in range(len(shapes))]
    names = [f"c{i}" for i in range(len(constants))]
    outputs = ["y", "z"] if operator == "Split" else ["y"]
    graph = helper.make_graph(
        [helper.make_node(operator, inputs + names, outputs, **attributes)], "g",
        [helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name, shape in zip(inputs, shapes, strict=True)],
        [helper.make_tensor_value_info(name, TensorProto.UINT8, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in zip(names, constants, strict=True)])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    rng = np.random.default_rng(5)
    return model, {name: rng.integers(0, 256, shape).astype(np.uint8) for name, shape in zip(inputs, shapes, strict=True)}


@pytest.mark.parametrize("values", ["layer", "tile"])
@pytest.mark.parametrize("case", list(CASES))
def test_integers_move_as_in_onnx_runtime(case, values, tmp_path):
    model, feeds = model_of(case)
    onnx.save(model, tmp_path / "m.onnx")
    options = ["--workload", tmp_path / "m.onnx", "--values", values, "--outputs", tmp_path / "o.safetensors", "--quiet"]
    for name, value in feeds.items():
        np.save(tmp_path / f"{name}.npy", value)
        options += ["--input", f"{name}={tmp_path / name}.npy"]
    run_qsim(*options)
    actual = read_safetensors(tmp_path / "o.safetensors")
    for name, expected in run_onnxruntime(model, feeds, int8=False).items():
        np.testing.assert_array_equal(actual[name], expected)
