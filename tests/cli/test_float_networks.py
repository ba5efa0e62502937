"""Float networks from the command line: on the host as they are, on the chip once they are quantized."""

import json
import sys

import numpy as np
import pytest
import tflite
from qsim_process import ROOT, bad_input, qsim

sys.path.insert(0, str(ROOT / "tests" / "conformance"))
from model_writer import ModelWriter  # noqa: E402
from qsim_tensors import read_safetensors  # noqa: E402

RECORD = 1 + 3 * 32 * 32


def write_classifier(path, seed=3):
    """Convolution 3x3 with ReLU, average pool, fully connected, softmax: 32x32x3 pixels to ten classes."""
    random = np.random.default_rng(seed)
    writer = ModelWriter()

    def constant(name, shape, deviation):
        return writer.tensor(name, shape, np.float32, random.normal(0, deviation, shape))

    x = writer.tensor("x", [1, 32, 32, 3], np.float32)
    conv = writer.tensor("conv", [1, 32, 32, 8], np.float32)
    pool = writer.tensor("pool", [1, 4, 4, 8], np.float32)
    scores = writer.tensor("scores", [1, 10], np.float32)
    classes = writer.tensor("classes", [1, 10], np.float32)
    writer.inputs, writer.outputs = [x], [classes]
    writer.operator("CONV_2D", [x, constant("w1", [8, 3, 3, 3], 0.02), constant("b1", [8], 0.5)], [conv],
                    "Conv2DOptions", Padding=tflite.Padding.SAME, StrideW=1, StrideH=1, DilationWFactor=1,
                    DilationHFactor=1, FusedActivationFunction=1)
    writer.operator("AVERAGE_POOL_2D", [conv], [pool], "Pool2DOptions", Padding=tflite.Padding.VALID, StrideW=8,
                    StrideH=8, FilterWidth=8, FilterHeight=8)
    writer.operator("FULLY_CONNECTED", [pool, constant("w2", [10, 128], 0.1), constant("b2", [10], 0.2)], [scores],
                    "FullyConnectedOptions")
    writer.operator("SOFTMAX", [scores], [classes], "SoftmaxOptions", Beta=1.0)
    path.write_bytes(writer.bytes())


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    write_classifier(tmp_path / "net.tflite")
    random = np.random.default_rng(1)
    records = random.integers(0, 256, (40, RECORD), np.uint8)
    records[:, 0] = np.arange(40) % 10
    (tmp_path / "images.bin").write_bytes(records.tobytes())
    return tmp_path


def report_of(*arguments):
    run = qsim("--json", *arguments)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_float_network_is_host_work(folder):
    report = report_of("--workload", folder / "net.tflite")
    assert [layer["bound"] for layer in report["layers"]] == ["host"] * 4
    assert report["totals"]["macs"] == 0
    assert report["cycles"]["host"] == report["totals"]["cycles"] > 0
    assert sum(layer["mapping"]["host_macs"] for layer in report["layers"]) == 32 * 32 * 8 * 27 + 10 * 128
    weights = 4 * (8 * 27 + 10 * 128)
    traffic = report["traffic_bytes"]
    assert traffic["dram_read_weights"] == weights
    assert traffic["dram_read_parameters"] == 4 * (8 + 10)
    assert traffic["dram_write_activations"] == 4 * (32 * 32 * 8 + 4 * 4 * 8 + 10 + 10)
    assert report["events"]["host_write_bytes"] == traffic["dram_write_activations"]


def test_a_float_network_becomes_chip_work_when_bits_are_asked_for(folder):
    report = report_of("--workload", folder / "net.tflite", "--weight-bits", 4)
    assert {layer["mapping"]["unit"] for layer in report["layers"]} == {"mac_array", "vector_unit"}
    assert report["totals"]["macs"] == 32 * 32 * 8 * 27 + 10 * 128
    assert [layer["bits"]["weights"] for layer in report["layers"] if layer["macs"]] == [4, 4]
    notes = " ".join(report["provenance"]["notes"])
    assert "weights 4 bits, symmetric, a scale an output channel" in notes and "seeded inputs" in notes


def test_the_report_names_the_calibration(folder):
    report = report_of("--workload", folder / "net.tflite", "--calibration", f"cifar10:{folder / 'images.bin'}",
                       "--calibration-inputs", 16, "--ranges", "mse")
    notes = " ".join(report["provenance"]["notes"])
    assert "ranges of least squared error over 16 images of cifar10:images.bin" in notes
    assert str(folder) not in notes


@pytest.mark.parametrize("method", ["cle+mse+adaround", "mse+bias_correction"])
def test_methods_bring_weights_of_three_bits_nearer_to_the_float_network(folder, method):
    pixels = np.frombuffer((folder / "images.bin").read_bytes(), np.uint8).reshape(40, RECORD)[:, 1:]
    images = pixels.reshape(40, 3, 32, 32).transpose(0, 2, 3, 1).astype(np.float32)
    np.save(folder / "calibration.npy", images[:30])

    def classes(*arguments):
        rows = []
        for image in range(30, 36):
            np.save(folder / "x.npy", images[image:image + 1])
            run = qsim("--workload", folder / "net.tflite", "--input", folder / "x.npy", "--outputs",
                       folder / "out.safetensors", "--report", folder / "report.json", "--quiet", *arguments)
            assert run.returncode == 0, run.stderr
            rows.append(read_safetensors(folder / "out.safetensors")["classes"].astype(np.float64))
        return np.concatenate(rows)

    exact = classes()
    bits = ["--weight-bits", 3, "--calibration", folder / "calibration.npy"]
    plain = (classes(*bits) + 128) / 256
    better = (classes(*bits, "--method", method) + 128) / 256
    assert np.square(better - exact).sum() < 0.5 * np.square(plain - exact).sum()
    notes = " ".join(json.loads((folder / "report.json").read_text(encoding="utf-8"))["provenance"]["notes"])
    for word, note in {"cle": "of layers equalized", "adaround": "rounded up or down", "bias_correction": "biases corrected"}.items():
        assert (note in notes) == (word in method.split("+"))


@pytest.mark.parametrize("arguments, expected", [
    (["--method", "mse+magic"], ["--method", '"magic"', "minmax, mse"]),
    (["--method", "mse+mse"], ["--method", '"mse+mse"', "each word once"]),
    (["--method", "minmax+mse"], ["--method", "minmax or mse"]),
    (["--method", "sqnr(0)"], ["--method", '"sqnr(0)"', "a number of 1 to 1000"]),
    (["--method", "cle(2)"], ["--method", '"cle(2)"', "no number behind cle"]),
    (["--method", "mse", "--ranges", "mse"], ["--method", "a method has the ranges in it"])])
def test_methods_that_say_nothing_sensible(folder, arguments, expected):
    bad_input("--workload", folder / "net.tflite", *arguments)[0].says("qsim: ", *expected)


def test_a_quantized_network_takes_ranges_and_no_other_method():
    bad_input("--workload", "resnet8", "--scheme", "w4a8", "--method", "cle+mse")[0].says(
        "--method", '"cle+mse"', "quantized already", "float network")
    bad_input("--workload", "resnet8", "--method", "mse")[0].says("--method", '"mse"', "quantized already")


def test_a_converted_network_has_the_ranges_of_its_calibration(folder):
    options = ["--calibration", f"cifar10:{folder / 'images.bin'}", "--calibration-inputs", 16, "--ranges", "minmax", "--scheme", "w4a6"]
    run = qsim("convert", folder / "net.tflite", folder / "net.json", *options)
    assert run.returncode == 0, run.stderr
    expected = report_of("--workload", folder / "net.tflite", *options)
    assert report_of("--workload", folder / "net.json")["outputs"] == expected["outputs"]
    assert report_of("--workload", folder / "net.tflite", *options[4:])["outputs"] != expected["outputs"]


def test_ranges_are_of_least_squared_error_unless_a_method_says_otherwise(folder):
    options = ["--workload", folder / "net.tflite", "--calibration", f"cifar10:{folder / 'images.bin'}", "--calibration-inputs", 16,
               "--scheme", "w4a6"]
    plain = report_of(*options)
    assert "ranges of least squared error" in " ".join(plain["provenance"]["notes"])
    for further in (["--method", "mse"], ["--ranges", "mse"]):
        assert report_of(*options, *further)["outputs"] == plain["outputs"], further
    for further in (["--method", "minmax"], ["--ranges", "minmax"]):
        report = report_of(*options, *further)
        assert "min-max ranges" in " ".join(report["provenance"]["notes"])
        assert report["outputs"] != plain["outputs"], further
    # A step without ranges takes them too.
    assert report_of(*options, "--method", "bias_correction")["outputs"] == report_of(*options, "--method", "mse+bias_correction")["outputs"]


def test_weights_that_are_integers_already_keep_their_limits_unless_ranges_are_named():
    def outputs(*arguments):
        return report_of("--workload", "resnet8", "--scheme", "w4a8", *arguments)["outputs"]

    assert outputs() == outputs("--ranges", "minmax") != outputs("--ranges", "mse")


def test_quantized_outputs_are_near_the_float_outputs(folder):
    pixels = np.frombuffer((folder / "images.bin").read_bytes(), np.uint8).reshape(40, RECORD)[:, 1:]
    images = pixels.reshape(40, 3, 32, 32).transpose(0, 2, 3, 1).astype(np.float32)
    np.save(folder / "calibration.npy", images[:30])
    np.save(folder / "x.npy", images[35:36])

    def classes(*arguments):
        run = qsim("--workload", folder / "net.tflite", "--input", folder / "x.npy", "--outputs",
                   folder / "out.safetensors", "--quiet", *arguments)
        assert run.returncode == 0, run.stderr
        return read_safetensors(folder / "out.safetensors")["classes"].astype(np.float64)

    exact = classes()
    quantized = (classes("--calibration", folder / "calibration.npy") + 128) / 256
    assert np.abs(quantized - exact).max() < 0.03
    assert np.abs(exact).max() > 0.2


def test_values_through_the_modelled_memory_are_those_of_the_layers(folder):
    def outputs(*arguments):
        run = qsim("--workload", folder / "net.tflite", "--dump-tensors", folder / "out.safetensors", "--quiet", *arguments)
        assert run.returncode == 0, run.stderr
        return read_safetensors(folder / "out.safetensors")

    for bits in ([], ["--weight-bits", "8"]):
        layer, tile = outputs(*bits), outputs("--values", "tile", *bits)
        assert set(layer) == set(tile)
        for name, value in layer.items():
            assert value.tobytes() == tile[name].tobytes(), name


def test_evaluate_takes_float_networks(folder):
    arguments = ["evaluate", "--workload", folder / "net.tflite", "--data", f"cifar10:{folder / 'images.bin'}", "--json"]
    results = []
    for further in ([], ["--calibration", f"cifar10:{folder / 'images.bin'}"]):
        run = qsim(*arguments, *further)
        assert run.returncode == 0, run.stderr
        results.append(json.loads(run.stdout))
    assert [result["images"] for result in results] == [40, 40]
    assert abs(results[0]["top1"]["correct"] - results[1]["top1"]["correct"]) <= 3


def test_what_cannot_be_calibrated_is_refused(folder):
    net = folder / "net.tflite"
    (message,) = bad_input("--workload", "resnet8", "--calibration", "x.npy")
    message.says("--calibration", "a float network")
    (message,) = bad_input("--workload", net, "--calibration", "nowhere:x")
    message.says("nowhere")
    np.save(folder / "wrong.npy", np.zeros((1, 3, 32, 32), np.float32))
    (message,) = bad_input("--workload", net, "--calibration", folder / "wrong.npy")
    message.says("1x3x32x32", "1x32x32x3")
    np.save(folder / "nan.npy", np.full((1, 32, 32, 3), np.nan, np.float32))
    (message,) = bad_input("--workload", net, "--calibration", folder / "nan.npy")
    message.says("NaN")
    (folder / "empty").mkdir()
    (message,) = bad_input("--workload", net, "--calibration", folder / "empty")
    message.says("a folder of .npy files")
    (folder / "bits.json").write_text('{"conb": {"weights": 4}}')
    (message,) = bad_input("--workload", net, "--bits", folder / "bits.json")
    message.says("conb", "did you mean conv?")
