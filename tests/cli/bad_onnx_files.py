"""ONNX files, graphs and constants that cannot be read."""

import numpy as np
import onnx
from bad_onnx_model import Cases, constant, float_node, node, replace
from onnx import TensorProto, helper, numpy_helper

case = Cases()


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
@case('graph input "x": got open dimensions [1,2,height,6]', "--shape x=1,2,1,6")
def _open_dimension(model, folder):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"


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
