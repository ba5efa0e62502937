"""ONNX Runtime on the CPU: the values that a model computes, those between its nodes included."""

import numpy as np
import onnx
from onnxruntime_reference import session

QUANTIZED = {onnx.TensorProto.UINT8, onnx.TensorProto.INT8, onnx.TensorProto.UINT16, onnx.TensorProto.INT16}


def observed_names(model):
    """What can be made an output without keeping nodes from being fused: of a QDQ model the outputs of QuantizeLinear,
    of another everything."""
    nodes = model.graph.node
    is_qdq = any(node.op_type == "DequantizeLinear" for node in nodes[:-1])
    kept = [node for node in nodes if node.op_type == "QuantizeLinear"] if is_qdq else nodes
    return [name for node in kept for name in node.output if name]


class Reference:
    def __init__(self, model):
        """`model` is a ModelProto; it stays as it is."""
        declared = [value.name for value in model.graph.output]
        observed = onnx.ModelProto()
        observed.CopyFrom(model)
        for name in observed_names(model):
            if name not in declared:
                observed.graph.output.append(onnx.ValueInfoProto(name=name))
        self._session = session(observed)
        self.input_names = [value.name for value in self._session.get_inputs()]
        self.output_names = [value.name for value in self._session.get_outputs()]

    def run(self, inputs):
        """{name: value} of the outputs and of what lies between the nodes; `inputs` is {name: array}."""
        values = self._session.run(self.output_names, inputs)
        return {name: np.asarray(value) for name, value in zip(self.output_names, values, strict=True)}
