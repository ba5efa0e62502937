"""Float operators of TFLite: every tensor agrees with LiteRT's kernels to 1e-4 of its greatest magnitude."""

import types

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType
from float_comparison import assert_close_tensors
from litert_reference import Reference
from operator_models import OPERATORS, Maker
from qsim_tensors import dump_tensors


class FloatMaker(Maker):
    """The same operators with float tensors."""

    limits = types.SimpleNamespace(min=-4, max=4)
    is_int8 = False

    def activation(self, name, shape, **_):
        return self.writer.tensor(name, shape, np.float32), 1.0, 0

    def weights(self, shape, axis, per_channel=True, zero_point=0):
        return self.writer.tensor("weights", shape, np.float32, self.random.normal(0, 0.5, shape)), np.ones(1)

    def bias(self, count, *_):
        return self.writer.tensor("bias", [count], np.float32, self.random.normal(0, 1, count))


# LiteRT's set of reference kernels lacks ELU; its optimized set has the only kernel.
KERNELS = {"elu": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}
FLOAT_OPERATORS = [operator for operator in OPERATORS if operator.__name__ not in ("quantize", "dequantize")]


@pytest.mark.parametrize("operator", FLOAT_OPERATORS, ids=lambda operator: operator.__name__.strip("_"))
def test_a_float_operator_agrees_with_litert(operator, tmp_path):
    for seed in range(6):
        maker = FloatMaker(np.float32, seed)
        operator(maker)
        model = maker.writer.bytes()
        path = tmp_path / f"{seed}.tflite"
        path.write_bytes(model)
        reference = Reference(model, KERNELS.get(operator.__name__, OpResolverType.BUILTIN_REF))
        random = np.random.default_rng(seed + 1000)
        values = [random.normal(0, 3, detail["shape"]).astype(np.float32) for detail in reference.input_details()]
        expected = reference.run(values)
        inputs = list(zip(reference.input_names, values, strict=True))
        assert_close_tensors(dump_tensors(path, inputs, tmp_path), expected)
