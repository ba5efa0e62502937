"""TFLite models as workloads in JSON: the same tensors, the same report."""

import json

import numpy as np
import pytest
from draws import draws
from operator_models import OPERATORS, Maker
from qsim_tensors import run_qsim
from shared_data import data_path
from test_tflite_operators import NOT_IN_REFERENCE, WIDE_ACCUMULATORS

MODELS = ("resnet8", "vww_mobilenet", "mobilenet_v2", "kws_dscnn", "ad_autoencoder")


def report_and_tensors(workload, folder, name, options):
    dump = folder / f"{name}.safetensors"
    run = run_qsim("--workload", workload, "--json", "--dump-tensors", dump, *options)
    report = json.loads(run.stdout)
    report["workload"].pop("source")
    return report, dump.read_bytes()


def assert_same_after_conversion(model, folder, *options):
    target = folder / f"{model.stem}.json"
    run_qsim("convert", model, target)
    expected = report_and_tensors(model, folder, "a", options)
    assert report_and_tensors(target, folder, "b", options) == expected


@pytest.mark.parametrize("name", MODELS)
def test_a_trained_network(name, tmp_path):
    assert_same_after_conversion(data_path(f"models/{name}_int8.tflite"), tmp_path)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.__name__.strip("_"))
@pytest.mark.parametrize("dtype", [np.int8, np.int16], ids=["int8", "int16"])
def test_every_operator(operator, dtype, tmp_path):
    if (operator.__name__, np.dtype(dtype).name) in NOT_IN_REFERENCE:
        pytest.skip("not in the reference runtime")
    for seed in range(draws(4)):
        maker = Maker(dtype, seed)
        operator(maker)
        model = tmp_path / f"model_{seed}.tflite"
        model.write_bytes(maker.writer.bytes())
        assert_same_after_conversion(model, tmp_path, *(WIDE_ACCUMULATORS if dtype == np.int16 else ()))
