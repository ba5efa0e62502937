"""Networks written as ONNX models by `qsim convert`: ONNX Runtime computes what qsim computes."""

import json

import numpy as np
import onnx
import pytest
from onnxruntime_reference import session
from qsim_tensors import dump_tensors, run_qsim


class Network:
    """A workload with "onnx" semantics under construction: layers on 8-bit tensors, channels last."""

    def __init__(self, seed, signed):
        self.random = np.random.default_rng([seed, signed])
        self.signed = signed
        self.json = {"name": "net", "semantics": "onnx", "tensors": {"generator": "normal", "seed": seed}, "inputs": [],
                     "layers": [], "outputs": []}
        self.shapes = {}

    def draw(self, low, high):
        return int(self.random.integers(low, high + 1))

    def quantization(self, real_range=4.0):
        scale = float(np.float32(real_range / 127 * self.random.uniform(0.7, 1.4)))
        low, high = (-100, 100) if self.signed else (20, 230)
        return {"signed": self.signed, "scale": scale, "zero_point": self.draw(low, high)}

    def input(self, shape):
        self.json["inputs"].append({"name": "x", "shape": shape, **self.quantization()})
        self.shapes["x"] = shape
        return "x"

    def layer(self, op, inputs, output=None, **attributes):
        name = f"{op}_{len(self.json['layers'])}"
        one = len(inputs) == 1 and op not in ("concat", "add", "mul", "sub", "matmul")
        layer = {"op": op, "name": name, **({"input": inputs[0]} if one else {"inputs": inputs}), **attributes}
        if output is not None:
            layer["output"] = output
        self.json["layers"].append(layer)
        return name

    def weights(self, shape, per_channel=True):
        scale = [float(s) for s in self.random.uniform(0.004, 0.02, shape[0]).astype(np.float32)] if per_channel else 0.01
        return {"shape": shape, "scale": scale, **({"axis": 0} if per_channel else {})}


def convolutional(seed, signed):
    """Convolutions of every kind, residual addition, gates, pooling, concatenation, a classifier."""
    net = Network(seed, signed)
    x = net.input([1, 9, 11, 6])
    activation = ["none", "relu", "relu6"][seed % 3]
    a = net.layer("conv2d", [x], net.quantization(9), weights=net.weights([8, 3, 3, 6]), bias=True, padding=[1, 1, 1, 1],
                  activation=activation)
    b = net.layer("depthwise_conv2d", [a], net.quantization(9), weights=net.weights([8, 3, 2, 1]), bias=True,
                  padding=[1, 1, 0, 1], dilation=[1, 1])
    c = net.layer("conv2d", [b], net.quantization(9), weights=net.weights([8, 1, 1, 4], False), groups=2)
    s = net.layer("add", [a, c], net.quantization(12), activation="relu")
    g = net.layer("average_pool2d", [s], net.quantization(9), kernel=[9, 11])
    gate = net.layer("logistic", [g], {"signed": signed, "scale": 1 / 256, "zero_point": -128 if signed else 0})
    m = net.layer("mul", [s, gate], net.quantization(9))
    p = net.layer("max_pool2d", [m], kernel=[3, 2], stride=2, padding=[1, 0, 0, 1])
    q = net.layer("conv2d", [p], net.quantization(9), weights=net.weights([5, 2, 2, 8]), bias=True, stride=2)
    r = net.layer("leaky_relu", [q], net.quantization(9), alpha=0.1)
    t = net.layer("concat", [q, r], net.quantization(9), axis=3)
    e = net.layer("mean", [t], net.quantization(9), axes=[1, 2], keep_dims=bool(seed % 2))
    f = net.layer("fully_connected", [e], net.quantization(9), weights=net.weights([7, 10]), bias=True)
    o = net.layer("softmax", [f], {"signed": signed, "scale": 1 / 256, "zero_point": -128 if signed else 0})
    net.json["outputs"] = [o, t, e]
    return net


def moving(seed, signed):
    """What only moves elements, in and out of images."""
    net = Network(seed, signed)
    x = net.input([2, 6, 5, 4])
    a = net.layer("conv2d", [x], net.quantization(9), weights=net.weights([4, 3, 3, 4]), padding=1)
    b = net.layer("pad", [a], before=[0, 1, 0, 0], after=[0, 0, 2, 0])
    c = net.layer("strided_slice", [b], begin=[0, 6, 1, 0], count=[2, 3, 5, 4], stride=[1, -2, 1, 1])
    d = net.layer("transpose", [c], permutation=[0, 3, 2, 1])
    e = net.layer("reshape", [d], shape=[2, 12, 5])
    f = net.layer("transpose", [e], permutation=[0, 2, 1])
    g = net.layer("fully_connected", [f], {"shape": [2, 5, 3], **net.quantization(9)}, weights=net.weights([3, 12]), bias=True)
    h = net.layer("add", [g, {"shape": [3], "scale": 0.02, "signed": signed}], net.quantization(9))
    i = net.layer("strided_slice", [h], {"shape": [5, 3]}, begin=[1, 0, 0], count=[1, 5, 3])
    net.json["outputs"] = [i, e, b, a]
    return net


def compare_with_onnxruntime(net, folder, form):
    workload, model = folder / "net.json", folder / "net.onnx"
    workload.write_text(json.dumps(net.json))
    run_qsim("convert", workload, model, "--format", form)
    onnx.checker.check_model(str(model))
    runtime = session(model, int8=False)
    (detail,) = runtime.get_inputs()
    dtype = np.int8 if net.signed else np.uint8
    limits = np.iinfo(dtype)
    value = np.random.default_rng(5).integers(limits.min, limits.max + 1, detail.shape, dtype)
    names = [output.name for output in runtime.get_outputs()]
    assert names == net.json["outputs"] and detail.name == "x" and list(detail.shape) == net.shapes["x"]
    wanted = dict(zip(names, runtime.run(names, {"x": value})))
    found = dump_tensors(workload, [("x", value)], folder)
    for name, tensor in wanted.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape), name
        assert np.array_equal(found[name], tensor), f"{name}: {np.count_nonzero(found[name] != tensor)} differ"
        assert np.unique(tensor).size > 2, name


@pytest.mark.parametrize("make", [convolutional, moving])
@pytest.mark.parametrize("signed", [False, True], ids=["uint8", "int8"])
def test_quantized_operators_give_the_same_values(make, signed, tmp_path):
    for seed in range(6):
        compare_with_onnxruntime(make(seed, signed), tmp_path, "qoperator")


@pytest.mark.parametrize("make", [convolutional, moving])
def test_qdq_gives_the_same_values_where_the_runtime_fuses_it(make, tmp_path):
    """uint8 activations: ONNX Runtime's fused kernels are those of the quantized operators."""
    for seed in range(6):
        compare_with_onnxruntime(make(seed, False), tmp_path, "qdq")
