"""Row numbers of data sets that calibrate and judge, and the scores that `evaluate` writes."""

import csv
import json

import numpy as np
import pytest
from qsim_process import bad_input, qsim
from test_float_networks import RECORD, read_safetensors, write_classifier

IMAGES = 40


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    write_classifier(folder / "net.tflite")
    records = np.random.default_rng(1).integers(0, 256, (IMAGES, RECORD), np.uint8)
    records[:, 0] = np.arange(IMAGES) % 10
    (folder / "images.bin").write_bytes(records.tobytes())
    pixels = records[:, 1:].reshape(IMAGES, 3, 32, 32).transpose(0, 2, 3, 1).astype(np.float32)
    np.save(folder / "inputs.npy", pixels)
    np.savetxt(folder / "rows.txt", [31, 4, 17], fmt="%d")
    return folder


def evaluate(folder, *arguments):
    run = qsim("evaluate", "--workload", folder / "net.tflite", "--data", f"cifar10:{folder / 'images.bin'}", "--json", *arguments)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def scores(folder, *arguments):
    evaluate(folder, "--logits", folder / "logits.npy", *arguments)
    return np.load(folder / "logits.npy")


def tensors_of_a_run(folder, *arguments):
    np.save(folder / "some.npy", np.load(folder / "inputs.npy")[[4, 17, 31]])
    run = qsim("--workload", folder / "net.tflite", "--input", folder / "some.npy", "--batch", 3, "--dump-tensors", folder / "t.safetensors",
               "--quiet", *arguments)
    assert run.returncode == 0, run.stderr
    content = (folder / "t.safetensors").read_bytes()
    header = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])
    return read_safetensors(folder / "t.safetensors"), header.get("__metadata__", {})


def test_a_list_is_run_in_the_order_of_the_data_set(folder):
    report = evaluate(folder, "--list", folder / "rows.txt", "--predictions", folder / "some.csv")
    assert report["images"] == 3 and report["options"]["list"] == "rows.txt"
    evaluate(folder, "--predictions", folder / "all.csv")
    with (folder / "some.csv").open(newline="") as some, (folder / "all.csv").open(newline="") as everything:
        found, rows = list(csv.DictReader(some)), list(csv.DictReader(everything))
    assert found == [rows[4], rows[17], rows[31]]


def test_logits_of_a_float_network_are_the_floats_in_front_of_the_softmax(folder):
    found = scores(folder, "--list", folder / "rows.txt")
    assert found.dtype == np.float32 and found.shape == (3, 10)
    tensors, _ = tensors_of_a_run(folder)
    assert np.abs(found - tensors["scores"]).max() <= 1e-5 * np.abs(found).max()
    exponentials = np.exp(found.astype(np.float64))
    assert np.allclose(exponentials / exponentials.sum(1, keepdims=True), tensors["classes"], atol=1e-6)


def test_logits_of_a_quantized_network_are_its_integers_as_real_numbers(folder):
    scheme = ["--scheme", "w4a8", "--calibration", folder / "inputs.npy"]
    tensors, metadata = tensors_of_a_run(folder, *scheme)
    grid = json.loads(metadata["scores"])
    expected = (np.float64(grid["scale"]) * (tensors["scores"].astype(np.float64) - grid["zero_point"])).astype(np.float32)
    assert (scores(folder, "--list", folder / "rows.txt", *scheme) == expected).all()


def test_logits_have_a_row_an_image_whatever_the_number_of_processes(folder):
    one = scores(folder, "--jobs", 1)
    assert one.shape == (IMAGES, 10) and (one == scores(folder, "--jobs", 3)).all()
    assert (one[[4, 17, 31]] == scores(folder, "--list", folder / "rows.txt")).all()


def quantized(folder, *arguments):
    output = folder / "quantized.json"
    run = qsim("quantize", "--workload", folder / "net.tflite", "--scheme", "w4a8", "--method", "mse", "--output", output, *arguments)
    assert run.returncode == 0, run.stderr
    return output.with_name("quantized.weights.safetensors").read_bytes(), json.loads(output.read_text())["tensors"], run.stdout


def test_a_calibration_list_stands_for_the_inputs_that_it_names(folder):
    np.save(folder / "some.npy", np.load(folder / "inputs.npy")[[31, 4, 17]])
    of_array = quantized(folder, "--calibration", folder / "some.npy")
    listed = ["--calibration-list", folder / "rows.txt"]
    for data in (folder / "inputs.npy", f"cifar10:{folder / 'images.bin'}"):
        found = quantized(folder, "--calibration", data, *listed)
        assert found[:2] == of_array[:2] and "rows of rows.txt" in found[2]
    everything = quantized(folder, "--calibration", folder / "inputs.npy")
    assert everything[:2] != of_array[:2]


def test_a_long_calibration_list_is_taken_whole_unless_a_number_is_given(folder):
    np.savetxt(folder / "long.txt", np.arange(300) % 300, fmt="%d")
    np.save(folder / "many.npy", np.repeat(np.load(folder / "inputs.npy"), 8, axis=0))
    for further, count in (([], 300), (["--calibration-inputs", 7], 7)):
        run = qsim("--workload", folder / "net.tflite", "--calibration", folder / "many.npy", "--calibration-list", folder / "long.txt", *further)
        assert run.returncode == 0 and f"over {count} inputs of many.npy, rows of long.txt" in run.stdout


@pytest.mark.parametrize("content, words", [
    ("3\n40\n", ["line 2", '"40"', "0 to 39"]),
    ("-1\n", ["line 1", '"-1"', "0 to 39"]),
    ("5\n\nsix\n", ["line 3", '"six"', "one number a line"]),
    ("1.000e+00\n", ["line 1", "savetxt"]),
    ("7 8\n", ["line 1", '"7 8"']),
    ("7\n8\n7\n", ["line 3", '"7"', "line 1 has it"]),
    ("\n \n", ["no number"]),
    ("99999999999999999999\n", ["line 1"]),
])
def test_a_bad_list_is_refused_with_its_line(folder, content, words):
    path = folder / "bad.txt"
    path.write_text(content)
    images = f"cifar10:{folder / 'images.bin'}"
    for arguments in (["evaluate", "--data", images, "--list", path], ["evaluate", "--data", images, "--calibration", images, "--calibration-list", path]):
        (message,) = bad_input(*arguments, "--workload", folder / "net.tflite")
        message.says("bad.txt", *words)


def test_every_bad_line_is_told_at_once(folder):
    (folder / "bad.txt").write_text("x\n3\n3\n77\n")
    assert len(bad_input("evaluate", "--workload", folder / "net.tflite", "--data", f"cifar10:{folder / 'images.bin'}", "--list", folder / "bad.txt")) == 3


@pytest.mark.parametrize("arguments, word", [
    (["evaluate", "--data", "cifar10:images.bin", "--limit", "2", "--list"], "--limit"),
    (["--calibration-list"], "--calibration"),
    (["compare", "--list"], "--data"),
])
def test_options_that_a_list_needs_and_excludes_are_named(folder, arguments, word):
    (message,) = bad_input(*arguments, folder / "rows.txt", "--workload", folder / "net.tflite")
    message.says(word, "list")


def test_a_comparison_takes_both_lists(folder):
    rows = ["--data", f"cifar10:{folder / 'images.bin'}", "--list", folder / "rows.txt"]
    calibration = ["--calibration", folder / "inputs.npy", "--calibration-list", folder / "rows.txt"]
    run = qsim("compare", "--workload", folder / "net.tflite", "--schemes", "w8a8", "--json", *rows, *calibration)
    assert run.returncode == 0, run.stderr
    comparison = json.loads(run.stdout)
    assert comparison["inputs"]["count"] == 3 and comparison["options"]["list"] == "rows.txt"
    assert comparison["rows"][0]["top1"]["correct"] in range(4)
