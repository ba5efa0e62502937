"""ONNX models that cannot be run: exit code 2, and a message with the place, what is wrong and what to do."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from qsim_process import bad_input, qsim

CASES = []


def case(*words):
    """Registers a function that spoils the good model; every word has to be in a message."""
    def register(function):
        CASES.append(pytest.param(function, words, id=function.__name__.strip("_")))
        return function
    return register


def good_model():
    """x [1, 2, 6, 6] -> QuantizeLinear -> QLinearConv -> MaxPool -> DequantizeLinear -> y"""
    constants = {
        "s": np.float32(0.5), "z": np.uint8(128), "ws": np.float32(0.25), "wz": np.int8(0),
        "w": np.arange(4 * 2 * 3 * 3, dtype=np.int8).reshape(4, 2, 3, 3), "b": np.arange(4, dtype=np.int32),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], name="quantize"),
        helper.make_node("QLinearConv", ["q", "s", "z", "w", "ws", "wz", "s", "z", "b"], ["c"], name="conv",
                         strides=[1, 1], pads=[1, 1, 1, 1]),
        helper.make_node("MaxPool", ["c"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("DequantizeLinear", ["p", "s", "z"], ["y"], name="dequantize"),
    ]
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 6, 6])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 3, 3])],
                              [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def constant(model, name):
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def replace(model, name, array):
    constant(model, name).CopyFrom(numpy_helper.from_array(array, name))


def node(model, name):
    return next(node for node in model.graph.node if node.name == name)


def attribute(model, name, key, value):
    changed = node(model, name)
    for old in [a for a in changed.attribute if a.name == key]:
        changed.attribute.remove(old)
    changed.attribute.append(helper.make_attribute(key, value))


def float_node(model, op, inputs=("y",), domain="", **attributes):
    """A float operator behind the good network, its output the model's."""
    model.graph.node.append(helper.make_node(op, list(inputs), ["out"], name="last", domain=domain, **attributes))
    model.graph.output[0].name = "out"


# ---- the file -----------------------------------------------------------------------------------------------
@case("an empty file", "a .onnx model")
def _empty(model, folder):
    return b""


@case("byte ", "the file is damaged")
def _truncated(model, folder):
    return model.SerializeToString()[:-40]


@case("byte ", "the file is damaged")
def _text(model, folder):
    return b"this is no model at all, whatever its name says"


@case("graph: got none", "the file is damaged")
def _no_graph(model, folder):
    model.ClearField("graph")


@case("graph node 2 output", "a name in UTF-8")
def _name_that_is_no_text(model, folder):
    node(model, "pool").output[0] = "pqrs"
    node(model, "dequantize").input[0] = "pqrs"
    return model.SerializeToString().replace(b"pqrs", b"p\xf2_s")


@case("graph node 1: got no op_type")
def _no_operator(model, folder):
    node(model, "conv").op_type = ""


# ---- operator sets and operators ------------------------------------------------------------------------------
@case("opset_import: got none of the default domain")
def _no_opset(model, folder):
    del model.opset_import[:]


@case("opset_import: got opset 8", "onnx.version_converter")
def _old_opset(model, folder):
    model.opset_import[0].version = 8


@case("opset_import: got opset 30", "opset 10 to 21")
def _new_opset(model, folder):
    model.opset_import[0].version = 30


@case('graph node 4 NonMaxSuppression "last": got operator NonMaxSuppression', "docs/onnx.md")
def _unknown_operator(model, folder):
    float_node(model, "NonMaxSuppression")


@case('graph node 4 Swirl "last": got operator Swirl of my.domain')
def _custom_operator(model, folder):
    model.opset_import.append(helper.make_opsetid("my.domain", 1))
    float_node(model, "Swirl", domain="my.domain")


@case('graph node 4 If "last"')
def _control_flow(model, folder):
    branch = helper.make_graph([helper.make_node("Identity", ["y"], ["t"])], "branch", [],
                               [helper.make_tensor_value_info("t", TensorProto.FLOAT, None)])
    replace_with = np.array(True)
    model.graph.initializer.append(numpy_helper.from_array(replace_with, "condition"))
    float_node(model, "If", ["condition"], then_branch=branch, else_branch=branch)


# ---- wiring ---------------------------------------------------------------------------------------------------
@case('graph node 1 QLinearConv "conv"', "a cycle: 2 nodes wait for each other")
def _cycle(model, folder):
    node(model, "conv").input[0] = "p"
    node(model, "quantize").output[0] = "unused"


@case('graph node 2 MaxPool "pool": got input "nowhere", which nothing makes')
def _dangling(model, folder):
    node(model, "pool").input[0] = "nowhere"


@case('graph node 2 MaxPool "pool": got value "c", which has a source already')
def _two_sources(model, folder):
    node(model, "pool").output[0] = "c"


@case('graph output "nowhere": got a value that nothing makes')
def _output_without_source(model, folder):
    model.graph.output[0].name = "nowhere"


@case("graph outputs: got none")
def _no_outputs(model, folder):
    del model.graph.output[:]


@case('graph input "x": got value "x", which has a source already')
def _input_twice(model, folder):
    model.graph.input.append(model.graph.input[0])


@case('graph node 2 MaxPool "pool": got no outputs')
def _node_without_outputs(model, folder):
    del node(model, "pool").output[:]


# ---- types and shapes of inputs ---------------------------------------------------------------------------------
@case('graph input "x": got open dimensions [batch,2,6,6]', "--shape x=1,2,6,6")
def _open_dimension(model, folder):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"


@case('graph input "x": got no shape', "--shape x=1,3,224,224")
def _no_shape(model, folder):
    model.graph.input[0].type.tensor_type.ClearField("shape")


@case('graph input "x": got shape 1x2x-6x6')
def _negative_dimension(model, folder):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = -6


@case('graph input "x": got shape 1x2x1099511627776x6')
def _huge_dimension(model, folder):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 1 << 40


@case('graph input "x": got INT64', "at most 16 bits")
def _integer_input(model, folder):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64


@case('graph input "x": got data type 77')
def _unknown_type(model, folder):
    model.graph.input[0].type.tensor_type.elem_type = 77


@case('graph input "x": got STRING')
def _string_input(model, folder):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


@case('graph input "x": got a sequence', "a tensor")
def _sequence_input(model, folder):
    model.graph.input[0].CopyFrom(helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, None))


@case('graph input "x": got a optional', "a tensor")
def _optional_input(model, folder):
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [1]))
    model.graph.input[0].CopyFrom(helper.make_value_info("x", kind))


# ---- constants ------------------------------------------------------------------------------------------------
@case('graph initializer "w": got 71 bytes of data, expected 72 bytes for INT8 of shape 4x2x3x3')
def _constant_too_short(model, folder):
    constant(model, "w").raw_data = constant(model, "w").raw_data[:-1]


@case('graph initializer "w": got dimension -4')
def _constant_of_negative_size(model, folder):
    constant(model, "w").dims[0] = -4


@case('graph initializer "w": got shape 4x2x3x1152921504606846976')
def _constant_of_huge_size(model, folder):
    constant(model, "w").dims[3] = 1 << 60


@case('graph sparse_initializer "k": got a sparse tensor', "dense")
def _sparse_constant(model, folder):
    values = numpy_helper.from_array(np.ones(1, np.float32), "k")
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "i")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))


def external(model, **entries):
    tensor = constant(model, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.append(onnx.StringStringEntryProto(key=key, value=str(value)))


@case('external data "weights.bin", which cannot be read', "copy the data file into the model's folder")
def _external_data_missing(model, folder):
    external(model, location="weights.bin")


@case('external data "weights.bin" of 10 bytes', "the data file is damaged")
def _external_data_too_short(model, folder):
    (folder / "weights.bin").write_bytes(b"0123456789")
    external(model, location="weights.bin")


@case('external data at "../weights.bin"', "in the model's folder")
def _external_data_elsewhere(model, folder):
    external(model, location="../weights.bin")


@case('external data at "link/weights.bin"', "in the model's folder")
def _external_data_through_a_link(model, folder):
    (folder / "link").symlink_to("/")
    external(model, location="link/weights.bin")


@case('external data with offset "many"')
def _external_data_offset(model, folder):
    external(model, location="weights.bin", offset="many")


# ---- operands and attributes ------------------------------------------------------------------------------------
@case('graph node 1 QLinearConv "conv" weights "w": got shape 4x3x3x3', "2 input channels")
def _wrong_channels(model, folder):
    replace(model, "w", np.zeros((4, 3, 3, 3), np.int8))


@case('weights "w": got shape 4x18', "4 dimensions, as the input has")
def _wrong_rank(model, folder):
    replace(model, "w", np.zeros((4, 18), np.int8))


@case('graph node 1 QLinearConv "conv" bias "b": got shape 3', "4 elements")
def _wrong_bias(model, folder):
    replace(model, "b", np.zeros(3, np.int32))


@case('graph node 1 QLinearConv "conv" bias "b": got FLOAT16')
def _bias_of_another_type(model, folder):
    replace(model, "b", np.zeros(4, np.float16))


@case('graph node 1 QLinearConv "conv" window: got 9 elements long', "at most the padded input's 8")
def _window_too_large(model, folder):
    replace(model, "w", np.zeros((4, 2, 9, 9), np.int8))


@case('attribute strides: got 0x1', "2 values of 1 to")
def _no_stride(model, folder):
    attribute(model, "conv", "strides", [0, 1])


@case("attribute pads: got 1x1", "4 values")
def _too_few_pads(model, folder):
    attribute(model, "conv", "pads", [1, 1])


@case('attribute auto_pad: got "SOME"', "NOTSET, SAME_UPPER, SAME_LOWER or VALID")
def _unknown_padding(model, folder):
    attribute(model, "conv", "auto_pad", "SOME")


@case('weights "w": got shape 4x2x3x3 in 3 groups')
def _wrong_groups(model, folder):
    attribute(model, "conv", "group", 3)


@case("attribute kernel_shape: got none")
def _no_kernel(model, folder):
    attribute(model, "pool", "kernel_shape", [2, 2])
    node(model, "pool").attribute.remove(next(a for a in node(model, "pool").attribute if a.name == "kernel_shape"))


@case("attribute kernel_shape: got a value of another type")
def _attribute_type(model, folder):
    attribute(model, "pool", "kernel_shape", 2)


@case("attribute colour: got an attribute that MaxPool does not have here")
def _unknown_attribute(model, folder):
    attribute(model, "pool", "colour", 1)


@case('graph node 4 Reshape "last" shape')
def _wrong_reshape(model, folder):
    model.graph.initializer.append(numpy_helper.from_array(np.array([5, -1]), "target"))
    float_node(model, "Reshape", ["y", "target"])


@case('graph node 5 Reshape "last" shape "target": got a tensor computed at run time')
def _shape_at_run_time(model, folder):
    float_node(model, "Reshape", ["y", "target"])
    model.graph.node.insert(4, helper.make_node("QuantizeLinear", ["y", "s", "z"], ["target"], name="target"))


@case('graph node 4 Add "last" operands: got shapes 1x4x3x3 and 5')
def _wrong_broadcast(model, folder):
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(5, np.float32), "five"))
    float_node(model, "Add", ["y", "five"])


@case('graph node 4 Concat "last" attribute axis: got 4', "-4 to 3")
def _wrong_axis(model, folder):
    float_node(model, "Concat", ["y", "y"], axis=4)


# ---- quantization -------------------------------------------------------------------------------------------------
@case("scale", "a finite number above 0")
def _scale_of_zero(model, folder):
    replace(model, "s", np.float32(0))


@case("scale", "a finite number above 0")
def _scale_of_nan(model, folder):
    replace(model, "s", np.float32("nan"))


@case('scale "sg", which is computed at run time', "quantize the model statically")
def _scale_at_run_time(model, folder):
    model.graph.node.insert(1, helper.make_node("Relu", ["x"], ["sg"], name="gain"))
    node(model, "conv").input[6] = "sg"


@case('scale "gain", which is computed at run time', "--input gain=FILE.npy")
def _scale_from_an_input(model, folder):
    model.graph.input.append(helper.make_tensor_value_info("gain", TensorProto.FLOAT, [1]))
    node(model, "conv").input[6] = "gain"


@case("3 zero points", "as many as scales")
def _wrong_zero_points(model, folder):
    replace(model, "wz", np.zeros(3, np.int8))


@case("zero point of INT8", "UINT8, as the tensor is")
def _zero_point_of_another_type(model, folder):
    replace(model, "z", np.int8(0))
    node(model, "conv").input[7] = "wz"
    node(model, "dequantize").input[2] = "wz"
    node(model, "quantize").input[2] = ""


@case("scales of shape 3 along axis 0", "one a slice of the axis of shape 4x2x3x3")
def _wrong_scales(model, folder):
    replace(model, "ws", np.ones(3, np.float32))


@pytest.mark.parametrize("spoil, words", CASES)
def test_a_bad_model_is_refused(spoil, words, tmp_path):
    model = good_model()
    content = spoil(model, tmp_path)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString() if content is None else content)
    messages = bad_input("--workload", path, "--cost-only")
    assert any(all(word in message.line for word in words) for message in messages), [m.line for m in messages]
    messages[0].says(str(path))
    assert any("; " in message.line or "expected" in message.line for message in messages)


def test_the_good_model_runs(tmp_path):
    """What the cases spoil is right before."""
    path = tmp_path / "model.onnx"
    onnx.save(good_model(), path)
    run = qsim("--workload", path)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("argument, words", [
    ("x", ("--shape", '"x"', "NAME=SIZE")),
    ("x=", ("--shape", "sizes of 1 to")),
    ("x=1,2,0", ("--shape", "sizes of 1 to")),
    ("x=1,2,6,6,", ("--shape", "sizes of 1 to")),
    ("x=1;2", ("--shape", "commas")),
    ("x=1,2,6,7", ("--shape: x", "got 1x2x6x7", "[1,2,6,6]")),
    ("u=1,2,6,6", ("--shape: u", "a name that no input has", "x")),
])
def test_a_bad_shape_is_refused(argument, words, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(good_model(), path)
    bad_input("--workload", path, "--shape", argument)[0].says(*words)


@pytest.mark.parametrize("array, words", [
    (np.float64([0.5]).astype(np.int32), ("got INT32", "FLOAT of input gain")),
    (np.ones(2, np.float32), ("got shape 2", "declared shape of input gain")),
    (np.zeros(1, np.float32), ("scale", "a finite number above 0")),
])
def test_a_bad_value_of_a_parameter_is_refused(array, words, tmp_path):
    model = good_model()
    model.graph.input.append(helper.make_tensor_value_info("gain", TensorProto.FLOAT, [1]))
    node(model, "conv").input[6] = "gain"
    onnx.save(model, tmp_path / "model.onnx")
    np.save(tmp_path / "gain.npy", array)
    message, *_ = bad_input("--workload", tmp_path / "model.onnx", "--input", f"gain={tmp_path / 'gain.npy'}")
    message.says(*words)


def test_shapes_are_for_onnx_models():
    bad_input("--workload", "resnet8", "--shape", "x=1,2")[0].says("--shape", "an ONNX model with open dimensions")


def test_no_more_memory_than_the_file_asks_for(tmp_path):
    """A small file that declares large tensors is refused before they are allocated."""
    model = good_model()
    tensor = constant(model, "w")
    tensor.ClearField("raw_data")
    tensor.dims[:] = [1 << 14, 1 << 14, 1, 1]
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    bad_input("--workload", path)[0].says("0 values in int32_data", "268435456")
