"""LiteRT's reference kernels: the values of every tensor of a model."""

import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def unique_names(names):
    """qsim's rule: an empty name becomes tensor_<index>; of equal names the later ones get #2, #3."""
    taken, result = set(), []
    for index, name in enumerate(names):
        base = name or f"tensor_{index}"
        candidate, use = base, 1
        while candidate in taken:
            use += 1
            candidate = f"{base}#{use}"
        taken.add(candidate)
        result.append(candidate)
    return result


class Reference:
    """Runs a model; keeps no view into the interpreter's memory."""

    def __init__(self, model, kernels=OpResolverType.BUILTIN_REF):
        """`model` is the file's content."""
        graph = tflite.Model.GetRootAsModel(model, 0).Subgraphs(0)
        count = graph.TensorsLength()
        self._names = unique_names([(graph.Tensors(i).Name() or b"").decode() for i in range(count)])
        computed = [i for n in range(graph.OperatorsLength()) for i in graph.Operators(n).OutputsAsNumpy()]
        self._activations = [int(i) for i in list(graph.InputsAsNumpy()) + computed]
        self._interpreter = Interpreter(model_content=model, experimental_preserve_all_tensors=True,
                                        experimental_op_resolver_type=kernels)
        self._interpreter.allocate_tensors()
        self.input_names = [self._names[int(i)] for i in graph.InputsAsNumpy()]

    def input_details(self):
        return self._interpreter.get_input_details()

    def run(self, inputs):
        """{tensor name: values} of the graph's inputs and of every operator's outputs."""
        for detail, value in zip(self.input_details(), inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], value)
        self._interpreter.invoke()
        return {self._names[i]: np.array(self._interpreter.get_tensor(i)) for i in self._activations}
