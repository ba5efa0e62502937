"""Models whose scales depend on the data: DynamicQuantizeLinear, and what onnxruntime.quantization.quantize_dynamic makes."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime_reference import run_onnxruntime
from qsim_tensors import dump_tensors, read_safetensors, run_qsim


def outputs_of(path, values, folder, *options):
    arguments = ["--workload", path, "--outputs", folder / "outputs.safetensors", "--quiet", *options]
    for name, value in values.items():
        np.save(folder / f"{name}.npy", value)
        arguments += ["--input", f"{name}={folder / f'{name}.npy'}"]
    run_qsim(*arguments)
    return read_safetensors(folder / "outputs.safetensors")


def reference(path, values):
    """Without fusions, which compute MatMulInteger .. Add in an order of their own."""
    return run_onnxruntime(path, values, optimize=False, int8=False)


def model(nodes, inputs, outputs, constants=()):
    def described(values):
        return [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in values]

    initializers = [numpy_helper.from_array(value, name) for name, value in constants]
    graph = helper.make_graph(nodes, "g", described(inputs), described(outputs), initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def near_ties(rng, scale, zero_point, count):
    """Floats whose quotient by the scale lies at or beside a half."""
    halves = (rng.integers(0, 255, count) - zero_point + 0.5) * np.float64(scale)
    return np.nextafter(halves.astype(np.float32), rng.choice([-np.inf, np.inf], count).astype(np.float32)), halves


@pytest.mark.parametrize("kind", ["around 0", "above 0", "below 0", "zeros"])
def test_dynamic_quantization_equals_onnx_runtime(kind, tmp_path):
    count = 4096
    onnx.save(model([helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"])],
                    [("x", TensorProto.FLOAT, [count])],
                    [("q", TensorProto.UINT8, [count]), ("s", TensorProto.FLOAT, []), ("z", TensorProto.UINT8, [])]),
              tmp_path / "m.onnx")
    rng = np.random.default_rng(3)
    for _ in range(1 if kind == "zeros" else 10):
        low, high = {"around 0": (-3.1, 2.3), "above 0": (0.2, 7.7), "below 0": (-9.5, -0.3), "zeros": (0, 0)}[kind]
        x = (rng.uniform(low, high, count) * rng.uniform(0.01, 100)).astype(np.float32)
        if kind != "zeros":
            ends = np.array([min(x.min(), 0), max(x.max(), 0)], np.float32)
            scale = (ends[1] - ends[0]) / np.float32(255)
            beside, at = near_ties(rng, scale, np.rint(-ends[0] / scale), count // 4)
            x[: count // 4], x[count // 4 : count // 2] = beside, at
            x = np.clip(x, *ends)
            x[-2:] = ends
        expected = reference(tmp_path / "m.onnx", {"x": x})
        actual = outputs_of(tmp_path / "m.onnx", {"x": x}, tmp_path)
        for name, value in expected.items():
            np.testing.assert_array_equal(actual[name], value, name)


def products(rng):
    """name: (operator, attributes, first operand, second operand, its zero point)."""
    def integers(*shape):
        return rng.integers(-128, 128, shape).astype(np.int8)

    return {
        "matrix": ("MatMulInteger", {}, (3, 5, 24), integers(24, 7), np.int8(0)),
        "matrix with zero points": ("MatMulInteger", {}, (4, 24), integers(24, 7), integers(7)),
        "convolution": ("ConvInteger", {"pads": [1, 2, 1, 0], "strides": [2, 1]}, (1, 4, 9, 8), integers(6, 4, 3, 3), np.int8(0)),
        "depthwise": ("ConvInteger", {"group": 4, "pads": [1, 1, 1, 1]}, (1, 4, 9, 8), integers(4, 1, 3, 3), np.int8(3)),
    }


@pytest.mark.parametrize("values", ["layer", "tile"])
@pytest.mark.parametrize("kind", list(products(np.random.default_rng(0))))
def test_a_product_with_a_zero_point_of_the_data_is_exact(kind, values, tmp_path):
    rng = np.random.default_rng(7)
    operator, attributes, shape, weights, zero_point = products(rng)[kind]
    path = tmp_path / "m.onnx"
    onnx.save(model([helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
                     helper.make_node(operator, ["q", "w", "z", "wz"], ["y"], **attributes)],
                    [("x", TensorProto.FLOAT, list(shape))],
                    [("y", TensorProto.INT32, None), ("z", TensorProto.UINT8, []), ("q", TensorProto.UINT8, None)],
                    [("w", weights), ("wz", zero_point)]), path)
    x = rng.normal(0.4, 1.0, shape).astype(np.float32)
    expected = reference(path, {"x": x})
    assert 0 < expected["z"] < 255
    actual = outputs_of(path, {"x": x}, tmp_path, "--values", values)
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, name)


def float_network(rng):
    def weights(*shape):
        return rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)

    nodes = [helper.make_node("Conv", ["x", "w0", "b0"], ["c"], pads=[1, 1, 1, 1]),
             helper.make_node("Relu", ["c"], ["r"]),
             helper.make_node("GlobalAveragePool", ["r"], ["p"]),
             helper.make_node("Flatten", ["p"], ["f"]),
             helper.make_node("MatMul", ["f", "w1"], ["m"]),
             helper.make_node("Add", ["m", "b1"], ["a"]),
             helper.make_node("Relu", ["a"], ["h"]),
             helper.make_node("Gemm", ["h", "w2", "b2"], ["y"], transB=1)]
    constants = [("w0", weights(16, 3, 3, 3)), ("b0", weights(16)), ("w1", weights(24, 16).T.copy()), ("b1", weights(24)),
                 ("w2", weights(10, 24)), ("b2", weights(10))]
    return model(nodes, [("x", TensorProto.FLOAT, [1, 3, 12, 12])], [("y", TensorProto.FLOAT, [1, 10])], constants)


OPTIONS = {"int8": {"weight_type": QuantType.QInt8}, "uint8": {"weight_type": QuantType.QUInt8},
           "per channel": {"weight_type": QuantType.QInt8, "per_channel": True},
           "reduced range": {"weight_type": QuantType.QInt8, "reduce_range": True}}


@pytest.mark.parametrize("option", list(OPTIONS))
def test_a_dynamically_quantized_network_agrees_with_onnx_runtime(option, tmp_path):
    rng = np.random.default_rng(11)
    onnx.save(float_network(rng), tmp_path / "float.onnx")
    path = tmp_path / "dynamic.onnx"
    quantize_dynamic(str(tmp_path / "float.onnx"), str(path), op_types_to_quantize=["MatMul", "Conv", "Gemm"],
                     **OPTIONS[option])
    quantized = onnx.load(path)
    assert sum(node.op_type in ("MatMulInteger", "ConvInteger") for node in quantized.graph.node) == 3
    x = rng.normal(size=(1, 3, 12, 12)).astype(np.float32)
    expected = reference(path, {"x": x})["y"]
    actual = dump_tensors(path, [("x", x)], tmp_path)["y"]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_check_tells_the_host_from_the_chip(tmp_path):
    onnx.save(float_network(np.random.default_rng(11)), tmp_path / "float.onnx")
    quantize_dynamic(str(tmp_path / "float.onnx"), str(tmp_path / "dynamic.onnx"), op_types_to_quantize=["Conv", "MatMul"])
    lines = run_qsim("check", "--workload", tmp_path / "dynamic.onnx").stdout.splitlines()
    units = {line.split()[2]: line.split()[3] for line in lines if line.endswith("supported") and line.split()[0].isdigit()}
    assert (units["DynamicQuantizeLinear"], units["ConvInteger"], units["MatMulInteger"]) == ("host", "mac_array", "mac_array")
    added = [line for line in lines if "adds dynamic_quantize" in line]
    assert added and all(line.endswith("on the host") for line in added)
