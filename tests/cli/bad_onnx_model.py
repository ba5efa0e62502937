"""The good ONNX model that the cases of test_bad_onnx.py spoil."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper


class Cases(list):
    """Functions that spoil the good model, as parameters of a test."""

    def __call__(self, *words):
        """Registers a function; every word has to be in a message."""
        def register(function):
            self.append(pytest.param(function, words, id=function.__name__.strip("_")))
            return function
        return register


def good_model():
    """x [1, 2, 6, 6] -> QuantizeLinear -> QLinearConv -> MaxPool -> DequantizeLinear -> y"""
    constants = {
        "s": np.float32(0.5), "z": np.uint8(128), "ws": np.float32(0.25), "wz": np.int8(0),
        "w": np.arange(4 * 2 * 3 * 3, dtype=np.int8).reshape(4, 2, 3, 3), "b": np.arange(4, dtype=np.int32),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], name="quantize"),
        helper.make_node("QLinearConv", ["q", "s", "z", "w", "ws", "wz", "s", "z", "b"], ["c"], name="conv",
                         strides=[1, 1], pads=[1, 1, 1, 1]),
        helper.make_node("MaxPool", ["c"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("DequantizeLinear", ["p", "s", "z"], ["y"], name="dequantize"),
    ]
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 6, 6])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 3, 3])],
                              [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def constant(model, name):
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def replace(model, name, array):
    constant(model, name).CopyFrom(numpy_helper.from_array(array, name))


def node(model, name):
    return next(node for node in model.graph.node if node.name == name)


def attribute(model, name, key, value):
    changed = node(model, name)
    for old in [a for a in changed.attribute if a.name == key]:
        changed.attribute.remove(old)
    changed.attribute.append(helper.make_attribute(key, value))


def float_node(model, op, inputs=("y",), domain="", **attributes):
    """A float operator behind the good network, its output the model's."""
    model.graph.node.append(helper.make_node(op, list(inputs), ["out"], name="last", domain=domain, **attributes))
    model.graph.output[0].name = "out"
