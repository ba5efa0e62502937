"""Accumulators chosen so that requantization meets exact ties of both signs, and products next to ties.

The accumulators are biases of layers whose input is zero, so any integer can be met on purpose; random layers meet
a negative exact tie about once in a million values.
"""

import numpy as np
import pytest
from litert_reference import Reference
from model_writer import ModelWriter
from qsim_tensors import assert_same_tensors, dump_tensors

PADDING_VALID = {"Padding": 1, "StrideW": 1, "StrideH": 1}
NEAR_TIES = 300
WIDE_ACCUMULATORS = ("--set", "accumulators.width_bits=48")


def add_conv_2d(writer, x, constants, y):
    weights, bias = constants([1, 1, 1], 0)
    writer.operator("CONV_2D", [x, weights, bias], [y], "Conv2DOptions", **PADDING_VALID)


def add_depthwise_conv_2d(writer, x, constants, y):
    weights, bias = constants([1, 1], 3)
    writer.operator("DEPTHWISE_CONV_2D", [x, weights, bias], [y], "DepthwiseConv2DOptions", **PADDING_VALID,
                    DepthMultiplier=len(constants.accumulators))


def add_transpose_conv(writer, x, constants, y):
    weights, bias = constants([1, 1, 1], 0)
    shape = writer.indices("output_shape", [1, 1, 1, len(constants.accumulators)])
    writer.operator("TRANSPOSE_CONV", [shape, weights, x, bias], [y], "TransposeConvOptions", 3, **PADDING_VALID)


def add_fully_connected(writer, x, constants, y):
    weights, bias = constants([1], 0)
    writer.operator("FULLY_CONNECTED", [x, weights, bias], [y], "FullyConnectedOptions", KeepNumDims=True)


class Constants:
    """Weights of 1 and the biases, with scales a tensor or a channel."""

    def __init__(self, writer, dtype, accumulators, scales, per_channel):
        self.writer, self.dtype, self.accumulators, self.scales = writer, dtype, accumulators, scales
        self.per_channel = per_channel

    def __call__(self, inner_shape, axis):
        input_scale, weight_scale, _ = self.scales
        count = len(self.accumulators)
        shape = [1, *inner_shape, count] if axis == 3 else [count, *inner_shape]
        weight_scales = [weight_scale] * (count if self.per_channel else 1)
        zeros = [0] * len(weight_scales)
        weights = self.writer.tensor("weights", shape, np.int8, np.ones(shape, np.int8), weight_scales, zeros, axis)
        bias_type = np.int32 if self.dtype == "int8" else np.int64
        bias_scales = [np.float32(input_scale) * np.float32(scale) for scale in weight_scales]
        bias = self.writer.tensor("bias", [count], bias_type, np.asarray(self.accumulators, bias_type), bias_scales, zeros)
        return weights, bias


def one_layer(add_operator, dtype, accumulators, scales, per_channel):
    input_scale, _, output_scale = scales
    writer = ModelWriter()
    flat = add_operator is add_fully_connected
    x = writer.tensor("x", [1, 1] if flat else [1, 1, 1, 1], np.dtype(dtype), None, [input_scale])
    y = writer.tensor("y", [1, len(accumulators)] if flat else [1, 1, 1, len(accumulators)], np.dtype(dtype), None, [output_scale])
    writer.inputs.append(x)
    writer.outputs.append(y)
    add_operator(writer, x, Constants(writer, dtype, accumulators, scales, per_channel), y)
    return writer.bytes()


def exact_ties(dtype):
    """Odd multiples of a half, both signs, at a scale of 2^-8."""
    limit = np.iinfo(dtype).max
    halves = np.unique(np.linspace(-limit, limit, 201).astype(np.int64) * 2 + 1)
    return (2.0**-8, 1.0, 1.0), halves * 128


def near_ties(random, dtype):
    """Those accumulators of many whose products lie nearest to a tie, at random scales."""
    scales = tuple(np.float32(scale) for scale in random.uniform(0.001, 0.02, 3))
    multiplier = float(scales[0]) * float(scales[1]) / float(scales[2])
    limit = min(int(np.iinfo(dtype).max / multiplier), 2**30)
    accumulators = random.integers(-limit, limit + 1, 200_000)
    distance = np.abs(np.abs(accumulators * multiplier) % 1 - 0.5)
    return scales, accumulators[np.argsort(distance)[:NEAR_TIES]]


@pytest.mark.parametrize("per_channel", (False, True), ids=("per_tensor", "per_channel"))
@pytest.mark.parametrize("dtype", ("int8", "int16"))
@pytest.mark.parametrize("add_operator", (add_conv_2d, add_depthwise_conv_2d, add_transpose_conv, add_fully_connected))
def test_ties_round_as_in_litert(add_operator, dtype, per_channel, tmp_path):
    random = np.random.default_rng(5)
    for scales, accumulators in (exact_ties(dtype), *(near_ties(random, dtype) for _ in range(8))):
        model = one_layer(add_operator, dtype, accumulators, scales, per_channel)
        path = tmp_path / "layer.tflite"
        path.write_bytes(model)
        reference = Reference(model)
        values = [np.zeros(detail["shape"], detail["dtype"]) for detail in reference.input_details()]
        options = WIDE_ACCUMULATORS if dtype == "int16" else ()
        actual = dump_tensors(path, list(zip(reference.input_names, values)), tmp_path, *options)
        assert_same_tensors(actual, reference.run(values))
