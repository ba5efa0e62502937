"""A model of one operator under construction, with random parameters and scales."""

import math

import numpy as np
from model_writer import ModelWriter

ACTIVATIONS = {"none": 0, "relu": 1, "relu_n1_to_1": 2, "relu6": 3}


class Maker:
    """A model under construction: one element type for activations, random numbers, graph inputs."""

    def __init__(self, dtype, seed):
        self.dtype = np.dtype(dtype)
        self.random = np.random.default_rng([seed, self.dtype.itemsize])
        self.writer = ModelWriter()
        # All scales powers of two: exact ties at every step of the kernels' arithmetic.
        self.has_ties = self.draw(0, 3) == 0

    @property
    def is_int8(self):
        return self.dtype == np.int8

    @property
    def limits(self):
        return np.iinfo(self.dtype)

    def draw(self, low, high):
        return int(self.random.integers(low, high + 1))

    def choose(self, *choices):
        return choices[self.draw(0, len(choices) - 1)]

    def scale(self, real_range):
        """A scale for a symmetric real range, off any round number."""
        scale = real_range / self.limits.max * self.random.uniform(0.8, 1.25)
        return float(np.float32(2.0 ** np.round(np.log2(scale)) if self.has_ties else scale))

    def zero_point(self):
        return self.draw(-60, 60) if self.is_int8 else 0

    def activation(self, name, shape, real_range=4.0, scale=None, zero_point=None):
        scale = self.scale(real_range) if scale is None else scale
        zero_point = self.zero_point() if zero_point is None else zero_point
        return self.writer.tensor(name, shape, self.dtype, None, [scale], [zero_point]), scale, zero_point

    def input(self, shape, name="x", **options):
        index, scale, zero_point = self.activation(name, shape, **options)
        self.writer.inputs.append(index)
        return index, scale, zero_point

    def output(self, shape, name="y", **options):
        index, scale, zero_point = self.activation(name, shape, **options)
        self.writer.outputs.append(index)
        return index, scale, zero_point

    def weights(self, shape, axis, per_channel=True, zero_point=0):
        """Index and scales of int8 weights."""
        count = shape[axis] if per_channel else 1
        scales = self.random.uniform(0.002, 0.02, count).astype(np.float32)
        if self.has_ties:
            scales = (2.0 ** np.round(np.log2(scales))).astype(np.float32)
        values = self.random.integers(-127, 128, shape)
        index = self.writer.tensor("weights", shape, np.int8, values, scales, [zero_point] * count, axis)
        return index, scales

    def bias(self, count, input_scale, weight_scales, output_range):
        """int32 beside int8 activations, int64 beside int16."""
        scales = (np.float32(input_scale) * np.asarray(weight_scales, np.float32)).astype(np.float32)
        values = np.round(self.random.normal(0, 0.2 * output_range, count) / scales)
        dtype = np.int32 if self.is_int8 else np.int64
        return self.writer.tensor("bias", [count], dtype, values.astype(dtype), scales, [0] * len(scales))


def real_output_range(input_scale, limit, weight_scales, depth):
    """About two standard deviations of a sum of `depth` products of uniform numbers."""
    return 2 * math.sqrt(depth) * (input_scale * limit / 1.7) * (float(np.mean(weight_scales)) * 73)


def conv_size(size, kernel, dilation, stride, same):
    window = (kernel - 1) * dilation + 1
    return -(-size // stride) if same else (size - window) // stride + 1
