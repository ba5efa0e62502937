"""qsim check: what it lists is what the model has, its verdict is that of a run, and its remedies are enough."""

import json
import random
import re
import sys

import jsonschema
import numpy as np
import pytest
import tflite
from qsim_process import ROOT, bad_input, qsim

sys.path.insert(0, str(ROOT / "tests" / "conformance"))
from draws import draws  # noqa: E402
from model_writer import ModelWriter  # noqa: E402
from shared_data import data_path  # noqa: E402

SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "configs" / "schemas" / "check.schema.json").read_text()))
INT8_MODELS = [f"models/{name}_int8.tflite" for name in
               ("resnet8", "vww_mobilenet", "kws_dscnn", "ad_autoencoder", "mobilenet_v2")]
FLOAT_MODELS = [f"models/{name}_float.tflite" for name in ("resnet8", "vww_mobilenet", "kws_dscnn", "ad_autoencoder")]
ONNX_MODELS = ["models/resnet8_float.onnx", "models/efficientnet_lite0_float.onnx", "models/qonnx/TFC_2W2A.onnx",
               "models/qonnx/kwsmlp_w3a3.onnx", "models/qonnx/qkeras_jettagging.onnx"]
# On chips of random sizes these take minutes a run.
HUGE = {"vgg16", "decoder_7b_prefill", "decoder_7b_decode"}
SHIPPED = sorted({path.stem for path in (ROOT / "workloads" / "models").glob("*.json")} - HUGE)
OPERATORS = {value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}


def check(*arguments):
    """The result of a check, held to the schema and to its own exit code."""
    run = qsim("check", "--json", *arguments)
    assert run.returncode in (0, 1), run.stderr
    result = json.loads(run.stdout)
    SCHEMA.validate(result)
    summary = result["summary"]
    for status in ("supported", "folded", "unsupported"):
        assert summary[status] == sum(node["status"] == status for node in result["nodes"])
    assert summary["nodes"] == len(result["nodes"])
    assert summary["is_supported"] == (summary["unsupported"] == 0 and not result["problems"]) == (run.returncode == 0)
    return result


def runs(*arguments):
    run = qsim("--cost-only", "--quiet", *arguments)
    assert run.returncode in (0, 2), run.stderr
    return run.returncode == 0


def remedies(result):
    """Fields and values of every "raise FIELD to N", "set vector_unit.lanes" and "set dram.kind"."""
    texts = [node["remedy"] or "" for node in result["nodes"]] + [problem["remedy"] for problem in result["problems"]]
    found = {}
    for text in texts:
        for field, value in re.findall(r"raise ([a-z_.]+) to (\d+)", text):
            assert found.setdefault(field, int(value)) == int(value)
        if "set vector_unit.lanes to 1" in text:
            found["vector_unit.lanes"] = 1
        if text.endswith("set dram.kind to simple"):
            found["dram.kind"] = "simple"
    return found


def sets(fields):
    return [argument for field, value in fields.items() for argument in ("--set", f"{field}={value}")]


def tflite_operators(path):
    """(first output's name, operator) of each operator, and whether some operand of it is a float."""
    model = tflite.Model.GetRootAsModel(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    rows = []
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        code = model.OperatorCodes(operator.OpcodeIndex())
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        operands = [*operator.InputsAsNumpy(), *operator.OutputsAsNumpy()]
        is_float = any(graph.Tensors(t).Type() == tflite.TensorType.FLOAT32 for t in operands if t >= 0)
        rows.append((graph.Tensors(operator.Outputs(0)).Name().decode(), OPERATORS[number], is_float))
    return rows


def protobuf_fields(data):
    """(number, value) of each field of a message; length-delimited values as bytes."""
    position = 0

    def varint():
        nonlocal position
        value, shift = 0, 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        tag = varint()
        wire = tag & 7
        if wire == 0:
            value = varint()
        else:
            length = {1: 8, 5: 4}.get(wire) or varint()
            value = data[position:position + length]
            position += length
        yield tag >> 3, value


def onnx_nodes(path):
    """(name or first output, op_type, domain): fields 3, 4, 7 and 2 of NodeProto; graph is field 7, its nodes 1."""
    graph = next(value for number, value in protobuf_fields(path.read_bytes()) if number == 7)
    rows = []
    for number, node in protobuf_fields(graph):
        if number != 1:
            continue
        fields = {}
        for field, value in protobuf_fields(node):
            fields.setdefault(field, value)
        text = {field: fields.get(field, b"").decode() for field in (2, 3, 4, 7)}
        rows.append((text[3] or text[2], text[4], text[7]))
    return rows


@pytest.mark.parametrize("model", INT8_MODELS)
def test_every_operator_of_a_quantized_model_is_listed_and_supported(model):
    path = data_path(model)
    result = check("--workload", path)
    assert [(node["name"], node["op"]) for node in result["nodes"]] == [row[:2] for row in tflite_operators(path)]
    assert result["workload"] == {"name": path.stem, "format": "tflite"}
    assert result["summary"]["is_supported"]
    on_array = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    for node in result["nodes"]:
        expected = "mac_array" if node["op"] in on_array else "none" if node["op"] == "RESHAPE" else "vector_unit"
        assert node["unit"] == expected


@pytest.mark.parametrize("model", FLOAT_MODELS)
def test_every_operator_of_a_float_model_is_the_hosts(model):
    path = data_path(model)
    operators = tflite_operators(path)
    result = check("--workload", path)
    assert [(node["name"], node["op"]) for node in result["nodes"]] == [row[:2] for row in operators]
    for node, (_, op, is_float) in zip(result["nodes"], operators, strict=True):
        assert is_float and node["status"] == "supported"
        assert node["unit"] == ("none" if op == "RESHAPE" else "host")
        assert op == "RESHAPE" or any("float" in remark for remark in node["remarks"])
    assert runs("--workload", path)


@pytest.mark.parametrize("model", FLOAT_MODELS)
def test_a_float_model_needs_a_memory_that_the_host_reaches(model):
    arguments = ["--workload", data_path(model), "--set", "dram.kind=none", "--set", "weight_buffer.capacity_kib=65536"]
    result = check(*arguments)
    assert any("dram.kind" in (node["remedy"] or "") for node in result["nodes"])
    assert not runs(*arguments)


@pytest.mark.parametrize("model", ONNX_MODELS)
def test_every_node_of_an_onnx_model_is_listed(model):
    path = data_path(model)
    shape = ("--shape", "input=1,3,32,32") if "resnet8" in model else ()
    result = check("--workload", path, *shape)
    nodes = onnx_nodes(path)
    assert [(node["name"], node["op"], node["domain"]) for node in result["nodes"]] == nodes
    for node, (_, op, domain) in zip(result["nodes"], nodes, strict=True):
        if domain:  # The dialect's quantizers: of constants, of products, of the input.
            assert node["status"] in ("folded", "supported"), node
        if op in ("Constant", "Shape", "ConstantOfShape"):
            assert (node["status"], node["unit"]) == ("folded", "constant")
    assert result["summary"]["is_supported"] == runs("--workload", path, *shape)


def random_chip(seed):
    choice = random.Random(seed)
    return {
        "mac_array.rows": choice.choice([1, 8, 64]),
        "mac_array.columns": choice.choice([1, 16, 1024]),
        "mac_array.activation_bits": choice.choice([4, 8, 16]),
        "weight_buffer.capacity_kib": choice.choice([1, 2, 16, 8192]),
        "weight_buffer.double_buffered": choice.choice(["true", "false"]),
        "activation_buffer.capacity_kib": choice.choice([1, 4, 64, 8192]),
        "activation_buffer.double_buffered": choice.choice(["true", "false"]),
        "accumulators.entries": choice.choice([2, 64, 2048]),
        "vector_unit.lanes": choice.choice([0, 8, 32, 32]),
        "dram.kind": choice.choice(["simple", "none"]),
        "dram.capacity_mib": choice.choice([1, 4096]),
    }


@pytest.mark.parametrize("workload", INT8_MODELS + SHIPPED)
@pytest.mark.parametrize("seed", range(draws(4)))
def test_the_verdict_is_that_of_a_run_and_the_remedies_are_enough(workload, seed):
    path = data_path(workload) if workload.startswith("models/") else workload
    chip = random_chip(f"{workload} {seed}")
    if workload in ("resnet50", "models/mobilenet_v2_int8.tflite", "mobilenet_v2", "resnet18", "bert_base_layer"):
        chip["mac_array.rows"] = chip["mac_array.columns"] = 64  # one PE takes long for a large network
    result = check("--workload", path, *sets(chip))
    assert runs("--workload", path, *sets(chip)) == result["summary"]["is_supported"]
    mended = chip | remedies(result)
    assert result["summary"]["is_supported"] or mended != chip
    assert check("--workload", path, *sets(mended))["summary"]["is_supported"]
    assert runs("--workload", path, *sets(mended))


@pytest.mark.parametrize("buffer, kind, model", [("weight_buffer", "simple", "ad_autoencoder"),
                                                 ("weight_buffer", "none", "ad_autoencoder"),
                                                 ("activation_buffer", "simple", "mobilenet_v2"),
                                                 ("activation_buffer", "none", "resnet8")])
def test_the_named_capacity_is_the_least(buffer, kind, model):
    field = f"{buffer}.capacity_kib"
    chip = {"mac_array.columns": 2048, "mac_array.rows": 256, "dram.kind": kind, "weight_buffer.capacity_kib": 4096,
            "activation_buffer.capacity_kib": 4096, f"{buffer}.banks": 1, field: 1}
    workload = data_path(f"models/{model}_int8.tflite")
    result = check("--workload", workload, *sets(chip))
    least = remedies(result)[field]
    assert least > 1
    assert runs("--workload", workload, *sets(chip | {field: least}))
    assert not runs("--workload", workload, *sets(chip | {field: least - 1}))
    assert not check("--workload", workload, *sets(chip | {field: least - 1}))["summary"]["is_supported"]


def test_without_a_vector_unit_each_node_that_needs_one_is_named():
    path = data_path("models/resnet8_int8.tflite")
    result = check("--workload", path, "--set", "vector_unit.lanes=0")
    for node in result["nodes"]:
        needs = node["op"] in ("ADD", "AVERAGE_POOL_2D", "SOFTMAX")
        assert (node["status"] == "unsupported") == needs == (node["unit"] == "vector_unit")
        if needs:
            assert "vector_unit.lanes" in node["remedy"] and "fold" in node["remedy"]


def chain(operators):
    """An int8 model of one-input operators on 1x8 tensors: [(code, fields), ..]."""
    writer = ModelWriter()
    tensors = [writer.tensor(f"t{i}", (1, 8), np.int8, scales=[0.5]) for i in range(len(operators) + 1)]
    for i, (code, fields) in enumerate(operators):
        writer.operator(code, [tensors[i]], [tensors[i + 1]], **fields)
    writer.inputs, writer.outputs = [tensors[0]], [tensors[-1]]
    return writer.bytes()


def test_a_custom_operator_is_named_and_its_neighbours_are_supported(tmp_path):
    path = tmp_path / "custom.tflite"
    path.write_bytes(chain([("RELU", {}), ("CUSTOM", {"custom": "MyOp"}), ("RELU6", {}), ("CUMSUM", {}),
                            ("RELU_N1_TO_1", {})]))
    result = check("--workload", path)
    assert [node["op"] for node in result["nodes"]] == ["RELU", 'custom operator "MyOp"', "RELU6", "CUMSUM",
                                                        "RELU_N1_TO_1"]
    assert [node["status"] == "supported" for node in result["nodes"]] == [True, False, True, False, True]
    assert result["nodes"][1]["name"] == "t2"
    text = qsim("check", "--workload", path).stdout
    assert 'custom operator "MyOp"' in text and "CUMSUM" in text
    assert not runs("--workload", path)


def test_what_is_left_of_a_model_is_tried_on_the_chip(tmp_path):
    path = tmp_path / "mixed.tflite"
    path.write_bytes(chain([("RELU", {}), ("CUMSUM", {}), ("RELU6", {})]))
    result = check("--workload", path, "--set", "vector_unit.lanes=0")
    assert [node["unit"] for node in result["nodes"]] == ["vector_unit", None, "vector_unit"]
    assert all(node["status"] == "unsupported" for node in result["nodes"])


def test_layers_of_a_workload_are_checked_one_by_one(tmp_path):
    workload = json.loads((ROOT / "workloads" / "models" / "resnet8.json").read_text())
    workload["layers"][2]["op"] = "conv3d"
    workload["layers"][4]["strides"] = 2
    workload["layers"][6]["weights"]["scale"] = -1
    path = tmp_path / "net.json"
    path.write_text(json.dumps(workload))
    result = check("--workload", path)
    assert [i for i, node in enumerate(result["nodes"]) if node["status"] == "unsupported"] == [2, 4, 6]
    assert result["nodes"][2]["op"] == "conv3d" and "did you mean" in result["nodes"][2]["remedy"]
    assert "strides" in result["nodes"][4]["reason"]
    assert [node["name"] for node in result["nodes"]] == [layer["name"] for layer in workload["layers"]]


def test_remarks_name_cycles_and_accumulators():
    result = check("--workload", "resnet8", "--set", "accumulators.width_bits=20", "--set", "mac_array.activation_bits=4")
    remarks = " ".join(result["nodes"][9]["remarks"])
    assert "2 cycles" in remarks
    # 64 x 3 x 3 products of 8-bit operands: 576 * 128 * 128 needs 25 bits with its sign.
    assert "20-bit accumulators" in remarks and re.search(r"width_bits of 2[56]", remarks)
    assert result["summary"]["is_supported"]


@pytest.mark.parametrize("arguments", [["--workload", "resnet50"], ["--workload", "resnet8", "--set", "vector_unit.lanes=0"]])
def test_the_table_fits_100_columns(arguments):
    lines = qsim("check", *arguments).stdout.splitlines()
    assert max(map(len, lines)) <= 100


def test_long_names_are_cut_in_the_middle():
    lines = qsim("check", "--workload", data_path("models/kws_dscnn_int8.tflite")).stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert any("..." in line and "CONV_2D" in line for line in lines)


@pytest.mark.parametrize("name, content", [("a.tflite", b"\x00\x00\x00\x00TFL3"), ("a.json", b'{"layers": ['),
                                           ("a.json", b"[]"), ("a.onnx", b"\x3a\x7fshort"), ("a.onnx", b""),
                                           ("a.bin", b"what is this")])
def test_a_damaged_file_is_bad_input(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    bad_input("check", "--workload", path)[0].says(str(path), "expected")


def test_arguments_are_checked():
    bad_input("check")[0].says("--workload")
    bad_input("check", "--workload", "resnet8", "--hw", "npuu")[0].says("--hw", "npu")
    bad_input("check", "--workload", "resnet8", "--jsn")[0].says("--json")


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA.schema)
