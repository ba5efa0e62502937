"""The same model with unsigned weights: w + 128 at zero point z + 128 wherever uint8 activations meet int8 weights.

(w + 128) - (z + 128) = w - z: every exact sum stays what it is. ONNX Runtime's kernels for two unsigned operands are exact on every processor, those for
unsigned times signed are not (onnxruntime_reference.py), so that a model restated in this way computes what the first is meant to.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Positions of the left operand, its zero point, the right operand, its zero point.
INTEGER_OPERATORS = {"QLinearConv": (0, 2, 3, 5), "QLinearMatMul": (0, 2, 3, 5), "QGemm": (0, 2, 3, 5), "ConvInteger": (0, 2, 1, 3),
                     "MatMulInteger": (0, 2, 1, 3)}
# ONNX Runtime takes these for integer operators where both operands come from DequantizeLinear.
BETWEEN_CONVERSIONS = {"Conv", "MatMul", "Gemm"}


class Restated:
    """`model` is a copy with unsigned weights; `layers` the number of operators that were changed."""

    def __init__(self, model):
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        self.layers = 0
        self._graph = self.model.graph
        self._nodes = []
        self._producers = {name: node for node in self._graph.node for name in node.output}
        self._constants = {c.name: c for c in self._graph.initializer}
        for node in self._graph.node:
            if node.op_type == "Constant":
                value = next((a.t for a in node.attribute if a.name == "value"), None)
                if value is not None:
                    self._constants[node.output[0]] = value
        self._types = self._value_types()
        for node in self._graph.node:
            self._restate(node)
            self._nodes.append(node)
        nodes = list(self._nodes)
        del self._graph.node[:]
        self._graph.node.extend(nodes)

    def _value_types(self):
        inferred = onnx.shape_inference.infer_shapes(self.model).graph
        types = {value.name: value.type.tensor_type.elem_type for value in [*inferred.input, *inferred.value_info, *inferred.output]}
        return types | {name: constant.data_type for name, constant in self._constants.items()}

    def _type(self, value, zero_point=""):
        """Element type of a value; a zero point has that of its values."""
        return self._types.get(value) or self._types.get(zero_point)

    def _restate(self, node):
        if node.op_type in INTEGER_OPERATORS:
            left, left_zero, right, right_zero = (node.input[i] if i < len(node.input) else "" for i in INTEGER_OPERATORS[node.op_type])
            if self._type(left, left_zero) == TensorProto.UINT8 and self._type(right, right_zero) == TensorProto.INT8:
                self._set(node, INTEGER_OPERATORS[node.op_type][2], self._unsigned(right))
                self._set(node, INTEGER_OPERATORS[node.op_type][3], self._unsigned_zero(right_zero, ()))
                self.layers += 1
        elif node.op_type in BETWEEN_CONVERSIONS:
            left, right = (self._producers.get(name) for name in node.input[:2])
            if self._converts(left, TensorProto.UINT8) and self._converts(right, TensorProto.INT8) and right.input[0] in self._constants:
                self._set(node, 1, self._unsigned_conversion(right))
                self.layers += 1

    def _converts(self, node, dtype):
        zero = node.input[2] if node is not None and len(node.input) > 2 else ""
        return node is not None and node.op_type == "DequantizeLinear" and self._type(node.input[0], zero) == dtype

    @staticmethod
    def _set(node, position, name):
        while len(node.input) <= position:
            node.input.append("")
        node.input[position] = name

    def _constant(self, stem, value):
        name = f"{stem}_unsigned_{len(self._graph.initializer)}"
        self._graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def _unsigned(self, name):
        """The name of name + 128: a constant of its own, or behind the node that computes it."""
        if name in self._constants:
            value = numpy_helper.to_array(self._constants[name]).astype(np.int16) + 128
            return self._constant(name, value.astype(np.uint8))
        stem = f"{name}_unsigned_{len(self._nodes)}"
        offset = self._constant(name, np.array(128, np.int32))
        self._nodes.append(helper.make_node("Cast", [name], [f"{stem}_wide"], to=TensorProto.INT32))
        self._nodes.append(helper.make_node("Add", [f"{stem}_wide", offset], [f"{stem}_sum"]))
        self._nodes.append(helper.make_node("Cast", [f"{stem}_sum"], [stem], to=TensorProto.UINT8))
        return stem

    def _unsigned_zero(self, name, shape):
        return self._unsigned(name) if name else self._constant("zero", np.full(shape, 128, np.uint8))

    def _unsigned_conversion(self, conversion):
        """The output of a DequantizeLinear of unsigned weights; others may go on to use the first."""
        value, scale, *zero = conversion.input
        shape = self._constants[scale].dims if scale in self._constants else ()
        copy = onnx.NodeProto()
        copy.CopyFrom(conversion)
        copy.name = f"{conversion.name or value}_unsigned_{len(self._nodes)}"
        copy.output[0] = f"{conversion.output[0]}_unsigned_{len(self._nodes)}"
        del copy.input[:]
        copy.input.extend([self._unsigned(value), scale, self._unsigned_zero(zero[0] if zero else "", shape)])
        self._nodes.append(copy)
        return copy.output[0]
