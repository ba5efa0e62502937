"""Linear resizes: which arithmetic ONNX Runtime takes depends on what stands before them."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_quantization import quantize
from onnxruntime_reference import session
from qsim_tensors import dump_tensors

SHAPE = [1, 3, 12, 12]
CHANNELS = 16
# Names of operators from the input on; the resize is behind a convolution, beside none, or moved channels last or not.
CHAINS = ["conv resize", "conv resize conv", "conv add resize", "conv mul resize conv", "conv max_pool resize",
          "conv max_pool resize conv", "conv average_pool resize", "conv leaky_relu resize", "conv sigmoid resize",
          "leaky_relu resize", "conv global_pool resize conv", "conv nearest resize", "conv concat resize",
          "conv resize add resize conv"]


class Network:
    """A chain of float operators in NCHW."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.constants = [], []
        self.last, self.channels = "x", SHAPE[1]

    def constant(self, values):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def add(self, kind, operands, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, operands, [name], name=f"n{len(self.nodes)}", **attributes))
        self.last = name

    def append(self, kind):
        x = self.last
        pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
        if kind == "conv":
            weights = self.random.normal(0, 0.15, (CHANNELS, self.channels, 3, 3))
            self.add("Conv", [x, self.constant(weights)], pads=[1] * 4)
            self.channels = CHANNELS
        elif kind == "mul":
            self.add("Mul", [x, self.constant(self.random.normal(0, 1, (1, self.channels, 1, 1)))])
        elif kind == "concat":
            self.add("Concat", [x, x], axis=1)
        elif kind == "resize":
            self.add("Resize", [x, "", self.constant([1, 1, 1.7, 2.3])], mode="linear")
        elif kind == "nearest":
            self.add("Resize", [x, "", self.constant([1, 1, 2, 2])], mode="nearest")
        else:
            operator, operands, attributes = {
                "add": ("Add", [x, x], {}), "max_pool": ("MaxPool", [x], pool),
                "average_pool": ("AveragePool", [x], pool), "global_pool": ("GlobalAveragePool", [x], {}),
                "leaky_relu": ("LeakyRelu", [x], {"alpha": 0.1}), "sigmoid": ("Sigmoid", [x], {})}[kind]
            self.add(operator, operands, **attributes)

    def model(self):
        graph = helper.make_graph(self.nodes, "chain", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                                  [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.mark.parametrize("model_format", ["qdq", "qoperator"])
@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_with_a_linear_resize(chain, model_format, tmp_path):
    network = Network(len(chain))
    for kind in [*chain.split(), "leaky_relu"]:
        network.append(kind)
    float_path = tmp_path / "float.onnx"
    onnx.save(network.model(), float_path)
    samples = [network.random.normal(0, 1, SHAPE).astype(np.float32) for _ in range(5)]
    model, path = quantize(float_path, samples[:4], tmp_path, model_format, "uint8")
    # The outputs of the model alone: others would keep ONNX Runtime from moving the channels.
    expected = session(model).run(None, {"x": samples[4]})
    actual = dump_tensors(path, [("x", samples[4])], tmp_path)[model.graph.output[0].name]
    assert np.unique(expected[0]).size > 20
    np.testing.assert_array_equal(actual, expected[0])
