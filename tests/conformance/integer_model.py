"""What a layer on the MAC array computes, from its workload JSON alone: arbitrary-precision integers, fractions, one loop a sum.

Written from docs/workload_format.md, docs/arithmetic.md, docs/schemes.md and docs/groups.md, without a look at the program: slow, so that it can be read.
`LAYERS` has the function of each operation that it knows and `ROUNDINGS` that of each rounding profile; a further scheme is a further entry.
"""

import dataclasses
import json
import math
import pathlib
from fractions import Fraction

import numpy as np
from qsim_tensors import read_safetensors


@dataclasses.dataclass
class Chip:
    """What of a machine shows in values: the reduction reaches the accumulators in chunks of the array's rows; where sums stay in the
    PEs (output_stationary), in whole parts or groups."""

    rows: int = 32
    dataflow: str = "weight_stationary"
    accumulator_bits: int = 32
    overflow: str = "wrap"
    shift_rounding: str = "half_away"
    multiplier_bits: int = 32


@dataclasses.dataclass
class Tensor:
    """q as nested lists of one dimension, s and z one a channel of dimension 0 or one for all.

    With groups of `group` neighbouring elements s is one a channel, m and z are one a group: an element is s m (q - z).
    """

    shape: tuple
    values: list
    scales: list
    zero_points: list
    bits: int
    signed: bool
    group: int = 0
    multipliers: list = dataclasses.field(default_factory=list)

    @property
    def low(self):
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self):
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    def scale(self, channel):
        return self.scales[channel % len(self.scales)]

    def zero_point(self, channel):
        return self.zero_points[channel % len(self.zero_points)]

    def factors(self, channel, depth):
        """(m, z) of each of the `depth` elements of a channel."""
        if self.group == 0:
            return [(1, self.zero_point(channel))] * depth
        groups = [element // self.group for element in range(channel * depth, (channel + 1) * depth)]
        return [(self.multipliers[g], self.zero_points[g % len(self.zero_points)]) for g in groups]


@dataclasses.dataclass
class Seen:
    """The accumulators of a layer: every value after an update, before the register keeps it."""

    minimum: int = None
    maximum: int = None
    overflows: int = 0

    def update(self, value, chip):
        self.minimum = value if self.minimum is None else min(value, self.minimum)
        self.maximum = value if self.maximum is None else max(value, self.maximum)
        low, high = -(1 << (chip.accumulator_bits - 1)), (1 << (chip.accumulator_bits - 1)) - 1
        if low <= value <= high:
            return value
        self.overflows += 1
        if chip.overflow == "saturate":
            return min(max(value, low), high)
        return (value - low) % (1 << chip.accumulator_bits) + low


def listed(value):
    return value if isinstance(value, list) else [value]


def tensor_of(description, shape, values):
    return Tensor(tuple(shape), [int(v) for v in values], [np.float32(s) for s in listed(description.get("scale", 1.0))],
                  listed(description.get("zero_point", 0)), description.get("bits", 8), description.get("signed", True),
                  description.get("group_size", 0), description.get("group_multipliers", []))


# ---- requantization: M = s_x s_w / s_y ---------------------------------------------------------------------------------------


def half_up(v):
    return math.floor(v + Fraction(1, 2))


def half_away(v):
    return half_up(v) if v >= 0 else -half_up(-v)


def half_even(v):
    return round(v)  # of a Fraction


SHIFT_ROUNDINGS = {"half_up": half_up, "half_away": half_away, "half_even": half_even, "truncate": math.floor}


def product_of_scales(x, w, y):
    """M in double, as it is derived for integer multipliers."""
    return float(x) * float(w) / float(y)


def fixed_point(m, bits):
    """(q, e): M = q 2^(e - 31), q of `bits` bits with the sign's."""
    fraction, exponent = math.frexp(m)
    q = half_away(Fraction(fraction) * (1 << 31))
    if q == 1 << 31:
        q, exponent = q >> 1, exponent + 1
    if exponent < -31:
        return 0, 0
    step = 1 << (32 - bits)
    q = half_up(Fraction(q, step)) * step
    return (q >> 1, exponent + 1) if q == 1 << 31 else (q, exponent)


def by_float32(acc, scales, chip, limits):
    x, w, y = scales
    v = np.float32(acc) * np.float32(np.float32(x * w) / y)
    return half_even(Fraction(float(min(max(v, np.float32(limits[0])), np.float32(limits[1])))))


def by_float64(acc, scales, chip, limits):
    v = float(acc) * product_of_scales(*scales)
    return half_away(Fraction(min(max(v, float(limits[0])), float(limits[1]))))


def int32(value):
    return min(max(value, -(1 << 31)), (1 << 31) - 1)


def by_double_rounding(acc, scales, chip, limits):
    """gemmlowp's SaturatingRoundingDoublingHighMul, then its RoundingDivideByPOT."""
    q, exponent = fixed_point(product_of_scales(*scales), chip.multiplier_bits)
    product = int32(int32(acc) << max(exponent, 0)) * q
    nudged = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    high = nudged // (1 << 31) if nudged >= 0 else -(-nudged // (1 << 31))
    return half_away(Fraction(high, 1 << max(-exponent, 0)))


def by_single_rounding(acc, scales, chip, limits):
    q, exponent = fixed_point(product_of_scales(*scales), chip.multiplier_bits)
    return half_up(Fraction(acc * q) * Fraction(2) ** (exponent - 31))


def by_16bit_multiplier(acc, scales, chip, limits):
    q, exponent = fixed_point(product_of_scales(*scales), chip.multiplier_bits if chip.multiplier_bits < 16 else 32)
    q = (q + (1 << 15)) >> 16 if q < 0x7FFF0000 else 0x7FFF
    return half_up(Fraction(acc * q) * Fraction(2) ** (exponent - 15))


def by_shift(acc, scales, chip, limits):
    m = Fraction(float(scales[0])) * Fraction(float(scales[1])) / Fraction(float(scales[2]))
    assert m.numerator & (m.numerator - 1) == 0 and m.denominator & (m.denominator - 1) == 0, "not a power of two"
    value = acc * m
    return int(value) if m >= 1 else SHIFT_ROUNDINGS[chip.shift_rounding](value)


ROUNDINGS = {"float32": by_float32, "float64": by_float64, "fixed_point_double_rounding": by_double_rounding,
             "fixed_point_single_rounding": by_single_rounding, "fixed_point_16bit_multiplier": by_16bit_multiplier, "power_of_two": by_shift}


# ---- sums --------------------------------------------------------------------------------------------------------------------


def chunks(kernel, part, rows, group, turned):
    """Taps of each update: a part of (rows, columns, channels) of the kernel after the other, each in steps of at most `rows`.

    A part is of whole groups, and no step crosses the border of one. A kernel that is `turned` by 180 degrees is seen from its end.
    """
    (height, width, depth), found = kernel, []

    def place(row, column):
        return (height - 1 - row) * width + width - 1 - column if turned else row * width + column

    for h in range(0, height, part[0]):
        for w in range(0, width, part[1]):
            for c in range(0, depth, part[2]):
                taps = [place(i, j) * depth + k for i in range(h, min(h + part[0], height)) for j in range(w, min(w + part[1], width))
                        for k in range(c, min(c + part[2], depth))]
                size = group or len(taps)
                assert len(taps) % size == 0
                pieces = [taps[begin:begin + size] for begin in range(0, len(taps), size)]
                found += [piece[begin:begin + rows] for piece in pieces for begin in range(0, size, rows)]
    return found


def accumulate(taps, weights, preload, updates, chip, seen):
    """The register after the preload and chunk after chunk of products; inside a chunk, and its group's multiplier, the sum is exact."""
    register = seen.update(preload, chip)
    for chunk in updates:
        register = seen.update(register + sum(taps[k] * weights[k] for k in chunk), chip)
    return register


def pair(value):
    return value if isinstance(value, list) else [value, value]


def convolution(layer, x, w):
    """(output shape, [(channel, taps)]), outputs in C order; taps run over kernel rows, columns, channels. Padding is the zero point."""
    batch, height, width, channels = x.shape
    outputs, kernel_h, kernel_w, depth = w.shape
    groups = channels if layer["op"] == "depthwise_conv2d" else layer.get("groups", 1)
    stride_h, stride_w = pair(layer.get("stride", 1))
    dilation_h, dilation_w = pair(layer.get("dilation", 1))
    top, bottom, left, right = layer.get("padding", [0, 0, 0, 0])
    rows = (height + top + bottom - dilation_h * (kernel_h - 1) - 1) // stride_h + 1
    columns = (width + left + right - dilation_w * (kernel_w - 1) - 1) // stride_w + 1

    def tap(b, r, c, channel):
        inside = 0 <= r < height and 0 <= c < width
        return x.values[((b * height + r) * width + c) * channels + channel] if inside else x.zero_point(0)

    sums = []
    for b in range(batch):
        for i in range(rows):
            for j in range(columns):
                for n in range(outputs):
                    first = n // (outputs // groups) * depth
                    sums.append((n, [tap(b, i * stride_h - top + kh * dilation_h, j * stride_w - left + kw * dilation_w, first + c)
                                     for kh in range(kernel_h) for kw in range(kernel_w) for c in range(depth)]))
    return (batch, rows, columns, outputs), sums


def transposed_convolution(layer, x, w):
    """Input i meets kernel element k in output i * stride + k - padding; what lies between inputs, and outside, is the zero point."""
    batch, height, width, channels = x.shape
    outputs, kernel_h, kernel_w, _ = w.shape
    stride_h, stride_w = pair(layer.get("stride", 1))
    top, bottom, left, right = layer.get("padding", [0, 0, 0, 0])
    rows = (height - 1) * stride_h + kernel_h - top - bottom
    columns = (width - 1) * stride_w + kernel_w - left - right

    def tap(b, r, c, channel):
        inside = r % stride_h == 0 and c % stride_w == 0 and 0 <= r // stride_h < height and 0 <= c // stride_w < width
        return x.values[((b * height + r // stride_h) * width + c // stride_w) * channels + channel] if inside else x.zero_point(0)

    sums = [(n, [tap(b, i + top - kh, j + left - kw, c) for kh in range(kernel_h) for kw in range(kernel_w) for c in range(channels)])
            for b in range(batch) for i in range(rows) for j in range(columns) for n in range(outputs)]
    return (batch, rows, columns, outputs), sums


def fully_connected(layer, x, w):
    outputs, depth = w.shape
    rows = len(x.values) // depth
    return (*x.shape[:-1], outputs), [(n, x.values[r * depth:(r + 1) * depth]) for r in range(rows) for n in range(outputs)]


LAYERS = {"conv2d": convolution, "depthwise_conv2d": convolution, "transpose_conv2d": transposed_convolution,
          "fully_connected": fully_connected}


# ---- layers and networks -----------------------------------------------------------------------------------------------------


def run_layer(layer, x, w, bias, profile, chip, part=None):
    """(output tensor, what the accumulators saw). `part` of the kernel, where the mapping cuts the reduction: no update crosses its border."""
    shape, sums = LAYERS[layer["op"]](layer, x, w)
    depth = len(w.values) // w.shape[0]
    y = tensor_of(layer["output"], shape, [])
    z_x, z_y, seen = x.zero_point(0), y.zero_point(0), Seen()
    low = max(y.low, z_y) if layer.get("activation") == "relu" else y.low
    kernel = w.shape[1:] if len(w.shape) == 4 else (1, 1, depth)
    most = depth if chip.dataflow == "output_stationary" else chip.rows
    updates = chunks(kernel, part or kernel, most, w.group, layer["op"] == "transpose_conv2d")
    # sum m (w - z_w) (x - z_x) = sum m w x - sum m z_w x - z_x sum (m w - m z_w); without groups m = 1 (white paper, section 2.4): the last
    # term is known before the run, the second is subtracted from what the accumulators hold.
    factors = [w.factors(n, depth) for n in range(w.shape[0])]
    weights = [[m * q for (m, _), q in zip(factors[n], w.values[n * depth:(n + 1) * depth])] for n in range(w.shape[0])]
    corrections = [[m * z for m, z in factors[n]] for n in range(w.shape[0])]
    preloads = [bias[n] - z_x * (sum(weights[n]) - sum(corrections[n])) for n in range(w.shape[0])]
    for n, taps in sums:
        acc = accumulate(taps, weights[n], preloads[n], updates, chip, seen) - sum(c * x for c, x in zip(corrections[n], taps))
        scaled = ROUNDINGS[profile](acc, (x.scale(0), w.scale(n), y.scale(0)), chip, (low - z_y, y.high - z_y))
        y.values.append(min(max(scaled, low - z_y), y.high - z_y) + z_y)
    return y, seen


def run_workload(path, inputs, chip, parts=None):
    """{layer: (output, Seen)} of a chain or a set of layers in JSON; `inputs` are arrays of integers by name, `parts` as in run_layer."""
    root = json.loads(pathlib.Path(path).read_text())
    stored = read_safetensors(pathlib.Path(path).parent / root["tensors"]) if isinstance(root.get("tensors"), str) else {}

    def constant(description, name):
        return description["values"] if "values" in description else stored[name].reshape(-1).tolist()

    tensors = {d["name"]: tensor_of(d, inputs[d["name"]].shape, inputs[d["name"]].reshape(-1)) for d in root["inputs"]}
    results = {}
    for layer in root["layers"]:
        description = layer["weights"]
        w = tensor_of(description, description["shape"], constant(description, layer["name"] + ".weights"))
        has_bias = layer.get("bias") not in (None, False)
        bias = [int(b) for b in constant(layer["bias"], layer["name"] + ".bias")] if has_bias else [0] * w.shape[0]
        y, seen = run_layer(layer, tensors[layer["input"]], w, bias, root["rounding_profile"], chip, (parts or {}).get(layer["name"]))
        tensors[layer["name"]] = y
        results[layer["name"]] = (y, seen)
    return results
