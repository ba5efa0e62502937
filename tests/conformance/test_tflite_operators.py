"""One operator a model, random shapes, scales and values: qsim's outputs equal LiteRT's reference kernels."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType
from draws import draws
from litert_reference import Reference
from operator_models import OPERATORS, Maker
from qsim_tensors import assert_same_tensors, dump_tensors

MODELS = draws(8)
INPUTS = 2
# The reference runtime has no kernel for these.
NOT_IN_REFERENCE = {("relu_0_to_1", "int16"), ("relu_n1_to_1", "int16"), ("elu", "int16"), ("hard_swish", "int16")}
# Its set of reference kernels lacks ELU; the optimized set has the only kernel, a table.
KERNELS = {"elu": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}
# TFLite's int16 kernels sum in 64 bits.
WIDE_ACCUMULATORS = ("--set", "accumulators.width_bits=48")


def random_input(random, detail):
    shape, dtype = detail["shape"], detail["dtype"]
    if dtype == np.float32:
        return random.normal(0, 1.5, shape).astype(np.float32)
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max + 1, shape, dtype)


CASES = [pytest.param(operator, dtype, id=f"{operator.__name__.strip('_')}-{dtype}")
         for operator in OPERATORS for dtype in ("int8", "int16")
         if (operator.__name__, dtype) not in NOT_IN_REFERENCE]


@pytest.mark.parametrize("operator, dtype", CASES)
def test_an_operator_equals_litert(operator, dtype, tmp_path):
    for seed in range(MODELS):
        maker = Maker(dtype, seed)
        operator(maker)
        model = maker.writer.bytes()
        path = tmp_path / f"{seed}.tflite"
        path.write_bytes(model)
        reference = Reference(model, KERNELS.get(operator.__name__, OpResolverType.BUILTIN_REF))
        random = np.random.default_rng(seed)
        for _ in range(INPUTS):
            values = [random_input(random, detail) for detail in reference.input_details()]
            expected = reference.run(values)
            options = WIDE_ACCUMULATORS if dtype == "int16" else ()
            actual = dump_tensors(path, list(zip(reference.input_names, values)), tmp_path, *options)
            assert_same_tensors(actual, expected)
