"""The arithmetic of ONNX Runtime's quantized CPU kernels, written in numpy from its formulas (docs/arithmetic.md).

All intermediate values are float32 unless said otherwise; rne is to nearest, half to even.
"""

import numpy as np
from onnx_layers_mac import conv_sums, windows
from onnx_layers_vector import spread

F = np.float32


def fma(a, b, c):
    """Rounded once: the product of two float32 is exact in 64 bits of mantissa."""
    return (np.asarray(a, np.longdouble) * np.asarray(b, np.longdouble) + np.asarray(c, np.longdouble)).astype(F)


def saturated(values, dtype):
    limits = np.iinfo(dtype)
    return np.clip(values, limits.min, limits.max).astype(dtype)


def requantized(sums, scale, zero_point, dtype):
    """v = float32(acc) * s, clamped to [min - z, max - z]; rne(v) + z."""
    limits = np.iinfo(dtype)
    v = np.clip(sums.astype(F) * F(scale), F(limits.min - zero_point), F(limits.max - zero_point))
    return (np.rint(v).astype(np.int64) + zero_point).astype(dtype)


def shaped(scale, rank, axis):
    """A scale, or one a channel of `axis`."""
    scale = np.asarray(scale, F)
    if scale.ndim == 0:
        return scale
    shape = [1] * rank
    shape[axis] = scale.size
    return scale.reshape(shape)


def quantized(v, scale, zero_point, dtype):
    """rne(v / s) + z"""
    with np.errstate(over="ignore"):
        steps = np.rint(v.astype(F) / np.asarray(scale, F)).astype(np.float64)
    return saturated(steps + zero_point, dtype)


def dequantized(q, scale, zero_point):
    """(q - z) * s"""
    return (q.astype(np.int32) - np.asarray(zero_point, np.int32)).astype(F) * np.asarray(scale, F)


def qlinear_conv(p, dtype, x):
    sums = conv_sums(x, p["w"], (p["x_zero"], p["w_zero"]), p["group"], p["strides"], p["dilations"], p["pads"], p["bias"])
    scale = (F(p["x_scale"]) * np.asarray(p["w_scale"], F)) / F(p["y_scale"])
    return requantized(sums, shaped(scale, sums.ndim, 1), p["y_zero"], dtype)


def conv_integer(p, _dtype, x):
    return conv_sums(x, p["w"], (p["x_zero"], p["w_zero"]), p["group"], p["strides"], p["dilations"], p["pads"]).astype(np.int32)


def product(p, a, b):
    a = a.T if p.get("transA") else a
    return (a.astype(np.int64) - p["a_zero"]) @ (b.astype(np.int64) - p["b_zero"])


def qlinear_matmul(p, dtype, a, b=None):
    sums = product(p, a, p["b"] if b is None else b)
    scale = (F(p["a_scale"]) * np.asarray(p["b_scale"], F)) / F(p["y_scale"])
    return requantized(sums, shaped(scale, sums.ndim, -1), p["y_zero"], dtype)


def qgemm(p, dtype, a):
    sums = product(p, a, p["b"]) + (0 if p["bias"] is None else p["bias"])
    scale = (F(p["alpha"]) * F(p["a_scale"]) * np.asarray(p["b_scale"], F)) / F(p["y_scale"])
    return requantized(sums, shaped(scale, 2, -1), p["y_zero"], dtype)


def matmul_integer(p, _dtype, a, b=None):
    return product(p, a, p["b"] if b is None else b).astype(np.int32)


def repeats_first(a, b):
    """The first operand has one element along the innermost dimension that is more than 1 in one of them."""
    pairs = list(zip(reversed(a), reversed(b)))
    for i, (own, other) in enumerate(pairs):
        if own > 1 or other > 1 or i + 1 == len(pairs):
            return own == 1
    return not a or a[-1] == 1


def qlinear_add(p, dtype, *_inputs):
    """ra = sa / sc, rb = sb / sc; fx = zc - fma(ra, za, rb * zb); rne(fma(ra, a, fma(rb, b, fx)))"""
    a, b = p["a"], p["b"]
    za, zb, zc = (F(z) for z in p["zeros"])
    ra, rb = F(p["a_scale"]) / F(p["y_scale"]), F(p["b_scale"]) / F(p["y_scale"])
    if repeats_first(a.shape, b.shape):
        a, b, za, zb, ra, rb = b, a, zb, za, rb, ra
    fixed = F(zc - fma(ra, za, rb * zb))
    return saturated(np.rint(fma(ra, a.astype(F), fma(rb, b.astype(F), fixed))), dtype)


def qlinear_mul(p, dtype, *_inputs):
    """s = (sa * sb) / sc; rne(s * P + zc), P the product of integers"""
    a, b = p["a"], p["b"]
    za, zb, zc = p["zeros"]
    scale = (F(p["a_scale"]) * F(p["b_scale"])) / F(p["y_scale"])
    integer = ((a.astype(np.int64) - za) * (b.astype(np.int64) - zb)).astype(F)
    return saturated(np.rint(scale * integer + F(zc)), dtype)


def qlinear_leaky_relu(p, dtype, x):
    v = dequantized(x, p["x_scale"], p["x_zero"])
    return quantized(np.where(v >= 0, v, v * F(p["alpha"])), p["y_scale"], p["y_zero"], dtype)


def qlinear_sigmoid(p, dtype, x):
    if p["y_scale"] < 1e-3:
        return None  # Its polynomial ends at |v| = 18; steps so small show that.
    v = dequantized(x, p["x_scale"], p["x_zero"]).astype(np.float64)
    return quantized((1 / (1 + np.exp(-v))).astype(F), p["y_scale"], p["y_zero"], dtype)


def qlinear_concat(p, dtype, *arrays):
    parts = []
    for x, scale, zero in zip(arrays, p["scales"], p["zeros"]):
        same = F(scale) == F(p["y_scale"]) and zero == p["y_zero"]
        parts.append(x if same else quantized(dequantized(x, scale, zero), p["y_scale"], p["y_zero"], dtype))
    return np.concatenate(parts, p["axis"])


def qlinear_average_pool(p, dtype, x):
    """Sequential float32 sum of dequantized elements, divided by their count; rne(v / ys + z). A window that is the whole
    input, without pads, is the global pool's."""
    if p["ceil_mode"]:
        return None  # Its windows at the edge are left to the other comparison.
    if p["channels_last"]:
        return np.moveaxis(qlinear_average_pool({**p, "channels_last": 0}, dtype, np.moveaxis(x, -1, 1)), 1, -1)
    kernel, ones = p["kernel_shape"], [1, 1]
    if list(x.shape[2:]) == kernel and not any(p["pads"]):
        return qlinear_global_average_pool(p, dtype, x)
    taps = windows(x, kernel, p["strides"], ones, p["pads"], p["x_zero"])
    inside = windows(np.ones_like(x, np.uint8), kernel, p["strides"], ones, p["pads"], 0)
    total = np.zeros(taps.shape[:-1], F)
    for t in range(taps.shape[-1]):
        total = np.where(inside[..., t] != 0, total + dequantized(taps[..., t], p["x_scale"], p["x_zero"]), total)
    count = F(kernel[0] * kernel[1]) if p["count_include_pad"] else inside.sum(-1).astype(F)
    return saturated(np.rint(total / count / F(p["y_scale"]) + F(p["y_zero"])), dtype)


def qlinear_global_average_pool(p, dtype, x):
    """s = xs / (ys * float32(n)); rne(sum * s) + z"""
    image = (1, 2) if p["channels_last"] else (2, 3)
    sums = (x.astype(np.int64) - p["x_zero"]).sum(image, keepdims=True)
    scale = F(p["x_scale"]) / (F(p["y_scale"]) * F(x.shape[image[0]] * x.shape[image[1]]))
    return requantized(sums, scale, p["y_zero"], dtype)


def quantize_linear(p, _dtype, x):
    scale, zero = (spread(p[key], x.ndim, p.get("axis")) for key in ("y_scale", "y_zero"))
    return quantized(x, scale, zero, p["dtype"])


def dequantize_linear(p, _dtype, x):
    scale, zero = (spread(p[key], x.ndim, p.get("axis")) for key in ("x_scale", "x_zero"))
    return dequantized(x, scale, zero)


KERNELS = {"QLinearConv": qlinear_conv, "ConvInteger": conv_integer, "QLinearMatMul": qlinear_matmul, "QGemm": qgemm,
           "MatMulInteger": matmul_integer, "MatMulInteger16": matmul_integer, "QLinearAdd": qlinear_add, "QLinearMul": qlinear_mul,
           "QLinearLeakyRelu": qlinear_leaky_relu, "QLinearSigmoid": qlinear_sigmoid, "QLinearConcat": qlinear_concat,
           "QLinearAveragePool": qlinear_average_pool, "QLinearGlobalAveragePool": qlinear_global_average_pool,
           "QuantizeLinear": quantize_linear, "DequantizeLinear": dequantize_linear}
