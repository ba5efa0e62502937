"""Layers with a scale a group, computed with Python's integers from the definition alone.

acc[n] starts from b[n] - z_x * sum m (w - z) and is updated once for each piece of a group that the array takes:
acc = fit(acc + m * sum(w * x)); what asymmetric weights add, sum_g m_g z_g * sum_{k in g} x, is taken off at the end.
"""

import dataclasses
import random


@dataclasses.dataclass
class Layer:
    """One convolution, stride 1, with padding; a fully connected layer where the image is a pixel."""

    size: int
    channels: int
    outputs: int
    kernel: int
    pad: int
    group: int
    weight_bits: int
    activation_bits: int
    multiplier_bits: int
    asymmetric: bool
    x: list
    x_zero_point: int
    weights: list      # [output][tap][channel]
    multipliers: list  # [output][tap][group]
    zero_points: list  # likewise
    bias: list

    @property
    def taps(self):
        return self.kernel * self.kernel

    @property
    def groups(self):
        return self.channels // self.group

    @property
    def out(self):
        return self.size + 2 * self.pad - self.kernel + 1


def limits(bits):
    return -(1 << bits - 1), (1 << bits - 1) - 1


def random_layer(rng: random.Random, group):
    def integers(count, bits):
        return [rng.randint(*limits(bits)) for _ in range(count)]

    kernel = rng.choice([1, 1, 2, 3])
    size = rng.randint(kernel, 4)
    channels = group * rng.randint(1, 3)
    outputs = rng.randint(1, 9)
    weight_bits, activation_bits = rng.randint(2, 8), rng.choice([4, 8, 8])
    multiplier_bits = rng.choice([1, 4, 8])
    asymmetric = rng.random() < 0.4
    taps, groups = kernel * kernel, channels // group
    return Layer(size, channels, outputs, kernel, rng.randint(0, kernel // 2), group, weight_bits, activation_bits,
                 multiplier_bits, asymmetric,
                 [[integers(channels, activation_bits) for _ in range(size)] for _ in range(size)],
                 rng.randint(*limits(activation_bits)) if rng.random() < 0.7 else 0,
                 [[integers(channels, weight_bits) for _ in range(taps)] for _ in range(outputs)],
                 [[[rng.randint(1, (1 << multiplier_bits) - 1) for _ in range(groups)] for _ in range(taps)]
                  for _ in range(outputs)],
                 [[integers(groups, weight_bits) if asymmetric else [0] * groups for _ in range(taps)]
                  for _ in range(outputs)],
                 [rng.randint(-5000, 5000) for _ in range(outputs)])


class Accumulator:
    """A register of some width that remembers what it saw."""

    def __init__(self, width, overflow):
        self.low, self.high = limits(width)
        self.width, self.overflow = width, overflow
        self.seen, self.overflows = [], 0

    def fit(self, value):
        self.seen.append(value)
        if self.low <= value <= self.high:
            return value
        self.overflows += 1
        if self.overflow == "saturate":
            return self.low if value < self.low else self.high
        return (value - self.low) % (1 << self.width) + self.low


def pixel(layer: Layer, y, x):
    inside = 0 <= y < layer.size and 0 <= x < layer.size
    return layer.x[y][x] if inside else [layer.x_zero_point] * layer.channels


def element(layer: Layer, y, x, n, piece, accumulator: Accumulator):
    """Output n of pixel (y, x); `piece` elements of a group at most reach the accumulator together."""
    start = layer.bias[n]
    for t in range(layer.taps):
        for c, w in enumerate(layer.weights[n][t]):
            g = c // layer.group
            start -= layer.x_zero_point * layer.multipliers[n][t][g] * (w - layer.zero_points[n][t][g])
    acc = accumulator.fit(start)
    correction = 0
    for t in range(layer.taps):
        inputs = pixel(layer, y - layer.pad + t // layer.kernel, x - layer.pad + t % layer.kernel)
        for g in range(layer.groups):
            m, z = layer.multipliers[n][t][g], layer.zero_points[n][t][g]
            end = (g + 1) * layer.group
            for begin in range(g * layer.group, end, piece):
                cut = slice(begin, min(begin + piece, end))
                acc = accumulator.fit(acc + m * sum(w * v for w, v in zip(layer.weights[n][t][cut], inputs[cut])))
            correction += m * z * sum(inputs[g * layer.group:end])
    return acc - correction


def outputs_of(layer: Layer, piece, accumulator):
    return [element(layer, y, x, n, piece, accumulator)
            for y in range(layer.out) for x in range(layer.out) for n in range(layer.outputs)]
