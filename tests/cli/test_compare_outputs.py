"""`qsim compare-outputs`: two files of tensors, or a run and a reference."""

import json
import struct
import sys

import jsonschema
import numpy as np
import pytest
from qsim_process import ROOT, bad_input, qsim

sys.path.insert(0, str(ROOT / "tests" / "conformance"))
SCHEMA = json.loads((ROOT / "configs/schemas/compare_outputs.schema.json").read_text())
TYPES = {np.dtype(np.int8): "I8", np.dtype(np.uint8): "U8", np.dtype(np.int16): "I16", np.dtype(np.int32): "I32",
         np.dtype(np.float32): "F32"}


def write_safetensors(path, tensors, metadata=None):
    """The format from its description: 8 bytes of header length, a JSON header, data."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, array in tensors.items():
        content = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": TYPES[array.dtype], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def read_safetensors(path):
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    names = {name: dtype for dtype, name in TYPES.items()}
    return {name: np.frombuffer(content[8 + length + entry["data_offsets"][0] : 8 + length + entry["data_offsets"][1]],
                                names[entry["dtype"]]).reshape(entry["shape"]).copy() for name, entry in header.items()}


def compared(*arguments, code=0):
    run = qsim("compare-outputs", *arguments, "--json")
    assert run.returncode == code, run.stderr
    report = json.loads(run.stdout)
    jsonschema.validate(report, SCHEMA)
    assert report["equal"] == (code == 0)
    return report


@pytest.fixture(name="files")
def fixture_files(tmp_path):
    random = np.random.default_rng(3)
    tensors = {"conv": random.integers(-128, 128, (1, 4, 5, 6), np.int8), "real": random.normal(0, 1, (7,)).astype(np.float32)}
    scale = {"conv": '{"bits": 8, "signed": true, "scale": 0.25, "zero_point": 3}'}
    return tmp_path, tensors, write_safetensors(tmp_path / "a.safetensors", tensors, scale)


def test_equal_files_are_equal(files):
    folder, tensors, a = files
    b = write_safetensors(folder / "b.safetensors", dict(reversed(tensors.items())))
    report = compared(a, b)
    assert [t["verdict"] for t in report["tensors"]] == ["equal", "equal"]
    assert report["first_difference"] is None
    assert str(folder) not in json.dumps(report)


def test_differences_agree_with_numpy(files):
    folder, tensors, a = files
    other = {name: array.copy() for name, array in tensors.items()}
    random = np.random.default_rng(5)
    for index in random.choice(other["conv"].size, 11, replace=False):
        other["conv"].reshape(-1)[index] ^= 0x15
    other["real"][4] *= np.float32(1.001)
    report = compared(a, write_safetensors(folder / "b.safetensors", other), code=1)
    conv = next(t for t in report["tensors"] if t["name"] == "conv")["difference"]
    distance = np.abs(tensors["conv"].astype(int) - other["conv"].astype(int))
    assert (conv["elements"], conv["different"], conv["unequal"]) == (120, 11, 11)
    assert conv["largest"] == distance.max() and conv["largest_real"] == distance.max() * 0.25
    assert conv["largest_at"] == [int(i) for i in np.unravel_index(distance.argmax(), distance.shape)]
    assert conv["first_at"] == [int(i) for i in np.unravel_index(np.flatnonzero(distance)[0], distance.shape)]
    real = next(t for t in report["tensors"] if t["name"] == "real")["difference"]
    assert real["largest"] == pytest.approx(abs(float(tensors["real"][4]) - float(other["real"][4])))
    assert real["largest_at"] == [4] and real["largest_real"] is None


def test_tolerances_are_limits(files):
    folder, tensors, a = files
    other = {"conv": np.where(tensors["conv"] > 100, tensors["conv"] - 3, tensors["conv"]).astype(np.int8),
             "real": tensors["real"] + np.float32(0.001) * np.abs(tensors["real"]).max()}
    b = write_safetensors(folder / "b.safetensors", other)
    compared(a, b, "--tolerance", 3, "--float-tolerance", "2e-3")
    assert compared(a, b, "--tolerance", 2, "--float-tolerance", "2e-3", code=1)["failures"] == 1
    assert compared(a, b, "--tolerance", 3, "--float-tolerance", "1e-4", code=1)["failures"] == 1


def test_tensors_of_one_side_count_unless_only_common_ones_are_wanted(files):
    folder, tensors, a = files
    b = write_safetensors(folder / "b.safetensors", {"conv": tensors["conv"], "more": tensors["real"]})
    report = compared(a, b, code=1)
    assert {t["name"]: t["verdict"] for t in report["tensors"]} == {"conv": "equal", "real": "only_in_a", "more": "only_in_b"}
    compared(a, b, "--common")


def test_an_array_is_compared_with_the_tensor_that_is_chosen(files):
    folder, tensors, a = files
    np.save(folder / "conv.npy", tensors["conv"])
    compared(a, folder / "conv.npy", "--tensor", "conv")
    np.save(folder / "conv.npy", tensors["conv"].transpose(0, 3, 1, 2))
    report = compared(a, folder / "conv.npy", "--tensor", "conv", code=1)
    assert report["tensors"][0]["verdict"] == "other_shape" and report["tensors"][0]["b"] == "I8 1x6x4x5"
    (message,) = bad_input("compare-outputs", a, folder / "conv.npy")
    message.says("conv.npy", "--tensor NAME")


def test_a_run_is_compared_with_a_reference_and_the_first_layer_named(tmp_path):
    dump = tmp_path / "dump.safetensors"
    assert qsim("--workload", "resnet8", "--dump-tensors", dump, "--quiet").returncode == 0
    report = compared("--workload", "resnet8", dump)
    order = [t["name"] for t in report["tensors"]]
    assert order[0] == "image" and order[-1] == "probabilities"
    tensors = read_safetensors(dump)
    some = {name: tensors[name] for name in order[-4:]}
    compared("--workload", "resnet8", write_safetensors(tmp_path / "some.safetensors", some))
    tensors[order[5]].reshape(-1)[77] ^= 1
    tensors[order[7]].reshape(-1)[78] ^= 1
    changed = write_safetensors(tmp_path / "changed.safetensors", tensors)
    report = compared("--workload", "resnet8", changed, code=1)
    assert report["first_difference"] == order[5] and report["failures"] == 2
    files = compared("--workload", "resnet8", dump, changed, code=1)
    assert files["first_layer"] == report["first_layer"]
    unknown = write_safetensors(tmp_path / "unknown.safetensors", {**some, "nobody": tensors[order[1]]})
    assert compared("--workload", "resnet8", unknown, code=1)["tensors"][-1]["verdict"] == "only_in_b"


def test_another_profile_is_explained(tmp_path):
    dump = tmp_path / "dump.safetensors"
    assert qsim("--workload", "resnet8", "--dump-tensors", dump, "--quiet", "--set",
                "requantizer.rounding_profile=power_of_two").returncode == 0
    report = compared("--workload", "resnet8", dump, "--explain", code=1)
    explanation = report["explanation"]
    exact = [suspect["name"] for suspect in explanation["suspects"] if suspect["unexplained"] == 0]
    # Behind a ReLU no negative tie is left, in which rounding half up is another thing.
    assert exact == ["power_of_two", "power_of_two_half_up"] and explanation["node"] == report["first_layer"]
    text = qsim("compare-outputs", "--workload", "resnet8", dump, "--explain")
    assert text.returncode == 1 and "power_of_two" in text.stdout and "exactly" in text.stdout


@pytest.mark.parametrize("rounding", ["half_up", "truncate"])  # half_even is what float32 computes with such scales.
def test_another_shift_rounding_is_explained(tmp_path, rounding):
    # M = 1/4 * 1/2 / 1 = 2^-3: sums of 4 modulo 8 are ties.
    workload = {"name": "shift", "semantics": "onnx",
                "inputs": [{"name": "x", "shape": [1, 4, 4, 8], "scale": 0.25}],
                "layers": [{"op": "conv2d", "name": "y", "input": "x", "output": {"scale": 1.0},
                            "weights": {"shape": [4, 1, 1, 8], "scale": 0.5, "values": [(7 * i) % 11 - 5 for i in range(32)]}}],
                "outputs": ["y"]}
    path = tmp_path / "shift.json"
    path.write_text(json.dumps(workload))
    dump = tmp_path / "dump.safetensors"
    shifts = ["--set", "requantizer.rounding_profile=power_of_two", "--set", f"requantizer.shift_rounding={rounding}"]
    run = qsim("--workload", path, "--dump-tensors", dump, "--quiet", *shifts)
    assert run.returncode == 0, run.stderr
    suspects = compared("--workload", path, dump, "--explain", code=1)["explanation"]["suspects"]
    exact = [suspect["name"] for suspect in suspects if suspect["unexplained"] == 0]
    assert [name for name in exact if name.startswith("power_of_two")] == [f"power_of_two_{rounding}"]


def test_a_reference_recorded_on_a_processor_that_saturates_is_named(tmp_path):
    """One layer of ONNX Runtime, as a processor with AVX2 alone and one with VNNI computed it."""
    from onnx import numpy_helper  # pylint: disable=import-outside-toplevel
    from saturated_layers import layers, recorded  # pylint: disable=import-outside-toplevel
    model, inputs = layers()["QGemm"]
    constants = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
    unsigned = {"bits": 8, "signed": False}

    def activations(scale, zero_point):
        return {**unsigned, "scale": float(constants[scale]), "zero_point": int(constants[zero_point])}

    workload = {
        "name": "gemm", "semantics": "onnx", "inputs": [{"name": "x", "shape": [3, 37], **activations("xs", "xz")}],
        "layers": [{"op": "fully_connected", "name": "y", "input": "x",
                    "weights": {"shape": [5, 37], "scale": float(constants["ws"]), "values": constants["w"].reshape(-1).tolist()},
                    "bias": {"values": constants["b"].tolist()}, "output": activations("ys", "yz")}],
        "outputs": ["y"]}
    (tmp_path / "gemm.json").write_text(json.dumps(workload))
    np.save(tmp_path / "x.npy", inputs["x"])
    arguments = ["--workload", tmp_path / "gemm.json", "--input", f"x={tmp_path / 'x.npy'}"]
    exact, saturated = (write_safetensors(tmp_path / f"{kind}.safetensors", {"y": recorded(kind)["layers"]["QGemm"]})
                        for kind in ("exact", "saturated"))
    compared(*arguments, exact, "--explain")
    explanation = compared(*arguments, saturated, "--explain", code=1)["explanation"]
    assert [s["name"] for s in explanation["suspects"] if s["unexplained"] == 0] == ["saturated_pairs"]
    assert explanation["verdict"].startswith("b was made by kernels that saturate")
    text = qsim("compare-outputs", *arguments, saturated, "--explain").stdout
    assert text.splitlines()[-1].startswith("verdict: b was made by kernels that saturate: x86 without VNNI")


def test_a_report_is_what_json_prints(files):
    folder, _, a = files
    run = qsim("compare-outputs", a, a, "--json", "--report", folder / "report.json")
    assert run.returncode == 0 and (folder / "report.json").read_text() == run.stdout


BAD = {
    "nothing": ([], ["FILE", "got nothing"]),
    "one file and no network": (["a"], ["--workload"]),
    "three files": (["a", "a", "a"], ["more than two files"]),
    "no such file": (["a", "missing.safetensors"], ["missing.safetensors"]),
    "an explanation without a network": (["a", "a", "--explain"], ["--explain", "--workload"]),
    "an input with two files": (["a", "a", "--seed", "3"], ["--seed", "two files"]),
    "a tolerance below 0": (["a", "a", "--tolerance", "-1"], ["--tolerance"]),
    "a tolerance of words": (["a", "a", "--float-tolerance", "small"], ["--float-tolerance", '"small"']),
    "an infinite tolerance": (["a", "a", "--float-tolerance", "inf"], ["--float-tolerance"]),
    "a tensor of another name": (["a", "a", "--tensor", "cnov"], ["--tensor", "did you mean conv?"]),
    "nothing in common": (["a", "--workload", "resnet8"], ["a.safetensors", "tensors of the same names"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_named(case, files):
    folder, _, a = files
    words, says = BAD[case]
    arguments = [a if word == "a" else folder / word if word.endswith(".safetensors") else word for word in words]
    bad_input("compare-outputs", *arguments)[0].says(*says)


def test_a_damaged_file_is_named(files):
    folder, _, a = files
    content = a.read_bytes()
    (folder / "short.safetensors").write_bytes(content[:-3])
    bad_input("compare-outputs", a, folder / "short.safetensors")[0].says("short.safetensors")
