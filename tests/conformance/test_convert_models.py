"""Whole networks through `qsim convert`: what comes out computes what went in, in qsim and in ONNX Runtime."""

import numpy as np
import onnx
import pytest
from onnx_quantization import preprocess, quantize
from onnxruntime_reference import session
from qsim_tensors import dump_tensors, read_safetensors, run_qsim
from shared_data import data_path

TFLITE = ("ad_autoencoder_float", "ad_autoencoder_int8", "kws_dscnn_float", "kws_dscnn_int8", "mobilenet_v2_int8", "resnet8_float",
          "resnet8_int8", "vww_mobilenet_float", "vww_mobilenet_int8")
FLOAT_ONNX = ("resnet8_float", "efficientnet_lite0_float")


def outputs(workload, inputs, folder, *options):
    path = folder / "outputs.safetensors"
    arguments = []
    for index, (name, value) in enumerate(inputs.items()):
        np.save(folder / f"in_{index}.npy", value)
        arguments += ["--input", f"{name}={folder / f'in_{index}.npy'}"]
    run_qsim("--workload", workload, "--quiet", "--outputs", path, *arguments, *options)
    return read_safetensors(path)


def convert(source, target, *options):
    run_qsim("convert", source, target, *options)
    return target


def assert_equal(found, wanted):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape), name
        assert np.array_equal(found[name], value), f"{name}: {np.count_nonzero(found[name] != value)} of {value.size} differ"


def onnxruntime_outputs(path, inputs):
    runtime = session(onnx.load(path))
    names = [output.name for output in runtime.get_outputs()]
    return dict(zip(names, runtime.run(names, inputs)))


def assert_same_as_onnxruntime(found, path, inputs):
    """Integers are equal; floats as near as sums in another order are."""
    for name, value in onnxruntime_outputs(path, inputs).items():
        if value.dtype == np.float32 and not is_quantized(path):
            assert np.abs(found[name] - value).max() <= 1e-5 * np.abs(value).max(), name
        else:
            assert np.array_equal(found[name], value), name


def is_quantized(path):
    return any("Quantize" in node.op_type or "QLinear" in node.op_type for node in onnx.load(path).graph.node)


def random_inputs(path, folder, *options):
    """The seeded inputs of a run."""
    run_qsim("--workload", path, "--quiet", "--dump-tensors", folder / "all.safetensors", *options)
    tensors = read_safetensors(folder / "all.safetensors")
    converted = onnx.load(folder / "first.onnx")
    return {value.name: tensors[value.name] for value in converted.graph.input}


def assert_round_trip(source, folder, form, *options):
    """Model -> workload -> ONNX -> workload: JSON keeps everything, ONNX of an ONNX model too."""
    first = convert(source, folder / "first.onnx", "--format", form, *options)
    inputs = random_inputs(source, folder, *options)
    wanted = outputs(source, inputs, folder, *options)
    workload = convert(source, folder / "first.json", *options)
    assert_equal(outputs(workload, inputs, folder), wanted)
    second = convert(workload, folder / "second.onnx", "--format", form)
    assert second.read_bytes() == first.read_bytes()
    found = outputs(second, inputs, folder)
    assert_equal(outputs(convert(second, folder / "second.json"), inputs, folder), found)
    assert_same_as_onnxruntime(found, second, inputs)
    return wanted, found


@pytest.mark.parametrize("form", ["qoperator", "qdq"])
@pytest.mark.parametrize("name", TFLITE)
def test_a_tflite_model(name, form, tmp_path):
    """ONNX rounds otherwise than TFLite: what is written equals ONNX Runtime; the workload equals the model."""
    assert_round_trip(data_path(f"models/{name}.tflite"), tmp_path, form)


@pytest.mark.parametrize("name", FLOAT_ONNX)
def test_a_float_onnx_model(name, tmp_path):
    options = ("--shape", "input=1,3,32,32") if name == "resnet8_float" else ()
    wanted, found = assert_round_trip(data_path(f"models/{name}.onnx"), tmp_path, "qdq", *options)
    assert_equal(found, wanted)


@pytest.fixture(name="quantized", scope="module")
def quantized_models(tmp_path_factory):
    """Path of a network that ONNX Runtime's tool has quantized, by (network, format)."""
    made = {}

    def make(name, model_format):
        if (name, model_format) not in made:
            folder = tmp_path_factory.mktemp(f"{name}_{model_format}")
            source = preprocess(data_path(f"models/{name}_float.onnx"), folder)
            shape = (1, 3, 32, 32) if name == "resnet8" else (1, 3, 224, 224)
            samples = list(np.random.default_rng(1).normal(0, 1, (2, *shape)).astype(np.float32))
            made[name, model_format] = quantize(source, samples, folder, model_format, "uint8")[1]
        return made[name, model_format]

    return make


@pytest.mark.parametrize("model_format", ["qoperator", "qdq"])
@pytest.mark.parametrize("name", ["resnet8", "efficientnet_lite0"])
def test_a_network_quantized_by_onnxruntime(quantized, name, model_format, tmp_path):
    source = quantized(name, model_format)
    options = ("--shape", "input=1,3,32,32") if name == "resnet8" else ()
    wanted, found = assert_round_trip(source, tmp_path, model_format, *options)
    assert_equal(found, wanted)
    inputs = random_inputs(source, tmp_path, *options)
    assert_equal(found, onnxruntime_outputs(source, inputs))
