"""ONNX operators that cannot be read: operands, attributes, scales."""

import numpy as np
from bad_onnx_model import Cases, attribute, float_node, node, replace
from onnx import TensorProto, helper, numpy_helper

case = Cases()


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
