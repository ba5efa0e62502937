#!/usr/bin/env python3
"""What quantized weights alone do to resnet8_float.onnx (docs/schemes.md): activations stay float32, one layer is quantized at a time, then all.

Simulated with ONNX Runtime; the grids are those of the program's schemes, written again. For each layer: top-1, agreement with the float network, signal to noise of
the logits and of the weights, and of the layer's own error how much is a shift of its channels' means. At the end all layers, as they are and with each channel's bias
corrected by the mean shift (white paper, 3.3). With --draws the limits of every channel are multiplied by random numbers from 0.9 to 1.1, N times, which hardly changes
the weights' error: how much of a result is the chance of one rounding.

Examples: bench/weight_error.py --bits 4 --data ../shared/data
          bench/weight_error.py --draws 24 --limit 2500"""

import argparse
import os
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[1]
PIXELS = 3 * 32 * 32
FRACTIONS = range(100, 0, -1)


def symmetric(w, low, high, bits):
    """Dequantized weights: s = max|w| / p, q from -p to p."""
    p = 2 ** (bits - 1) - 1
    scale = max(-low, high) / p or 1.0
    return np.clip(np.rint(w / scale), -p, p) * scale


def asymmetric(w, low, high, bits):
    """Dequantized weights: the range holds 0, which is a level."""
    low, high, steps = min(low, 0.0), max(high, 0.0), 2**bits - 1
    scale = (high - low) / steps or 1.0
    zero_point = np.clip(np.rint(-low / scale), 0, steps)
    return (np.clip(np.rint(w / scale) + zero_point, 0, steps) - zero_point) * scale


def least_error(w, grid, bits, together):
    """Fractions of both limits, one end at a time, until nothing moves."""
    low, high = w.min(), w.max()
    parts = [100, 100]

    def of(candidate):
        q = grid(w, low * candidate[0] / 100, high * candidate[1] / 100, bits)
        return ((q - w) ** 2).sum(), q

    best = of(parts)
    for _ in range(8):
        before = list(parts)
        for end in ((0, 1),) if together else ((1,), (0,)):
            for part in FRACTIONS:
                candidate = [part if i in end else parts[i] for i in (0, 1)]
                found = of(candidate)
                if found[0] < best[0]:
                    best, parts = found, candidate
        if parts == before:
            break
    return best[1]


def quantize(weights, grid, bits, ranges):
    """A scale an output channel."""
    result = np.empty_like(weights)
    for n, w in enumerate(weights.astype(np.float64)):
        together = grid is symmetric
        low, high = (-np.abs(w).max(), np.abs(w).max()) if together else (w.min(), w.max())
        if ranges == "minmax":
            result[n] = grid(w, low, high, bits)
        else:
            result[n] = least_error(w, grid, bits, together)
    return result


def drawn(weights, grid, bits, random):
    """As quantize with min-max ranges, limits times random numbers."""
    result = np.empty_like(weights)
    for n, w in enumerate(weights.astype(np.float64)):
        low, high = (-np.abs(w).max(), np.abs(w).max()) if grid is symmetric else (w.min(), w.max())
        factors = random.uniform(0.9, 1.1, 2)
        result[n] = grid(w, low * factors[0], high * factors[0 if grid is symmetric else 1], bits)
    return result


class Network:
    """The float network, in which weights and biases can be replaced."""

    def __init__(self, data, limit):
        self.model = onnx.load(data / "models/resnet8_float.onnx")
        self.floats = {t.name: numpy_helper.to_array(t) for t in self.model.graph.initializer}
        self.products = [n for n in self.model.graph.node if n.op_type in ("Conv", "Gemm")]
        images = np.fromfile(data / "cifar10/test_batch_even.bin", np.uint8).reshape(-1, 1 + PIXELS)
        images = images[:: max(1, len(images) // limit)] if limit else images
        self.labels, self.images = images[:, 0], self.pixels(images)
        calibration = np.fromfile(data / "cifar10/data_batch_1.bin", np.uint8).reshape(-1, 1 + PIXELS)
        self.calibration = self.pixels(calibration[:: len(calibration) // 256][:256])
        self.reference = self.logits({})

    @staticmethod
    def pixels(records):
        return records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32)

    def run(self, replaced, images, outputs=None):
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for tensor in model.graph.initializer:
            if tensor.name in replaced:
                tensor.CopyFrom(numpy_helper.from_array(replaced[tensor.name].astype(np.float32), tensor.name))
        for name in outputs or []:
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return [np.concatenate(parts) for parts in zip(*(session.run(outputs, {name: images[i:i + 250]}) for i in range(0, len(images), 250)), strict=True)]

    def logits(self, replaced):
        return self.run(replaced, self.images)[0]

    def sums(self, replaced):
        """Of each product on the calibration images."""
        names = [n.output[0] for n in self.products]
        return dict(zip(names, self.run(replaced, self.calibration, names), strict=True))

    def judge(self, replaced):
        """Top-1 and agreement in percent, SQNR of the logits in dB."""
        y = self.logits(replaced)
        return (100 * (y.argmax(1) == self.labels).mean(), 100 * (y.argmax(1) == self.reference.argmax(1)).mean(), decibels(self.reference, y))

    def corrected(self, replaced):
        """Biases less the mean shift of each channel, layer after layer."""
        result, expected = dict(replaced), self.sums({})
        for node in self.products:
            shift = channel_means(self.sums(result)[node.output[0]] - expected[node.output[0]])
            result[node.input[2]] = self.floats[node.input[2]] - shift
        return result


def decibels(signal, other):
    noise = ((other.astype(np.float64) - signal) ** 2).sum()
    return 10 * np.log10((signal.astype(np.float64) ** 2).sum() / noise) if noise else np.inf


def channel_means(sums):
    return sums.mean(axis=(0, 2, 3) if sums.ndim == 4 else 0)


def mean_part(sums, expected):
    """Share of the squared error of a layer's sums that is the shift of its channels' means, in percent."""
    error = sums.astype(np.float64) - expected
    return 100 * (channel_means(error) ** 2).mean() / (error**2).mean()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="N images, spread evenly (default: all 5,000)")
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("QSIM_DATA_DIR", ROOT.parent / "shared" / "data"))
    parser.add_argument("--skip-layers", action="store_true", help="all layers at once only")
    parser.add_argument("--draws", type=int, default=0, metavar="N", help="N draws of all layers, of the first two alone and of all but the first")
    return parser.parse_args()


def spread(network, bits, draws):
    """Mean and standard deviation over the draws."""
    random, names = np.random.default_rng(1), [n.input[1] for n in network.products]
    print("| layers | weights | top-1 | logits, dB | weights, dB |\n|---|---|---|---|---|")
    for title, chosen in (("all", names), (names[0], names[:1]), (names[1], names[1:2]), (f"all but {names[0]}", names[1:])):
        for grid in (symmetric, asymmetric):
            rows = []
            for _ in range(draws):
                replaced = {name: drawn(network.floats[name], grid, bits, random) for name in chosen}
                top1, _, logits = network.judge(replaced)
                rows.append((top1, logits, decibels(*(np.concatenate([of[name].reshape(-1) for name in chosen]) for of in (network.floats, replaced)))))
            mean, deviation = np.mean(rows, axis=0), np.std(rows, axis=0)
            print(f"| {title} | {grid.__name__} | {mean[0]:.1f} +- {deviation[0]:.1f} | {mean[1]:.1f} +- {deviation[1]:.1f} | {mean[2]:.1f} |", flush=True)


def main():
    arguments = parse_arguments()
    network = Network(pathlib.Path(arguments.data), arguments.limit)
    print(f"float: top-1 {100 * (network.reference.argmax(1) == network.labels).mean():.2f}")
    if arguments.draws:
        spread(network, arguments.bits, arguments.draws)
        return
    expected = network.sums({})
    ways = {f"{grid.__name__} {ranges}": (grid, ranges) for grid in (symmetric, asymmetric) for ranges in ("minmax", "mse")}
    quantized = {way: {n.input[1]: quantize(network.floats[n.input[1]], grid, arguments.bits, ranges) for n in network.products}
                 for way, (grid, ranges) in ways.items()}
    print("| layer | weights | top-1 | agreement | logits, dB | weights, dB | mean shift, % of the error |\n|---|---|---|---|---|---|---|")

    def row(name, way, replaced, weights, mean=""):
        top1, agreement, logits = network.judge(replaced)
        floats = np.concatenate([network.floats[n].reshape(-1) for n in weights])
        changed = np.concatenate([quantized[way][n].reshape(-1) for n in weights])
        print(f"| {name} | {way} | {top1:.2f} | {agreement:.2f} | {logits:.1f} | {decibels(floats, changed):.1f} | {mean} |", flush=True)

    for node in [] if arguments.skip_layers else network.products:
        for way in ways:
            weights = node.input[1]
            replaced = {weights: quantized[way][weights]}
            mean = mean_part(network.sums(replaced)[node.output[0]], expected[node.output[0]])
            row(weights.removesuffix(".weight"), way, replaced, [weights], f"{mean:.0f}")
    for way in ways:
        row("all", way, quantized[way], list(quantized[way]))
    for way in ways:
        row("all, biases corrected", way, network.corrected(quantized[way]), list(quantized[way]))


if __name__ == "__main__":
    main()
