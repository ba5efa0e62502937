#!/usr/bin/env python3
"""The least DRAM traffic of a layer over all its mappings, and a bound on its cycles (docs/mapping_bench.md).

Enumerated freely, whether the template can run it or not; nothing here knows the compiler. Needs numpy.
Example: bench/best_mapping.py --hw configs/npu.json --rows 2048 --channels 4096 --outputs 4096"""

import argparse
import dataclasses

import numpy as np
from mapping_layer import CONFIGS, Layer, Machine, ceil_div, read_hardware, touched_lines

COLD_START_CYCLES = 2000
PARAMETER_SHARE = 16  # A slot of parameters takes this part of the weight buffer.
HOLDS = ("part", "tile", "whole")  # What of an operand lies in its buffer while the array computes.


@dataclasses.dataclass(frozen=True)
class Best:
    """The least DRAM bytes, and a mapping that has them, of those with large blocks and parts."""
    dram_bytes: int
    mapping: dict


def equal_parts(size):
    """Sizes of the parts where `size` is cut into 1, 2, 3, .. parts as equal as they get."""
    return sorted({ceil_div(size, count) for count in range(1, size + 1)})


def block_sizes(layer, machine):
    """Blocks of output channels: (channels, column tiles, blocks, times that each input channel is read, input channels).

    One group: any part of a column tile, or whole tiles. Several: whole groups, which lie side by side on the array where their
    reductions are short, or parts of a group."""
    outputs, channels = layer.outputs // layer.groups, layer.channels // layer.groups
    width = machine.array_columns
    tiles = ceil_div(outputs, width)
    sizes = {size for size in equal_parts(outputs) if size < width} | {min(outputs, t * width) for t in equal_parts(tiles)}
    for size in sorted(sizes):
        blocks = ceil_div(outputs, size)
        yield size, ceil_div(size, width), layer.groups * blocks, blocks, channels
    side_by_side = groups_side_by_side(layer, machine)
    for groups in equal_parts(layer.groups):
        if groups > 1:
            yield (groups * outputs, ceil_div(groups, side_by_side) * tiles, ceil_div(layer.groups, groups), 1,
                   groups * channels)


def groups_side_by_side(layer, machine):
    """Groups on the diagonal of the array at once."""
    return max(1, min(layer.groups, machine.array_rows // layer.depth, machine.array_columns * layer.groups // layer.outputs))


class Axes:
    """All cuts of a layer, an array axis each: rows with kernel rows, columns with kernel columns, images, blocks of output
    channels, parts of the input channels of a group."""

    def __init__(self, layer, machine):
        self.lines = [self._lines(layer, axis) for axis in (0, 1)]
        self.images = equal_parts(layer.batch)
        self.blocks = list(block_sizes(layer, machine))
        self.channels = equal_parts(layer.channels // layer.groups)

    @staticmethod
    def _lines(layer, axis):
        """(tile, taps, tiles, parts, lines with parts, most of a part, lines with the whole kernel, most of those)"""
        kernel, out = layer.kernel[axis], layer.output_size(axis)
        return [(tile, part, ceil_div(out, tile), ceil_div(kernel, part), *touched_lines(layer, axis, tile, part),
                 *touched_lines(layer, axis, tile, kernel)) for tile in equal_parts(out) for part in equal_parts(kernel)]

    def tables(self):
        """The columns of each axis, shaped so that they broadcast against the other axes."""
        axes = [*self.lines, [(i,) for i in self.images], self.blocks, [(c,) for c in self.channels]]
        for index, axis in enumerate(axes):
            shape = [1] * len(axes)
            shape[index] = len(axis)
            yield [np.array(column, np.int64).reshape(shape) for column in zip(*axis)]

    def describe(self, index):
        """The mapping at an index of the enumeration."""
        rows, columns, block = self.lines[0][index[0]], self.lines[1][index[1]], self.blocks[index[3]]
        return {"output_tile": [self.images[index[2]], rows[0], columns[0]], "block": block[0],
                "part": [rows[1], columns[1], self.channels[index[4]]]}


def traffic_of_inputs(hold, once, tiles, parts, reread, order):
    """Bytes read: the whole tensor once; tiles once, or once a block where weights are outside; parts once a block."""
    if hold == "whole":
        return once
    if hold == "tile":
        return tiles * (1 if order == "activations_outer" else reread)
    return parts * reread


def best_of_matrix(layer, machine, with_parameters=True):
    """The least bytes of one matrix, its parameters among them if they are to be; they take room in any case.

    Sums of a tile whose reduction is cut stay in the accumulators: pixels x column tiles of a tile are at most their entries.
    Where a buffer is double-buffered, what passes through it has two slots, and what stays whole is there once. Parameters
    come with their weights, as often as these do."""
    axes = Axes(layer, machine)
    rows, columns, (images,), (size, tiles, blocks, reread, block_channels), (part_channels,) = axes.tables()
    group_channels = layer.channels // layer.groups
    pixels = rows[0] * columns[0] * images
    pixel_tiles = rows[2] * columns[2] * -(-layer.batch // images)
    cut = rows[3] * columns[3] * -(-group_channels // part_channels) > 1

    # Bytes in buffers: a part, a tile or block with its whole reduction, everything.
    part_elements = rows[1] * columns[1] * part_channels
    space_of_inputs = {"part": machine.activation_slots * rows[5] * columns[5] * images * block_channels // group_channels *
                               part_channels,
                       "tile": machine.activation_slots * rows[7] * columns[7] * images * block_channels,
                       "whole": layer.input_bytes}
    space_of_outputs = np.minimum(machine.activation_slots * pixels * size, layer.output_bytes)
    least_parameters = layer.header_bytes + min(machine.array_columns, layer.outputs) * layer.channel_bytes
    parameter_slot = max(machine.weight_capacity // PARAMETER_SHARE, least_parameters)
    weight_slot = machine.weight_capacity // machine.weight_slots - parameter_slot
    parameters_fit = layer.header_bytes + size * layer.channel_bytes <= parameter_slot
    weights_fit = {"part": parameters_fit & (size * part_elements <= weight_slot),
                   "tile": parameters_fit & (size * layer.depth <= weight_slot),
                   "whole": layer.weight_bytes + layer.parameter_bytes <= machine.weight_capacity}

    weights_once = layer.weight_bytes
    if with_parameters:
        weights_once += layer.outputs * layer.channel_bytes + blocks * layer.header_bytes
    tiles_once = rows[6] * columns[6] * layer.batch * layer.channels
    parts_once = rows[4] * columns[4] * layer.batch * layer.channels

    best = None
    for of_input in HOLDS:
        for of_weights in HOLDS:
            fits = (space_of_inputs[of_input] + space_of_outputs <= machine.activation_capacity) & weights_fit[of_weights]
            if "part" in (of_input, of_weights):
                fits = fits & (~cut | (pixels * tiles <= machine.entries))
            if not fits.any():
                continue
            for order in ("weights_outer", "activations_outer"):
                stays = of_weights == "whole" or (of_weights == "tile" and order == "weights_outer")
                total = (layer.output_bytes + weights_once * (1 if stays else pixel_tiles) +
                         traffic_of_inputs(of_input, layer.input_bytes, tiles_once, parts_once, reread, order))
                total = np.where(fits, total, np.iinfo(np.int64).max)
                least = int(total.min())
                if best is None or least < best.dram_bytes:
                    index = np.unravel_index(int(np.flatnonzero(total == least)[-1]), total.shape)
                    best = Best(least, {"loop_order": order, "input": of_input, "weights": of_weights, **axes.describe(index)})
    return best


def best_mapping(layer, machine):
    """The least bytes of a layer; of several matrices, each by itself, their parameters once."""
    if layer.matrices == 1:
        return best_of_matrix(layer, machine)
    one = best_of_matrix(dataclasses.replace(layer, matrices=1), machine, with_parameters=False)
    return Best(layer.matrices * one.dram_bytes + layer.parameter_bytes, one.mapping)


def array_cycles(layer, machine):
    """Cycles in which the array is occupied: a pass for each column tile and chunk of the reduction, which takes a cycle a
    pixel, or as long as the next weights need to enter, or as its port needs."""
    beside = groups_side_by_side(layer, machine)
    chunks = ceil_div(layer.depth, machine.array_rows)
    column_tiles = ceil_div(layer.groups, beside) * ceil_div(layer.outputs // layer.groups, machine.array_columns)
    step = ceil_div(min(layer.depth, machine.array_rows), machine.read_bytes)
    return layer.matrices * chunks * column_tiles * max(layer.pixels * step, machine.fill_cycles)


def bound_cycles(layer, machine, dram_bytes):
    """The larger of array and DRAM."""
    return max(array_cycles(layer, machine), dram_bytes / machine.bytes_per_cycle)


def cold_start_cycles(layer, machine):
    """What nothing can hide: the first fill of the weight buffer, latencies."""
    return min(layer.compulsory_bytes, machine.weight_capacity) / machine.bytes_per_cycle + COLD_START_CYCLES


def main():
    """One layer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hw", default=CONFIGS / "npu.json", metavar="FILE")
    for name, value, text in (("batch", 1, "images"), ("rows", 1, "input rows"), ("columns", 1, "input columns"),
                              ("channels", None, "input channels"), ("outputs", None, "output channels"),
                              ("kernel", 1, "rows and columns of the kernel"), ("stride", 1, ""), ("pad", 0, "on each side"),
                              ("groups", 1, "")):
        parser.add_argument(f"--{name}", type=int, default=value, required=value is None, help=text, metavar="N")
    a = parser.parse_args()
    layer = Layer(rows=a.rows, columns=a.columns, channels=a.channels, outputs=a.outputs, batch=a.batch, kernel=(a.kernel,) * 2,
                  stride=(a.stride,) * 2, pad=(a.pad,) * 4, groups=a.groups)
    machine = Machine.of(read_hardware(a.hw))
    best = best_mapping(layer, machine)
    print(f"dram_bytes={best.dram_bytes} compulsory={layer.compulsory_bytes} array_cycles={array_cycles(layer, machine)} "
          f"bound_cycles={bound_cycles(layer, machine, best.dram_bytes):.0f} "
          f"cold_start_cycles={cold_start_cycles(layer, machine):.0f}")
    print(best.mapping)


if __name__ == "__main__":
    main()
