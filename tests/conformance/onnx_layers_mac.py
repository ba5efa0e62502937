"""Random layers that multiply and accumulate: convolutions and matrix products."""

import numpy as np
from layer_batch import MICROSOFT, element

# Sums beyond this may overflow 32 bits together with a bias.
LARGEST_SUM = 1 << 30


def windows(x, kernel, strides, dilations, pads, zero_point):
    """[batch, channels, out..., taps] of an array of 1 or 2 spatial dimensions."""
    rank = len(kernel)
    cropped = [slice(max(-pads[d], 0), None) for d in range(rank)]
    x = x[(slice(None), slice(None), *cropped)]
    pads = [max(pad, 0) for pad in pads]
    around = [(0, 0), (0, 0)] + [(pads[d], pads[d + rank]) for d in range(rank)]
    padded = np.pad(x.astype(np.int64), around, constant_values=zero_point)
    out = [(padded.shape[2 + d] - (kernel[d] - 1) * dilations[d] - 1) // strides[d] + 1 for d in range(rank)]
    taps = []
    for tap in np.ndindex(*kernel):
        at = tuple(slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in zip(tap, dilations, out, strides))
        taps.append(padded[(slice(None), slice(None), *at)])
    return np.stack(taps, -1)


def conv_sums(x, w, zero_points, groups, strides, dilations, pads, bias=None):
    """Exact accumulators of a convolution."""
    x_zero, w_zero = zero_points
    taps = windows(x, w.shape[2:], strides, dilations, pads, x_zero) - x_zero
    outputs = []
    per_group, channels = w.shape[0] // groups, w.shape[1]
    flat = w.astype(np.int64).reshape(w.shape[0], channels, -1)
    for n in range(w.shape[0]):
        group = n // per_group
        part = taps[:, group * channels : (group + 1) * channels]
        zero = w_zero if np.ndim(w_zero) == 0 else w_zero[n]
        outputs.append(np.einsum("bc...t,ct->b...", part, flat[n] - int(zero)))
    sums = np.stack(outputs, 1)
    return sums if bias is None else sums + bias.reshape(1, -1, *[1] * (sums.ndim - 2))


def weight_type(batch):
    """int8 activations go with int8 weights; uint8 ones with either."""
    return np.int8 if batch.dtype == np.int8 else batch.choose(np.int8, np.int8, np.uint8)


def weight_scales(batch, sums, x_scale, y_scale, y_zero, per_channel, axis):
    """Scales near a tie of some output of each channel: acc * x_scale * w_scale / y_scale = k + 1/2."""
    def limited(scale):
        return np.float32(np.clip(np.float64(scale), 1e-30, 1e30))

    if not per_channel:
        target = batch.tie(element(batch.random, sums), y_zero)  # acc / target = k + 1/2
        return limited(np.float64(y_scale) / (np.float64(target) * x_scale))
    channels = np.moveaxis(sums, axis, 0)
    return np.array([limited(np.float64(y_scale) / (np.float64(batch.tie(element(batch.random, c), y_zero)) * x_scale))
                     for c in channels], np.float32)


# ---- convolutions

def same_pads(size, window, stride, upper, is_pool=False):
    """Of one dimension: output ceil(size / stride), the odd element at the end or at the beginning. ONNX Runtime leaves out
    elements, padding below 0, where the stride is longer than the window."""
    total = (-(-size // stride) - 1) * stride + window - size
    if total < 0 and not is_pool:
        total += 1
    head = int((total if upper else total + 1) / 2)  # Towards 0.
    tail = (-(-size // stride) - 1) * stride + window - size - head
    return head, tail


def conv_shape(batch):
    rank = batch.choose(2, 2, 2, 1)
    depthwise = batch.often(0.3)
    groups = batch.choose(batch.draw(2, 9), batch.draw(2, 70)) if depthwise else batch.choose(1, 1, 1, 2, 3)
    channels = 1 if depthwise else batch.choose(batch.draw(1, 9), batch.draw(1, 40), batch.draw(1, 150))
    outputs = groups * (batch.choose(1, 1, 2, 3) if depthwise else batch.choose(batch.draw(1, 9), batch.draw(1, 40)))
    kernel = [batch.draw(1, batch.choose(3, 3, 5, 7)) for _ in range(rank)]
    dilations = [batch.choose(1, 1, 2, 3) for _ in range(rank)]
    strides = [batch.choose(1, 1, 2, 3, 5) for _ in range(rank)]
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    auto_pad = batch.choose("NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    if auto_pad.startswith("SAME"):  # ONNX Runtime has it without dilation.
        dilations, reach = [1] * rank, kernel
    size = [batch.draw(1, batch.choose(9, 9, 24)) for _ in range(rank)]
    if auto_pad == "NOTSET":
        pads = [batch.draw(0, batch.choose(0, r - 1, r - 1, r)) for r in reach * 2]
        size = [max(s, r - p - q) for s, r, p, q in zip(size, reach, pads[:rank], pads[rank:])]
        size = [max(s, 1) for s in size]
    elif auto_pad == "VALID":
        pads, size = [0] * (2 * rank), [max(s, r) for s, r in zip(size, reach)]
    else:
        sides = [same_pads(s, r, step, auto_pad == "SAME_UPPER") for s, r, step in zip(size, reach, strides)]
        pads = [side[0] for side in sides] + [side[1] for side in sides]
    resolved = {"group": groups, "strides": strides, "dilations": dilations, "pads": pads}
    attributes = dict(resolved)
    if auto_pad != "NOTSET":
        attributes["auto_pad"] = auto_pad
        attributes.pop("pads")
    # What has its default may be left out; the kernel's shape may be stated.
    for key, default in (("group", 1), ("strides", [1] * rank), ("dilations", [1] * rank), ("pads", [0] * (2 * rank))):
        if attributes.get(key) == default and batch.often(0.5):
            attributes.pop(key)
    if batch.often(0.5):
        attributes["kernel_shape"] = kernel
    shape = {"x": [batch.choose(1, 1, 2, 3), channels * groups, *size], "w": [outputs, channels, *kernel]}
    return shape, attributes, resolved


def qlinear_conv(batch):
    shape, attributes, resolved = conv_shape(batch)
    w_type = weight_type(batch)
    x, w = batch.integers(shape["x"]), batch.integers(shape["w"], w_type)
    x_zero, y_zero = batch.zero_point(), batch.zero_point()
    w_zero = batch.zero_point(np.uint8) if w_type == np.uint8 else batch.choose(0, 0, 0, batch.zero_point(np.int8))
    bias = batch.bias(shape["w"][0]) if batch.often(0.7) else None
    sums = conv_sums(x, w, (x_zero, w_zero), *resolved.values(), bias)
    x_scale, y_scale = batch.scale(), batch.scale()
    w_scale = weight_scales(batch, sums, x_scale, y_scale, y_zero, batch.often(0.5), 1)
    w_zeros = np.full(np.shape(w_scale), w_zero, w_type)
    name = batch.input(x)
    operands = [name, batch.scalar(x_scale), batch.scalar(x_zero, batch.dtype), batch.constant(w), batch.constant(w_scale),
                batch.constant(w_zeros), batch.scalar(y_scale), batch.scalar(y_zero, batch.dtype)]
    if bias is not None:
        operands.append(batch.constant(bias))
    batch.layer("QLinearConv", [name], operands, batch.dtype, attributes=attributes,
                values={**resolved, "x_scale": x_scale, "x_zero": x_zero, "w": w, "w_scale": w_scale, "w_zero": w_zero,
                        "y_scale": y_scale, "y_zero": y_zero, "bias": bias})


def absent_tail(batch, names, zeros):
    """Zero points may be left out from the last on; then they are 0."""
    zeros = list(zeros)
    for i in (1, 0):
        if not batch.often(0.3):
            break
        names.pop()
        zeros[i] = 0
    return zeros


def conv_integer(batch):
    shape, attributes, resolved = conv_shape(batch)
    x, w = batch.integers(shape["x"], np.uint8), batch.integers(shape["w"], np.uint8)
    zeros = batch.zero_point(np.uint8), batch.zero_point(np.uint8)
    name = batch.input(x)
    operands = [name, batch.constant(w), batch.constant(zeros[0], np.uint8), batch.constant(zeros[1], np.uint8)]
    x_zero, w_zero = absent_tail(batch, operands, zeros)
    batch.layer("ConvInteger", [name], operands, np.int32, attributes=attributes,
                values={**resolved, "x_zero": x_zero, "w": w, "w_zero": w_zero})


# ---- matrix products

def matmul_shapes(batch):
    m, k, n = batch.draw(1, 8), batch.choose(batch.draw(1, 20), batch.draw(1, 300), batch.draw(1, 1500)), batch.draw(1, 40)
    return batch.choose([m, k], [m, k], [2, m, k], [2, 3, m, k], [1, m, k]), [k, n]


def product_operands(batch, names, values, output):
    """a, its scale and zero point, b .., y's."""
    a, b = names
    return [a, batch.scalar(values["a_scale"]), batch.scalar(values["a_zero"], batch.dtype),
            b, batch.constant(values["b_scale"]), batch.constant(values["b_zeros"]), *output]


def qlinear_matmul(batch):
    a_shape, b_shape = matmul_shapes(batch)
    w_type = weight_type(batch)
    a, b = batch.integers(a_shape), batch.integers(b_shape, w_type)
    a_zero, y_zero = batch.zero_point(), batch.zero_point()
    b_zero = batch.zero_point(w_type) if batch.often(0.5) else 0
    sums = (a.astype(np.int64) - a_zero) @ (b.astype(np.int64) - b_zero)
    a_scale, y_scale = batch.scale(), batch.scale()
    b_scale = weight_scales(batch, sums, a_scale, y_scale, y_zero, batch.often(0.4), -1)
    values = {"a_scale": a_scale, "a_zero": a_zero, "b": b, "b_scale": b_scale, "b_zero": b_zero, "y_scale": y_scale,
              "y_zero": y_zero, "b_zeros": np.full(np.shape(b_scale), b_zero, w_type)}
    name = batch.input(a)
    output = [batch.scalar(y_scale), batch.scalar(y_zero, batch.dtype)]
    batch.layer("QLinearMatMul", [name], product_operands(batch, [name, batch.constant(b)], values, output), batch.dtype,
                values=values)


def qlinear_matmul_activations(batch):
    """Both operands are computed by the network; leading dimensions of the second are repeated (of the first is refused)."""
    m, k, n = batch.draw(1, 8), batch.choose(batch.draw(1, 20), batch.draw(1, 100)), batch.draw(1, 20)
    leads = batch.choose(([], []), ([2], [2]), ([2, 3], [2, 3]), ([2, 3], [1, 3]), ([2, 3], [3]), ([2, 3], []), ([4, 1], [4, 1]))
    a, b = batch.integers([*leads[0], m, k]), batch.integers([*leads[1], k, n])
    a_zero, b_zero, y_zero = batch.zero_point(), batch.zero_point(), batch.zero_point()
    sums = (a.astype(np.int64) - a_zero) @ (b.astype(np.int64) - b_zero)
    a_scale, y_scale = batch.scale(), batch.scale()
    b_scale = weight_scales(batch, sums, a_scale, y_scale, y_zero, False, -1)
    values = {"a_scale": a_scale, "a_zero": a_zero, "b_scale": b_scale, "b_zero": b_zero, "y_scale": y_scale,
              "y_zero": y_zero, "b_zeros": np.array(b_zero, batch.dtype)}
    names = [batch.input(a), batch.input(b)]
    output = [batch.scalar(y_scale), batch.scalar(y_zero, batch.dtype)]
    batch.layer("QLinearMatMul", names, product_operands(batch, names, values, output), batch.dtype, values=values)


def matmul_integer(batch):
    a_shape, b_shape = matmul_shapes(batch)
    a, b = batch.integers(a_shape), batch.integers(b_shape, weight_type(batch))
    per_column = batch.often(0.3)
    b_zero = np.array([batch.zero_point(b.dtype) for _ in range(b_shape[1])], b.dtype) if per_column else batch.zero_point(b.dtype)
    names = [batch.input(a)]
    if per_column or batch.often(0.5):
        right = batch.constant(b)
    else:
        right = batch.input(b)
        names.append(right)
    zeros = batch.zero_point(), b_zero
    operands = [names[0], right, batch.constant(zeros[0], batch.dtype), batch.constant(b_zero, b.dtype)]
    a_zero, b_zero = absent_tail(batch, operands, zeros)
    batch.layer("MatMulInteger", names, operands, np.int32,
                values={"a_zero": a_zero, "b": b, "b_zero": np.asarray(b_zero, np.int64)})


def matmul_integer16(batch):
    a_shape, b_shape = matmul_shapes(batch)
    a, b = (np.clip(batch.integers(shape, np.int16), -1024, 1023) for shape in (a_shape, b_shape))
    name = batch.input(a)
    batch.layer("MatMulInteger16", [name], [name, batch.constant(b)], np.int32, MICROSOFT, values={"a_zero": 0, "b": b, "b_zero": 0})


def qgemm(batch):
    m, k, n = batch.draw(1, 8), batch.choose(batch.draw(1, 200), batch.draw(1, 1500)), batch.draw(1, 40)
    w_type = weight_type(batch)
    turned_a, turned_b = batch.often(0.2) and not batch.is_qdq, batch.often(0.5)
    a, b = batch.integers([k, m] if turned_a else [m, k]), batch.integers([n, k] if turned_b else [k, n], w_type)
    matrix = b.T if turned_b else b
    a_zero, y_zero = batch.zero_point(), batch.zero_point()
    b_zero = batch.zero_point(w_type) if batch.often(0.5) else 0
    alpha = np.float32(1.0 if batch.is_qdq else batch.choose(1.0, 1.0, 0.5, 0.7, 3.3))
    bias = batch.bias(n) if batch.often(0.7) else None
    left = a.T if turned_a else a
    sums = (left.astype(np.int64) - a_zero) @ (matrix.astype(np.int64) - b_zero) + (0 if bias is None else bias)
    a_scale, y_scale = batch.scale(), batch.scale()
    b_scale = weight_scales(batch, sums, a_scale * alpha, y_scale, y_zero, batch.often(0.4), -1)
    values = {"a_scale": a_scale, "a_zero": a_zero, "b": matrix, "b_scale": b_scale, "b_zero": b_zero, "y_scale": y_scale,
              "y_zero": y_zero, "bias": bias, "b_zeros": np.full(np.shape(b_scale), b_zero, w_type)}
    name = batch.input(a)
    output = ["" if bias is None else batch.constant(bias), batch.scalar(y_scale), batch.scalar(y_zero, batch.dtype)]
    attributes = {"alpha": float(alpha), "transA": int(turned_a), "transB": int(turned_b)}
    batch.layer("QGemm", [name], product_operands(batch, [name, batch.constant(b)], values, output), batch.dtype, MICROSOFT,
                attributes, values)
