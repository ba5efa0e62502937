#!/usr/bin/env python3
"""Trains fashion_models/separable.onnx on Fashion-MNIST (Debian's dataset-fashion-mnist), with NumPy alone: a small network of depthwise-separable convolutions whose
batch norms stay in the file, to be quantized without data (docs/quantization.md).

    x [N, 1, 28, 28], pixels from 0 to 255
    conv 3x3 stride 2 to 16, batch norm, ReLU
    twice: depthwise 3x3, batch norm, ReLU, pointwise to 32 and 64, batch norm, ReLU (the second depthwise has stride 2)
    mean over the image, fully connected to 10

tests/conformance/train_fashion_mnist.py [--epochs 4] [--seed 1] [--output FILE.onnx]

A few minutes of one core. Sums of floats depend on the NumPy that adds them: another one gives another network of the same kind."""

import argparse
import gzip
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
BATCH = 128
EPSILON = 1e-5


def read_images(part):
    """[N, 28, 28, 1] in [0, 1], and the labels."""
    with gzip.open(DATA / f"{part}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28, 1)
    with gzip.open(DATA / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return pixels.astype(np.float32) / 255, labels.astype(np.int64)


class Taps:
    """The nine shifted images of a 3x3 convolution with padding 1."""

    def __init__(self, stride):
        self.stride = stride

    def windows(self, x):
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        rows, columns = x.shape[1] // self.stride, x.shape[2] // self.stride
        return [padded[:, i:i + self.stride * rows:self.stride, j:j + self.stride * columns:self.stride] for i in range(3) for j in range(3)]

    def scatter(self, slopes, shape):
        """The sum of the taps' slopes at the pixels that they came from."""
        padded = np.zeros((shape[0], shape[1] + 2, shape[2] + 2, shape[3]), np.float32)
        rows, columns = slopes[0].shape[1:3]
        for tap, slope in enumerate(slopes):
            i, j = divmod(tap, 3)
            padded[:, i:i + self.stride * rows:self.stride, j:j + self.stride * columns:self.stride] += slope
        return padded[:, 1:-1, 1:-1]


class Conv:
    """3x3 of all channels; weights [9 * channels, outputs]."""

    def __init__(self, random, channels, outputs, stride):
        self.taps = Taps(stride)
        self.w = random.normal(0, np.sqrt(2 / (9 * channels)), (9 * channels, outputs)).astype(np.float32)
        self.stride = stride

    def forward(self, x, _):
        self.x = np.concatenate(self.taps.windows(x), axis=-1)
        self.shape = x.shape
        return self.x @ self.w

    def backward(self, slope):
        flat = slope.reshape(-1, slope.shape[-1])
        self.gradients = {"w": self.x.reshape(flat.shape[0], -1).T @ flat}
        return None  # The first layer: nobody asks.


class Depthwise:
    """3x3 a channel; weights [9, channels]."""

    def __init__(self, random, channels, stride):
        self.taps = Taps(stride)
        self.w = random.normal(0, np.sqrt(2 / 9), (9, channels)).astype(np.float32)
        self.stride = stride

    def forward(self, x, _):
        self.windows = self.taps.windows(x)
        self.shape = x.shape
        return sum(window * w for window, w in zip(self.windows, self.w))

    def backward(self, slope):
        self.gradients = {"w": np.stack([np.einsum("nhwc,nhwc->c", window, slope) for window in self.windows])}
        return self.taps.scatter([slope * w for w in self.w], self.shape)


class Pointwise:
    """[.., channels] to [.., outputs]."""

    def __init__(self, random, channels, outputs, bias=False):
        self.w = random.normal(0, np.sqrt(2 / channels), (channels, outputs)).astype(np.float32)
        self.b = np.zeros(outputs, np.float32) if bias else None

    def forward(self, x, _):
        self.x = x
        y = x @ self.w
        return y if self.b is None else y + self.b

    def backward(self, slope):
        flat = slope.reshape(-1, slope.shape[-1])
        self.gradients = {"w": self.x.reshape(flat.shape[0], -1).T @ flat}
        if self.b is not None:
            self.gradients["b"] = flat.sum(0)
        return slope @ self.w.T


class BatchNorm:
    """gamma (x - mean) / sqrt(variance + epsilon) + beta"""

    def __init__(self, channels):
        self.gamma, self.beta = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        self.mean, self.variance = np.zeros(channels, np.float32), np.ones(channels, np.float32)

    def forward(self, x, is_training):
        mean, variance = (x.mean((0, 1, 2)), x.var((0, 1, 2))) if is_training else (self.mean, self.variance)
        if is_training:
            self.mean += 0.05 * (mean - self.mean)
            self.variance += 0.05 * (variance - self.variance)
        self.deviation = np.sqrt(variance + EPSILON)
        self.normal = (x - mean) / self.deviation
        return self.gamma * self.normal + self.beta

    def backward(self, slope):
        self.gradients = {"gamma": (slope * self.normal).sum((0, 1, 2)), "beta": slope.sum((0, 1, 2))}
        count = slope.size / slope.shape[-1]
        return self.gamma / self.deviation * (slope - self.gradients["beta"] / count - self.normal * self.gradients["gamma"] / count)


class Relu:
    def forward(self, x, _):
        self.is_on = x > 0
        return x * self.is_on

    def backward(self, slope):
        return slope * self.is_on


class Mean:
    def forward(self, x, _):
        self.shape = x.shape
        return x.mean((1, 2))

    def backward(self, slope):
        return np.broadcast_to(slope[:, None, None] / (self.shape[1] * self.shape[2]), self.shape)


def make_layers(random):
    return [Conv(random, 1, 16, 2), BatchNorm(16), Relu(),
            Depthwise(random, 16, 1), BatchNorm(16), Relu(), Pointwise(random, 16, 32), BatchNorm(32), Relu(),
            Depthwise(random, 32, 2), BatchNorm(32), Relu(), Pointwise(random, 32, 64), BatchNorm(64), Relu(),
            Mean(), Pointwise(random, 64, 10, bias=True)]


def forward(layers, x, is_training):
    for layer in layers:
        x = layer.forward(x, is_training)
    return x


def train(layers, images, labels, epochs, random):
    """Adam, a learning rate from 0.01 to 0 along a cosine."""
    moments, step = {}, 0
    steps = epochs * (len(images) // BATCH)
    for epoch in range(epochs):
        order = random.permutation(len(images))
        for begin in range(0, len(images) - BATCH + 1, BATCH):
            chosen = order[begin:begin + BATCH]
            logits = forward(layers, images[chosen], True)
            likely = np.exp(logits - logits.max(1, keepdims=True))
            slope = likely / likely.sum(1, keepdims=True)
            slope[np.arange(BATCH), labels[chosen]] -= 1
            slope = (slope / BATCH).astype(np.float32)
            for layer in reversed(layers):
                slope = layer.backward(slope)
            rate = 0.005 * (1 + np.cos(np.pi * step / steps))
            step += 1
            for layer in layers:
                for name, gradient in getattr(layer, "gradients", {}).items():
                    first, second = moments.setdefault((id(layer), name), (np.zeros_like(gradient), np.zeros_like(gradient)))
                    first += 0.1 * (gradient - first)
                    second += 0.001 * (gradient * gradient - second)
                    value = getattr(layer, name)
                    value -= rate * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        print(f"epoch {epoch + 1}", flush=True)


def accuracy(layers, images, labels):
    right = 0
    for begin in range(0, len(images), 1000):
        right += int((forward(layers, images[begin:begin + 1000], False).argmax(1) == labels[begin:begin + 1000]).sum())
    return right / len(images)


def write_onnx(layers, path):
    """Weights of the first layer take pixels from 0 to 255."""
    nodes, constants, value = [], [], "x"

    def constant(name, values):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    for i, layer in enumerate(layers):
        kind, made = type(layer).__name__, f"{type(layer).__name__.lower()}{i}"
        if kind in ("Conv", "Depthwise"):
            outputs = layer.w.shape[1]
            w = (layer.w / 255).reshape(3, 3, -1, outputs).transpose(3, 2, 0, 1) if kind == "Conv" else layer.w.T.reshape(outputs, 1, 3, 3)
            nodes.append(helper.make_node("Conv", [value, constant(made + ".w", w)], [made], made, kernel_shape=[3, 3], pads=[1, 1, 1, 1],
                                          strides=[layer.stride] * 2, group=1 if kind == "Conv" else outputs))
            # Stride 2 of an even image: rows 0, 2, .. of the padded one, as Taps has them.
        elif kind == "Pointwise" and layer.b is None:
            nodes.append(helper.make_node("Conv", [value, constant(made + ".w", layer.w.T[:, :, None, None])], [made], made, kernel_shape=[1, 1]))
        elif kind == "Pointwise":
            nodes.append(helper.make_node("Gemm", [value, constant(made + ".w", layer.w), constant(made + ".b", layer.b)], [made], made))
        elif kind == "BatchNorm":
            names = [constant(f"{made}.{name}", getattr(layer, name)) for name in ("gamma", "beta", "mean", "variance")]
            nodes.append(helper.make_node("BatchNormalization", [value, *names], [made], made, epsilon=EPSILON))
        elif kind == "Relu":
            nodes.append(helper.make_node("Relu", [value], [made], made))
        else:
            nodes.append(helper.make_node("GlobalAveragePool", [value], [made + ".mean"], made))
            nodes.append(helper.make_node("Flatten", [made + ".mean"], [made], made + ".flat"))
        value = made
    graph = helper.make_graph(nodes, "fashion_separable", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 28, 28])],
                              [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["N", 10])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "fashion_models" / "separable.onnx")
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    layers = make_layers(random)
    train(layers, *read_images("train"), arguments.epochs, random)
    print(f"{100 * accuracy(layers, *read_images('t10k')):.2f} % of the test images", flush=True)
    write_onnx(layers, arguments.output)


if __name__ == "__main__":
    main()
