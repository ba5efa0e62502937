"""A network under construction: tensors with their shape and quantization, layers as workload JSON."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Grid:
    """Quantization of a tensor of activations; `bits` 0: float32."""

    bits: int = 8
    signed: bool = True
    scale: float = 1.0
    zero_point: int = 0

    @property
    def is_float(self):
        return self.bits == 0

    def json(self):
        if self.is_float:
            return {}
        return {"bits": self.bits, "signed": self.signed, "scale": self.scale, "zero_point": self.zero_point}


@dataclasses.dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple
    grid: Grid


class RandomGraph:
    """Draws from `rng`; what a network computes with (`semantics`, width, sign) is drawn once."""

    def __init__(self, rng):
        self.rng = rng
        self.semantics = rng.choice(["tflite", "onnx"])
        self.bits = rng.choice([8, 8, 8, 8, 16, 4, 5])
        self.signed = self.semantics == "tflite" or self.chance(0.5)
        self.inputs, self.layers, self.tensors = [], [], []

    # ---- draws ----

    def chance(self, probability):
        return self.rng.random() < probability

    def between(self, low, high):
        return self.rng.randint(low, high)

    def scale(self):
        return float(f"{2.0 ** self.rng.uniform(-9, -3):.6g}")

    def grid(self, bits=None, signed=None):
        bits = self.bits if bits is None else bits
        signed = self.signed if signed is None else signed
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        symmetric = bits == 16 and self.semantics == "tflite"
        return Grid(bits, signed, self.scale(), 0 if symmetric else self.between(low // 2, high // 2))

    # ---- construction ----

    @property
    def is_onnx(self):
        return self.semantics == "onnx"

    def fresh(self, op):
        return f"{op}_{len(self.layers)}"

    def add_input(self, shape):
        grid = self.grid()
        tensor = Tensor(f"input_{len(self.inputs)}", tuple(shape), grid)
        self.inputs.append({"name": tensor.name, "shape": list(shape), **grid.json()})
        self.tensors.append(tensor)
        return tensor

    def emit(self, op, inputs, shape, grid, /, given=True, **attributes):
        """A layer; `given`: its output's quantization is written down, else the operation decides it."""
        name = self.fresh(op)
        names = [i.name if isinstance(i, Tensor) else i for i in inputs]
        layer = {"op": op, "name": name}
        layer.update({"inputs": names} if op in LISTED else {"input": names[0]})
        layer.update({key: value for key, value in attributes.items() if value is not None})
        if given and not grid.is_float:
            layer["output"] = grid.json()
        self.layers.append(layer)
        self.tensors.append(Tensor(name, tuple(shape), grid))
        return self.tensors[-1]

    def constant(self, shape, grid):
        return {"shape": list(shape), "generator": "uniform", **grid.json()}

    def weights(self, shape, x):
        bits = self.rng.choice([8, 8, 8, 4, 3, 2, 7, 1])
        weights = {"shape": list(shape), "bits": bits}
        if self.chance(0.3):
            weights.update(generator="uniform")
        if self.chance(0.5):
            weights.update(axis=0, scale=[self.scale() for _ in range(shape[0])])
        else:
            weights.update(scale=self.scale(), **({"axis": 0} if self.chance(0.5) else {}))
        if x.grid.bits == 8 and bits > 1 and self.chance(0.2):
            weights["zero_point"] = self.between(-(1 << bits - 1), (1 << bits - 1) - 1)
        return weights

    def bias(self):
        return self.rng.choice([False, True, True, {"generator": "uniform", "low": -5000, "high": 5000}])

    def json(self, name):
        """The workload; its outputs are what no layer reads."""
        read = set()
        for layer in self.layers:
            operands = layer["inputs"] if "inputs" in layer else [layer["input"]]
            read |= {operand for operand in operands if isinstance(operand, str)}
        return {
            "name": name,
            "semantics": self.semantics,
            "rounding_profile": self.rng.choice(PROFILES),
            "tensors": {"generator": self.rng.choice(["normal", "uniform"]), "seed": self.between(0, 1 << 20)},
            "inputs": self.inputs,
            "layers": self.layers,
            "outputs": [layer["name"] for layer in self.layers if layer["name"] not in read],
        }


PROFILES = ["auto"] * 8 + ["float32", "fixed_point_double_rounding", "fixed_point_single_rounding",
                           "fixed_point_16bit_multiplier", "float64", "power_of_two"]
# Operations with a list of `inputs`.
LISTED = {"add", "sub", "mul", "div", "min", "max", "pow", "matmul", "concat", "prelu", "batch_norm", "layer_norm"}
