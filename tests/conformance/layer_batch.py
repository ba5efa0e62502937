"""A batch of random layers: one ONNX model in which many layers lie side by side, each with inputs and outputs of its own.

Scales are chosen so that in most layers the real result of some output element lies within a few units in the last place
of a tie, k + 1/2: there the runtimes' formulas differ if they differ anywhere.
"""

import dataclasses

import numpy as np
import onnx
from onnx import helper, numpy_helper

MICROSOFT = "com.microsoft"
OPSETS = (11, 13, 15, 17, 19, 21)
IR_VERSION = 10


@dataclasses.dataclass
class Layer:
    """One layer of a batch, with what a second implementation needs to compute it."""

    operator: str
    inputs: list  # names of the graph inputs, in order
    output: str
    values: dict  # constants and attributes by name


@dataclasses.dataclass
class QdqForm:
    """How an operator looks between DequantizeLinear and QuantizeLinear."""

    plain: str
    operands: tuple  # positions of (value, scale, zero point); a third of one number each
    output: int  # position of the output's scale; its zero point follows
    bias: int = None
    weight_axis: int = 0
    drops: tuple = ()  # attributes that the plain operator does not have


QDQ_FORMS = {
    "QLinearConv": QdqForm("Conv", (0, 3), 6, bias=8),
    "QLinearMatMul": QdqForm("MatMul", (0, 3), 6, weight_axis=1),
    "QGemm": QdqForm("Gemm", (0, 3), 7, bias=6, weight_axis=1),
    "QLinearAdd": QdqForm("Add", (0, 3), 6),
    "QLinearMul": QdqForm("Mul", (0, 3), 6),
    "QLinearAveragePool": QdqForm("AveragePool", (0,), 3, drops=("channels_last",)),
    "QLinearGlobalAveragePool": QdqForm("GlobalAveragePool", (0,), 3, drops=("channels_last",)),
    "QLinearLeakyRelu": QdqForm("LeakyRelu", (0,), 3),
    "QLinearSigmoid": QdqForm("Sigmoid", (0,), 3),
    "QLinearSoftmax": QdqForm("Softmax", (0,), 3, drops=("opset",)),
}


class Batch:
    """A model under construction. `form` is "qoperator" or "qdq": the same layers in either."""

    def __init__(self, dtype, seed, form="qoperator"):
        self.dtype = np.dtype(dtype)
        self.form = form
        self.random = np.random.default_rng([seed, self.dtype.kind == "u", form == "qdq"])
        # com.microsoft's Softmax states its own opset; between conversions the model's counts.
        self.opset = self.choose(*OPSETS[1:]) if form == "qdq" else self.choose(*OPSETS)
        self.layers = []
        self.values = {}  # of the graph inputs
        self._inputs, self._outputs, self._nodes, self._initializers = [], [], [], []

    @property
    def is_qdq(self):
        return self.form == "qdq"

    # ---- random numbers

    def draw(self, low, high):
        return int(self.random.integers(low, high + 1))

    def choose(self, *choices):
        return choices[self.draw(0, len(choices) - 1)]

    def often(self, probability):
        return self.random.random() < probability

    def scale(self, low=1e-3, high=0.5):
        """Log-uniform; sometimes a power of two, which makes exact ties; now and then far from any real network's."""
        if self.often(0.04):
            low, high = 1e-9, 1e9
        value = np.exp(self.random.uniform(np.log(low), np.log(high)))
        return np.float32(2.0 ** np.round(np.log2(value)) if self.often(0.15) else value)

    def zero_point(self, dtype=None):
        limits = np.iinfo(self.dtype if dtype is None else dtype)
        return self.choose(0, limits.min, limits.max, *(self.draw(limits.min, limits.max) for _ in range(5)))

    def integers(self, shape, dtype=None):
        """Uniform, narrow around some value, or all at a limit. An array of no dimensions, too."""
        dtype = np.dtype(self.dtype if dtype is None else dtype)
        limits = np.iinfo(dtype)
        kind = self.draw(0, 9)
        if kind == 0:
            return np.full(shape, self.choose(limits.min, limits.max), dtype)
        if kind <= 2:
            values = np.rint(self.random.normal(self.draw(limits.min, limits.max), 20, shape))
            return np.asarray(np.clip(values, limits.min, limits.max), dtype)
        return np.asarray(self.random.integers(limits.min, limits.max + 1, shape, dtype), dtype)

    def bias(self, count):
        """int32, small or so large that float32 has to round the sum."""
        limit = self.choose(20_000, 20_000, 1 << 24, 1 << 29)
        return self.random.integers(-limit, limit + 1, count).astype(np.int32)

    def tie(self, value, zero_point):
        """A scale s with value / s near k + 1/2 for some k whose integer k + zero_point is in range; a free one where
        there is none or, now and then, all the same."""
        limits = np.iinfo(self.dtype)
        value = float(value)
        if value == 0 or not np.isfinite(value) or self.often(0.1):
            return self.scale()
        low, high = limits.min - zero_point, limits.max - zero_point - 1
        ks = [k for k in range(low, high + 1) if (k + 0.5) * value > 0]
        if not ks:
            return np.float32(np.clip(abs(value) / self.draw(1, 200), 1e-30, 1e30))
        k = ks[self.draw(0, len(ks) - 1)]
        scale = np.float32(value / (k + 0.5))
        for _ in range(self.draw(0, 2)):
            scale = np.nextafter(scale, np.float32(self.choose(0, np.inf)))
        return np.float32(min(max(scale, 1e-30), 1e30))

    # ---- the model

    def input(self, value):
        name = f"x{len(self._inputs)}"
        self.values[name] = value
        self._inputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape))
        return name

    def constant(self, value, dtype=None):
        name = f"c{len(self._initializers)}"
        self._initializers.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def scalar(self, value, dtype=None):
        """A number, or a list of one."""
        return self.constant(np.reshape(value, [1]) if self.often(0.2) and not self.is_qdq else value, dtype)

    def layer(self, operator, inputs, constants, output_dtype, domain="", attributes=None, values=None):
        """`constants` and inputs are names in the operator's order ("" for an absent one)."""
        output = f"y{len(self.layers)}"
        attributes = attributes or {}
        if self.is_qdq and operator == "QLinearConcat":
            self._concat_between_conversions(constants, output, attributes)
        elif self.is_qdq and operator in QDQ_FORMS:
            self._between_conversions(QDQ_FORMS[operator], constants, output, attributes)
        else:
            self.node(operator, constants, output, domain, **attributes)
        self._outputs.append(helper.make_tensor_value_info(output, helper.np_dtype_to_tensor_dtype(np.dtype(output_dtype)), None))
        self.layers.append(Layer(operator, inputs, output, {**attributes, **(values or {})}))

    def node(self, operator, inputs, output, domain="", **attributes):
        self._nodes.append(helper.make_node(operator, inputs, [output], f"{operator}_{len(self._nodes)}", domain=domain,
                                            **attributes))
        return output

    def _real(self, value, scale, zero_point, axis):
        """The output of a DequantizeLinear."""
        dims = next(list(c.dims) for c in self._initializers if c.name == scale)
        attributes = {"axis": axis} if dims else {}
        return self.node("DequantizeLinear", [value, scale, zero_point], f"r{len(self._nodes)}", **attributes)

    def _between_conversions(self, form, names, output, attributes):
        axis = form.weight_axis
        if form.plain == "Gemm" and attributes.get("transB"):
            axis = 0
        operands = [self._real(*names[at : at + 3], axis) for at in form.operands]
        if form.bias is not None and len(names) > form.bias and names[form.bias]:
            x_scale, w_scale = (next(numpy_helper.to_array(c) for c in self._initializers if c.name == names[at]) for at in (1, 4))
            scales = (x_scale * w_scale).astype(np.float32)
            zeros = self.constant(np.zeros(scales.shape, np.int32))
            operands.append(self._real(names[form.bias], self.constant(scales), zeros, 0))
        kept = {key: value for key, value in attributes.items() if key not in form.drops}
        real = self.node(form.plain, operands, f"r{len(self._nodes)}", **kept)
        self.node("QuantizeLinear", [real, names[form.output], names[form.output + 1]], output)

    def _concat_between_conversions(self, names, output, attributes):
        parts = [self._real(*names[at : at + 3], 0) for at in range(2, len(names), 3)]
        real = self.node("Concat", parts, f"r{len(self._nodes)}", **attributes)
        self.node("QuantizeLinear", [real, *names[:2]], output)

    def model(self):
        graph = helper.make_graph(self._nodes, "layers", self._inputs, self._outputs, self._initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset), helper.make_opsetid(MICROSOFT, 1)],
                                  ir_version=IR_VERSION)
        return onnx.shape_inference.infer_shapes(model)


def element(random, array):
    """One element, away from zero where there is one."""
    flat = np.asarray(array).reshape(-1)
    nonzero = flat[flat != 0]
    return (nonzero if nonzero.size else flat)[int(random.integers(0, (nonzero if nonzero.size else flat).size))]


def usable(scales):
    return np.all(np.isfinite(scales)) and np.all(scales > 1e-30) and np.all(scales < 1e30)
