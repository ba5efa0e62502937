"""qsim quantize: what it writes runs as the float network does, the same for any number of threads, and is refused by name."""

import json

import numpy as np
import pytest
from qsim_process import bad_input, qsim
from test_float_networks import RECORD, write_classifier


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


def test_it_needs_inputs_and_a_float_network(folder, tmp_path):
    bad_input("quantize", "--workload", folder / "net.tflite", "--output", tmp_path / "net.json")[0].says(
        "--calibration", "nothing", "a thousand")
    bad_input("quantize", "--workload", "resnet8", "--calibration", folder / "calibration.npy", "--output",
              tmp_path / "net.json")[0].says("quantized already")


def test_a_chip_that_lacks_something_is_named(folder, tmp_path):
    messages = bad_input("quantize", "--hw", "npu", "--set", "requantizer.group_multiplier_bits=0", "--workload",
                         folder / "net.tflite", "--calibration", folder / "calibration.npy", "--scheme",
                         "w4a8:weights=per_group(4)", "--method", "minmax", "--output", tmp_path / "net.json")
    messages[0].says("npu", "group_multiplier_bits")
    assert not list(tmp_path.iterdir())
