"""Random layers without weights: element by element, along rows, over windows, and to and from floats."""

import numpy as np
from layer_batch import MICROSOFT, element, usable
from onnx_layers_mac import same_pads


# ---- element by element

BROADCASTS = (([2, 3, 4, 5],) * 2, ([1, 7, 6, 6],) * 2, ([2, 3, 4, 5], [5]), ([1, 3, 1, 5], [2, 1, 4, 1]), ([7], [1]),
              ([1, 8, 5, 5], [1, 8, 1, 1]), ([33], [33]), ([2, 70], [2, 70]), ([1], [1]), ([3, 1], [1, 4]), ([5], [2, 3, 4, 5]),
              ([2, 3, 4, 5], [3, 1, 1]), ([4, 5], [3, 4, 1]), ([2, 1, 3], [1, 5, 1]), ([6, 9], []), ([1, 17, 23, 3],) * 2)


def binary(batch, operator):
    shapes = batch.choose(*BROADCASTS)
    # Rows along channels need the first operand to be the larger; either may be a constant.
    constant = batch.choose("none", "none", "a", "b")
    a, b = (batch.integers(shape) for shape in shapes)
    zeros = [batch.zero_point() for _ in range(3)]
    a_scale, b_scale = batch.scale(), batch.scale()
    reals = [(v.astype(np.float64) - z) * float(s) for v, z, s in ((a, zeros[0], a_scale), (b, zeros[1], b_scale))]
    real = reals[0] + reals[1] if operator == "QLinearAdd" else reals[0] * reals[1]
    y_scale = batch.tie(element(batch.random, real), zeros[2])
    # Where steps leave 32 bits the conversion to integers overflows: on x86 to the least integer, elsewhere not.
    if not usable(y_scale) or np.max(np.abs(real)) / y_scale > 2.0**30:
        y_scale = np.float32(max(np.max(np.abs(real)) / 100, 1e-6))
    names = [batch.constant(v) if constant == which else batch.input(v) for which, v in (("a", a), ("b", b))]
    operands = [names[0], batch.constant(a_scale), batch.constant(zeros[0], batch.dtype),
                names[1], batch.constant(b_scale), batch.constant(zeros[1], batch.dtype),
                batch.constant(y_scale), batch.constant(zeros[2], batch.dtype)]
    inputs = [name for name, which in zip(names, "ab") if which != constant]
    batch.layer(operator, inputs, operands, batch.dtype, MICROSOFT,
                values={"constant": constant, "a": a, "b": b, "a_scale": a_scale, "b_scale": b_scale, "y_scale": y_scale,
                        "zeros": zeros})


def qlinear_add(batch):
    binary(batch, "QLinearAdd")


def qlinear_mul(batch):
    binary(batch, "QLinearMul")


def one_operand(batch, name, values):
    """x, its scale and zero point, y's."""
    return [name, batch.constant(values["x_scale"]), batch.constant(values["x_zero"], batch.dtype),
            batch.constant(values["y_scale"]), batch.constant(values["y_zero"], batch.dtype)]


def unary(batch, operator, function, attributes=None):
    """All values of the type, since there are only 256."""
    limits = np.iinfo(batch.dtype)
    shape = batch.choose([1, 4, 8, 8], [256], [16, 16], [2, 8, 16])
    x = batch.random.permutation(np.arange(limits.min, limits.max + 1)).astype(batch.dtype).reshape(shape)
    x_scale, x_zero, y_zero = batch.scale(1e-3, 0.3), batch.zero_point(), batch.zero_point()
    real = function((x.astype(np.float64) - x_zero) * float(x_scale))
    values = {"x_scale": x_scale, "x_zero": x_zero, "y_scale": batch.tie(element(batch.random, real), y_zero), "y_zero": y_zero}
    name = batch.input(x)
    batch.layer(operator, [name], one_operand(batch, name, values), batch.dtype, MICROSOFT, attributes, values)


def qlinear_leaky_relu(batch):
    alpha = float(np.float32(batch.choose(0.01, 0.1, 0.2, 0.3, 1.5, 0.0, -0.4)))
    unary(batch, "QLinearLeakyRelu", lambda x: np.where(x >= 0, x, x * alpha), {"alpha": alpha})


def qlinear_sigmoid(batch):
    unary(batch, "QLinearSigmoid", lambda x: 1 / (1 + np.exp(-np.clip(x, -700, 700))))


# ---- rows and pieces

def qlinear_softmax(batch):
    """Over one dimension, or as before opset 13 over all from `axis` on."""
    shape = batch.choose([1, 10], [3, 37], [2, 3, 4, 12], [1, 1000], [4, 1], [6], [2, 5, 7])
    opset = batch.opset if batch.is_qdq else batch.choose(13, 13, 11, 17)
    axis = batch.draw(-len(shape), len(shape) - 1)
    x = batch.integers(shape)
    limits = np.iinfo(batch.dtype)
    values = {"x_scale": batch.scale(1e-3, 1.0), "x_zero": batch.zero_point(),
              "y_scale": np.float32(batch.choose(1 / 256, 1 / 128, float(batch.scale(1e-4, 1e-2)))),
              "y_zero": batch.choose(int(limits.min), batch.zero_point())}
    name = batch.input(x)
    batch.layer("QLinearSoftmax", [name], one_operand(batch, name, values), batch.dtype, MICROSOFT,
                {"axis": axis, "opset": opset}, values)


def qlinear_concat(batch):
    base = batch.choose([2, 3, 4, 5], [2, 3, 4, 5], [3, 4, 5], [4, 6], [7])
    axis, count = batch.draw(0, len(base) - 1), batch.draw(1, 6)
    shapes = [list(base) for _ in range(count)]
    for shape in shapes:
        shape[axis] = batch.draw(1, 5)
    y_zero = batch.zero_point()
    arrays = [batch.integers(shape) for shape in shapes]
    zeros, scales = [batch.zero_point() for _ in arrays], [batch.scale() for _ in arrays]
    y_scale = batch.tie((float(element(batch.random, arrays[0])) - zeros[0]) * float(scales[0]), y_zero)
    if batch.often(0.3):
        zeros[-1], scales[-1] = y_zero, y_scale  # copied
    names = [batch.input(array) for array in arrays]
    operands = [batch.constant(y_scale), batch.constant(y_zero, batch.dtype)]
    for name, scale, zero in zip(names, scales, zeros):
        operands += [name, batch.constant(scale), batch.constant(zero, batch.dtype)]
    batch.layer("QLinearConcat", names, operands, batch.dtype, MICROSOFT, {"axis": axis - batch.choose(0, len(base))},
                {"scales": scales, "zeros": zeros, "y_scale": y_scale, "y_zero": y_zero})


# ---- windows

def pool_window(batch):
    """Attributes, and what a second implementation computes from: pads with all that ceil_mode adds left out."""
    kernel = [batch.draw(1, batch.choose(4, 7)), batch.draw(1, 4)]
    strides = [batch.draw(1, 3), batch.draw(1, 3)]
    size = [max(batch.draw(1, 12), k) for k in kernel]
    auto_pad = batch.choose("NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    pads = [batch.draw(0, batch.choose(0, k - 1)) for k in kernel * 2]
    attributes = {"kernel_shape": kernel, "strides": strides}
    if auto_pad == "NOTSET":
        attributes["pads"] = pads
        attributes["ceil_mode"] = int(batch.often(0.3))  # With count_include_pad the standard leaves open what is counted.
    else:
        attributes["auto_pad"] = auto_pad
        sides = [same_pads(s, k, step, auto_pad == "SAME_UPPER", True) for s, k, step in zip(size, kernel, strides)]
        pads = [0] * 4 if auto_pad == "VALID" else [side[0] for side in sides] + [side[1] for side in sides]
    if strides == [1, 1] and batch.often(0.5):
        attributes.pop("strides")
    return size, attributes, {"pads": pads, "strides": strides, "ceil_mode": attributes.get("ceil_mode", 0)}


def qlinear_average_pool(batch):
    size, attributes, resolved = pool_window(batch)
    attributes["count_include_pad"] = int(batch.often(0.4) and not attributes.get("ceil_mode"))
    channels_last = not batch.is_qdq and batch.often(0.2)
    x = batch.integers([batch.choose(1, 2), batch.draw(1, 9), *size])
    x_scale, x_zero, y_zero = batch.scale(), batch.zero_point(), batch.zero_point()
    kernel = attributes["kernel_shape"]
    window = x[0, 0, : kernel[0], : kernel[1]].astype(np.float64) - x_zero
    y_scale = batch.tie(window.mean() * float(x_scale), y_zero)
    if not 2.0**-22 < x_scale / y_scale < 255:  # A window of the whole input is the global pool's.
        y_scale = x_scale
    values = {**resolved, "x_scale": x_scale, "x_zero": x_zero, "y_zero": y_zero, "channels_last": int(channels_last),
              "y_scale": y_scale}
    name = batch.input(np.ascontiguousarray(np.moveaxis(x, 1, -1)) if channels_last else x)
    if channels_last:
        attributes["channels_last"] = 1
    batch.layer("QLinearAveragePool", [name], one_operand(batch, name, values), batch.dtype, MICROSOFT, attributes, values)


def qlinear_global_average_pool(batch):
    channels_last = int(not batch.is_qdq and batch.often(0.3))
    x = batch.integers([batch.choose(1, 2), batch.draw(1, 40), batch.draw(1, 15), batch.draw(1, 15)])
    x_scale, x_zero, y_zero = batch.scale(), batch.zero_point(), batch.zero_point()
    means = (x.astype(np.float64) - x_zero).mean((2, 3))
    y_scale = batch.tie(element(batch.random, means) * float(x_scale), y_zero)
    # ONNX Runtime computes with quotients from 2^-32 to below 256.
    quotient = x_scale / (y_scale * np.float32(x.shape[2] * x.shape[3]))
    if not 2.0**-31 < quotient < 255:
        y_scale = x_scale
    values = {"x_scale": x_scale, "x_zero": x_zero, "y_zero": y_zero, "y_scale": y_scale}
    name = batch.input(np.ascontiguousarray(np.moveaxis(x, 1, -1)) if channels_last else x)
    batch.layer("QLinearGlobalAveragePool", [name], one_operand(batch, name, values), batch.dtype, MICROSOFT,
                {"channels_last": channels_last}, values)


def max_pool(batch):
    """Of integers, from opset 12 on."""
    if batch.opset < 12:
        return qlinear_global_average_pool(batch)
    size, attributes, _ = pool_window(batch)
    name = batch.input(batch.integers([batch.choose(1, 2), batch.draw(1, 9), *size]))
    return batch.layer("MaxPool", [name], [name], batch.dtype, attributes=attributes)


# ---- between integers and floats

def slice_parameters(batch, shape, dtype):
    """One scale, or from opset 13 on one a slice of an axis: (scale, zero point, attributes)."""
    if batch.opset < 13 or batch.often(0.7):
        return batch.scale(1e-8, 1e8), batch.zero_point(dtype), {}
    axis = batch.draw(0, len(shape) - 1)
    scales = np.array([batch.scale() for _ in range(shape[axis])], np.float32)
    zeros = np.array([batch.zero_point(dtype) for _ in scales], dtype)
    return scales, zeros, {"axis": axis - batch.choose(0, len(shape))}


def spread(values, rank, axis):
    """As an array that repeats along the other dimensions."""
    values = np.asarray(values)
    if values.ndim == 0:
        return values
    shape = [1] * rank
    shape[axis] = values.size
    return values.reshape(shape)


def quantize_linear(batch):
    shape = batch.choose([4, 64], [2, 3, 4, 5], [1], [7, 11])
    dtype = batch.choose(batch.dtype, batch.dtype, np.uint16, np.int16) if batch.opset >= 21 else batch.dtype
    scale, y_zero, attributes = slice_parameters(batch, shape, dtype)
    steps = batch.random.integers(-200, 200, shape) + batch.choose(0.0, 0.5, 0.5)
    x = (steps * spread(scale, len(shape), attributes.get("axis", 0))).astype(np.float32)
    for _ in range(batch.draw(0, 1)):
        x = np.nextafter(x, np.float32(batch.choose(-np.inf, np.inf)))
    if batch.often(0.3):
        x.reshape(-1)[0] = batch.choose(np.float32(np.inf), -np.float32(np.inf), np.float32(3e38), np.float32(-1e-40))
    name = batch.input(x)
    operands = [name, batch.constant(scale), batch.constant(y_zero, dtype)]
    if not attributes and dtype == np.uint8 and batch.often(0.2):
        operands.pop()
        y_zero = 0
    batch.layer("QuantizeLinear", [name], operands, dtype, attributes=attributes,
                values={"y_scale": scale, "y_zero": y_zero, "dtype": dtype})


def dequantize_linear(batch):
    shape = batch.choose([4, 64], [2, 3, 4, 5], [1], [7, 11])
    dtype = batch.choose(batch.dtype, batch.dtype, np.uint16, np.int16) if batch.opset >= 21 else batch.dtype
    scale, zero, attributes = slice_parameters(batch, shape, dtype)
    name = batch.input(batch.integers(shape, dtype))
    operands = [name, batch.constant(scale), batch.constant(zero, dtype)]
    if not attributes and batch.often(0.2):
        operands.pop()
        zero = 0
    batch.layer("DequantizeLinear", [name], operands, np.float32, attributes=attributes,
                values={"x_scale": scale, "x_zero": zero})
