"""The rows of the MAC array of a workload in JSON: each as a layer, and as a network of its own."""

import json
import math
import pathlib
import sys

from mapping_layer import Layer

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
import shape_networks  # noqa: E402  pylint: disable=wrong-import-position

MOVES = ("max_pool2d", "average_pool2d", "conv2d", "depthwise_conv2d")
LENGTHS = (1, 16, 128, 512, 2048)
# Products and convolutions by themselves, each an example of a kind: rows, channels, outputs.
EXAMPLES = {
    "product_2048x4096x4096": dict(rows=2048, channels=4096, outputs=4096),
    "product_128x4096x4096": dict(rows=128, channels=4096, outputs=4096),
    "product_32x4096x4096": dict(rows=32, channels=4096, outputs=4096),
    "bert_ffn2_128x3072x768": dict(rows=128, channels=3072, outputs=768),
    "resnet50_1x1_stride2_256_512": dict(rows=56, columns=56, channels=256, outputs=512, stride=(2, 2)),
    "resnet50_3x3_512_7x7": dict(rows=7, columns=7, channels=512, outputs=512, kernel=(3, 3), pad=(1, 1, 1, 1)),
}


def pair(value):
    """[height, width] of an attribute that may be one number."""
    return tuple(value) if isinstance(value, list) else (value, value)


def padding(layer, size, kernel, stride, dilation):
    """top, left, bottom, right"""
    given = layer.get("padding", 0)
    if given == "valid":
        return (0, 0, 0, 0)
    if given == "same":
        total = [max(0, (math.ceil(s / t) - 1) * t + (k - 1) * d + 1 - s) for s, k, t, d in zip(size, kernel, stride, dilation)]
        return (total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2)
    top, bottom, left, right = given if isinstance(given, list) else [given] * 4
    return (top, left, bottom, right)


def parameters(weights):
    """Bytes a channel and a block."""
    return dict(channel_bytes=9, header_bytes=0) if "axis" in weights else dict(channel_bytes=4, header_bytes=5)


def window(layer, shape, outputs, kernel):
    """A convolution or pooling as a layer."""
    stride, dilation = pair(layer.get("stride", 1)), pair(layer.get("dilation", 1))
    return Layer(batch=shape[0], rows=shape[1], columns=shape[2], channels=shape[3], outputs=outputs, kernel=kernel,
                 stride=stride, dilation=dilation, pad=padding(layer, shape[1:3], kernel, stride, dilation),
                 groups=shape[3] if layer["op"] == "depthwise_conv2d" else layer.get("groups", 1),
                 **parameters(layer.get("weights", {})))


def problem(layer, shapes):
    """What a layer of the workload computes on the MAC array, or nothing; `shapes` are those of its inputs."""
    op, shape = layer["op"], shapes[0]
    if op in ("conv2d", "depthwise_conv2d"):
        weights = layer["weights"]["shape"]
        return window(layer, shape, weights[0], tuple(weights[1:3]))
    if op == "fully_connected":
        outputs, depth = layer["weights"]["shape"]
        return Layer(rows=math.prod(shape) // depth, columns=1, channels=depth, outputs=outputs, **parameters(layer["weights"]))
    if op == "matmul":
        outputs = shapes[1][-2 if layer.get("transpose_b") else -1]
        return Layer(rows=shape[-2], columns=1, channels=shape[-1], outputs=outputs, matrices=math.prod(shape[:-2]),
                     channel_bytes=4, header_bytes=5)
    return None


def output_shape(layer, shapes):
    """Of a layer; of operations that the workloads here have."""
    op, shape = layer["op"], shapes[0]
    given = layer.get("output", {}).get("shape") if isinstance(layer.get("output"), dict) else None
    if given or op == "reshape":
        return given or layer["shape"]
    if op == "transpose":
        return [shape[axis] for axis in layer["permutation"]]
    if op == "mean":
        kept = layer.get("keep_dims", False)
        return [1 if i in layer["axes"] else size for i, size in enumerate(shape) if kept or i not in layer["axes"]]
    if op == "fully_connected":
        return [shape[0], layer["weights"]["shape"][0]]
    if op == "matmul":
        return [*shape[:-1], shapes[1][-2 if layer.get("transpose_b") else -1]]
    if op in MOVES:
        of_layer = problem(layer, shapes) or window(layer, shape, shape[3], pair(layer["kernel"]))
        return [shape[0], of_layer.output_size(0), of_layer.output_size(1), of_layer.outputs]
    return shape


def alone(layer, tensors):
    """A network of one layer; what it reads is the network's input."""
    names = ["x", "weights_of_x"][:len(tensors)]
    own = {key: value for key, value in layer.items() if key not in ("input", "inputs")}
    own.update({"name": "y", **({"input": "x"} if len(names) == 1 else {"inputs": names})})
    inputs = [{"name": name, **tensor} for name, tensor in zip(names, tensors)]
    return {"name": "layer", "semantics": "onnx", "tensors": {"generator": "normal", "seed": 1}, "inputs": inputs,
            "layers": [own], "outputs": ["y"]}


def rows_of(workload):
    """(name, Layer, network of one layer) of each row of the MAC array, equal ones once, with how many they are."""
    tensors = {entry["name"]: {key: entry[key] for key in ("shape", "scale", "zero_point")} for entry in workload["inputs"]}
    found = {}
    for layer in workload["layers"]:
        inputs = [tensors[name] for name in layer.get("inputs", [layer.get("input")]) if name is not None]
        shapes = [tensor["shape"] for tensor in inputs]
        output = layer.get("output") if isinstance(layer.get("output"), dict) else {}
        tensors[layer["name"]] = {"shape": output_shape(layer, shapes), "scale": output.get("scale", inputs[0]["scale"]),
                                  "zero_point": output.get("zero_point", inputs[0]["zero_point"])}
        computed = problem(layer, shapes)
        if computed is not None:
            key = computed, layer.get("transpose_b", False)
            found.setdefault(key, [layer["name"], computed, alone(layer, inputs), 0])[3] += 1
    return [tuple(row) for row in found.values()]


def example_network(layer):
    """A network of one layer with scales a channel."""
    weights = {"shape": [layer.outputs, *layer.kernel, layer.channels], "scale": 0.01, "axis": 0}
    entry = {"op": "conv2d", "weights": weights, "bias": True, "output": {"scale": 0.05, "zero_point": 0}, "stride": layer.stride[0],
             "padding": layer.pad[0]}
    shape = [1, layer.rows, layer.columns, layer.channels]
    if layer.columns == 1:
        entry = {"op": "fully_connected", **{key: entry[key] for key in ("weights", "bias", "output")}}
        weights["shape"], shape = [layer.outputs, layer.channels], [layer.rows, layer.channels]
    return alone(entry, [{"shape": shape, "scale": 0.02, "zero_point": 0}])


def examples():
    """Rows as rows_of() has them."""
    layers = {name: Layer(**{"columns": 1, **sizes}) for name, sizes in EXAMPLES.items()}
    return [(name, layer, example_network(layer), 1) for name, layer in layers.items()]


def networks():
    """Names of networks and functions of their rows."""
    def shipped(name):
        return lambda: rows_of(json.loads((ROOT / "workloads" / "models" / f"{name}.json").read_text(encoding="utf-8")))

    def made(make, length):
        def rows():
            net, outputs = make(length)
            return rows_of(net.workload(outputs))
        return rows

    found = {"examples": examples}
    found.update({name: shipped(name) for name in ("resnet50", "mobilenet_v2", "vgg16", "bert_base_layer")})
    for length in LENGTHS:
        found[f"decoder_7b_prefill_{length}"] = made(shape_networks.decoder_7b_prefill, length)
    for length in LENGTHS:
        found[f"decoder_7b_decode_{length}"] = made(shape_networks.decoder_7b_decode, length)
    return found
