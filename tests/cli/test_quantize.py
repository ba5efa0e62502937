"""qsim quantize: what it writes runs as the float network does, the same for any number of threads, and is refused by name."""

import json
import pathlib

import numpy as np
import pytest
from qsim_process import ROOT, bad_input, qsim
from test_float_networks import RECORD, write_classifier

SEPARABLE = ROOT / "tests" / "conformance" / "fashion_models" / "separable.onnx"
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantize")
    write_classifier(folder / "net.tflite")
    random = np.random.default_rng(1)
    records = random.integers(0, 256, (40, RECORD), np.uint8)
    (folder / "images.bin").write_bytes(records.tobytes())
    pixels = records[:, 1:].reshape(40, 3, 32, 32).transpose(0, 2, 3, 1).astype(np.float32)
    np.save(folder / "calibration.npy", pixels[:30])
    return folder


def quantize(folder, name, *arguments):
    run = qsim("quantize", "--workload", folder / "net.tflite", "--calibration", folder / "calibration.npy",
               "--output", folder / name, *arguments)
    assert run.returncode == 0, run.stderr
    return run.stdout


def columns_of(table):
    """{step: [dB of each node]}"""
    lines = [line for line in table.splitlines() if not line.startswith("note: ")]
    steps = lines[0].split()[4:]
    rows = [line.split()[-len(steps):] for line in lines[1:]]
    return {step: [float(row[i]) for row in rows] for i, step in enumerate(steps)}


def test_the_table_has_a_column_a_step_and_adaround_gains(folder):
    columns = columns_of(quantize(folder, "pipeline.json", "--scheme", "w3a8"))
    assert list(columns) == ["mse", "cle", "adaround"]
    assert columns["adaround"][0] > columns["cle"][0] + 1
    assert columns["adaround"][-2] > columns["cle"][-2] + 1
    columns = columns_of(quantize(folder, "bias.json", "--scheme", "w3a8", "--method", "bias_correction"))
    assert list(columns) == ["mse", "bias_correction"]


@pytest.mark.parametrize("scheme", ["w4a8", "w4a8:weights=per_tensor", "w4a8:weights=per_group(4)", "w4a8:weights=asymmetric", "w4a8:scales=power_of_two"])
def test_ranges_by_outputs_gain_over_limits_in_every_granularity(folder, scheme):
    columns = columns_of(quantize(folder, "ranges.json", "--scheme", scheme, "--method", "minmax+seqmse"))
    assert list(columns) == ["minmax", "seqmse"]
    # Of the first layer; behind it errors may cancel or add up.
    assert columns["seqmse"][0] >= columns["minmax"][0]


@pytest.mark.parametrize("method, note", [
    ("sqnr(5)", "what is clipped counted 5 times"), ("percentile(99.9)", "ranges of 99.9 % of the values"), ("mse+cross_entropy", "least squared error")])
def test_further_ranges_are_said_and_bring_other_grids(folder, method, note):
    assert note in quantize(folder, "ranges.json", "--scheme", "w4a4", "--method", method)
    quantize(folder, "plain.json", "--scheme", "w4a4", "--method", "minmax")
    assert json.loads((folder / "ranges.json").read_text())["layers"] != json.loads((folder / "plain.json").read_text())["layers"]


def test_the_workload_that_is_written_is_the_network_that_a_run_makes(folder):
    quantize(folder, "same.json", "--scheme", "w4a8", "--method", "mse", "--calibration-inputs", 30)

    def layers(*arguments):
        run = qsim("--json", *arguments)
        assert run.returncode == 0, run.stderr
        report = json.loads(run.stdout)
        return [(layer["name"], layer["cycles"], layer["bits"]) for layer in report["layers"]], report["totals"]

    written = layers("--workload", folder / "same.json")
    made = layers("--workload", folder / "net.tflite", "--scheme", "w4a8", "--ranges", "mse", "--calibration",
                  folder / "calibration.npy")
    assert written == made


def test_a_seed_is_a_file_and_another_seed_another(folder):
    def weights(seed, name):
        quantize(folder, name, "--scheme", "w3a8", "--calibration-inputs", 10, "--seed", seed)
        return (folder / name).with_suffix(".weights.safetensors").read_bytes()

    assert weights(1, "a.json") == weights(1, "b.json")
    assert weights(2, "c.json") != weights(1, "d.json")


def test_onnx_has_quantizers(folder):
    quantize(folder, "net.onnx", "--method", "minmax")
    run = qsim("check", "--workload", folder / "net.onnx", "--json")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("arguments, expected", [
    (["--output", "net.txt"], ["--output", '"net.txt"', ".json or .onnx"]),
    (["--output", "net.json", "--method", "magic"], ["--method", '"magic"', "pipeline"]),
    (["--output", "net.json", "--scheme", "w40a8"], ["--scheme", '"40"', "1 to 16 bits"]),
    (["--output", "no/such/net.json"], ["--output", "no/such"])])
def test_what_cannot_be_written_or_done(folder, tmp_path, arguments, expected):
    messages = bad_input("quantize", "--workload", folder / "net.tflite", "--calibration", folder / "calibration.npy",
                         *arguments, cwd=tmp_path)
    messages[0].says("qsim: ", *expected)
    assert not list(tmp_path.iterdir())


def test_without_inputs_it_needs_batch_norms_and_steps_that_need_none(folder, tmp_path):
    for command in (["quantize", "--output", tmp_path / "net.json"], ["--method", "pipeline"], ["--method", "bias_correction"]):
        bad_input(*command, "--workload", folder / "net.tflite")[0].says("net.tflite", "no batch norm", "--calibration")
    bad_input("quantize", "--workload", SEPARABLE, "--method", "mse+adaround", "--output", tmp_path / "net.json")[0].says(
        "--method", '"mse+adaround"', "batch_norm", "--calibration")
    bad_input("--workload", "resnet8", "--method", "batch_norm")[0].says("--method", "quantized already")
    assert not list(tmp_path.iterdir())


def test_batch_norms_give_ranges_without_inputs(tmp_path):
    run = qsim("quantize", "--workload", SEPARABLE, "--output", tmp_path / "net.json")
    assert run.returncode == 0, run.stderr
    for note in ("ranges of activations from batch norms", "0 to 255", "5 batch norms folded", "5 pairs of layers equalized",
                 "biases of 5 of 6 layers corrected"):
        assert note in run.stdout
    assert "SQNR" not in run.stdout
    description = json.loads((tmp_path / "net.json").read_text())
    # Pixels from 0 to 255 at a step of one.
    assert description["inputs"][0]["scale"] == 1


@pytest.mark.skipif(not FASHION.exists(), reason="needs Debian's dataset-fashion-mnist")
def test_a_network_quantized_without_data_is_within_a_point_of_a_calibrated_one():
    def right(*arguments):
        run = qsim("evaluate", "--workload", SEPARABLE, "--data", f"idx:{FASHION}", "--limit", 2000, "--json", *arguments)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)["top1"]["correct"]

    scheme = ["--scheme", "w8a8:weights=per_tensor"]
    without = right(*scheme, "--method", "pipeline")
    calibrated = right(*scheme, "--method", "pipeline", "--calibration", f"idx:{FASHION},split=train", "--calibration-inputs", 64)
    assert abs(without - calibrated) <= 20
    assert without > right(*scheme, "--method", "mse+batch_norm") + 20


def test_it_needs_a_float_network(folder, tmp_path):
    bad_input("quantize", "--workload", "resnet8", "--calibration", folder / "calibration.npy", "--output",
              tmp_path / "net.json")[0].says("quantized already")


def test_a_chip_that_lacks_something_is_named(folder, tmp_path):
    messages = bad_input("quantize", "--hw", "npu", "--set", "requantizer.group_multiplier_bits=0", "--workload",
                         folder / "net.tflite", "--calibration", folder / "calibration.npy", "--scheme",
                         "w4a8:weights=per_group(4)", "--method", "minmax", "--output", tmp_path / "net.json")
    messages[0].says("npu", "group_multiplier_bits")
    assert not list(tmp_path.iterdir())
