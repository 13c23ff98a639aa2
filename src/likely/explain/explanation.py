"""Why a model answered as it did, as one value for each image or row: what carries the number that it gave."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from likely.atomic import write_bytes
from likely.explain import drawing
from likely.explain.wording import about_columns, about_part, about_unfamiliar
from likely.probability.space import Event


@dataclass(frozen=True, eq=False)
class Explanation:
    """What carries P(event), or a predicted number.

    Args:
        name: what is explained, such as "P(Shirt)".
        event: whose probability it is; None for a predicted number.
        answer: the number that is explained: a probability, or a prediction.
        baseline: the same number where nothing is known: of the image without its details, or the mean over rows with
            other values in every column.
        contributions: in points of probability (hundredths), or in the unit of the prediction; positive where what was
            there raised the number. One for each pixel (h, w), or for each entry of `columns`.
        method: "occlusion", "replacement" or "integrated_gradients"; by the last one contributions sum to answer -
            baseline.
        least: the smallest change to speak of, in the unit of contributions.
        familiarity: the conformal p-value of the row; None where it is not known.
        is_unfamiliar: whether the row is unlike those of training, so that the answer, and with it the explanation,
            says little.
    """

    name: str
    event: Event | None
    answer: float
    baseline: float
    contributions: np.ndarray
    method: str
    least: float
    familiarity: float | None
    is_unfamiliar: bool

    @property
    def sentence(self) -> str:
        """What there is to say, for people."""
        return f"{self._finding} {about_unfamiliar(self.familiarity)}" if self.is_unfamiliar else self._finding

    @property
    def _finding(self) -> str:
        raise NotImplementedError

    def image(self) -> Image.Image:
        """A picture that says it, 720 pixels wide."""
        raise NotImplementedError

    def save(self, path: str | Path) -> Path:
        """Write `image()` to a PNG file, whole or not at all; returns the path.

        Raises:
            OutputError: if it cannot be written.
        """
        write_bytes(path, drawing.png(self.image()))
        return Path(path)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "explains": self.name,
            "event": None if self.event is None else [str(label) for label in self.event],
            "answer": self.answer,
            "baseline": self.baseline,
            "method": self.method,
            "familiarity": self.familiarity,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, eq=False)
class ImageExplanation(Explanation):
    """Which pixels of an image carry the answer.

    Args:
        pixels: the image as the model reads it, (h, w) or (h, w, 3).
        shown: contributions as the overlay shows them, (h, w); those of single pixels are added up in small squares.
        part: the smallest part found whose covering takes half of the way to the baseline, or of what covering any part
            does: booleans (h, w), all false where no part carries anything.
        answer_without: the number where this part is covered.
        answer_elsewhere: the number where the same shape is covered elsewhere, on average.
    """

    pixels: np.ndarray
    shown: np.ndarray
    part: np.ndarray
    answer_without: float
    answer_elsewhere: float

    @property
    def fall(self) -> float:
        """How far the number falls where the part is covered: in points of probability, or as the target is."""
        return self._scale * (self.answer - self.answer_without)

    @property
    def largest(self) -> float:
        """The contribution that the overlay shows in the strongest color: the largest, if it is one to speak of."""
        return max(float(np.abs(self.shown).max()), self.least)

    @property
    def _scale(self) -> float:
        return 1.0 if self.event is None else 100.0

    @property
    def _finding(self) -> str:
        share = float(self.part.mean())
        numbers = self.answer, self.baseline, self.answer_without, self.answer_elsewhere
        return about_part(self.name, numbers, share, is_probability=self.event is not None)

    def overlay(self, side: int = 324) -> Image.Image:
        """The image in gray under orange (what is there raises the number) and blue (lowers it), the part outlined.

        The longer side has so many pixels.
        """
        return drawing.overlay(self.pixels, self.shown / self.largest, self.part, side)

    def image(self) -> Image.Image:
        """The image and its overlay side by side, what they say, and a legend; 720 pixels wide."""
        unit = "points" if self.event is not None else ""
        return drawing.beside(self.pixels, self.overlay(), self.largest, self.sentence, self.name, unit)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the contributions as means of 8 x 8 fields, rows from the top."""
        return super().to_json() | {
            "share": float(self.part.mean()),
            "answer_without": self.answer_without,
            "answer_elsewhere": self.answer_elsewhere,
            "contributions": drawing.fields(self.contributions, 8).round(4).tolist(),
        }


@dataclass(frozen=True, eq=False)
class RowExplanation(Explanation):
    """Which columns of a row carry the answer.

    Args:
        columns: their names in the table; several that are replaced together are one entry.
        values: what stands in them, as text.
    """

    columns: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def by_column(self) -> Mapping[str, float]:
        """The contribution of each column, the largest first, whichever its sign."""
        order = np.argsort(-np.abs(self.contributions), kind="stable").tolist()
        return {self.columns[j]: float(self.contributions[j]) for j in order}

    @property
    def _finding(self) -> str:
        values = dict(zip(self.columns, self.values, strict=True))
        named = [(name, values[name], change) for name, change in self.by_column.items()]
        return about_columns(
            self.name, self.answer, self.baseline, named, self.least, is_probability=self.event is not None
        )

    def image(self) -> Image.Image:
        """Bars of the largest contributions, and what they say; 720 pixels wide."""
        values = dict(zip(self.columns, self.values, strict=True))
        bars = [(f"{name} = {values[name]}", change) for name, change in self.by_column.items()]
        unit = "points" if self.event is not None else ""
        return drawing.bars(bars, self.least, self.name, self.sentence, unit)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        values = dict(zip(self.columns, self.values, strict=True))
        found = [{"column": c, "value": values[c], "contribution": x} for c, x in self.by_column.items()]
        return super().to_json() | {"contributions": found}
