"""Large images are resized with little memory, to the levels that Pillow gives of the whole."""

import numpy as np
import pytest
from PIL import Image
from tests.guarantees.fuzzing import peak, reset_peak

from likely.preprocessing import resize as resizing
from likely.preprocessing.conversion import ResizeAndCrop
from likely.preprocessing.resize import resize

SMOOTH = np.add.outer(np.arange(300), np.arange(200)).astype(np.float64) / 2
COLORS = Image.fromarray(np.stack([SMOOTH, SMOOTH[::-1], SMOOTH[:, ::-1]], axis=2).astype(np.uint8))
BICUBIC = Image.Resampling.BICUBIC


@pytest.mark.parametrize(("size", "exact"), [((30, 20), True), ((30, 900), False), ((120, 100), False)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_parts_of_an_image_give_the_whole(
    size: tuple[int, int], exact: bool, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = -3, 2, size[0] - 4, size[1] + 5
    whole = np.asarray(COLORS.convert(mode).resize(size, BICUBIC).crop(window)).astype(int)
    monkeypatch.setattr(resizing, "MOST_PIXELS", 10_000)
    monkeypatch.setattr(resizing, "_AT_ONCE", 1_000)
    found = np.asarray(resize(COLORS, size, mode, BICUBIC, window)).astype(int)
    assert found.shape == whole.shape
    assert abs(found - whole).max() <= (0 if exact else 1)


@pytest.mark.parametrize("size", [(60_000, 70), (70, 60_000)])
def test_of_a_long_image_only_the_middle_is_computed(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, "white")
    before = reset_peak()
    found = ResizeAndCrop(edge=2048)(image, (224, 224, 3))
    assert peak() - before < 40e6  # all of it would be 14 GB
    assert found.shape == (224, 224, 3)
    assert found.min() == 255
