"""What products, sums, maxima and means of blocks with shared exponents (MXINT8) are: arbitrary-precision integers and fractions, one loop a sum.

Written from the OCP Microscaling Formats Specification 1.0 (sections 5.1, 5.2, 6.3) and docs/schemes.md, without a look at the program: slow, so
that it can be read. A block is (exponent, [mantissas]); a tensor is a nested list whose innermost entries are lists of blocks.
"""

import dataclasses
import math
from fractions import Fraction

from integer_model import SHIFT_ROUNDINGS

BLOCK = 32
LIMIT = 127
GUARD = 24  # bits that the vector unit keeps below the elements of the largest exponent
ALIGNER = 1 << 62  # what a sum that is shifted further than 43 bits is held at


@dataclasses.dataclass
class BlockChip:
    rows: int = 32
    accumulator_bits: int = 32
    overflow: str = "wrap"
    shift_rounding: str = "half_even"
    sums_stay: bool = False  # output_stationary: sums leave the array with each group of channels


@dataclasses.dataclass
class BlockSeen:
    minimum: int = None
    maximum: int = None
    overflows: int = 0
    rounded: int = 0


def power(exponent):
    return Fraction(2) ** exponent


def floor_log2(value):
    """Of a positive fraction, by trying."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    while power(exponent) > value:
        exponent -= 1
    while power(exponent + 1) <= value:
        exponent += 1
    return exponent


def make_block(values, round_one):
    """values: fractions."""
    largest = max(abs(v) for v in values)
    exponent = max(-127, min(127, floor_log2(largest))) if largest else -127
    return exponent, [max(-LIMIT, min(LIMIT, round_one(v * power(6 - exponent)))) for v in values]


def make_blocks(values, round_one=SHIFT_ROUNDINGS["half_even"]):
    return [make_block(values[begin : begin + BLOCK], round_one) for begin in range(0, len(values), BLOCK)]


def stored(blocks):
    """As a tensor holds them."""
    return [element for exponent, mantissas in blocks for element in [*mantissas, exponent]]


def blocks_of_stored(elements):
    blocks = []
    for begin in range(0, len(elements), BLOCK + 1):
        *mantissas, exponent = elements[begin : begin + BLOCK + 1]
        blocks.append((exponent, mantissas))
    return blocks


def range_of_sums(weights, bias, largest_input):
    """Exponent above all |sums| that the weights and the largest input that was seen allow. weights: [n][tap] lists of blocks."""
    limit = power(floor_log2(Fraction(largest_input)) + 1) if largest_input else Fraction(0)
    sums = []
    for n, taps in enumerate(weights):
        total = sum(abs(m) * power(e - 6) for blocks in taps for e, mantissas in blocks for m in mantissas)
        sums.append(total * limit + abs(Fraction(bias[n])))
    return floor_log2(max(sums)) + 1 if max(sums) else 0


def reference_of(sums_range, accumulator_bits):
    """Accumulators count units of 2^(reference - 12): 2^range is 2^(bits - 1) of them."""
    return sums_range + 12 - (accumulator_bits - 1)


def chunks_of(channels, chip):
    """[begin, end) of the channels of a tap: none crosses the border of a block, and all groups are alike."""
    group = math.gcd(min(channels, BLOCK), channels)
    most = group if chip.sums_stay else chip.rows
    for begin in range(0, channels, group):
        for first in range(begin, begin + group, most):
            yield first, min(first + most, begin + group)


def keep(value, chip, seen):
    seen.minimum = value if seen.minimum is None else min(seen.minimum, value)
    seen.maximum = value if seen.maximum is None else max(seen.maximum, value)
    low, high = -(1 << (chip.accumulator_bits - 1)), (1 << (chip.accumulator_bits - 1)) - 1
    if low <= value <= high:
        return value
    seen.overflows += 1
    if chip.overflow == "saturate":
        return max(low, min(high, value))
    return (value - low) % (1 << chip.accumulator_bits) + low


def aligned(total, shift, chip, seen):
    if total == 0:
        return 0
    if shift > 43:
        return ALIGNER if total > 0 else -ALIGNER
    exact = total * power(shift)
    if exact.denominator != 1:
        seen.rounded += 1
        return SHIFT_ROUNDINGS[chip.shift_rounding](exact)
    return int(exact)


def convolve(x, weights, bias, layer, reference, chip):
    """Blocks of the outputs [batch][row][column], and what the accumulators saw.

    x: [batch][row][column] lists of blocks; weights: [n][kernel row][kernel column] likewise; bias: fractions.
    """
    seen = BlockSeen()
    channels = sum(len(mantissas) for _, mantissas in x[0][0][0])
    kernel_h, kernel_w = len(weights[0]), len(weights[0][0])
    (stride_h, stride_w), (top, bottom, left, right) = layer["stride"], layer["padding"]
    height, width = len(x[0]), len(x[0][0])
    rows = (height + top + bottom - kernel_h) // stride_h + 1
    columns = (width + left + right - kernel_w) // stride_w + 1
    to_even = SHIFT_ROUNDINGS["half_even"]
    preload = [to_even(Fraction(b) * power(12 - reference)) for b in bias]
    round_shift = SHIFT_ROUNDINGS[chip.shift_rounding]

    def output(image, oy, ox, n):
        acc = keep(preload[n], chip, seen)
        for ky in range(kernel_h):
            for kx in range(kernel_w):
                iy, ix = oy * stride_h - top + ky, ox * stride_w - left + kx
                inside = 0 <= iy < height and 0 <= ix < width
                for begin, end in chunks_of(channels, chip):
                    value = 0
                    if inside:
                        e_x, of_x = image[iy][ix][begin // BLOCK]
                        e_w, of_w = weights[n][ky][kx][begin // BLOCK]
                        first, last = begin % BLOCK, begin % BLOCK + end - begin
                        total = sum(a * b for a, b in zip(of_x[first:last], of_w[first:last]))
                        value = aligned(total, e_x + e_w - reference, chip, seen)
                    acc = keep(acc + value, chip, seen)
        return max(acc, 0) if layer.get("activation") == "relu" else acc

    result = []
    for image in x:
        result.append([])
        for oy in range(rows):
            result[-1].append([])
            for ox in range(columns):
                sums = [Fraction(output(image, oy, ox, n)) * power(reference - 12) for n in range(len(weights))]
                result[-1][-1].append(make_blocks(sums, round_shift))
    return result, seen


# ---- the vector unit ---------------------------------------------------------------------------------------------------------

LIMITS = {"none": (None, None), "relu": (0, None), "relu6": (0, 6), "relu_n1_to_1": (-1, 1)}


def limited(value, unit, activation):
    """Limits are whole numbers of units, too."""
    to_even = SHIFT_ROUNDINGS["half_even"]
    low, high = (None if bound is None else to_even(Fraction(bound) / unit) for bound in LIMITS[activation])
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def combine(kind, blocks, activation="none"):
    """The block of a sum, maximum or mean of blocks, element by element."""
    to_even = SHIFT_ROUNDINGS["half_even"]
    top = max(e for e, _ in blocks)
    unit = power(top - 6 - GUARD)
    aligned_rows = [[to_even(m * power(e - top + GUARD)) for m in mantissas] for e, mantissas in blocks]
    if kind == "maximum":
        values = [max(column) for column in zip(*aligned_rows)]
    else:
        values = [sum(column) for column in zip(*aligned_rows)]
    if kind == "mean":
        shift = 15
        while 1 << (shift - 15) < len(blocks):
            shift += 1
        reciprocal = to_even(Fraction(1 << shift, len(blocks)))
        values, unit = [v * reciprocal for v in values], unit / (1 << shift)
    return make_block([limited(v, unit, activation) * unit for v in values], to_even)


def add(a, b, activation):
    """Of [batch][row][column] lists of blocks."""
    return [[[[combine("sum", pair, activation) for pair in zip(p, q)] for p, q in zip(*lines)] for lines in zip(*images)] for images in zip(a, b)]


def pool(x, kind, kernel, stride, padding, activation):
    """Padding is left out of a window."""
    (kernel_h, kernel_w), (stride_h, stride_w), (top, bottom, left, right) = kernel, stride, padding
    height, width = len(x[0]), len(x[0][0])
    rows, columns = (height + top + bottom - kernel_h) // stride_h + 1, (width + left + right - kernel_w) // stride_w + 1

    def window(image, oy, ox):
        pixels = [image[y][z] for y in range(oy * stride_h - top, oy * stride_h - top + kernel_h) for z in range(ox * stride_w - left, ox * stride_w - left + kernel_w)
                  if 0 <= y < height and 0 <= z < width]
        return [combine(kind, blocks, activation) for blocks in zip(*pixels)]

    return [[[window(image, oy, ox) for ox in range(columns)] for oy in range(rows)] for image in x]
