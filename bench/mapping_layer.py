"""Layers of the MAC array and machines, as far as their mappings need them: shapes, capacities, bandwidth."""

import dataclasses
import functools
import json
import pathlib

CONFIGS = pathlib.Path(__file__).resolve().parents[1] / "configs"


def ceil_div(size, part):
    """Parts of `part` that `size` takes."""
    return -(-size // part)


@dataclasses.dataclass(frozen=True)
class Layer:
    """A convolution or product of 8-bit integers; a product of M x K by K x N has M rows, K channels, N outputs.

    `matrices` products of two activations lie one behind the other, each with weights of its own. A channel's parameters
    take `channel_bytes` (4 of preload, 5 of scale where it has one), those of a block `header_bytes` more."""
    rows: int
    columns: int
    channels: int
    outputs: int
    batch: int = 1
    kernel: tuple = (1, 1)
    stride: tuple = (1, 1)
    dilation: tuple = (1, 1)
    pad: tuple = (0, 0, 0, 0)  # top, left, bottom, right
    groups: int = 1
    matrices: int = 1
    channel_bytes: int = 9
    header_bytes: int = 0

    def output_size(self, axis):
        """Output rows (axis 0) or columns (axis 1)."""
        size = (self.rows, self.columns)[axis] + self.pad[axis] + self.pad[axis + 2]
        return (size - self.dilation[axis] * (self.kernel[axis] - 1) - 1) // self.stride[axis] + 1

    @property
    def pixels(self):
        """Output pixels of all images."""
        return self.batch * self.output_size(0) * self.output_size(1)

    @property
    def depth(self):
        """Reduction of an output."""
        return self.kernel[0] * self.kernel[1] * self.channels // self.groups

    @property
    def macs(self):
        """Products, those with padding too."""
        return self.matrices * self.pixels * self.depth * self.outputs

    @property
    def weight_bytes(self):
        """Of one matrix."""
        return self.depth * self.outputs

    @property
    def output_bytes(self):
        """Of one matrix."""
        return self.pixels * self.outputs

    @property
    def input_bytes(self):
        """Of one matrix, pixels that no output reads left out."""
        touched = touched_lines(self, 0, self.output_size(0), self.kernel[0])[0]
        return self.batch * touched * touched_lines(self, 1, self.output_size(1), self.kernel[1])[0] * self.channels

    @property
    def parameter_bytes(self):
        """Of all channels in one block."""
        return self.header_bytes + self.outputs * self.channel_bytes

    @property
    def compulsory_bytes(self):
        """Every byte once."""
        return self.parameter_bytes + self.matrices * (self.input_bytes + self.weight_bytes + self.output_bytes)


@functools.lru_cache(maxsize=None)
def touched_lines(layer, axis, tile, part):
    """Input lines that tiles of `tile` output lines read, with kernel parts of `part` taps: of all tiles and parts together, and
    the most of one."""
    size, out = (layer.rows, layer.columns)[axis], layer.output_size(axis)
    kernel, stride, dilation, pad = layer.kernel[axis], layer.stride[axis], layer.dilation[axis], layer.pad[axis]
    if kernel == 1 and pad == layer.pad[axis + 2] == 0:
        return out, tile
    total = most = 0
    for first in range(0, out, tile):
        for tap in range(0, kernel, part):
            outputs, taps = range(first, min(first + tile, out)), range(tap, min(tap + part, kernel))
            if dilation == 1 and len(taps) >= stride:  # Every line from the first to the last.
                count = max(0, min(size - 1, outputs[-1] * stride + taps[-1] - pad) - max(0, first * stride + tap - pad) + 1)
            else:
                lines = {o * stride + k * dilation - pad for o in outputs for k in taps}
                count = sum(0 <= line < size for line in lines)
            total, most = total + count, max(most, count)
    return total, most


@dataclasses.dataclass(frozen=True)
class Machine:
    """What bounds a mapping; slots are 2 where a buffer is double-buffered."""
    array_rows: int
    array_columns: int
    fill_cycles: int
    read_bytes: int
    weight_capacity: int
    weight_slots: int
    activation_capacity: int
    activation_slots: int
    entries: int
    bytes_per_cycle: float

    @staticmethod
    def of(hardware):
        """From hardware JSON in which every field stands, as a report's `hardware`."""
        array, weights = hardware["mac_array"], hardware["weight_buffer"]
        activations, accumulators = hardware["activation_buffer"], hardware["accumulators"]
        port = weights["read_port_bytes"] * weights["read_ports"]
        return Machine(
            array_rows=array["rows"], array_columns=array["columns"],
            fill_cycles=max(array["rows"], ceil_div(array["rows"] * array["columns"], port)),
            read_bytes=activations["read_port_bytes"] * activations["read_ports"],
            weight_capacity=weights["capacity_kib"] * 1024, weight_slots=1 + weights["double_buffered"],
            activation_capacity=activations["capacity_kib"] * 1024, activation_slots=1 + activations["double_buffered"],
            entries=accumulators["entries"] // (1 + accumulators["double_buffered"]),
            bytes_per_cycle=hardware["dram"]["bandwidth_gb_per_s"] * 1000 / hardware["clock_mhz"])


def merged(base, change):
    """`change` over `base`, object by object."""
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    return {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}


def read_hardware(path):
    """Hardware JSON with what it extends, and the schema's defaults for what it leaves out."""
    schema = json.loads((CONFIGS / "schemas" / "hardware.schema.json").read_text(encoding="utf-8"))

    def defaults(node):
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]] if "$ref" in node else node
        if "properties" in node:
            return {name: defaults(field) for name, field in node["properties"].items()}
        return node.get("default")

    def resolved(file):
        own = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
        base = own.get("extends")
        if base is None:
            return own
        beside = pathlib.Path(file).parent / base
        return merged(resolved(beside if beside.is_file() else CONFIGS / f"{base}.json"), own)

    return merged(defaults(schema), resolved(path))
