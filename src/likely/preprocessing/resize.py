"""Images made smaller or larger to the levels that Pillow gives, with a few megabytes beside those of the image."""

from collections.abc import Generator

from PIL import Image

MOST_PIXELS = 4_000_000
"""That stand between the first step and the last."""
_AT_ONCE = 500_000


def strips(image: Image.Image) -> Generator[tuple[int, Image.Image]]:
    """Some rows at a time, of which a few copies take no memory, and where they begin."""
    height = max(1, _AT_ONCE // max(1, image.width))
    for top in range(0, image.height, height):
        yield top, image.crop((0, top, image.width, min(image.height, top + height)))


def resize(
    image: Image.Image,
    size: tuple[int, int],
    mode: str,
    resampling: Image.Resampling,
    window: tuple[int, int, int, int] | None = None,
) -> Image.Image:
    """`image.convert(mode).resize(size, resampling).crop(window)`, without a whole copy of a large image.

    Levels are the same where at most `MOST_PIXELS` stand between image and result; of more only those of the window are
    computed, a few rows at a time, and some of its levels differ a little.
    """
    window = window or (0, 0, *size)
    if size[0] * max(size[1], image.height) > MOST_PIXELS:
        return _in_bands(image, size, resampling, window).convert(mode)
    if image.width * image.height > MOST_PIXELS:
        # Pillow resizes each row, then each column, and rounds in between.
        between = Image.new(mode, (size[0], image.height))
        for top, part in strips(image):
            between.paste(part.convert(mode).resize((size[0], part.height), resampling), (0, top))
    else:
        between = image if image.mode == mode else image.convert(mode)
    return between.resize(size, resampling).crop(window)


def _in_bands(
    image: Image.Image, size: tuple[int, int], resampling: Image.Resampling, window: tuple[int, int, int, int]
) -> Image.Image:
    """The window, black where it lies outside of the resized image."""
    result = Image.new(image.mode, (window[2] - window[0], window[3] - window[1]))
    left, top, right, bottom = max(window[0], 0), max(window[1], 0), min(window[2], size[0]), min(window[3], size[1])
    across, down = image.width / size[0], image.height / size[1]
    height = max(1, int(MOST_PIXELS / (right - left) / max(1.0, down)))
    for start in range(top, bottom, height):
        end = min(bottom, start + height)
        box = left * across, start * down, min(right * across, image.width), min(end * down, image.height)
        part = image.resize((right - left, end - start), resampling, box)
        result.paste(part, (left - window[0], start - window[1]))
    return result
