"""Image files that were changed: bytes of any format, chunks of PNG with checksums that fit."""

import io
import random
import struct
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tests.guarantees.fuzzing import Target
from tests.guarantees.mutations import changed_bytes

from likely.data.images.decode import image_shape, look_at_image, read_image


def picture(mode: str, size: tuple[int, int] = (13, 9)) -> Image.Image:
    """A small image of this mode."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (size[1], size[0], 4), np.uint8)
    if mode in ("I;16", "I", "F"):
        return Image.fromarray(pixels[..., 0].astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]) * 200)
    return Image.fromarray(pixels).convert(mode)


def saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    """The bytes of its file."""
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def seeds(kind: str) -> list[bytes]:
    """A file of each form that the format has here."""
    modes = {
        "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
        "JPEG": ("L", "RGB", "CMYK"),
        "GIF": ("1", "L", "P"),
        "BMP": ("1", "L", "P", "RGB", "RGBA"),
        "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"),
        "WEBP": ("RGB", "RGBA"),
    }
    found = [saved(picture(mode), kind) for mode in modes[kind]]
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [picture("RGB"), picture("L").convert("RGB")]
    more: dict[str, list[dict[str, Any]]] = {
        "PNG": [{"exif": exif}, {"save_all": True, "append_images": frames}, {"icc_profile": b"x" * 200}],
        "JPEG": [{"progressive": True, "exif": exif}, {"subsampling": 0, "optimize": True}],
        "GIF": [{"save_all": True, "append_images": frames}, {"interlace": 1, "transparency": 0}],
        "BMP": [],
        "TIFF": [{"compression": c} for c in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg", "tiff_adobe_deflate")],
        "WEBP": [{"lossless": True}, {"save_all": True, "append_images": frames}, {"exif": exif, "quality": 50}],
    }
    return found + [saved(frames[0], kind, **how) for how in more[kind]]


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Bytes; of a PNG mostly inside of chunks, whose checksums are made anew."""
    if not content.startswith(b"\x89PNG") or rng.random() < 0.3:
        return changed_bytes(content, rng)
    chunks = list(png_chunks(content))
    if not chunks:
        return changed_bytes(content, rng)
    at = rng.randrange(len(chunks))
    kind, data = chunks[at]
    match rng.randrange(8):
        case 0:
            chunks.pop(at)
        case 1:
            chunks.insert(at, chunks[rng.randrange(len(chunks))])
        case 2:
            chunks[at] = rng.choice((b"IDAT", b"tRNS", b"PLTE", b"eXIf", b"iCCP", b"zTXt", b"acTL", b"xxxx")), data
        case 3 if kind == b"IDAT":
            chunks[at] = kind, zlib.compress(changed_bytes(unpacked(data), rng))
        case 4 if kind == b"IHDR":
            width, height = (rng.choice((0, 1, 9, 13, 2**16, 2**24, 2**31 - 1)) for _ in range(2))
            depth = rng.choice((1, 2, 4, 8, 16, 3)), rng.choice((0, 2, 3, 4, 6, 1)), 0, 0, rng.randrange(2)
            chunks[at] = kind, struct.pack(">II5B", width, height, *depth)
        case _:
            chunks[at] = kind, changed_bytes(data, rng)
    return content[:8] + b"".join(map(chunk, chunks))


def unpacked(data: bytes) -> bytes:
    """What a chunk of pixels unpacks to, as far as it does."""
    try:
        return zlib.decompressobj().decompress(data, 2**16)
    except zlib.error:
        return data


def png_chunks(content: bytes) -> Any:
    """The kind and the data of each chunk."""
    at = 8
    while at + 8 <= len(content):
        length = int.from_bytes(content[at : at + 4])
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += 12 + length


def chunk(part: tuple[bytes, bytes]) -> bytes:
    """A chunk with its length and checksum."""
    kind, data = part
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def feed(path: Path) -> None:
    """What training, answering and `likely check` do with it."""
    read_image(path, shape=(8, 8))
    read_image(path, shape=(8, 8, 3), conversion={"name": "photograph", "detail": 2.0})
    image_shape(path)
    look_at_image(path)


IMAGES = [
    Target(kind.lower(), partial(seeds, kind), mutate, feed, f".{kind.lower()}")
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
]
