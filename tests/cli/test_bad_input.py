"""Kinds of bad input: exit code 2, nothing on standard output, and a message that
names file (or argument), place, value, what was expected and what to do."""

import json
import os
import re
import struct
import sys

import numpy as np
import pytest
from qsim_process import ROOT, bad_input, qsim

sys.path.insert(0, str(ROOT / "tests" / "conformance"))
from model_writer import ModelWriter  # noqa: E402

WHOLE_MESSAGE = re.compile(r"qsim: (?P<file>.+?): got (?P<value>.+), expected (?P<expected>.+); (?P<remedy>.+)")


def check(message, *words):
    """All five parts are there, and the words that say which file, where and what."""
    assert WHOLE_MESSAGE.fullmatch(message.line), message.line
    message.says(*map(str, words))


# ---- workload JSON ------------------------------------------------------------------------------------------------


def workload():
    """A convolution and a classifier of it."""
    return {"name": "small", "semantics": "tflite", "tensors": {"generator": "normal", "seed": 1},
            "inputs": [{"name": "x", "shape": [1, 6, 6, 3], "scale": 0.05, "zero_point": 3}],
            "layers": [
                {"op": "conv2d", "name": "conv", "input": "x", "weights": {"shape": [4, 3, 3, 3], "scale": 0.02, "axis": 0},
                 "bias": True, "padding": 1, "activation": "relu", "output": {"scale": 0.1, "zero_point": -128}},
                {"op": "average_pool2d", "name": "pool", "input": "conv", "kernel": 6},
                {"op": "fully_connected", "name": "logits", "input": "pool", "weights": {"shape": [5, 4], "scale": 0.03},
                 "output": {"scale": 0.2, "zero_point": 0}}],
            "outputs": ["logits"]}


def set_at(path, value):
    def change(content):
        *keys, last = path
        for key in keys:
            content = content[key]
        if value is None:
            del content[last]
        else:
            content[last] = value
    return change


def double_layer(content):
    content["layers"].append(dict(content["layers"][2]))


def cycle(content):
    content["layers"][0]["input"] = "again"
    content["layers"].append({"op": "relu", "name": "again", "input": "pool", "output": {"scale": 0.1, "zero_point": 0}})


WORKLOADS = {
    "an unknown key": (set_at(["layers", 0, "strides"], 2), ["layers[0].strides", "stride"]),
    "an unknown operation": (set_at(["layers", 0, "op"], "conv2f"), ["layers[0].op", '"conv2f"', "conv2d"]),
    "a missing key": (set_at(["inputs", 0, "shape"], None), ["inputs[0].shape"]),
    "a name that leads nowhere": (set_at(["layers", 1, "input"], "convv"), ["layers[1].input", '"convv"', "conv"]),
    "an output that nobody makes": (set_at(["outputs"], ["logit"]), ["outputs[0]", '"logit"', "logits"]),
    "a name used twice": (double_layer, ["layers[3]", '"logits"']),
    "a cycle": (cycle, ["layers"]),
    "a layer that feeds itself": (set_at(["layers", 1, "input"], "pool"), ["layers[1]", "pool"]),
    "a negative scale": (set_at(["layers", 0, "output", "scale"], -0.1), ["layers[0].output.scale", "-0.1"]),
    "a scale of zero": (set_at(["inputs", 0, "scale"], 0), ["inputs[0].scale", "0"]),
    "a scale in words": (set_at(["layers", 0, "weights", "scale"], "NaN"), ["layers[0].weights.scale", '"NaN"']),
    "a scale beyond float32": (set_at(["layers", 0, "weights", "scale"], 1e39), ["layers[0].weights.scale", "1e+39"]),
    "a scale below float32": (set_at(["layers", 0, "weights", "scale"], 1e-60), ["layers[0].weights.scale", "1e-60"]),
    "a zero point outside the type": (set_at(["inputs", 0, "zero_point"], 200), ["zero", "200"]),
    "17 bits": (set_at(["layers", 0, "weights", "bits"], 17), ["layers[0].weights.bits", "17"]),
    "a dimension of zero": (set_at(["inputs", 0, "shape"], [1, 0, 6, 3]), ["inputs[0].shape"]),
    "2^40 elements": (set_at(["inputs", 0, "shape"], [1, 2**20, 2**20, 3]), ["inputs[0].shape"]),
    "sizes that overflow": (set_at(["layers", 2, "weights", "shape"], [2**31, 2**33]), ["layers[2].weights.shape"]),
    "weights of another depth": (set_at(["layers", 2, "weights", "shape"], [5, 7]), ["layers[2]", "1x1x1x4", "depth"]),
    "a kernel larger than its input": (set_at(["layers", 1, "kernel"], 9), ["layers[1]", "1x6x6x4", "window"]),
    "an axis that the weights do not have": (set_at(["layers", 0, "weights", "axis"], 3), ["conv.bias", "3 scales"]),
    "a stride of zero": (set_at(["layers", 0, "stride"], 0), ["layers[0].stride", "0"]),
    "a fraction for an integer": (set_at(["layers", 0, "padding"], 1.5), ["layers[0].padding", "1.5"]),
    "no layers": (set_at(["layers"], []), ["layers"]),
    "no outputs": (set_at(["outputs"], []), ["outputs"]),
    "a list for an object": (set_at(["tensors"], [1]), ["tensors"]),
    "a tensor file that is not there": (set_at(["tensors"], "weights.safetensors"), ["weights.safetensors"]),
    "semantics of a third kind": (set_at(["semantics"], "caffe"), ["semantics", '"caffe"', "tflite"]),
}


@pytest.mark.parametrize("case", WORKLOADS)
def test_a_workload_with(case, tmp_path):
    change, words = WORKLOADS[case]
    content = workload()
    change(content)
    file = tmp_path / "net.json"
    file.write_text(json.dumps(content))
    check(bad_input("--workload", file)[0], tmp_path, *words)


TEXTS = {
    "an empty file": (b"", ["empty"]),
    "a file that is cut short": (b'{"name": "x", "layers": [', ["line 1, column 26"]),
    "binary rubbish": (bytes(range(256)) * 4, ["net.json"]),
    "a value that is no object": (b"[1, 2]", ["net.json"]),
    "brackets without end": (b"[" * 1_000_000, ["net.json"]),
    "a key given twice": (b'{"name": "x", "name": "y"}', ["name"]),
    "text that is not UTF-8": (b'{"name": "\xff\xfe"}', ["byte"]),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_workload_file_with(case, tmp_path):
    content, words = TEXTS[case]
    file = tmp_path / "net.json"
    file.write_bytes(content)
    check(bad_input("--workload", file)[0], file, *words)


# ---- arrays and tensor files ----------------------------------------------------------------------------------------


def npy(path, array):
    np.save(path, array)
    return path


def edited_npy(path, old, new):
    np.save(path, np.zeros((1, 6, 6, 3), np.int8))
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    return path


X = (1, 6, 6, 3)
ARRAYS = {
    "another shape": (lambda p: npy(p, np.zeros((1, 6, 6, 4), np.int8)), ["1x6x6x4", "1x6x6x3"]),
    "another rank": (lambda p: npy(p, np.zeros((6, 6, 3), np.int8)), ["6x6x3"]),
    "another type": (lambda p: npy(p, np.zeros(X, np.int16)), ["int16", "int8"]),
    "a type that is none of ours": (lambda p: npy(p, np.zeros(X, np.complex64)), ["descr", "<c8"]),
    "big-endian numbers": (lambda p: npy(p, np.zeros(X, ">f4")), ["descr", ">f4"]),
    "Fortran's order": (lambda p: npy(p, np.asfortranarray(np.zeros(X, np.int8))), ["fortran_order", "True"]),
    "a NaN": (lambda p: npy(p, np.full(X, np.nan, np.float32)), ["element 0"]),
    "data that end early": (lambda p: p.write_bytes(npy(p, np.zeros(X, np.int8)).read_bytes()[:-1]) and p, ["data", "107"]),
    "data that go on": (lambda p: p.write_bytes(npy(p, np.zeros(X, np.int8)).read_bytes() + b"x") and p, ["data", "109"]),
    "a shape of 2^40 elements": (lambda p: edited_npy(p, b"(1, 6, 6, 3)", b"(1048576, 1048576)"), ["data", "1099511627776"]),
    "a negative dimension": (lambda p: edited_npy(p, b"(1, 6, 6, 3)", b"(1, -6, 6,3)"), ["shape"]),
    "a header that is no dictionary": (lambda p: edited_npy(p, b"{'descr'", b"['descr'"), ["header"]),
    "another magic number": (lambda p: edited_npy(p, b"NUMPY", b"NUMPI"), ["bytes 0 to 5"]),
    "version 9": (lambda p: edited_npy(p, b"NUMPY\x01", b"NUMPY\x09"), ["version", "9"]),
    "a name that is not there": (lambda p: p, ["input.npy"]),
    "a folder": (lambda p: p.mkdir() or p, ["folder"]),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_an_input_array_with(case, tmp_path):
    make, words = ARRAYS[case]
    (tmp_path / "net.json").write_text(json.dumps(workload()))
    file = make(tmp_path / "input.npy")
    check(bad_input("--workload", tmp_path / "net.json", "--input", file)[0], file, *words)


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="I8", shape=(4, 3, 3, 3), begin=0, end=108):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


TENSORS = {
    "fewer than eight bytes": (b"abc", ["8 bytes"]),
    "a header longer than the file": (struct.pack("<Q", 1 << 60) + b"{}", ["header length", str(1 << 60)]),
    "a header that is no JSON": (safetensors(b"{w: 1}"), ["w.safetensors", "line 1, column 2"]),
    "an unknown type": (safetensors({"w": entry("I3")}, bytes(108)), ["w.dtype", '"I3"']),
    "offsets beyond the file": (safetensors({"w": entry(end=2000)}, bytes(108)), ["w.data_offsets"]),
    "offsets that go back": (safetensors({"w": entry(begin=108, end=0)}, bytes(108)), ["w.data_offsets"]),
    "offsets that do not fit the shape": (safetensors({"w": entry(end=107)}, bytes(107)), ["w", "107"]),
    "two tensors in the same place": (safetensors({"w": entry(), "v": entry()}, bytes(108)), ["data_offsets"]),
    "a shape that overflows": (safetensors({"w": entry(shape=(2**40, 2**40))}, bytes(108)), ["w.data_offsets", "a shape"]),
    "another tensor than asked for": (safetensors({"u": entry()}, bytes(108)), ['"w"']),
    "weights of another shape": (safetensors({"w": entry(shape=(4, 27))}, bytes(108)), ["4x27"]),
}


@pytest.mark.parametrize("case", TENSORS)
def test_a_tensor_file_with(case, tmp_path):
    content, words = TENSORS[case]
    net = workload()
    net["layers"] = net["layers"][:1]
    net["layers"][0].update(weights={"name": "w", "shape": [4, 3, 3, 3], "scale": 0.02}, bias=False)
    net["tensors"], net["outputs"] = "w.safetensors", ["conv"]
    (tmp_path / "net.json").write_text(json.dumps(net))
    (tmp_path / "w.safetensors").write_bytes(content)
    check(bad_input("--workload", tmp_path / "net.json")[0], tmp_path, *words)


# ---- TFLite files -------------------------------------------------------------------------------------------------------


def tflite_model(change=None):
    """A fully connected layer; `change` alters its numbers before it is written."""
    numbers = {"x": [1, 8], "w": [4, 8], "y": [1, 4], "type": np.int8, "scales": [0.1], "inputs": [0, 1, 2],
               "outputs": [3], "code": "FULLY_CONNECTED", "options": "FullyConnectedOptions", "custom": ""}
    numbers.update(change or {})
    writer = ModelWriter()
    weights = np.ones([4, 8], np.int8)
    x = writer.tensor("x", numbers["x"], numbers["type"], None, numbers["scales"], [0])
    writer.tensor("w", numbers["w"], np.int8, weights, [0.02], [0])
    writer.tensor("b", [4], np.int32, np.zeros(4), [0.002], [0])
    y = writer.tensor("y", numbers["y"], numbers["type"], None, [0.1], [0])
    writer.operator(numbers["code"], numbers["inputs"], numbers["outputs"], numbers["options"], custom=numbers["custom"])
    writer.inputs, writer.outputs = [x], [y]
    return writer.bytes()


def overwritten(position, value):
    content = bytearray(tflite_model())
    content[position:position + 4] = struct.pack("<I", value)
    return bytes(content)




TFLITE = {
    "a cut in the middle": (lambda: tflite_model()[:300], ["byte"]),
    "its first bytes alone": (lambda: tflite_model()[:8], ["byte"]),
    "a root offset beyond the file": (lambda: overwritten(0, 0xFFFFFF00), ["byte 4294967040", "688 bytes"]),
    "a root offset of zero": (lambda: overwritten(0, 0), ["byte"]),
    "another identifier": (lambda: overwritten(4, 0x334C4653), ["net.tflite"]),
    "zeros from the root on": (lambda: tflite_model()[:8] + bytes(1000), ["byte"]),
    "ones from the root on": (lambda: tflite_model()[:8] + b"\xff" * 1000, ["byte"]),
    "an operand that does not exist": (lambda: tflite_model({"inputs": [0, 99, 2]}), ["operator 0", "99"]),
    "an operand of -7": (lambda: tflite_model({"inputs": [0, -7, 2]}), ["operator 0", "-7"]),
    "an operator that feeds itself": (lambda: tflite_model({"inputs": [3, 1, 2]}), ["operator 0"]),
    "a negative dimension": (lambda: tflite_model({"x": [1, -8]}), ['"x"', "-8"]),
    "a tensor of 2^40 elements": (lambda: tflite_model({"x": [2**20, 2**20]}), ['"x"']),
    "weights larger than their buffer": (lambda: tflite_model({"w": [4, 800]}), ['"w"', "32"]),
    "weights that do not fit the input": (lambda: tflite_model({"x": [1, 9]}), ["operator 0"]),
    "float activations": (lambda: tflite_model({"type": np.float32, "scales": None}), ["float"]),
    "an input without a scale": (lambda: tflite_model({"scales": None}), ['"x"']),
    "a NaN scale": (lambda: tflite_model({"scales": [float("nan")]}), ['"x"', "nan"]),
    "a negative scale": (lambda: tflite_model({"scales": [-0.5]}), ['"x"', "-0.5"]),
    "an infinite scale": (lambda: tflite_model({"scales": [float("inf")]}), ['"x"', "inf"]),
    "an operator nobody knows": (lambda: tflite_model({"code": "CUSTOM", "options": None, "custom": "Foo"}), ["Foo"]),
    "an operator that is not supported": (lambda: tflite_model({"code": "COS", "options": None, "inputs": [0]}), ["COS"]),
    "an output that nobody makes": (lambda: tflite_model({"outputs": [0]}), ["operator 0"]),
}


@pytest.mark.parametrize("case", TFLITE)
def test_a_tflite_model_with(case, tmp_path):
    make, words = TFLITE[case]
    file = tmp_path / "net.tflite"
    file.write_bytes(make())
    check(bad_input("--workload", file)[0], file, *words)


def test_the_tflite_model_that_the_others_are_made_from_runs(tmp_path):
    (tmp_path / "net.tflite").write_bytes(tflite_model())
    run = qsim("--workload", tmp_path / "net.tflite", "--quiet")
    assert run.returncode == 0, run.stderr


# ---- SCALE-Sim topologies ---------------------------------------------------------------------------------------------

HEADING = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
TOPOLOGIES = {
    "a row that is cut short": ("a, 8, 8, 3, 3, 4, 16,", ["line 2", "6 numbers"]),
    "a word for a number": ("a, 8, 8, 3, x, 4, 16, 1,", ["line 2", '"x"']),
    "a stride of zero": ("a, 8, 8, 3, 3, 4, 16, 0,", ["line 2", '"0"']),
    "a filter larger than its ifmap": ("a, 8, 8, 3, 9, 4, 16, 1,", ["line 2", "filter width 9", "8"]),
    "sparse filters": ("a, 8, 8, 3, 3, 4, 16, 1, 2:4,", ["line 2", "2:4", "1:1"]),
    "a product among convolutions": ("a, 8, 8, 3, 3, 4, 16, 1,\nb, 8, 8, 8,", ["line 3", "3 numbers"]),
    "an ifmap of 2^40 elements": ("a, 1048576, 1048576, 1, 1, 1, 1, 1,", ["line 2", "1x1048576x1048576x1"]),
    "a heading alone": ("", ["no layers"]),
}


@pytest.mark.parametrize("case", TOPOLOGIES)
def test_a_topology_with(case, tmp_path):
    rows, words = TOPOLOGIES[case]
    file = tmp_path / "net.csv"
    file.write_text(HEADING + rows + "\n")
    check(bad_input("--workload", file)[0], file, *words)


# ---- files that are something else ----------------------------------------------------------------


@pytest.mark.parametrize("option", ["--workload", "--hw", "--bits"])
def test_a_device_or_a_folder_given_as_a_file(option, tmp_path):
    others = [] if option == "--workload" else ["--workload", "resnet8"]
    for path in ("/dev/zero", tmp_path):
        check(bad_input(option, path, *others)[0], path)


def test_a_pipe_that_nobody_writes_to_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (message, *_) = bad_input("--workload", tmp_path / "pipe.json")
    check(message, tmp_path / "pipe.json")
