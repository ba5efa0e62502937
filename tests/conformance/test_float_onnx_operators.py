"""Float operators of ONNX with random shapes and attributes: every tensor agrees with ONNX Runtime to 1e-4 of its
greatest magnitude. More of them: QSIM_FLOAT_LAYERS=500 (of each operator)."""

import os

import onnx
import pytest
from float_comparison import assert_close
from float_operators import OPERATORS, side_by_side
from onnxruntime_reference import run_onnxruntime
from qsim_tensors import dump_tensors

LAYERS_A_MODEL = 20
MODELS = max(1, int(os.environ.get("QSIM_FLOAT_LAYERS", "20")) // LAYERS_A_MODEL)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.__name__)
def test_a_float_operator_agrees_with_onnx_runtime(operator, tmp_path):
    for seed in range(MODELS):
        model, feeds = side_by_side(operator, seed, LAYERS_A_MODEL)
        path = tmp_path / "layers.onnx"
        onnx.save(model, path)
        expected = run_onnxruntime(model, feeds)
        actual = dump_tensors(path, feeds.items(), tmp_path)
        assert len(expected) >= LAYERS_A_MODEL
        makers = {name: node for node in model.graph.node for name in node.output}
        for name, wanted in expected.items():
            assert_close(f"seed {seed}, {makers[name]}", actual[name], wanted)
