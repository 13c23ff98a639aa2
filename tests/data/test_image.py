import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from likely.data.images.decode import TURNS, image_shape, read_image
from likely.errors import ConfigError, ImageError, ShapeError
from likely.preprocessing.conversion import PRODUCT_PHOTO

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (28, 28), dtype=np.uint8)
COLOR = RNG.integers(0, 256, (6, 4, 3), dtype=np.uint8)


def encode(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def flat(level: int, alpha: int = 255) -> Image.Image:
    return Image.new("RGBA", (4, 4), (level, level, level, alpha))


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it is gray and of any size, whatever it holds."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_a_gray_image_of_the_right_shape_passes_bit_for_bit(gray: np.ndarray) -> None:
    for image in (Image.fromarray(gray), Image.fromarray(gray).convert("RGB"), Image.fromarray(gray).convert("RGBA")):
        for conversion in (None, PRODUCT_PHOTO):
            np.testing.assert_array_equal(read_image(encode(image), shape=gray.shape, conversion=conversion), gray)


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=12).map(lambda s: (*s[:2], 3))))
def test_a_color_image_of_the_right_shape_passes_bit_for_bit(color: np.ndarray) -> None:
    np.testing.assert_array_equal(read_image(encode(Image.fromarray(color)), shape=color.shape), color)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", [(28, 28), (300, 200), (1, 1), (3, 90)])
def test_every_format_and_size(format: str, size: tuple[int, int]) -> None:
    gray = read_image(encode(Image.new("RGB", size, (90, 90, 90)), format), shape=(28, 28))
    assert gray.shape == (28, 28)
    assert gray.dtype == np.uint8
    assert gray.flags.writeable
    assert abs(int(gray[14, 14]) - 90) <= 2
    color = read_image(encode(Image.new("RGB", size, (90, 90, 90)), format), shape=(8, 9, 3))
    assert color.shape == (8, 9, 3)


@pytest.mark.parametrize("format", ["PNG", "BMP", "GIF", "TIFF"])
def test_lossless_formats_give_the_same_numbers(format: str) -> None:
    np.testing.assert_array_equal(read_image(encode(Image.fromarray(NOISE), format), shape=(28, 28)), NOISE)


def test_every_door_gives_the_same_numbers(tmp_path: Path) -> None:
    image = Image.fromarray(RNG.integers(0, 256, (50, 70, 3), dtype=np.uint8))
    path = tmp_path / "a.PNG"
    path.write_bytes(encode(image))
    expected = read_image(image, shape=(28, 28), conversion=PRODUCT_PHOTO)
    with path.open("rb") as file:
        file.seek(10)
        read = [
            read_image(source, shape=(28, 28), conversion=PRODUCT_PHOTO)
            for source in (path, str(path), path.read_bytes(), file, io.BytesIO(path.read_bytes()))
        ]
    for got in read:
        np.testing.assert_array_equal(got, expected)


def test_a_pipe_is_read(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    data = encode(Image.fromarray(NOISE))
    with os.fdopen(write_end, "wb") as writer:
        writer.write(data)
    with os.fdopen(read_end, "rb") as reader:
        np.testing.assert_array_equal(read_image(reader, shape=(28, 28)), NOISE)


@pytest.mark.parametrize(
    ("image", "level"),
    [
        (Image.new("1", (4, 4), 1), 255),
        (Image.new("L", (4, 4), 7), 7),
        (Image.fromarray(np.full((4, 4), 65535, np.uint16)), 255),
        (Image.fromarray(np.full((4, 4), 257 * 100, np.uint16)), 100),
        (Image.fromarray(np.full((4, 4), 257 * 100, np.int32)), 100),
        (Image.fromarray(np.full((4, 4), 257 * 100, ">u2")), 100),
        (Image.new("LA", (4, 4), (9, 255)), 9),
        (Image.new("LA", (4, 4), (9, 0)), 255),
        (Image.new("PA", (4, 4)), 255),
        (flat(0, 0), 255),
        (flat(0, 255), 0),
        (flat(0, 51), 204),
        (Image.new("RGBa", (4, 4)), 255),
        (Image.new("La", (4, 4)), 255),
        (Image.new("CMYK", (4, 4), (0, 0, 0, 0)), 255),
        (Image.new("CMYK", (4, 4), (0, 0, 0, 255)), 0),
        (Image.new("YCbCr", (4, 4), (50, 128, 128)), 50),
        (Image.new("HSV", (4, 4), (0, 0, 60)), 60),
        (Image.new("RGB", (4, 4), (255, 0, 0)), 76),
        (Image.new("RGB", (4, 4), (0, 255, 0)), 150),
        (Image.new("RGB", (4, 4), (0, 0, 255)), 29),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else str(value),
)
def test_every_mode(image: Image.Image, level: int) -> None:
    np.testing.assert_array_equal(read_image(image, shape=(4, 4)), np.full((4, 4), level))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_keep_order_and_range(format: str) -> None:
    deep = np.linspace(0, 65535, 784).astype(np.uint16).reshape(28, 28)
    gray = read_image(encode(Image.fromarray(deep), format), shape=(28, 28))
    np.testing.assert_array_equal(gray, np.rint(deep / 65535 * 255))


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_files(format: str) -> None:
    data = encode(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), format)
    red = read_image(data, shape=(8, 8, 3)).mean(axis=(0, 1))
    assert red[0] > 200
    assert red[1:].max() < 60


def test_palettes_with_and_without_a_transparent_entry() -> None:
    palette = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("L")
    indexed = palette.copy().convert("P")
    indexed.putdata([0, 1])
    indexed.putpalette([10, 10, 10, 60, 60, 60])
    assert read_image(encode(indexed), shape=(1, 2)).tolist() == [[10, 60]]
    for format in "PNG", "GIF":
        assert read_image(encode(indexed, format, transparency=1), shape=(1, 2)).tolist() == [[10, 255]]
    assert read_image(encode(indexed, transparency=b"\x00\x80"), shape=(1, 2)).tolist() == [[255, 157]]


def test_a_transparent_level_of_a_gray_or_color_image() -> None:
    gray = Image.fromarray(np.array([[10, 60]], np.uint8))
    assert read_image(encode(gray, transparency=60), shape=(1, 2)).tolist() == [[10, 255]]
    deep = Image.fromarray(np.array([[2570, 0]], np.uint16))
    assert read_image(encode(deep, transparency=0), shape=(1, 2)).tolist() == [[10, 255]]
    color = Image.fromarray(np.array([[[1, 2, 3], [0, 0, 0]]], np.uint8))
    assert read_image(encode(color, transparency=(0, 0, 0)), shape=(1, 2, 3))[0, 1].tolist() == [255] * 3


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int, format: str) -> None:
    upright = Image.new("L", (24, 16), 255)
    upright.paste(0, (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    # A camera stores the image turned the other way round.
    undo = {6: TURNS[8], 8: TURNS[6]}.get(orientation, TURNS.get(orientation))
    stored = upright if undo is None else upright.transpose(undo)
    gray = read_image(encode(stored, format, exif=exif), shape=(16, 24))
    assert gray[:6, :6].max() < 40
    assert gray[10:, :].min() > 215
    assert gray[:, 10:].min() > 215
    assert image_shape(encode(stored, format, exif=exif))[:2] == (16, 24)


@pytest.mark.parametrize(
    "block", [b"Exif\x00\x00", b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff", b"Exif\x00\x00junk"]
)
def test_a_damaged_exif_block_does_not_cost_the_image(block: bytes) -> None:
    data = encode(Image.new("L", (28, 28), 90), "JPEG", exif=block)
    assert read_image(data, shape=(28, 28))[5, 5] == 90


def test_an_orientation_that_is_no_number_is_none() -> None:
    text = b"Exif\x00\x00MM\x00*" + struct.pack(">IHHHI4sI", 8, 1, 0x0112, 2, 3, b"up\x00", 0)
    assert read_image(encode(Image.new("L", (28, 28), 90), "JPEG", exif=text), shape=(28, 28))[5, 5] == 90


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation(format: str) -> None:
    frames = [Image.new("RGB", (28, 28), (level, level, level)) for level in (200, 10)]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:])
    assert abs(int(read_image(data, shape=(28, 28))[0, 0]) - 200) <= 2


def test_an_image_given_is_left_as_it_was() -> None:
    image = Image.new("RGBA", (40, 30), (1, 2, 3, 100))
    before = image.tobytes()
    read_image(image, shape=(28, 28), conversion=PRODUCT_PHOTO)
    assert (image.mode, image.tobytes()) == ("RGBA", before)


def test_raw_only_resizes() -> None:
    photo = Image.new("RGB", (280, 280), "white")
    photo.paste((0, 0, 0), (100, 50, 150, 250))
    resized = read_image(photo, shape=(28, 28), conversion=PRODUCT_PHOTO, raw=True)
    np.testing.assert_array_equal(resized, read_image(photo, shape=(28, 28)))
    assert resized[0, 0] == 255
    assert read_image(photo, shape=(28, 28), conversion=PRODUCT_PHOTO)[0, 0] == 0


def test_resizing_averages_and_does_not_skip() -> None:
    checkered = Image.fromarray((np.indices((280, 280)).sum(axis=0) % 2 * 255).astype(np.uint8))
    resized = read_image(checkered, shape=(28, 28))
    assert np.abs(resized.astype(int) - 127).max() <= 3


def test_a_partly_transparent_image_of_the_right_size_is_a_photograph() -> None:
    cut_out = Image.new("RGBA", (28, 28), (0, 0, 0, 0))
    cut_out.paste((40, 40, 40, 255), (10, 4, 18, 24))
    converted = read_image(encode(cut_out), shape=(28, 28), conversion=PRODUCT_PHOTO)
    assert converted[0, 0] == 0
    assert converted[14, 14] == 215


def test_many_threads_at_once() -> None:
    image = Image.fromarray(RNG.integers(0, 256, (60, 60, 3), dtype=np.uint8))
    data = [encode(image, format) for format in ("PNG", "BMP")] * 10
    expected = read_image(image, shape=(28, 28))
    got: list[np.ndarray] = []
    filters = list(warnings.filters)
    threads = [threading.Thread(target=lambda d=d: got.append(read_image(d, shape=(28, 28)))) for d in data]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(data)
    assert all((array == expected).all() for array in got)
    assert list(warnings.filters) == filters


# What can't be read is named, with what came and what to try.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes"),
        (b"Dear diary,\nno boots today.\n", "a text file"),
        ("Stiefel für Mädchen".encode(), "a text file"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"\x1f\x8b\x08....", "a gzip archive"),
        (b"\x00\x00\x00\x18ftypheic", "a HEIC image. Save it as JPEG or PNG"),
        (b"\x00\x00\x00\x18ftypheic", "pip install pillow-heif"),
        (b"\x00\x00\x00\x1cftypavif", "an AVIF image"),
        (b"\x00\x00\x00\x18ftypmp42", "a HEIC, AVIF or video file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"P5 2 2 255 \x00\x01\x02\x03", "none of these formats"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a text file"),
        (b"\x89PNG\r\n\x1a\n", "must be a"),
        (png(0, 5), "must"),
        (png(100_000, 100_000), "decompression bomb"),
        (png(12_000, 10_000), "decompression bomb"),
        (png(5, 5, b"\x00"), "damaged, truncated"),
    ],
)
def test_bad_content_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad boot.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match="bad boot") as raised:
        read_image(path, shape=(28, 28))
    assert message in str(raised.value)
    with pytest.raises(ImageError, match="from stdin"):
        read_image(content, shape=(28, 28), name="from stdin")


def test_a_bomb_is_refused_even_if_pillow_would_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(ImageError, match="decompression bomb"):
        read_image(png(12_000, 10_000), shape=(28, 28))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.5, 0.9])
def test_a_truncated_image_is_refused(format: str, part: float) -> None:
    whole = encode(Image.fromarray(RNG.integers(0, 256, (60, 60, 3), dtype=np.uint8)), format)
    with pytest.raises(ImageError, match="half a boot"):
        read_image(whole[: int(part * len(whole))], shape=(28, 28), name="half a boot")


@given(
    format=st.sampled_from(FORMATS),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_damaged_bytes_give_an_image_or_an_image_error(format: str, flips: list[tuple[float, int]]) -> None:
    data = bytearray(encode(Image.fromarray(NOISE), format))
    for place, change in flips:
        data[int(place * len(data))] ^= change
    try:
        image = read_image(bytes(data), shape=(28, 28))
    except ImageError:
        return
    assert image.shape == (28, 28)


def test_places_without_an_image_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="must name an image; got an empty one"):
        read_image("", shape=(4, 4))
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "nothing.png", shape=(28, 28))
    with pytest.raises(ImageError, match=r"must be an image; got a folder\. Try a file in it\.$") as folder:
        read_image(tmp_path, shape=(28, 28))
    assert "readable" not in str(folder.value)
    with pytest.raises(ImageError, match="must be readable"):
        read_image("a\x00b.png", shape=(28, 28))
    with pytest.raises(ImageError, match="must be readable"):
        read_image(tmp_path / ("x" * 300), shape=(28, 28))
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(ImageError, match="must be readable"):
        read_image(tmp_path / "circle", shape=(28, 28))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="a device, pipe or socket"):
        read_image(tmp_path / "pipe", shape=(28, 28))


def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encode(Image.fromarray(NOISE)))
    path.chmod(0)
    # Permissions do not bind root, so another process gives root up first.
    script = """
import os, sys
from likely.data.images.decode import read_image
from likely.errors import ImageError
if os.geteuid() == 0:
    os.setuid(65534)
try:
    read_image(sys.argv[1], shape=(28, 28))
except ImageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert "permission denied" in done.stdout
    assert "secret.png" in done.stdout


@pytest.mark.parametrize("source", [io.StringIO("text"), 7, None, np.zeros((28, 28), np.uint8)])
def test_other_things_than_images_are_refused(source: Any) -> None:
    with pytest.raises(ImageError, match="must be a path, bytes, a binary file or a Pillow image"):
        read_image(source, shape=(28, 28))


def test_closed_and_write_only_files_are_refused(tmp_path: Path) -> None:
    closed = io.BytesIO(encode(Image.fromarray(NOISE)))
    closed.close()
    with pytest.raises(ImageError, match="can't be read"):
        read_image(closed, shape=(28, 28))


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(np.full((4, 4), 0.5, np.float32)),
        Image.fromarray(np.full((4, 4), -1, np.int32)),
        Image.fromarray(np.full((4, 4), 70_000, np.int32)),
    ],
)
def test_levels_without_an_agreed_range_are_refused(image: Image.Image) -> None:
    with pytest.raises(ImageError, match="levels from 0 to 65535"):
        read_image(image, shape=(4, 4))


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(ImageError, match="must have pixels; got 0 x 5"):
        read_image(Image.new("L", (0, 5)), shape=(4, 4))


@pytest.mark.parametrize("shape", [(28,), (28, 28, 4), (28, 28, 1), (0, 28), ()])
def test_shapes_that_no_image_has(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="shape of an image"):
        read_image(encode(flat(0)), shape=shape)


def test_an_unknown_conversion_is_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'product-photo'"):
        read_image(encode(flat(0)), shape=(28, 28), conversion={"name": "product-foto"})


def test_the_shape_of_an_image_itself() -> None:
    assert image_shape(encode(Image.fromarray(COLOR))) == (6, 4, 3)
    assert image_shape(encode(Image.fromarray(NOISE))) == (28, 28)
    assert image_shape(encode(Image.fromarray(NOISE.astype(np.uint16)))) == (28, 28)
