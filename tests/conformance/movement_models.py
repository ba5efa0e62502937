"""Models of one operator that moves elements; see operator_models."""

import numpy as np


def pad(maker):
    shape = [2, 3, 4, 5]
    sizes = [[maker.draw(0, 2), maker.draw(0, 2)] for _ in shape]
    result = [size + sum(around) for size, around in zip(shape, sizes)]
    x, scale, zero_point = maker.input(shape)
    y, _, _ = maker.output(result, scale=scale, zero_point=zero_point)
    operands = [x, maker.writer.indices("paddings", sizes)]
    if maker.draw(0, 1):
        value = [maker.draw(maker.limits.min, maker.limits.max)]
        operands.append(maker.writer.tensor("value", [1], maker.dtype, value, [scale], [zero_point]))
        maker.writer.operator("PADV2", operands, [y], "PadV2Options")
    else:
        maker.writer.operator("PAD", operands, [y], "PadOptions")


# begin, end, strides, masks, the same in numpy
SLICES = [
    ([0, 1, 1, 0], [2, 3, 4, 5], [1, 1, 1, 1], {}, np.s_[0:2, 1:3, 1:4, 0:5]),
    ([0, -1, 0, 4], [2, -4, 4, 0], [1, -1, 2, -2], {}, np.s_[0:2, -1:-4:-1, 0:4:2, 4:0:-2]),
    ([1, 1, 1, 1], [2, 2, 2, 2], [1, 1, 1, 1], {"BeginMask": 5, "EndMask": 10}, np.s_[:2, 1:, :2, 1:]),
    ([0, 2, 0, 3], [1, 3, 4, 4], [1, 1, 1, 1], {"ShrinkAxisMask": 10, "EndMask": 4}, np.s_[0:1, 2, 0:, 3]),
    ([1, 0, 2], [2, 0, 4], [1, 1, 1], {"EllipsisMask": 2}, np.s_[1:2, ..., 2:4]),
    ([0, 1, 1], [2, 0, 3], [1, 1, 1], {"NewAxisMask": 2}, np.s_[0:2, np.newaxis, 1:3]),
    ([0, -2], [9, 9], [1, 1], {}, np.s_[0:9, -2:9]),
    ([0, 0, 1], [0, 0, 3], [1, 1, 2], {"NewAxisMask": 1, "EllipsisMask": 2}, np.s_[np.newaxis, ..., 1:3:2]),
]


def strided_slice(maker):
    shape = (2, 3, 4, 5)
    begin, end, strides, masks, index = maker.choose(*SLICES)
    x, scale, zero_point = maker.input(shape)
    y, _, _ = maker.output(np.empty(shape)[index].shape, scale=scale, zero_point=zero_point)
    operands = [x, *(maker.writer.indices(n, v) for n, v in (("begin", begin), ("end", end), ("strides", strides)))]
    maker.writer.operator("STRIDED_SLICE", operands, [y], "StridedSliceOptions", **masks)


def slice_(maker):
    shape, begin, size = [2, 3, 4, 5], [1, 0, 2, 1], [1, 2, -1, 3]
    x, scale, zero_point = maker.input(shape)
    y, _, _ = maker.output([1, 2, 2, 3], scale=scale, zero_point=zero_point)
    maker.writer.operator("SLICE", [x, maker.writer.indices("begin", begin), maker.writer.indices("size", size)], [y],
                          "SliceOptions")


def reshape(maker):
    x, scale, zero_point = maker.input([2, 3, 4])
    y, _, _ = maker.output([6, 4], scale=scale, zero_point=zero_point)
    maker.writer.operator("RESHAPE", [x, maker.writer.indices("shape", [6, 4])], [y], "ReshapeOptions")


def squeeze(maker):
    x, scale, zero_point = maker.input([1, 3, 1, 4])
    y, _, _ = maker.output([3, 4], scale=scale, zero_point=zero_point)
    maker.writer.operator("SQUEEZE", [x], [y], "SqueezeOptions")


def expand_dims(maker):
    x, scale, zero_point = maker.input([3, 4])
    y, _, _ = maker.output([3, 1, 4], scale=scale, zero_point=zero_point)
    maker.writer.operator("EXPAND_DIMS", [x, maker.writer.indices("axis", [1])], [y], "ExpandDimsOptions")


def transpose(maker):
    shape = [2, 3, 4, 5]
    permutation = [int(d) for d in maker.random.permutation(4)]
    x, scale, zero_point = maker.input(shape)
    y, _, _ = maker.output([shape[d] for d in permutation], scale=scale, zero_point=zero_point)
    maker.writer.operator("TRANSPOSE", [x, maker.writer.indices("permutation", permutation)], [y], "TransposeOptions")


def concatenation(maker):
    axis = maker.draw(-1, 2)
    shapes = [[2, 3, 4] for _ in range(maker.draw(1, 3))]
    for shape in shapes:
        shape[axis] = maker.draw(1, 5)
    result = list(shapes[0])
    result[axis] = sum(shape[axis] for shape in shapes)
    y, scale, zero_point = maker.output(result)
    inputs = [maker.input(shape, f"x{i}", scale=scale, zero_point=zero_point)[0] for i, shape in enumerate(shapes)]
    maker.writer.operator("CONCATENATION", inputs, [y], "ConcatenationOptions", Axis=axis)


def split(maker):
    axis, parts = maker.draw(-3, 2), maker.draw(1, 3)
    shape = [2, 3, 4]
    shape[axis] = parts * maker.draw(1, 3)
    x, scale, zero_point = maker.input(shape)
    shape[axis] //= parts
    outputs = [maker.output(shape, f"y{i}", scale=scale, zero_point=zero_point)[0] for i in range(parts)]
    maker.writer.operator("SPLIT", [maker.writer.indices("axis", axis), x], outputs, "SplitOptions", NumSplits=parts)


def split_v(maker):
    axis, lengths = maker.draw(-3, 2), [maker.draw(1, 4) for _ in range(maker.draw(1, 3))]
    shape = [2, 3, 4]
    shape[axis] = sum(lengths)
    x, scale, zero_point = maker.input(shape)
    outputs = []
    for index, length in enumerate(lengths):
        shape[axis] = length
        outputs.append(maker.output(shape, f"y{index}", scale=scale, zero_point=zero_point)[0])
    if maker.draw(0, 1):
        lengths[0] = -1
    operands = [x, maker.writer.indices("lengths", lengths), maker.writer.indices("axis", axis)]
    maker.writer.operator("SPLIT_V", operands, outputs, "SplitVOptions", NumSplits=len(lengths))
