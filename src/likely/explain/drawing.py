"""Explanations as pictures, drawn by Pillow: legible on paper, on a screen, and on a phone 360 pixels wide."""

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

RAISES, LOWERS = (196, 78, 0), (24, 92, 190)
"""Orange and blue differ for people who see few colors, too."""

PIXELATED = 48
"""Images up to this size are enlarged with hard pixels."""

_WIDTH, _EDGE, _SIDE, _TEXT, _SMALL = 720, 24, 324, 23, 20
_INK, _SOFT, _GROUND = (27, 30, 35), (89, 97, 108), (255, 255, 255)
_STRONGEST = 0.85
"""The opacity of the largest contribution."""
_MOST_BARS = 10


def png(image: Image.Image) -> bytes:
    """The bytes of a PNG file."""
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def levels(image: np.ndarray) -> Image.Image:
    """An image as the model reads it, for people; floating-point numbers each in the range of their own image."""
    if image.dtype != np.uint8:
        low, width = image.min(), np.ptp(image) or 1.0
        image = ((image - low) / width * 255).round().astype(np.uint8)
    return Image.fromarray(image)


def enlarged(image: Image.Image, side: int = _SIDE) -> Image.Image:
    """The image with its longer side so many pixels long; small ones with hard pixels."""
    scale = side / max(image.size)
    size = tuple(max(1, round(length * scale)) for length in image.size)
    hard = max(image.size) <= PIXELATED
    return image.resize(size, Image.Resampling.NEAREST if hard else Image.Resampling.LANCZOS)  # pyright: ignore[reportArgumentType]


def overlay(image: np.ndarray, strengths: np.ndarray, part: np.ndarray, side: int = _SIDE) -> Image.Image:
    """The image in gray, half as strong, under orange (raises) and blue (lowers), with the part outlined.

    Args:
        image: shape (h, w) or (h, w, 3).
        strengths, part: shape (h, w): numbers from -1 to 1, and booleans.
        side: the longer side of what is drawn, in pixels.
    """
    ground = enlarged(levels(image).convert("L"), side)
    gray = 0.55 * np.asarray(ground, np.float32)[..., None] + 0.45 * 255
    strength = _at_size(strengths, ground.size)
    color = np.where(strength[..., None] > 0, RAISES, LOWERS).astype(np.float32)
    opacity = _STRONGEST * np.clip(np.abs(strength), 0, 1)[..., None]
    made = Image.fromarray(np.round(gray + opacity * (color - gray)).astype(np.uint8))
    if part.any():
        mask = Image.fromarray(part.astype(np.uint8) * 255).resize(ground.size, Image.Resampling.NEAREST)
        for width, ink in ((9, _GROUND), (5, _INK)):  # dark within light: seen on any ground
            made.paste(ink, (0, 0), _outline(mask, width))
    return made


def beside(image: np.ndarray, over: Image.Image, largest: float, sentence: str, name: str, unit: str) -> Image.Image:
    """The image and its overlay side by side, under a sentence and above a legend."""
    shown = enlarged(levels(image).convert("RGB"))
    text = _wrapped(sentence, _TEXT)
    top = _EDGE + len(text) * 31 + 16
    page = Image.new("RGB", (_WIDTH, top + over.height + 128), _GROUND)
    draw = ImageDraw.Draw(page)
    _say(draw, text)
    for left, each in ((_EDGE, shown), (_WIDTH - _EDGE - _SIDE, over)):
        page.paste(each, (left + (_SIDE - each.width) // 2, top))
        draw.rectangle(
            [left + (_SIDE - each.width) // 2 - 1, top - 1, left + (_SIDE + each.width) // 2, top + each.height],
            outline=_SOFT,
        )
    _legend(draw, page, top + over.height + 24, largest, name, unit)
    return page


def bars(rows: Sequence[tuple[str, float]], least: float, name: str, sentence: str, unit: str) -> Image.Image:
    """A bar for each row of text and number, at most ten; to the right what raises, to the left what lowers."""
    shown, rest = rows[:_MOST_BARS], len(rows) - _MOST_BARS
    text = _wrapped(sentence, _TEXT)
    top = _EDGE + len(text) * 31 + 24
    page = Image.new("RGB", (_WIDTH, top + 66 * len(shown) + (40 if rest > 0 else 0) + 52), _GROUND)
    draw = ImageDraw.Draw(page)
    _say(draw, text)
    largest = max([abs(value) for _, value in shown] + [least])
    middle, reach = _WIDTH / 2, _WIDTH / 2 - 110
    for i, (what, value) in enumerate(shown):
        y = top + 66 * i
        _write(draw, (_EDGE, y), _shortened(what, _SMALL))
        end = middle + reach * value / largest
        color = RAISES if value > 0 else LOWERS
        draw.rectangle([min(middle, end), y + 29, max(middle, end) + 1, y + 49], fill=color)
        said = f"{round(value, 1) + 0.0:+.1f}" if unit else f"{value:+.3g}"
        at = end + 8 if value >= 0 else end - 8
        _write(draw, (at, y + 39), said, "lm" if value >= 0 else "rm")
    draw.line([middle, top + 22, middle, top + 66 * len(shown) - 10], fill=_SOFT)
    y = top + 66 * len(shown)
    if rest > 0:
        _write(draw, (_EDGE, y), f"and {rest:,} columns with less", ink=_SOFT)
        y += 40
    legend = f"orange raises, blue lowers {name}{', in points' if unit else ''}"
    _write(draw, (_EDGE, y), _shortened(legend, _SMALL), ink=_SOFT)
    return page


def fields(values: np.ndarray, side: int) -> np.ndarray:
    """Means over a grid of at most side x side fields of equal size.

    Example:
        >>> fields(np.arange(16.0).reshape(4, 4), 2)
        array([[ 2.5,  4.5],
               [10.5, 12.5]])
    """
    rows, columns = (np.array_split(np.arange(length), min(length, side)) for length in values.shape)
    return np.array([[values[np.ix_(r, c)].mean() for c in columns] for r in rows])


def _legend(draw: ImageDraw.ImageDraw, page: Image.Image, top: int, largest: float, name: str, unit: str) -> None:
    """A scale from the strongest blue to the strongest orange, with what they mean."""
    width = _WIDTH - 2 * _EDGE
    strength = np.linspace(-1, 1, width)[:, None]
    opacity = _STRONGEST * np.abs(strength)
    colors = np.where(strength > 0, RAISES, LOWERS) * opacity + np.array([225, 225, 225]) * (1 - opacity)
    strip = np.repeat(np.round(colors).astype(np.uint8)[None], 22, axis=0)
    page.paste(Image.fromarray(strip), (_EDGE, top))
    for x, value, anchor in ((0, -largest, "lt"), (0.5, 0.0, "mt"), (1, largest, "rt")):
        said = f"{value:+.3g} {unit}".rstrip() if value else "0"
        _write(draw, (_EDGE + x * width, top + 28), said, anchor)
    for x, words, anchor in ((0, "lowers", "lt"), (1, "raises", "rt")):
        said = _shortened(f"what is here {words} {name}", _SMALL, width // 2 - 8)
        _write(draw, (_EDGE + x * width, top + 56), said, anchor, ink=_SOFT)


def _at_size(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Numbers (h, w) between -1 and 1 at the size of a picture, smoothly."""
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))


def _outline(mask: Image.Image, width: int) -> Image.Image:
    """A line of this odd width along the edge of the mask: where a square around a pixel holds both sides."""
    framed = Image.new("L", (mask.width + 2 * width, mask.height + 2 * width))
    framed.paste(mask, (width, width))
    mixed = np.asarray(framed.filter(ImageFilter.BoxBlur(width // 2)))[width:-width, width:-width]
    return Image.fromarray(((mixed > 0) & (mixed < 255)).astype(np.uint8) * 255)


def _say(draw: ImageDraw.ImageDraw, lines: Sequence[str]) -> None:
    """The sentence on top."""
    text = "\n".join(lines)
    draw.multiline_text((_EDGE, _EDGE), text, fill=_INK, font=font_for(_TEXT, text), spacing=8)


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    anchor: str = "la",
    *,
    ink: tuple[int, int, int] = _INK,
) -> None:
    """Small text on one line; the anchor is the point of it that lies there."""
    draw.text(at, text, fill=ink, font=font_for(_SMALL, text), anchor=anchor)


def font_for(size: int, text: str = "") -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font; for letters that it lacks, such as umlauts, Greek and Cyrillic ones, that of matplotlib."""
    plain = ImageFont.load_default(size)
    found = find_spec("matplotlib")
    if found is None or not found.submodule_search_locations or not lacks(plain, text):
        return plain
    path = Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(path, size - 2) if path.exists() else plain  # its letters are larger


def lacks(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> bool:
    """Whether a letter of the text is drawn as what no letter is drawn as."""
    nothing = _drawn(font, "\uffff")
    return any(_drawn(font, letter) == nothing for letter in set(text) if not letter.isspace())


def _drawn(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, letter: str) -> tuple[Any, bytes]:
    mask: Any = font.getmask(letter)
    return mask.size, bytes(mask)


def _wrapped(text: str, size: int) -> list[str]:
    """The text in lines that fit the page."""
    font, lines = font_for(size, text), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and font.getlength(longer) > _WIDTH - 2 * _EDGE:
            lines.append(_shortened(word, size))
        else:
            lines[-1] = _shortened(longer, size)
    return lines


def _shortened(text: str, size: int, width: int = _WIDTH - 2 * _EDGE) -> str:
    """The text on one line of at most so many pixels."""
    font = font_for(size, text)
    while font.getlength(text) > width and len(text) > 2:
        text = f"{text[:-2].rstrip('…')}…"
    return text
