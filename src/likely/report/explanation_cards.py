"""Explanations on a page: images with what carries the answer, bars of columns, each under its sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from PIL import Image

from likely.explain.drawing import PIXELATED, levels
from likely.explain.explanation import Explanation, ImageExplanation, RowExplanation
from likely.report.examples import png_uri

_SIDE = 224
"""Longest edge in pixels of a stored image."""
_COLORS = 96
_MOST_BARS = 10


@dataclass(frozen=True)
class ColumnBar:
    """The contribution of one column; `width` is in percent of half the card."""

    text: str
    said: str
    width: str
    raises: bool


@dataclass(frozen=True)
class ExplanationCard:
    """One explanation, with what it is called and where its picture lies, if it does."""

    name: str
    sentence: str
    image: str = ""
    overlay: str = ""
    pixelated: bool = False
    low: str = ""
    high: str = ""
    question: str = ""
    bars: Sequence[ColumnBar] = ()
    more: int = 0


def explanation_card(name: str, found: Explanation) -> ExplanationCard:
    """What a page shows of an explanation."""
    unit = "" if found.event is None else " points"
    if isinstance(found, ImageExplanation):
        largest = found.largest
        return ExplanationCard(
            name,
            found.sentence,
            _uri(levels(found.pixels)),
            _uri(found.overlay(_SIDE)),
            max(found.pixels.shape[:2]) <= PIXELATED,
            f"{-largest:+.3g}{unit}",
            f"{largest:+.3g}{unit}",
            found.name,
        )
    assert isinstance(found, RowExplanation)
    values = dict(zip(found.columns, found.values, strict=True))
    bars = list(found.by_column.items())
    largest = max(abs(bars[0][1]), found.least)
    return ExplanationCard(
        name,
        found.sentence,
        question=found.name,
        bars=[
            ColumnBar(
                f"{column} = {values[column]}",
                f"{round(value, 1) + 0.0:+.1f}{unit}" if unit else f"{value:+.3g}",
                f"{100 * abs(value) / largest:.1f}",
                value > 0,
            )
            for column, value in bars[:_MOST_BARS]
        ],
        more=max(0, len(bars) - _MOST_BARS),
    )


def _uri(image: Image.Image) -> Markup:
    if max(image.size) > PIXELATED:
        image.thumbnail((_SIDE, _SIDE))
        image = image.quantize(_COLORS, Image.Quantize.FASTOCTREE)
    return png_uri(image)
