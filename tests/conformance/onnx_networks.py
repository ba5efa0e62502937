"""Convolutional networks as ONNX models with seeded weights, as PyTorch exports them: NCHW, batch norm, opset 13."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class NetworkWriter:
    """Nodes are added behind each other; weights have He's variance, so that values keep their size."""

    def __init__(self, seed):
        self._random = np.random.default_rng(seed)
        self._nodes, self._constants = [], []
        self._count = 0

    def constant(self, name, array):
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op_type, inputs, **attributes):
        """Name of the one output."""
        name = f"{op_type.lower()}_{self._count}"
        self._count += 1
        self._nodes.append(helper.make_node(op_type, inputs, [name], name=f"/{name}", **attributes))
        return name

    def conv(self, x, channels_in, channels_out, kernel, stride=1, groups=1, activation=None):
        """Convolution, batch norm, activation."""
        depth = channels_in // groups * kernel * kernel
        shape = (channels_out, channels_in // groups, kernel, kernel)
        weights = self._random.normal(0, np.sqrt(2 / depth), shape).astype(np.float32)
        name = f"w{self._count}"
        x = self.node("Conv", [x, self.constant(name, weights)], kernel_shape=[kernel] * 2, strides=[stride] * 2,
                      pads=[kernel // 2] * 4, group=groups, dilations=[1, 1])
        x = self.batch_norm(x, channels_out)
        if activation == "relu":
            return self.node("Relu", [x])
        if activation == "relu6":
            low = self.constant(f"low{self._count}", np.array(0, np.float32))
            return self.node("Clip", [x, low, self.constant(f"high{self._count}", np.array(6, np.float32))])
        return x

    def batch_norm(self, x, channels):
        random = self._random
        parameters = {"scale": random.uniform(0.6, 1.2, channels), "bias": random.normal(0, 0.2, channels),
                      "mean": random.normal(0, 0.2, channels), "var": random.uniform(0.5, 1.5, channels)}
        names = [self.constant(f"{key}{self._count}", value.astype(np.float32)) for key, value in parameters.items()]
        return self.node("BatchNormalization", [x, *names], epsilon=1e-5)

    def classifier(self, x, channels, classes):
        """Global average, flatten, fully connected."""
        x = self.node("Flatten", [self.node("GlobalAveragePool", [x])], axis=1)
        weights = self._random.normal(0, np.sqrt(1 / channels), (classes, channels)).astype(np.float32)
        bias = self._random.normal(0, 0.1, classes).astype(np.float32)
        return self.node("Gemm", [x, self.constant("fc.weight", weights), self.constant("fc.bias", bias)], transB=1)

    def model(self, output, input_shape, output_shape):
        self._nodes[-1].output[0] = "logits"
        graph = helper.make_graph(
            self._nodes, "network", [helper.make_tensor_value_info("input", TensorProto.FLOAT, input_shape)],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, output_shape)], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def resnet50(seed, size=224, classes=1000):
    net = NetworkWriter(seed)
    x = net.conv("input", 3, 64, 7, 2, activation="relu")
    x = net.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            step = stride if block == 0 else 1
            y = net.conv(x, channels, width, 1, activation="relu")
            y = net.conv(y, width, width, 3, step, activation="relu")
            y = net.conv(y, width, 4 * width, 1)
            if block == 0:
                x = net.conv(x, channels, 4 * width, 1, step)
            x = net.node("Relu", [net.node("Add", [y, x])])
            channels = 4 * width
    return net.model(net.classifier(x, channels, classes), (1, 3, size, size), (1, classes))


def mobilenet_v2(seed, size=224, classes=1000):
    net = NetworkWriter(seed)
    x = net.conv("input", 3, 32, 3, 2, activation="relu6")
    channels = 32
    for expansion, width, blocks, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                             (6, 160, 3, 2), (6, 320, 1, 1)):
        for block in range(blocks):
            step = stride if block == 0 else 1
            hidden = channels * expansion
            y = net.conv(x, channels, hidden, 1, activation="relu6") if expansion != 1 else x
            y = net.conv(y, hidden, hidden, 3, step, groups=hidden, activation="relu6")
            y = net.conv(y, hidden, width, 1)
            x = net.node("Add", [x, y]) if step == 1 and channels == width else y
            channels = width
    x = net.conv(x, channels, 1280, 1, activation="relu6")
    return net.model(net.classifier(x, 1280, classes), (1, 3, size, size), (1, classes))
