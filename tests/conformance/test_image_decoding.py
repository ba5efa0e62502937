"""Decoded pixels equal Pillow's convert("RGB"), and what is damaged is refused."""

import io
import pathlib

import numpy as np
import png_writer
import pytest
from PIL import Image
from shared_data import data_path


def pillow_pixels(content):
    """[height, width, 3]"""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def decoded_rgb(probe, path):
    pixels = probe.decode(path)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def assert_same_pixels(probe, content, folder):
    path = folder / "image"
    path.write_bytes(content)
    np.testing.assert_array_equal(decoded_rgb(probe, path), pillow_pixels(content))


def picture(width, height, seed=1):
    """Smooth colours with noise, so that every coefficient of a JPEG is in use."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([128 + 90 * np.sin(x / 9 + c) + 30 * np.cos(y / (5 + c)) for c in range(3)], axis=2)
    return Image.fromarray(np.clip(smooth + generator.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8))


def encoded(image, **options):
    stream = io.BytesIO()
    image.save(stream, **options)
    return stream.getvalue()


def test_every_photograph_of_the_sample(probe):
    photographs = sorted(data_path("imagenet_sample").glob("*.JPEG"))
    assert len(photographs) == 500
    for path in photographs:
        np.testing.assert_array_equal(decoded_rgb(probe, path), pillow_pixels(path.read_bytes()), err_msg=path.name)


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (8, 8), (17, 1), (1, 33), (61, 47), (160, 121)])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_of_any_size_and_sampling(probe, tmp_path, size, subsampling, progressive):
    for quality in (30, 90):
        content = encoded(picture(*size), format="JPEG", subsampling=subsampling, progressive=progressive,
                          quality=quality)
        assert_same_pixels(probe, content, tmp_path)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpeg_in_grey_and_cmyk(probe, tmp_path, mode):
    image = picture(45, 31).convert(mode)
    if mode == "CMYK":  # Pillow converts without black
        black = Image.fromarray(np.random.default_rng(3).integers(0, 256, (31, 45), np.uint8))
        image = Image.merge("CMYK", [*image.split()[:3], black])
    for progressive in (False, True):
        content = encoded(image, format="JPEG", quality=85, progressive=progressive)
        assert_same_pixels(probe, content, tmp_path)


def test_jpeg_stored_as_rgb_with_restarts_and_an_orientation_that_is_not_applied(probe, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    content = encoded(picture(50, 20), format="JPEG", keep_rgb=True, restart_marker_blocks=3, exif=exif)
    assert_same_pixels(probe, content, tmp_path)
    assert probe.decode(tmp_path / "image").shape == (20, 50, 3)


def test_a_grey_file_has_one_channel(probe, tmp_path):
    for options in ({"format": "JPEG"}, {"format": "PNG"}):
        (tmp_path / "grey").write_bytes(encoded(picture(9, 5).convert("L"), **options))
        assert probe.decode(tmp_path / "grey").shape == (5, 9, 1)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("colour_type", "depth"), png_writer.KINDS)
def test_png_of_every_kind(probe, tmp_path, colour_type, depth, interlaced):
    generator = np.random.default_rng(depth * 10 + colour_type)
    for width, height in ((1, 1), (3, 2), (9, 17), (37, 23)):
        content = png_writer.random_png(generator, width, height, colour_type, depth, interlaced)
        assert_same_pixels(probe, content, tmp_path)


@pytest.mark.parametrize(("colour_type", "transparent"), [(0, b"\0\7"), (2, b"\0\1\0\2\0\3"), (3, b"\x80\0\xff")])
def test_png_with_transparent_colours_and_gamma(probe, tmp_path, colour_type, transparent):
    extra = png_writer.chunk(b"tRNS", transparent)
    gamma = png_writer.chunk(b"gAMA", (100000).to_bytes(4, "big")) if colour_type != 3 else b""
    content = png_writer.random_png(np.random.default_rng(5), 20, 10, colour_type, 8, between=gamma + extra)
    assert_same_pixels(probe, content, tmp_path)


def test_png_with_an_index_beyond_its_palette_is_refused(probe, tmp_path):
    path = tmp_path / "image.png"
    samples = np.array([[[0], [1]], [[2], [0]]])
    for colours in (3, 2):
        path.write_bytes(png_writer.png(samples, 3, 8, palette=[[9, 8, 7]] * colours))
        if colours == 3:
            assert (probe.decode(path) == [9, 8, 7]).all()
        else:
            assert "beyond the palette" in probe.error_of(path)


def test_png_that_pillow_compresses(probe, tmp_path):
    for mode in ("1", "L", "LA", "RGB", "RGBA", "P", "I;16"):
        image = picture(70, 50).convert("L").convert(mode) if mode == "I;16" else picture(70, 50).convert(mode)
        assert_same_pixels(probe, encoded(image, format="PNG", optimize=True), tmp_path)


@pytest.mark.parametrize("options", [{"format": "JPEG"}, {"format": "JPEG", "progressive": True}, {"format": "PNG"}])
def test_a_file_cut_off_anywhere_is_refused_by_name(probe, tmp_path, options):
    content = encoded(picture(40, 30), **options)
    for length in range(len(content)):
        path = tmp_path / "cut.image"
        path.write_bytes(content[:length])
        assert probe.error_of(path).startswith(str(path)), length


def test_damage_is_refused_or_decodes_to_an_image_of_some_size(probe, tmp_path):
    generator = np.random.default_rng(11)
    refused = 0
    for options in ({"format": "JPEG"}, {"format": "JPEG", "progressive": True}, {"format": "PNG"}):
        content = np.frombuffer(encoded(picture(40, 30), **options), np.uint8)
        for _ in range(300):
            damaged = content.copy()
            damaged[generator.integers(2, len(content), 3)] = generator.integers(0, 256, 3)
            path = tmp_path / "damaged"
            path.write_bytes(damaged.tobytes())
            answer = probe.ask("decode", path, tmp_path / "damaged.npy")
            refused += answer[0] == "error"
    assert refused > 300


def test_the_library_s_own_message_is_told(probe, tmp_path):
    content = encoded(picture(64, 64), format="JPEG")
    path = tmp_path / "cut.jpg"
    path.write_bytes(content[: len(content) // 2])
    assert "Premature end of JPEG file" in probe.error_of(path)
    path.write_bytes(content[:-2] + b"\0" * 9 + content[-2:])
    assert "extraneous bytes" in probe.error_of(path)


def test_sizes_are_checked_before_pixels_are_there(probe, tmp_path):
    path = pathlib.Path(tmp_path / "huge.png")
    start = b"\x89PNG\r\n\x1a\n"
    end = png_writer.chunk(b"IDAT", b"") + png_writer.chunk(b"IEND", b"")
    path.write_bytes(start + png_writer.header(2**31 - 1, 2**31 - 1, 2, 8) + end)
    assert "at most 89478485 pixels" in probe.error_of(path)
    path.write_bytes(start + png_writer.header(9000, 9000, 2, 8) + end)
    assert "9000x9000 pixels in" in probe.error_of(path)

    content = encoded(picture(16, 16), format="JPEG")
    size = content.index(b"\xff\xc0") + 5  # height and width in the frame header
    path.write_bytes(content[:size] + b"\xff\xdc\xff\xdc" + content[size + 4 :])
    assert "at most 89478485 pixels" in probe.error_of(path)
    path.write_bytes(content[:size] + b"\x23\x28\x23\x28" + content[size + 4 :])
    assert "9000x9000 pixels in" in probe.error_of(path)


def test_other_formats_are_refused(probe, tmp_path):
    path = tmp_path / "image.jpg"
    path.write_bytes(encoded(picture(8, 8), format="BMP"))
    assert "expected a JPEG or a PNG" in probe.error_of(path)
    path.write_bytes(b"")
    assert "an empty file" in probe.error_of(path)
