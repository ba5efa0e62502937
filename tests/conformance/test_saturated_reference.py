"""References made by kernels that saturate: the probe tells them from exact ones, models restated with unsigned weights are cured, and
compare-outputs --explain names them. Recordings of ONNX Runtime on processors of both kinds stand for the processor that a test does not run on."""

import json
import subprocess

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx_layers import make_batch
from onnx_layers_mac import windows
from onnxruntime_reference import inexact_operators, outputs_of, plain_session, restates_weights, run_onnxruntime
from qsim_tensors import QSIM, dump_tensors
from reference_probe import UnknownArithmetic, exact_pair, measured, pair_sum, probes, saturated_pair, saturating
from saturated_layers import layers, network, recorded
from unsigned_weights import INTEGER_OPERATORS, Restated

# ConvInteger gives the weights as the left operand to the product and is exact everywhere.
SATURATING = sorted(set(probes()) - {"ConvInteger"})
SATURATED_LAYERS = sorted(set(layers()) - {"depthwise convolution"})


def emulated(model, values):
    """What a processor without VNNI gives for a model of one integer operator, in numpy: VPMADDUBSW's pairs, consecutive along the reduction (kernel rows,
    kernel columns, channels of the group), where uint8 meets int8."""
    (node,) = [n for n in model.graph.node if n.op_type in INTEGER_OPERATORS]
    constants = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer} | values
    operands = [constants.get(name) for name in node.input]
    left, left_zero, right, right_zero = (operands[i] if i < len(operands) else None for i in INTEGER_OPERATORS[node.op_type])
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    z_x, z_w = (0 if zero is None else int(zero) for zero in (left_zero, right_zero))
    pair = saturated_pair if (left.dtype, right.dtype) == (np.uint8, np.int8) and node.op_type != "ConvInteger" else exact_pair

    def sums(x, w):
        """[.., n, k] and [.., m, k] to [.., n, m]"""
        x, w = x[..., :, None, :].astype(np.int64), w[..., None, :, :].astype(np.int64)
        return pair_sum(x, w, pair) - z_x * w.sum(-1) - z_w * x.sum(-1) + x.shape[-1] * z_x * z_w

    if node.op_type in ("QLinearConv", "ConvInteger"):
        groups = attributes.get("group", 1)
        taps = windows(left, right.shape[2:], attributes.get("strides", [1, 1]), [1, 1], attributes.get("pads", [0, 0, 0, 0]), z_x)
        batch, _, height, width, _ = taps.shape
        parts = []
        for x, w in zip(np.split(taps, groups, 1), np.split(right, groups, 0), strict=True):
            x = x.transpose(0, 2, 3, 4, 1).reshape(batch, height * width, -1)  # .., kernel position, channel
            w = w.transpose(0, 2, 3, 1).reshape(w.shape[0], -1)
            parts.append(sums(x, w).transpose(0, 2, 1).reshape(batch, -1, height, width))
        total, bias_shape = np.concatenate(parts, 1), (1, -1, 1, 1)
    else:
        total, bias_shape = sums(left, right if attributes.get("transB") else np.swapaxes(right, -1, -2)), (-1,)
    if node.op_type.endswith("Integer"):
        return {"y": total.astype(np.int32)}
    bias = operands[6] if node.op_type == "QGemm" else operands[8] if len(operands) > 8 else None
    total = total if bias is None else total + bias.reshape(bias_shape)
    y_scale, y_zero = (operands[7], operands[8]) if node.op_type == "QGemm" else (operands[6], operands[7])
    scale = (operands[1] * operands[4]) / y_scale
    return {"y": np.clip(np.rint(total.astype(np.float32) * scale) + y_zero, 0, 255).astype(np.uint8)}


def test_the_probe_tells_recorded_runtimes_apart():
    assert saturating(recorded("exact")["probes"]) == []
    assert sorted(saturating(recorded("saturated")["probes"])) == SATURATING


def test_sums_of_another_kind_are_no_reference():
    values = dict(recorded("exact")["probes"], QGemm=150)
    with pytest.raises(UnknownArithmetic, match="QGemm: 150, neither 199 .* nor 101"):
        saturating(values)


def test_this_runtime_is_one_of_the_two_recorded():
    kind = "saturated" if inexact_operators() else "exact"
    values = measured(lambda model, values: outputs_of(plain_session(model), values))
    assert values == recorded(kind)["probes"]
    for name, (model, inputs) in layers().items():
        np.testing.assert_array_equal(outputs_of(plain_session(model), inputs)["y"], recorded(kind)["layers"][name], err_msg=name)
    model, inputs = network()
    np.testing.assert_array_equal(outputs_of(plain_session(model), inputs)["y"], recorded(kind)["network"])


def test_a_cured_runtime_gives_the_exact_recording():
    """Whatever the processor is: this is what every other test compares with."""
    for name, (model, inputs) in layers().items():
        np.testing.assert_array_equal(run_onnxruntime(model, inputs)["y"], recorded("exact")["layers"][name], err_msg=name)


@pytest.mark.parametrize("name", SATURATED_LAYERS)
def test_the_recording_is_that_of_pairs_along_the_reduction(name):
    model, inputs = layers()[name]
    found = emulated(model, inputs)["y"]
    np.testing.assert_array_equal(found, recorded("saturated")["layers"][name])
    assert not np.array_equal(found, recorded("exact")["layers"][name])


@pytest.mark.parametrize("name", SATURATED_LAYERS)
def test_unsigned_weights_cure_an_emulated_runtime_that_saturates(name):
    model, inputs = layers()[name]
    restated = Restated(model)
    assert restated.layers == 1
    np.testing.assert_array_equal(emulated(restated.model, inputs)["y"], recorded("exact")["layers"][name])


def test_depthwise_convolutions_are_exact_everywhere():
    name = "depthwise convolution"
    np.testing.assert_array_equal(recorded("saturated")["layers"][name], recorded("exact")["layers"][name])


@pytest.mark.parametrize("form", ["qoperator", "qdq"])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_restated_models_are_the_same_models(dtype, form):
    """Random layers, with each of the two on the runtime as it is; on one that saturates the first would be wrong."""
    restated_layers = 0
    for seed in range(6):
        batch = make_batch(dtype, seed, 25, None, form)
        model = batch.model()
        restated = Restated(model)
        restated_layers += restated.layers
        found = outputs_of(plain_session(restated.model), batch.values)
        for name, wanted in (run_onnxruntime if restates_weights() else plain)(model, batch.values).items():
            np.testing.assert_array_equal(found[name], wanted, err_msg=f"seed {seed}, {name}")
    # Beside int8 activations ONNX Runtime is exact, and has no kernel for unsigned weights.
    assert restated_layers > 5 if dtype == "uint8" else restated_layers == 0


def plain(model, values):
    return outputs_of(plain_session(model), values)


def compared(name, kind, folder):
    """What compare-outputs --explain says of a recorded layer."""
    model, inputs = layers()[name]
    onnx.save(model, folder / "layer.onnx")
    np.save(folder / "x.npy", inputs["x"])
    np.save(folder / "y.npy", recorded(kind)["layers"][name])
    command = [QSIM, "compare-outputs", "--workload", folder / "layer.onnx", "--input", f"x={folder / 'x.npy'}", folder / "y.npy", "--tensor", "y", "--explain"]
    run = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    return json.loads(run.stdout), subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("name", SATURATED_LAYERS)
def test_compare_outputs_names_a_reference_that_saturates(name, tmp_path):
    report, text = compared(name, "saturated", tmp_path)
    explanation = report["explanation"]
    exact = [suspect["name"] for suspect in explanation["suspects"] if suspect["unexplained"] == 0]
    assert exact == ["saturated_pairs"]
    assert explanation["verdict"].startswith("b was made by kernels that saturate")
    assert "\nverdict: " + explanation["verdict"] + "\n" in text


@pytest.mark.parametrize("kind", ["exact", "saturated"])
def test_compare_outputs_names_saturation_by_the_output_of_a_network_alone(kind, tmp_path):
    """What lies between is not in the reference; every layer is recomputed."""
    model, inputs = network()
    onnx.save(model, tmp_path / "network.onnx")
    np.save(tmp_path / "x.npy", inputs["x"])
    np.save(tmp_path / "y.npy", recorded(kind)["network"])
    run = subprocess.run([QSIM, "compare-outputs", "--workload", tmp_path / "network.onnx", "--input", f"x={tmp_path / 'x.npy'}", tmp_path / "y.npy",
                          "--tensor", "y", "--explain", "--json"], capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    if kind == "exact":
        assert report["equal"] and report["explanation"] is None
        return
    explanation = report["explanation"]
    assert explanation["assumed_inputs"] and all(suspect["unexplained"] for suspect in explanation["suspects"])
    assert explanation["verdict"].startswith("b was made by kernels that saturate")
    assert explanation["verdict"].endswith("The whole network, recomputed so, gives b")


def test_a_network_that_differs_elsewhere_is_not_called_saturated(tmp_path):
    model, inputs = network()
    onnx.save(model, tmp_path / "network.onnx")
    np.save(tmp_path / "x.npy", inputs["x"])
    y = recorded("exact")["network"].copy()
    y[0, 2] += 1
    np.save(tmp_path / "y.npy", y)
    run = subprocess.run([QSIM, "compare-outputs", "--workload", tmp_path / "network.onnx", "--input", f"x={tmp_path / 'x.npy'}", tmp_path / "y.npy",
                          "--tensor", "y", "--explain", "--json"], capture_output=True, text=True, check=False)
    assert json.loads(run.stdout)["explanation"]["verdict"] is None


@pytest.mark.parametrize("name", list(layers()))
def test_compare_outputs_finds_a_sound_reference_equal(name, tmp_path):
    report, text = compared(name, "exact", tmp_path)
    assert report["equal"] and report["explanation"] is None and "saturate" not in text


@pytest.mark.parametrize("name", SATURATED_LAYERS)
def test_compare_outputs_does_not_blame_a_sound_reference(name, tmp_path):
    """A value that differs for another reason is not saturation's."""
    model, inputs = layers()[name]
    onnx.save(model, tmp_path / "layer.onnx")
    y = dump_tensors(tmp_path / "layer.onnx", [("x", inputs["x"])], tmp_path)["y"].copy()
    y.reshape(-1)[1] += 1
    np.save(tmp_path / "x.npy", inputs["x"])
    np.save(tmp_path / "y.npy", y)
    run = subprocess.run([QSIM, "compare-outputs", "--workload", tmp_path / "layer.onnx", "--input", f"x={tmp_path / 'x.npy'}", tmp_path / "y.npy",
                          "--tensor", "y", "--explain", "--json"], capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr
    assert json.loads(run.stdout)["explanation"]["verdict"] is None
