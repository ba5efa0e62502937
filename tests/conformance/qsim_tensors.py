"""Runs qsim on a model and reads the tensors that it dumps."""

import json
import os
import pathlib
import struct
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
QSIM = os.environ.get("QSIM_BINARY", str(ROOT / "build" / "release" / "qsim"))
DTYPES = {"I8": np.int8, "U8": np.uint8, "I16": np.int16, "U16": np.uint16, "I32": np.int32, "I64": np.int64,
          "F32": np.float32}


def read_safetensors(path):
    """{name: array}; the format is 8 bytes of header length, a JSON header, data."""
    content = pathlib.Path(path).read_bytes()
    (header_bytes,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + header_bytes])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + header_bytes + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(content[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def run_qsim(*arguments):
    """A run that succeeds."""
    run = subprocess.run([QSIM, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=600)
    assert run.returncode == 0, f"exit code {run.returncode}: {run.stderr}"
    return run


def dump_tensors(model, inputs, folder, *options):
    """Every tensor of one run but what the reader of TFLite adds; `inputs` are (name, array) pairs."""
    arguments = ["--workload", model, "--dump-tensors", folder / "tensors.safetensors", "--quiet"]
    for index, (name, value) in enumerate(inputs):
        path = folder / f"input_{index}.npy"
        np.save(path, value)
        arguments += ["--input", f"{name}={path}"]
    run_qsim(*arguments, *options)
    tensors = read_safetensors(folder / "tensors.safetensors")
    return {name: value for name, value in tensors.items() if not name.endswith("#adjoint")}


def assert_same_tensors(actual, expected):
    """Bit for bit, by name; nothing that the model computes is missing."""
    missing = sorted(set(expected) - set(actual))
    assert not missing, f"not dumped: {missing}"
    unknown = sorted(set(actual) - set(expected))
    assert not unknown, f"not in the model: {unknown}"
    for name, wanted in expected.items():
        found = actual[name]
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), name
        different = np.flatnonzero(found.reshape(-1).view(np.uint8) != wanted.reshape(-1).view(np.uint8))
        assert different.size == 0, (
            f"{name}: {np.count_nonzero(found != wanted)} of {wanted.size} elements differ, the first at "
            f"{different[0] // wanted.itemsize}: {found.reshape(-1)[different[0] // wanted.itemsize]} instead of "
            f"{wanted.reshape(-1)[different[0] // wanted.itemsize]}")
