"""Colors of other spaces become those of sRGB, through every format and mode; sRGB stays as it is."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from likely.data.images.decode import image_shape, read_image

ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
"""XYZ of red, green and blue under D50."""


def fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(65536 * number) for number in numbers))


def profile(space: bytes, pcs: bytes, kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile, version 2."""
    body, table, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">2I", start + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"test", 0x02400000, kind, space, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def three_colors(primaries: tuple[tuple[float, ...], ...], gamma: float) -> bytes:
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * gamma))
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79)}
    tags |= {b"cprt": b"text" + bytes(4) + b"none\0", b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249)}
    tags |= {c + b"XYZ": b"XYZ " + bytes(4) + fixed(*xyz) for c, xyz in zip((b"r", b"g", b"b"), primaries, strict=True)}
    return profile(b"RGB ", b"XYZ ", b"mntr", tags | {c + b"TRC": curve for c in (b"r", b"g", b"b")})


def inks() -> bytes:
    """Cyan as it is printed, which is far from (0, 255, 255); black where there is black."""
    identity = bytes(range(256))
    corners = b"".join(
        bytes([round(2.55 * L), a + 128, b + 128])
        for i in range(16)
        for c, k in [(i >> 3 & 1, i & 1)]
        for L, a, b in [(0, 0, 0) if k else (55, -37, -50) if c else (100, 0, 0)]
    )
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += 4 * identity + corners + 3 * identity
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"inks\0" + bytes(79)}
    return profile(b"CMYK", b"Lab ", b"prtr", tags | {b"A2B0": table, b"A2B1": table})


def expected(levels: np.ndarray) -> np.ndarray:
    """Adobe RGB as sRGB, by the formulas of both."""
    linear = (levels / 255) ** (563 / 256) @ np.array(ADOBE) @ np.linalg.inv(np.array(SRGB))
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


COLORS = (
    np.array([[[200, 100, 50], [60, 120, 200], [128, 128, 128], [90, 160, 90]]], np.uint8).repeat(8, 0).repeat(4, 1)
)


def stored(image: Image.Image, how: str, icc: bytes | None, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, how, **({} if icc is None else {"icc_profile": icc}), **options)
    return file.getvalue()


@pytest.mark.parametrize("how", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_adobe_rgb_becomes_srgb(how: str) -> None:
    options = {"lossless": True} if how == "WEBP" else {"quality": 100, "subsampling": 0} if how == "JPEG" else {}
    data = stored(Image.fromarray(COLORS), how, three_colors(ADOBE, 563 / 256), **options)
    found = read_image(data, shape=COLORS.shape)
    np.testing.assert_allclose(found, expected(COLORS), atol=5 if how == "JPEG" else 2)
    assert np.abs(found.astype(int) - COLORS).max() > 10
    assert image_shape(data) == COLORS.shape
    gray = read_image(data, shape=COLORS.shape[:2])
    np.testing.assert_allclose(gray, expected(COLORS) @ [0.299, 0.587, 0.114], atol=5)


def test_transparency_and_palettes_are_changed_too() -> None:
    icc, alpha = three_colors(ADOBE, 563 / 256), np.full((8, 16, 1), 255, np.uint8)
    alpha[4:] = 0
    found = read_image(stored(Image.fromarray(np.concatenate([COLORS, alpha], 2)), "PNG", icc), shape=COLORS.shape)
    np.testing.assert_allclose(found[:4], expected(COLORS)[:4], atol=2)
    assert (found[4:] == 255).all()
    palette = Image.fromarray(COLORS).convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    found = read_image(stored(palette, "PNG", icc), shape=COLORS.shape)
    np.testing.assert_allclose(found, expected(np.asarray(palette.convert("RGB"))), atol=2)


def test_an_image_in_memory_is_left_as_it_is() -> None:
    image = Image.fromarray(COLORS)
    image.info["icc_profile"] = three_colors(ADOBE, 563 / 256)
    np.testing.assert_allclose(read_image(image, shape=COLORS.shape), expected(COLORS), atol=2)
    np.testing.assert_array_equal(np.asarray(image), COLORS)


@pytest.mark.parametrize(
    "icc",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        b"no profile",
        three_colors(ADOBE, 563 / 256)[:200],
        inks(),
        b"",
    ],
    ids=["sRGB", "damaged", "cut", "of inks", "empty"],
)
def test_srgb_and_damaged_profiles_change_no_level(icc: bytes) -> None:
    for how in ("PNG", "TIFF"):
        found = read_image(stored(Image.fromarray(COLORS), how, icc or None), shape=COLORS.shape)
        np.testing.assert_array_equal(found, COLORS)


def test_inks_have_the_colors_of_their_profile() -> None:
    cmyk = np.zeros((4, 12, 4), np.uint8)
    cmyk[:, 4:8, 0], cmyk[:, 8:, 3] = 255, 255
    image = Image.frombytes("CMYK", (12, 4), cmyk.tobytes())
    plain = read_image(stored(image, "TIFF", None), shape=(4, 12, 3))
    found = read_image(stored(image, "TIFF", inks()), shape=(4, 12, 3))
    assert plain[0, [0, 4, 8]].tolist() == [[255, 255, 255], [0, 255, 255], [0, 0, 0]]
    assert found[0, 0].min() > 250
    assert found[0, 8].max() < 5
    assert 120 < found[0, 4, 1] < 200


def test_gray_stays_gray() -> None:
    gray = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    data = stored(gray, "PNG", three_colors(ADOBE, 563 / 256))
    np.testing.assert_array_equal(read_image(data, shape=(8, 8)), np.asarray(gray))
