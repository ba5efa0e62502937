"""Layers as simulated quantization has them: dequantize, compute in double, quantize (white paper, figure 4 on the left).

Reads a workload in JSON with its tensors and nothing of the program; `LAYERS` has the function of each operation. Values are NHWC as in the
file. Each layer takes the integers that it is given: differences do not add up from layer to layer.
"""

import json
import pathlib

import numpy as np
from qsim_tensors import read_safetensors

LIMITS = {"relu": (0.0, np.inf), "relu6": (0.0, 6.0), None: (-np.inf, np.inf)}


def grid(description):
    """(s, z, least, greatest integer) of a description."""
    bits, signed = description.get("bits", 8), description.get("signed", True)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    return np.float64(np.float32(description.get("scale", 1.0))), np.float64(description.get("zero_point", 0)), low, high


def dequantize(integers, description):
    """Of an activation."""
    scale, zero_point, _, _ = grid(description)
    return scale * (integers.astype(np.float64) - zero_point)


def quantize(real, description):
    """To nearest, ties to even; and how far each was from a tie, in steps."""
    scale, zero_point, low, high = grid(description)
    steps = real / scale
    return np.clip(np.rint(steps) + zero_point, low, high).astype(np.int64), np.abs(steps - np.floor(steps) - 0.5)


def by_element(name, description, default):
    """A parameter of weights for each of them: one for all, one an output channel, or one a group of neighbours."""
    shape = description["shape"]
    values = np.atleast_1d(np.asarray(description.get(name, default), np.float64))
    repeats = int(np.prod(shape)) // values.size
    assert repeats in (int(np.prod(shape)), int(np.prod(shape[1:])), description.get("group_size"))
    return np.repeat(values, repeats).reshape(shape)


def channel_scales(description):
    """Float32 as stored, one an output channel."""
    return np.broadcast_to(np.atleast_1d(np.asarray(description.get("scale", 1.0), np.float32)), description["shape"][:1]).astype(np.float64)


def weight_scales(description):
    """One a weight; of groups s_g = m_g s."""
    scales = channel_scales(description).reshape(-1, *[1] * (len(description["shape"]) - 1))
    return scales * by_element("group_multipliers", description, 1.0)


def pair(value):
    return value if isinstance(value, list) else [value, value]


def windows(x, layer, kernel, padded):
    """[batch, rows, columns, channels, kernel rows, kernel columns]"""
    padding = layer.get("padding", 0)
    top, bottom, left, right = padding if isinstance(padding, list) else [padding] * 4
    stride, dilation = pair(layer.get("stride", 1)), pair(layer.get("dilation", 1))
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=padded)
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    view = np.lib.stride_tricks.sliding_window_view(x, span, axis=(1, 2))
    return view[:, ::stride[0], ::stride[1], :, ::dilation[0], ::dilation[1]]


def conv2d(layer, x, w):
    groups = layer.get("groups", 1)
    outputs, depth = w.shape[0] // groups, w.shape[3]
    view = windows(x, layer, w.shape[1:3], 0.0)
    parts = []
    for g in range(groups):
        taps = view[..., g * depth:(g + 1) * depth, :, :].transpose(0, 1, 2, 4, 5, 3)
        kernel = w[g * outputs:(g + 1) * outputs].reshape(outputs, -1)
        parts.append(taps.reshape(*taps.shape[:3], -1) @ kernel.T)
    return np.concatenate(parts, axis=3)


def depthwise_conv2d(layer, x, w):
    multiplier = w.shape[0] // x.shape[3]
    kernel = w.reshape(x.shape[3], multiplier, *w.shape[1:3])
    y = np.einsum("bijckl,cmkl->bijcm", windows(x, layer, w.shape[1:3], 0.0), kernel)
    return y.reshape(*y.shape[:3], -1)


def fully_connected(layer, x, w):
    return x.reshape(-1, w.shape[1]) @ w.T


def add(layer, a, b):
    return a + b


def average_pool2d(layer, x):
    assert not layer.get("padding"), "padding"
    return windows(x, layer, pair(layer["kernel"]), 0.0).mean(axis=(4, 5))


def reshape(layer, x):
    return x.reshape(x.shape[0], *layer["shape"][1:])


def pad(layer, x):
    return np.pad(x, list(zip(layer["before"], layer["after"], strict=True)))


PRODUCTS = {"conv2d": conv2d, "depthwise_conv2d": depthwise_conv2d, "fully_connected": fully_connected}
LAYERS = {"add": add, "average_pool2d": average_pool2d, "reshape": reshape, "pad": pad}


class Workload:
    """A workload of the operations above, and its constants."""

    def __init__(self, path):
        self.root = json.loads(pathlib.Path(path).read_text())
        self.constants = read_safetensors(pathlib.Path(path).parent / self.root["tensors"])
        self.descriptions = {tensor["name"]: tensor for tensor in self.root["inputs"]}
        for layer in self.root["layers"]:
            output = layer.get("output", {})
            if layer["op"] in ("reshape", "pad"):  # They keep their input's integers.
                kept = {key: value for key, value in self.descriptions[layer["input"]].items() if key in ("bits", "signed", "scale", "zero_point")}
                output = {**kept, **output}
            self.descriptions[output.get("name", layer["name"])] = output

    def stored(self, name, tensors):
        """A dumped tensor, which has the model's layout, as the file has it."""
        axes = self.descriptions[name].get("model_axes")
        return tensors[name] if axes is None else tensors[name].transpose(np.argsort(axes))

    def product(self, layer, x, input_scale):
        """The sums, and the bias, which is an integer at s_x s[n] for each output channel."""
        description = layer["weights"]
        w = self.constants[description["name"]].astype(np.float64).reshape(description["shape"])
        y = PRODUCTS[layer["op"]](layer, x, weight_scales(description) * (w - by_element("zero_point", description, 0.0)))
        if layer.get("bias") in (None, False):
            return y
        return y + self.constants[layer["bias"]["name"]].astype(np.float64) * input_scale * channel_scales(description)

    def layers(self, tensors):
        """(layer, the chip's integers, those of the simulation, distances from a tie) of each layer on the chip's inputs."""
        for layer in self.root["layers"]:
            names = layer["inputs"] if "inputs" in layer else [layer["input"]]
            reals = [dequantize(self.stored(name, tensors), self.descriptions[name]) for name in names]
            if layer["op"] in PRODUCTS:
                y = self.product(layer, reals[0], grid(self.descriptions[names[0]])[0])
            else:
                y = LAYERS[layer["op"]](layer, *reals)
            output = layer["output"].get("name", layer["name"])
            expected, distances = quantize(np.clip(y, *LIMITS[layer.get("activation")]), self.descriptions[output])
            found = self.stored(output, tensors).astype(np.int64)
            yield layer, found.reshape(expected.shape), expected, distances
