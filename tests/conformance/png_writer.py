"""Writes PNG files of every colour type, depth and interlacing, which Pillow itself does not."""

import struct
import zlib

import numpy as np

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type: samples a pixel
KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8), (4, 8), (4, 16),
         (6, 8), (6, 16)]  # (colour type, depth), PNG specification, table 11.1
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width, height, colour_type, depth, interlaced=False):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced)))


def _rows(samples, depth):
    """Scan lines with filter 0."""
    lines = b""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            lines += b"\0" + row.astype(">u2").tobytes()
        elif depth == 8:
            lines += b"\0" + row.astype(np.uint8).tobytes()
        else:
            bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
            lines += b"\0" + np.packbits(bits.astype(np.uint8).reshape(-1)).tobytes()
    return lines


def png(samples, colour_type, depth, interlaced=False, palette=None, between=b""):
    """`samples` are [height, width, samples a pixel]; `between` are chunks in front of the pixels."""
    height, width = samples.shape[:2]
    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        data = b"".join(_rows(part, depth) for part in parts if part.size)
    else:
        data = _rows(samples, depth)
    plte = b"" if palette is None else chunk(b"PLTE", np.asarray(palette, np.uint8).tobytes())
    return (b"\x89PNG\r\n\x1a\n" + header(width, height, colour_type, depth, interlaced) + plte + between
            + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def random_png(generator, width, height, colour_type, depth, interlaced=False, between=b""):
    palette = generator.integers(0, 256, (2**depth, 3)) if colour_type == 3 else None
    samples = generator.integers(0, 2**depth, (height, width, CHANNELS[colour_type]))
    return png(samples, colour_type, depth, interlaced, palette, between)
