"""Makes the networks of this folder: two small convolutional ones, quantized to 4 and to 2 bits, trained for a moment on images
that it draws, and exported by Brevitas.

    python -m venv venv
    venv/bin/pip install brevitas onnxscript onnxoptimizer        # versions: README.md
    venv/bin/python export.py

The same versions on the same kind of machine give the same files; CI takes them as they are.
"""

import pathlib

import brevitas.nn as qnn
import onnx
import torch
from brevitas.export import export_qonnx
from torch import nn

CLASSES = 4


def unit(inputs, outputs, bits, **options):
    return [qnn.QuantConv2d(inputs, outputs, 3, padding=1, bias=False, weight_bit_width=bits,
                            weight_scaling_per_output_channel=True, **options),
            nn.BatchNorm2d(outputs), qnn.QuantReLU(bit_width=bits, return_quant_tensor=False)]


def network(bits):
    """Strides, max pooling, a depthwise convolution, a 1x1 one with a bias and signed outputs, a fully connected layer."""
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=8, return_quant_tensor=False),
        *unit(3, 16, bits),
        nn.MaxPool2d(2),
        *unit(16, 24, bits, stride=2),
        *unit(24, 24, bits, groups=24),
        qnn.QuantConv2d(24, 16, 1, bias=True, weight_bit_width=bits),
        qnn.QuantIdentity(bit_width=bits, return_quant_tensor=False),
        nn.Flatten(),
        qnn.QuantLinear(16 * 16, CLASSES, bias=True, weight_bit_width=bits),
    )


def images(count):
    """Stripes in four directions, with noise."""
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    labels = torch.randint(CLASSES, (count,))
    directions = torch.stack([x, y, x + y, x - y])[labels]
    waves = torch.sin(directions + 6.28 * torch.rand(count, 1, 1))
    return waves[:, None] * torch.rand(count, 3, 1, 1) + 0.3 * torch.randn(count, 3, 16, 16), labels


def train(model):
    # Batch norms of either sign.
    for module in model:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            module.weight.data[::3] *= -1.0
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(60):
        x, labels = images(64)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
    model.eval()
    x, labels = images(256)
    return (model(x).argmax(1) == labels).float().mean().item()


if __name__ == "__main__":
    for width in (4, 2):
        torch.manual_seed(14)
        net = network(width)
        print(f"{width} bits: {train(net):.2f} of the drawn images")
        path = pathlib.Path(f"conv_w{width}a{width}.onnx")
        export_qonnx(net, args=torch.zeros(1, 3, 16, 16), export_path=str(path))
        # The exporter puts weights beside the model.
        onnx.save(onnx.load(path), path, save_as_external_data=False)
        path.with_suffix(".onnx.data").unlink(missing_ok=True)
