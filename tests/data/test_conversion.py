import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from likely.data.images.decode import read_image
from likely.data.images.idx import read_idx
from likely.errors import ConfigError, ShapeError
from likely.preprocessing.conversion import CONVERSIONS, PHOTOGRAPH, PRODUCT_PHOTO, create_conversion

UNSHARPENED = {**PRODUCT_PHOTO, "sharpen_radius": 0}


def boot(
    size: tuple[int, int] = (900, 700), at: tuple[int, int] = (500, 90), mode: str = "RGB", background: Any = "white"
) -> Image.Image:
    """A drawn boot, 320 wide and 480 high: a leg, a foot pointing left, a darker sole."""
    image = Image.new(mode, size, background)
    draw = ImageDraw.Draw(image)
    left, top = at
    draw.rectangle((left + 160, top, left + 319, top + 330), fill=(120, 70, 30))
    draw.ellipse((left, top + 270, left + 319, top + 460), fill=(120, 70, 30))
    draw.rectangle((left, top + 440, left + 319, top + 479), fill=(20, 20, 20))
    return image


def jpeg(image: Image.Image, quality: int = 85) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def box(image: np.ndarray, above: int = 12) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero((image > above).any(axis=1)), np.flatnonzero((image > above).any(axis=0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def convert(source: Any, **numbers: Any) -> np.ndarray:
    return read_image(source, shape=(28, 28), conversion={**PRODUCT_PHOTO, **numbers})


@pytest.mark.parametrize("at", [(500, 90), (10, 10), (300, 200)])
@pytest.mark.parametrize("quality", [60, 95])
def test_a_photo_on_white_becomes_an_image_like_those_of_the_set(at: tuple[int, int], quality: int) -> None:
    image = convert(jpeg(boot(at=at), quality))
    top, bottom, left, right = box(image)
    assert (top, bottom) == (0, 27)
    assert right - left + 1 == pytest.approx(28 * 320 / 480, abs=1.01)
    assert abs((left + right) - 27) <= 1
    assert image[:, : left - 1].max() == 0
    assert image[:, right + 2 :].max() == 0
    # The sole is darker than the leather, so it is brighter here; the leg stands on the right.
    assert image[26, 14] > image[6, right - 3] > 100
    assert image[3, left + 2] <= 3


def test_where_the_subject_lies_does_not_matter() -> None:
    here, there = convert(boot(at=(500, 90))), convert(boot(size=(1300, 1100), at=(40, 600)))
    assert np.abs(here.astype(int) - there).mean() < 2


@pytest.mark.parametrize("factor", [0.25, 2.0, 5.0])
def test_the_size_of_the_photo_hardly_matters(factor: float) -> None:
    photo = boot()
    scaled = photo.resize((round(900 * factor), round(700 * factor)), Image.Resampling.LANCZOS)
    difference = np.abs(convert(photo).astype(int) - convert(scaled))
    assert difference.mean() < 6


def test_transparent_counts_as_white() -> None:
    cut_out = boot(mode="RGBA", background=(0, 0, 0, 0))
    np.testing.assert_array_equal(convert(cut_out), convert(boot()))


@pytest.mark.parametrize("background", ["#fdfdfd", "#e8e8e8", "#f0ead6", "#c8d8ff"])
def test_a_light_background_becomes_zero_exactly(background: str) -> None:
    image = convert(boot(background=background))
    assert np.abs(image.astype(int) - convert(boot())).mean() < 16
    assert image[:, :4].max() == 0


def test_a_dark_background_is_not_negated() -> None:
    negative = Image.eval(boot(), lambda level: 255 - level)
    difference = np.abs(convert(negative).astype(int) - convert(boot()))
    assert difference.max() <= 2


def test_a_wide_subject_is_centered_the_other_way() -> None:
    image = convert(boot().rotate(90, expand=True, fillcolor="white"))
    top, bottom, left, right = box(image)
    assert (left, right) == (0, 27)
    assert abs((top + bottom) - 27) <= 1


def test_one_covered_corner_is_outvoted() -> None:
    photo = boot(at=(300, 100))
    covered = photo.copy()
    # As if a part of another thing reached into the corner, though only by one pixel.
    covered.putpixel((0, 0), (0, 0, 0))
    assert convert(covered)[0, 0] <= 60
    assert convert(covered).max() > 150


@pytest.mark.parametrize("color", ["white", "black", "#888888", "#ff0000"])
@pytest.mark.parametrize("size", [(1, 1), (300, 200), (28, 29)])
def test_a_photo_of_nothing_is_black(color: str, size: tuple[int, int]) -> None:
    assert convert(Image.new("RGB", size, color)).max() == 0


@settings(max_examples=30)
@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 99),
)
def test_every_size_gives_the_shape_asked_for(width: int, height: int, shape: tuple[int, int], seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = create_conversion(PRODUCT_PHOTO)(Image.fromarray(noise), shape)
    assert image.shape == shape
    assert image.dtype == np.uint8


@pytest.fixture(scope="module")
def real(fashion_folder: Path) -> np.ndarray:
    return read_idx(fashion_folder / "t10k-images-idx3-ubyte.gz")[:200]


def as_photo(image: np.ndarray, resample: Image.Resampling) -> Image.Image:
    """An image of the set made ten times as large, negated, off-center on a white page."""
    page = Image.new("RGB", (430, 390), "white")
    page.paste(Image.fromarray(255 - image).resize((280, 280), resample), (90, 40))
    return page


def test_real_images_come_back_from_enlarged_negatives(real: np.ndarray) -> None:
    back = np.stack([convert(as_photo(p, Image.Resampling.NEAREST), sharpen_radius=0) for p in real])
    difference = np.abs(back.astype(int) - real).mean(axis=(1, 2))
    # Most come back bit for bit. In the rest a faint edge was trimmed and the scale is another one.
    assert np.median(difference) == 0
    assert difference.mean() < 3


def test_real_images_come_back_about_as_sharp_as_they_were(real: np.ndarray) -> None:
    back = np.stack([convert(as_photo(p, Image.Resampling.BICUBIC)) for p in real])
    assert np.abs(back.astype(int) - real).mean() < 16
    sharpness = [np.abs(np.diff(p.astype(int), axis=2)).mean() for p in (back, real)]
    assert sharpness[0] == pytest.approx(sharpness[1], rel=0.1)


def test_sharpening_keeps_flat_areas_and_steepens_edges() -> None:
    photo = boot()
    sharp, soft = convert(photo), convert(photo, sharpen_radius=0)
    assert sharp[6, 16] == soft[6, 16]
    assert np.abs(np.diff(sharp.astype(int), axis=1)).mean() > np.abs(np.diff(soft.astype(int), axis=1)).mean()


def test_the_numbers_are_kept_as_plain_values() -> None:
    assert PRODUCT_PHOTO == {
        "name": "product-photo",
        "trim_tolerance": 0.05,
        "sharpen_radius": 1,
        "sharpen_sigma": 1.0,
    }
    assert set(CONVERSIONS) == {"product-photo", "photograph", "resize-and-crop"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "got None"),
        ({"name": "os.system"}, "conversion must exist"),
        ({"name": ["product-photo"]}, "conversion must exist"),
        ({"name": "product-photo", "trim_tolerence": 0.1}, "Did you mean 'trim_tolerance'"),
        ({"name": "product-photo", "trim_tolerance": 2.0}, "from 0.0 to 1.0; got 2.0"),
        ({"name": "product-photo", "trim_tolerance": float("nan")}, "trim_tolerance must be"),
        ({"name": "product-photo", "trim_tolerance": "0.1"}, "trim_tolerance must be"),
        ({"name": "product-photo", "sharpen_radius": 1.5}, "must be a whole number"),
        ({"name": "product-photo", "sharpen_radius": True}, "must be a whole number"),
        ({"name": "product-photo", "sharpen_radius": 10**9}, "from 0 to 8"),
        ({"name": "product-photo", "sharpen_sigma": 0.0}, "sharpen_sigma must be"),
    ],
)
def test_settings_outside_the_closed_list_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_conversion(settings)


def test_color_is_not_what_it_makes() -> None:
    with pytest.raises(ShapeError, match="gray images"):
        read_image(boot(), shape=(28, 28, 3), conversion=PRODUCT_PHOTO)


def test_large_jpegs_are_reduced_while_they_are_decoded_and_nothing_else() -> None:
    def content(image: Image.Image, kind: str) -> bytes:
        file = io.BytesIO()
        image.save(file, kind, quality=92)
        return file.getvalue()

    large = boot((2000, 1500), (800, 500))
    shape = (96, 96, 3)
    reduced = read_image(content(large, "JPEG"), shape=shape, conversion=PHOTOGRAPH).astype(int)
    whole = read_image(content(large, "JPEG"), shape=shape).astype(int)
    assert 0 < np.abs(reduced - whole).mean() < 1
    for other in (content(large, "PNG"), content(large.resize((300, 220)), "JPEG"), large):
        assert np.array_equal(read_image(other, shape=shape, conversion=PHOTOGRAPH), read_image(other, shape=shape))
    exact = {**PHOTOGRAPH, "detail": 0}
    assert np.array_equal(read_image(content(large, "JPEG"), shape=shape, conversion=exact), whole)
