#!/usr/bin/env python3
"""Writes what the fuzz targets start from: make_seeds.py FOLDER.

FOLDER/seeds/TARGET/ gets small valid files, FOLDER/dictionaries/TARGET.dict the words of the format. Files of
the test data ($QSIM_DATA_DIR, ../shared/data) are added where they are there and small.
"""

import gzip
import io
import json
import os
import pathlib
import struct
import sys

import numpy as np
from onnx import helper, numpy_helper
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "conformance"))
from operator_models import OPERATORS, Maker  # noqa: E402

LARGEST_FILE_BYTES = 100_000
SCALED = {"scale": 0.5}
IMAGE = [{"name": "x", "shape": [1, 4, 5, 3], **SCALED, "zero_point": 2}]
WEIGHTS = {"shape": [4, 3, 3, 3], "scale": 0.1, "axis": 0}
CHANNEL = {"shape": [3], "scale": 0.25, "values": [1, 2, 3]}

# One layer each: an operation with its attributes, read from the image "x".
LAYERS = [
    {"op": "conv2d", "weights": WEIGHTS, "bias": True, "padding": "same", "stride": 2, "activation": "relu", "output": SCALED},
    {"op": "conv2d", "weights": {**WEIGHTS, "bits": 4, "scale": [0.1, 0.2, 0.3, 0.4]}, "dilation": [1, 2], "output": SCALED},
    {"op": "depthwise_conv2d", "weights": {"shape": [6, 3, 3, 1], "scale": 0.1}, "padding": [1, 1, 0, 0], "output": SCALED},
    {"op": "transpose_conv2d", "weights": {"shape": [2, 2, 2, 3], "scale": 0.1}, "stride": 2, "padding": "same", "output": SCALED},
    {"op": "fully_connected", "weights": {"shape": [7, 60], "scale": 0.1, "generator": "uniform", "zero_point": 3},
     "bias": {"values": [1, 2, 3, 4, 5, 6, 7]}, "output": {"bits": 16, **SCALED}},
    {"op": "max_pool2d", "kernel": 2, "stride": 1},
    {"op": "average_pool2d", "kernel": [4, 5]},
    {"op": "mean", "axes": [1, 2], "keep_dims": False, "output": SCALED},
    {"op": "pad", "before": [0, 1, 0, 0], "after": [0, 0, 2, 0], "value": 1},
    {"op": "strided_slice", "begin": [0, 3, 0, 0], "count": [1, 2, 5, 3], "stride": [1, -2, 1, 1]},
    {"op": "reshape", "shape": [1, -1]},
    {"op": "transpose", "permutation": [0, 2, 3, 1]},
    {"op": "softmax"}, {"op": "logistic"}, {"op": "tanh"}, {"op": "leaky_relu", "alpha": 0.1}, {"op": "relu6"},
    {"op": "quantize", "output": {"bits": 4, "signed": False, **SCALED}}, {"op": "dequantize"},
]
PAIRS = [
    {"op": "add", "inputs": ["x", "x"], "output": SCALED}, {"op": "mul", "inputs": ["x", CHANNEL], "output": SCALED},
    {"op": "sub", "inputs": [CHANNEL, "x"], "activation": "relu6", "output": SCALED},
    {"op": "concat", "inputs": ["x", "x"], "axis": -1, "output": SCALED},
]


def workload(layer, semantics="tflite"):
    wired = {"name": "y", **layer} if "inputs" in layer else {"name": "y", "input": "x", **layer}
    return {"name": "seed", "semantics": semantics, "tensors": {"generator": "normal", "seed": 1}, "inputs": IMAGE,
            "layers": [wired, {"op": "dequantize", "name": "z", "input": "y"}] if layer["op"] != "dequantize" else [wired],
            "outputs": ["y"]}


def workload_seeds():
    for layer in LAYERS + PAIRS:
        yield json.dumps(workload(layer)).encode()
    for layer in (LAYERS[0], LAYERS[6], PAIRS[0]):
        yield json.dumps(workload(layer, "onnx")).encode()
    for path in sorted((ROOT / "workloads" / "models").glob("resnet8*.json")):
        yield path.read_bytes()


def hardware_seeds():
    for path in sorted((ROOT / "configs").glob("*.json")):
        yield path.read_bytes()
    yield b'{"extends": "npu", "mac_array": {"rows": 8, "columns": 4}, "dram": {"kind": "none"}}'
    yield b'{"name": "x", "clock_mhz": 0.5, "energy": "45nm", "accumulators": {"overflow": "trap", "entries": 2}}'


def npy_seeds():
    for dtype in ("i1", "u1", "<i2", "<u2", "<i4", "<i8", "<f4", "<f8"):
        for shape in ((), (3,), (2, 3, 4)):
            stream = io.BytesIO()
            np.save(stream, np.ones(shape, dtype))
            yield stream.getvalue()


def safetensors_seeds():
    header = {"__metadata__": {"a": "b"}, "w": {"dtype": "I8", "shape": [2, 3], "data_offsets": [0, 6]},
              "b": {"dtype": "F32", "shape": [2], "data_offsets": [6, 14]}}
    for content in (header, {}, {"w": header["w"]}):
        text = json.dumps(content).encode()
        yield struct.pack("<Q", len(text)) + text + bytes(14 if "b" in content else 6 if content else 0)


def test_data(pattern):
    """Small files of the test data, where it is there."""
    folders = [os.environ.get("QSIM_DATA_DIR"), ROOT.parent / "shared" / "data"]
    for folder in filter(None, folders):
        for path in sorted(pathlib.Path(folder).glob(pattern)):
            if path.stat().st_size <= LARGEST_FILE_BYTES:
                yield path.read_bytes()


def tflite_seeds():
    for operator in OPERATORS:
        for dtype in ("int8", "int16"):
            maker = Maker(dtype, 1)
            operator(maker)
            yield maker.writer.bytes()
    yield from test_data("models/*.tflite")


def field(number, content):
    """A field of a protobuf message: a number, or bytes with their length."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


def onnx_seeds():
    """A graph of one Relu with an initializer; field numbers of onnx.proto."""
    node = field(1, b"x") + field(2, b"y") + field(3, b"relu") + field(4, b"Relu")
    initializer = field(1, 2) + field(2, 1) + field(8, b"w") + field(9, bytes(8))
    value = field(1, b"x") + field(2, field(1, field(1, 1) + field(2, field(1, field(1, 4)))))
    graph = field(1, node) + field(2, b"graph") + field(5, initializer) + field(11, value) + field(12, field(1, b"y"))
    yield field(1, 8) + field(2, b"seed") + field(7, graph) + field(8, field(2, 13))
    yield from onnx_operators()
    yield from onnx_quantizers()
    yield from test_data("models/**/*.onnx")


def onnx_operators():
    """Small networks of quantized operators in both forms, float ones, and shape arithmetic."""
    def constants(**arrays):
        return [numpy_helper.from_array(np.asarray(value), name) for name, value in arrays.items()]

    scales = dict(s=np.float32(0.5), z=np.uint8(3), w=np.ones((2, 2, 3, 3), np.int8), ws=np.float32([0.5, 1]),
                  wz=np.int8([0, 0]), b=np.int32([1, 2]), f=np.ones((2, 2, 3, 3), np.float32), m=np.ones((8, 2), np.int8),
                  one=np.float32(1), i=np.int64([1]), two=np.int64([2]), list=np.int64([0, 0, 1, 1, 0, 0, 1, 1]),
                  up=np.float32([1, 1, 2, 2]), shape=np.int64([1, -1]), v=np.float32([1, 2]))
    image = [1, 2, 4, 4]
    quantize, dequantize = ("QuantizeLinear", ["x", "s", "z"], "q"), ("DequantizeLinear", ["q", "s", "z"], "d")
    pairs = [("Conv", ["d", "wd"], {"pads": [1, 1, 1, 1]}), ("MaxPool", ["d"], {"kernel_shape": [2, 2]}),
             ("AveragePool", ["d"], {"kernel_shape": [3, 3], "ceil_mode": 1}), ("Add", ["d", "d"], {}), ("Mul", ["d", "v1"], {}),
             ("Concat", ["d", "d"], {"axis": 1}), ("Softmax", ["d"], {}), ("Sigmoid", ["d"], {}), ("Flatten", ["d"], {}),
             ("Transpose", ["d"], {"perm": [0, 2, 3, 1]}), ("ReduceMean", ["d"], {"axes": [2, 3], "keepdims": 0}),
             ("Resize", ["d", "", "up"], {}), ("Pad", ["d", "list"], {}), ("Reshape", ["d", "shape"], {}), ("MatMul", ["d", "d"], {}),
             ("ConvTranspose", ["d", "f"], {"strides": [2, 2]}), ("BatchNormalization", ["d", "v", "v", "v", "v"], {}),
             ("Slice", ["d", "i", "two", "i"], {}), ("Gather", ["d", "i"], {"axis": 1}), ("Clip", ["d", "one"], {}),
             ("DepthToSpace", ["twice"], {"blocksize": 2, "mode": "CRD"}), ("SpaceToDepth", ["d"], {"blocksize": 2}),
             ("Pad", ["d", "list"], {"mode": "reflect"}), ("LogSoftmax", ["d"], {"axis": 1}), ("ReduceSum", ["d", "i"], {}),
             ("ReduceMax", ["d"], {"axes": [2, 3]}), ("ReduceMin", ["d"], {"keepdims": 0}),
             ("InstanceNormalization", ["d", "v", "v"], {})]
    for op, inputs, attributes in pairs:
        nodes = [quantize, dequantize, ("DequantizeLinear", ["w", "ws", "wz"], "wd", {"axis": 0}),
                 ("Reshape", ["v", "list2"], "v1"), ("Concat", ["d", "d"], "twice", {"axis": 1}), (op, inputs, "c", attributes), ("QuantizeLinear", ["c", "s", "z"], "r"),
                 ("DequantizeLinear", ["r", "s", "z"], "y")]
        yield onnx_network(nodes, image, constants(**scales, list2=np.int64([2, 1, 1])))
    yield onnx_network([quantize, ("QLinearConv", ["q", "s", "z", "w", "ws", "wz", "s", "z", "b"], "c", {"strides": [2, 2]}),
                        ("DequantizeLinear", ["c", "s", "z"], "y")], image, constants(**scales))
    for steps in ([("Reshape", ["q", "five"], "r"), ("Transpose", ["r"], "t", {"perm": [2, 0, 3, 1, 4]}), ("Gather", ["t", "zero"], "c")],
                  [("Reshape", ["q", "five"], "r"), ("Slice", ["r", "i", "two", "i"], "c")]):
        yield onnx_network([quantize, *steps, ("DequantizeLinear", ["c", "s", "z"], "y")], image,
                           constants(**scales, five=np.int64([1, 2, 2, 2, 4]), zero=np.int64(0)))
    for product in ([("MatMulInteger", ["q", "m8", "z", "zw"], "c")], [("ConvInteger", ["q", "w", "z"], "c", {"pads": [1, 1, 1, 1]})]):
        yield onnx_network([("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), *product, ("Cast", ["c"], "f", {"to": 1}),
                            ("Mul", ["f", "s"], "y")], image,
                           constants(w=scales["w"], m8=np.ones((4, 3), np.int8), zw=np.int8(1)))
    yield onnx_network([("Shape", ["x"], "n"), ("Gather", ["n", "i"], "c"), ("Concat", ["i", "c"], "t", {"axis": 0}),
                        ("Cast", ["t"], "t1", {"to": 7}), ("Expand", ["x", "t1"], "e"), ("Relu", ["x"], "y")], image, constants(**scales))


def onnx_quantizers():
    """QONNX: products between quantizers with what may lie between, sums that no quantizer takes, and the form with Clip."""
    def quantizer(operator, inputs, output, **attributes):
        return (operator, inputs, output, {"domain": "qonnx.custom_op.general", **attributes})

    values = dict(s=np.float32(0.5), z=np.float32(0), b=np.float32(4), less=np.float32(2), w=np.ones((2, 2, 3, 3), np.float32),
                  v=np.float32([1, 2]), per=np.full((2, 1, 1, 1), 0.5, np.float32), m=np.ones((8, 2), np.float32), z8=np.int8(0),
                  low=np.int8(-8), high=np.int8(7), g=np.ones((2, 1, 3, 3), np.float32))
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    x = quantizer("Quant", ["x", "s", "z", "b"], "q", signed=1, narrow=0, rounding_mode="ROUND")
    w = quantizer("Quant", ["w", "per", "z", "b"], "k", signed=1, narrow=1, rounding_mode="FLOOR")
    last = quantizer("IntQuant", ["c", "s", "z", "b"], "y", signed=0, narrow=0, rounding_mode="CEIL")
    conv = ("Conv", ["q", "k"], "p", {"pads": [1, 1, 1, 1]})
    for between in ([("BatchNormalization", ["p", "v", "v", "v", "v"], "n"), ("Relu", ["n"], "c")], [("MaxPool", ["p"], "c", {"kernel_shape": [2, 2]})],
                    [quantizer("Quant", ["p", "s", "z", "b"], "r", signed=1, narrow=0), ("Add", ["q", "r"], "c")],
                    [quantizer("Quant", ["p", "s", "z", "b"], "r", signed=1, narrow=0), ("Concat", ["q", "r"], "c", {"axis": 1})],
                    [("Mul", ["p", "s"], "n"), ("Flatten", ["n"], "c")], [("GlobalAveragePool", ["p"], "c")],
                    [("Conv", ["p", "k"], "c", {"pads": [1, 1, 1, 1]})]):
        yield onnx_network([x, w, conv, *between, last], [1, 2, 4, 4], constants)
    yield onnx_network([x, w, ("Conv", ["q", "k"], "y")], [1, 2, 4, 4], constants)
    bipolar = [quantizer("BipolarQuant", ["x", "s"], "q"), quantizer("BipolarQuant", ["m", "s"], "k"), ("MatMul", ["q", "k"], "p"), ("Sub", ["p", "v"], "c"),
               quantizer("BipolarQuant", ["c", "s"], "y")]
    yield onnx_network(bipolar, [1, 8], constants)
    yield onnx_network([x, ("AveragePool", ["q"], "a", {"kernel_shape": [2, 2]}),
                        quantizer("Trunc", ["a", "s", "z", "b", "less"], "y", rounding_mode="FLOOR")], [1, 2, 4, 4], constants)
    yield onnx_network([("QuantizeLinear", ["x", "s", "z8"], "q8"), ("Clip", ["q8", "low", "high"], "c8"), ("DequantizeLinear", ["c8", "s", "z8"], "q"), w,
                        ("Conv", ["q", "k"], "c"), last], [1, 2, 4, 4], constants)


def onnx_network(nodes, shape, constants):
    """A model of (operator, inputs, output or outputs, attributes); the constants that nobody uses are left out."""
    used = {name for node in nodes for name in node[1]}
    made = []
    for op, inputs, output, *rest in nodes:
        outputs = [output] if isinstance(output, str) else output
        made.append(helper.make_node(op, inputs, outputs, name=outputs[0] + "_", **(rest[0] if rest else {})))
    graph = helper.make_graph(made, "seed", [helper.make_tensor_value_info("x", 1, shape)],
                              [helper.make_tensor_value_info("y", 1, None)], [c for c in constants if c.name in used])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def bits_seeds():
    yield b'{"y": {"weights": 4, "activations": 6}, "z": {"activations": 16}}'
    yield b'{"y": {"weights": 1}}'
    yield b"w4a8:weights=per_group(32),asymmetric;activations=symmetric,signed;scales=power_of_two;format=int,w8a8"
    yield b'{"bits": "w4a8", "weights": "per_tensor,asymmetric", "activations": "unsigned", "layers": {"y": {"bits": {"weights": 8}}, "z": "w2a2"}}'


def mapping_seeds():
    yield (b'{"layers": {"y": {"output_tile": {"rows": 2, "columns": 3}, "column_tile": 2, "loop_order": "weights_outer"}}, '
           b'"operations": {"relu": {"output_tile": {"batch": 1, "rows": 1, "columns": 4, "channels": 4}, "slots": 1}}}')
    yield (b'{"schema_version": 2, "layers": [{"name": "y", "mapping": {"unit": "mac_array", "weights_in": "dram", '
           b'"reduction_part": {"kernel_h": 1, "kernel_w": 1, "channels": 3}, "output_in": "activation_buffer"}}]}')


def energy_seeds():
    for path in sorted((ROOT / "configs" / "energy").glob("*.json")):
        yield path.read_bytes()


def preprocess_seeds():
    for path in sorted((ROOT / "configs" / "preprocess").glob("*.json")):
        yield path.read_bytes()
    yield b'{"channels": "grey", "steps": [{"resize": [4, 4], "interpolation": "nearest"}], "unit_scale": true}'
    yield b'{"steps": [{"center_crop_fraction": 0.5}, {"resize": [4, 4], "interpolation": "bicubic"}], "mean": [1, 2, 3]}'


def cifar10_seeds():
    for count in (1, 2):
        yield bytes(range(count)) + bytes(3073 * count - count)


def idx_seeds():
    """What idx.cpp takes: the length of the images' file in two bytes, then both files."""
    images = struct.pack(">IIII", 0x803, 2, 3, 4) + bytes(range(24))
    labels = struct.pack(">II", 0x801, 2) + bytes([7, 1])
    for pack in (bytes, lambda content: gzip.compress(content, mtime=0)):
        yield struct.pack("<H", len(pack(images))) + pack(images) + pack(labels)


def image_list_seeds():
    yield b"file,label\nnpu.json,0\nnpu_small.json,3\n"
    yield b'\xef\xbb\xbflabel,file,"a ""name"""\r\n1,"npu.json",x\r\n0,energy/45nm.json,\r\n'


def scalesim_seeds():
    yield b"Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\na, 5, 6, 3, 3, 2, 4, 2,\n"
    yield b"Layer,M,N,K,\nb,5,7,3,1:1,\n"
    yield b"c_DP,5,5,3,3,4,1,1,2\r\n"


def image_seeds():
    pixels = np.random.default_rng(1).integers(0, 256, (9, 13, 4), np.uint8)
    for mode in ("RGB", "L", "CMYK"):
        for options in ({}, {"progressive": True}):
            yield encoded(pixels, mode, "JPEG", **options)
    for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"):
        yield encoded(pixels, mode, "PNG")


def encoded(pixels, mode, file_format, **options):
    stream = io.BytesIO()
    image = Image.fromarray(pixels, "RGBA").convert("RGB")
    image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    image.save(stream, file_format, **options)
    return stream.getvalue()


def words_of(schema):
    """Property names and values of a JSON schema."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (word for word in schema.get("enum", []) if isinstance(word, str))
        for child in schema.values():
            yield from words_of(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from words_of(child)


def schema_words(name):
    schema = json.loads((ROOT / "configs" / "schemas" / f"{name}.schema.json").read_text())
    return [f'\\"{word}\\"' for word in sorted(set(words_of(schema)))] + [
        "true", "false", "null", "-1", "1e999", "-0.0", "1e-45", "2147483648", "9223372036854775807", "[[[[", "{\\\"a\\\":"]


def little_endian(*numbers):
    return ["".join(f"\\x{byte:02x}" for byte in struct.pack("<i", number)) for number in numbers]


DICTIONARIES = {
    "hardware": lambda: schema_words("hardware"),
    "workload": lambda: schema_words("workload"),
    "safetensors": lambda: ['\\"dtype\\"', '\\"shape\\"', '\\"data_offsets\\"', '\\"__metadata__\\"', '\\"I8\\"', '\\"F32\\"',
                            '\\"I64\\"', "9223372036854775807", "[0,0]"],
    "npy": lambda: ["\\x93NUMPY", "'descr'", "'fortran_order'", "'shape'", "False", "True", "'<f4'", "'|i1'", "(1, )",
                    "9223372036854775807"],
    "bits": lambda: ['\\"weights\\"', '\\"activations\\"', "weights=", "activations=", "scales=power_of_two", "per_group(", "asymmetric", "w4a8", '\\"y\\"', '\\"z\\"', "16", "17"],
    "cifar10": lambda: ["\\x00\\x01"],
    "energy": lambda: schema_words("energy"),
    "idx": lambda: ["\\x00\\x00\\x08\\x03", "\\x00\\x00\\x08\\x01", "\\x1f\\x8b\\x08", "\\xff\\xff\\xff\\xff"],
    "image": lambda: ["\\xff\\xd8", "\\xff\\xc0", "\\xff\\xc2", "\\xff\\xda", "\\xff\\xdb", "\\xff\\xc4", "Adobe", "JFIF", "IHDR",
                      "IDAT", "PLTE", "tRNS", "IEND"],
    "image_list": lambda: ["file", "label", "npu.json", "../", ",,", "\\x0d\\x0a", '\\"\\"', "\\xef\\xbb\\xbf"],
    "mapping": lambda: schema_words("mapping"),
    "onnx": lambda: ["Relu", "ai.onnx", "location", "external", "\\xff\\xff\\xff\\xff\\x7f", "axis", "axes", "pads", "perm",
                     "Conv", "MatMul", "Gemm", "Concat", "Split", "QuantizeLinear", "DequantizeLinear", "auto_pad",
                     "com.microsoft", "Quant", "BipolarQuant", "Trunc", "qonnx.custom_op.general", "rounding_mode", "FLOOR", "narrow", "signed"],
    "preprocess": lambda: schema_words("preprocess"),
    "scalesim": lambda: ["DP", "1:1", "2:4", ",,", "\\x0d\\x0a", "1073741824"],
    "tflite": lambda: ["TFL3"] + little_endian(0, 1, 2, 3, 4, 8, 127, 128, 255, 256, 65535, 2**20, 2**31 - 1, -1, -2**31),
}
SEEDS = {"bits": bits_seeds, "cifar10": cifar10_seeds, "energy": energy_seeds, "hardware": hardware_seeds,
         "idx": idx_seeds, "image": image_seeds, "image_list": image_list_seeds, "mapping": mapping_seeds, "npy": npy_seeds, "onnx": onnx_seeds,
         "preprocess": preprocess_seeds, "safetensors": safetensors_seeds, "scalesim": scalesim_seeds, "tflite": tflite_seeds,
         "workload": workload_seeds}


def main(folder):
    for target, seeds in SEEDS.items():
        place = folder / "seeds" / target
        place.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds()):
            (place / f"{number:03}").write_bytes(seed)
    (folder / "dictionaries").mkdir(exist_ok=True)
    for target, words in DICTIONARIES.items():
        (folder / "dictionaries" / f"{target}.dict").write_text("".join(f'"{word}"\n' for word in words()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
