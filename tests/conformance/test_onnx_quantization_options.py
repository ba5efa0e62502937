"""The options of ONNX Runtime's quantization tool on a small network of many operators: equal bit for bit in each."""

import onnx
import onnx_networks
import pytest
from onnx_quantization import Samples
from onnx_reference import Reference
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from qsim_tensors import dump_tensors
from test_onnx_models import assert_equal, noise

SIZE = 24
OPTIONS = {
    "reduced range": {"reduce_range": True},
    "symmetric activations": {"extra_options": {"ActivationSymmetric": True}},
    "asymmetric weights": {"extra_options": {"WeightSymmetric": False}},
    "uint8 weights": {"weight_type": QuantType.QUInt8},
    "one scale for the weights": {"per_channel": False},
    "int4 weights": {"weight_type": QuantType.QInt4, "per_channel": False},
    "percentiles": {"calibrate_method": CalibrationMethod.Percentile},
    "a pair for each user": {"extra_options": {"DedicatedQDQPair": True}},
    "float biases": {"extra_options": {"QuantizeBias": False}},
    "com.microsoft": {"extra_options": {"UseQDQContribOps": True}},
    "convolutions and products alone": {"op_types_to_quantize": ["Conv", "Gemm"]},
}
QDQ_ONLY = {"int4 weights", "a pair for each user", "float biases", "com.microsoft"}


def network():
    """Depthwise convolution, hard-swish in parts, two poolings, concatenation, squeeze and excitation."""
    net = onnx_networks.NetworkWriter(1)
    x = net.conv("input", 3, 16, 3, 2, activation="relu6")
    y = net.conv(net.conv(x, 16, 16, 3, 1, groups=16, activation="relu"), 16, 16, 1)
    x = net.node("Add", [x, y])
    z = net.conv(x, 16, 8, 1)
    z = net.node("Mul", [z, net.node("HardSigmoid", [z], alpha=1 / 6, beta=0.5)])
    p = net.node("MaxPool", [x], kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    a = net.node("AveragePool", [x], kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
    x = net.node("Concat", [z, p, a], axis=1)
    s = net.conv(net.node("GlobalAveragePool", [x]), 40, 10, 1, activation="relu")
    x = net.node("Mul", [x, net.node("Sigmoid", [net.conv(s, 10, 40, 1)])])
    x = net.node("LeakyRelu", [net.conv(x, 40, 16, 3, 2)], alpha=0.1)
    return net.model(net.classifier(x, 16, 10), (1, 3, SIZE, SIZE), (1, 10))


CASES = [(option, model_format) for option in OPTIONS for model_format in (QuantFormat.QDQ, QuantFormat.QOperator)
         if model_format is QuantFormat.QDQ or option not in QDQ_ONLY]


@pytest.mark.parametrize("option, model_format", CASES)
def test_a_quantized_network_equals_onnx_runtime(option, model_format, tmp_path):
    onnx.save(network(), tmp_path / "float.onnx")
    quant_pre_process(str(tmp_path / "float.onnx"), str(tmp_path / "preprocessed.onnx"))
    values = noise(5, (1, 3, SIZE, SIZE))
    arguments = {"per_channel": True, "activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8, **OPTIONS[option]}
    path = tmp_path / "quantized.onnx"
    quantize_static(str(tmp_path / "preprocessed.onnx"), str(path), Samples("input", values[:4]),
                    quant_format=model_format, **arguments)
    expected = Reference(onnx.load(path)).run({"input": values[4]})
    assert len(expected) >= 3
    assert_equal(dump_tensors(path, [("input", values[4])], tmp_path), expected)
