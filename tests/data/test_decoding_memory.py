"""What images may take while they are decoded: refused before a byte of their pixels is, or made smaller on the way."""

import io
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likely.data.images import decoding_memory
from likely.data.images.decode import look_at_image, read_image
from likely.data.images.decoding_memory import room_for
from likely.errors import ImageError


def png(width: int, height: int, color: int) -> bytes:
    """The head of a PNG with so many pixels, and some of them."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height", "color", "said"),
    [
        (89_000_000, 1, 0, "65,535 pixels"),
        (1, 70_000, 0, "65,535 pixels"),
        (30_000, 20, 0, "1,000 times"),
        (9_000, 9_000, 2, "about 324 MB"),
        (7_000, 7_000, 6, "about 392 MB"),
    ],
)
def test_what_takes_too_much_is_refused(width: int, height: int, color: int, said: str) -> None:
    for read in (look_at_image, lambda source, name: read_image(source, shape=(28, 28), name=name)):
        with pytest.raises(ImageError, match=r"big\.png") as refused:
            read(png(width, height, color), name="big.png")
        assert said in str(refused.value)


def test_a_large_jpeg_is_made_smaller_while_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.add.outer(np.arange(600), np.arange(800)).astype(np.float64) * 255 / 1400
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).convert("RGB").save(file, "JPEG")
    whole = read_image(file, shape=(30, 40, 3))
    assert look_at_image(file).image.size == (800, 600)
    monkeypatch.setattr(decoding_memory, "MOST_BYTES", len(file.getvalue()) + 130_000)
    assert look_at_image(file).image.size == (200, 150)
    assert abs(read_image(file, shape=(30, 40, 3)).astype(int) - whole).max() <= 2


def test_images_that_are_decoded_at_once_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.new("RGB", (100, 100))  # 40,000 bytes
    monkeypatch.setattr(decoding_memory, "MOST_AT_ONCE", 100_000)
    inside, most, lock = [0], [0], threading.Lock()
    both = threading.Barrier(2, timeout=30)

    def decode() -> None:
        with room_for(image, "x", turned=False):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            both.wait()  # two at a time there are, and never three
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=decode) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [2]


@pytest.mark.parametrize("kind", ["turned", "transparent"])
def test_the_peak_of_a_large_image(kind: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    mode, name = ("RGB", "x.jpg") if kind == "turned" else ("RGBA", "x.png")
    Image.new(mode, (5_800, 5_800)).save(tmp_path / name, exif=exif if kind == "turned" else None, compress_level=1)
    code = (
        "import resource, sys\n"
        "from PIL import Image\n"
        "from likely.data.images.decode import read_image\n"
        "read_image(Image.new('RGB', (9, 9)), shape=(8, 8))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "read_image(sys.argv[1], shape=(224, 224, 3))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(ran.stdout) * unit < 300e6


def test_a_large_plain_webp_is_whole() -> None:
    file = io.BytesIO()
    Image.new("RGB", (1500, 1500), "white").save(file, "WEBP")
    assert read_image(file, shape=(2, 2)).min() >= 254
