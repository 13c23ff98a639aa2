"""The test rows that the report shows one by one: the most confidently wrong and the least certain."""

import base64
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from PIL import Image

from likely.explain.drawing import PIXELATED, levels, png
from likely.metrics.numerals import percent
from likely.report.report_data import ReportData

LARGEST = 96
"""Longest edge in pixels of a stored image; larger ones are shrunk so that the page stays small."""

N_BARS = 3


@dataclass(frozen=True)
class Bar:
    """One probability of one row."""

    label: str
    percent: str
    width: str
    is_answer: bool
    is_truth: bool


@dataclass(frozen=True)
class ExampleCard:
    """One test row with its image, if it has one, its true label, the answer and its largest probabilities."""

    name: str
    full_name: str
    image: Markup | None
    pixelated: bool
    truth: str
    answer: str
    bars: tuple[Bar, ...]


def most_confidently_wrong(y: np.ndarray, probs: np.ndarray, most: int) -> np.ndarray:
    """Indices of the wrong answers, the highest probability first, at most `most`."""
    wrong = np.flatnonzero(probs.argmax(axis=1) != y)
    return wrong[np.argsort(-probs[wrong].max(axis=1), kind="stable")][:most]


def least_certain(doubt: np.ndarray, most: int) -> np.ndarray:
    """Indices of the rows of largest doubt (entropy), the largest first, at most `most`."""
    return np.argsort(-doubt, kind="stable")[:most]


def make_card(data: ReportData, i: int) -> ExampleCard:
    """The card of test row `i`; the true label always has a bar."""
    p, truth, labels = data.probs[i], int(data.y[i]), data.labels
    answer = int(p.argmax())
    shown = dict.fromkeys([*np.argsort(-p, kind="stable")[:N_BARS].tolist(), truth])
    image, full_name = None if data.images is None else data.images[i], data.name(i)
    return ExampleCard(
        name="/".join(full_name.replace("\\", "/").split("/")[-2:]),
        full_name=full_name,
        image=None if image is None else data_uri(image),
        pixelated=image is not None and max(image.shape[:2]) <= PIXELATED,
        truth=labels[truth],
        answer=labels[answer],
        bars=tuple(
            Bar(labels[j], percent(float(p[j])), f"{100 * float(np.clip(p[j], 0, 1)):.1f}", j == answer, j == truth)
            for j in shown
        ),
    )


def data_uri(image: np.ndarray) -> Markup:
    """An image of shape (h, w), (h, w, 1) or (h, w, 3), as a PNG inside the page itself."""
    thumbnail = levels(image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image)
    thumbnail.thumbnail((LARGEST, LARGEST))
    return png_uri(thumbnail)


def png_uri(image: Image.Image) -> Markup:
    """A PNG inside the page itself."""
    return Markup("data:image/png;base64," + base64.b64encode(png(image)).decode("ascii"))
