"""Image files as cameras, scanners and other programs write them."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from likely.data.images import png_chunks
from likely.data.images.decode import image_shape, look_at_image, read_image
from likely.errors import ImageError

RNG = np.random.default_rng(0)
NOISE = Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8))


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def tiff(levels: np.ndarray, bits: int, white_is: int, order: str = "<", kind: int = 1, packed: bool = False) -> bytes:
    """An uncompressed gray TIFF of one strip: its tags, then its rows, each filled up to whole bytes."""
    texts = ["".join(f"{level:0{bits}b}" for level in row) for row in levels.tolist()]
    data = b"".join(int(text + "0" * (-len(text) % 8), 2).to_bytes(-(-len(text) // 8)) for text in texts)
    if bits in (16, 32):
        data = levels.astype(f"{order}u{bits // 8}").tobytes()
    data = zlib.compress(data) if packed else data
    h, w = levels.shape
    tags = {256: w, 257: h, 258: bits, 259: 8 if packed else 1, 262: white_is, 273: 0, 277: 1, 278: h, 279: len(data)}
    tags[339] = kind
    begin = 8 + 2 + 12 * len(tags) + 4
    tags[273] = begin
    body = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items())
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, 8)
    return head + struct.pack(f"{order}H", len(tags)) + body + bytes(4) + data


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12, 16])
def test_white_as_zero_is_the_same_image(bits: int, order: str, packed: bool) -> None:
    most = 2**bits - 1
    levels = np.array([[0, most, most // 3], [most, 0, 0]])
    expected = np.rint(levels / most * 255)
    for white_is, stored in ((1, levels), (0, most - levels)):
        file = tiff(stored, bits, white_is, order, packed=packed)
        if (bits, order) == (12, ">"):  # Pillow knows no such file: refused, and never taken for another
            with pytest.raises(ImageError, match="got a TIFF of a kind that is not read"):
                read_image(file, shape=(2, 3))
        else:
            np.testing.assert_array_equal(read_image(file, shape=(2, 3)), expected)


@pytest.mark.parametrize(("bits", "kind"), [(32, 1), (32, 2), (16, 2)])
def test_levels_whose_white_is_not_known_are_refused(bits: int, kind: int) -> None:
    with pytest.raises(ImageError, match="undefined which levels are black and white"):
        read_image(tiff(np.array([[0, 200]]), bits, 1, kind=kind), shape=(1, 2))


def chunk(kind: bytes, body: bytes, *, damaged: bool = False) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) ^ damaged)


def png(*rows: bytes, width: int = 2, depth: int = 8, color: int = 0, before: bytes = b"", after: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), depth, color, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return png_chunks.SIGNATURE + header + before + pixels + after + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("depth", "row"), [(1, b"\x40"), (2, b"\x30"), (4, b"\x0f"), (8, b"\0\xff"), (16, b"\0\0\xff\xff")]
)
def test_a_transparent_gray_level_of_any_depth_is_white(depth: int, row: bytes) -> None:
    for level, expected in ((0, [[255, 255]]), (2**depth - 1, [[0, 255]])):
        file = png(row, depth=depth, before=chunk(b"tRNS", struct.pack(">H", level)))
        assert read_image(file, shape=(1, 2)).tolist() == expected
        assert not look_at_image(file).opaque


def test_a_transparent_color_of_16_bits_is_white() -> None:
    row = struct.pack(">6H", 0x1234, 2, 3, 0, 0, 0)
    file = png(row, depth=16, color=2, before=chunk(b"tRNS", struct.pack(">3H", 0x1234, 2, 3)))
    assert read_image(file, shape=(1, 2, 3)).tolist() == [[[255] * 3, [0] * 3]]


XMP = b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="3"/>'
LONG = zlib.compress(bytes(3_000_000))


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (chunk(b"zTXt", b"prompt\0\0" + LONG), [5, 100]),
        (chunk(b"iTXt", b"prompt\0\1\0\0\0" + LONG), [5, 100]),
        (chunk(b"iCCP", b"profile\0\0" + LONG), [5, 100]),
        (b"".join(chunk(b"tEXt", b"a\0" + bytes(900_000)) for _ in range(80)), [5, 100]),
        (chunk(b"zTXt", b"prompt\0\0no zlib"), [5, 100]),
        (chunk(b"tEXt", b"a\0b", damaged=True), [5, 100]),
        (chunk(b"eXIf", b"MM\0*", damaged=True), [5, 100]),
        (chunk(b"acTL", b"\0"), [5, 100]),
        (chunk(b"pHYs", b""), [5, 100]),
        (chunk(b"iTXt", XMP), [100, 5]),
        (chunk(b"iTXt", XMP.replace(b"\0\0\0\0\0<", b"\0\1\0\0\0<")), [5, 100]),
        (chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG), [5, 100]),
    ],
    ids=lambda value: f"{value[4:8]!r} {len(value)}" if isinstance(value, bytes) else None,
)
def test_what_lies_beside_the_pixels_of_a_png_costs_no_image(beside: bytes, expected: list[int]) -> None:
    for file in (png(b"\5\x64", before=beside), png(b"\5\x64", after=beside)):
        assert read_image(file, shape=(1, 2)).tolist() == [expected]


def test_what_pixels_need_is_not_answered_when_damaged() -> None:
    with pytest.raises(ImageError, match="a damaged one"):
        read_image(png(b"\5\x64", before=chunk(b"tRNS", b"\0\5", damaged=True)), shape=(1, 2))
    with pytest.raises(ImageError):
        read_image(png_chunks.SIGNATURE, shape=(1, 2))


def test_the_frames_of_an_animated_png_are_counted() -> None:
    frames = [Image.new("L", (2, 1), level) for level in (200, 10, 30)]
    look = look_at_image(encode(frames[0], "PNG", save_all=True, append_images=frames[1:]))
    assert (look.frames, look.image.getpixel((0, 0))) == (3, 200)


def test_the_shape_of_a_png_needs_no_pixels() -> None:
    broken = bytearray(encode(NOISE.crop((0, 0, 64, 30)), "PNG"))
    broken[-100:-20] = bytes(80)
    assert image_shape(bytes(broken)) == (30, 64, 3)
    with pytest.raises(ImageError):
        read_image(bytes(broken), shape=(30, 64, 3))


@pytest.mark.parametrize(("alpha", "expected"), [(0, [[10, 90]]), (255, [[10, 255]])])
@pytest.mark.parametrize("header", [56, 108, 124])
def test_a_bmp_whose_alpha_is_all_zero_is_opaque(header: int, alpha: int, expected: list[list[int]]) -> None:
    pixels = bytes([10, 10, 10, alpha, 90, 90, 90, 0])
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    head = struct.pack("<IiiHHIIiiII", header, 2, 1, 1, 32, 3, len(pixels), 0, 0, 0, 0) + masks
    head += bytes(header - len(head))
    file = b"BM" + struct.pack("<IHHI", 14 + len(head) + len(pixels), 0, 0, 14 + len(head)) + head + pixels
    assert read_image(file, shape=(1, 2)).tolist() == expected


def zeros_after(part: float, file: bytes) -> bytes:
    begin = int(part * len(file))
    return file[:begin] + bytes(len(file) - begin)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_rows": 1}], ids=str
)
def test_a_jpeg_without_its_end_is_refused(options: dict[str, Any]) -> None:
    thumbnail = encode(NOISE.resize((8, 8)), "JPEG")
    whole = encode(NOISE, "JPEG", exif=b"Exif\0\0" + thumbnail, **options)  # it has an end of its own
    expected = read_image(whole, shape=(64, 64))
    np.testing.assert_array_equal(read_image(whole + bytes(5000), shape=(64, 64)), expected)
    for damaged in (whole[:-2], zeros_after(0.4, whole), zeros_after(0.9, whole)):
        with pytest.raises(ImageError, match="damaged, truncated"):
            read_image(damaged, shape=(64, 64))


def test_a_webp_that_ends_in_zeros_is_refused() -> None:
    whole = encode(NOISE, "WEBP", exif=b"Exif\0\0" + bytes(200))
    assert read_image(whole, shape=(64, 64)).std() > 10
    with pytest.raises(ImageError, match="its end is missing, or overwritten by zeros"):
        read_image(zeros_after(0.4, whole), shape=(64, 64))


def test_damage_is_refused_whatever_other_libraries_set_in_pillow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for format in ("PNG", "JPEG", "GIF", "BMP", "TIFF"):
        file = tmp_path / f"half.{format}"
        whole = encode(NOISE, format)
        file.write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(ImageError, match=file.name):
            read_image(file, shape=(8, 8))
    with Image.open(tmp_path / "half.BMP") as lazy, pytest.raises(ImageError):
        read_image(lazy, shape=(8, 8))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


@pytest.mark.parametrize("quality", [{}, {"lossless": True}], ids=str)
def test_gray_palettes_animations_and_inks(quality: dict[str, Any]) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    for format in ("GIF", "WEBP"):
        more = quality if format == "WEBP" else {}
        file = encode(frames[0], format, save_all=True, append_images=frames[1:], **more)
        color = read_image(file, shape=(8, 8, 3))[0, 0].astype(int)
        assert np.abs(color - [255, 0, 0]).max() < 6
    adobe = encode(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    assert b"Adobe" in adobe  # written with its inks inverted, as Photoshop does
    assert np.abs(read_image(adobe, shape=(8, 8, 3))[0, 0].astype(int) - [255, 0, 0]).max() < 12
