"""Exports networks that export.py's two do not cover, for tests/conformance/qonnx_networks.py; they are not kept here.

    venv/bin/python export_others.py [NAME ..]

writes NAME.onnx into the current folder, with the packages of README.md: residual blocks, joined branches, weights of -1 and 1 and of three values, asymmetric ones,
fixed-point scales, quantized biases, averages, functions between quantizers, each rounding mode. Nothing is trained: ranges are those of random images.
"""

import pathlib
import sys

import brevitas.nn as qnn
import onnx
import torch
from brevitas import quant
from brevitas.export import export_qonnx
from brevitas.quant import binary, fixed_point, shifted_scaled_int, ternary
from torch import nn

PLAIN = {"return_quant_tensor": False}


def norm(channels):
    """Of either sign."""
    layer = nn.BatchNorm2d(channels)
    nn.init.uniform_(layer.weight, 0.5, 1.5)
    layer.weight.data[::3] *= -1.0
    nn.init.normal_(layer.bias, 0.0, 0.3)
    return layer


def identity(bits=8, **options):
    return qnn.QuantIdentity(bit_width=bits, **PLAIN, **options)


def relu(bits, **options):
    return qnn.QuantReLU(bit_width=bits, **PLAIN, **options)


def conv(inputs, outputs, kernel=3, bits=4, **options):
    return qnn.QuantConv2d(inputs, outputs, kernel, padding=options.pop("padding", kernel // 2), bias=options.pop("bias", False),
                           weight_bit_width=bits, **options)


class Residual(nn.Module):
    """Both branches behind one quantizer, or added as they leave the sums."""

    def __init__(self, bits, quantized=True):
        super().__init__()
        self.first = nn.Sequential(identity(), conv(3, 16, bits=bits, weight_scaling_per_output_channel=True), norm(16), relu(bits))
        self.branch = nn.Sequential(conv(16, 16, bits=bits), norm(16), relu(bits), conv(16, 16, bits=bits), norm(16))
        self.shared = identity(bits) if quantized else nn.Identity()
        self.last = relu(bits)
        self.classes = qnn.QuantLinear(16, 5, bias=True, weight_bit_width=bits)

    def forward(self, x):
        x = self.first(x)
        return self.classes(self.last(self.shared(x) + self.shared(self.branch(x))).mean((2, 3)))


class Joined(nn.Module):
    """Two branches side by side, on one grid or on two."""

    def __init__(self, shared):
        super().__init__()
        self.input, self.left, self.right = identity(), conv(3, 8), conv(3, 8, 1)
        self.grids = nn.ModuleList([identity(4)] * 2 if shared else [identity(4), identity(4)])
        self.last = nn.Sequential(conv(16, 8), relu(4))

    def forward(self, x):
        x = self.input(x)
        return self.last(torch.cat([self.grids[0](self.left(x)), self.grids[1](self.right(x))], 1))


def networks():
    sequence = nn.Sequential
    signs = {"weight_quant": binary.SignedBinaryWeightPerTensorConst}
    three = {"weight_quant": ternary.SignedTernaryWeightPerTensorConst}
    asymmetric = {"weight_quant": shifted_scaled_int.ShiftedUint8WeightPerTensorFloat}
    fixed = {"weight_quant": fixed_point.Int8WeightPerTensorFixedPoint}
    shifted = shifted_scaled_int.ShiftedUint8ActPerTensorFloat
    carried = {"bit_width": 8, "return_quant_tensor": True}
    yield "residual_w3a3", Residual(3)
    yield "residual_w5a5", Residual(5)
    yield "residual_of_sums", Residual(4, quantized=False)
    yield "joined_on_one_grid", Joined(True)
    yield "joined_on_two_grids", Joined(False)
    yield "binary", sequence(qnn.QuantIdentity(binary.SignedBinaryActPerTensorConst), conv(3, 16, **signs), norm(16),
                             qnn.QuantIdentity(binary.SignedBinaryActPerTensorConst), conv(16, 8, **signs), norm(8),
                             qnn.QuantIdentity(binary.SignedBinaryActPerTensorConst))
    yield "ternary", sequence(identity(), conv(3, 16, bits=2, **three), norm(16), qnn.QuantIdentity(ternary.SignedTernaryActPerTensorConst),
                              conv(16, 8, bits=2, **three), norm(8), relu(2))
    yield "asymmetric", sequence(qnn.QuantIdentity(shifted, **PLAIN), conv(3, 16, bits=6, **asymmetric), norm(16),
                                 qnn.QuantIdentity(shifted, bit_width=5, **PLAIN), conv(16, 8, bits=5, padding=0, **asymmetric),
                                 qnn.QuantIdentity(shifted, bit_width=7, **PLAIN))
    yield "fixed_point", sequence(qnn.QuantIdentity(fixed_point.Int8ActPerTensorFixedPoint, **PLAIN), conv(3, 16, bits=8, **fixed),
                                  qnn.QuantReLU(fixed_point.Uint8ActPerTensorFixedPoint, bit_width=6, **PLAIN), conv(16, 8, **fixed),
                                  qnn.QuantReLU(fixed_point.Uint8ActPerTensorFixedPoint, bit_width=4, **PLAIN))
    yield "separable", sequence(identity(), conv(3, 16, bits=8, stride=2), norm(16), relu(8, max_val=6.0),
                                conv(16, 16, groups=16, weight_scaling_per_output_channel=True), norm(16), relu(4, max_val=6.0),
                                conv(16, 24, 1), norm(24), identity(4), conv(24, 24, groups=4, stride=2), relu(4))
    yield "transposed", sequence(identity(), qnn.QuantConvTranspose2d(3, 8, 4, stride=2, padding=1, bias=False, weight_bit_width=4), relu(5),
                                 qnn.QuantConvTranspose2d(8, 4, 2, stride=2, bias=True, weight_bit_width=4), identity(6))
    yield "wide_ranges", sequence(identity(narrow_range=True), conv(3, 8, bits=6, weight_narrow_range=False, bias=True), identity(6, narrow_range=False),
                                  conv(8, 8, bits=3, weight_narrow_range=False, bias=True), relu(3))
    yield "quantized_biases", sequence(qnn.QuantIdentity(**carried), qnn.QuantConv2d(3, 8, 3, bias=True, bias_quant=quant.Int32Bias, weight_bit_width=8),
                                       qnn.QuantReLU(**carried), qnn.QuantConv2d(8, 8, 3, bias=True, weight_bit_width=4,
                                                                                 bias_quant=quant.Int8BiasPerTensorFloatInternalScaling), relu(4))
    yield "averages", sequence(identity(), conv(3, 8), relu(4), nn.AvgPool2d(2), relu(4), conv(8, 8), norm(8), relu(4), nn.AdaptiveAvgPool2d(1),
                               identity(6), nn.Flatten(), qnn.QuantLinear(8, 4, bias=False, weight_bit_width=4))
    yield "truncated", sequence(qnn.QuantIdentity(**carried), qnn.QuantConv2d(3, 8, 3, bias=False, weight_bit_width=4),
                                qnn.QuantReLU(bit_width=4, return_quant_tensor=True), qnn.TruncAvgPool2d(2, bit_width=4))
    yield "functions", sequence(identity(), conv(3, 8), qnn.QuantTanh(bit_width=5, **PLAIN), conv(8, 8), qnn.QuantSigmoid(bit_width=6, **PLAIN),
                                conv(8, 4), qnn.QuantHardTanh(bit_width=4, max_val=1.0, min_val=-1.0, **PLAIN))
    yield "leaky", sequence(identity(), conv(3, 8), nn.LeakyReLU(0.1), identity(6), conv(8, 8), nn.PReLU(8), identity(5), conv(8, 8),
                            nn.Hardswish(), identity(7))
    yield "perceptron", sequence(identity(), nn.Flatten(), qnn.QuantLinear(768, 32, bias=False, **signs), nn.BatchNorm1d(32), relu(8),
                                 qnn.QuantLinear(32, 16, bias=True, weight_bit_width=7, weight_scaling_per_output_channel=True), relu(7),
                                 qnn.QuantLinear(16, 4, bias=True, weight_bit_width=2))
    for mode in ("FLOOR", "CEIL"):
        rounded = {"float_to_int_impl_type": mode}
        yield f"rounded_by_{mode.lower()}", sequence(identity(**rounded), conv(3, 8, weight_float_to_int_impl_type=mode), norm(8), relu(4, **rounded),
                                                     conv(8, 8), identity(5, **rounded))


def export(name, network):
    network.train()
    with torch.no_grad():
        for _ in range(6):
            network(torch.randn(16, 3, 16, 16))
    network.eval()
    path = pathlib.Path(f"{name}.onnx")
    export_qonnx(network, args=torch.zeros(1, 3, 16, 16), export_path=str(path))
    onnx.save(onnx.load(path), path, save_as_external_data=False)
    path.with_suffix(".onnx.data").unlink(missing_ok=True)


if __name__ == "__main__":
    torch.manual_seed(3)
    for chosen, made in networks():
        if len(sys.argv) == 1 or chosen in sys.argv[1:]:
            export(chosen, made)
