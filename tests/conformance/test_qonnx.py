"""QONNX networks as integers on the chip: every quantized tensor is that of the qonnx package's executor."""

import json
import pathlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from qonnx.transformation.qonnx_to_qcdq import QuantToQCDQ
from qonnx_reference import Network, before_rounding
from qsim_tensors import read_safetensors, run_qsim
from shared_data import data_path

BATCH = 100
MODELS = pathlib.Path(__file__).parent / "qonnx_models"
# float32 sums of a few hundred terms, in units of the quantizer.
NEAR = 1e-4


def run_chip(model, inputs, folder, *options):
    """Tensors and the report of one batch."""
    arguments = ["--workload", model, "--batch", BATCH, "--dump-tensors", folder / "tensors.safetensors",
                 "--report", folder / "report.json", "--quiet"]
    for name, value in inputs.items():
        np.save(folder / f"{name}.npy", value)
        arguments += ["--input", f"{name}={folder / f'{name}.npy'}"]
    run_qsim(*arguments, *options)
    return read_safetensors(folder / "tensors.safetensors"), json.loads((folder / "report.json").read_text())


def compare_quantized(network, tensors):
    """Every activation quantizer's integers; what differs from the executor lies on a boundary of its float32. Returns how many
    elements there are and what differs, with the value in float64."""
    elements, different = 0, []
    for node in network.quantizers():
        found = tensors[node.output[0] + "#q"].astype(np.int64)
        expected = network.integers(node.output[0]).astype(np.int64)
        assert found.shape == expected.shape, node.name
        elements += found.size
        for index in zip(*np.nonzero(found != expected), strict=True):
            value = np.broadcast_to(before_rounding(network, node), found.shape)[index]
            different.append((node.name, index, int(found[index]), int(expected[index]), float(value)))
    return elements, different


def assert_equal(network, tensors):
    elements, different = compare_quantized(network, tensors)
    assert len(different) <= elements // 100_000, different[:10]
    for name, index, found, expected, value in different:
        distance = abs(value - np.floor(value) - 0.5)
        assert distance < NEAR, f"{name} {index}: {found} instead of {expected}, {value}"


def mac_widths(report):
    return sorted(event for event, count in report["events"].items()
                  if event.startswith("macs_w") and count)


# Values as the networks see them: pixels, cepstral coefficients, features of unit variance.
SHARED = {
    "TFC_2W2A": (lambda rng, shape: rng.integers(0, 256, shape) / 255.0, ["macs_w2a2"], 0),
    "kwsmlp_w3a3": (lambda rng, shape: rng.normal(0.0, 40.0, shape), ["macs_w3a3", "macs_w3a8"], 0),
    "qkeras_jettagging": (lambda rng, shape: rng.normal(0.0, 1.0, shape), ["macs_w6a6"], 1),
}


@pytest.mark.parametrize("name", SHARED)
def test_trained_networks_of_others_give_the_executors_integers(name, tmp_path):
    draw, widths, _ = SHARED[name]
    model = data_path(f"models/qonnx/{name}.onnx")
    network = Network(model, BATCH)
    rng = np.random.default_rng(14)
    inputs = {key: draw(rng, shape).astype(np.float32) for key, shape in network.inputs.items()}
    outputs = network.execute(inputs)
    tensors, report = run_chip(model, inputs, tmp_path)
    assert_equal(network, tensors)
    assert mac_widths(report) == widths
    for key, value in outputs.items():
        np.testing.assert_allclose(tensors[key], value, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bits", [4, 2])
def test_convolutions_of_brevitas_give_the_executors_integers(bits, tmp_path):
    model = MODELS / f"conv_w{bits}a{bits}.onnx"
    network = Network(model, BATCH)
    rng = np.random.default_rng(14)
    inputs = {key: rng.normal(0.0, 0.5, shape).astype(np.float32) for key, shape in network.inputs.items()}
    outputs = network.execute(inputs)
    tensors, report = run_chip(model, inputs, tmp_path)
    assert_equal(network, tensors)
    assert mac_widths(report) == [f"macs_w{bits}a{bits}", f"macs_w{bits}a8"]
    # Behind the last quantizer: a bias of floats.
    assert [layer["name"] for layer in report["layers"] if layer["bound"] == "host"] == ["node_linear#scaled"]
    for key, value in outputs.items():
        np.testing.assert_allclose(tensors[key], value, rtol=1e-4, atol=1e-4)


class Maker:
    """A network of quantizers under construction, in the domain of the qonnx package."""

    def __init__(self, shape, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants, self.shape, self.last = [], [], shape, "x"

    def constant(self, value, name=None):
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def node(self, operator, *inputs, domain="", **attributes):
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=f"n{len(self.nodes)}", domain=domain,
                                           **attributes))
        self.last = output
        return output

    def quant(self, value, scale, bits, signed=1, narrow=0, rounding_mode="ROUND", zero_point=0.0):
        return self.node("Quant", value, self.constant(scale), self.constant(zero_point), self.constant(bits),
                         domain="qonnx.custom_op.general", signed=signed, narrow=narrow, rounding_mode=rounding_mode)

    def bipolar(self, value, scale):
        return self.node("BipolarQuant", value, self.constant(scale), domain="qonnx.custom_op.general")

    def weights(self, shape, bits, narrow=1, transpose=False):
        """Per output channel, which is dimension 0 (of a matrix for MatMul 1)."""
        values = self.rng.normal(0.0, 1.0, shape)
        axis = 1 if transpose else 0
        others = tuple(d for d in range(len(shape)) if d != axis)
        largest = max(2 ** (bits - 1) - 1, 1)
        scale = np.abs(values).max(axis=others, keepdims=True) / largest
        name = self.constant(values)
        return self.bipolar(name, 0.5) if bits == 1 else self.quant(name, scale, bits, narrow=narrow)

    def norm(self, value, channels):
        """Of either sign."""
        gamma = self.rng.uniform(0.5, 1.5, channels) * self.rng.choice([-1.0, 1.0], channels)
        return self.node("BatchNormalization", value, self.constant(gamma), self.constant(self.rng.normal(0.0, 0.5, channels)),
                         self.constant(self.rng.normal(0.0, 0.5, channels)), self.constant(self.rng.uniform(0.5, 8.0, channels)))

    def save(self, path):
        graph = helper.make_graph(
            self.nodes, "network", [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)], self.constants)
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
        return path


def check_made(maker, folder, widths, *options):
    """Equal integers on images of unit variance; the report."""
    model = maker.save(folder / "model.onnx")
    network = Network(model, BATCH)
    rng = np.random.default_rng(5)
    inputs = {key: rng.normal(0.0, 1.0, shape).astype(np.float32) for key, shape in network.inputs.items()}
    outputs = network.execute(inputs)
    tensors, report = run_chip(model, inputs, folder, *options)
    assert_equal(network, tensors)
    assert mac_widths(report) == widths
    for key, value in outputs.items():
        np.testing.assert_allclose(tensors[key], value, rtol=1e-4, atol=1e-3)
    return report


def test_signs_of_batch_norms_are_integers_of_one_bit(tmp_path):
    made = Maker([1, 3, 8, 8], 1)
    x = made.bipolar("x", 1.0)
    x = made.node("Conv", x, made.weights([16, 3, 3, 3], 1), pads=[1, 1, 1, 1])
    x = made.bipolar(made.norm(x, 16), 1.0)
    x = made.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = made.node("Conv", x, made.weights([8, 16, 3, 3], 1))
    x = made.bipolar(made.norm(x, 8), 0.25)
    made.node("MatMul", made.node("Flatten", x), made.bipolar(made.constant(made.rng.normal(0, 1, (32, 5))), 0.5))
    report = check_made(made, tmp_path, ["macs_w1a1"])
    assert report["cycles"]["host"] == 0


@pytest.mark.parametrize("mode", ["ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"])
def test_ties_follow_the_nodes_rounding_mode(mode, tmp_path):
    # Scales are powers of two: float32 sums are exact, and a quarter of all values lies on a half.
    made = Maker([1, 24], 2)
    x = made.quant("x", 0.25, 4)
    w = made.quant(made.constant(made.rng.integers(-7, 8, (24, 16))), 1.0, 4)
    x = made.quant(made.node("MatMul", x, w), 0.5, 8, rounding_mode=mode)
    made.quant(made.node("Mul", x, made.constant(0.5)), 1.0, 6, signed=1, rounding_mode=mode)
    check_made(made, tmp_path, ["macs_w4a4"])


def test_truncated_averages_drop_the_lower_bits(tmp_path):
    made = Maker([1, 4, 8, 8], 3)
    x = made.quant("x", 0.1, 4, signed=0)
    x = made.node("AveragePool", x, kernel_shape=[4, 4], strides=[4, 4])
    x = made.node("Mul", x, made.constant(16.0))
    x = made.node("Trunc", x, made.constant(0.1), made.constant(0.0), made.constant(8.0), made.constant(4.0),
                  domain="qonnx.custom_op.general", rounding_mode="FLOOR")
    made.node("MatMul", made.node("Flatten", x), made.weights((16, 3), 4, transpose=True))
    check_made(made, tmp_path, ["macs_w1a4", "macs_w4a4"])


def test_residual_blocks_add_integers(tmp_path):
    made = Maker([1, 3, 6, 6], 4)
    x = made.quant("x", 0.05, 8)
    x = made.quant(made.node("Relu", made.norm(made.node("Conv", x, made.weights([8, 3, 3, 3], 4), pads=[1, 1, 1, 1]), 8)),
                   0.2, 4, signed=0)
    y = made.quant(made.norm(made.node("Conv", x, made.weights([8, 8, 1, 1], 4)), 8), 0.2, 4, narrow=1)
    x = made.quant(made.node("Relu", made.node("Add", x, y)), 0.2, 4, signed=0)
    x = made.node("GlobalAveragePool", x)
    x = made.quant(x, 0.05, 6, signed=0)
    made.node("MatMul", made.node("Flatten", x), made.weights((8, 5), 4, transpose=True))
    report = check_made(made, tmp_path, ["macs_w1a4", "macs_w4a4", "macs_w4a6", "macs_w4a8"])
    # The last layer's weights have a scale a channel, which the host multiplies by.
    assert [layer["name"] for layer in report["layers"] if layer["bound"] == "host"] == ["n17#scaled"]


def host_rows(report):
    return [layer["name"] for layer in report["layers"] if layer["bound"] == "host"]


def test_a_product_of_sums_that_no_quantizer_took_is_one_of_floats(tmp_path):
    made = Maker([1, 16], 10)
    x = made.quant("x", 0.0513, 6)
    x = made.node("MatMul", x, made.quant(made.constant(made.rng.normal(0, 1, (16, 24))), 0.3, 4))
    x = made.node("MatMul", x, made.quant(made.constant(made.rng.normal(0, 1, (24, 8))), 0.3, 4))
    made.quant(x, 2.9, 5)
    assert host_rows(check_made(made, tmp_path, ["macs_w4a6"])) == ["n4"]


@pytest.mark.parametrize("between", [("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}), ("Flatten", {}), ("Relu", {})])
def test_sums_with_two_users_are_floats_between_the_product_and_its_quantizers(between, tmp_path):
    made = Maker([1, 3, 8, 8], 11)
    x = made.quant("x", 0.0513, 8)
    sums = made.node("Conv", x, made.weights([8, 3, 3, 3], 4, narrow=0))
    made.quant(made.node(between[0], sums, **between[1]), 0.31, 4)
    made.quant(sums, 0.17, 6)
    check_made(made, tmp_path, ["macs_w4a8"])


@pytest.mark.parametrize("scales", [(0.31, 0.31), (0.31, 0.1)])
def test_joined_integers_have_one_grid_or_get_one_from_a_quantizer(scales, tmp_path):
    made = Maker([1, 3, 8, 8], 12)
    x = made.quant("x", 0.0513, 8)
    parts = [made.quant(made.node("Conv", x, made.weights([8, 3, 3, 3], 4)), scale, 4) for scale in scales]
    x = made.node("Concat", *parts, axis=1)
    if scales[0] != scales[1]:
        x = made.quant(x, 0.29, 4)
    made.quant(made.node("Conv", x, made.weights([4, 16, 3, 3], 3)), 0.71, 4)
    assert host_rows(check_made(made, tmp_path, ["macs_w3a4", "macs_w4a8"])) == []


def test_joined_grids_without_a_quantizer_are_floats(tmp_path):
    made = Maker([1, 3, 8, 8], 13)
    x = made.quant("x", 0.0513, 8)
    parts = [made.quant(made.node("Conv", x, made.weights([8, 3, 3, 3], 4)), scale, 4) for scale in (0.31, 0.1)]
    made.node("Concat", *parts, axis=1)
    assert host_rows(check_made(made, tmp_path, ["macs_w4a8"])) == ["n7"]


def test_the_clip_form_is_the_same_network(tmp_path):
    made = Maker([1, 3, 8, 8], 6)
    x = made.quant("x", 0.05, 8)
    x = made.node("Conv", x, made.weights([8, 3, 3, 3], 4), pads=[1, 1, 1, 1], group=1)
    x = made.quant(made.node("Relu", made.norm(x, 8)), 0.25, 3, signed=0)
    x = made.node("Conv", x, made.weights([4, 8, 8, 8], 2))
    made.quant(x, 2.0, 5, narrow=1)
    model = made.save(tmp_path / "quant.onnx")
    network = Network(model, BATCH)
    clipped = Network(model, 1).model.transform(QuantToQCDQ())
    clipped.save(str(tmp_path / "clip.onnx"))
    assert not any(node.op_type == "Quant" for node in clipped.graph.node)
    inputs = {"x": np.random.default_rng(7).normal(0.0, 1.0, (BATCH, 3, 8, 8)).astype(np.float32)}
    network.execute(inputs)
    tensors, report = run_chip(tmp_path / "clip.onnx", inputs, tmp_path)
    assert mac_widths(report) == ["macs_w2a3", "macs_w4a8"]
    final = [name for name in tensors if name.endswith("#q")]
    assert np.array_equal(tensors[final[-1]], network.integers(made.last))


def clipped(made, value, scale, zero_point, bits):
    """QuantizeLinear, Clip, DequantizeLinear: unsigned, asymmetric."""
    names = []
    for array in (np.float32(scale), np.uint8(zero_point), np.uint8(0), np.uint8(2**bits - 1)):
        names.append(f"c{len(made.constants)}")
        made.constants.append(numpy_helper.from_array(np.asarray(array), names[-1]))
    x = made.node("Clip", made.node("QuantizeLinear", value, *names[:2]), *names[2:])
    return made.node("DequantizeLinear", x, *names[:2])


@pytest.mark.parametrize("zero_point, products", [(12, ["macs_w4a7", "macs_w4a5"]), (13, ["macs_w4a7", "macs_w4a8"])])
def test_the_clip_form_has_zero_points(zero_point, products, tmp_path):
    # QuantizeLinear rounds before it adds z, Quant behind: with an odd one ties differ, and the tensor keeps its type's 8 bits.
    made = Maker([1, 24], 14)
    x = clipped(made, "x", 0.0513, 100, 7)
    x = made.node("MatMul", x, clipped(made, made.constant(made.rng.normal(0, 1, (24, 16))), 0.317, 5, 4))
    x = clipped(made, x, 0.531, zero_point, 5)
    x = made.node("MatMul", x, clipped(made, made.constant(made.rng.normal(0, 1, (16, 8))), 0.291, 7, 4))
    clipped(made, x, 1.473, 14, 5)
    model = made.save(tmp_path / "model.onnx")
    network = Network(model, BATCH)
    inputs = {"x": np.random.default_rng(15).normal(0.0, 1.0, (BATCH, 24)).astype(np.float32)}
    outputs = network.execute(inputs)
    tensors, report = run_chip(model, inputs, tmp_path)
    assert mac_widths(report) == sorted(products) and host_rows(report) == []
    np.testing.assert_array_equal(tensors[made.last], outputs[made.last])
    assert len(np.unique(outputs[made.last])) > 20


@pytest.mark.parametrize("chip", [["--values", "tile"], ["--set", "requantizer.thresholds=15", "--values", "tile"],
                                  ["--set", "requantizer.thresholds=15", "--fidelity", "pe", "--values", "tile"]])
def test_modelled_memories_and_thresholds_give_the_same(chip, tmp_path):
    made = Maker([1, 3, 6, 6], 8)
    x = made.quant("x", 0.1, 6)
    x = made.quant(made.node("Relu", made.norm(made.node("Conv", x, made.weights([8, 3, 3, 3], 4)), 8)), 0.3, 4, signed=0)
    x = made.bipolar(made.norm(made.node("Conv", x, made.weights([8, 8, 2, 2], 3)), 8), 1.0)
    made.node("MatMul", made.node("Flatten", x), made.bipolar(made.constant(made.rng.normal(0, 1, (72, 4))), 0.25))
    model = made.save(tmp_path / "model.onnx")
    inputs = {"x": np.random.default_rng(9).normal(0.0, 1.0, (BATCH, 3, 6, 6)).astype(np.float32)}
    expected, plain = run_chip(model, inputs, tmp_path)
    found, report = run_chip(model, inputs, tmp_path, *chip)
    assert expected.keys() == found.keys()
    assert all(np.array_equal(found[name], value) for name, value in expected.items())
    has_thresholds = "requantizer.thresholds=15" in chip
    profiles = {layer["rounding_profile"] for layer in report["layers"] if layer["macs"]}
    assert profiles == {"thresholds" if has_thresholds else "affine", "power_of_two"}
    assert (report["energy_pj"]["requantizer"] < plain["energy_pj"]["requantizer"]) == has_thresholds
