"""Whole data sets: every prediction of `qsim evaluate` is the one of LiteRT's reference kernels."""

import csv

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from qsim_tensors import run_qsim
from shared_data import data_path


def litert_predictions(model, inputs):
    interpreter = Interpreter(model_content=model.read_bytes(),
                              experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    (source,), (scores,) = interpreter.get_input_details(), interpreter.get_output_details()
    for value in inputs:
        interpreter.set_tensor(source["index"], value[np.newaxis])
        interpreter.invoke()
        yield int(np.argmax(interpreter.get_tensor(scores["index"])))


def predictions(path):
    with path.open(newline="") as file:
        return [int(row["top1"]) for row in csv.DictReader(file)]


def test_resnet8_on_cifar10_image_by_image(tmp_path):
    model, images = data_path("models/resnet8_int8.tflite"), data_path("cifar10/test_batch_even.bin")
    run_qsim("evaluate", "--workload", model, "--data", f"cifar10:{images}", "--predictions", tmp_path / "p.csv", "--quiet")
    records = np.fromfile(images, np.uint8).reshape(-1, 1 + 3 * 32 * 32)
    pixels = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    inputs = (pixels.astype(np.int16) - 128).astype(np.int8)  # what the model's description asks for
    expected = list(litert_predictions(model, inputs))
    assert predictions(tmp_path / "p.csv") == expected
    assert len(expected) == 5000 and sum(expected == records[:, 0]) == 3761
