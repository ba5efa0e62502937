"""Layers whose weights and activations lie near their limits, so that kernels with saturated pairs get many of their values wrong.

Run as a program it writes what ONNX Runtime, as it is, computes for them and for the probes, to recordings/: once on a processor with VNNI (exact.json), once
on one with AVX2 alone (saturated.json; `qemu-x86_64 -cpu Haswell python saturated_layers.py FILE` does as well).
"""

import json
import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

RECORDINGS = pathlib.Path(__file__).parent / "recordings"
MICROSOFT = "com.microsoft"


def large(random, dtype, shape):
    """Uniform; seven of ten at the upper limit."""
    info = np.iinfo(dtype)
    drawn = random.randint(info.min, info.max + 1, shape)
    return np.where(random.random_sample(shape) < 0.7, info.max - random.randint(0, 20, shape), drawn).astype(dtype)


def layer(operator, x, weights, y_step, bias=None, rank=4, domain="", **attributes):
    """(model, {"x": value}) of one layer with uint8 activations and int8 weights."""
    constants = {"xs": np.float32(0.02), "xz": np.uint8(3), "w": weights, "ws": np.float32(0.01), "wz": np.int8(0),
                 "ys": np.float32(0.0002 * y_step), "yz": np.uint8(7)}
    if operator == "MatMulInteger":
        inputs, constants, output = ["x", "w", "xz", "wz"], {"w": weights, "xz": np.uint8(3), "wz": np.int8(-2)}, TensorProto.INT32
    else:
        first, last, output = ["x", "xs", "xz", "w", "ws", "wz"], ["ys", "yz"], TensorProto.UINT8
        if bias is not None:
            constants["b"] = bias
        inputs = [*first, "" if bias is None else "b", *last] if operator == "QGemm" else [*first, *last, *(["b"] if bias is not None else [])]
    node = helper.make_node(operator, inputs, ["y"], "layer", domain=domain, **attributes)
    graph = helper.make_graph([node], operator, [helper.make_tensor_value_info("x", TensorProto.UINT8, x.shape)],
                              [helper.make_tensor_value_info("y", output, [None] * rank)],
                              [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8), {"x": x}


def layers():
    """{name: (model, values)}; the same on every machine (RandomState's streams are frozen)."""
    random = np.random.RandomState(12)

    def bias(count):
        return random.randint(-20_000, 20_001, count).astype(np.int32)

    def x(*shape):
        return large(random, np.uint8, shape)

    def w(*shape):
        return large(random, np.int8, shape)

    pads = {"pads": [1, 1, 1, 1]}
    return {
        "convolution": layer("QLinearConv", x(1, 8, 5, 5), w(4, 8, 3, 3), 8000, bias(4), **pads),
        "convolution of an odd number of channels": layer("QLinearConv", x(1, 3, 6, 5), w(5, 3, 3, 3), 2500, bias(5), **pads, strides=[2, 1]),
        "pointwise convolution": layer("QLinearConv", x(1, 12, 4, 4), w(6, 12, 1, 1), 1300, bias(6)),
        "convolution in groups": layer("QLinearConv", x(1, 8, 5, 5), w(6, 4, 3, 3), 4000, bias(6), **pads, group=2),
        "depthwise convolution": layer("QLinearConv", x(1, 8, 5, 5), w(8, 1, 3, 3), 900, bias(8), **pads, group=8),
        "QGemm": layer("QGemm", x(3, 37), w(5, 37), 4500, bias(5), 2, MICROSOFT, transB=1),
        "product of three dimensions": layer("QLinearMatMul", x(2, 3, 24), w(24, 5), 2800, rank=3),
        "sums": layer("MatMulInteger", x(3, 21), w(21, 4), 1, rank=2),
    }


def network():
    """(model, values): two convolutions, of which the depthwise one is exact everywhere, their sum, a pool and a product; one output."""
    random = np.random.RandomState(5)
    constants = {"s": np.float32(0.02), "z": np.uint8(3), "ws": np.float32(0.01), "wz": np.int8(0), "one": np.float32(0.9), "two": np.float32(0.3),
                 "ys": np.float32(8.0), "yz": np.uint8(128), "w0": large(random, np.int8, (8, 8, 3, 3)), "w1": random.randint(-60, 100, (8, 1, 3, 3)).astype(np.int8),
                 "w2": random.randint(-128, 128, (6, 72)).astype(np.int8), "rows": np.array([1, 72])}
    pads = {"pads": [1, 1, 1, 1]}
    make = helper.make_node
    nodes = [
        make("QLinearConv", ["x", "s", "z", "w0", "ws", "wz", "one", "z"], ["a"], "first", **pads),
        make("QLinearConv", ["a", "one", "z", "w1", "ws", "wz", "two", "z"], ["b"], "depthwise", group=8, **pads),
        make("QLinearAdd", ["a", "one", "z", "b", "two", "z", "one", "z"], ["c"], "add", domain=MICROSOFT),
        make("MaxPool", ["c"], ["d"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        make("Reshape", ["d", "rows"], ["e"], "rows"),
        make("QGemm", ["e", "one", "z", "w2", "ws", "wz", "", "ys", "yz"], ["y"], "product", domain=MICROSOFT, transB=1),
    ]
    graph = helper.make_graph(nodes, "network", [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 8, 6, 6])],
                              [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, 6])],
                              [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(MICROSOFT, 1)], ir_version=8)
    return model, {"x": large(random, np.uint8, (1, 8, 6, 6))}


def recorded(kind):
    """{"probes": {name: number}, "layers": {name: array}, "network": array}; `kind` is "exact" or "saturated"."""
    content = json.loads((RECORDINGS / f"{kind}.json").read_text(encoding="utf-8"))
    models = layers()
    values = {}
    for name, output in content["layers"].items():
        dtype = np.int32 if name == "sums" else np.uint8
        values[name] = np.array(output["values"], dtype).reshape(output["shape"])
    assert list(values) == list(models)
    return {"probes": content["probes"], "layers": values, "network": np.array([content["network"]], np.uint8)}


def main(path):
    # Only here: tests with recordings need no runtime.
    import onnxruntime  # pylint: disable=import-outside-toplevel
    from onnxruntime_reference import outputs_of, plain_session  # pylint: disable=import-outside-toplevel
    from reference_probe import measured  # pylint: disable=import-outside-toplevel

    content = {"runtime": f"ONNX Runtime {onnxruntime.__version__}",
               "probes": measured(lambda model, values: outputs_of(plain_session(model), values)), "layers": {}}
    model, values = network()
    content["network"] = outputs_of(plain_session(model), values)["y"].reshape(-1).tolist()
    for name, (model, values) in layers().items():
        y = outputs_of(plain_session(model), values)["y"]
        content["layers"][name] = {"shape": list(y.shape), "values": y.reshape(-1).tolist()}
    lines = json.dumps(content).replace('"layers": {', '"layers": {\n  ').replace('}, "', '},\n  "')
    pathlib.Path(path).write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
