#!/usr/bin/env python3
"""Writes the workloads that ship in workloads/models/.

    python3 scripts/make_workloads.py [--output FOLDER] [--tokens N] [NAME ...]

Weights come from the generator that workloads/graph/generator.h defines; this script computes the same values, runs
one seeded input through each network with them, and chooses the scales as it goes, as batch normalization
and a calibration set would: weight scales so that a layer's results have a given spread before the activation,
output scales so that one value in 2,000 saturates. Networks of shape_networks.py are too large for that. Needs numpy.
"""

import argparse
import json
import pathlib

import numpy as np
import shape_networks

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MASK = (1 << 64) - 1
SATURATED_FRACTION = 0.0005


# ---- the generator of workloads/graph/generator.h ---------------------------------------------------------------

def mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def words(seed, name, count):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        key = mix(np.array([h], np.uint64) ^ mix(np.array([(seed + int(GOLDEN)) & MASK], np.uint64)))
        return mix(key + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN)


def normal(seed, name, shape, deviation_256ths, low, high):
    w = words(seed, name, int(np.prod(shape)))
    d = sum((w >> np.uint64(16 * i) & np.uint64(0xFFFF)).astype(np.int64) for i in range(4)) - 131070
    q = (d * (deviation_256ths * 113512) + (1 << 39)) >> 40
    return np.clip(q, low, high).reshape(shape)


def uniform(seed, name, shape, low, high):
    w = words(seed, name, int(np.prod(shape)))
    return low + ((w >> np.uint64(32)) * np.uint64(high - low + 1) >> np.uint64(32)).astype(np.int64).reshape(shape)


# ---- building a network while running it --------------------------------------------------------------------

def three_digits(value):
    return float(f"{value:.3g}")


class Activation:
    """A tensor of the network: its name, integers, scale and zero point."""

    def __init__(self, name, q, scale, zero_point):
        self.name, self.q, self.scale, self.zero_point = name, q, scale, zero_point

    @property
    def centered(self):
        return (self.q - self.zero_point).astype(np.float32)

    @property
    def real(self):
        return self.centered * self.scale


class Network:
    semantics = "tflite"

    def __init__(self, name, description, shape, scale, zero_point, seed=1, input_name="image"):
        self.name, self.description, self.seed = name, description, seed
        self.input = {"name": input_name, "shape": list(shape), "scale": scale, "zero_point": zero_point}
        self.layers, self.macs, self.weights = [], 0, 0
        q = uniform(0, input_name, shape, -128, 127)
        self.x = Activation(input_name, q, scale, zero_point)

    def quantized(self, name, real, activation):
        """Chooses the output's scale and zero point and quantizes to them."""
        if activation == "relu6":
            low, high = 0.0, 6.0
        else:
            fraction = SATURATED_FRACTION if real.size > 4000 else 0.0
            low = 0.0 if activation == "relu" else min(0.0, np.quantile(real, fraction))
            high = np.quantile(real, 1 - fraction) * (1.0 if fraction else 1.05)
            low *= 1.0 if fraction else 1.05
        scale = three_digits((high - low) / 255) if activation != "relu6" else 0.0235294122248888
        zero_point = int(np.clip(round(-128 - low / scale), -128, 127))
        if activation in ("relu", "relu6"):
            real = np.maximum(real, 0)
        q = np.clip(np.rint(real / scale) + zero_point, -128, 127).astype(np.int64)
        return Activation(name, q, scale, zero_point)

    def emit(self, op, name, inputs, output=None, **attributes):
        layer = {"op": op, "name": name}
        layer.update({"inputs": [i.name for i in inputs]} if len(inputs) > 1 else {"input": inputs[0].name})
        layer.update({key: value for key, value in attributes.items() if value is not None})
        if output is not None:
            layer["output"] = {"scale": output.scale, "zero_point": output.zero_point}
        self.layers.append(layer)
        return output

    def matmul_layer(self, op, name, x, accumulators, shape, spread, activation, **attributes):
        """Bias, weight scale for the wanted spread of the results, output."""
        depth = int(np.prod(shape[1:]))
        bias_deviation = int(np.sqrt(depth)) << 16
        bias = normal(self.seed, name + ".bias", (shape[0],), bias_deviation, -2**31, 2**31 - 1)
        results = accumulators + bias
        weight_scale = three_digits(spread / (results.std() * x.scale))
        output = self.quantized(name, results * (x.scale * weight_scale), activation)
        weights = {"shape": list(shape), "scale": weight_scale}
        if op != "fully_connected":
            weights["axis"] = 0
        self.macs += accumulators.size * depth
        self.weights += int(np.prod(shape))
        return self.emit(op, name, [x], output, weights=weights, bias=True, **attributes,
                         activation=None if activation == "none" else activation)

    def conv(self, name, x, channels, kernel, stride=1, padding=0, activation="relu", spread=1.0, depthwise=False):
        c = x.q.shape[3]
        shape = (channels, kernel, kernel, 1 if depthwise else c)
        weights = normal(self.seed, name + ".weights", shape, 64 * 127, -128, 127).astype(np.float32)
        padded = np.pad(x.centered[0], ((padding, padding), (padding, padding), (0, 0)))
        size = (padded.shape[0] - kernel) // stride + 1
        accumulators = np.zeros((size, size, channels), np.float32)
        for i in range(kernel):
            for j in range(kernel):
                tap = padded[i:i + stride * (size - 1) + 1:stride, j:j + stride * (size - 1) + 1:stride]
                accumulators += tap * weights[:, i, j, 0] if depthwise else tap @ weights[:, i, j].T
        return self.matmul_layer("depthwise_conv2d" if depthwise else "conv2d", name, x, accumulators[None], shape, spread,
                                 activation, stride=stride if stride > 1 else None, padding=padding or None)

    def fully_connected(self, name, x, outputs, spread=3.0):
        depth = x.q.size
        weights = normal(self.seed, name + ".weights", (outputs, depth), 64 * 127, -128, 127).astype(np.float32)
        return self.matmul_layer("fully_connected", name, x, x.centered.reshape(1, -1) @ weights.T, (outputs, depth), spread,
                                 "none")

    def add(self, name, a, b, activation="relu"):
        output = self.quantized(name, a.real + b.real, activation)
        return self.emit("add", name, [a, b], output, activation=None if activation == "none" else activation)

    def max_pool(self, name, x, kernel, stride, padding):
        padded = np.pad(x.q[0], ((padding, padding), (padding, padding), (0, 0)), constant_values=-128)
        size = (padded.shape[0] - kernel) // stride + 1
        span = stride * (size - 1) + 1
        q = np.max([padded[i:i + span:stride, j:j + span:stride] for i in range(kernel) for j in range(kernel)], axis=0)
        self.emit("max_pool2d", name, [x], kernel=kernel, stride=stride, padding=padding)
        return Activation(name, q[None], x.scale, x.zero_point)

    def average_pool(self, name, x):
        self.emit("average_pool2d", name, [x], kernel=x.q.shape[1])
        return Activation(name, np.rint(x.q.mean(axis=(1, 2), keepdims=True)).astype(np.int64), x.scale, x.zero_point)

    def mean(self, name, x):
        output = self.quantized(name, x.real.mean(axis=(1, 2)), "relu")
        return self.emit("mean", name, [x], output, axes=[1, 2], keep_dims=False)

    def softmax(self, name, x):
        self.emit("softmax", name, [x])
        return Activation(name, None, 1 / 256, -128)

    def write(self, folder, output):
        lines = [f'{{"name": {json.dumps(self.name)},', f' "description": {json.dumps(self.description)},',
                 f' "semantics": {json.dumps(self.semantics)},', f' "tensors": {{"generator": "normal", "seed": {self.seed}}},',
                 f' "inputs": [{json.dumps(self.input)}],', ' "layers": [']
        lines += ["  " + json.dumps(layer) + ("," if layer is not self.layers[-1] else "") for layer in self.layers]
        lines += [" ],", f' "outputs": [{json.dumps(output.name)}]}}']
        (folder / f"{self.name}.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{self.name}: {len(self.layers)} layers, {self.macs / 1e6:.2f} MMAC, {self.weights / 1e6:.3f} M weights")


class Transformer(Network):
    """Layers of an encoder, [1, tokens, features]; "onnx" semantics."""

    semantics = "onnx"

    def described(self, output, shape=None):
        """Emits nothing: the entry "output" of a layer."""
        entry = {} if shape is None else {"shape": list(shape)}
        return {**entry, "scale": output.scale, "zero_point": output.zero_point}

    def dense(self, name, x, outputs, spread=1.0):
        depth = x.q.shape[-1]
        weights = normal(self.seed, name + ".weights", (outputs, depth), 64 * 127, -128, 127).astype(np.float32)
        y = self.matmul_layer("fully_connected", name, x, x.centered @ weights.T, (outputs, depth), spread, "none")
        self.layers[-1]["output"] = self.described(y, y.q.shape)
        return y

    def moved(self, op, name, x, q, **attributes):
        self.emit(op, name, [x], **attributes)
        return Activation(name, q, x.scale, x.zero_point)

    def split_heads(self, name, x, heads, permutation):
        shape = [*x.q.shape[:2], heads, x.q.shape[2] // heads]
        split = self.moved("reshape", f"{name}.split", x, x.q.reshape(shape), shape=shape)
        return self.moved("transpose", f"{name}.heads", split, split.q.transpose(permutation), permutation=list(permutation))

    def join_heads(self, name, x):
        turned = self.moved("transpose", f"{name}.tokens", x, x.q.transpose(0, 2, 1, 3), permutation=[0, 2, 1, 3])
        shape = [*turned.q.shape[:2], turned.q.shape[2] * turned.q.shape[3]]
        return self.moved("reshape", f"{name}.joined", turned, turned.q.reshape(shape), shape=shape)

    def matmul(self, name, a, b):
        self.macs += int(np.prod(a.q.shape)) * b.q.shape[-1]
        return self.emit("matmul", name, [a, b], self.quantized(name, a.real @ b.real, "none"))

    def probabilities(self, name, x):
        e = np.exp(x.real - x.real.max(axis=-1, keepdims=True))
        real = e / e.sum(axis=-1, keepdims=True)
        return self.emit("softmax", name, [x], self.quantized(name, real, "none"))

    def gelu(self, name, x):
        real = 0.5 * x.real * (1 + np.tanh(np.sqrt(2 / np.pi) * (x.real + 0.044715 * x.real**3)))
        return self.emit("gelu", name, [x], self.quantized(name, real, "none"))

    def layer_norm(self, name, x):
        """Gamma 1, beta 0."""
        real = (x.real - x.real.mean(axis=-1, keepdims=True)) / x.real.std(axis=-1, keepdims=True)
        output = self.quantized(name, real, "none")
        self.layers.append({"op": "layer_norm", "name": name, "inputs": [x.name, None, None], "epsilon": 1e-12,
                            "output": self.described(output)})
        return output


# ---- the networks ---------------------------------------------------------------------------------------------

def basic_block(net, name, x, channels, stride):
    y = net.conv(f"{name}.conv1", x, channels, 3, stride, 1)
    y = net.conv(f"{name}.conv2", y, channels, 3, 1, 1, "none", spread=0.7)
    if stride > 1 or x.q.shape[3] != channels:
        x = net.conv(f"{name}.shortcut", x, channels, 1, stride, 0, "none")
    return net.add(f"{name}.add", x, y)


def bottleneck_block(net, name, x, channels, stride):
    """Version 1.5: the stride is in the 3x3 convolution."""
    y = net.conv(f"{name}.conv1", x, channels, 1)
    y = net.conv(f"{name}.conv2", y, channels, 3, stride, 1)
    y = net.conv(f"{name}.conv3", y, 4 * channels, 1, 1, 0, "none", spread=0.7)
    if stride > 1 or x.q.shape[3] != 4 * channels:
        x = net.conv(f"{name}.shortcut", x, 4 * channels, 1, stride, 0, "none")
    return net.add(f"{name}.add", x, y)


def small_resnet(name, description, widths):
    net = Network(name, description, (1, 32, 32, 3), 0.00392156885936856, -128)
    x = net.conv("stem", net.x, widths[0], 3, 1, 1)
    for stage, width in enumerate(widths):
        x = basic_block(net, f"stage{stage + 1}", x, width, 1 if stage == 0 else 2)
    x = net.average_pool("pool", x)
    x = net.fully_connected("logits", x, 10, spread=2.0)
    return net, net.softmax("probabilities", x)


def large_resnet(name, description, block, blocks):
    net = Network(name, description, (1, 224, 224, 3), 0.0186, -14)
    x = net.conv("stem", net.x, 64, 7, 2, 3)
    x = net.max_pool("stem.pool", x, 3, 2, 1)
    for stage, count in enumerate(blocks):
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            x = block(net, f"stage{stage + 1}.block{index + 1}", x, 64 << stage, stride)
    x = net.mean("pool", x)
    return net, net.fully_connected("logits", x, 1000)


def inverted_residual(net, name, x, channels, stride, expansion):
    c = x.q.shape[3]
    y = x if expansion == 1 else net.conv(f"{name}.expand", x, c * expansion, 1, activation="relu6", spread=1.7)
    y = net.conv(f"{name}.depthwise", y, c * expansion, 3, stride, 1, "relu6", spread=1.4, depthwise=True)
    y = net.conv(f"{name}.project", y, channels, 1, activation="none", spread=1.0)
    return net.add(f"{name}.add", x, y, "none") if stride == 1 and c == channels else y


def mobilenet_v2():
    net = Network("mobilenet_v2", "MobileNetV2 1.0, ImageNet shapes, generated int8 weights: 301 MMAC",
                  (1, 224, 224, 3), 0.0078125, 0)
    x = net.conv("stem", net.x, 32, 3, 2, 1, "relu6", spread=1.7)
    settings = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for stage, (expansion, channels, count, first_stride) in enumerate(settings):
        for index in range(count):
            stride = first_stride if index == 0 else 1
            x = inverted_residual(net, f"stage{stage + 1}.block{index + 1}", x, channels, stride, expansion)
    x = net.conv("head", x, 1280, 1, activation="relu6", spread=1.7)
    x = net.mean("pool", x)
    x = net.fully_connected("logits", x, 1000)
    return net, net.softmax("probabilities", x)


def bert_base_layer():
    """One encoder layer of BERT base; 1 / sqrt(64) is in the scale of the queries."""
    heads = 12
    net = Transformer("bert_base_layer", "One encoder layer of BERT base, 128 tokens, generated int8 weights: 931 MMAC",
                      (1, 128, 768), 0.0195, 3, input_name="hidden")
    x = net.x
    q = net.split_heads("query", net.dense("query", x, 768, spread=0.2), heads, (0, 2, 1, 3))
    k = net.split_heads("key", net.dense("key", x, 768), heads, (0, 2, 3, 1))
    v = net.split_heads("value", net.dense("value", x, 768), heads, (0, 2, 1, 3))
    scores = net.matmul("scores", q, k)
    context = net.join_heads("context", net.matmul("context", net.probabilities("probabilities", scores), v))
    attended = net.add("attention.add", x, net.dense("attention.output", context, 768), "none")
    y = net.layer_norm("attention.norm", attended)
    hidden = net.gelu("ffn.gelu", net.dense("ffn.intermediate", y, 3072))
    return net, net.layer_norm("ffn.norm", net.add("ffn.add", y, net.dense("ffn.output", hidden, 768), "none"))


NETWORKS = {
    "bert_base_layer": bert_base_layer,
    "resnet": lambda: small_resnet("resnet", "Small residual network (10 layers), 32x32 images, generated int8 weights: 16 MMAC",
                                   [16, 32, 64, 128]),
    "resnet8": lambda: small_resnet("resnet8", "ResNet-8 as in MLPerf Tiny, CIFAR-10 shapes, generated int8 weights: 12.5 MMAC",
                                    [16, 32, 64]),
    "resnet18": lambda: large_resnet("resnet18", "ResNet-18, ImageNet shapes, generated int8 weights: 1.81 GMAC",
                                     basic_block, [2, 2, 2, 2]),
    "resnet50": lambda: large_resnet("resnet50", "ResNet-50 v1.5, ImageNet shapes, generated int8 weights: 4.09 GMAC",
                                     bottleneck_block, [3, 4, 6, 3]),
    "mobilenet_v2": mobilenet_v2,
    "vgg16": shape_networks.vgg16,
}
# Their length is --tokens.
SEQUENCES = {
    "decoder_7b_prefill": shape_networks.decoder_7b_prefill,
    "decoder_7b_decode": shape_networks.decoder_7b_decode,
}


def main():
    names = [*NETWORKS, *SEQUENCES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all of them by default")
    models = pathlib.Path(__file__).resolve().parents[1] / "workloads" / "models"
    parser.add_argument("--output", type=pathlib.Path, default=models, metavar="FOLDER")
    parser.add_argument("--tokens", type=int, default=512, metavar="N",
                        help=f"tokens, or keys in the cache, of {', '.join(SEQUENCES)} (default: 512, as they ship)")
    arguments = parser.parse_args()
    for name in arguments.names or names:
        if name not in names:
            parser.error(f"{name}: not one of {', '.join(names)}")
        net, output = SEQUENCES[name](arguments.tokens) if name in SEQUENCES else NETWORKS[name]()
        net.write(arguments.output, output)


if __name__ == "__main__":
    main()
