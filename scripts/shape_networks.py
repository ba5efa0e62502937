"""Networks too large to be run while they are written: shapes, and scales in closed form.

Weights are normal with a deviation of a quarter of their largest magnitude and a mean of zero, so results of a reduction
over K elements of mean square m have the deviation

    scale_w * 31.75 * sqrt(K * m)

Weight scales give results the deviation wanted; outputs saturate beyond 3.3 deviations (0.1 % of them)."""

import json
import math

WEIGHT_DEVIATION = 31.75
DEVIATIONS = 3.3
UNIFORM_RMS = 256 / math.sqrt(12)
# Mean square of the largest of four values of ReLU, in that of one.
POOLED_MEAN_SQUARE = 3.1


def three_digits(value):
    """Scales as they are written."""
    return float(f"{value:.3g}")


class Tensor:
    """Its name, shape and the root of its mean square."""

    def __init__(self, name, shape, rms, scale=None, zero_point=None):
        self.name, self.shape, self.rms = name, list(shape), rms
        self.scale = three_digits(2 * DEVIATIONS * rms / 255) if scale is None else scale
        self.zero_point = 0 if zero_point is None else zero_point


class ShapeNetwork:
    """Emits layers; each function returns the tensor that its layer computes."""

    def __init__(self, name, description, semantics):
        self.name, self.description, self.semantics = name, description, semantics
        self.inputs, self.layers, self.macs, self.weights = [], [], 0, 0

    def input(self, name, shape, scale, zero_point):
        self.inputs.append({"name": name, "shape": list(shape), "scale": scale, "zero_point": zero_point})
        return Tensor(name, shape, scale * UNIFORM_RMS, scale, zero_point)

    def emit(self, op, inputs, output, described=True, **attributes):
        layer = {"op": op, "name": output.name}
        layer.update({"inputs": inputs} if len(inputs) > 1 else {"input": inputs[0]})
        layer.update(attributes)
        if described:
            layer["output"] = {"scale": output.scale, "zero_point": output.zero_point}
        self.layers.append(layer)
        return output

    def reduction(self, op, name, x, weights, shape, spread, relu, **attributes):
        depth = math.prod(weights[1:])
        scale = three_digits(spread / (WEIGHT_DEVIATION * math.sqrt(depth) * x.rms))
        if relu:
            output = Tensor(name, shape, spread * math.sqrt(0.5), three_digits(DEVIATIONS * spread / 255), -128)
            attributes["activation"] = "relu"
        else:
            output = Tensor(name, shape, spread)
        self.macs += math.prod(shape) * depth
        self.weights += math.prod(weights)
        described = {"shape": list(weights), "scale": scale, "axis": 0}
        return self.emit(op, [x.name], output, weights=described, bias=True, **attributes)

    def conv(self, name, x, channels, kernel):
        """Stride 1, as many pixels as before, ReLU."""
        return self.reduction("conv2d", name, x, (channels, kernel, kernel, x.shape[3]), [*x.shape[:3], channels], 1.0, True,
                              padding=kernel // 2)

    def max_pool(self, name, x):
        shape = [x.shape[0], x.shape[1] // 2, x.shape[2] // 2, x.shape[3]]
        pooled = Tensor(name, shape, x.rms * math.sqrt(POOLED_MEAN_SQUARE), x.scale, x.zero_point)
        return self.emit("max_pool2d", [x.name], pooled, False, kernel=2, stride=2)

    def fully_connected(self, name, x, outputs, relu=False):
        """Of all features together."""
        return self.reduction("fully_connected", name, x, (outputs, math.prod(x.shape[1:])), [x.shape[0], outputs], 1.0, relu)

    def dense(self, name, x, outputs, spread=1.0):
        """Of the last dimension."""
        y = self.reduction("fully_connected", name, x, (outputs, x.shape[-1]), [*x.shape[:-1], outputs], spread, False)
        self.layers[-1]["output"] = {"shape": y.shape, **self.layers[-1]["output"]}
        return y

    def reshape(self, name, x, shape):
        return self.emit("reshape", [x.name], Tensor(name, shape, x.rms, x.scale, x.zero_point), False, shape=shape)

    def swap_heads(self, name, x):
        """The second and third of four dimensions change places."""
        shape = [x.shape[i] for i in (0, 2, 1, 3)]
        return self.emit("transpose", [x.name], Tensor(name, shape, x.rms, x.scale, x.zero_point), False,
                         permutation=[0, 2, 1, 3])

    def split_heads(self, name, x, heads):
        """[1, tokens, features] -> [1, heads, tokens, features / heads]"""
        split = self.reshape(f"{name}.split", x, [1, x.shape[1], heads, x.shape[2] // heads])
        return self.swap_heads(f"{name}.heads", split)

    def join_heads(self, name, x):
        """The other way round."""
        turned = self.swap_heads(f"{name}.tokens", x)
        return self.reshape(f"{name}.joined", turned, [1, turned.shape[1], turned.shape[2] * turned.shape[3]])

    def matmul(self, name, a, b, outputs, rms, transpose_b):
        self.macs += math.prod(a.shape) * outputs
        return self.emit("matmul", [a.name, b.name], Tensor(name, [*a.shape[:-1], outputs], rms), transpose_b=transpose_b)

    def softmax(self, name, x):
        """The largest of n probabilities of scores of deviation 1 is about 16 / n."""
        count = x.shape[-1]
        scale = three_digits(min(1, 16 / count) / 255)
        return self.emit("softmax", [x.name], Tensor(name, x.shape, min(1, math.e / count), scale, -128))

    def layer_norm(self, name, x):
        """Gamma 1, beta 0."""
        output = Tensor(name, x.shape, 1.0)
        self.layers.append({"op": "layer_norm", "name": name, "inputs": [x.name, None, None], "epsilon": 1e-5,
                            "output": {"scale": output.scale, "zero_point": output.zero_point}})
        return output

    def add(self, name, a, b):
        return self.emit("add", [a.name, b.name], Tensor(name, a.shape, math.hypot(a.rms, b.rms)))

    def mul(self, name, a, b, rms):
        return self.emit("mul", [a.name, b.name], Tensor(name, a.shape, rms))

    def logistic(self, name, x):
        return self.emit("logistic", [x.name], Tensor(name, x.shape, 0.54, 0.00390625, -128))

    def workload(self, outputs):
        """The network as JSON."""
        return {"name": self.name, "description": self.description, "semantics": self.semantics,
                "tensors": {"generator": "normal", "seed": 1}, "inputs": self.inputs, "layers": self.layers,
                "outputs": [output.name for output in outputs]}

    def write(self, folder, outputs):
        """A layer a line."""
        workload = self.workload(outputs)
        lines = [f"{' ' if i else '{'}{json.dumps(key)}: {json.dumps(value)}," for i, (key, value) in enumerate(workload.items())
                 if key not in ("layers", "outputs")]
        lines += [' "layers": [', ",\n".join(f"  {json.dumps(layer)}" for layer in self.layers), " ],",
                  f' "outputs": {json.dumps(workload["outputs"])}}}']
        (folder / f"{self.name}.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{self.name}: {len(self.layers)} layers, {self.macs / 1e6:.2f} MMAC, {self.weights / 1e6:.3f} M weights")


def vgg16():
    """Configuration D."""
    net = ShapeNetwork("vgg16", "VGG-16, ImageNet shapes, generated int8 weights: 15.5 GMAC", "tflite")
    x = net.input("image", (1, 224, 224, 3), 0.0186, -14)
    for stage, (channels, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]):
        for index in range(count):
            x = net.conv(f"conv{stage + 1}_{index + 1}", x, channels, 3)
        x = net.max_pool(f"pool{stage + 1}", x)
    for name in ("fc6", "fc7"):
        x = net.fully_connected(name, x, 4096, relu=True)
    return net, [net.fully_connected("fc8", x, 1000)]


HIDDEN, HEADS, FEED_FORWARD = 4096, 32, 11008


def attention(net, q, k, v):
    """Of all heads; keys and values are [1, heads, keys, size]."""
    keys, size = k.shape[2:]
    scores = net.matmul("scores", q, k, keys, 1.0, True)
    probabilities = net.softmax("probabilities", scores)
    context = net.matmul("context", probabilities, v, size, v.rms * min(1, math.sqrt(math.e / keys)), False)
    return net.join_heads("context", context)


def decoder(name, description, tokens, cached):
    """A decoder layer of 7 billion parameters in 32 (LLaMA's sizes): without rotary embedding and mask, layer instead of RMS
    normalization. With `cached` keys, the new token's among them, keys and values come from the cache."""
    net = ShapeNetwork(name, description, "onnx")
    x = net.input("hidden", (1, tokens, HIDDEN), 0.0195, 3)
    normed = net.layer_norm("attention.norm", x)
    # 1 / sqrt(128) is in the scale of the queries.
    q = net.split_heads("query", net.dense("query", normed, HIDDEN, 0.09), HEADS)
    k = net.split_heads("key", net.dense("key", normed, HIDDEN), HEADS)
    v = net.split_heads("value", net.dense("value", normed, HIDDEN), HEADS)
    new = [k, v] if cached else []
    if cached:
        k, v = (net.input(f"cache.{part}", (1, HEADS, cached, HIDDEN // HEADS), 0.0259, 0) for part in ("keys", "values"))
    attended = net.add("attention.add", x, net.dense("attention.output", attention(net, q, k, v), HIDDEN, 0.5))
    normed = net.layer_norm("ffn.norm", attended)
    gate = net.dense("ffn.gate", normed, FEED_FORWARD)
    swish = net.mul("ffn.swish", gate, net.logistic("ffn.sigmoid", gate), 0.6)
    gated = net.mul("ffn.gated", swish, net.dense("ffn.up", normed, FEED_FORWARD), 0.6)
    return net, [net.add("ffn.add", attended, net.dense("ffn.down", gated, HIDDEN, 0.5)), *new]


def decoder_7b_prefill(tokens=512):
    """All tokens at once."""
    return decoder("decoder_7b_prefill", f"One decoder layer of a 7B transformer, prefill of {tokens} tokens, generated int8 weights",
                   tokens, 0)


def decoder_7b_decode(tokens=512):
    """One token, `tokens` keys."""
    return decoder("decoder_7b_decode", f"One decoder layer of a 7B transformer, one token, cache of {tokens}, generated int8 weights",
                   1, tokens)
